/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/account.h - CHAP accounts.
 *
 * Control keeps a table of all accounts by name.  Bound to a target or to
 * discovery, an account is copied into an immutable set that logins read under
 * RCU: any number of incoming ones (initiators prove that they know one of
 * them) and at most one outgoing one (with which the target proves itself).
 *
 * RFC 7143 9.2.1: one secret must not serve both directions; a mutual login
 * that would use the same one is refused.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct iscsi_accounts;
struct iscsi_target;

#define ISCSI_ACCOUNT_USER_MAX		255	/* a text value, RFC 7143 6.1 */
#define ISCSI_ACCOUNT_PASSWORD_MAX	255
#define ISCSI_ACCOUNTS_MAX		65536	/* in the table */

/* --- the table.  Threads: control --- */

/* Errors: -EEXIST, -EINVAL (empty, too long, or a control character in the
 * user), -ENOSPC, -ENOMEM. */
int iscsi_account_new(const char *user, const char *password);
/* Forget it and unbind it everywhere.  Errors: -ENOENT, -ENOMEM. */
int iscsi_account_delete(const char *user);
/* For it and wherever it is bound; sessions stay.  Errors: -ENOENT, -EINVAL (empty or
 * too long), -ENOMEM. */
int iscsi_account_set_password(const char *user, const char *password);
/* NULL: no such account.  Valid until it is changed or deleted. */
const char *iscsi_account_password(const char *user);
/* Newest first. */
void iscsi_account_each(void (*visit)(const char *user, void *arg), void *arg);

/* @t NULL: discovery sessions.  Errors: -ENOENT (no such account), -EEXIST (is
 * bound), -EBUSY (another outgoing account is bound), -ENOMEM. */
int iscsi_account_bind(struct iscsi_target *t, const char *user, bool outgoing);
/* Errors: -ENOENT (not bound), -ENOMEM. */
int iscsi_account_unbind(struct iscsi_target *t, const char *user, bool outgoing);

/* A copy of @set (may be NULL) with one more.  Errors: -EEXIST, -EBUSY, -ENOMEM as in
 * iscsi_account_bind(). */
int iscsi_account_add_to(struct iscsi_accounts *set, const char *user, const char *password,
			 bool outgoing, struct iscsi_accounts **ret);
/* Takes @set (may be NULL), which replaces that of discovery sessions. */
void iscsi_account_publish_discovery(struct iscsi_accounts *set);

/* --- bound sets --- */

/* Threads: RCU readers; valid for this turn.  NULL: none is bound. */
const struct iscsi_accounts *iscsi_account_discovery(void);

/* All of these accept NULL, the empty set.  Strings are valid as the set is. */
bool iscsi_account_required(const struct iscsi_accounts *a);	/* any incoming */
/* The secret of an incoming account; NULL: no such account. */
const char *iscsi_account_secret(const struct iscsi_accounts *a, const char *user);
/* False: none is bound. */
bool iscsi_account_outgoing(const struct iscsi_accounts *a, const char **ret_user,
			    const char **ret_secret);
/* In the order they were bound, outgoing last. */
void iscsi_account_each_bound(const struct iscsi_accounts *a,
			      void (*visit)(const char *user, bool outgoing,
					    void *arg),
			      void *arg);

/* -ENOMEM; a copy of NULL is NULL. */
int iscsi_account_copy(const struct iscsi_accounts *a, struct iscsi_accounts **ret);
void iscsi_account_free(struct iscsi_accounts *a);	/* accepts NULL */
