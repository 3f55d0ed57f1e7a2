/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Anti-spoofing: the addresses that a frame claims for its sender are those
 * its port may use.
 *
 *   Ethernet  source MAC (guard.h has seen to it)
 *   ARP       sender MAC; sender address, or the target of a probe (RFC 5227 1.1)
 *   RARP      sender MAC
 *   IPv4      source; 0.0.0.0 only to ask for a lease
 *   IPv6      source; :: only to ask who else has an address, for a router or for groups
 *   ND        link-layer options; the target of an advertisement, and of a solicitation from ::
 *
 * All behind tags, too. What cannot be read does not pass: more than three
 * tags, headers that are cut off, ND in fragments, which stations must ignore
 * (RFC 6980). Frames of other kinds have no address but their MAC.
 */
#ifndef WEFT_SPOOF_H
#define WEFT_SPOOF_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "allowed.h"
#include "arp.h"
#include "ip.h"
#include "nd.h"
#include "nd_options.h"
#include "packet.h"
#include "plain.h"

#define DHCP_SERVER_PORT bpf_htons(67)

#define MLD_REPORT 131
#define MLD_DONE 132
#define MLD2_REPORT 143

static __always_inline __u32
unreadable(__u32 port_flags)
{
	return port_flags & PORT_FILTER_IP ? DROP_SPOOFED_IP : DROP_SPOOFED_MAC;
}

/* Verifier: not inlined, like check_nd_links(), because stack is scarce. */
static __noinline __u32
check_arp(struct __sk_buff *skb, const struct packet *packet, __u32 port_flags)
{
	struct arp_packet arp;
	struct ip_addr claim;

	if (!load_arp(skb, packet->network, &arp))
		return unreadable(port_flags);
	if (port_flags & PORT_FILTER_MAC && !is_allowed_mac(skb->ifindex, &arp.sender))
		return DROP_SPOOFED_MAC;
	if (!(port_flags & PORT_FILTER_IP) || packet->ether_type == bpf_htons(ETH_P_RARP))
		return 0;
	map_ipv4(&claim, ip_of(arp.sender_ip) ?: ip_of(arp.target_ip));
	return is_listed_ip(skb->ifindex, &claim) ? 0 : DROP_SPOOFED_IP;
}

static __always_inline bool
asks_for_lease(struct __sk_buff *skb, const struct packet *packet)
{
	struct udp_ports ports;

	return packet->protocol == IPPROTO_UDP && !~ip_words(&packet->destination).word[3] &&
	       load_transport(skb, packet, 0, &ports, sizeof(ports)) && ports.destination == DHCP_SERVER_PORT;
}

static __always_inline __u32
check_ipv4(struct __sk_buff *skb, const struct packet *packet, __u32 port_flags)
{
	if (!(port_flags & PORT_FILTER_IP) || is_listed_ip(skb->ifindex, &packet->source))
		return 0;
	return !ip_words(&packet->source).word[3] && asks_for_lease(skb, packet) ? 0 : DROP_SPOOFED_IP;
}

/* What a station without an address sends to groups of its link (RFC 4862 5.4.2, RFC 4861 4.1, RFC 3590). */
static __always_inline bool
starts_up(const struct packet *packet, __u8 type)
{
	const __u8 *to = packet->destination.addr;

	return to[0] == 0xff && to[1] == 0x02 &&
	       (type == ND_SOLICITATION || type == ND_ROUTER_SOLICITATION || type == MLD_REPORT ||
		type == MLD_DONE || type == MLD2_REPORT);
}

static __noinline __u32
check_nd_links(struct __sk_buff *skb, const struct packet *packet, __u8 type, __u32 port_flags)
{
	struct nd_links links = {};

	if (packet->flags & PACKET_FRAGMENT ||
	    !read_nd_links(skb, packet->transport + nd_header_length(type),
			   packet->network + packet->length, &links))
		return unreadable(port_flags);
	if (!(port_flags & PORT_FILTER_MAC))
		return 0;
	/* A router redirects to stations that are not its own. */
	if (type == ND_REDIRECT && port_flags & PORT_ROUTER)
		links.named &= ~(1 << ND_TARGET_LINK);
	if (links.named & (1 << ND_SOURCE_LINK) && !is_allowed_mac(skb->ifindex, &links.source))
		return DROP_SPOOFED_MAC;
	if (links.named & (1 << ND_TARGET_LINK) && !is_allowed_mac(skb->ifindex, &links.target))
		return DROP_SPOOFED_MAC;
	return 0;
}

static __always_inline __u32
check_ipv6(struct __sk_buff *skb, const struct packet *packet, __u32 port_flags)
{
	bool from_nobody = is_unspecified(&packet->source);
	struct nd_message nd = {};

	if (packet->protocol == IPPROTO_ICMPV6 && !(packet->flags & PACKET_LATER) &&
	    !load_transport(skb, packet, 0, &nd, sizeof(nd.type)))
		return unreadable(port_flags);
	if (port_flags & PORT_FILTER_IP) {
		if (from_nobody ? !starts_up(packet, nd.type) :
				  !is_allowed_ip6(skb->ifindex, &packet->source, port_flags))
			return DROP_SPOOFED_IP;
	}
	if (!is_nd(nd.type))
		return 0;
	if (port_flags & PORT_FILTER_IP &&
	    (nd.type == ND_ADVERTISEMENT || (nd.type == ND_SOLICITATION && from_nobody))) {
		if (!load_transport(skb, packet, 0, &nd, sizeof(nd)) ||
		    !is_allowed_ip6(skb->ifindex, &nd.target, port_flags))
			return DROP_SPOOFED_IP;
	}
	return check_nd_links(skb, packet, nd.type, port_flags);
}

/* The reason to drop the frame, 0 when there is none. Verifier: a global function, as flood.h explains. */
__noinline __u32
find_spoof(struct __sk_buff *skb, const struct packet *packet, __u32 port_flags)
{
	if (!packet)
		return DROP_SPOOFED_MAC;
	if (packet->flags & PACKET_UNREADABLE)
		return unreadable(port_flags);
	switch (bpf_ntohs(packet->ether_type)) {
	case ETH_P_ARP:
	case ETH_P_RARP:
		return check_arp(skb, packet, port_flags);
	case ETH_P_IP:
		return check_ipv4(skb, packet, port_flags);
	case ETH_P_IPV6:
		return check_ipv6(skb, packet, port_flags);
	default:
		return 0;
	}
}

#endif
