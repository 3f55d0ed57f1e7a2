// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Watches how frames of the VXLAN device leave for other VTEPs, for the fast path
 * to follow (next_hop.h). Attached at tc egress of the underlay device, which is
 * the host's own: everything passes, untouched and uncounted.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../lib/address.h"
#include "../lib/next_hop.h"
#include "../lib/outer.h"
#include "../lib/tables.h"

static __always_inline bool
is_from_vtep(const struct outer *outer, const struct node_config *node)
{
	struct address_words vtep = words_of(&node->vtep);

	return outer->ip.protocol == IPPROTO_UDP && outer->udp.dest == node->udp_port && is_ipv4_mapped(&vtep) &&
	       outer->ip.saddr == vtep.word[3];
}

SEC("tc")
int underlay_egress(struct __sk_buff *skb)
{
	const void *end = (void *)(long)skb->data_end;
	const void *data = (void *)(long)skb->data;
	const struct outer *outer = data + ETH_HLEN;
	const struct ethhdr *ethernet = data;
	const struct node_config *node;
	struct next_hop hop = {};
	__be32 vtep;

	/* Frames of the fast path come from a port; the kernel's tunnels forget where theirs came from. */
	if (skb->ingress_ifindex || skb->vlan_present || (const void *)outer + OUTER_LEN > end ||
	    ethernet->h_proto != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	node = find_tunnel_config();
	if (!node || node->underlay_ifindex != skb->ifindex || !is_from_vtep(outer, node))
		return TC_ACT_UNSPEC;

	vtep = outer->ip.daddr;
	hop.until_ns = bpf_ktime_get_coarse_ns() + NEXT_HOP_NS;
	hop.ifindex = skb->ifindex;
	__builtin_memcpy(&hop.destination, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(&hop.source, ethernet->h_source, ETH_ALEN);
	bpf_map_update_elem(&next_hops, &vtep, &hop, BPF_ANY);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
