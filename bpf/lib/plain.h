/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The first look: most frames carry TCP or UDP that no guard has to parse. It
 * reads the packet itself, which costs a few loads and no call.
 */
#ifndef WEFT_PLAIN_H
#define WEFT_PLAIN_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "packet.h"
#include "tables.h"

struct udp_ports {
	__be16 source;
	__be16 destination;
};

static __always_inline bool
is_vxlan_port(__be16 port)
{
	struct config_key key = {};
	const struct node_config *node = bpf_map_lookup_elem(&config, &key);

	return !node || port == node->udp_port;
}

/*
 * Whether the frame is IP for sure, and neither ND nor UDP to the port of
 * VXLAN. What this cannot tell, because of tags, options, extensions or a
 * header in a page fragment, is not plain: then somebody parses it.
 */
static __always_inline bool
is_plain(const struct __sk_buff *skb)
{
	const void *end = (void *)(long)skb->data_end;
	const void *data = (void *)(long)skb->data;
	const struct ethhdr *ethernet = data;
	const struct ipv6hdr *ip6 = data + ETH_HLEN;
	const struct iphdr *ip = data + ETH_HLEN;
	const struct udp_ports *ports;

	if ((const void *)(ip + 1) > end)
		return false;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP)) {
		if (*(const __u8 *)ip != IPV4_WITHOUT_OPTIONS)
			return false;
		if (ip->protocol != IPPROTO_UDP)
			return true;
		ports = (const void *)(ip + 1);
	} else {
		if (ethernet->h_proto != bpf_htons(ETH_P_IPV6) || (const void *)(ip6 + 1) > end)
			return false;
		if (ip6->nexthdr == IPPROTO_TCP)
			return true;
		if (ip6->nexthdr != IPPROTO_UDP)
			return false;
		ports = (const void *)(ip6 + 1);
	}
	return (const void *)(ports + 1) <= end && !is_vxlan_port(ports->destination);
}

#endif
