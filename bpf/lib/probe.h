/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Probes between daemons, at their end: taken in, and told to the daemon. */
#ifndef WEFT_PROBE_H
#define WEFT_PROBE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "loss.h"
#include "maps.h"
#include "verdict.h"

static __always_inline void
emit_probe_event(const struct vtep_key *from, __u32 size, const struct probe_header *header)
{
	struct probe_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		count_loss(LOSS_EVENT);
		return;
	}
	event->kind = EVENT_PROBE;
	event->vni = from->vni;
	event->at_ns = bpf_ktime_get_ns();
	event->vtep = from->vtep;
	event->size = size;
	event->pad = 0;
	event->header = *header;
	bpf_ringbuf_submit(event, 0);
}

/* A frame for a link-local address, from a known VTEP: none crosses, but probes are for us. */
static __noinline int
take_link_local(const struct frame *frame, const struct vtep_key *from)
{
	struct probe_header header = {};
	__be16 protocol = 0;

	if (frame->destination.mac.addr[5] != 0x0f)
		return drop(frame, DROP_LINK_LOCAL);
	bpf_skb_load_bytes(frame->skb, ETH_HLEN - sizeof(protocol), &protocol, sizeof(protocol));
	if (protocol != bpf_htons(PROBE_ETHERTYPE))
		return drop(frame, DROP_LINK_LOCAL);
	if (bpf_skb_load_bytes(frame->skb, ETH_HLEN, &header, sizeof(header)))
		return drop(frame, DROP_LINK_LOCAL);
	if (header.magic != bpf_htonl(PROBE_MAGIC))
		return drop(frame, DROP_LINK_LOCAL);
	emit_probe_event(from, frame->skb->len - ETH_HLEN, &header);
	return verdict(frame, TAKE_PROBE, TC_ACT_SHOT);
}

#endif
