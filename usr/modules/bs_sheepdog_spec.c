/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_sheepdog_spec.c - one pass from left to right; what is wrong is named. */
#include "bs_sheepdog_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tgt/bs_module.h>

#define FORMS "unix:PATH:VDI[:TAG] or tcp:HOST:PORT[,HOST:PORT]:VDI[:TAG]"

/* Copy @n bytes of @from as text; -ENAMETOOLONG. */
static int take(char *to, size_t to_bytes, const char *from, size_t n)
{
	if (n >= to_bytes)
		return -ENAMETOOLONG;
	memcpy(to, from, n);
	to[n] = '\0';
	return 0;
}

static int parse_path(const char **at, struct sheep_spec *s)
{
	const size_t n = strcspn(*at, ":");

	if (!n) {
		bs_say("no socket's path after 'unix:' (" FORMS ")");
		return -EINVAL;
	}
	if (take(s->path, sizeof(s->path), *at, n)) {
		bs_say("the socket's path is longer than %zu bytes",
		       sizeof(s->path) - 1);
		return -EINVAL;
	}
	*at += n;
	return 0;
}

static int parse_host(const char **at, struct sheep_gateway *g)
{
	const bool v6 = **at == '[';
	const char *from = *at + v6;
	const size_t n = strcspn(from, v6 ? "]" : ":,");
	const char *end = from + n;

	if (v6 && *end != ']') {
		bs_say("no ']' after the IPv6 address '%s'", *at);
		return -EINVAL;
	}
	end += v6;
	if (!n || take(g->host, sizeof(g->host), from, n)) {
		bs_say("%s before '%s' (" FORMS ")",
		       n ? "too long a host name" : "no host name", end);
		return -EINVAL;
	}
	if (*end != ':') {
		bs_say("no port after the host '%s' (" FORMS ")", g->host);
		return -EINVAL;
	}
	*at = end + 1;
	return 0;
}

static int parse_port(const char **at, struct sheep_gateway *g)
{
	const size_t n = strcspn(*at, ":,");
	const size_t digits = strspn(*at, "0123456789");
	unsigned long port = 0;

	if (n && n == digits && !take(g->port, sizeof(g->port), *at, n))
		port = strtoul(g->port, NULL, 10);
	if (!port || port > UINT16_MAX) {
		bs_say("'%.*s' after '%s' is not a port from 1 to 65535 (an IPv6 address is "
		       "put in [])",
		       (int)n, *at, g->host);
		return -EINVAL;
	}
	*at += n;
	return 0;
}

static int parse_gateways(const char **at, struct sheep_spec *s)
{
	int err = 0;

	for (;;) {
		struct sheep_gateway *g = &s->gateways[s->nr_gateways++];

		err = parse_host(at, g);
		if (!err)
			err = parse_port(at, g);
		if (err || **at != ',')
			return err;
		(*at)++;
		if (s->nr_gateways == SHEEP_GATEWAYS_MAX) {
			bs_say("more than %d gateways", SHEEP_GATEWAYS_MAX);
			return -EINVAL;
		}
	}
}

/* A number is a snapshot's, as it is for QEMU and dog. */
static int parse_snapshot(const char *text, struct sheep_spec *s)
{
	if (!*text) {
		bs_say("no tag or snapshot number after '%s:'", s->names.name);
		return -EINVAL;
	}
	if (strspn(text, "0123456789") == strlen(text)) {
		const unsigned long n =
			strlen(text) < 11 ? strtoul(text, NULL, 10) : 0;

		if (!n || n > UINT32_MAX) {
			bs_say("'%s' is not a snapshot number from 1 to %u",
			       text, UINT32_MAX);
			return -EINVAL;
		}
		s->snapid = (uint32_t)n;
		return 0;
	}
	if (take(s->names.tag, sizeof(s->names.tag), text, strlen(text))) {
		bs_say("a tag has at most %d bytes", SHEEP_NAME_BYTES - 1);
		return -EINVAL;
	}
	return 0;
}

static int parse_vdi(const char *text, struct sheep_spec *s)
{
	const size_t n = strcspn(text, ":");

	if (!n) {
		bs_say("no name of a VDI (" FORMS ")");
		return -EINVAL;
	}
	if (take(s->names.name, sizeof(s->names.name), text, n)) {
		bs_say("a VDI's name has at most %d bytes",
		       SHEEP_NAME_BYTES - 1);
		return -EINVAL;
	}
	return text[n] ? parse_snapshot(text + n + 1, s) : 0;
}

int bs_sheepdog_spec_parse(const char *text, enum sheep_spec_of what,
			   struct sheep_spec *ret)
{
	struct sheep_spec s = { 0 };
	const char *at = text;
	int err;

	if (!strncmp(at, "unix:", 5)) {
		at += 5;
		err = parse_path(&at, &s);
	} else if (!strncmp(at, "tcp:", 4)) {
		at += 4;
		err = parse_gateways(&at, &s);
	} else {
		bs_say("'%.40s' begins with neither 'unix:' nor 'tcp:' (" FORMS
		       ")",
		       text);
		return -EINVAL;
	}
	if (err)
		return err;
	at += *at == ':';
	if (what == SHEEP_SPEC_VDI || *at)
		err = parse_vdi(at, &s);
	if (!err)
		*ret = s;
	return err;
}
