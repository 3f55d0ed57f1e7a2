/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * BUM: one copy to each other member of the segment, or one to the group that
 * stands for all other nodes. The original is dropped by the program afterwards. Copies to ports go first, because a tunnel key
 * stays on the frame and on all its later copies.
 *
 * Verifier: it walks loops round by round, so a branch in a body multiplies
 * paths by rounds. What a round does is therefore a global function, verified
 * once by itself, and its outcome a number that the loop adds up unseen.
 */
#ifndef WEFT_FLOOD_H
#define WEFT_FLOOD_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "loss.h"
#include "tables.h"
#include "tunnel.h"

/* What came of copies; a set. */
enum copies {
	COPIES_SENT = 1,
	COPIES_LOST = 2,   /* no device took it, or it is no port of the segment now */
	COPIES_NO_KEY = 4, /* the kernel refused the tunnel key */
};

static __always_inline __u32
lose_copy(enum copies why)
{
	count_loss(LOSS_COPY);
	return why;
}

static __always_inline __u32
send_copy(struct __sk_buff *skb, __u32 ifindex)
{
	if (!bpf_clone_redirect(skb, ifindex, 0))
		return COPIES_SENT;
	return lose_copy(COPIES_LOST);
}

/* A set of enum copies; empty when this is where the frame came from. */
__noinline __u32
copy_to_port(struct __sk_buff *skb, __u32 vni, __u32 ifindex)
{
	if (ifindex == skb->ifindex)
		return 0;
	if (!is_port_of(ifindex, vni))
		return lose_copy(COPIES_LOST);
	return send_copy(skb, ifindex);
}

static __always_inline __u32
send_into_tunnel(struct __sk_buff *skb, const struct vtep_key *to, const struct size *size,
		 const struct node_config *node)
{
	__u32 outcome;

	if (set_tunnel(skb, to, node))
		return lose_copy(COPIES_NO_KEY);
	outcome = send_copy(skb, node->vxlan_ifindex);
	if (outcome == COPIES_SENT)
		count_tunnel_tx(to, size, true);
	return outcome;
}

/* A set of enum copies. Verifier: a global function must check its pointers for null. */
__noinline __u32
copy_to_vtep(struct __sk_buff *skb, const struct vtep_key *to, const struct size *size)
{
	const struct node_config *node = find_tunnel_config();

	if (!node || !to || !size || !is_known_vtep(to))
		return lose_copy(COPIES_LOST);
	return send_into_tunnel(skb, to, size, node);
}

/* To the local ports, but not back where it came from. */
static __noinline enum verdict_reason
flood_ports(const struct frame *frame, const struct segment_entry *segment)
{
	__u32 copies = 0, i;

	/* Verifier: the bound must be a constant; the count is data. */
	for (i = 0; i < FLOOD_MAX_PORTS; i++) {
		if (i >= segment->port_count)
			break;
		copies |= copy_to_port(frame->skb, segment_of(frame), segment->port[i]);
	}
	if (copies & COPIES_SENT)
		return FORWARD_FLOOD;
	return copies ? DROP_NO_DEVICE : DROP_NO_MEMBER;
}

static __always_inline enum verdict_reason
outcome_of(__u32 copies)
{
	if (copies & COPIES_SENT)
		return FORWARD_FLOOD;
	return copies & COPIES_NO_KEY ? DROP_TUNNEL_KEY : DROP_NO_DEVICE;
}

/* Head-end replication: to the VTEPs of the flood list, which leaves this node out. */
static __noinline enum verdict_reason
flood_vteps(const struct frame *frame, const struct segment_entry *segment)
{
	struct vtep_key to = { .vni = segment_of(frame) };
	struct size size = frame->size;
	__u32 copies = 0, i;

	/* Verifier: as above. */
	for (i = 0; i < FLOOD_MAX_VTEPS; i++) {
		if (i >= segment->vtep_count)
			break;
		to.vtep = segment->vtep[i];
		copies |= copy_to_vtep(frame->skb, &to, &size);
	}
	return outcome_of(copies);
}

/*
 * One copy to the group of the segment, for the underlay to multiply. The
 * source address that the key declares makes an IPv4 route choose its device.
 */
static __noinline enum verdict_reason
flood_group(const struct frame *frame, const struct segment_entry *segment, const struct node_config *node)
{
	struct vtep_key group = { .vni = segment_of(frame), .vtep = segment->group };

	return outcome_of(send_into_tunnel(frame->skb, &group, &frame->size, node));
}

static __always_inline enum verdict_reason
flood_tunnels(const struct frame *frame, const struct segment_entry *segment)
{
	bool to_group = segment->flags & SEGMENT_FLOOD_GROUP;
	bool to_vteps = segment->flags & SEGMENT_FLOOD_REPLICATE && segment->vtep_count;
	const struct node_config *node = find_tunnel_config();

	if (!to_group && !to_vteps)
		return DROP_NO_MEMBER;
	if (!node) {
		count_loss(LOSS_COPY);
		return DROP_NO_TUNNEL;
	}
	return to_group ? flood_group(frame, segment, node) : flood_vteps(frame, segment);
}

/* To everybody. Forwarded when anybody got it; else why the tunnels did not take it, if there are any. */
static __always_inline enum verdict_reason
flood_segment(const struct frame *frame, const struct segment_entry *segment)
{
	enum verdict_reason near = flood_ports(frame, segment);
	enum verdict_reason far = flood_tunnels(frame, segment);

	if (near == FORWARD_FLOOD || far == DROP_NO_MEMBER)
		return near;
	return far;
}

#endif
