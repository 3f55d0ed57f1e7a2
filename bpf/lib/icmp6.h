/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The checksum of an ICMPv6 message that came in (RFC 4443 2.3). */
#ifndef WEFT_ICMP6_H
#define WEFT_ICMP6_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../abi/weft.h"
#include "checksum.h"

#define SUM_CHUNK 32 /* of the stack, which is scarce */
#define SUM_MAX_CHUNKS 16

/* What an ICMPv6 checksum covers beside the message (RFC 8200 8.1). */
struct pseudo_header6 {
	struct ip_addr source;
	struct ip_addr destination;
	__be32 length;
	__be32 protocol;
};

/* Verifier: not inlined, because stack is scarce. */
static __noinline __u32
add_pseudo_sum6(__u32 sum, const struct ip_addr *source, const struct ip_addr *destination, __u32 length)
{
	struct pseudo_header6 pseudo = {
		.source = *source,
		.destination = *destination,
		.length = bpf_htonl(length),
		.protocol = bpf_htonl(IPPROTO_ICMPV6),
	};

	return add_sum(sum, &pseudo, sizeof(pseudo));
}

/* Adds `length` bytes of the frame, at most SUM_CHUNK. Verifier: a global function, as flood.h explains. */
__noinline __u32
add_chunk_sum(struct __sk_buff *skb, __u32 at, __u32 length, __u32 sum)
{
	__u8 chunk[SUM_CHUNK] = {};

	if (!length || length > sizeof(chunk) || bpf_skb_load_bytes(skb, at, chunk, length))
		return ~0;
	return add_sum(sum, chunk, sizeof(chunk));
}

/*
 * Whether the message has a right checksum, its pseudo header's sum being `sum`.
 * False also when it is not all there, or longer than is read here: 512 bytes.
 */
static __noinline bool
is_icmp6_sound(struct __sk_buff *skb, __u32 at, __u32 end, __u32 sum)
{
	__u32 i;

	if (at >= end || end > skb->len || end - at > SUM_MAX_CHUNKS * SUM_CHUNK)
		return false;
	for (i = 0; i < SUM_MAX_CHUNKS && at < end; i++) {
		sum = add_chunk_sum(skb, at, end - at < SUM_CHUNK ? end - at : SUM_CHUNK, sum);
		at += SUM_CHUNK;
	}
	return !fold_sum(sum);
}

#endif
