/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/account.c - secrets come in and never go out. */
#include "mgmt/account.h"

#include <errno.h>
#include "iscsi/account.h"
#include "mgmt/rpc.h"
#include "mgmt/target.h"

void mgmt_account_create(struct mgmt_call *call)
{
	const char *user = mgmt_rpc_text(call, "user");
	const int err = iscsi_account_new(user, mgmt_rpc_text(call, "password"));

	switch (err) {
	case 0:
		mgmt_rpc_reply(call, NULL);
		break;
	case -EEXIST:
		mgmt_rpc_fail(call, MGMT_ERR_ACCOUNT_EXISTS, "user",
			      "there is an account '%s'", user);
		break;
	case -ENOSPC:
		mgmt_rpc_fail(call, MGMT_ERR_TOO_MANY_ACCOUNTS, NULL,
			      "there are %d accounts, which is the limit",
			      ISCSI_ACCOUNTS_MAX);
		break;
	case -EINVAL:
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "user",
			      "user and password are 1 to %d bytes, the user without control characters",
			      ISCSI_ACCOUNT_USER_MAX);
		break;
	default:
		mgmt_rpc_fail_errno(call, err, "cannot make the account");
	}
}

static void no_account(struct mgmt_call *call)
{
	mgmt_rpc_fail(call, MGMT_ERR_NO_ACCOUNT, "user", "there is no account '%s'",
		      mgmt_rpc_text(call, "user"));
}

void mgmt_account_delete(struct mgmt_call *call)
{
	const int err = iscsi_account_delete(mgmt_rpc_text(call, "user"));

	if (err == -ENOENT)
		no_account(call);
	else if (err)
		mgmt_rpc_fail_errno(call, err, "cannot delete the account");
	else
		mgmt_rpc_reply(call, NULL);
}

static void add_account(const char *user, void *arg)
{
	json_array_append_new(arg, mgmt_rpc_string(user));
}

void mgmt_account_list(struct mgmt_call *call)
{
	json_t *accounts = json_array();

	iscsi_account_each(add_account, accounts);
	mgmt_rpc_reply(call, json_pack("{s:o}", "accounts", accounts));
}

/* Without field "tid" discovery is meant: *ret_t is NULL.  False: no such
 * target, the call was failed. */
static bool binding_of(struct mgmt_call *call, struct iscsi_target **ret_t)
{
	const struct mgmt_target *t;

	*ret_t = NULL;
	if (!mgmt_rpc_has(call, "tid"))
		return true;
	t = mgmt_target_of(call);
	if (t)
		*ret_t = t->iscsi;
	return t;
}

void mgmt_account_bind(struct mgmt_call *call)
{
	const char *user = mgmt_rpc_text(call, "user");
	struct iscsi_target *t;
	int err;

	if (!binding_of(call, &t))
		return;
	err = iscsi_account_bind(t, user, mgmt_rpc_bool(call, "outgoing"));
	switch (err) {
	case 0:
		mgmt_rpc_reply(call, NULL);
		break;
	case -ENOENT:
		no_account(call);
		break;
	case -EEXIST:
		if (mgmt_rpc_bool(call, "outgoing"))
			mgmt_rpc_fail(call, MGMT_ERR_OUTGOING_EXISTS, "user",
				      "'%s' is bound as outgoing account already", user);
		else
			mgmt_rpc_fail(call, MGMT_ERR_ACCOUNT_EXISTS, "user",
				      "'%s' is bound already", user);
		break;
	case -EBUSY:
		mgmt_rpc_fail(call, MGMT_ERR_OUTGOING_EXISTS, "user",
			      "unbind the present outgoing account first");
		break;
	default:
		mgmt_rpc_fail_errno(call, err, "cannot bind the account");
	}
}

void mgmt_account_unbind(struct mgmt_call *call)
{
	struct iscsi_target *t;
	int err;

	if (!binding_of(call, &t))
		return;
	err = iscsi_account_unbind(t, mgmt_rpc_text(call, "user"),
				   mgmt_rpc_bool(call, "outgoing"));
	if (err == -ENOENT)
		mgmt_rpc_fail(call, MGMT_ERR_NO_ACCOUNT, "user",
			      "'%s' is not bound there as %s account",
			      mgmt_rpc_text(call, "user"),
			      mgmt_rpc_bool(call, "outgoing") ? "outgoing" : "incoming");
	else if (err)
		mgmt_rpc_fail_errno(call, err, "cannot unbind the account");
	else
		mgmt_rpc_reply(call, NULL);
}
