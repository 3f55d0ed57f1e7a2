// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Frames from a local port into its segment.
 *
 *   port <── answered ──────┐ ARP, ND; too large: ICMP
 *   port ──> port_ingress ──┼─ known, here ──> port
 *                           ├─ known, there ─> underlay, by the VXLAN device or without
 *                           └─ BUM ──────────> each other port, then one copy for each VTEP or one for the group
 *
 * Attached at tc ingress of every port. A frame that is not forwarded is
 * dropped: nothing reaches the host's own stack.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "../lib/deliver.h"
#include "../lib/flood.h"
#include "../lib/frame.h"
#include "../lib/guard.h"
#include "../lib/learn.h"
#include "../lib/limits.h"
#include "../lib/suppress.h"
#include "../lib/tables.h"
#include "../lib/too_big.h"
#include "../lib/tunnel.h"
#include "../lib/verdict.h"

static __always_inline int
flood(const struct frame *frame, const struct port_entry *port, const struct segment_entry *segment,
      bool stays_here)
{
	if (!may_flood(frame, port))
		return drop(frame, DROP_BUM_LIMIT);
	if (stays_here)
		return verdict(frame, flood_ports(frame, segment), TC_ACT_SHOT);
	return verdict(frame, flood_segment(frame, segment), TC_ACT_SHOT);
}

/* The controller's word goes before what was learned here. */
static __always_inline int
forward(struct frame *frame, const struct port_entry *port, const struct segment_entry *segment)
{
	struct vtep_key to = { .vni = segment_of(frame) };
	const struct fdb_entry *entry = 0;
	enum whereabouts where = NOWHERE;
	__u32 ifindex = 0;

	if (!is_group(&frame->destination.mac)) {
		entry = bpf_map_lookup_elem(&fdb, &frame->destination);
		if (is_remote(entry)) {
			copy_vtep(&to.vtep, &entry->vtep);
			where = BEHIND_VTEP;
		} else {
			where = find_learned(frame, segment, &ifindex, &to);
		}
	}
	if (where == ON_PORT)
		return deliver(frame, ifindex);
	if (where == BEHIND_VTEP)
		return encapsulate(frame, segment, &to);
	/* An entry that is not remote: on this node, but silent so far. */
	return flood(frame, port, segment, entry);
}

/* Takes the source in, where the segment learns; or says why it may not speak here: a drop reason. */
static __always_inline __u32
look_at_source(const struct frame *frame, const struct port_entry *port, const struct segment_entry *segment)
{
	bool learns = segment->flags & SEGMENT_LEARN_PORTS;
	const struct fdb_entry *entry;

	if (learns && is_just_heard(frame))
		return 0;
	entry = bpf_map_lookup_elem(&fdb, &frame->source);
	if (is_remote(entry) && entry->flags & FDB_STATIC)
		return DROP_STATIC_ELSEWHERE;
	if (learns && !learn_on_port(frame, segment, port, entry))
		return DROP_MAC_LIMIT;
	return 0;
}

SEC("tc")
int port_ingress(struct __sk_buff *skb)
{
	struct frame frame = { .skb = skb, .program = PROGRAM_PORT_INGRESS };
	const struct segment_entry *segment;
	const struct port_entry *port;
	__u32 objection, settled;

	if (!parse_ethernet(&frame))
		return drop(&frame, DROP_MALFORMED);

	port = find_port(skb->ifindex);
	if (!port)
		return drop(&frame, DROP_UNKNOWN_PORT);
	set_segment(&frame, port->vni);

	if (!is_station(&frame.source.mac))
		return drop(&frame, DROP_SOURCE_MAC);
	if (is_link_local(&frame.destination.mac))
		return drop(&frame, DROP_LINK_LOCAL);

	segment = find_segment(port->vni);
	if (!segment)
		return drop(&frame, DROP_UNKNOWN_SEGMENT);
	objection = guard(&frame, port, segment);
	if (objection)
		return drop(&frame, objection);
	if (frame.size.largest - ETH_HLEN > port->mtu)
		return refuse_size(&frame, port->mtu);

	objection = look_at_source(&frame, port, segment);
	if (objection)
		return drop(&frame, objection);
	settled = suppress(&frame, segment);
	if (settled)
		return turn_back(&frame, settled);

	return forward(&frame, port, segment);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
