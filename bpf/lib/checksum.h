/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The Internet checksum (RFC 1071), of bytes in the order of memory. */
#ifndef WEFT_CHECKSUM_H
#define WEFT_CHECKSUM_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Adds `length` bytes of memory: a multiple of 4, at most 512. */
static __always_inline __u32
add_sum(__u32 sum, const void *bytes, __u32 length)
{
	return bpf_csum_diff(0, 0, (__be32 *)bytes, length, sum);
}

static __always_inline __u16
fold_sum(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/*
 * Whether the device that the frame leaves by is still to fill in a checksum
 * (CHECKSUM_PARTIAL). No helper tells; but of the four states, only NONE and
 * UNNECESSARY can be raised to UNNECESSARY, and only COMPLETE takes an update.
 */
static __always_inline bool
is_checksum_left_to_device(struct __sk_buff *skb)
{
	bool left;

	bpf_csum_level(skb, BPF_CSUM_LEVEL_INC);
	left = bpf_csum_level(skb, BPF_CSUM_LEVEL_QUERY) < 0 && (__s64)bpf_csum_update(skb, 0) < 0;
	bpf_csum_level(skb, BPF_CSUM_LEVEL_RESET);
	return left;
}

#endif
