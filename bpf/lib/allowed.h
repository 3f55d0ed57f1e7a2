/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which MACs and addresses a port may use. */
#ifndef WEFT_ALLOWED_H
#define WEFT_ALLOWED_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "ip.h"
#include "maps.h"

#define BITS_OF(type) (8 * sizeof(type))

/* Verifier: not inlined, like the next, to keep its key off the stack of those who ask often. */
static __noinline bool
is_allowed_mac(__u32 ifindex, const struct mac_addr *mac)
{
	struct allowed_mac_key key = { .ifindex = ifindex, .mac = *mac };

	return bpf_map_lookup_elem(&allowed_macs, &key);
}

static __noinline bool
is_listed_ip(__u32 ifindex, const struct ip_addr *ip)
{
	struct allowed_ip_key key = {
		.prefix_length = BITS_OF(key.ifindex) + BITS_OF(key.ip),
		.ifindex = ifindex,
		.ip = *ip,
	};
	const struct allowed_entry *entry;

	entry = bpf_map_lookup_elem(&allowed_ips, &key);
	return entry && !(entry->flags & ALLOWED_NOT);
}

/* Whether it is the link-local address that a MAC of the port's list makes (RFC 4291 appendix A). */
static __always_inline bool
is_made_of_allowed_mac(__u32 ifindex, const struct ip_addr *ip)
{
	const __u8 *a = ip->addr;
	struct mac_addr mac = { { a[8] ^ 2, a[9], a[10], a[13], a[14], a[15] } };

	if (a[1] != 0x80 || a[2] | a[3] | a[4] | a[5] | a[6] | a[7] || a[11] != 0xff || a[12] != 0xfe)
		return false;
	return is_allowed_mac(ifindex, &mac);
}

/*
 * Every IPv6 station has a link-local address and cannot speak without it, yet
 * few would list it. So beside the listed addresses: on a port with a list of
 * MACs, the link-local address that each of them makes (EUI-64); on a port
 * without, every one, since nothing says which are its own. A station with
 * MACs listed and another kind of link-local address (RFC 7217) needs it listed,
 * or fe80::/10.
 */
static __always_inline bool
is_allowed_ip6(__u32 ifindex, const struct ip_addr *ip, __u32 port_flags)
{
	if (is_mapped_ip(ip))
		return false;
	if (is_listed_ip(ifindex, ip))
		return true;
	if (!is_link_local_ip(ip))
		return false;
	return !(port_flags & PORT_FILTER_MAC) || is_made_of_allowed_mac(ifindex, ip);
}

#endif
