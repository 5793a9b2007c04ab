/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/acl.c - an address, a name or both in one call: all of it or nothing. */
#include "mgmt/acl.h"

#include <errno.h>
#include "base/macros.h"
#include "iscsi/acl.h"
#include "iscsi/target.h"
#include "mgmt/rpc.h"
#include "mgmt/target.h"

typedef int acl_change(const struct iscsi_acl *a, enum iscsi_acl_kind kind,
		       const char *text, struct iscsi_acl **ret, char *why,
		       size_t why_bytes);

static const struct {
	const char *field;
	enum iscsi_acl_kind kind;
} kinds[] = {
	{ "address", ISCSI_ACL_ADDRESS },
	{ "initiator", ISCSI_ACL_NAME },
};

static void fail(struct mgmt_call *call, int err, const char *field, const char *why)
{
	const char *text = mgmt_rpc_text(call, field);

	switch (err) {
	case -EEXIST:
		mgmt_rpc_fail(call, MGMT_ERR_ACL_EXISTS, field, "'%s' is bound already",
			      text);
		break;
	case -ENOENT:
		mgmt_rpc_fail(call, MGMT_ERR_NO_ACL, field, "'%s' is not bound", text);
		break;
	case -ENOMEM:
		mgmt_rpc_fail_errno(call, err, "cannot change the access rules");
		break;
	default:
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, field, "%s", why);
	}
}

static void change(struct mgmt_call *call, acl_change *do_change)
{
	struct mgmt_target *t = mgmt_target_of(call);
	struct iscsi_target_config *c;
	char why[192] = "";

	if (!t)
		return;
	if (!mgmt_rpc_has(call, "address") && !mgmt_rpc_has(call, "initiator")) {
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, NULL,
			      "field 'address' or 'initiator' is required");
		return;
	}
	c = mgmt_target_edit(call, t);
	if (!c)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *text = mgmt_rpc_text(call, kinds[i].field);
		struct iscsi_acl *changed;
		int err;

		if (!text)
			continue;
		err = do_change(c->acl, kinds[i].kind, text, &changed, why, sizeof(why));
		if (err) {
			iscsi_target_config_free(c);
			fail(call, err, kinds[i].field, why);
			return;
		}
		iscsi_acl_free(c->acl);
		c->acl = changed;
	}
	iscsi_target_publish(t->iscsi, c);
	mgmt_rpc_reply(call, NULL);
}

void mgmt_acl_bind(struct mgmt_call *call)
{
	change(call, iscsi_acl_add);
}

void mgmt_acl_unbind(struct mgmt_call *call)
{
	change(call, iscsi_acl_remove);
}
