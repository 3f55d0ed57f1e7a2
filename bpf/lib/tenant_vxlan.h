/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A tenant that sends VXLAN to one of our VTEPs could, where a segment is routed
 * to the underlay, speak in any other segment. Behind tags, options and
 * extensions, too. A later fragment shows no port: alone it is harmless, since
 * without the first, which is dropped here, nobody puts it together.
 */
#ifndef WEFT_TENANT_VXLAN_H
#define WEFT_TENANT_VXLAN_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_helpers.h>

#include "packet.h"
#include "plain.h"
#include "tables.h"

/* Of the underlay, whatever the segment. */
static __always_inline bool
is_any_vtep(const struct ip_addr *ip)
{
	struct vtep_key key = {};

	__builtin_memcpy(&key.vtep, ip, sizeof(key.vtep));
	return is_known_vtep(&key);
}

static __always_inline bool
is_tenant_vxlan(struct __sk_buff *skb, const struct packet *packet)
{
	struct udp_ports ports;

	if (!is_ip(packet))
		return false;
	/* With so many extensions it is nothing that anybody sends in earnest. */
	if (packet->flags & PACKET_UNREADABLE)
		return is_any_vtep(&packet->destination);
	return packet->protocol == IPPROTO_UDP && load_transport(skb, packet, 0, &ports, sizeof(ports)) &&
	       is_vxlan_port(ports.destination) && is_any_vtep(&packet->destination);
}

#endif
