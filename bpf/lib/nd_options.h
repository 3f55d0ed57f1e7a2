/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The MACs that messages of neighbour discovery name (RFC 4861 4.6.1). */
#ifndef WEFT_ND_OPTIONS_H
#define WEFT_ND_OPTIONS_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "nd.h"

#define ND_SOURCE_LINK 1
#define ND_TARGET_LINK 2
#define ND_MAX_OPTIONS 16

struct nd_link_option {
	__u8 type;
	__u8 length; /* in units of 8 bytes */
	struct mac_addr mac;
};
ABI_SIZE(struct nd_link_option, 8);

struct nd_links {
	struct mac_addr source;
	struct mac_addr target;
	__u16 named; /* bits 1 << ND_SOURCE_LINK, 1 << ND_TARGET_LINK */
};

static __always_inline __u32
nd_header_length(__u8 type)
{
	switch (type) {
	case ND_ROUTER_SOLICITATION:
		return 8;
	case ND_ROUTER_ADVERTISEMENT:
		return 16;
	case ND_REDIRECT:
		return 40;
	default:
		return sizeof(struct nd_message);
	}
}

/*
 * Steps over one option: gives where the next begins, 0 when it is malformed.
 * Verifier: a global function, so that the walk is not multiplied by it.
 */
__noinline __u32
read_nd_option(struct __sk_buff *skb, __u32 at, __u32 end, struct nd_links *links)
{
	struct nd_link_option option;
	__u32 next;

	if (!links || at + sizeof(option) > end || bpf_skb_load_bytes(skb, at, &option, sizeof(option)))
		return 0;
	next = at + option.length * 8;
	if (!option.length || next > end)
		return 0;
	if (option.length == 1 && option.type == ND_SOURCE_LINK)
		links->source = option.mac;
	else if (option.length == 1 && option.type == ND_TARGET_LINK)
		links->target = option.mac;
	else
		return next;
	/* Which of two of a kind a station believes, nobody knows. */
	if (links->named & (1 << option.type))
		return 0;
	links->named |= 1 << option.type;
	return next;
}

/* False when the options are malformed, or more than are read. */
static __noinline bool
read_nd_links(struct __sk_buff *skb, __u32 at, __u32 end, struct nd_links *links)
{
	__u32 i;

	for (i = 0; i < ND_MAX_OPTIONS && at && at != end; i++)
		at = read_nd_option(skb, at, end, links);
	return at == end;
}

#endif
