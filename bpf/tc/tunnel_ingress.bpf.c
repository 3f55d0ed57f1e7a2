// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Frames from the underlay into their segment.
 *
 *   underlay ─> VXLAN device ──> tunnel_ingress ──┬─ known ─> port
 *                                                 └─ else ──> each port
 *
 * Attached at tc ingress of the VXLAN device, which collects metadata. Split
 * horizon by structure: nothing here sets a tunnel key, so what came from a
 * tunnel never goes into one.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "../lib/deliver.h"
#include "../lib/flood.h"
#include "../lib/frame.h"
#include "../lib/learn.h"
#include "../lib/probe.h"
#include "../lib/suppress.h"
#include "../lib/tables.h"
#include "../lib/tunnel.h"
#include "../lib/verdict.h"

static __always_inline int
forward(const struct frame *frame, const struct segment_entry *segment, const struct vtep_key *from)
{
	struct vtep_key elsewhere = { .vni = from->vni };
	enum whereabouts where = NOWHERE;
	__u32 ifindex = 0;

	if (!is_group(&frame->destination.mac))
		where = find_learned(frame, segment, &ifindex, &elsewhere);
	count_tunnel_rx(from, &frame->size, where != ON_PORT);
	if (where == ON_PORT)
		return deliver(frame, ifindex);
	return verdict(frame, flood_ports(frame, segment), TC_ACT_SHOT);
}

SEC("tc")
int tunnel_ingress(struct __sk_buff *skb)
{
	struct frame frame = { .skb = skb, .program = PROGRAM_TUNNEL_INGRESS };
	const struct segment_entry *segment;
	struct vtep_key from = {};

	if (!parse_ethernet(&frame))
		return drop(&frame, DROP_MALFORMED);
	if (!get_tunnel(skb, &from))
		return drop(&frame, DROP_TUNNEL_KEY);

	/* Counted under VNI 0: a stranger must not be able to fill the table of verdicts. */
	segment = find_segment(from.vni);
	if (!segment)
		return drop(&frame, DROP_UNKNOWN_VNI);
	set_segment(&frame, from.vni);
	if (!is_known_vtep(&from))
		return drop(&frame, DROP_UNKNOWN_VTEP);

	if (!is_station(&frame.source.mac))
		return drop(&frame, DROP_SOURCE_MAC);
	if (is_link_local(&frame.destination.mac))
		return take_link_local(&frame, &from);
	if (is_static_elsewhere(bpf_map_lookup_elem(&fdb, &frame.source), &from.vtep))
		return drop(&frame, DROP_STATIC_ELSEWHERE);
	if (segment->flags & SEGMENT_LEARN_TUNNELS)
		learn_behind_vtep(&frame, segment, &from.vtep);
	snoop_tunnel(&frame, segment);

	return forward(&frame, segment, &from);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
