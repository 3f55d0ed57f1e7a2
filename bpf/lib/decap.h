/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Decapsulation without the VXLAN device. It reads the packet itself and takes
 * only what it can judge in full; what it cannot, the host's stack can.
 */
#ifndef WEFT_DECAP_H
#define WEFT_DECAP_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "address.h"
#include "outer.h"

#define IPV4_PLAIN_HEADER 0x45 /* version and length without options, its first byte */

/* Linux 6.3; Debian 12's headers are older. */
#define ADJ_ROOM_DECAP_L3_IPV4 (1ULL << 7)
#define ADJ_ROOM_DECAP_L3_IPV6 (1ULL << 8)

struct inner_frame {
	struct ethhdr ethernet;
	__u8 protocol; /* IPPROTO_*, what follows the IP header */
};

/* What ip_rcv, udp_rcv and vxlan_rcv would look at. */
static __always_inline bool
is_plain_tunnel(const struct __sk_buff *skb, const struct outer *outer, __be32 vtep)
{
	const struct iphdr *ip = &outer->ip;
	__u32 length = skb->len - ETH_HLEN;

	return *(const __u8 *)ip == IPV4_PLAIN_HEADER && !(ip->frag_off & FRAGMENT_OFFSET_AND_MORE) &&
	       ip->daddr == vtep && !outer->udp.check && outer->flags == VXLAN_FLAGS &&
	       !(outer->vni & bpf_htonl(0xff)) && bpf_ntohs(ip->tot_len) == length &&
	       bpf_ntohs(outer->udp.len) == length - sizeof(*ip) && !sum_ip_header(ip);
}

/* Whether the outer header has to tell the inner one of congestion, or the frame to be dropped (RFC 6040 4.2). */
static __always_inline bool
is_ecn_news(__u8 outer_tos, __u8 inner_tos)
{
	__u8 outer = outer_tos & ECN_MASK, inner = inner_tos & ECN_MASK;

	return outer == ECN_CE || (outer == ECN_ECT_1 && inner != ECN_ECT_1 && inner != ECN_CE);
}

/* False unless the inner packet is IPv4, or IPv6 that cannot be neighbour discovery, and stays as it is. */
static __always_inline bool
read_inner_protocol(const struct outer *outer, const void *end, struct inner_frame *inner)
{
	const struct ipv6hdr *ip6 = (const void *)outer + OUTER_LEN;
	const struct iphdr *ip = (const void *)outer + OUTER_LEN;

	if (inner->ethernet.h_proto == bpf_htons(ETH_P_IP)) {
		if ((const void *)(ip + 1) > end)
			return false;
		inner->protocol = ip->protocol;
		return !is_ecn_news(outer->ip.tos, ip->tos);
	}
	if (inner->ethernet.h_proto != bpf_htons(ETH_P_IPV6) || (const void *)(ip6 + 1) > end)
		return false;
	inner->protocol = ip6->nexthdr;
	return (ip6->nexthdr == IPPROTO_TCP || ip6->nexthdr == IPPROTO_UDP) &&
	       !is_ecn_news(outer->ip.tos, bpf_ntohs(*(const __be16 *)ip6) >> 4);
}

/* False when the packet is anything but VXLAN for this node, of the plainest kind. */
static __always_inline bool
read_tunnelled(const struct __sk_buff *skb, const struct node_config *node, struct vtep_key *from,
	       struct inner_frame *inner)
{
	const void *end = (void *)(long)skb->data_end;
	const void *data = (void *)(long)skb->data;
	const struct outer *outer = data + ETH_HLEN;
	struct address_words source = { .word = { 0, 0, IPV4_MAPPED_PREFIX, 0 } };
	struct address_words vtep;

	if ((const void *)outer + OUTER_LEN > end || ((const struct ethhdr *)data)->h_proto != bpf_htons(ETH_P_IP) ||
	    outer->ip.protocol != IPPROTO_UDP || outer->udp.dest != node->udp_port)
		return false;
	vtep = words_of(&node->vtep);
	if (skb->pkt_type != PACKET_HOST || skb->vlan_present || !is_ipv4_mapped(&vtep) ||
	    !is_plain_tunnel(skb, outer, vtep.word[3]))
		return false;

	source.word[3] = outer->ip.saddr;
	from->vni = bpf_ntohl(outer->vni) >> 8;
	__builtin_memcpy(&from->vtep, &source, sizeof(source));
	inner->ethernet = outer->inner;
	return read_inner_protocol(outer, end, inner);
}

/*
 * A GSO frame stays marked as a tunnelled one (Linux has no flag yet that would
 * take this off): TCP does not mind, but UDP would be cut up wrongly, and so
 * might anything by a device. It goes only into another stack. TCP to other
 * ports goes the slow way altogether, so that small frames do not overtake.
 */
static __always_inline bool
may_take(const struct __sk_buff *skb, const struct inner_frame *inner, __u32 port_flags)
{
	if (inner->protocol == IPPROTO_TCP)
		return port_flags & PORT_TERMINATES;
	return !skb->gso_size;
}

/* Takes the outer headers away, but for the Ethernet header, which is the outer one still. */
static __always_inline bool
strip_outer(struct __sk_buff *skb, const struct inner_frame *inner)
{
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;

	flags |= inner->ethernet.h_proto == bpf_htons(ETH_P_IPV6) ? ADJ_ROOM_DECAP_L3_IPV6 : ADJ_ROOM_DECAP_L3_IPV4;
	return !bpf_skb_adjust_room(skb, -(__s32)OUTER_LEN, BPF_ADJ_ROOM_MAC, flags);
}

static __always_inline bool
restore_ethernet(struct __sk_buff *skb, const struct inner_frame *inner)
{
	return !bpf_skb_store_bytes(skb, 0, &inner->ethernet, ETH_HLEN, 0);
}

#endif
