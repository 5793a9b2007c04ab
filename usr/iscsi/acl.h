/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/acl.h - who may log in to a target.
 *
 * Rules are of two kinds: addresses ("ALL", an IPv4 or IPv6 address, a network
 * such as 192.0.2.0/24) and initiator names.  The decision, in one sentence:
 *
 *	An initiator may log in if each kind of which at least one rule is bound
 *	has a rule that matches it; with no rule at all, nobody may.
 *
 * So: addresses alone decide by address; names alone decide by name; with both,
 * both must match.  A list is immutable and published under RCU.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct iscsi_acl;		/* NULL is the empty list */

enum iscsi_acl_kind { ISCSI_ACL_ADDRESS, ISCSI_ACL_NAME };

/*
 * A copy of @a with one rule more, at the end.  Errors: -EINVAL (not an address
 * or a name; @why says it in a sentence), -EEXIST (such a rule is bound),
 * -ENOMEM.
 */
int iscsi_acl_add(const struct iscsi_acl *a, enum iscsi_acl_kind kind,
		  const char *text, struct iscsi_acl **ret, char *why,
		  size_t why_bytes);
/* A copy with one rule less (NULL after the last).  Errors: -ENOENT, -EINVAL
 * (as above), -ENOMEM. */
int iscsi_acl_remove(const struct iscsi_acl *a, enum iscsi_acl_kind kind,
		     const char *text, struct iscsi_acl **ret, char *why,
		     size_t why_bytes);

bool iscsi_acl_allows(const struct iscsi_acl *a, const struct sockaddr_storage *peer,
		      const char *initiator_name);

/* Addresses first, then names, each in the order they were added. */
void iscsi_acl_each(const struct iscsi_acl *a,
		    void (*visit)(enum iscsi_acl_kind kind, const char *text,
				  void *arg),
		    void *arg);

/* -ENOMEM; a copy of NULL is NULL. */
int iscsi_acl_copy(const struct iscsi_acl *a, struct iscsi_acl **ret);
void iscsi_acl_free(struct iscsi_acl *a);	/* accepts NULL */
