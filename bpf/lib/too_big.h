/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Frames over the segment's MTU. A bridge cannot fragment, and silence would be
 * a black hole: the frame becomes the ICMP error that a router would send, and
 * goes back to its sender.
 *
 *   Ethernet, tags │ IP │ ICMP │ first bytes of the packet
 *   MACs swapped     from whom it was sent to
 *
 * IPv4 is answered with or without DF: nobody on the way fragments, so a sender
 * that allows it has to do it itself, and Linux does when told.
 *
 * One answer for one frame, smaller than that, to its sender alone: it needs no
 * limit of its own rate (RFC 4443 2.4 f).
 */
#ifndef WEFT_TOO_BIG_H
#define WEFT_TOO_BIG_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "checksum.h"
#include "frame.h"
#include "icmp6.h"
#include "ip.h"
#include "nd.h"
#include "packet.h"
#include "verdict.h"

/*
 * Of the packet, in the answer. The smallest MTU that a topology may have, 576,
 * less IPv6, UDP, VXLAN, Ethernet and three tags is more than this.
 */
#define QUOTE_LENGTH 480

/* RFC 8201 4: a sender must ignore less, and must not send less for it. */
#define IPV6_MIN_MTU 1280

#define MAX_LINK_LENGTH (ETH_HLEN + MAX_TAGS * VLAN_TAG_LEN)

#define ERROR_TTL 64
#define ERROR_TOS 0xc0 /* internetwork control (RFC 1812 4.3.2.5) */

#define TCP_CHECKSUM_OFFSET 16
#define UDP_CHECKSUM_OFFSET 6

#define ICMPV6_FIRST_INFORMATIONAL 128

struct error4 {
	struct iphdr ip;
	struct icmphdr icmp;
};
ABI_SIZE(struct error4, 28);

struct error6 {
	struct ipv6hdr ip;
	struct icmp6hdr icmp;
};
ABI_SIZE(struct error6, 48);

/* RFC 1122 3.2.2: no error about an error, nor to or about what is not one station. */
static __always_inline bool
may_answer4(struct __sk_buff *skb, const struct packet *packet)
{
	__u8 type;

	if (!is_unicast_ip4(&packet->source) || !is_unicast_ip4(&packet->destination))
		return false;
	if (packet->protocol != IPPROTO_ICMP)
		return true;
	return load_transport(skb, packet, 0, &type, sizeof(type)) && type != ICMP_DEST_UNREACH &&
	       type != ICMP_SOURCE_QUENCH && type != ICMP_REDIRECT && type != ICMP_TIME_EXCEEDED &&
	       type != ICMP_PARAMETERPROB;
}

/*
 * RFC 4443 2.4 e. It would let a packet to a group be answered; but there is
 * neither an address nor a MAC here to answer that from.
 */
static __always_inline bool
may_answer6(struct __sk_buff *skb, const struct packet *packet)
{
	__u8 type;

	if (!is_unicast_ip6(&packet->source) || !is_unicast_ip6(&packet->destination))
		return false;
	if (packet->protocol != IPPROTO_ICMPV6)
		return true;
	return load_transport(skb, packet, 0, &type, sizeof(type)) && type >= ICMPV6_FIRST_INFORMATIONAL &&
	       type != ND_REDIRECT;
}

/* The MTU that the sender is to hear of, 0 when nothing is to be said. `largest` is as in struct size. */
static __always_inline __u32
find_mtu_to_tell(struct __sk_buff *skb, const struct packet *packet, __u32 port_mtu, __u32 largest)
{
	bool is_ipv6 = packet->ether_type == bpf_htons(ETH_P_IPV6);
	__u32 mtu = port_mtu - packet->tag_bytes;
	__u32 length = skb->gso_size ? largest - ETH_HLEN - packet->tag_bytes : packet->length;

	if (!is_ip(packet) || packet->flags & (PACKET_UNREADABLE | PACKET_LATER))
		return 0;
	if (is_ipv6 && mtu < IPV6_MIN_MTU)
		mtu = IPV6_MIN_MTU;
	/* Then it is not the packet that is too large, or no answer would help. */
	if (length <= mtu)
		return 0;
	if (is_ipv6 ? !may_answer6(skb, packet) : !may_answer4(skb, packet))
		return 0;
	return mtu;
}

/* Sum of the quote's end, from the transport header on, when its device fills in that header's checksum. */
static __always_inline bool
is_filled_by_device(struct __sk_buff *skb, const struct packet *packet, __u32 *sum)
{
	__u32 offset = packet->protocol == IPPROTO_TCP ? TCP_CHECKSUM_OFFSET : UDP_CHECKSUM_OFFSET;
	__u16 pseudo;

	if (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP)
		return false;
	if (!is_checksum_left_to_device(skb) || !load_transport(skb, packet, offset, &pseudo, sizeof(pseudo)))
		return false;
	/* What the device adds makes all of it the complement of what stands there: the pseudo header's sum. */
	*sum = (__u16)~pseudo;
	return true;
}

/*
 * Sum of the quote as it will be on the wire. It ends where the frame ends, and
 * all is in one piece by now.
 */
static __always_inline bool
sum_quote(struct __sk_buff *skb, const struct packet *packet, __u32 *sum)
{
	__u32 headers = packet->transport - packet->network, at = packet->network, end_sum = 0;
	bool is_filled = is_filled_by_device(skb, packet, &end_sum);
	const void *end = (void *)(long)skb->data_end;
	const void *quote = (void *)(long)skb->data;

	if (at > MAX_LINK_LENGTH)
		return false;
	quote += at;
	if (quote + QUOTE_LENGTH > end)
		return false;
	if (!is_filled)
		headers = QUOTE_LENGTH;
	/* Each header is a multiple of 4 long. */
	headers &= ~3;
	if (headers > QUOTE_LENGTH)
		return false;
	*sum = add_sum(end_sum, quote, headers);
	return true;
}

static __always_inline bool
write_error4(struct __sk_buff *skb, const struct packet *packet, __u32 mtu, __u32 sum)
{
	struct error4 error = {
		.ip = {
			.version = 4,
			.ihl = sizeof(error.ip) / 4,
			.tos = ERROR_TOS,
			.tot_len = bpf_htons(sizeof(error) + QUOTE_LENGTH),
			.frag_off = bpf_htons(0x4000), /* DF: then the id may be 0 (RFC 6864) */
			.ttl = ERROR_TTL,
			.protocol = IPPROTO_ICMP,
		},
		.icmp = {
			.type = ICMP_DEST_UNREACH,
			.code = ICMP_FRAG_NEEDED,
			.un.frag.mtu = bpf_htons(mtu),
		},
	};

	__builtin_memcpy(&error.ip.saddr, &packet->destination.addr[12], sizeof(error.ip.saddr));
	__builtin_memcpy(&error.ip.daddr, &packet->source.addr[12], sizeof(error.ip.daddr));
	error.ip.check = fold_sum(add_sum(0, &error.ip, sizeof(error.ip)));
	error.icmp.checksum = fold_sum(add_sum(sum, &error.icmp, sizeof(error.icmp)));
	return !bpf_skb_store_bytes(skb, packet->network, &error, sizeof(error), BPF_F_RECOMPUTE_CSUM);
}

static __always_inline bool
write_error6(struct __sk_buff *skb, const struct packet *packet, __u32 mtu, __u32 sum)
{
	const __u32 length = sizeof(struct icmp6hdr) + QUOTE_LENGTH;
	struct error6 error = {
		.ip = {
			.version = 6,
			.priority = ERROR_TOS >> 4,
			.payload_len = bpf_htons(length),
			.nexthdr = IPPROTO_ICMPV6,
			.hop_limit = ERROR_TTL,
		},
		.icmp = {
			.icmp6_type = ICMPV6_PKT_TOOBIG,
			.icmp6_mtu = bpf_htonl(mtu),
		},
	};

	__builtin_memcpy(&error.ip.saddr, &packet->destination, sizeof(error.ip.saddr));
	__builtin_memcpy(&error.ip.daddr, &packet->source, sizeof(error.ip.daddr));
	sum = add_pseudo_sum6(sum, &packet->destination, &packet->source, length);
	error.icmp.icmp6_cksum = fold_sum(add_sum(sum, &error.icmp, sizeof(error.icmp)));
	return !bpf_skb_store_bytes(skb, packet->network, &error, sizeof(error), BPF_F_RECOMPUTE_CSUM);
}

/* Puts the Ethernet header, turned round, and the tags before what is `room` bytes further back now. */
static __always_inline bool
move_link(struct __sk_buff *skb, __u32 length, __u32 room)
{
	__u8 link[MAX_LINK_LENGTH] = {};
	__u8 source[ETH_ALEN];

	if (length < ETH_HLEN || length > MAX_LINK_LENGTH || bpf_skb_load_bytes(skb, room, link, length))
		return false;
	__builtin_memcpy(source, link + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(link + ETH_ALEN, link, ETH_ALEN);
	__builtin_memcpy(link, source, ETH_ALEN);
	return !bpf_skb_store_bytes(skb, 0, link, length, BPF_F_RECOMPUTE_CSUM);
}

/*
 * Turns the frame into the answer. False when there is none to give; then the
 * frame may be half of one, fit to be dropped only. bpf_skb_change_tail() makes
 * it one piece without GSO; it refuses what the sender has in a tunnel of its
 * own with offloads. Verifier: a global function, as flood.h explains.
 */
__noinline bool
tell_too_big(struct __sk_buff *skb, __u32 port_mtu, __u32 largest)
{
	struct packet packet;
	__u32 mtu, room, sum = 0;

	parse_packet(skb, &packet);
	mtu = find_mtu_to_tell(skb, &packet, port_mtu, largest);
	if (!mtu || skb->len < packet.network + QUOTE_LENGTH)
		return false;
	if (bpf_skb_change_tail(skb, packet.network + QUOTE_LENGTH, 0) || !sum_quote(skb, &packet, &sum))
		return false;
	room = packet.ether_type == bpf_htons(ETH_P_IPV6) ? sizeof(struct error6) : sizeof(struct error4);
	if (bpf_skb_change_head(skb, room, 0) || !move_link(skb, packet.network, room))
		return false;
	if (packet.ether_type == bpf_htons(ETH_P_IPV6))
		return write_error6(skb, &packet, mtu, sum);
	return write_error4(skb, &packet, mtu, sum);
}

/* For a frame over the port's MTU: tells its sender where that makes sense, and drops it. */
static __always_inline int
refuse_size(const struct frame *frame, __u32 port_mtu)
{
	struct __sk_buff *skb = frame->skb;

	if (is_group(&frame->destination.mac) || !tell_too_big(skb, port_mtu, frame->size.largest))
		return drop(frame, DROP_OVER_MTU);
	return verdict(frame, DROP_TOO_BIG, bpf_redirect(skb->ifindex, 0));
}

#endif
