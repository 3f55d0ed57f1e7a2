/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Ages of entries, in nanoseconds of CLOCK_MONOTONIC. */
#ifndef WEFT_CLOCK_H
#define WEFT_CLOCK_H

#include <stdbool.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#define NS_PER_SECOND 1000000000LL

/* How often what is heard all the time is written anew. */
#define REFRESH_NS NS_PER_SECOND

/* Signed: another CPU may have written a later time than this one's. */
static __always_inline bool
is_older(__u64 then, __u64 now, __s64 age)
{
	return (__s64)(now - then) >= age;
}

#endif
