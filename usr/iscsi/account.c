/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/account.c - the table is a list (newest first, as it is shown) that only
 * control touches.  A bound set is replaced as a whole.  Secrets are wiped
 * before their memory is given back, and appear in no message.
 */
#include "iscsi/account.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/list.h"
#include "base/log.h"
#include "base/rcu.h"
#include "base/text.h"
#include "iscsi/target.h"

struct account {
	struct list_head node;
	char user[ISCSI_ACCOUNT_USER_MAX + 1];
	char secret[ISCSI_ACCOUNT_PASSWORD_MAX + 1];
};

struct iscsi_accounts {
	struct rcu_head rcu;
	unsigned int n;
	struct bound {
		bool outgoing;
		char user[ISCSI_ACCOUNT_USER_MAX + 1];
		char secret[ISCSI_ACCOUNT_PASSWORD_MAX + 1];
	} e[];
};

static struct list_head table = LIST_HEAD_INIT(table);
static unsigned int table_n;
static struct iscsi_accounts *discovery;	/* RCU */

DEFINE_CLEANUP(struct iscsi_accounts *, iscsi_account_free)

void iscsi_account_free(struct iscsi_accounts *a)
{
	if (!a)
		return;
	OPENSSL_cleanse(a->e, a->n * sizeof(a->e[0]));
	free(a);
}

static void accounts_free_rcu(struct rcu_head *head)
{
	iscsi_account_free(caa_container_of(head, struct iscsi_accounts, rcu));
}

/* A copy of @a (may be NULL) with room for @more. */
static struct iscsi_accounts *copy(const struct iscsi_accounts *a, unsigned int more)
{
	const unsigned int n = a ? a->n : 0;
	struct iscsi_accounts *new;

	new = calloc(1, sizeof(*new) + (n + more) * sizeof(new->e[0]));
	if (!new)
		return NULL;
	new->n = n;
	if (n)
		memcpy(new->e, a->e, n * sizeof(a->e[0]));
	return new;
}

int iscsi_account_copy(const struct iscsi_accounts *a, struct iscsi_accounts **ret)
{
	struct iscsi_accounts *new = NULL;

	if (a) {
		new = copy(a, 0);
		if (!new)
			return -ENOMEM;
	}
	*ret = new;
	return 0;
}

static struct bound *find_bound(struct iscsi_accounts *a, const char *user,
				bool outgoing)
{
	for (unsigned int i = 0; a && i < a->n; i++)
		if (a->e[i].outgoing == outgoing && !strcmp(a->e[i].user, user))
			return &a->e[i];
	return NULL;
}

bool iscsi_account_required(const struct iscsi_accounts *a)
{
	for (unsigned int i = 0; a && i < a->n; i++)
		if (!a->e[i].outgoing)
			return true;
	return false;
}

const char *iscsi_account_secret(const struct iscsi_accounts *a, const char *user)
{
	for (unsigned int i = 0; a && i < a->n; i++)
		if (!a->e[i].outgoing && !strcmp(a->e[i].user, user))
			return a->e[i].secret;
	return NULL;
}

bool iscsi_account_outgoing(const struct iscsi_accounts *a, const char **ret_user,
			    const char **ret_secret)
{
	for (unsigned int i = 0; a && i < a->n; i++) {
		if (!a->e[i].outgoing)
			continue;
		*ret_user = a->e[i].user;
		*ret_secret = a->e[i].secret;
		return true;
	}
	return false;
}

void iscsi_account_each_bound(const struct iscsi_accounts *a,
			      void (*visit)(const char *user, bool outgoing,
					    void *arg),
			      void *arg)
{
	for (int outgoing = 0; outgoing < 2; outgoing++)
		for (unsigned int i = 0; a && i < a->n; i++)
			if (a->e[i].outgoing == outgoing)
				visit(a->e[i].user, outgoing, arg);
}

const struct iscsi_accounts *iscsi_account_discovery(void)
{
	return rcu_dereference(discovery);
}

static struct account *find(const char *user)
{
	struct account *a;

	list_for_each(a, &table, node)
		if (!strcmp(a->user, user))
			return a;
	return NULL;
}

/* Users appear in output that scripts parse by line. */
static bool valid_user(const char *user)
{
	const size_t n = strlen(user);

	if (!n || n > ISCSI_ACCOUNT_USER_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)user[i] < ' ' || user[i] == 0x7f)
			return false;
	return true;
}

int iscsi_account_new(const char *user, const char *password)
{
	struct account *a;

	if (!valid_user(user) || !password[0] ||
	    strlen(password) > ISCSI_ACCOUNT_PASSWORD_MAX)
		return -EINVAL;
	if (find(user))
		return -EEXIST;
	if (table_n >= ISCSI_ACCOUNTS_MAX)
		return -ENOSPC;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	memcpy(a->user, user, strlen(user));
	memcpy(a->secret, password, strlen(password));
	list_add(&table, &a->node);
	table_n++;
	return 0;
}

const char *iscsi_account_password(const char *user)
{
	const struct account *a = find(user);

	return a ? a->secret : NULL;
}

void iscsi_account_each(void (*visit)(const char *user, void *arg), void *arg)
{
	struct account *a;

	list_for_each(a, &table, node)
		visit(a->user, arg);
}

/* Takes @set, which becomes that of @t. */
static int publish(struct iscsi_target *t, struct iscsi_accounts *set)
{
	struct iscsi_target_config *c;
	struct iscsi_accounts *old;

	if (!t) {
		old = rcu_xchg_pointer(&discovery, set);
		if (old)
			call_rcu(&old->rcu, accounts_free_rcu);
		return 0;
	}
	c = iscsi_target_config_copy(t);
	if (!c) {
		iscsi_account_free(set);
		return -ENOMEM;
	}
	iscsi_account_free(c->accounts);
	c->accounts = set;
	iscsi_target_publish(t, c);
	return 0;
}

/* What is bound now; control alone changes it. */
static struct iscsi_accounts *bound_set(struct iscsi_target *t)
{
	return t ? iscsi_target_config(t)->accounts : discovery;
}

/* 9.2.1; only said, because setups exist that never log in mutually. */
static void warn_of_shared_secret(const struct iscsi_accounts *set)
{
	const char *user, *secret;

	if (!iscsi_account_outgoing(set, &user, &secret))
		return;
	for (unsigned int i = 0; i < set->n; i++)
		if (!set->e[i].outgoing && !strcmp(set->e[i].secret, secret))
			log_warn("accounts %s and %s (outgoing) share a password: "
				 "mutual logins with them will be refused",
				 set->e[i].user, user);
}

int iscsi_account_add_to(struct iscsi_accounts *set, const char *user, const char *password,
			 bool outgoing, struct iscsi_accounts **ret)
{
	const char *other, *secret;
	struct iscsi_accounts *new;
	struct bound *b;

	if (find_bound(set, user, outgoing))
		return -EEXIST;
	if (outgoing && iscsi_account_outgoing(set, &other, &secret))
		return -EBUSY;
	new = copy(set, 1);
	if (!new)
		return -ENOMEM;
	b = &new->e[new->n++];
	b->outgoing = outgoing;
	text_copy(b->user, sizeof(b->user), user);
	text_copy(b->secret, sizeof(b->secret), password);
	warn_of_shared_secret(new);
	*ret = new;
	return 0;
}

int iscsi_account_bind(struct iscsi_target *t, const char *user, bool outgoing)
{
	const struct account *a = find(user);
	struct iscsi_accounts *new;
	int err;

	if (!a)
		return -ENOENT;
	err = iscsi_account_add_to(bound_set(t), user, a->secret, outgoing, &new);
	return err ? err : publish(t, new);
}

void iscsi_account_publish_discovery(struct iscsi_accounts *set)
{
	publish(NULL, set);
}

/* --- a new password --------------------------------------------------- */

struct password {
	const struct account *a;
	int err;
};

/* In the set of @t, if the account is bound there. */
static void replace_secret(struct iscsi_target *t, void *arg)
{
	struct password *p = arg;
	struct iscsi_accounts *new = NULL;

	for (int outgoing = 0; outgoing < 2; outgoing++) {
		struct bound *b = find_bound(new ? new : bound_set(t), p->a->user, outgoing);

		if (!b)
			continue;
		if (!new) {
			new = copy(bound_set(t), 0);
			if (!new) {
				p->err = -ENOMEM;
				return;
			}
			b = find_bound(new, p->a->user, outgoing);
		}
		memcpy(b->secret, p->a->secret, sizeof(b->secret));
	}
	if (new && publish(t, new) < 0)
		p->err = -ENOMEM;
}

int iscsi_account_set_password(const char *user, const char *password)
{
	struct account *a = find(user);
	struct password p = { .a = a };

	if (!a)
		return -ENOENT;
	if (!password[0] || strlen(password) > ISCSI_ACCOUNT_PASSWORD_MAX)
		return -EINVAL;
	OPENSSL_cleanse(a->secret, sizeof(a->secret));
	memcpy(a->secret, password, strlen(password));
	iscsi_target_each(replace_secret, &p);
	replace_secret(NULL, &p);
	return p.err;
}

int iscsi_account_unbind(struct iscsi_target *t, const char *user, bool outgoing)
{
	struct iscsi_accounts *set = bound_set(t), *new = NULL;
	struct bound *b = find_bound(set, user, outgoing);
	unsigned int i;

	if (!b)
		return -ENOENT;
	if (set->n > 1) {
		i = (unsigned int)(b - set->e);
		new = copy(set, 0);
		if (!new)
			return -ENOMEM;
		memmove(&new->e[i], &new->e[i + 1],
			(new->n - i - 1) * sizeof(new->e[0]));
		new->n--;
		OPENSSL_cleanse(&new->e[new->n], sizeof(new->e[0]));
	}
	return publish(t, new);
}

struct unbinding {
	const char *user;
	int err;
};

static void unbind_from(struct iscsi_target *t, void *arg)
{
	struct unbinding *u = arg;

	for (int outgoing = 0; outgoing < 2; outgoing++) {
		const int err = iscsi_account_unbind(t, u->user, outgoing);

		if (err < 0 && err != -ENOENT)
			u->err = err;
	}
}

int iscsi_account_delete(const char *user)
{
	struct account *a = find(user);
	struct unbinding u = { .user = user };

	if (!a)
		return -ENOENT;
	iscsi_target_each(unbind_from, &u);
	unbind_from(NULL, &u);
	if (u.err < 0)
		return u.err;		/* out of memory: try again */
	list_del(&a->node);
	table_n--;
	OPENSSL_cleanse(a, sizeof(*a));
	free(a);
	return 0;
}
