/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Encapsulation without the VXLAN device, for what is most of all traffic: IPv4
 * and IPv6 over an IPv4 underlay. The bytes on the wire are those that the
 * kernel's VXLAN device would make, but for the IP identification, which is 0
 * (RFC 6864 4.1). All that could refuse a frame is asked before it is changed.
 */
#ifndef WEFT_FAST_H
#define WEFT_FAST_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "address.h"
#include "frame.h"
#include "next_hop.h"
#include "outer.h"

/* As the kernel picks them from the same hash (udp_flow_src_port). */
#define FIRST_SOURCE_PORT 49152
#define LAST_SOURCE_PORT 65535

enum fast_result {
	FAST_UNTOUCHED, /* the slow path's, as it came */
	FAST_ENCAPSULATED,
	FAST_FAILED, /* neither the one nor the other: to be dropped */
};

struct inner_header {
	__be16 ether_type;
	__u8 traffic_class; /* of IPv4, the type of service */
};

/* False unless the frame is IPv4 or IPv6 without a tag, its IP header at hand. */
static __always_inline bool
read_inner(const struct __sk_buff *skb, struct inner_header *inner)
{
	const void *end = (void *)(long)skb->data_end;
	const void *data = (void *)(long)skb->data;
	const struct ethhdr *ethernet = data;
	const struct ipv6hdr *ip6 = data + ETH_HLEN;
	const struct iphdr *ip = data + ETH_HLEN;

	if (skb->vlan_present || (const void *)(ip + 1) > end || ethernet->h_proto != skb->protocol)
		return false;
	inner->ether_type = ethernet->h_proto;
	if (inner->ether_type == bpf_htons(ETH_P_IP)) {
		inner->traffic_class = ip->tos;
		return true;
	}
	if (inner->ether_type != bpf_htons(ETH_P_IPV6) || (const void *)(ip6 + 1) > end)
		return false;
	inner->traffic_class = bpf_ntohs(*(const __be16 *)ip6) >> 4;
	return true;
}

/* The kernel's ingress of a tunnel: ECN copied, but CE becomes ECT(0) (RFC 3168 9.1.1), and no DSCP. */
static __always_inline __u8
outer_tos(__u8 traffic_class)
{
	__u8 ecn = traffic_class & ECN_MASK;

	return ecn == ECN_CE ? ECN_ECT_0 : ecn;
}

static __always_inline __be16
source_port(__u32 hash)
{
	hash ^= hash << 16;
	return bpf_htons(FIRST_SOURCE_PORT + ((__u64)hash * (LAST_SOURCE_PORT - FIRST_SOURCE_PORT) >> 32));
}

/* Writes into the room behind the Ethernet header, and over that header. */
static __always_inline enum fast_result
write_outer(struct __sk_buff *skb, const struct outer *outer, const struct ethhdr *ethernet)
{
	/* The sum of a device that gives one (CHECKSUM_COMPLETE) leaves the Ethernet header out. */
	if (bpf_skb_store_bytes(skb, ETH_HLEN, outer, OUTER_LEN, BPF_F_RECOMPUTE_CSUM) ||
	    bpf_skb_store_bytes(skb, 0, ethernet, ETH_HLEN, 0))
		return FAST_FAILED;
	return FAST_ENCAPSULATED;
}

static __always_inline void
fill_outer(struct outer *outer, const struct frame *frame, __u32 vni, const struct inner_header *inner)
{
	__u32 length = frame->skb->len + OUTER_LEN - ETH_HLEN;

	outer->ip.version = 4;
	outer->ip.ihl = sizeof(outer->ip) / 4;
	outer->ip.tos = outer_tos(inner->traffic_class);
	outer->ip.tot_len = bpf_htons(length);
	outer->ip.frag_off = DONT_FRAGMENT;
	outer->ip.protocol = IPPROTO_UDP;
	outer->ip.check = sum_ip_header(&outer->ip);
	outer->udp.len = bpf_htons(length - sizeof(outer->ip));
	outer->flags = VXLAN_FLAGS;
	outer->vni = bpf_htonl(vni << 8);
	__builtin_memcpy(outer->inner.h_dest, &frame->destination.mac, ETH_ALEN);
	__builtin_memcpy(outer->inner.h_source, &frame->source.mac, ETH_ALEN);
	outer->inner.h_proto = inner->ether_type;
}

/* Not inlined: its stack is its own, and the chain of calls behind verdict() needs the rest. */
static __noinline enum fast_result
encapsulate_fast(const struct frame *frame, const struct vtep_key *to, const struct node_config *node)
{
	struct address_words remote = words_of(&to->vtep), local = words_of(&node->vtep);
	struct ethhdr ethernet;
	struct __sk_buff *skb = frame->skb;
	const struct next_hop *hop;
	struct inner_header inner;
	struct outer outer = {};
	__u32 hash;

	if (!is_ipv4_mapped(&remote) || !is_ipv4_mapped(&local) || !read_inner(skb, &inner))
		return FAST_UNTOUCHED;
	if (skb->len + OUTER_LEN - ETH_HLEN > 0xffff)
		return FAST_UNTOUCHED;
	hash = bpf_get_hash_recalc(skb);
	if (!hash)
		return FAST_UNTOUCHED;
	hop = find_next_hop(remote.word[3], node->underlay_ifindex, frame->now_ns);
	if (!hop)
		return FAST_UNTOUCHED;

	outer.ip.ttl = node->ttl;
	outer.ip.saddr = local.word[3];
	outer.ip.daddr = remote.word[3];
	outer.udp.source = source_port(hash);
	outer.udp.dest = node->udp_port;
	fill_outer(&outer, frame, to->vni, &inner);
	__builtin_memcpy(ethernet.h_dest, &hop->destination, ETH_ALEN);
	__builtin_memcpy(ethernet.h_source, &hop->source, ETH_ALEN);
	ethernet.h_proto = bpf_htons(ETH_P_IP);

	if (bpf_skb_adjust_room(skb, OUTER_LEN, BPF_ADJ_ROOM_MAC, ENCAP_FLAGS))
		return FAST_UNTOUCHED;
	return write_outer(skb, &outer, &ethernet);
}

#endif
