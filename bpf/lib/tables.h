/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Look-ups in what the node daemon wrote. */
#ifndef WEFT_TABLES_H
#define WEFT_TABLES_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"

static __always_inline const struct port_entry *
find_port(__u32 ifindex)
{
	struct port_key key = { .ifindex = ifindex };

	return bpf_map_lookup_elem(&ports, &key);
}

/*
 * Asked again before a frame leaves by a device that another map named: that
 * device may have left the segment since, and the kernel reuses a hash
 * element as soon as it is replaced, while another CPU still reads it.
 */
static __always_inline bool
is_port_of(__u32 ifindex, __u32 vni)
{
	const struct port_entry *port = find_port(ifindex);

	return port && port->vni == vni;
}

static __always_inline const struct segment_entry *
find_segment(__u32 vni)
{
	struct segment_key key = { .vni = vni };

	return bpf_map_lookup_elem(&segments, &key);
}

static __always_inline bool
is_known_vtep(const struct vtep_key *key)
{
	return bpf_map_lookup_elem(&vteps, key);
}

/* Null when the node has no VXLAN device now. */
static __always_inline const struct node_config *
find_tunnel_config(void)
{
	struct config_key key = {};
	const struct node_config *node = bpf_map_lookup_elem(&config, &key);

	return node && node->vxlan_ifindex ? node : 0;
}

/* Whether the controller says that the MAC is on another node. */
static __always_inline bool
is_remote(const struct fdb_entry *entry)
{
	return entry && !(entry->flags & FDB_LOCAL);
}

#endif
