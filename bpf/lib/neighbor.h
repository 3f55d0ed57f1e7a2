/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What ARP and ND say of neighbours, in one form:
 *
 *                 kind    sender             target   link
 *   ARP request   ASKS    sender address     asked    sender MAC
 *   ARP reply     TELLS   sender address     asker    sender MAC
 *   solicitation  ASKS    source             asked    source link-layer option
 *   advertisement TELLS   target, not source          target link-layer option
 *   router adv.   TELLS   source                      source link-layer option
 *
 * Only what is sound: a message that a station would have to discard
 * (RFC 4861 6.1, 7.1), or whose MAC is not that of its frame, is none. Nor are
 * frames with tags, since bindings are of untagged frames.
 */
#ifndef WEFT_NEIGHBOR_H
#define WEFT_NEIGHBOR_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "arp.h"
#include "frame.h"
#include "icmp6.h"
#include "ip.h"
#include "nd.h"
#include "nd_options.h"
#include "packet.h"

enum neighbor_kind {
	NEIGHBOR_SILENT = 0, /* it says nothing of neighbours */
	NEIGHBOR_ASKS = 1,
	NEIGHBOR_TELLS = 2,
};

enum neighbor_trait {
	NEIGHBOR_HAS_LINK = 1,
	NEIGHBOR_IS_ROUTER = 2,
	NEIGHBOR_IS_WEAK = 4, /* it must not override what is known otherwise (RFC 4861 7.2.5) */
	NEIGHBOR_IS_IPV6 = 8,
	NEIGHBOR_TO_ALL = 16, /* a question that everybody hears who may have the target */
};

struct neighbor_message {
	struct ip_addr sender;
	struct ip_addr target;
	struct mac_addr link;
	__u16 kind;   /* enum neighbor_kind */
	__u32 traits; /* enum neighbor_trait */
	/* Of ND, for is_icmp6_sound(): where it begins and ends, the sum of its pseudo header. */
	__u32 at;
	__u32 end;
	__u32 sum;
};

static __always_inline bool
is_broadcast(const struct mac_addr *mac)
{
	const __u8 *a = mac->addr;

	return (a[0] & a[1] & a[2] & a[3] & a[4] & a[5]) == 0xff;
}

/* Whether it goes to the target's solicited-node group (RFC 4291 2.7.1), by the MAC of that (RFC 2464 7). */
static __always_inline bool
goes_to_group_of(const struct ip_addr *target, const struct ip_addr *destination, const struct mac_addr *to)
{
	struct ip_words wanted = ip_words(target), group = ip_words(destination);
	__be32 low;

	__builtin_memcpy(&low, to->addr + 2, sizeof(low));
	return to->addr[0] == 0x33 && to->addr[1] == 0x33 && low == group.word[3] &&
	       group.word[0] == bpf_htonl(0xff020000) && !group.word[1] && group.word[2] == bpf_htonl(1) &&
	       group.word[3] == (wanted.word[3] | bpf_htonl(0xff000000));
}

static __always_inline enum neighbor_kind
read_arp_message(struct __sk_buff *skb, const struct packet *packet, const struct mac_addr *to,
		 struct neighbor_message *message)
{
	struct arp_packet arp;

	if (!load_arp(skb, packet->network, &arp))
		return NEIGHBOR_SILENT;
	map_ipv4(&message->sender, ip_of(arp.sender_ip));
	map_ipv4(&message->target, ip_of(arp.target_ip));
	message->link = arp.sender;
	message->traits = NEIGHBOR_HAS_LINK;
	if (is_broadcast(to))
		message->traits |= NEIGHBOR_TO_ALL;
	if (arp.operation == ARP_REQUEST)
		return NEIGHBOR_ASKS;
	return arp.operation == ARP_REPLY ? NEIGHBOR_TELLS : NEIGHBOR_SILENT;
}

/* Takes over the MAC of an option. False when the options are malformed. */
static __noinline bool
read_link(struct __sk_buff *skb, const struct packet *packet, __u8 type, struct neighbor_message *message)
{
	__u8 option = type == ND_ADVERTISEMENT ? ND_TARGET_LINK : ND_SOURCE_LINK;
	struct nd_links links = {};

	if (!read_nd_links(skb, packet->transport + nd_header_length(type), packet->network + packet->length,
			   &links))
		return false;
	message->link = option == ND_TARGET_LINK ? links.target : links.source;
	if (links.named & (1 << option))
		message->traits |= NEIGHBOR_HAS_LINK;
	return true;
}

static __always_inline enum neighbor_kind
read_nd_message(struct __sk_buff *skb, const struct packet *packet, const struct mac_addr *to,
		struct neighbor_message *message)
{
	struct nd_message nd = {};

	if (packet->protocol != IPPROTO_ICMPV6 || packet->hop_limit != ND_HOP_LIMIT ||
	    packet->flags & PACKET_FRAGMENT || !load_transport(skb, packet, 0, &nd, sizeof(nd.type) + 1))
		return NEIGHBOR_SILENT;
	if (nd.code || !(nd.type >= ND_ROUTER_ADVERTISEMENT && nd.type <= ND_ADVERTISEMENT))
		return NEIGHBOR_SILENT;
	message->sender = packet->source;
	message->traits = NEIGHBOR_IS_IPV6;
	message->at = packet->transport;
	message->end = packet->network + packet->length;
	message->sum = add_pseudo_sum6(0, &packet->source, &packet->destination, message->end - message->at);
	if (!read_link(skb, packet, nd.type, message))
		return NEIGHBOR_SILENT;

	if (nd.type == ND_ROUTER_ADVERTISEMENT) {
		message->traits |= NEIGHBOR_IS_ROUTER;
		return is_link_local_ip(&message->sender) ? NEIGHBOR_TELLS : NEIGHBOR_SILENT;
	}
	if (!load_transport(skb, packet, 0, &nd, sizeof(nd)))
		return NEIGHBOR_SILENT;
	message->target = nd.target;
	if (goes_to_group_of(&nd.target, &packet->destination, to))
		message->traits |= NEIGHBOR_TO_ALL;
	if (nd.type == ND_SOLICITATION)
		return NEIGHBOR_ASKS;
	if (nd.flags & ND_SOLICITED && is_group_ip6(&packet->destination))
		return NEIGHBOR_SILENT;
	message->sender = nd.target;
	if (nd.flags & ND_ROUTER)
		message->traits |= NEIGHBOR_IS_ROUTER;
	if (!(nd.flags & ND_OVERRIDE))
		message->traits |= NEIGHBOR_IS_WEAK;
	return NEIGHBOR_TELLS;
}

/* What the frame says, if its checksum is right; always 0. Verifier: a global function (flood.h). */
__noinline int
parse_neighbor(struct __sk_buff *skb, struct neighbor_message *message)
{
	struct mac_addr to, from;
	struct packet packet;

	if (!message)
		return 0;
	__builtin_memset(message, 0, sizeof(*message));
	parse_packet(skb, &packet);
	if (packet.tag_bytes || bpf_skb_load_bytes(skb, 0, &to, sizeof(to)) ||
	    bpf_skb_load_bytes(skb, ETH_ALEN, &from, sizeof(from)))
		return 0;
	if (packet.ether_type == bpf_htons(ETH_P_ARP))
		message->kind = read_arp_message(skb, &packet, &to, message);
	else if (packet.ether_type == bpf_htons(ETH_P_IPV6))
		message->kind = read_nd_message(skb, &packet, &to, message);
	if (message->traits & NEIGHBOR_HAS_LINK && !is_same_mac(&message->link, &from))
		message->kind = NEIGHBOR_SILENT;
	return 0;
}

/* False when the frame says nothing of neighbours. */
static __always_inline bool
read_neighbor(struct __sk_buff *skb, struct neighbor_message *message)
{
	parse_neighbor(skb, message);
	if (message->kind == NEIGHBOR_SILENT)
		return false;
	return !(message->traits & NEIGHBOR_IS_IPV6) ||
	       is_icmp6_sound(skb, message->at, message->end, message->sum);
}

#endif
