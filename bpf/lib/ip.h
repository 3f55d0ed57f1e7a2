/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Kinds of addresses of tenants. */
#ifndef WEFT_IP_H
#define WEFT_IP_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>

#include "../abi/weft.h"

struct ip_words {
	__be32 word[4];
};

static __always_inline struct ip_words
ip_words(const struct ip_addr *ip)
{
	struct ip_words words;

	/* Aligned so wherever it is kept: four loads instead of sixteen. */
	__builtin_memcpy(&words, __builtin_assume_aligned(ip, 4), sizeof(words));
	return words;
}

static __always_inline bool
is_unspecified(const struct ip_addr *ip)
{
	struct ip_words words = ip_words(ip);

	return !(words.word[0] | words.word[1] | words.word[2] | words.word[3]);
}

static __always_inline bool
is_same_ip(const struct ip_addr *one, const struct ip_addr *other)
{
	struct ip_words a = ip_words(one), b = ip_words(other);

	return a.word[0] == b.word[0] && a.word[1] == b.word[1] && a.word[2] == b.word[2] &&
	       a.word[3] == b.word[3];
}

/* That is how IPv4 is kept; in a packet of IPv6 it is nobody's address (RFC 4291 2.5.5.2). */
static __always_inline bool
is_mapped_ip(const struct ip_addr *ip)
{
	struct ip_words words = ip_words(ip);

	return !words.word[0] && !words.word[1] && words.word[2] == bpf_htonl(0xffff);
}

/* Of fe80::/10. */
static __always_inline bool
is_link_local_ip(const struct ip_addr *ip)
{
	return ip->addr[0] == 0xfe && (ip->addr[1] & 0xc0) == 0x80;
}

static __always_inline bool
is_group_ip6(const struct ip_addr *ip)
{
	return ip->addr[0] == 0xff;
}

/* Whether one station may have it. */
static __always_inline bool
is_unicast_ip4(const struct ip_addr *ip)
{
	__u8 first = ip->addr[12];

	return first && first != 127 && first < 224;
}

static __always_inline bool
is_unicast_ip6(const struct ip_addr *ip)
{
	/* Of ::/8 nothing is: the unspecified address, loopback, IPv4 in all its guises. */
	return ip->addr[0] && !is_group_ip6(ip);
}

#endif
