/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/redirect.c - what a target's redirection is: checked, shown, applied. */
#include "iscsi/redirect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"

#define PREFIX		"Redirect"
#define DEFAULT_PORT	3260

static const char *const reasons[] = {
	[ISCSI_REDIRECT_TEMPORARY] = "Temporary",
	[ISCSI_REDIRECT_PERMANENT] = "Permanent",
};

void iscsi_redirect_fini(struct iscsi_redirect *r)
{
	free(r->callback);
	r->callback = NULL;
}

int iscsi_redirect_copy(const struct iscsi_redirect *from, struct iscsi_redirect *to)
{
	*to = *from;
	if (from->callback)
		to->callback = strdup(from->callback);
	return from->callback && !to->callback ? -ENOMEM : 0;
}

/* --- one value --- */

/* An address that an initiator elsewhere can go to, without port. */
static int parse_address(const char *text, struct sockaddr_storage *ret)
{
	struct sockaddr_storage a;

	/* An explicit port differs from at least one of two defaults. */
	for (uint16_t port = 1; port <= 2; port++)
		if (net_addr_parse(text, port, &a, NULL, 0) < 0 ||
		    a.ss_family == AF_UNSPEC || net_addr_port(&a) != port)
			return -EINVAL;
	if (net_addr_is_wildcard(&a) || strchr(text, '%'))
		return -EINVAL;
	*ret = a;
	return 0;
}

static int parse_reason(const char *text, enum iscsi_redirect_reason *ret)
{
	for (int i = ISCSI_REDIRECT_TEMPORARY; i <= ISCSI_REDIRECT_PERMANENT; i++)
		if (!strcasecmp(text, reasons[i])) {
			*ret = (enum iscsi_redirect_reason)i;
			return 0;
		}
	return -EINVAL;
}

/* --- parameters --- */

static int set_address(struct iscsi_redirect *r, const char *value)
{
	struct sockaddr_storage a;

	r->address[0] = '\0';
	if (!*value)
		return 0;
	if (parse_address(value, &a) < 0)
		return -EINVAL;
	net_addr_format(&a, r->address, sizeof(r->address));
	return 0;
}

static int set_port(struct iscsi_redirect *r, const char *value)
{
	uint64_t v = 0;

	if (*value && parse_u64(value, 1, UINT16_MAX, &v) < 0)
		return -EINVAL;
	r->port = (uint16_t)v;
	return 0;
}

static int set_reason(struct iscsi_redirect *r, const char *value)
{
	r->reason = ISCSI_REDIRECT_NONE;
	return *value ? parse_reason(value, &r->reason) : 0;
}

static int set_callback(struct iscsi_redirect *r, const char *value)
{
	if (*value && *value != '/')
		return -EINVAL;
	iscsi_redirect_fini(r);
	if (*value)
		r->callback = strdup(value);
	return *value && !r->callback ? -ENOMEM : 0;
}

static const struct param {
	const char *name;
	int (*set)(struct iscsi_redirect *r, const char *value);
	const char *wanted;
} params[] = {
	{ PREFIX "Address", set_address,
	  "an IPv4 or IPv6 address without port, and not a wildcard" },
	{ PREFIX "Port", set_port, "1 to 65535" },
	{ PREFIX "Reason", set_reason, "Temporary or Permanent" },
	{ PREFIX "Callback", set_callback, "the absolute path of a program" },
};

/* Either may be the prefix of the other. */
static bool names(const struct param *p, const char *name)
{
	const size_t n = strlen(name);

	return n > strlen(PREFIX) && !strncmp(name, p->name, MIN(n, strlen(p->name)));
}

int iscsi_redirect_set(struct iscsi_redirect *r, const char *name, const char *value,
		       char *why, size_t why_bytes)
{
	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		const struct param *p = &params[i];
		int err;

		if (!names(p, name))
			continue;
		err = p->set(r, value);
		if (err == -ENOMEM)
			snprintf(why, why_bytes, "%s: out of memory", p->name);
		else if (err < 0)
			snprintf(why, why_bytes, "%s must be %s, or empty", p->name,
				 p->wanted);
		return err;
	}
	return -ENOENT;
}

static enum iscsi_redirect_reason reason_of(const struct iscsi_redirect *r)
{
	return r->reason ? r->reason : ISCSI_REDIRECT_TEMPORARY;
}

static uint16_t port_of(const struct iscsi_redirect *r)
{
	return r->port ? r->port : DEFAULT_PORT;
}

bool iscsi_redirect_show(const struct iscsi_redirect *r, unsigned int i,
			 const char **ret_name, char *value, size_t value_bytes)
{
	if (r->callback ? i > 0 : !r->address[0] || i > 2)
		return false;
	if (r->callback)
		i = 3;
	*ret_name = params[i].name;
	switch (i) {
	case 0:
		text_copy(value, value_bytes, r->address);
		break;
	case 1:
		snprintf(value, value_bytes, "%u", port_of(r));
		break;
	case 2:
		text_copy(value, value_bytes, reasons[reason_of(r)]);
		break;
	default:
		text_copy(value, value_bytes, r->callback);
		break;
	}
	return true;
}

/* --- where to --- */

static void format(const struct sockaddr_storage *addr, uint16_t port,
		   struct iscsi_redirect_to *to)
{
	struct sockaddr_storage a = *addr;

	net_addr_set_port(&a, port);
	net_addr_format_endpoint(&a, to->address, sizeof(to->address));
}

void iscsi_redirect_fixed(const struct iscsi_redirect *r, struct iscsi_redirect_to *to)
{
	struct sockaddr_storage a;

	*to = (struct iscsi_redirect_to){ .reason = ISCSI_REDIRECT_NONE };
	if (!r->address[0] || parse_address(r->address, &a) < 0)
		return;
	format(&a, port_of(r), to);
	to->reason = reason_of(r);
}

int iscsi_redirect_parse(const char *answer, struct iscsi_redirect_to *to)
{
	enum iscsi_redirect_reason reason;
	struct sockaddr_storage a;
	char text[2 * NET_ADDR_TEXT_MAX], *colon;
	uint64_t port;

	text_copy(text, sizeof(text), answer);
	text[strcspn(text, "\r\n")] = '\0';
	/* From the right: an IPv6 address has colons of its own. */
	colon = strrchr(text, ':');
	if (!colon || parse_reason(colon + 1, &reason) < 0)
		return -EINVAL;
	*colon = '\0';
	colon = strrchr(text, ':');
	if (!colon || parse_u64(colon + 1, 1, UINT16_MAX, &port) < 0)
		return -EINVAL;
	*colon = '\0';
	if (parse_address(text, &a) < 0)
		return -EINVAL;
	format(&a, (uint16_t)port, to);
	to->reason = reason;
	return 0;
}
