/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The headers that VXLAN over IPv4 puts around a frame (RFC 7348 5). */
#ifndef WEFT_OUTER_H
#define WEFT_OUTER_H

#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define VXLAN_FLAGS bpf_htonl(0x08000000) /* I: the VNI is valid; nothing else */
#define DONT_FRAGMENT bpf_htons(0x4000)
#define FRAGMENT_OFFSET_AND_MORE bpf_htons(0x3fff)

#define ECN_MASK 3
#define ECN_ECT_1 1
#define ECN_ECT_0 2
#define ECN_CE 3

/* The order on the wire behind the outer Ethernet header, which the kernel's helpers leave in its place. */
struct outer {
	struct iphdr ip;
	struct udphdr udp;
	__be32 flags;
	__be32 vni; /* in the upper 24 bits */
	struct ethhdr inner; /* the tail of the struct is padding */
};

#define OUTER_LEN (offsetof(struct outer, inner) + ETH_HLEN)
_Static_assert(OUTER_LEN == 50, "as much as the MTU is less than that of the underlay");

/* What bpf_skb_adjust_room has to know to make room for them. */
#define ENCAP_FLAGS                                                                                \
	(BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP |   \
	 BPF_F_ADJ_ROOM_ENCAP_L2(ETH_HLEN) | BPF_F_ADJ_ROOM_ENCAP_L2_ETH)

/* The ones' complement sum over an IPv4 header without options: 0 when its checksum is right. */
static __always_inline __u16
sum_ip_header(const struct iphdr *ip)
{
	const __u16 *words = (const void *)ip;
	__u32 sum = words[0] + words[1] + words[2] + words[3] + words[4] + words[5] + words[6] + words[7] +
		    words[8] + words[9];

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

#endif
