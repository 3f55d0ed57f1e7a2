/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * ARP and ND suppression: what asks for a known neighbour is answered on its
 * port, and need not cross the underlay.
 *
 * Forwarded, whatever is known: announcements and probes, since they are meant
 * for everybody (gratuitous ARP, ARP probes, duplicate address detection,
 * unsolicited advertisements); unicast, which asks that very station whether it
 * is there; questions about unknown addresses; all that is odd.
 */
#ifndef WEFT_SUPPRESS_H
#define WEFT_SUPPRESS_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "answer_neighbor.h"
#include "clock.h"
#include "frame.h"
#include "ip.h"
#include "maps.h"
#include "neighbor.h"
#include "plain.h"
#include "snoop.h"
#include "tables.h"
#include "verdict.h"

/* Where an address is known to be. */
struct binding {
	struct mac_addr mac;
	__u16 flags;   /* enum neighbor_flag */
	__u32 ifindex; /* 0: not known */
};

/* Whether it may be answered in the target's stead. */
static __always_inline bool
asks_all(const struct neighbor_message *message)
{
	const __u32 needed = NEIGHBOR_HAS_LINK | NEIGHBOR_TO_ALL;

	if (message->kind != NEIGHBOR_ASKS || (message->traits & needed) != needed ||
	    is_same_ip(&message->sender, &message->target))
		return false;
	if (message->traits & NEIGHBOR_IS_IPV6)
		return is_unicast_ip6(&message->sender) && is_unicast_ip6(&message->target);
	return is_unicast_ip4(&message->sender) && is_unicast_ip4(&message->target);
}

static __always_inline const struct snooped_entry *
find_snooped(const struct neighbor_key *key, __u32 ageing_s, __u64 now_ns)
{
	const struct snooped_entry *heard = bpf_map_lookup_elem(&snooped, key);

	if (heard && ageing_s && is_older(heard->seen_ns, now_ns, ageing_s * NS_PER_SECOND))
		return 0;
	return heard;
}

/*
 * What the controller says, else what was snooped here. False also when they
 * differ: an address has moved to another MAC, and nobody here can say which of
 * the two is late. Not inlined, like the next, to keep its key off the stack of
 * the caller.
 */
static __noinline bool
find_binding(const struct neighbor_message *message, __u32 vni, __u32 ageing_s, __u64 now_ns,
	     struct binding *binding)
{
	struct neighbor_key key = { .vni = vni, .ip = message->target };
	const struct neighbor_entry *told = bpf_map_lookup_elem(&neighbors, &key);
	const struct snooped_entry *heard = find_snooped(&key, ageing_s, now_ns);

	if (heard) {
		binding->mac = heard->mac;
		binding->flags = heard->flags;
		binding->ifindex = heard->ifindex;
	}
	if (told) {
		if (heard && !is_same_mac(&told->mac, &binding->mac))
			return false;
		binding->mac = told->mac;
		binding->flags = told->flags;
	}
	return told || heard;
}

/* On the port that the question came from, as far as is known. */
static __noinline bool
is_on_port(__u32 vni, const struct binding *binding, __u32 ifindex)
{
	struct fdb_key key = { .vni = vni, .mac = binding->mac };
	const struct learned_entry *known;

	if (is_remote(bpf_map_lookup_elem(&fdb, &key)))
		return false;
	known = bpf_map_lookup_elem(&learned, &key);
	return (known ? known->ifindex : binding->ifindex) == ifindex;
}

/*
 * Takes in what a message from a port says, and answers it. The reason when that
 * settles it; 0 when it is to be forwarded. Verifier: a global function, as
 * flood.h explains.
 */
__noinline __u32
settle_neighbor(struct __sk_buff *skb, __u32 vni, __u32 ageing_s, __u64 now_ns)
{
	struct neighbor_message message;
	struct binding binding = {};

	if (!read_neighbor(skb, &message))
		return 0;
	snoop(&message, vni, skb->ifindex, now_ns);
	if (!asks_all(&message) || !find_binding(&message, vni, ageing_s, now_ns, &binding))
		return 0;
	/* The asker had the address itself, and should know: somebody else may have it now. */
	if (is_same_mac(&binding.mac, &message.link))
		return 0;
	/* Then that station heard the question as well. */
	if (is_on_port(vni, &binding, skb->ifindex))
		return DROP_SUPPRESSED;
	if (!answer_neighbor(skb, &message, &binding.mac, binding.flags & NEIGHBOR_ROUTER))
		return 0;
	return ANSWER_NEIGHBOR;
}

/* As settle_neighbor(), for a frame from a port. Most frames pay the look at a flag. */
static __always_inline __u32
suppress(const struct frame *frame, const struct segment_entry *segment)
{
	if (!(segment->flags & SEGMENT_SUPPRESS) || is_plain(frame->skb))
		return 0;
	return settle_neighbor(frame->skb, segment_of(frame), segment->ageing_s, frame->now_ns);
}

/* What is done with a frame that settle_neighbor() settled. */
static __always_inline int
turn_back(const struct frame *frame, __u32 reason)
{
	if (reason != ANSWER_NEIGHBOR)
		return drop(frame, reason);
	return verdict(frame, reason, bpf_redirect(frame->skb->ifindex, 0));
}

/* Verifier: as settle_neighbor(). */
__noinline int
hear_neighbor(struct __sk_buff *skb, __u32 vni, __u32 segment_flags, __u64 now_ns)
{
	struct neighbor_message message;

	if (!read_neighbor(skb, &message))
		return 0;
	if (segment_flags & SEGMENT_LEARN_TUNNELS)
		return snoop(&message, vni, 0, now_ns);
	return forget_contradicted(&message, vni);
}

/* Takes in what a frame from a tunnel says. */
static __always_inline void
snoop_tunnel(const struct frame *frame, const struct segment_entry *segment)
{
	if (segment->flags & SEGMENT_SUPPRESS && !is_plain(frame->skb))
		hear_neighbor(frame->skb, segment_of(frame), segment->flags, frame->now_ns);
}

#endif
