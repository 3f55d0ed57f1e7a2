/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The one way out of a program, so that every frame is counted once. */
#ifndef WEFT_VERDICT_H
#define WEFT_VERDICT_H

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "loss.h"
#include "maps.h"
#include "tap.h"

static __always_inline struct verdict_count *
find_verdict_count(const struct verdict_key *key)
{
	struct verdict_count *count = bpf_map_lookup_elem(&verdicts, key);
	struct verdict_count zero = {};

	if (count)
		return count;
	/* Another CPU may be first: then this fails and the lookup finds its entry. */
	bpf_map_update_elem(&verdicts, key, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&verdicts, key);
}

/* Counts the frame and gives `action`, the program's return value. */
static __noinline int
verdict(const struct frame *frame, enum verdict_reason reason, int action)
{
	struct verdict_key key = {
		.vni = segment_of(frame),
		.program = frame->program,
		.reason = reason,
	};
	struct verdict_count *count = find_verdict_count(&key);

	/* Per CPU, and tc runs with softirqs off: no atomics. */
	if (count) {
		count->packets += frame->size.packets;
		count->bytes += frame->size.bytes;
	} else {
		count_loss(LOSS_COUNT);
	}
	if (is_tapped())
		tap(frame, reason);
	return action;
}

static __always_inline int
drop(const struct frame *frame, enum verdict_reason reason)
{
	return verdict(frame, reason, TC_ACT_SHOT);
}

#endif
