/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* ARP and RARP of IPv4 on Ethernet (RFC 826, RFC 903). */
#ifndef WEFT_ARP_H
#define WEFT_ARP_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "packet.h"

#define ARP_HARDWARE_ETHERNET bpf_htons(1)
#define ARP_REQUEST bpf_htons(1)
#define ARP_REPLY bpf_htons(2)

struct arp_packet {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	struct mac_addr sender;
	__u8 sender_ip[4];
	struct mac_addr target;
	__u8 target_ip[4];
};
ABI_SIZE(struct arp_packet, 28);

static __always_inline __be32
ip_of(const __u8 bytes[4])
{
	__be32 ip;

	__builtin_memcpy(&ip, bytes, sizeof(ip));
	return ip;
}

/* An announcement of the sender's own address (RFC 5227 3); not a probe. */
static __always_inline bool
is_gratuitous(const struct arp_packet *arp)
{
	__be32 sender = ip_of(arp->sender_ip);

	return sender && sender == ip_of(arp->target_ip);
}

/* False when it is not all there, or of another kind of network. */
static __always_inline bool
load_arp(struct __sk_buff *skb, __u32 at, struct arp_packet *arp)
{
	if (bpf_skb_load_bytes(skb, at, arp, sizeof(*arp)))
		return false;
	return arp->hardware == ARP_HARDWARE_ETHERNET && arp->protocol == bpf_htons(ETH_P_IP) &&
	       arp->hardware_length == ETH_ALEN && arp->protocol_length == sizeof(arp->sender_ip);
}

#endif
