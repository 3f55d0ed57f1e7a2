/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Watching frames: what a tap in `taps` wants goes into the ring `frames`, with
 * what became of it. One flag in `config` says whether anybody watches; the
 * rest costs nothing until then.
 */
#ifndef WEFT_TAP_H
#define WEFT_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "loss.h"
#include "maps.h"

#define UDP_HEADER_BYTES 8
#define IPV4_HEADER_BYTES 20
#define IPV6_HEADER_BYTES 40

/*
 * A record with its bytes is put together here; the stack is too small. Pinned:
 * else each load would make another map, and so another program.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct frame_record) + TAP_MAX_BYTES);
} tap_scratch SEC(".maps");

/* What taps choose by. */
struct tap_subject {
	struct fdb_key source;
	struct fdb_key destination;
	__u32 ifindex;
	__u32 inner; /* as in struct frame */
	struct vtep_addr far; /* where it came from, when its tunnel key says nothing */
	__u16 program;
	__u16 reason;
};

static __always_inline bool
is_tapped(void)
{
	struct config_key key = {};
	const struct node_config *node = bpf_map_lookup_elem(&config, &key);

	return node && node->flags & NODE_TAP;
}

/* The first 8 bytes after the headers that a marked probe has: none of its own, or UDP. 0 when too short. */
static __always_inline __u64
read_marker(struct __sk_buff *skb, __u32 inner)
{
	__u32 offset = inner + ETH_HLEN;
	__be16 protocol = 0;
	__u64 marker = 0;

	bpf_skb_load_bytes(skb, inner + ETH_HLEN - sizeof(protocol), &protocol, sizeof(protocol));
	if (protocol == bpf_htons(ETH_P_IP))
		offset += IPV4_HEADER_BYTES + UDP_HEADER_BYTES;
	else if (protocol == bpf_htons(ETH_P_IPV6))
		offset += IPV6_HEADER_BYTES + UDP_HEADER_BYTES;
	if (bpf_skb_load_bytes(skb, offset, &marker, sizeof(marker)))
		return 0;
	return marker;
}

static __always_inline bool
is_from_to(const struct tap_filter *tap, const struct mac_addr *source, const struct mac_addr *destination)
{
	return (!(tap->flags & TAP_SOURCE) || is_same_mac(&tap->source, source)) &&
	       (!(tap->flags & TAP_DESTINATION) || is_same_mac(&tap->destination, destination));
}

static __always_inline bool
has_macs(const struct tap_filter *tap, const struct tap_subject *subject)
{
	const struct mac_addr *source = &subject->source.mac;
	const struct mac_addr *destination = &subject->destination.mac;

	return is_from_to(tap, source, destination) ||
	       (tap->flags & TAP_BOTH_WAYS && is_from_to(tap, destination, source));
}

/* What one tap wants of the frame: bytes, or -1 when nothing. Verifier: walked once, not for each slot. */
__noinline int
ask_tap(struct __sk_buff *skb, const struct tap_subject *subject, __u32 slot)
{
	struct tap_key key = { .slot = slot };
	const struct tap_filter *tap = bpf_map_lookup_elem(&taps, &key);

	if (!tap || !subject || !tap->until_ns || tap->until_ns <= bpf_ktime_get_ns())
		return -1;
	if (subject->program == PROGRAM_PORT_EGRESS && !(tap->flags & TAP_DELIVERIES))
		return -1;
	if (tap->vni && tap->vni != subject->source.vni)
		return -1;
	if (tap->ifindex && tap->ifindex != subject->ifindex)
		return -1;
	if (!has_macs(tap, subject))
		return -1;
	if (tap->marker && tap->marker != read_marker(skb, subject->inner))
		return -1;
	return tap->snaplen < TAP_MAX_BYTES ? tap->snaplen : TAP_MAX_BYTES;
}

/*
 * The other end of the tunnel: of a frame that came by one, its source; of one
 * that leaves, its target. A flooded frame has the key of its last copy: that
 * says nothing.
 */
static __always_inline void
find_far_end(struct __sk_buff *skb, const struct tap_subject *subject, struct vtep_addr *vtep)
{
	bool came = subject->program != PROGRAM_PORT_INGRESS;
	struct bpf_tunnel_key key = {};
	__be32 words[4] = {};

	*vtep = subject->far;
	if (subject->inner) {
		words[2] = bpf_htonl(0x0000ffff);
		bpf_skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, daddr), &words[3], sizeof(words[3]));
		__builtin_memcpy(vtep, words, sizeof(words));
		return;
	}
	if (subject->program == PROGRAM_UNDERLAY_INGRESS)
		return;
	if (!came && subject->reason != FORWARD_TUNNEL)
		;
	else if (!bpf_skb_get_tunnel_key(skb, &key, sizeof(key), 0)) {
		words[2] = bpf_htonl(0x0000ffff);
		words[3] = bpf_htonl(came ? key.remote_ipv4 : key.local_ipv4);
	} else if (!bpf_skb_get_tunnel_key(skb, &key, sizeof(key), BPF_F_TUNINFO_IPV6)) {
		__builtin_memcpy(words, came ? key.remote_ipv6 : key.local_ipv6, sizeof(words));
	}
	__builtin_memcpy(vtep, words, sizeof(words));
}

static __always_inline void
emit_frame(struct __sk_buff *skb, const struct tap_subject *subject, __u32 wanting, __u32 bytes)
{
	__u32 zero = 0;
	struct frame_record *record = bpf_map_lookup_elem(&tap_scratch, &zero);

	if (!record)
		return;
	record->at_ns = bpf_ktime_get_ns();
	record->vni = subject->source.vni;
	record->program = subject->program;
	record->reason = subject->reason;
	record->ifindex = subject->ifindex;
	record->length = skb->len - subject->inner;
	record->taps = wanting;
	record->vlan_proto = 0;
	record->vlan_tci = 0;
	if (skb->vlan_present) {
		record->vlan_proto = skb->vlan_proto;
		record->vlan_tci = skb->vlan_tci;
	}
	find_far_end(skb, subject, &record->vtep);

	if (bytes > record->length)
		bytes = record->length;
	/* Verifier: the bound must be on the very register that the helpers get. */
	asm volatile("" : "+r"(bytes));
	if (bytes > TAP_MAX_BYTES)
		bytes = TAP_MAX_BYTES;
	if (!bytes || bpf_skb_load_bytes(skb, subject->inner, record + 1, bytes))
		bytes = 0;
	record->captured = bytes;
	if (bpf_ringbuf_output(&frames, record, sizeof(*record) + bytes, 0))
		count_loss(LOSS_TAP);
}

/* Verifier: a global function must check its pointers for null. */
__noinline int
show_to_taps(struct __sk_buff *skb, const struct tap_subject *subject)
{
	__u32 wanting = 0, slot;
	int most = -1;

	if (!subject)
		return 0;
	for (slot = 0; slot < TAP_SLOTS; slot++) {
		int bytes = ask_tap(skb, subject, slot);

		if (bytes < 0)
			continue;
		wanting |= 1 << slot;
		if (bytes > most)
			most = bytes;
	}
	if (wanting)
		emit_frame(skb, subject, wanting, most);
	return 0;
}

/* Shows the frame, and what became of it, to those who watch. */
static __noinline void
tap(const struct frame *frame, __u16 reason)
{
	struct tap_subject subject = {
		.source = frame->source,
		.destination = frame->destination,
		.ifindex = frame->skb->ifindex,
		.inner = frame->inner,
		.program = frame->program,
		.reason = reason,
	};

	if (frame->far)
		subject.far = *frame->far;

	show_to_taps(frame->skb, &subject);
}

#endif
