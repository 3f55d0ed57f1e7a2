/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Messages of neighbour discovery (RFC 4861 4). */
#ifndef WEFT_ND_H
#define WEFT_ND_H

#include <stdbool.h>
#include <linux/bpf.h>

#include "../abi/weft.h"

#define ND_HOP_LIMIT 255 /* a router lowers it: what has this comes from the link itself */

#define ND_ROUTER_SOLICITATION 133
#define ND_ROUTER_ADVERTISEMENT 134
#define ND_SOLICITATION 135
#define ND_ADVERTISEMENT 136
#define ND_REDIRECT 137

#define ND_ROUTER 0x80
#define ND_SOLICITED 0x40
#define ND_OVERRIDE 0x20

/* A solicitation or an advertisement; the others are alike up to `flags`. */
struct nd_message {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__u8 flags;
	__u8 reserved[3];
	struct ip_addr target;
};
ABI_SIZE(struct nd_message, 24);

static __always_inline bool
is_nd(__u8 type)
{
	return type >= ND_ROUTER_SOLICITATION && type <= ND_REDIRECT;
}

#endif
