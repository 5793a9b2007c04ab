/* SPDX-License-Identifier: BSD-3-Clause */
/* net/addr.c - the text is split here; inet_pton(3) judges the parts. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"

#define HOST_BYTES	(INET6_ADDRSTRLEN + IF_NAMESIZE + 2)

static struct sockaddr_in *in4(struct sockaddr_storage *a)
{
	return (struct sockaddr_in *)(void *)a;
}

static struct sockaddr_in6 *in6(struct sockaddr_storage *a)
{
	return (struct sockaddr_in6 *)(void *)a;
}

static const struct sockaddr_in *const_in4(const struct sockaddr_storage *a)
{
	return (const struct sockaddr_in *)(const void *)a;
}

static const struct sockaddr_in6 *const_in6(const struct sockaddr_storage *a)
{
	return (const struct sockaddr_in6 *)(const void *)a;
}

/* The sentence about @text (quoted, as it may hold anything); -EINVAL. */
static int refuse(char *why, size_t why_bytes, const char *text, const char *what)
{
	char quoted[80];

	if (why)
		snprintf(why, why_bytes, "\"%s\" %s",
			 text_quote(quoted, sizeof(quoted), text, strlen(text)),
			 what);
	return -EINVAL;
}

static bool parse_v4(const char *host, struct sockaddr_storage *ret)
{
	struct in_addr a;

	if (inet_pton(AF_INET, host, &a) != 1)
		return false;
	*ret = (struct sockaddr_storage){ .ss_family = AF_INET };
	in4(ret)->sin_addr = a;
	return true;
}

static bool parse_v6(char *host, struct sockaddr_storage *ret)
{
	char *scope = strchr(host, '%');
	struct in6_addr a;
	unsigned int index = 0;

	if (scope) {
		*scope++ = '\0';
		index = if_nametoindex(scope);
		if (!index)
			return false;
	}
	if (inet_pton(AF_INET6, host, &a) != 1)
		return false;
	*ret = (struct sockaddr_storage){ .ss_family = AF_INET6 };
	in6(ret)->sin6_addr = a;
	in6(ret)->sin6_scope_id = index;
	return true;
}

/*
 * Split "[host]:port", "host:port" or "host" into @host and *ret_port (NULL:
 * none).  False: not of that form.
 */
static bool split(const char *text, char *host, size_t host_bytes,
		  const char **ret_port, bool *ret_bracketed)
{
	const char *end, *first = strchr(text, ':');
	size_t n;

	*ret_bracketed = text[0] == '[';
	*ret_port = NULL;
	if (*ret_bracketed) {
		end = strchr(++text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		*ret_port = end[1] ? end + 2 : NULL;
	} else if (first && !strchr(first + 1, ':')) {
		end = first;
		*ret_port = first + 1;
	} else {	/* no colon, or several: then it is a bare IPv6 address */
		end = text + strlen(text);
	}
	n = (size_t)(end - text);
	if (n >= host_bytes)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	return true;
}

int net_addr_parse(const char *text, uint16_t default_port,
		   struct sockaddr_storage *ret, char *why, size_t why_bytes)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
	uint64_t port = default_port;
	const char *port_text;
	char host[HOST_BYTES];
	bool bracketed, ok;

	if (!split(text, host, sizeof(host), &port_text, &bracketed))
		return refuse(why, why_bytes, text,
			      "is not an address: write 192.0.2.1:3260 or "
			      "[2001:db8::1]:3260.");
	if (port_text && parse_u64(port_text, 0, UINT16_MAX, &port) < 0)
		return refuse(why, why_bytes, text,
			      "has no valid port: 0 to 65535 is.");
	if (bracketed)
		ok = parse_v6(host, &addr);
	else
		ok = !host[0] || parse_v4(host, &addr) || parse_v6(host, &addr);
	if (!ok)
		return refuse(why, why_bytes, text,
			      "is not a numeric IPv4 or IPv6 address.");
	net_addr_set_port(&addr, (uint16_t)port);
	*ret = addr;
	return 0;
}

const char *net_addr_format(const struct sockaddr_storage *addr, char *buf,
			    size_t buf_bytes)
{
	char scope[IF_NAMESIZE];
	const void *raw = &const_in4(addr)->sin_addr;
	uint32_t index = 0;

	if (addr->ss_family == AF_INET6) {
		raw = &const_in6(addr)->sin6_addr;
		index = const_in6(addr)->sin6_scope_id;
	}
	if (!inet_ntop(addr->ss_family, raw, buf, (socklen_t)buf_bytes))
		return text_copy(buf, buf_bytes, "?");
	if (index && if_indextoname(index, scope)) {
		const size_t n = strlen(buf);

		snprintf(buf + n, buf_bytes - n, "%%%s", scope);
	}
	return buf;
}

const char *net_addr_format_endpoint(const struct sockaddr_storage *addr,
				     char *buf, size_t buf_bytes)
{
	const bool v6 = addr->ss_family == AF_INET6;
	char host[HOST_BYTES];

	snprintf(buf, buf_bytes, v6 ? "[%s]:%u" : "%s:%u",
		 net_addr_format(addr, host, sizeof(host)), net_addr_port(addr));
	return buf;
}

socklen_t net_addr_bytes(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					     sizeof(struct sockaddr_in);
}

/* sin_port and sin6_port have the same place. */
static_assert(offsetof(struct sockaddr_in, sin_port) ==
	      offsetof(struct sockaddr_in6, sin6_port), "port");

uint16_t net_addr_port(const struct sockaddr_storage *addr)
{
	return ntohs(const_in4(addr)->sin_port);
}

void net_addr_set_port(struct sockaddr_storage *addr, uint16_t port)
{
	in4(addr)->sin_port = htons(port);
}

void net_addr_wildcard(int family, uint16_t port, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){ .ss_family = (sa_family_t)family };
	net_addr_set_port(ret, port);	/* INADDR_ANY and in6addr_any are zeroes */
}

bool net_addr_is_wildcard(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&const_in6(addr)->sin6_addr);
	return const_in4(addr)->sin_addr.s_addr == htonl(INADDR_ANY);
}

bool net_addr_is_loopback(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&const_in6(addr)->sin6_addr);
	return ntohl(const_in4(addr)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool net_addr_is_link_local(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET6)
		return IN6_IS_ADDR_LINKLOCAL(&const_in6(addr)->sin6_addr);
	return ntohl(const_in4(addr)->sin_addr.s_addr) >> 16 == 0xa9fe;
}

bool net_addr_same_host(const struct sockaddr_storage *a,
			const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET6)
		return IN6_ARE_ADDR_EQUAL(&const_in6(a)->sin6_addr,
					  &const_in6(b)->sin6_addr) &&
		       const_in6(a)->sin6_scope_id == const_in6(b)->sin6_scope_id;
	return const_in4(a)->sin_addr.s_addr == const_in4(b)->sin_addr.s_addr;
}

/* The bytes of @addr as family and network order; mapped IPv4 is unwrapped. */
static const uint8_t *raw_bytes(const struct sockaddr_storage *addr, int *ret_family)
{
	const struct in6_addr *a6 = &const_in6(addr)->sin6_addr;

	*ret_family = addr->ss_family;
	if (addr->ss_family == AF_INET)
		return (const uint8_t *)&const_in4(addr)->sin_addr;
	if (!IN6_IS_ADDR_V4MAPPED(a6))
		return a6->s6_addr;
	*ret_family = AF_INET;
	return a6->s6_addr + 12;
}

static uint8_t mask_byte(unsigned int prefix_bits, unsigned int i)
{
	if (prefix_bits >= 8 * (i + 1))
		return 0xff;
	if (prefix_bits <= 8 * i)
		return 0;
	return (uint8_t)(0xff << (8 * (i + 1) - prefix_bits));
}

int net_addr_parse_cidr(const char *text, struct net_addr_cidr *ret, char *why,
			size_t why_bytes)
{
	const char *slash = strchr(text, '/');
	const size_t n = slash ? (size_t)(slash - text) : strlen(text);
	struct net_addr_cidr net = { 0 };
	struct sockaddr_storage addr;
	char host[INET6_ADDRSTRLEN];
	const uint8_t *raw;
	uint64_t prefix;
	unsigned int bytes;

	if (n >= sizeof(host))
		return refuse(why, why_bytes, text, "is too long for an address.");
	memcpy(host, text, n);
	host[n] = '\0';
	/* No scope in a rule: what it would compare with is not told by a peer. */
	if (strchr(host, '%') || (!parse_v4(host, &addr) && !parse_v6(host, &addr)))
		return refuse(why, why_bytes, text,
			      "is not a numeric IPv4 or IPv6 address or network.");
	raw = raw_bytes(&addr, &net.family);
	bytes = net.family == AF_INET ? 4 : 16;
	prefix = 8 * bytes;
	if (slash && parse_u64(slash + 1, 0, prefix, &prefix) < 0)
		return refuse(why, why_bytes, text,
			      net.family == AF_INET ?
				      "has no valid prefix length: 0 to 32 is." :
				      "has no valid prefix length: 0 to 128 is.");
	net.prefix_bits = (uint8_t)prefix;
	for (unsigned int i = 0; i < bytes; i++)
		net.addr[i] = raw[i] & mask_byte(net.prefix_bits, i);
	*ret = net;
	return 0;
}

bool net_addr_cidr_contains(const struct net_addr_cidr *net,
			    const struct sockaddr_storage *addr)
{
	int family;
	const uint8_t *raw = raw_bytes(addr, &family);

	if (family != net->family)
		return false;
	for (unsigned int i = 0; i < (family == AF_INET ? 4U : 16U); i++)
		if ((raw[i] & mask_byte(net->prefix_bits, i)) != net->addr[i])
			return false;
	return true;
}

bool net_addr_cidr_equal(const struct net_addr_cidr *a,
			 const struct net_addr_cidr *b)
{
	return a->family == b->family && a->prefix_bits == b->prefix_bits &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}
