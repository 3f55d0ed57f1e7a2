// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Gives a frame that never came through a VXLAN device a tunnel key, and calls
 * the program to measure. BPF_PROG_TEST_RUN repeats on one skb, so all but the
 * first of its runs find the key there: what they add is the tail call.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define KEYED 1

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} measured SEC(".maps");

SEC("tc")
int with_tunnel_key(struct __sk_buff *skb)
{
	/* What the reader takes for the remote address is the writer's local one. */
	struct bpf_tunnel_key key = {
		.tunnel_id = 10000,
		.local_ipv4 = 0xc0000202, /* 192.0.2.2 */
	};

	if (skb->mark != KEYED) {
		if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), 0))
			return TC_ACT_UNSPEC;
		skb->mark = KEYED;
	}
	bpf_tail_call(skb, &measured, 0);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
