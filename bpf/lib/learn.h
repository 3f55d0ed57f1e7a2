/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * MAC learning. `learned` says at which place a MAC was heard: on a port, or
 * behind a VTEP where the segment learns from tunnels.
 *
 * An event tells the daemon of what is new on a port and of what moved. Where
 * the controller keeps the MACs, the daemon claims it, and the answer comes
 * back as an FDB entry.
 *
 * An entry that changes its place is replaced as a whole, so that no CPU reads
 * half a place; only `seen_ns` is written where it lies. One that was not heard
 * for the segment's ageing time counts as absent, also when no daemon deletes it.
 */
#ifndef WEFT_LEARN_H
#define WEFT_LEARN_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#include "address.h"
#include "announce.h"
#include "clock.h"
#include "frame.h"
#include "limits.h"
#include "loss.h"
#include "tables.h"

/* For so long after a move a frame from the place before is late, unless it is an announcement. */
#define HOLD_NS NS_PER_SECOND

/* Where a frame's source is heard. */
struct place {
	struct vtep_addr vtep; /* zero: on a port */
	__u32 ifindex;         /* zero: behind a VTEP */
};

static __always_inline bool
is_aged(const struct learned_entry *known, const struct frame *frame, const struct segment_entry *segment)
{
	return segment->ageing_s &&
	       is_older(known->seen_ns, frame->now_ns, segment->ageing_s * NS_PER_SECOND);
}

static __always_inline bool
is_at(const struct learned_entry *known, const struct place *place)
{
	return known->ifindex == place->ifindex && is_same_vtep(&known->vtep, &place->vtep);
}

static __always_inline bool
was_at(const struct learned_entry *known, const struct place *place)
{
	return known->from_ifindex == place->ifindex && is_same_vtep(&known->from_vtep, &place->vtep);
}

static __always_inline void
emit_mac_event(enum event_kind kind, const struct frame *frame, const struct learned_entry *entry, bool announced)
{
	struct mac_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		count_loss(LOSS_EVENT);
		return;
	}
	event->kind = kind;
	event->vni = segment_of(frame);
	event->mac = frame->source.mac;
	event->flags = announced ? MAC_ANNOUNCED : 0;
	event->ifindex = entry->ifindex;
	event->from_ifindex = entry->from_ifindex;
	event->at_ns = frame->now_ns;
	event->vtep = entry->vtep;
	event->from_vtep = entry->from_vtep;
	bpf_ringbuf_submit(event, 0);
}

/* False when `learned` did not take the entry in. */
static __always_inline bool
store(const struct frame *frame, const struct learned_entry *entry, bool is_new)
{
	/* Two CPUs may hear a new MAC at once: the second finds it known. */
	long result = bpf_map_update_elem(&learned, &frame->source, entry, is_new ? BPF_NOEXIST : BPF_ANY);

	if (result && result != -EEXIST)
		count_loss(LOSS_LEARNED);
	return !result;
}

/*
 * Takes in a MAC that is new, aged, or was heard elsewhere last. `known` is what
 * `learned` has of it, if anything. False when the port has no room for it.
 */
static __noinline bool
take_in(const struct frame *frame, const struct segment_entry *segment, const struct learned_entry *known,
	const struct place *here, __u32 mac_limit)
{
	const struct learned_entry *before = known && !is_aged(known, frame, segment) ? known : 0;
	/* An aged entry keeps its room until the daemon deletes it. */
	bool needs_room = here->ifindex && !(known && is_at(known, here));
	bool announced = is_announcement(frame);
	struct learned_entry entry = {
		.vtep = here->vtep,
		.ifindex = here->ifindex,
		.since_ns = frame->now_ns,
		.seen_ns = frame->now_ns,
	};

	if (before) {
		if (!announced && was_at(before, here) && !is_older(before->since_ns, frame->now_ns, HOLD_NS)) {
			count_loss(LOSS_LATE);
			return true;
		}
		entry.from_vtep = before->vtep;
		entry.from_ifindex = before->ifindex;
		entry.moves = before->moves + 1;
	}
	if (needs_room && !take_mac_room(here->ifindex, mac_limit))
		return false;
	if (!store(frame, &entry, !known)) {
		if (needs_room)
			return_mac_room(here->ifindex);
		return true;
	}
	if (before)
		emit_mac_event(EVENT_MAC_MOVED, frame, &entry, announced);
	else if (here->ifindex)
		emit_mac_event(EVENT_MAC_LEARNED, frame, &entry, announced);
	return true;
}

/* As new, since it came back: `learned` alone would see nothing of that. */
static __noinline void
tell_again(const struct frame *frame, const struct learned_entry *known, bool announced)
{
	struct learned_entry entry = *known;

	entry.since_ns = frame->now_ns;
	entry.seen_ns = frame->now_ns;
	store(frame, &entry, false);
	emit_mac_event(EVENT_MAC_LEARNED, frame, &entry, announced);
}

/*
 * Whether the source was looked at on this port within the last second. Then
 * there is nothing to take in, and what the controller says of it was heeded:
 * the most frequent frames are spared a look-up. A frame for a group may
 * announce its station, and is always looked at.
 */
static __always_inline bool
is_just_heard(const struct frame *frame)
{
	const struct learned_entry *known;

	if (is_group(&frame->destination.mac))
		return false;
	known = bpf_map_lookup_elem(&learned, &frame->source);
	return known && known->ifindex == frame->skb->ifindex &&
	       !is_older(known->seen_ns, frame->now_ns, REFRESH_NS);
}

/*
 * Takes in the source of a frame from a port. `entry` is what the controller says
 * of it: a MAC that is on another node for the controller is told again, once a
 * second, or at once when it announces itself. False when the port has no room.
 */
static __always_inline bool
learn_on_port(const struct frame *frame, const struct segment_entry *segment, const struct port_entry *port,
	      const struct fdb_entry *entry)
{
	struct learned_entry *known = bpf_map_lookup_elem(&learned, &frame->source);
	struct place here = { .ifindex = frame->skb->ifindex };
	bool is_due;

	if (!known || known->ifindex != here.ifindex || is_aged(known, frame, segment))
		return take_in(frame, segment, known, &here, port->mac_limit);

	is_due = is_older(known->seen_ns, frame->now_ns, REFRESH_NS);
	if (is_remote(entry)) {
		bool announced = is_announcement(frame);

		if (is_due || announced)
			tell_again(frame, known, announced);
	} else if (is_due) {
		known->seen_ns = frame->now_ns;
	}
	return true;
}

/* Takes in the source of a frame from a tunnel. Only a move is told: VTEPs have many MACs. */
static __always_inline void
learn_behind_vtep(const struct frame *frame, const struct segment_entry *segment, const struct vtep_addr *vtep)
{
	struct learned_entry *known = bpf_map_lookup_elem(&learned, &frame->source);
	struct place here = { .vtep = *vtep };

	if (!known || !is_at(known, &here) || is_aged(known, frame, segment))
		take_in(frame, segment, known, &here, 0);
	else if (is_older(known->seen_ns, frame->now_ns, REFRESH_NS))
		known->seen_ns = frame->now_ns;
}

enum whereabouts {
	NOWHERE,
	ON_PORT,
	BEHIND_VTEP,
};

/*
 * Where the destination was heard, if that is still a place of the segment: in
 * `ifindex` or in `vtep`, which has its VNI already. What was checked is what
 * is given: the kernel may reuse the entry meanwhile.
 */
static __always_inline enum whereabouts
find_learned(const struct frame *frame, const struct segment_entry *segment, __u32 *ifindex,
	     struct vtep_key *vtep)
{
	const struct learned_entry *known = bpf_map_lookup_elem(&learned, &frame->destination);

	if (!known || is_aged(known, frame, segment))
		return NOWHERE;
	*ifindex = *(volatile __u32 *)&known->ifindex;
	if (*ifindex)
		return is_port_of(*ifindex, segment_of(frame)) ? ON_PORT : NOWHERE;
	copy_vtep(&vtep->vtep, &known->vtep);
	return is_known_vtep(vtep) ? BEHIND_VTEP : NOWHERE;
}

#endif
