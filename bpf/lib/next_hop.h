/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The way to a VTEP by the underlay device, as the kernel goes it itself: seen
 * on frames of the slow path as they leave, and remembered for a moment. After
 * that a frame takes the slow path again, so routes and neighbours that change
 * are followed, and the kernel goes on to probe the neighbours in use.
 * (bpf_fib_lookup would not do: it wants a device that forwards.)
 */
#ifndef WEFT_NEXT_HOP_H
#define WEFT_NEXT_HOP_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "../abi/weft.h"

/* For so long a change is not seen. */
#define NEXT_HOP_NS 100000000ULL

struct next_hop {
	__u64 until_ns;
	__u32 ifindex;
	struct mac_addr destination; /* with `source` as on the wire */
	struct mac_addr source;
};

/* By IPv4 address of the VTEP. A value for each CPU is never read while it is written. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 1 << 12);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__uint(key_size, sizeof(__be32));
	__uint(value_size, sizeof(struct next_hop));
} next_hops SEC(".maps");

/* Null when it was not seen lately. */
static __always_inline const struct next_hop *
find_next_hop(__be32 vtep, __u32 ifindex, __u64 now)
{
	const struct next_hop *hop = bpf_map_lookup_elem(&next_hops, &vtep);

	return hop && hop->ifindex == ifindex && hop->until_ns > now ? hop : 0;
}

#endif
