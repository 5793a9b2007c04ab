/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/acl.c - two rules are the same if they match the same, however written. */
#include "iscsi/acl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/macros.h"
#include "base/text.h"
#include "iscsi/proto.h"
#include "net/addr.h"

struct rule {
	enum iscsi_acl_kind kind;
	bool all;			/* addresses: any */
	struct net_addr_cidr net;
	char text[ISCSI_NAME_MAX + 1];	/* as it was given */
};

struct iscsi_acl {
	unsigned int n;
	struct rule rules[];
};

static int refuse(char *why, size_t why_bytes, const char *text, const char *what)
{
	char quoted[80];

	if (why)
		snprintf(why, why_bytes, "\"%s\" %s",
			 text_quote(quoted, sizeof(quoted), text, strlen(text)),
			 what);
	return -EINVAL;
}

/* The form of an iSCSI name is not asked for: initiators call themselves many
 * things.  What a line of text cannot hold is no name. */
static int parse_name(const char *text, char *why, size_t why_bytes)
{
	if (!text[0])
		return refuse(why, why_bytes, text, "is no initiator name.");
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return refuse(why, why_bytes, text,
				      "holds a character that no name may have.");
	return 0;
}

static int parse(enum iscsi_acl_kind kind, const char *text, struct rule *ret,
		 char *why, size_t why_bytes)
{
	struct rule r = { .kind = kind };
	int err = 0;

	if (strlen(text) > ISCSI_NAME_MAX)
		return refuse(why, why_bytes, text, "is too long.");
	if (kind == ISCSI_ACL_NAME)
		err = parse_name(text, why, why_bytes);
	else if (!strcmp(text, "ALL"))
		r.all = true;
	else
		err = net_addr_parse_cidr(text, &r.net, why, why_bytes);
	if (err < 0)
		return err;
	text_copy(r.text, sizeof(r.text), text);
	*ret = r;
	return 0;
}

static bool same(const struct rule *a, const struct rule *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == ISCSI_ACL_NAME)
		return !strcmp(a->text, b->text);
	return a->all == b->all && net_addr_cidr_equal(&a->net, &b->net);
}

/* The index of the rule that is the same, or -ENOENT. */
static int find(const struct iscsi_acl *a, const struct rule *r)
{
	for (unsigned int i = 0; a && i < a->n; i++)
		if (same(&a->rules[i], r))
			return (int)i;
	return -ENOENT;
}

static struct iscsi_acl *copy(const struct iscsi_acl *a, unsigned int more)
{
	const unsigned int n = a ? a->n : 0;
	struct iscsi_acl *new;

	new = malloc(sizeof(*new) + (n + more) * sizeof(new->rules[0]));
	if (!new)
		return NULL;
	new->n = n;
	if (n)
		memcpy(new->rules, a->rules, n * sizeof(a->rules[0]));
	return new;
}

int iscsi_acl_add(const struct iscsi_acl *a, enum iscsi_acl_kind kind,
		  const char *text, struct iscsi_acl **ret, char *why,
		  size_t why_bytes)
{
	struct iscsi_acl *new;
	struct rule r;
	int err;

	err = parse(kind, text, &r, why, why_bytes);
	if (err < 0)
		return err;
	if (find(a, &r) >= 0)
		return -EEXIST;
	new = copy(a, 1);
	if (!new)
		return -ENOMEM;
	new->rules[new->n++] = r;
	*ret = new;
	return 0;
}

int iscsi_acl_remove(const struct iscsi_acl *a, enum iscsi_acl_kind kind,
		     const char *text, struct iscsi_acl **ret, char *why,
		     size_t why_bytes)
{
	struct iscsi_acl *new = NULL;
	struct rule r;
	int i, err;

	err = parse(kind, text, &r, why, why_bytes);
	if (err < 0)
		return err;
	i = find(a, &r);
	if (i < 0)
		return i;
	if (a->n > 1) {
		new = copy(a, 0);
		if (!new)
			return -ENOMEM;
		memmove(&new->rules[i], &new->rules[i + 1],
			(new->n - (unsigned int)i - 1) * sizeof(r));
		new->n--;
	}
	*ret = new;
	return 0;
}

static bool matches(const struct rule *r, const struct sockaddr_storage *peer,
		    const char *initiator_name)
{
	if (r->kind == ISCSI_ACL_NAME)
		return !strcmp(r->text, initiator_name);
	return r->all || net_addr_cidr_contains(&r->net, peer);
}

bool iscsi_acl_allows(const struct iscsi_acl *a, const struct sockaddr_storage *peer,
		      const char *initiator_name)
{
	bool bound[2] = { false }, matched[2] = { false };

	for (unsigned int i = 0; a && i < a->n; i++) {
		bound[a->rules[i].kind] = true;
		if (matches(&a->rules[i], peer, initiator_name))
			matched[a->rules[i].kind] = true;
	}
	for (int kind = 0; kind < 2; kind++)
		if (bound[kind] && !matched[kind])
			return false;
	return bound[ISCSI_ACL_ADDRESS] || bound[ISCSI_ACL_NAME];
}

void iscsi_acl_each(const struct iscsi_acl *a,
		    void (*visit)(enum iscsi_acl_kind kind, const char *text,
				  void *arg),
		    void *arg)
{
	for (enum iscsi_acl_kind kind = ISCSI_ACL_ADDRESS; kind <= ISCSI_ACL_NAME; kind++)
		for (unsigned int i = 0; a && i < a->n; i++)
			if (a->rules[i].kind == kind)
				visit(kind, a->rules[i].text, arg);
}

int iscsi_acl_copy(const struct iscsi_acl *a, struct iscsi_acl **ret)
{
	struct iscsi_acl *new = NULL;

	if (a) {
		new = copy(a, 0);
		if (!new)
			return -ENOMEM;
	}
	*ret = new;
	return 0;
}

void iscsi_acl_free(struct iscsi_acl *a)
{
	free(a);
}
