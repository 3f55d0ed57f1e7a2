/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Local switching: out of one port of this node. */
#ifndef WEFT_DELIVER_H
#define WEFT_DELIVER_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "verdict.h"

static __always_inline int
deliver(const struct frame *frame, __u32 ifindex)
{
	if (ifindex == frame->skb->ifindex)
		return drop(frame, DROP_SAME_PORT);
	return verdict(frame, FORWARD_LOCAL, bpf_redirect(ifindex, 0));
}

#endif
