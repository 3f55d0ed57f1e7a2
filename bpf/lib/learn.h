/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * MAC learning on local ports. `learned` says on which port a MAC was heard;
 * an event tells the daemon, which claims the MAC with the controller, whose
 * answer comes back as an FDB entry. Only new and moved MACs raise events.
 */
#ifndef WEFT_LEARN_H
#define WEFT_LEARN_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "loss.h"
#include "tables.h"

#define REFRESH_NS 1000000000ULL

static __always_inline void
emit_mac_event(enum event_kind kind, const struct fdb_key *mac, __u32 ifindex, __u64 now)
{
	struct mac_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		count_loss(LOSS_EVENT);
		return;
	}
	event->kind = kind;
	event->vni = mac->vni;
	event->mac = mac->mac;
	event->flags = 0;
	event->ifindex = ifindex;
	event->from_ifindex = 0;
	event->at_ns = now;
	event->vtep = (struct vtep_addr){};
	event->from_vtep = (struct vtep_addr){};
	bpf_ringbuf_submit(event, 0);
}

/* Writes where the MAC is now, and says so. */
static __noinline void
learn_anew(const struct fdb_key *mac, __u32 ifindex, enum event_kind kind, __u64 now)
{
	struct learned_entry entry = { .ifindex = ifindex, .since_ns = now, .seen_ns = now };

	if (bpf_map_update_elem(&learned, mac, &entry, BPF_ANY))
		count_loss(LOSS_LEARNED);
	emit_mac_event(kind, mac, ifindex, now);
}

/*
 * Takes the frame's source in. `entry` is what the controller says of it: a MAC
 * that came back from another node to the port where it once was is told
 * again, since `learned` alone would see nothing new.
 */
static __always_inline void
learn_source(const struct frame *frame, const struct fdb_entry *entry)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	__u32 ifindex = frame->skb->ifindex;
	struct learned_entry *known = bpf_map_lookup_elem(&learned, &frame->source);

	if (!known) {
		learn_anew(&frame->source, ifindex, EVENT_MAC_LEARNED, now);
		return;
	}
	if (known->ifindex != ifindex) {
		learn_anew(&frame->source, ifindex, EVENT_MAC_MOVED, now);
		return;
	}
	if (now - known->seen_ns < REFRESH_NS)
		return;
	if (is_remote(entry)) {
		learn_anew(&frame->source, ifindex, EVENT_MAC_LEARNED, now);
		return;
	}
	known->seen_ns = now;
}

/* The port where the destination was heard, 0 when none. */
static __always_inline __u32
find_learned_port(const struct frame *frame)
{
	const struct learned_entry *known = bpf_map_lookup_elem(&learned, &frame->destination);
	__u32 ifindex;

	if (!known)
		return 0;
	ifindex = known->ifindex;
	return is_port_of(ifindex, segment_of(frame)) ? ifindex : 0;
}

#endif
