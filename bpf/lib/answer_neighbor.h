/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Turns an ARP request or a solicitation into its answer, as the station itself
 * would give it: from its MAC, to the asker alone.
 *
 * Verifier: not inlined, since all calls that are open at a time share 512
 * bytes of stack.
 */
#ifndef WEFT_ANSWER_NEIGHBOR_H
#define WEFT_ANSWER_NEIGHBOR_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "arp.h"
#include "checksum.h"
#include "icmp6.h"
#include "nd.h"
#include "nd_options.h"
#include "neighbor.h"

struct ethernet_header {
	struct mac_addr to;
	struct mac_addr from;
	__be16 type;
};
ABI_SIZE(struct ethernet_header, 14);

/* Two bytes of padding each, so that what follows Ethernet is aligned: they stay behind. */
struct arp_answer {
	__u16 pad;
	struct ethernet_header ethernet;
	struct arp_packet arp;
};
ABI_SIZE(struct arp_answer, 44);

struct nd_answer {
	__u16 pad;
	struct ethernet_header ethernet;
	struct ipv6hdr ip;
	struct nd_message nd;
	struct nd_link_option link;
};
ABI_SIZE(struct nd_answer, 88);

#define LENGTH_OF(answer) (sizeof(answer) - sizeof((answer).pad))
#define ND_LENGTH (sizeof(struct nd_message) + sizeof(struct nd_link_option))

/* What the frame has more than the request is its own padding, and goes back with it. */
static __noinline bool
answer_arp(struct __sk_buff *skb, const struct neighbor_message *message, const struct mac_addr *mac)
{
	struct arp_answer answer = {
		.ethernet = { .to = message->link, .from = *mac, .type = bpf_htons(ETH_P_ARP) },
		.arp = {
			.hardware = ARP_HARDWARE_ETHERNET,
			.protocol = bpf_htons(ETH_P_IP),
			.hardware_length = ETH_ALEN,
			.protocol_length = sizeof(answer.arp.sender_ip),
			.operation = ARP_REPLY,
			.sender = *mac,
			.target = message->link,
		},
	};

	__builtin_memcpy(answer.arp.sender_ip, &message->target.addr[12], sizeof(answer.arp.sender_ip));
	__builtin_memcpy(answer.arp.target_ip, &message->sender.addr[12], sizeof(answer.arp.target_ip));
	return !bpf_skb_store_bytes(skb, 0, &answer.ethernet, LENGTH_OF(answer), BPF_F_RECOMPUTE_CSUM);
}

static __noinline bool
answer_nd(struct __sk_buff *skb, const struct neighbor_message *message, const struct mac_addr *mac,
	  bool is_router)
{
	struct nd_answer answer = {
		.ethernet = { .to = message->link, .from = *mac, .type = bpf_htons(ETH_P_IPV6) },
		.ip = {
			.version = 6,
			.payload_len = bpf_htons(ND_LENGTH),
			.nexthdr = IPPROTO_ICMPV6,
			.hop_limit = ND_HOP_LIMIT,
		},
		.nd = {
			.type = ND_ADVERTISEMENT,
			.flags = ND_SOLICITED | ND_OVERRIDE | (is_router ? ND_ROUTER : 0),
			.target = message->target,
		},
		.link = { .type = ND_TARGET_LINK, .length = 1, .mac = *mac },
	};
	__u32 sum = add_pseudo_sum6(0, &message->target, &message->sender, ND_LENGTH);

	__builtin_memcpy(&answer.ip.saddr, &message->target, sizeof(answer.ip.saddr));
	__builtin_memcpy(&answer.ip.daddr, &message->sender, sizeof(answer.ip.daddr));
	answer.nd.checksum = fold_sum(add_sum(sum, &answer.nd, ND_LENGTH));
	/* This makes it writable and of one piece: what follows cannot fail. */
	return !bpf_skb_change_tail(skb, LENGTH_OF(answer), 0) &&
	       !bpf_skb_store_bytes(skb, 0, &answer.ethernet, LENGTH_OF(answer), BPF_F_RECOMPUTE_CSUM);
}

/* False when the kernel refused it; the frame is as it was then. */
static __always_inline bool
answer_neighbor(struct __sk_buff *skb, const struct neighbor_message *message, const struct mac_addr *mac,
		bool is_router)
{
	if (message->traits & NEIGHBOR_IS_IPV6)
		return answer_nd(skb, message, mac, is_router);
	return answer_arp(skb, message, mac);
}

#endif
