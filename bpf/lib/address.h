/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Addresses of VTEPs as words, to compare and copy IPv4 in ::ffff:a.b.c.d. */
#ifndef WEFT_ADDRESS_H
#define WEFT_ADDRESS_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../abi/weft.h"

#define IPV4_MAPPED_PREFIX bpf_htonl(0x0000ffff)

struct address_words {
	__be32 word[4];
};

static __always_inline struct address_words
words_of(const struct vtep_addr *vtep)
{
	struct address_words words;

	/* Aligned so in every key and value: four loads instead of sixteen. */
	__builtin_memcpy(&words, __builtin_assume_aligned(vtep, 4), sizeof(words));
	return words;
}

static __always_inline void
copy_vtep(struct vtep_addr *to, const struct vtep_addr *from)
{
	struct address_words words = words_of(from);

	__builtin_memcpy(__builtin_assume_aligned(to, 4), &words, sizeof(words));
}

static __always_inline bool
is_ipv4_mapped(const struct address_words *address)
{
	return !address->word[0] && !address->word[1] && address->word[2] == IPV4_MAPPED_PREFIX;
}

static __always_inline bool
is_same_vtep(const struct vtep_addr *one, const struct vtep_addr *other)
{
	struct address_words a = words_of(one), b = words_of(other);

	return a.word[0] == b.word[0] && a.word[1] == b.word[1] && a.word[2] == b.word[2] &&
	       a.word[3] == b.word[3];
}

#endif
