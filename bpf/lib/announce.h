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
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "gso.h"

#define ARP_HARDWARE_ETHERNET bpf_htons(1)
#define ND_HOP_LIMIT 255
#define ND_ADVERTISEMENT 136
#define ND_SOLICITED 0x40

/* ARP and RARP of IPv4 on Ethernet. */
struct arp_packet {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	struct mac_addr sender;
	__u8 sender_ip[4];
	struct mac_addr target;
	__u8 target_ip[4];
};
ABI_SIZE(struct arp_packet, 28);

struct nd_header {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__u8 flags;
	__u8 reserved[3];
};

static __always_inline bool
is_own_address(const struct arp_packet *arp)
{
	__u32 sender, target;

	__builtin_memcpy(&sender, arp->sender_ip, sizeof(sender));
	__builtin_memcpy(&target, arp->target_ip, sizeof(target));
	return sender && sender == target;
}

static __always_inline bool
announces_by_arp(const struct frame *frame, const struct cursor *cursor)
{
	struct arp_packet arp;

	if (bpf_skb_load_bytes(cursor->skb, cursor->at, &arp, sizeof(arp)))
		return false;
	if (arp.hardware != ARP_HARDWARE_ETHERNET || arp.protocol != bpf_htons(ETH_P_IP) ||
	    arp.hardware_length != ETH_ALEN || arp.protocol_length != sizeof(arp.sender_ip))
		return false;
	if (!is_same_mac(&arp.sender, &frame->source.mac))
		return false;
	return cursor->ether_type == bpf_htons(ETH_P_RARP) || is_own_address(&arp);
}

static __always_inline bool
announces_by_nd(const struct cursor *cursor)
{
	struct nd_header nd;
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes(cursor->skb, cursor->at, &ip, sizeof(ip)) ||
	    bpf_skb_load_bytes(cursor->skb, cursor->at + sizeof(ip), &nd, sizeof(nd)))
		return false;
	if (ip.nexthdr != IPPROTO_ICMPV6 || ip.hop_limit != ND_HOP_LIMIT)
		return false;
	return nd.type == ND_ADVERTISEMENT && !nd.code && !(nd.flags & ND_SOLICITED);
}

/* Only for the rare frame that depends on it: it parses. */
static __noinline bool
is_announcement(const struct frame *frame)
{
	struct cursor cursor = { .skb = frame->skb };

	if (!is_group(&frame->destination.mac))
		return false;
	skip_ethernet(&cursor);
	if (cursor.ether_type == bpf_htons(ETH_P_ARP) || cursor.ether_type == bpf_htons(ETH_P_RARP))
		return announces_by_arp(frame, &cursor);
	return cursor.ether_type == bpf_htons(ETH_P_IPV6) && announces_by_nd(&cursor);
}

#endif
