// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Both ends of the frame benchmark: `generate` is run with live frames
 * (BPF_F_TEST_XDP_LIVE_FRAMES) and sends each one out of a veth; `pass` lets
 * its peer take them in (without an XDP program a veth drops redirected frames
 * and tells nobody); `sink` counts and drops IPv4, and lets neighbour discovery live.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frames.h"

/* The only variable, so it lies at the start of .bss. */
volatile struct frame_job job;

static __always_inline void take_time(void)
{
	__u64 block = job.sent / BLOCK_FRAMES;

	if (job.sent++ % BLOCK_FRAMES == 0 && block < CHUNK_BLOCKS)
		job.block_ns[block] = bpf_ktime_get_ns();
}

/*
 * The kernel uses a frame's page again as its last user left it, so it is
 * written anew each time, to the last whole word: what may be left over is
 * payload.
 */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	__u64 *word = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	take_time();
	for (int i = 0; i < FRAME_WORDS; i++) {
		if ((void *)(word + i + 1) > end)
			break;
		word[i] = job.words[i];
	}
	return bpf_redirect(job.ifindex, 0);
}

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

/*
 * At tc ingress, not XDP: bpf_redirect_peer delivers past a device's XDP program,
 * and a veth copies for XDP each frame that has had headers put in front of it.
 */
SEC("tc")
int sink(struct __sk_buff *skb)
{
	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	__sync_fetch_and_add(&job.arrived, 1);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
