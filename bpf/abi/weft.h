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

/* An address of a tenant, mapped likewise. */
struct ip_addr {
	__u8 addr[16];
};

/* What the programs need to know of their node. One entry, key 0. */
struct config_key {
	__u32 zero;
};

enum node_flag {
	NODE_TAP = 1, /* somebody watches frames: look into `taps` at each verdict */
};

struct node_config {
	__u32 vxlan_ifindex; /* the one VXLAN device, external mode; 0: not there, drop */
	__u32 ttl;           /* of the outer header */
	__u32 underlay_ifindex; /* where the fast path sends and takes in; 0: there is none */
	__be16 udp_port;        /* of VXLAN */
	__u16 flags;            /* enum node_flag */
	/*
	 * Outer source address: peers let in frames of the declared VTEP alone,
	 * and routing would take whichever address of the device comes first.
	 * Zero: routing chooses.
	 */
	struct vtep_addr vtep;
};
ABI_SIZE(struct node_config, 32);

/* A local port: a device of this node that is attached to a segment. */
struct port_key {
	__u32 ifindex;
};

enum port_flag {
	PORT_TERMINATES = 1, /* a veth whose other end is in another network namespace */
	PORT_FILTER_MAC = 2, /* sources are those of `allowed_macs` */
	PORT_FILTER_IP = 4,  /* sources are those of `allowed_ips`, in ARP and ND too */
	PORT_ROUTER = 8,     /* router advertisements may come from here */
};

struct port_entry {
	__u32 vni;
	__u32 mtu; /* largest Ethernet payload that the tunnel takes, bytes; a VLAN tag counts into it */
	__u32 flags;        /* enum port_flag */
	__u32 mac_limit;    /* MACs that may be learned here; 0: no limit */
	__u32 bum_cost_ns;  /* what each BUM packet costs of the port's time; 0: no limit */
	__u32 bum_burst_ns; /* how far ahead of the clock BUM may run */
};
ABI_SIZE(struct port_entry, 24);

/* What the programs keep of a port; its key is a port_key. */
struct port_state {
	__u64 bum_until_ns; /* when the BUM sent so far is paid for (GCRA's theoretical arrival time) */
	__u64 macs_learned; /* how often a MAC was taken in here */
};
ABI_SIZE(struct port_state, 16);

/* Of `port_state.macs_learned`, those not in `learned` any more; its key is a port_key. */
struct forgotten_count {
	__u64 macs;
};

/* A MAC that may speak on a port with PORT_FILTER_MAC. */
struct allowed_mac_key {
	__u32 ifindex;
	struct mac_addr mac;
	__u16 pad;
};
ABI_SIZE(struct allowed_mac_key, 12);

/* Addresses that may be used on a port with PORT_FILTER_IP: a longest-prefix-match key. */
struct allowed_ip_key {
	__u32 prefix_length; /* bits, those of the ifindex (32) among them */
	__u32 ifindex;
	struct ip_addr ip;
};
ABI_SIZE(struct allowed_ip_key, 24);

enum allowed_flag {
	ALLOWED_NOT = 1, /* of `allowed_ips`: not these, though a shorter prefix has them */
};

struct allowed_entry {
	__u32 flags; /* enum allowed_flag */
};

/* A segment this node serves. */
struct segment_key {
	__u32 vni;
};

enum segment_flag {
	SEGMENT_FLOOD_REPLICATE = 1, /* BUM goes to the VTEPs of the flood list; else it stays local */
	SEGMENT_LEARN_PORTS = 2,     /* source MACs on ports enter `learned` and raise an event */
	SEGMENT_FLOOD_GROUP = 4,     /* BUM goes to the multicast group, not to VTEPs of the flood list */
	SEGMENT_LEARN_TUNNELS = 8,   /* source MACs of tunnels enter `learned` (dataplane learning) */
	SEGMENT_SUPPRESS = 16,       /* ARP and ND are answered here where the answer is known; bindings are snooped */
	SEGMENT_FAST_PATH = 32,      /* known unicast may skip the VXLAN device */
	SEGMENT_RA_GUARD = 64,       /* router advertisements from ports without PORT_ROUTER are dropped (RFC 6105) */
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
	__u32 ageing_s;         /* how long a learned MAC lives unheard */
	struct vtep_addr group; /* of SEGMENT_FLOOD_GROUP */
	struct vtep_addr vtep[FLOOD_MAX_VTEPS];
	__u32 port[FLOOD_MAX_PORTS]; /* ifindexes */
};
ABI_SIZE(struct segment_entry, 32 + 16 * FLOOD_MAX_VTEPS + 4 * FLOOD_MAX_PORTS);

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
	__u64 revision; /* of the segment's table that wrote it, for those who ask */
};
ABI_SIZE(struct fdb_entry, 32);

/*
 * A MAC seen as source; its key is a fdb_key. It is on a port, or behind a VTEP
 * where the segment learns from tunnels. The place before is kept: frames that
 * are late from there do not move the MAC back.
 */
struct learned_entry {
	struct vtep_addr vtep; /* zero: on a port */
	__u32 ifindex;         /* zero: behind a VTEP */
	__u32 moves;           /* how often it changed its place */
	__u64 since_ns;        /* first seen at this place, CLOCK_MONOTONIC */
	__u64 seen_ns;         /* last seen, written at most once a second */
	struct vtep_addr from_vtep;
	__u32 from_ifindex; /* both zero: it has not moved */
	__u32 pad;
};
ABI_SIZE(struct learned_entry, 64);

/* Which MAC has an address of a tenant, as the controller says. */
struct neighbor_key {
	__u32 vni;
	struct ip_addr ip;
};
ABI_SIZE(struct neighbor_key, 20);

enum neighbor_flag {
	NEIGHBOR_ROUTER = 1, /* the R flag of its advertisements (RFC 4861 4.4) */
};

struct neighbor_entry {
	struct mac_addr mac;
	__u16 flags; /* enum neighbor_flag */
	__u64 revision; /* as in fdb_entry */
};
ABI_SIZE(struct neighbor_entry, 16);

/* The same as heard in ARP and ND; its key is a neighbor_key. */
struct snooped_entry {
	struct mac_addr mac;
	__u16 flags; /* enum neighbor_flag */
	__u32 ifindex; /* heard on this port; zero: from a tunnel */
	__u32 pad;
	__u64 since_ns;
	__u64 seen_ns; /* written at most once a second */
};
ABI_SIZE(struct snooped_entry, 32);

/*
 * A VTEP from which frames of a segment are accepted. Under VNI 0, which no
 * segment has, is every VTEP that the node knows of, its own too.
 */
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
	__u64 tx_fast;    /* of tx_packets, those that took the fast path */
	__u64 rx_fast;
};
ABI_SIZE(struct tunnel_count, 64);

/* Which program spoke the verdict. */
enum program_id {
	PROGRAM_PORT_INGRESS = 0,
	PROGRAM_TUNNEL_INGRESS = 1,
	PROGRAM_UNDERLAY_INGRESS = 2,
	PROGRAM_PORT_EGRESS = 3, /* gives no verdicts: taps see what leaves by a port */
};

/*
 * Why a frame went where it went. Values are on the wire of metrics: append,
 * never renumber. Below DROP_FIRST the frame was forwarded.
 */
enum verdict_reason {
	FORWARD_LOCAL = 0,  /* to one local port */
	FORWARD_TUNNEL = 1, /* to one VTEP */
	FORWARD_FLOOD = 2,  /* to each member of the segment */
	ANSWER_NEIGHBOR = 3, /* an ARP request or neighbour solicitation, answered here */
	TAKE_PROBE = 4,     /* a probe between daemons: taken in */
	DELIVER_PORT = 5,   /* left by a port: in frame records alone, it is no verdict */
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
	DROP_TOO_BIG = 30,        /* as DROP_OVER_MTU, and the sender was told by ICMP */
	DROP_SUPPRESSED = 31,     /* an ARP request or solicitation for a station on the very port it came from */
	DROP_SPOOFED_MAC = 32,    /* the source MAC is not among those allowed on the port */
	DROP_SPOOFED_IP = 33,     /* the source address, in IP, ARP or ND, is not among those allowed on the port */
	DROP_TENANT_VXLAN = 34,   /* VXLAN made by a tenant for one of our VTEPs */
	DROP_BUM_LIMIT = 35,      /* more BUM than the port may send */
	DROP_MAC_LIMIT = 36,      /* a new source MAC, and the port has as many as it may */
	DROP_RA_GUARD = 37,       /* a router advertisement from a port that is no router's */
	DROP_FAST_PATH = 38,      /* the kernel refused a step of the fast path when the frame was changed already */
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
	LOSS_SNOOPED = 4, /* a binding that `snooped` refused */
	LOSS_TAP = 5,     /* a watched frame, the `frames` ring being full */
	LOSS_LATE = 6,    /* a late frame from the old place of a MAC, which did not move it back */
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
	EVENT_MAC_MOVED = 2, /* was at another place */
	EVENT_BINDING = 3,   /* an address is at a MAC on a local port: new, or not as before */
	EVENT_PROBE = 4,     /* a probe came in */
};

/* Records of the `events` ring begin with their kind. */
enum mac_event_flag {
	MAC_ANNOUNCED = 1, /* by gratuitous ARP, unsolicited advertisement or RARP: the sender means it */
};

/* EVENT_MAC_LEARNED, EVENT_MAC_MOVED. Where it is and where it was, as in learned_entry. */
struct mac_event {
	__u32 kind; /* enum event_kind */
	__u32 vni;
	struct mac_addr mac;
	__u16 flags; /* enum mac_event_flag */
	__u32 ifindex;
	__u32 from_ifindex;
	__u64 at_ns; /* CLOCK_MONOTONIC */
	struct vtep_addr vtep;
	struct vtep_addr from_vtep;
};
ABI_SIZE(struct mac_event, 64);

/* EVENT_BINDING */
struct binding_event {
	__u32 kind; /* enum event_kind */
	__u32 vni;
	struct mac_addr mac;
	__u16 flags; /* enum neighbor_flag */
	__u32 ifindex;
	__u32 pad;
	__u64 at_ns; /* CLOCK_MONOTONIC */
	struct ip_addr ip;
};
ABI_SIZE(struct binding_event, 48);


#define PROBE_MAGIC 0x57454654 /* "WEFT" */
#define PROBE_ETHERTYPE 0x88b5 /* IEEE 802 local experimental 1 */

enum probe_kind {
	PROBE_REQUEST = 1,
	PROBE_REPLY = 2,
};

/*
 * After the Ethernet header of a probe between two daemons, through the tunnel.
 * Addressed to 01:80:c2:00:00:0f, which no port lets in.
 */
struct probe_header {
	__be32 magic;
	__be32 kind; /* enum probe_kind */
	__be32 vni;
	__be32 sequence;
	__be32 size;    /* Ethernet payload of the request, bytes */
	__be32 sent_us; /* by the clock of who asked, modulo 2^32 */
	__be32 held_us; /* between request and reply */
	__be32 pad;
	struct vtep_addr to;
};
ABI_SIZE(struct probe_header, 48);

/* EVENT_PROBE */
struct probe_event {
	__u32 kind; /* enum event_kind */
	__u32 vni;
	__u64 at_ns; /* CLOCK_MONOTONIC */
	struct vtep_addr vtep; /* it came from */
	__u32 size;  /* Ethernet payload that arrived, bytes */
	__u32 pad;
	struct probe_header header;
};
ABI_SIZE(struct probe_event, 88);

/* What the daemon has the probe program do, in cb[0]; cb[1] is an ifindex, cb[2] the length to grow to. */
enum probe_order {
	PROBE_INTO_PORT = 1,   /* the frame, as if the port's station had sent it */
	PROBE_INTO_TUNNEL = 2, /* to where its probe_header says */
};

/* Whoever watches frames has a slot. */
#define TAP_SLOTS 8
#define TAP_MAX_BYTES 1536

struct tap_key {
	__u32 slot;
};

enum tap_flag {
	TAP_SOURCE = 1,      /* only frames from `source` */
	TAP_DESTINATION = 2, /* only frames to `destination` */
	TAP_BOTH_WAYS = 4,   /* the pair in the other direction too */
	TAP_DELIVERIES = 8,  /* also what port_egress sees */
};

/* Which frames are recorded. Zero means any, where no flag says otherwise. */
struct tap_filter {
	__u64 until_ns; /* CLOCK_MONOTONIC; a tap whose daemon died ends too. 0: the slot is free */
	__u64 marker;   /* first 8 bytes after the headers of a marked probe */
	__u32 vni;
	__u32 ifindex; /* where the program runs */
	struct mac_addr source;
	struct mac_addr destination;
	__u32 flags; /* enum tap_flag */
	__u32 snaplen;
	__u32 pad;
};
ABI_SIZE(struct tap_filter, 48);

/* Head of a record of the `frames` ring; `captured` bytes of the frame follow. */
struct frame_record {
	__u64 at_ns; /* CLOCK_MONOTONIC */
	__u32 vni;
	__u16 program; /* enum program_id */
	__u16 reason;  /* enum verdict_reason */
	__u32 ifindex; /* where the program runs */
	__u32 length;  /* of the frame as the stack holds it */
	__u32 taps;    /* those that want it, a bit for each slot */
	__u16 captured;
	__u16 vlan_tci;    /* of the tag beside the frame, when vlan_proto is not 0 */
	__be16 vlan_proto;
	__u16 pad;
	__u32 pad_end;
	struct vtep_addr vtep; /* other end of the tunnel; zero: none */
};
ABI_SIZE(struct frame_record, 56);

#endif
