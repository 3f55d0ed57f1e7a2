/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Announcements: frames that a station, or its hypervisor, sends so that
 * everybody hears where it is now.
 *
 *   gratuitous ARP, request or reply   of the sender's own address (RFC 5227 3)
 *   reverse ARP                        as hypervisors send after a migration
 *   unsolicited advertisement          to all nodes, not solicited (RFC 4861 7.2.6)
 */
#ifndef WEFT_ANNOUNCE_H
#define WEFT_ANNOUNCE_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>

#include "arp.h"
#include "frame.h"
#include "nd.h"
#include "packet.h"

static __always_inline bool
announces_by_arp(const struct frame *frame, const struct packet *packet)
{
	struct arp_packet arp;

	if (!load_arp(frame->skb, packet->network, &arp) || !is_same_mac(&arp.sender, &frame->source.mac))
		return false;
	return packet->ether_type == bpf_htons(ETH_P_RARP) || is_gratuitous(&arp);
}

static __always_inline bool
announces_by_nd(const struct frame *frame, const struct packet *packet)
{
	struct nd_message nd;

	if (packet->protocol != IPPROTO_ICMPV6 || packet->hop_limit != ND_HOP_LIMIT ||
	    packet->flags & PACKET_FRAGMENT || !load_transport(frame->skb, packet, 0, &nd, sizeof(nd)))
		return false;
	return nd.type == ND_ADVERTISEMENT && !nd.code && !(nd.flags & ND_SOLICITED);
}

/* Only for the rare frame that depends on it: it parses. */
static __noinline bool
is_announcement(const struct frame *frame)
{
	struct packet packet;

	if (!is_group(&frame->destination.mac))
		return false;
	parse_packet(frame->skb, &packet);
	if (packet.ether_type == bpf_htons(ETH_P_ARP) || packet.ether_type == bpf_htons(ETH_P_RARP))
		return announces_by_arp(frame, &packet);
	return packet.ether_type == bpf_htons(ETH_P_IPV6) && announces_by_nd(frame, &packet);
}

#endif
