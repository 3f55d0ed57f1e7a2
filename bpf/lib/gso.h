/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a GSO frame becomes on the wire: `segments` packets, each with its own
 * copy of the headers. The kernel works this out at egress only; at ingress
 * wire_len is the length of the skb, and gso_segs is 0 when the frame comes
 * from a guest (SKB_GSO_DODGY).
 */
#ifndef WEFT_GSO_H
#define WEFT_GSO_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define VLAN_TAG_LEN 4
#define UDP_HEADER_LEN 8
#define TCP_DATA_OFFSET 12 /* the byte of the TCP header whose high nibble is its length in words */

#define MAX_TAGS 2
#define MAX_EXTENSIONS 4

/* gso_size of a frame that is a list of ready segments (SCTP): it says nothing of their size. */
#define GSO_BY_FRAGS 0xffff

/* What a frame is on the wire. */
struct size {
	__u32 packets;
	__u32 bytes;   /* of all of them */
	__u32 largest; /* of them, with its Ethernet header */
};

/* Where in the frame parsing is, and what stands there. A read past the end leaves it as it is. */
struct cursor {
	struct __sk_buff *skb;
	__u32 at;
	__be16 ether_type;
	__u8 protocol; /* IPPROTO_*, of IPv4 or IPv6 */
};

static __always_inline void
skip_ethernet(struct cursor *cursor)
{
	__u32 i;

	cursor->at = ETH_HLEN;
	bpf_skb_load_bytes(cursor->skb, ETH_HLEN - 2, &cursor->ether_type, 2);
	for (i = 0; i < MAX_TAGS; i++) {
		if (cursor->ether_type != bpf_htons(ETH_P_8021Q) &&
		    cursor->ether_type != bpf_htons(ETH_P_8021AD))
			return;
		bpf_skb_load_bytes(cursor->skb, cursor->at + 2, &cursor->ether_type, 2);
		cursor->at += VLAN_TAG_LEN;
	}
}

static __always_inline void
skip_ipv6_extensions(struct cursor *cursor)
{
	struct ipv6_opt_hdr extension;
	__u32 i;

	for (i = 0; i < MAX_EXTENSIONS; i++) {
		if (cursor->protocol != IPPROTO_HOPOPTS && cursor->protocol != IPPROTO_ROUTING &&
		    cursor->protocol != IPPROTO_DSTOPTS)
			return;
		if (bpf_skb_load_bytes(cursor->skb, cursor->at, &extension, sizeof(extension)))
			return;
		cursor->protocol = extension.nexthdr;
		cursor->at += (extension.hdrlen + 1) * 8;
	}
}

static __always_inline void
skip_ip(struct cursor *cursor)
{
	struct ipv6hdr ip6;
	struct iphdr ip;

	if (cursor->ether_type == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(cursor->skb, cursor->at, &ip, sizeof(ip)))
			return;
		cursor->protocol = ip.protocol;
		cursor->at += ip.ihl * 4;
	} else if (cursor->ether_type == bpf_htons(ETH_P_IPV6)) {
		if (bpf_skb_load_bytes(cursor->skb, cursor->at, &ip6, sizeof(ip6)))
			return;
		cursor->protocol = ip6.nexthdr;
		cursor->at += sizeof(ip6);
		skip_ipv6_extensions(cursor);
	}
}

/* Length of the headers that every segment repeats: Ethernet, tags, IP, TCP or UDP. */
static __always_inline __u32
header_length(struct __sk_buff *skb)
{
	struct cursor cursor = { .skb = skb };
	__u8 words = 0;

	skip_ethernet(&cursor);
	skip_ip(&cursor);
	if (cursor.protocol == IPPROTO_UDP)
		return cursor.at + UDP_HEADER_LEN;
	if (cursor.protocol == IPPROTO_TCP) {
		bpf_skb_load_bytes(skb, cursor.at + TCP_DATA_OFFSET, &words, 1);
		return cursor.at + (words >> 4) * 4;
	}
	return cursor.at;
}

/*
 * Only for a frame with gso_size. Not inlined: most frames have none, and the
 * verifier walks it once instead of once for each path that leads here.
 */
static __noinline void
measure_gso(struct __sk_buff *skb, struct size *result)
{
	__u32 headers = header_length(skb), size = skb->gso_size, length = skb->len;

	result->packets = skb->gso_segs;
	result->largest = headers;
	if (size != GSO_BY_FRAGS) {
		result->largest += size;
		if (!result->packets && size && length > headers)
			result->packets = (length - headers + size - 1) / size;
	}
	if (!result->packets)
		result->packets = 1;
	result->bytes = length + (result->packets - 1) * headers;
	if (skb->wire_len > length)
		result->bytes = skb->wire_len;
}

#endif
