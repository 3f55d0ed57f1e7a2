// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Sends one frame for the daemon, which runs this by BPF_PROG_TEST_RUN:
 *
 *   PROBE_INTO_PORT ───> ingress of a port ──> port_ingress, as if its station had sent it
 *   PROBE_INTO_TUNNEL ─> VXLAN device ───────> underlay ──> tunnel_ingress of the other node
 *
 * Attached nowhere. Needs no socket and no capability beyond those of loading.
 * A test run takes no frame as large as a jumbo one: this grows it, by zeroes.
 *
 * Returns 0, or the positive errno of what the kernel refused.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

#include "../lib/tables.h"
#include "../lib/tunnel.h"

static __always_inline int
send_into_tunnel(struct __sk_buff *skb)
{
	const struct node_config *node = find_tunnel_config();
	struct probe_header header;
	struct vtep_key to = {};
	long result;

	if (!node)
		return ENODEV;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &header, sizeof(header)))
		return EINVAL;
	to.vni = bpf_ntohl(header.vni);
	to.vtep = header.to;
	if (!is_known_vtep(&to))
		return EHOSTUNREACH;
	result = set_tunnel(skb, &to, node);
	if (!result)
		result = bpf_clone_redirect(skb, node->vxlan_ifindex, 0);
	return result < 0 ? -result : result;
}

SEC("tc")
int probe(struct __sk_buff *skb)
{
	__u32 order = skb->cb[0], ifindex = skb->cb[1], length = skb->cb[2];
	long result;

	if (length > skb->len) {
		result = bpf_skb_change_tail(skb, length, 0);
		if (result)
			return -result;
	}
	if (order == PROBE_INTO_TUNNEL)
		return send_into_tunnel(skb);
	if (order != PROBE_INTO_PORT || !find_port(ifindex))
		return EINVAL;
	result = bpf_clone_redirect(skb, ifindex, BPF_F_INGRESS);
	return result < 0 ? -result : result;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
