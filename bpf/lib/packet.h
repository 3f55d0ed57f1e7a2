/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a frame carries: one bounded walk over tags, IP and its extensions.
 *
 *   Ethernet  tag tag │ IPv4, options           │ transport
 *                     │ IPv6, extensions ...    │
 *                  network                  transport
 *
 * Most frames are plain and never come here; so this reads by
 * bpf_skb_load_bytes(), which also finds bytes that lie in page fragments.
 */
#ifndef WEFT_PACKET_H
#define WEFT_PACKET_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../abi/weft.h"

#define VLAN_TAG_LEN 4
#define MAX_TAGS 2       /* beside the one in the skb's metadata */
#define MAX_EXTENSIONS 8 /* RFC 8200 4.1 has six in order, one of them twice */

#define IPV4_WITHOUT_OPTIONS 0x45 /* version and header length, its first byte */
#define IPV4_FRAGMENT bpf_htons(0x3fff) /* more fragments, or an offset */
#define IPV4_OFFSET bpf_htons(0x1fff)
#define IPV6_OFFSET bpf_htons(0xfff8)

enum packet_flag {
	PACKET_FRAGMENT = 1,   /* in IPv6 also the only one of an atomic fragment (RFC 6946) */
	PACKET_LATER = 2,      /* not the first fragment: what stands at `transport` is data */
	PACKET_UNREADABLE = 4, /* it ends within its headers, or has more than are read here */
};

struct packet {
	struct ip_addr source;      /* zero: no IP */
	struct ip_addr destination; /* next to it, as in IPv6 */
	__u32 network;   /* where it begins in the frame */
	__u32 transport; /* where parsing ended: what is there is of `protocol` */
	__u32 length;    /* of the IP packet, as its header says */
	__u32 tag_bytes;
	__be16 ether_type; /* behind the tags */
	__u8 protocol;     /* IPPROTO_*, of IPv4 or IPv6 */
	__u8 hop_limit;
	__u32 flags; /* enum packet_flag */
};

/* An IPv6 header up to its addresses, which are read into place: stack is scarce. */
struct ipv6_start {
	__u8 version; /* its high nibble */
	__u8 traffic[3];
	__be16 payload_length;
	__u8 next;
	__u8 hop_limit;
};
ABI_SIZE(struct ipv6_start, 8);

#define IPV6_HEADER_LENGTH 40

/* The fragment header of IPv6 (RFC 8200 4.5). */
struct fragment_header {
	__u8 next;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

static __always_inline bool
is_tag(__be16 ether_type)
{
	return ether_type == bpf_htons(ETH_P_8021Q) || ether_type == bpf_htons(ETH_P_8021AD);
}

static __always_inline bool
is_ip(const struct packet *packet)
{
	return packet->ether_type == bpf_htons(ETH_P_IP) || packet->ether_type == bpf_htons(ETH_P_IPV6);
}

static __always_inline void
map_ipv4(struct ip_addr *to, __be32 from)
{
	__builtin_memset(to, 0, 10);
	to->addr[10] = 0xff;
	to->addr[11] = 0xff;
	__builtin_memcpy(&to->addr[12], &from, sizeof(from));
}

/* What of the transport header is there, from `offset` on; nothing of a later fragment. */
static __always_inline bool
load_transport(struct __sk_buff *skb, const struct packet *packet, __u32 offset, void *to, __u32 length)
{
	return !(packet->flags & (PACKET_LATER | PACKET_UNREADABLE)) &&
	       !bpf_skb_load_bytes(skb, packet->transport + offset, to, length);
}

static __always_inline void
parse_tags(struct __sk_buff *skb, struct packet *packet)
{
	__u32 i;

	packet->tag_bytes = skb->vlan_present ? VLAN_TAG_LEN : 0;
	packet->network = ETH_HLEN;
	if (bpf_skb_load_bytes(skb, ETH_HLEN - 2, &packet->ether_type, 2))
		packet->flags |= PACKET_UNREADABLE;
	for (i = 0; i < MAX_TAGS && is_tag(packet->ether_type); i++) {
		if (bpf_skb_load_bytes(skb, packet->network + 2, &packet->ether_type, 2)) {
			packet->flags |= PACKET_UNREADABLE;
			return;
		}
		packet->network += VLAN_TAG_LEN;
		packet->tag_bytes += VLAN_TAG_LEN;
	}
	if (is_tag(packet->ether_type))
		packet->flags |= PACKET_UNREADABLE;
}

static __always_inline void
parse_ipv4(struct __sk_buff *skb, struct packet *packet)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, packet->network, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5) {
		packet->flags |= PACKET_UNREADABLE;
		return;
	}
	map_ipv4(&packet->source, ip.saddr);
	map_ipv4(&packet->destination, ip.daddr);
	packet->length = bpf_ntohs(ip.tot_len);
	packet->protocol = ip.protocol;
	packet->hop_limit = ip.ttl;
	packet->transport += ip.ihl * 4;
	if (ip.frag_off & IPV4_FRAGMENT)
		packet->flags |= PACKET_FRAGMENT;
	if (ip.frag_off & IPV4_OFFSET)
		packet->flags |= PACKET_LATER;
}

static __always_inline bool
is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_FRAGMENT ||
	       protocol == IPPROTO_AH || protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_MH;
}

/* Steps over one extension. False when nothing is to be found behind it. */
static __always_inline bool
skip_extension(struct __sk_buff *skb, struct packet *packet)
{
	struct fragment_header header;

	/* Each is at least 8 bytes; their first two are alike. */
	if (bpf_skb_load_bytes(skb, packet->transport, &header, sizeof(header))) {
		packet->flags |= PACKET_UNREADABLE;
		return false;
	}
	if (packet->protocol == IPPROTO_FRAGMENT) {
		packet->flags |= PACKET_FRAGMENT;
		packet->transport += sizeof(header);
		if (header.offset & IPV6_OFFSET)
			packet->flags |= PACKET_LATER;
	} else if (packet->protocol == IPPROTO_AH) {
		packet->transport += (header.reserved + 2) * 4;
	} else {
		packet->transport += (header.reserved + 1) * 8;
	}
	packet->protocol = header.next;
	return !(packet->flags & PACKET_LATER);
}

static __always_inline void
parse_ipv6(struct __sk_buff *skb, struct packet *packet)
{
	struct ipv6_start ip;
	__u32 i;

	if (bpf_skb_load_bytes(skb, packet->network, &ip, sizeof(ip)) || ip.version >> 4 != 6 ||
	    bpf_skb_load_bytes(skb, packet->network + sizeof(ip), &packet->source, 2 * sizeof(packet->source))) {
		packet->flags |= PACKET_UNREADABLE;
		return;
	}
	packet->length = IPV6_HEADER_LENGTH + bpf_ntohs(ip.payload_length);
	packet->protocol = ip.next;
	packet->hop_limit = ip.hop_limit;
	packet->transport += IPV6_HEADER_LENGTH;
	for (i = 0; i < MAX_EXTENSIONS && is_extension(packet->protocol); i++) {
		if (!skip_extension(skb, packet))
			return;
	}
	if (is_extension(packet->protocol))
		packet->flags |= PACKET_UNREADABLE;
}

/* What it finds is in `packet`; always 0. Verifier: a global function, as flood.h explains. */
__noinline int
parse_packet(struct __sk_buff *skb, struct packet *packet)
{
	if (!packet)
		return 0;
	__builtin_memset(packet, 0, sizeof(*packet));
	parse_tags(skb, packet);
	packet->transport = packet->network;
	if (packet->ether_type == bpf_htons(ETH_P_IP))
		parse_ipv4(skb, packet);
	else if (packet->ether_type == bpf_htons(ETH_P_IPV6))
		parse_ipv6(skb, packet);
	return 0;
}

#endif
