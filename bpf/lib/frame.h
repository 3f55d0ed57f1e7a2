/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A frame on its way through a program: whose it is, between whom, how large. */
#ifndef WEFT_FRAME_H
#define WEFT_FRAME_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

#include "../abi/weft.h"
#include "gso.h"

struct frame {
	struct __sk_buff *skb;
	enum program_id program;
	struct size size;
	__u64 now_ns; /* CLOCK_MONOTONIC, as coarse as a tick */
	const struct vtep_addr *far; /* whose tunnel it came by, when the program itself took that off */
	__u32 inner; /* where the tenant's Ethernet header begins: not 0 once the program itself has encapsulated */
	/* Ready as map keys; their vni is 0 until set_segment(). */
	struct fdb_key source;
	struct fdb_key destination;
};

static __always_inline void
set_segment(struct frame *frame, __u32 vni)
{
	frame->source.vni = vni;
	frame->destination.vni = vni;
}

static __always_inline __u32
segment_of(const struct frame *frame)
{
	return frame->source.vni;
}

/* A tag in the skb's metadata is measured too: it goes on the wire. */
static __always_inline void
measure(struct frame *frame)
{
	struct __sk_buff *skb = frame->skb;
	__u32 tag = skb->vlan_present ? VLAN_TAG_LEN : 0;

	frame->size.packets = 1;
	frame->size.bytes = skb->len;
	frame->size.largest = skb->len;
	if (skb->gso_size)
		measure_gso(skb, &frame->size);

	frame->size.bytes += frame->size.packets * tag;
	frame->size.largest += tag;
}

/* False when there is no Ethernet header. No pointer into the packet is kept. */
static __always_inline bool
parse_ethernet(struct frame *frame)
{
	const void *end = (void *)(long)frame->skb->data_end;
	const void *data = (void *)(long)frame->skb->data;
	/* The stack aligns frames to 2 (NET_IP_ALIGN): three loads a MAC instead of six. */
	const __u16 *address = data;

	measure(frame);
	frame->now_ns = bpf_ktime_get_coarse_ns();
	if (data + ETH_HLEN > end)
		return false;
	__builtin_memcpy((__u16 *)&frame->destination.mac, address, ETH_ALEN);
	__builtin_memcpy((__u16 *)&frame->source.mac, address + 3, ETH_ALEN);
	return true;
}

static __always_inline bool
is_same_mac(const struct mac_addr *one, const struct mac_addr *other)
{
	const __u8 *a = one->addr, *b = other->addr;

	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3] && a[4] == b[4] && a[5] == b[5];
}

/* The I/G bit: broadcast or multicast. */
static __always_inline bool
is_group(const struct mac_addr *mac)
{
	return mac->addr[0] & 1;
}

static __always_inline bool
is_station(const struct mac_addr *mac)
{
	const __u8 *a = mac->addr;

	return !is_group(mac) && (a[0] | a[1] | a[2] | a[3] | a[4] | a[5]);
}

/* 01:80:c2:00:00:00 to 0f: STP, LACP, LLDP and their like (IEEE 802.1Q 8.6.3). */
static __always_inline bool
is_link_local(const struct mac_addr *mac)
{
	const __u8 *a = mac->addr;

	return a[0] == 0x01 && a[1] == 0x80 && a[2] == 0xc2 && !a[3] && !a[4] && a[5] < 0x10;
}

#endif
