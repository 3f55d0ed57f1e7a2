/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Every map has one writer. Maps written by the node daemon carry
 * BPF_F_RDONLY_PROG, so a program that writes one is refused at load.
 * Names are at most 15 characters, or the kernel cuts them.
 *
 * What the controller says (`fdb`) and what ports say (`learned`) never share a
 * map: no flood of source MACs can evict what the controller wrote.
 *
 * All are pinned by name, so that both objects and the next daemon share them.
 */
#ifndef WEFT_MAPS_H
#define WEFT_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "../abi/weft.h"

/* The node itself. Writer: node daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct config_key);
	__type(value, struct node_config);
} config SEC(".maps");

/* Devices that are ports. Writer: node daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 12);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct port_key);
	__type(value, struct port_entry);
} ports SEC(".maps");

/* Segments served and their flood lists. Writer: node daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 12);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct segment_key);
	__type(value, struct segment_entry);
} segments SEC(".maps");

/* Unicast forwarding, as the controller says. Writer: node daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 17);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct fdb_key);
	__type(value, struct fdb_entry);
} fdb SEC(".maps");

/* Whose tunnels are let in. Writer: node daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct vtep_key);
	__type(value, struct vtep_entry);
} vteps SEC(".maps");

/* MACs that may speak on a port. Writer: node daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct allowed_mac_key);
	__type(value, struct allowed_entry);
} allowed_macs SEC(".maps");

/* Addresses that may be used on a port. Writer: node daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1 << 16);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct allowed_ip_key);
	__type(value, struct allowed_entry);
} allowed_ips SEC(".maps");

/* What was forgotten of each port's MACs. Writer: node daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 12);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct port_key);
	__type(value, struct forgotten_count);
} forgotten SEC(".maps");

/* Which MAC has an address, as the controller says. Writer: node daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 17);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct neighbor_key);
	__type(value, struct neighbor_entry);
} neighbors SEC(".maps");

/* Which MAC has an address, as ARP and ND said. Writer: programs; the daemon only deletes the aged. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 16);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct neighbor_key);
	__type(value, struct snooped_entry);
} snooped SEC(".maps");

/* What each port has used of its limits. Writer: port_ingress; the daemon deletes those of ports that went. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 12);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct port_key);
	__type(value, struct port_state);
} port_states SEC(".maps");

/* MACs heard on ports and from tunnels. Writer: programs; the daemon only deletes the aged. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 16);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct fdb_key);
	__type(value, struct learned_entry);
} learned SEC(".maps");

/* Traffic by segment and VTEP. Writer: programs; the daemon deletes those of `vteps` that went. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1 << 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct vtep_key);
	__type(value, struct tunnel_count);
} tunnels SEC(".maps");

/* Frames by segment, program and reason. Writer: verdict(); the daemon deletes those of segments that went. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1 << 14);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct verdict_key);
	__type(value, struct verdict_count);
} verdicts SEC(".maps");

/* What did not fit, by enum loss_kind. Writer: programs. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct loss_key);
	__type(value, struct loss_count);
} losses SEC(".maps");

/* Records of struct mac_event and its like. Writer: programs. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} events SEC(".maps");

/* Who watches frames. Writer: node daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAP_SLOTS);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct tap_key);
	__type(value, struct tap_filter);
} taps SEC(".maps");

/* Frames that were watched: struct frame_record and the bytes. Writer: programs. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} frames SEC(".maps");

/*
 * Types that cross to user space without being a map's key or value. BTF holds
 * only what code uses, and a constant does not use its enum. This function is
 * compiled for its signature alone: nothing calls it, so it is never loaded.
 */
struct abi_types {
	enum node_flag node_flag;
	enum port_flag port_flag;
	enum segment_flag segment_flag;
	enum fdb_flag fdb_flag;
	enum neighbor_flag neighbor_flag;
	enum allowed_flag allowed_flag;
	enum program_id program_id;
	enum verdict_reason verdict_reason;
	enum loss_kind loss_kind;
	enum event_kind event_kind;
	enum mac_event_flag mac_event_flag;
	struct mac_event mac_event;
	struct binding_event binding_event;
	enum probe_kind probe_kind;
	enum probe_order probe_order;
	enum tap_flag tap_flag;
	struct probe_event probe_event;
	struct frame_record frame_record;
};

static __attribute__((used)) __noinline int
emit_abi_types(struct abi_types *types)
{
	return !types;
}

#endif
