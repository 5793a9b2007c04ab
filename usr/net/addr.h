/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net/addr.h - numeric IPv4 and IPv6 addresses: endpoints and networks.
 *
 * Names are not looked up: the control thread must not wait for DNS.  A parser
 * that refuses says why in one sentence in @why (NULL: nobody wants to know).
 * Any thread.
 */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define NET_ADDR_TEXT_MAX	64	/* "[IPv6%scope]:port" and its NUL */

/*
 * "1.2.3.4", "1.2.3.4:3260", "::1", "[::1]", "[::1]:3260", "[fe80::1%eth0]:1",
 * ":3260" and "".  Without an address ss_family is AF_UNSPEC, and the port is
 * there all the same.  Errors: -EINVAL.
 */
int net_addr_parse(const char *text, uint16_t default_port,
		   struct sockaddr_storage *ret, char *why, size_t why_bytes);

/* "1.2.3.4" or "fe80::1" (with %scope where there is one); returns @buf. */
const char *net_addr_format(const struct sockaddr_storage *addr, char *buf,
			    size_t buf_bytes);
/* "1.2.3.4:3260", "[::1]:3260"; returns @buf. */
const char *net_addr_format_endpoint(const struct sockaddr_storage *addr,
				     char *buf, size_t buf_bytes);

socklen_t net_addr_bytes(const struct sockaddr_storage *addr);
uint16_t net_addr_port(const struct sockaddr_storage *addr);
void net_addr_set_port(struct sockaddr_storage *addr, uint16_t port);
void net_addr_wildcard(int family, uint16_t port, struct sockaddr_storage *ret);
bool net_addr_is_wildcard(const struct sockaddr_storage *addr);
bool net_addr_is_loopback(const struct sockaddr_storage *addr);
bool net_addr_is_link_local(const struct sockaddr_storage *addr);
/* Same host address (scope included), whatever the port. */
bool net_addr_same_host(const struct sockaddr_storage *a,
			const struct sockaddr_storage *b);

struct net_addr_cidr {
	int family;
	uint8_t prefix_bits;
	uint8_t addr[16];	/* network order, host bits clear */
};

/* "192.0.2.0/24", "2001:db8::/32", or an address alone.  Errors: -EINVAL. */
int net_addr_parse_cidr(const char *text, struct net_addr_cidr *ret, char *why,
			size_t why_bytes);
/* An IPv4-mapped IPv6 address counts as the IPv4 address that it is. */
bool net_addr_cidr_contains(const struct net_addr_cidr *net,
			    const struct sockaddr_storage *addr);
bool net_addr_cidr_equal(const struct net_addr_cidr *a,
			 const struct net_addr_cidr *b);
