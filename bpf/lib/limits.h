/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a port may use: MACs of `learned`, and time for BUM. CPUs share the
 * counts of a port, so they are atomic. Without room in `port_states`, which has
 * as many entries as `ports`, a port goes unlimited, and that is counted.
 */
#ifndef WEFT_LIMITS_H
#define WEFT_LIMITS_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "loss.h"
#include "maps.h"

/* Each failed attempt is another CPU's success: who never succeeds is amid a storm. */
#define MAX_ATTEMPTS 16

static __noinline struct port_state *
find_port_state(__u32 ifindex)
{
	struct port_key key = { .ifindex = ifindex };
	struct port_state *state = bpf_map_lookup_elem(&port_states, &key);
	struct port_state zero = {};

	if (state)
		return state;
	bpf_map_update_elem(&port_states, &key, &zero, BPF_NOEXIST);
	state = bpf_map_lookup_elem(&port_states, &key);
	if (!state)
		count_loss(LOSS_COUNT);
	return state;
}

/* MACs that the daemon saw leave `learned`. */
static __always_inline __u64
count_forgotten(__u32 ifindex)
{
	struct port_key key = { .ifindex = ifindex };
	const struct forgotten_count *forgotten_here = bpf_map_lookup_elem(&forgotten, &key);

	return forgotten_here ? forgotten_here->macs : 0;
}

/* Takes room for one MAC more on the port. False when it has as many as it may. */
static __always_inline bool
take_mac_room(__u32 ifindex, __u32 limit)
{
	struct port_state *state = find_port_state(ifindex);
	__u64 used;

	if (!state)
		return true;
	used = __sync_fetch_and_add(&state->macs_learned, 1) - count_forgotten(ifindex);
	/* Signed: for a moment more may be forgotten than was counted. */
	if (!limit || (__s64)used < limit)
		return true;
	__sync_fetch_and_add(&state->macs_learned, -1);
	return false;
}

/* Gives back what take_mac_room() took. */
static __always_inline void
return_mac_room(__u32 ifindex)
{
	struct port_state *state = find_port_state(ifindex);

	if (state)
		__sync_fetch_and_add(&state->macs_learned, -1);
}

/*
 * Pays for a frame to be flooded, packet by packet of the wire (generic cell rate
 * algorithm). False when the port is as far ahead of the clock as it may be. A
 * frame within the limit goes, however many packets it is.
 */
static __noinline bool
pay_for_flood(const struct frame *frame, const struct port_entry *port)
{
	struct port_state *state = find_port_state(frame->skb->ifindex);
	__u64 cost = (__u64)port->bum_cost_ns * frame->size.packets;
	__u64 now = bpf_ktime_get_ns(), until, start;
	__u32 i;

	if (!state)
		return true;
	for (i = 0; i < MAX_ATTEMPTS; i++) {
		until = *(volatile __u64 *)&state->bum_until_ns;
		start = until > now ? until : now;
		if (start - now > port->bum_burst_ns)
			return false;
		if (__sync_val_compare_and_swap(&state->bum_until_ns, until, start + cost) == until)
			return true;
	}
	return false;
}

static __always_inline bool
may_flood(const struct frame *frame, const struct port_entry *port)
{
	return !port->bum_cost_ns || pay_for_flood(frame, port);
}

#endif
