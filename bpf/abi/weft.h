/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Layouts that cross the kernel/user boundary, written down here and nowhere
 * else: scripts/gen-abi.ts reads them back from the BTF of the built objects.
 *
 * Padding is explicit and zero, because hash keys are compared as bytes.
 * __be16/__be32 mean network order and become big-endian codecs; every other
 * integer is in host order. Keys and values are named structs, even of one
 * field. No bitfields, no pointers, no unnamed unions.
 */
#ifndef WEFT_ABI_H
#define WEFT_ABI_H

#include <linux/types.h>

#define ABI_SIZE(type, bytes) \
	_Static_assert(sizeof(type) == (bytes), #type " changed size")

/* Array lengths, so that they show in BTF. */
#define FLOOD_MAX_VTEPS 128
#define FLOOD_MAX_PORTS 256

struct mac_addr {
	__u8 addr[6];
};

/* An underlay address. IPv4 is mapped: ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
struct vtep_addr {
	__u8 addr[16];
};

/* What the programs need to know of their node. One entry, key 0. */
struct config_key {
	__u32 zero;
};

struct node_config {
	__u32 vxlan_ifindex; /* the one VXLAN device, external mode; 0: not there, drop */
	__u32 ttl;           /* of the outer header */
	/*
	 * Outer source address: peers let in frames of the declared VTEP alone,
	 * and routing would take whichever address of the device comes first.
	 * Zero: routing chooses.
	 */
	struct vtep_addr vtep;
};
ABI_SIZE(struct node_config, 24);

/* A local port: a device of this node that is attached to a segment. */
struct port_key {
	__u32 ifindex;
};

struct port_entry {
	__u32 vni;
	__u32 mtu; /* largest Ethernet payload that the tunnel takes, bytes; a VLAN tag counts into it */
};
ABI_SIZE(struct port_entry, 8);

/* A segment this node serves. */
struct segment_key {
	__u32 vni;
};

enum segment_flag {
	SEGMENT_FLOOD_REPLICATE = 1, /* BUM goes to the VTEPs of the flood list; else it stays local */
	SEGMENT_LEARN_PORTS = 2,     /* source MACs on ports enter `learned` and raise an event */
};

/*
 * Where BUM of a segment goes. One value, so that a change of members is one
 * map update. The kernel may reuse the old value while a program on another CPU
 * still walks it, so each member is looked up again before its copy goes out.
 */
struct segment_entry {
	__u32 flags; /* enum segment_flag */
	__u32 vtep_count;
	__u32 port_count;
	__u32 pad;
	struct vtep_addr vtep[FLOOD_MAX_VTEPS];
	__u32 port[FLOOD_MAX_PORTS]; /* ifindexes */
};
ABI_SIZE(struct segment_entry, 16 + 16 * FLOOD_MAX_VTEPS + 4 * FLOOD_MAX_PORTS);

/* Where one destination MAC of a segment lives, as the controller says. */
struct fdb_key {
	__u32 vni;
	struct mac_addr mac;
	__u16 pad;
};
ABI_SIZE(struct fdb_key, 12);

enum fdb_flag {
	FDB_LOCAL = 1,  /* on a port of this node: `learned` knows which */
	FDB_STATIC = 2, /* declared in the topology: learning must not contradict it */
};

struct fdb_entry {
	struct vtep_addr vtep; /* zero when FDB_LOCAL */
	__u32 flags;           /* enum fdb_flag */
	__u32 pad;
};
ABI_SIZE(struct fdb_entry, 24);

/* A MAC seen as source on a local port; its key is a fdb_key. */
struct learned_entry {
	__u32 ifindex;
	__u32 pad;
	__u64 since_ns; /* first seen on this port, CLOCK_MONOTONIC */
	__u64 seen_ns;  /* last seen, written at most once a second */
};
ABI_SIZE(struct learned_entry, 24);

/* A VTEP from which frames of a segment are accepted. */
struct vtep_key {
	__u32 vni;
	struct vtep_addr vtep;
};
ABI_SIZE(struct vtep_key, 20);

struct vtep_entry {
	__u32 flags; /* none defined yet */
};

/* Traffic with one VTEP in one segment; its key is a vtep_key. Bytes are of the inner frames. */
struct tunnel_count {
	__u64 tx_packets;
	__u64 tx_bytes;
	__u64 tx_flooded; /* of tx_packets, copies of BUM */
	__u64 rx_packets;
	__u64 rx_bytes;
	__u64 rx_flooded; /* of rx_packets, those that went to all ports */
};
ABI_SIZE(struct tunnel_count, 48);

/* Which program spoke the verdict. */
enum program_id {
	PROGRAM_PORT_INGRESS = 0,
	PROGRAM_TUNNEL_INGRESS = 1,
};

/*
 * Why a frame went where it went. Values are on the wire of metrics: append,
 * never renumber. Below DROP_FIRST the frame was forwarded.
 */
enum verdict_reason {
	FORWARD_LOCAL = 0,  /* to one local port */
	FORWARD_TUNNEL = 1, /* to one VTEP */
	FORWARD_FLOOD = 2,  /* to each member of the segment */
	DROP_FIRST = 16,
	DROP_MALFORMED = 16,      /* shorter than an Ethernet header */
	DROP_UNKNOWN_PORT = 17,   /* the device is not a port of this node */
	DROP_UNKNOWN_SEGMENT = 18,
	DROP_UNKNOWN_VNI = 19,    /* a VNI that this node does not serve */
	DROP_UNKNOWN_VTEP = 20,   /* the outer source is no member of the segment */
	DROP_SOURCE_MAC = 21,     /* the source MAC is multicast or zero */
	DROP_LINK_LOCAL = 22,     /* 01:80:c2:00:00:0x never leaves its link (IEEE 802.1Q 8.6.3) */
	DROP_OVER_MTU = 23,       /* larger than the segment's MTU */
	DROP_NO_TUNNEL = 24,      /* the VXLAN device is away */
	DROP_TUNNEL_KEY = 25,     /* the kernel refused the tunnel key, or gave none */
	DROP_SAME_PORT = 26,      /* the destination is on the port it came from */
	DROP_NO_MEMBER = 27,      /* BUM, and nobody else is in the segment */
	DROP_STATIC_ELSEWHERE = 28, /* the source MAC is declared static at another place than it came from */
	DROP_NO_DEVICE = 29,      /* BUM, and no member's device took its copy: down, gone or no port now */
};

struct verdict_key {
	__u32 vni;
	__u16 program; /* enum program_id */
	__u16 reason;  /* enum verdict_reason */
};
ABI_SIZE(struct verdict_key, 8);

/* What the wire carries, not what the stack holds: a GSO frame counts by its segments. */
struct verdict_count {
	__u64 packets;
	__u64 bytes;
};
ABI_SIZE(struct verdict_count, 16);

/* What was lost beside the frames, which have verdicts. Append, never renumber. */
enum loss_kind {
	LOSS_EVENT = 0,   /* an event, the `events` ring being full */
	LOSS_COPY = 1,    /* one copy of a flooded frame; the others may have gone */
	LOSS_COUNT = 2,   /* a count, `verdicts` or `tunnels` being full */
	LOSS_LEARNED = 3, /* a learned MAC that `learned` refused */
};

struct loss_key {
	__u32 kind; /* enum loss_kind */
};

struct loss_count {
	__u64 count;
};

enum event_kind {
	/*
	 * New on this port; or heard here while `fdb` says another node, which
	 * repeats at most once a second until `fdb` agrees.
	 */
	EVENT_MAC_LEARNED = 1,
	EVENT_MAC_MOVED = 2, /* was on another local port */
};

/* One record of the `events` ring. */
struct mac_event {
	__u32 kind; /* enum event_kind */
	__u32 vni;
	struct mac_addr mac;
	__u16 pad;
	__u32 ifindex;
	__u32 pad_at;
	__u64 at_ns; /* CLOCK_MONOTONIC */
};
ABI_SIZE(struct mac_event, 32);

#endif
