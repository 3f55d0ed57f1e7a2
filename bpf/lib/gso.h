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
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "packet.h"

#define UDP_HEADER_LEN 8
#define TCP_DATA_OFFSET 12 /* the byte of the TCP header whose high nibble is its length in words */

/* gso_size of a frame that is a list of ready segments (SCTP): it says nothing of their size. */
#define GSO_BY_FRAGS 0xffff

/* What a frame is on the wire. */
struct size {
	__u32 packets;
	__u32 bytes;   /* of all of them */
	__u32 largest; /* of them, with its Ethernet header */
};

/*
 * That of TCP without tags, options of IP and extensions, which most are: read
 * from the packet itself. 0 for others.
 */
static __always_inline __u32
plain_header_length(const struct __sk_buff *skb)
{
	const void *end = (void *)(long)skb->data_end;
	const void *data = (void *)(long)skb->data;
	const struct ethhdr *ethernet = data;
	const struct ipv6hdr *ip6 = data + ETH_HLEN;
	const struct iphdr *ip = data + ETH_HLEN;
	const struct tcphdr *tcp;

	if ((const void *)(ip6 + 1) > end)
		return 0;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP) && *(const __u8 *)ip == IPV4_WITHOUT_OPTIONS &&
	    ip->protocol == IPPROTO_TCP)
		tcp = (const void *)(ip + 1);
	else if (ethernet->h_proto == bpf_htons(ETH_P_IPV6) && ip6->nexthdr == IPPROTO_TCP)
		tcp = (const void *)(ip6 + 1);
	else
		return 0;
	return (const void *)(tcp + 1) > end ? 0 : (const void *)tcp - data + tcp->doff * 4;
}

/* Length of the headers that every segment repeats: Ethernet, tags, IP, TCP or UDP. */
static __always_inline __u32
header_length(struct __sk_buff *skb)
{
	__u32 plain = plain_header_length(skb);
	struct packet packet;
	__u8 words = 0;

	if (plain)
		return plain;
	parse_packet(skb, &packet);
	if (packet.protocol == IPPROTO_UDP)
		return packet.transport + UDP_HEADER_LEN;
	if (packet.protocol == IPPROTO_TCP) {
		bpf_skb_load_bytes(skb, packet.transport + TCP_DATA_OFFSET, &words, 1);
		return packet.transport + (words >> 4) * 4;
	}
	return packet.transport;
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
