/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Router advertisements (RFC 6105), however they are hidden (RFC 7113): behind
 * tags and extensions, or in fragments. A first fragment must hold all headers
 * (RFC 7112), else nobody can tell. Stricter than RFC 7113, it does not matter
 * who sends it with which hop limit: only routers advertise.
 */
#ifndef WEFT_RA_GUARD_H
#define WEFT_RA_GUARD_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "nd.h"
#include "packet.h"

static __always_inline bool
may_advertise_router(struct __sk_buff *skb, const struct packet *packet)
{
	__u8 type;

	if (packet->flags & PACKET_UNREADABLE)
		return packet->ether_type == bpf_htons(ETH_P_IPV6) || is_tag(packet->ether_type);
	if (packet->ether_type != bpf_htons(ETH_P_IPV6) || packet->flags & PACKET_LATER)
		return false;
	if (packet->protocol != IPPROTO_ICMPV6)
		return false;
	if (!load_transport(skb, packet, 0, &type, sizeof(type)))
		return packet->flags & PACKET_FRAGMENT;
	return type == ND_ROUTER_ADVERTISEMENT;
}

#endif
