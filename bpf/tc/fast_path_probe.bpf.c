// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Whether this kernel has what the fast path takes. Run once by the daemon on a
 * frame of its own, attached nowhere. Returns 0, or the errno of the step that
 * it cannot do; one that lacks a helper refuses the program.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../lib/decap.h"
#include "../lib/outer.h"

SEC("tc")
int fast_path_probe(struct __sk_buff *skb)
{
	struct inner_frame inner = { .ethernet.h_proto = bpf_htons(ETH_P_IPV6) };
	long result;

	result = bpf_skb_adjust_room(skb, OUTER_LEN, BPF_ADJ_ROOM_MAC, ENCAP_FLAGS);
	if (result)
		return -result;
	if (!strip_outer(skb, &inner))
		return EOPNOTSUPP;
	/* Nobody carries it out. */
	return bpf_redirect_peer(skb->ifindex, 0) == TC_ACT_REDIRECT ? 0 : EOPNOTSUPP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
