// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Frames from the underlay to a port, without the VXLAN device.
 *
 *   underlay ──> underlay_ingress ──┬─ known unicast IPv4 or IPv6 ─> port
 *                                   └─ all else ───────────────────> the host's stack, the VXLAN device among it
 *
 * Attached at tc ingress of the underlay device, which is the host's own: what
 * is not taken goes on untouched and uncounted. Nothing is dropped here but a
 * frame that the kernel spoiled half-way.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "../lib/decap.h"
#include "../lib/frame.h"
#include "../lib/learn.h"
#include "../lib/tables.h"
#include "../lib/tunnel.h"
#include "../lib/verdict.h"

/* What tunnel_ingress would say of the source: nothing against it, and nothing to take in. */
static __always_inline bool
is_source_settled(const struct frame *frame, const struct segment_entry *segment, const struct vtep_addr *vtep)
{
	struct learned_entry *known = 0;
	struct place here = { .vtep = *vtep };

	if (segment->flags & SEGMENT_LEARN_TUNNELS) {
		known = bpf_map_lookup_elem(&learned, &frame->source);
		if (!known || !is_at(known, &here) || is_aged(known, frame, segment))
			return false;
		/* Looked at within the last second, as in is_just_heard(). */
		if (!is_older(known->seen_ns, frame->now_ns, REFRESH_NS))
			return true;
	}
	if (is_static_elsewhere(bpf_map_lookup_elem(&fdb, &frame->source), vtep))
		return false;
	if (known)
		known->seen_ns = frame->now_ns;
	return true;
}

/* The port where the destination was heard, 0 when the frame would be flooded. */
static __always_inline __u32
find_destination(const struct frame *frame, const struct segment_entry *segment, __u32 *flags)
{
	const struct learned_entry *known = bpf_map_lookup_elem(&learned, &frame->destination);
	const struct port_entry *port;
	__u32 ifindex;

	if (!known || is_aged(known, frame, segment))
		return 0;
	ifindex = *(volatile __u32 *)&known->ifindex;
	port = ifindex ? find_port(ifindex) : 0;
	if (!port || port->vni != segment_of(frame))
		return 0;
	*flags = port->flags;
	return ifindex;
}

/*
 * Into the other end of a veth at once, where it is known to be in another
 * namespace. Not while somebody watches deliveries: port_egress sees only what
 * passes through the device.
 */
static __always_inline int
hand_over(const struct frame *frame, const struct node_config *node, __u32 ifindex, __u32 flags)
{
	/* Marks mean something to this namespace only. */
	frame->skb->mark = 0;
	if (flags & PORT_TERMINATES && !(node->flags & NODE_TAP))
		return verdict(frame, FORWARD_LOCAL, bpf_redirect_peer(ifindex, 0));
	return verdict(frame, FORWARD_LOCAL, bpf_redirect(ifindex, 0));
}

/* The kernel's own length of the frame (wire_len) is still that of the outer one. */
static __always_inline void
measure_inner(struct frame *frame)
{
	struct __sk_buff *skb = frame->skb;
	__u32 headers;

	measure(frame);
	if (!skb->gso_size)
		return;
	headers = frame->size.largest - skb->gso_size;
	frame->size.bytes = skb->len + (frame->size.packets - 1) * headers;
}

static __always_inline void
count_fast_rx(const struct vtep_key *from, const struct size *size)
{
	struct tunnel_count *count = find_tunnel_count(from);

	if (!count)
		return;
	count->rx_packets += size->packets;
	count->rx_bytes += size->bytes;
	count->rx_fast += size->packets;
}

SEC("tc")
int underlay_ingress(struct __sk_buff *skb)
{
	struct frame frame = { .skb = skb, .program = PROGRAM_UNDERLAY_INGRESS };
	const struct segment_entry *segment;
	const struct node_config *node = find_tunnel_config();
	struct vtep_key from = {};
	__u32 ifindex, flags = 0;
	struct inner_frame inner;
	bool is_whole;

	if (!node || node->underlay_ifindex != skb->ifindex || !read_tunnelled(skb, node, &from, &inner))
		return TC_ACT_UNSPEC;
	segment = find_segment(from.vni);
	if (!segment || !(segment->flags & SEGMENT_FAST_PATH) || !is_known_vtep(&from))
		return TC_ACT_UNSPEC;

	set_segment(&frame, from.vni);
	__builtin_memcpy(&frame.destination.mac, inner.ethernet.h_dest, ETH_ALEN);
	__builtin_memcpy(&frame.source.mac, inner.ethernet.h_source, ETH_ALEN);
	frame.now_ns = bpf_ktime_get_coarse_ns();
	if (is_group(&frame.destination.mac) || !is_station(&frame.source.mac))
		return TC_ACT_UNSPEC;
	ifindex = find_destination(&frame, segment, &flags);
	if (!ifindex || !may_take(skb, &inner, flags))
		return TC_ACT_UNSPEC;
	if (!is_source_settled(&frame, segment, &from.vtep))
		return TC_ACT_UNSPEC;

	if (!strip_outer(skb, &inner))
		return TC_ACT_UNSPEC;
	frame.far = &from.vtep;
	is_whole = restore_ethernet(skb, &inner);
	/* Only now: the outer Ethernet header would say IPv4 of an IPv6 frame. */
	measure_inner(&frame);
	if (!is_whole)
		return drop(&frame, DROP_FAST_PATH);
	count_fast_rx(&from, &frame.size);
	return hand_over(&frame, node, ifindex, flags);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
