/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/connection.c - from the register of sessions; one connection each. */
#include "mgmt/connection.h"

#include <inttypes.h>
#include "iscsi/register.h"
#include "mgmt/rpc.h"
#include "mgmt/target.h"

struct search {
	uint64_t sid;
	int64_t cid;
	bool session, connection;
};

static void search_session(const struct iscsi_session_info *s, void *arg)
{
	struct search *search = arg;

	if (s->sid != search->sid)
		return;
	search->session = true;
	search->connection |= search->cid < 0 || search->cid == s->cid;
}

bool mgmt_connection_check(struct mgmt_call *call, const struct mgmt_target *t,
			   uint64_t sid, int64_t cid)
{
	struct search s = { .sid = sid, .cid = cid };

	iscsi_register_each(t->tid, search_session, &s);
	if (!s.session)
		mgmt_rpc_fail(call, MGMT_ERR_NO_SESSION, "sid",
			      "target %d has no session %" PRIu64, t->tid, sid);
	else if (!s.connection)
		mgmt_rpc_fail(call, MGMT_ERR_NO_CONNECTION, "cid",
			      "session %" PRIu64 " has no connection %" PRId64, sid, cid);
	return s.session && s.connection;
}

static void add_session(const struct iscsi_session_info *s, void *arg)
{
	json_array_append_new(
		arg, json_pack("{s:I, s:o, s:o, s:[{s:i, s:o}]}", "sid",
			       (json_int_t)s->sid, "initiator",
			       mgmt_rpc_string(s->initiator_name), "alias",
			       mgmt_rpc_string(s->initiator_alias), "connections", "cid",
			       (int)s->cid, "address", mgmt_rpc_string(s->address)));
}

void mgmt_connection_list(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	json_t *sessions;

	if (!t)
		return;
	sessions = json_array();
	iscsi_register_each(t->tid, add_session, sessions);
	mgmt_rpc_reply(call, json_pack("{s:o}", "sessions", sessions));
}

static void closed(void *arg)
{
	mgmt_rpc_reply(arg, NULL);
}

void mgmt_connection_delete(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	const uint64_t sid = (uint64_t)mgmt_rpc_int(call, "sid", 0);

	if (!t || !mgmt_connection_check(call, t, sid, mgmt_rpc_int(call, "cid", -1)))
		return;
	/* Its only connection is all of a session. */
	iscsi_register_close_all(t->tid, sid, 0, closed, call);
}
