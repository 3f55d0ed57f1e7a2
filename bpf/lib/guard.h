/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a port must not send. Before learning, since a spoofer must not teach.
 * A plain frame on a port without filters costs the first look of plain.h.
 */
#ifndef WEFT_GUARD_H
#define WEFT_GUARD_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "allowed.h"
#include "frame.h"
#include "packet.h"
#include "plain.h"
#include "ra_guard.h"
#include "spoof.h"
#include "tenant_vxlan.h"

/* The reason to drop the frame, 0 when there is none. Verifier: a global function, as flood.h explains. */
__noinline __u32
inspect(struct __sk_buff *skb, __u32 port_flags, __u32 segment_flags)
{
	struct packet packet;

	parse_packet(skb, &packet);
	if (is_tenant_vxlan(skb, &packet))
		return DROP_TENANT_VXLAN;
	if (segment_flags & SEGMENT_RA_GUARD && !(port_flags & PORT_ROUTER) &&
	    may_advertise_router(skb, &packet))
		return DROP_RA_GUARD;
	if (port_flags & (PORT_FILTER_MAC | PORT_FILTER_IP))
		return find_spoof(skb, &packet, port_flags);
	return 0;
}

/* As inspect(). */
static __always_inline __u32
guard(const struct frame *frame, const struct port_entry *port, const struct segment_entry *segment)
{
	if (port->flags & PORT_FILTER_MAC && !is_allowed_mac(frame->skb->ifindex, &frame->source.mac))
		return DROP_SPOOFED_MAC;
	if (!(port->flags & PORT_FILTER_IP) && is_plain(frame->skb))
		return 0;
	return inspect(frame->skb, port->flags, segment->flags);
}

#endif
