/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which MAC has an address, as stations say it in ARP and ND. What they say
 * last holds, as in their own tables; an event tells the daemon of what is new
 * on a port, whose controller tells other nodes.
 */
#ifndef WEFT_SNOOP_H
#define WEFT_SNOOP_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "clock.h"
#include "frame.h"
#include "ip.h"
#include "loss.h"
#include "maps.h"
#include "neighbor.h"

static __always_inline void
emit_binding(const struct neighbor_key *key, const struct snooped_entry *entry)
{
	struct binding_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		count_loss(LOSS_EVENT);
		return;
	}
	event->kind = EVENT_BINDING;
	event->vni = key->vni;
	event->mac = entry->mac;
	event->flags = entry->flags;
	event->ifindex = entry->ifindex;
	event->pad = 0;
	event->at_ns = entry->since_ns;
	event->ip = key->ip;
	bpf_ringbuf_submit(event, 0);
}

/* False when the message binds nothing: a probe, or one without a MAC. */
static __always_inline bool
binds(const struct neighbor_message *message)
{
	if (!(message->traits & NEIGHBOR_HAS_LINK))
		return false;
	return message->traits & NEIGHBOR_IS_IPV6 ? is_unicast_ip6(&message->sender) :
						    is_unicast_ip4(&message->sender);
}

/* A solicitation does not say whether its sender is a router: it only keeps alive what is known. */
static __always_inline bool
only_refreshes(const struct neighbor_message *message)
{
	return message->traits & NEIGHBOR_IS_IPV6 && message->kind == NEIGHBOR_ASKS;
}

static __always_inline __u16
flags_of(const struct neighbor_message *message, const struct snooped_entry *known)
{
	if (only_refreshes(message) && known)
		return known->flags;
	return message->traits & NEIGHBOR_IS_ROUTER ? NEIGHBOR_ROUTER : 0;
}

/* Takes in what a message binds. `ifindex` is 0 for one from a tunnel. Always 0. */
__noinline int
snoop(const struct neighbor_message *message, __u32 vni, __u32 ifindex, __u64 now_ns)
{
	struct snooped_entry entry = { .ifindex = ifindex, .since_ns = now_ns, .seen_ns = now_ns };
	struct neighbor_key key = { .vni = vni };
	struct snooped_entry *known;
	bool is_same;

	if (!message || !binds(message))
		return 0;
	key.ip = message->sender;
	known = bpf_map_lookup_elem(&snooped, &key);
	entry.mac = message->link;
	entry.flags = flags_of(message, known);
	is_same = known && is_same_mac(&known->mac, &entry.mac);
	if (!is_same && (only_refreshes(message) || (known && message->traits & NEIGHBOR_IS_WEAK)))
		return 0;
	if (is_same && known->ifindex == ifindex && known->flags == entry.flags) {
		if (is_older(known->seen_ns, now_ns, REFRESH_NS))
			known->seen_ns = now_ns;
		return 0;
	}
	if (bpf_map_update_elem(&snooped, &key, &entry, BPF_ANY))
		count_loss(LOSS_SNOOPED);
	if (ifindex)
		emit_binding(&key, &entry);
	return 0;
}

/*
 * Where the controller says what is behind tunnels, a message from there is not
 * taken in; but what a port said before and it contradicts is forgotten, since
 * a wrong answer is worse than none. Always 0.
 */
__noinline int
forget_contradicted(const struct neighbor_message *message, __u32 vni)
{
	struct neighbor_key key = { .vni = vni };
	const struct snooped_entry *known;

	if (!message || !binds(message) || only_refreshes(message) || message->traits & NEIGHBOR_IS_WEAK)
		return 0;
	key.ip = message->sender;
	known = bpf_map_lookup_elem(&snooped, &key);
	if (known && !is_same_mac(&known->mac, &message->link))
		bpf_map_delete_elem(&snooped, &key);
	return 0;
}

#endif
