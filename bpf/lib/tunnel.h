/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Encapsulation through the one VXLAN device, which collects metadata: the
 * tunnel key on a frame picks VNI and VTEP, the kernel makes the headers. What
 * the fast path takes does without that device.
 */
#ifndef WEFT_TUNNEL_H
#define WEFT_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "address.h"
#include "fast.h"
#include "frame.h"
#include "loss.h"
#include "tables.h"
#include "verdict.h"

/* The key without the local address, which came with Linux 6.0. */
#define SHORT_TUNNEL_KEY_SIZE offsetof(struct bpf_tunnel_key, local_ipv6)

/* Negative errno of the helper. IPv4 goes without UDP checksum (RFC 7348 5), IPv6 with one. */
static __always_inline long
set_tunnel(struct __sk_buff *skb, const struct vtep_key *to, const struct node_config *node)
{
	struct bpf_tunnel_key key = { .tunnel_id = to->vni, .tunnel_ttl = node->ttl };
	struct address_words address = words_of(&to->vtep);
	struct address_words source = words_of(&node->vtep);
	__u64 flags = BPF_F_DONT_FRAGMENT;
	long result;

	if (is_ipv4_mapped(&address)) {
		flags |= BPF_F_ZERO_CSUM_TX;
		key.remote_ipv4 = bpf_ntohl(address.word[3]);
		if (is_ipv4_mapped(&source))
			key.local_ipv4 = bpf_ntohl(source.word[3]);
	} else {
		flags |= BPF_F_TUNINFO_IPV6;
		__builtin_memcpy(key.remote_ipv6, &address, sizeof(address));
		if (!is_ipv4_mapped(&source))
			__builtin_memcpy(key.local_ipv6, &source, sizeof(source));
	}
	result = bpf_skb_set_tunnel_key(skb, &key, sizeof(key), flags);
	if (result != -EINVAL)
		return result;
	/* An older kernel: routing chooses the source. */
	return bpf_skb_set_tunnel_key(skb, &key, SHORT_TUNNEL_KEY_SIZE, flags);
}

/*
 * VNI and outer source of a frame that the VXLAN device took in. False when
 * the kernel gives none. The helper wants to be told the family of the
 * underlay, and refuses the wrong one.
 */
static __always_inline bool
get_tunnel(struct __sk_buff *skb, struct vtep_key *from)
{
	struct address_words source = {};
	struct bpf_tunnel_key key = {};

	if (!bpf_skb_get_tunnel_key(skb, &key, SHORT_TUNNEL_KEY_SIZE, 0)) {
		source.word[2] = IPV4_MAPPED_PREFIX;
		source.word[3] = bpf_htonl(key.remote_ipv4);
	} else if (!bpf_skb_get_tunnel_key(skb, &key, SHORT_TUNNEL_KEY_SIZE, BPF_F_TUNINFO_IPV6)) {
		__builtin_memcpy(&source, key.remote_ipv6, sizeof(source));
	} else {
		return false;
	}

	from->vni = key.tunnel_id;
	__builtin_memcpy(&from->vtep, &source, sizeof(source));
	return true;
}

/*
 * Whether what the controller says of a source MAC forbids that it comes from
 * this VTEP. Only a declared place binds: a learned one may be about to move.
 */
static __always_inline bool
is_static_elsewhere(const struct fdb_entry *entry, const struct vtep_addr *from)
{
	if (!entry || !(entry->flags & FDB_STATIC))
		return false;
	return entry->flags & FDB_LOCAL || !is_same_vtep(&entry->vtep, from);
}

/* Null when `tunnels` takes no more, which is counted. */
static __always_inline struct tunnel_count *
find_tunnel_count(const struct vtep_key *key)
{
	struct tunnel_count *count = bpf_map_lookup_elem(&tunnels, key);
	struct tunnel_count zero = {};

	if (count)
		return count;
	bpf_map_update_elem(&tunnels, key, &zero, BPF_NOEXIST);
	count = bpf_map_lookup_elem(&tunnels, key);
	if (!count)
		count_loss(LOSS_COUNT);
	return count;
}

static __always_inline void
count_tunnel_tx(const struct vtep_key *to, const struct size *size, bool flooded)
{
	struct tunnel_count *count = find_tunnel_count(to);

	if (!count)
		return;
	count->tx_packets += size->packets;
	count->tx_bytes += size->bytes;
	if (flooded)
		count->tx_flooded += size->packets;
}

static __always_inline void
count_tunnel_rx(const struct vtep_key *from, const struct size *size, bool flooded)
{
	struct tunnel_count *count = find_tunnel_count(from);

	if (!count)
		return;
	count->rx_packets += size->packets;
	count->rx_bytes += size->bytes;
	if (flooded)
		count->rx_flooded += size->packets;
}

static __always_inline int
send_fast(struct frame *frame, const struct vtep_key *to, const struct node_config *node)
{
	struct tunnel_count *count = find_tunnel_count(to);

	frame->inner = OUTER_LEN;
	if (count) {
		count->tx_packets += frame->size.packets;
		count->tx_bytes += frame->size.bytes;
		count->tx_fast += frame->size.packets;
	}
	return verdict(frame, FORWARD_TUNNEL, bpf_redirect(node->underlay_ifindex, 0));
}

/* Sends the frame to one VTEP. */
static __always_inline int
encapsulate(struct frame *frame, const struct segment_entry *segment, const struct vtep_key *to)
{
	const struct node_config *node = find_tunnel_config();
	enum fast_result fast = FAST_UNTOUCHED;

	if (!node)
		return drop(frame, DROP_NO_TUNNEL);
	if (segment->flags & SEGMENT_FAST_PATH && node->underlay_ifindex)
		fast = encapsulate_fast(frame, to, node);
	if (fast == FAST_ENCAPSULATED)
		return send_fast(frame, to, node);
	if (fast == FAST_FAILED)
		return drop(frame, DROP_FAST_PATH);

	if (set_tunnel(frame->skb, to, node))
		return drop(frame, DROP_TUNNEL_KEY);
	count_tunnel_tx(to, &frame->size, false);
	return verdict(frame, FORWARD_TUNNEL, bpf_redirect(node->vxlan_ifindex, 0));
}

#endif
