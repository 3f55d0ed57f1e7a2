// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What leaves by a port, shown to those who watch deliveries.
 *
 *   any program ──> port ──> port_egress ──> endpoint
 *                                └─ a tap wants it ──> `frames`
 *
 * Attached at tc egress of ports only while a tap wants deliveries. Every frame
 * passes: nothing is decided or counted here.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "../lib/frame.h"
#include "../lib/tables.h"
#include "../lib/tap.h"

SEC("tc")
int port_egress(struct __sk_buff *skb)
{
	struct frame frame = { .skb = skb, .program = PROGRAM_PORT_EGRESS };
	const struct port_entry *port = find_port(skb->ifindex);

	if (!port || !is_tapped() || !parse_ethernet(&frame))
		return TC_ACT_UNSPEC;
	set_segment(&frame, port->vni);
	tap(&frame, DELIVER_PORT);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
