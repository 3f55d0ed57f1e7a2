/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Counts what was lost beside the frames themselves: nothing goes missing unseen. */
#ifndef WEFT_LOSS_H
#define WEFT_LOSS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"

static __noinline void
count_loss(enum loss_kind kind)
{
	struct loss_key key = { .kind = kind };
	struct loss_count *loss = bpf_map_lookup_elem(&losses, &key);
	struct loss_count zero = {};

	if (!loss) {
		bpf_map_update_elem(&losses, &key, &zero, BPF_NOEXIST);
		loss = bpf_map_lookup_elem(&losses, &key);
	}
	if (loss)
		loss->count++;
}

#endif
