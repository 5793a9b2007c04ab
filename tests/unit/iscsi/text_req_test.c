/* SPDX-License-Identifier: BSD-3-Clause */
/* Text Requests in full feature phase: SendTargets, continuation, keys. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "fake_conn.h"
#include "fake_scsi_target.h"
#include "iscsi/acl.h"
#include "iscsi/login.h"
#include "iscsi/portal.h"
#include "iscsi/target.h"

#define F	ISCSI_FINAL
#define C	ISCSI_TEXT_CONTINUE
#define ALL	"SendTargets=All"
#define HERE	"TargetAddress=192.0.2.10:3260,1"

/* Portals as the control thread would publish them. */
static struct iscsi_portal_list *portals;

const struct iscsi_portal_list *iscsi_portal_list(void)
{
	return portals;
}

/* As simple as the real one's first rule; that has a test of its own. */
bool iscsi_portal_reachable(const struct iscsi_portal_addr *portal,
			    const struct sockaddr_storage *local,
			    struct sockaddr_storage *ret_addr)
{
	*ret_addr = portal->addr;
	return portal->addr.ss_family == local->ss_family;
}

static void add_portal(const char *text)
{
	struct iscsi_portal_addr *p;
	void *larger = realloc(portals, sizeof(*portals) +
					(portals->n + 1) * sizeof(portals->e[0]));

	assert_non_null(larger);
	portals = larger;
	p = &portals->e[portals->n++];
	assert_int_equal(net_addr_parse(text, 3260, &p->addr, NULL, 0), 0);
	p->tpgt = 1;
}

static void add_target(const char *name, int tid, const char *acl)
{
	struct scsi_target *scsi = scsi_new(name, tid);
	struct iscsi_target_config *c;
	struct iscsi_target *t;

	assert_int_equal(iscsi_target_new(scsi, &t), 0);
	scsi_target_put(scsi);
	if (acl) {
		c = iscsi_target_config_copy(t);
		assert_int_equal(iscsi_acl_add(NULL, ISCSI_ACL_ADDRESS, acl, &c->acl, NULL,
					       0), 0);
		iscsi_target_publish(t, c);
	}
	iscsi_target_put(t);
}

static void delete_it(struct iscsi_target *t, void *arg)
{
	(void)arg;
	iscsi_target_delete(iscsi_target_get(t));
}

/* A discovery session of an initiator at 192.0.2.1. */
static int setup(void **state)
{
	(void)state;
	rcu_register_thread();
	fake_begin();
	portals = calloc(1, sizeof(*portals));
	add_portal("192.0.2.10:3260");
	fake.conn.state = ISCSI_CONN_FULL_FEATURE;
	fake.conn.params = iscsi_params_default;
	fake.conn.session = &fake.session;
	fake.session.conn = &fake.conn;
	strcpy(fake.session.initiator_name, "iqn.x:me");
	add_target("iqn.x:b", 2, "ALL");
	add_target("iqn.x:a", 1, "192.0.2.0/24");
	add_target("iqn.x:hidden", 3, "203.0.113.1");
	add_target("iqn.x:nobody", 4, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	iscsi_text_req_exchange_free(fake.session.text);
	fake_forget_sent();
	free(portals);
	iscsi_target_each(delete_it, NULL);
	rcu_quiescent_state();
	rcu_barrier();
	assert_int_equal(nr_scsi, 0);
	rcu_unregister_thread();
	return 0;
}

static int request(uint8_t flags, uint32_t ttt, const char *data, uint32_t bytes)
{
	struct iscsi_pdu *pdu = iscsi_pdu_new(ISCSI_OP_TEXT_REQ);

	pdu->text_req.flags = flags;
	pdu->text_req.itt = be32_make(7);
	pdu->text_req.ttt = be32_make(ttt);
	if (bytes) {
		char *copy = malloc(bytes);

		memcpy(copy, data, bytes);
		iscsi_pdu_take_data(pdu, copy, bytes);
	}
	return iscsi_text_req_received(&fake.conn, pdu);
}

/* One question, answered in one PDU. */
static const char *ask(const char *text)
{
	const struct iscsi_bhs_text_rsp *rsp;

	assert_int_equal(request(F, ISCSI_TAG_NONE, text, (uint32_t)strlen(text) + 1), 0);
	assert_int_equal(fake.nr_sent, 1);
	rsp = &fake.sent[0]->text_rsp;
	assert_int_equal(rsp->opcode, ISCSI_OP_TEXT_RSP);
	assert_int_equal(rsp->flags, F);
	assert_int_equal(be32_get(rsp->ttt), ISCSI_TAG_NONE);
	assert_int_equal(be32_get(rsp->itt), 7);
	assert_null(fake.session.text);
	return fake_text();
}

static void all_are_those_that_the_acl_shows(void **state)
{
	(void)state;
	assert_string_equal(ask(ALL), "TargetName=iqn.x:a " HERE
				      " TargetName=iqn.x:b " HERE);
}

static void one_is_asked_for_by_name(void **state)
{
	(void)state;
	assert_string_equal(ask("SendTargets=iqn.x:b"), "TargetName=iqn.x:b " HERE);
	/* One that may not be seen is like one that is not there. */
	assert_string_equal(ask("SendTargets=iqn.x:hidden"), "");
	assert_string_equal(ask("SendTargets=iqn.x:nobody"), "");
	assert_string_equal(ask("SendTargets=iqn.x:none"), "");
	assert_string_equal(ask("SendTargets=all"), "");
	assert_string_equal(ask("SendTargets="), "SendTargets=Reject");
}

static void a_normal_session_knows_its_own_target_only(void **state)
{
	struct iscsi_target *t = iscsi_target_find("iqn.x:a");

	(void)state;
	fake.session.target = t;
	assert_string_equal(ask("SendTargets="), "TargetName=iqn.x:a " HERE);
	assert_string_equal(ask("SendTargets=iqn.x:a"), "TargetName=iqn.x:a " HERE);
	assert_string_equal(ask("SendTargets=iqn.x:b"), "");
	assert_string_equal(ask(ALL), "SendTargets=Reject");
	iscsi_target_put(t);
}

static void only_portals_that_can_be_used_are_told(void **state)
{
	(void)state;
	add_portal("[2001:db8::1]:3260");
	add_portal("192.0.2.11:860");
	assert_string_equal(ask("SendTargets=iqn.x:b"),
			    "TargetName=iqn.x:b " HERE " TargetAddress=192.0.2.11:860,1");
	net_addr_parse("[2001:db8::9]:3260", 0, &fake.conn.local, NULL, 0);
	assert_string_equal(ask("SendTargets=iqn.x:b"),
			    "TargetName=iqn.x:b TargetAddress=[2001:db8::1]:3260,1");
}

/* Fetches all of a long answer; returns the number of PDUs. */
static unsigned int fetch(uint32_t max, const char **ret_text)
{
	unsigned int n = 1;

	assert_int_equal(request(F, ISCSI_TAG_NONE, ALL, sizeof(ALL)), 0);
	for (;; n++) {
		const struct iscsi_pdu *p = fake.sent[fake.nr_sent - 1];

		assert_true(p->data_bytes <= max);
		if (p->text_rsp.flags == F)
			break;
		/* 11.11.2: more comes: C, a tag, and no F. */
		assert_int_equal(p->text_rsp.flags, C);
		assert_int_not_equal(be32_get(p->text_rsp.ttt), ISCSI_TAG_NONE);
		assert_int_equal(((const char *)p->owned)[p->data_bytes - 1], '\0');
		assert_int_equal(request(F, be32_get(p->text_rsp.ttt), NULL, 0), 0);
	}
	assert_null(fake.session.text);
	*ret_text = fake_text();
	return n;
}

static void add_many(void)
{
	char name[64];

	for (int tid = 10; tid < 60; tid++) {
		snprintf(name, sizeof(name), "iqn.x:many.%d", tid);
		add_target(name, tid, "ALL");
	}
}

static void long_answers_come_in_pieces(void **state)
{
	char want[8192];
	const char *got;
	size_t at;

	(void)state;
	add_many();
	at = (size_t)snprintf(want, sizeof(want), "TargetName=iqn.x:a " HERE
						  " TargetName=iqn.x:b " HERE);
	for (int tid = 10; tid < 60; tid++)
		at += (size_t)snprintf(want + at, sizeof(want) - at,
				       " TargetName=iqn.x:many.%d " HERE, tid);
	fake.conn.params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT] = 512;
	assert_true(fetch(512, &got) > 4);
	assert_string_equal(got, want);
	fake.conn.params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT] = 65536;
	assert_int_equal(fetch(65536, &got), 1);
	assert_string_equal(got, want);
}

static void targets_may_come_and_go_between_pieces(void **state)
{
	struct iscsi_target *t;
	const char *text;
	uint32_t ttt;

	(void)state;
	add_many();
	fake.conn.params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT] = 512;
	assert_int_equal(request(F, ISCSI_TAG_NONE, ALL, sizeof(ALL)), 0);
	ttt = be32_get(fake.sent[0]->text_rsp.ttt);
	t = iscsi_target_find("iqn.x:many.59");
	iscsi_target_delete(t);
	add_target("iqn.x:late", 60, "ALL");
	while (fake.sent[fake.nr_sent - 1]->text_rsp.flags != F)
		assert_int_equal(request(F, ttt, NULL, 0), 0);
	text = fake_text();
	assert_null(strstr(text, "many.59"));
	assert_non_null(strstr(text, "many.58"));
	assert_non_null(strstr(text, "iqn.x:late"));
}

static void a_new_request_ends_the_one_before(void **state)
{
	uint32_t ttt;

	(void)state;
	add_many();
	fake.conn.params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT] = 512;
	assert_int_equal(request(F, ISCSI_TAG_NONE, ALL, sizeof(ALL)), 0);
	ttt = be32_get(fake.sent[0]->text_rsp.ttt);
	fake_forget_sent();
	assert_string_equal(ask("SendTargets=iqn.x:b"), "TargetName=iqn.x:b " HERE);
	assert_int_equal(request(F, ttt, NULL, 0), 0);
	assert_int_equal(fake.reject, ISCSI_REJECT_PROTOCOL_ERROR);
}

static void requests_come_in_parts(void **state)
{
	static const char text[] = "SendTargets=iqn.x:b";

	(void)state;
	for (uint32_t cut = 0; cut < sizeof(text); cut++) {
		uint32_t ttt;

		assert_int_equal(request(C, ISCSI_TAG_NONE, text, cut), 0);
		assert_int_equal(fake.nr_sent, 1);
		assert_int_equal(fake.sent[0]->text_rsp.flags, 0);
		assert_int_equal(fake.sent[0]->data_bytes, 0);
		ttt = be32_get(fake.sent[0]->text_rsp.ttt);
		assert_int_not_equal(ttt, ISCSI_TAG_NONE);
		fake_forget_sent();
		assert_int_equal(request(F, ttt, text + cut, sizeof(text) - cut), 0);
		assert_string_equal(fake_text(), "TargetName=iqn.x:b " HERE);
	}
	assert_int_equal(fake.reject, -1);
}

/* 11.11.1: the target's F only after the initiator's. */
static void a_negotiation_lasts_until_the_initiator_ends_it(void **state)
{
	uint32_t ttt;

	(void)state;
	assert_int_equal(request(0, ISCSI_TAG_NONE, "X-a=1", 6), 0);
	assert_int_equal(fake.sent[0]->text_rsp.flags, 0);
	ttt = be32_get(fake.sent[0]->text_rsp.ttt);
	assert_string_equal(fake_text(), "X-a=NotUnderstood");
	assert_int_equal(request(F, ttt, "X-b=1", 6), 0);
	assert_int_equal(fake.sent[0]->text_rsp.flags, F);
	assert_string_equal(fake_text(), "X-b=NotUnderstood");
	assert_null(fake.session.text);
}

static void what_is_no_text_is_rejected(void **state)
{
	static const struct {
		uint8_t flags;
		uint32_t ttt;
		const char *data;
		uint32_t bytes;
	} cases[] = {
		{ F, ISCSI_TAG_NONE, "X-a", 4 },
		{ F, ISCSI_TAG_NONE, "X-a=1", 5 },
		{ F, ISCSI_TAG_NONE, "=1", 3 },
		{ F | C, ISCSI_TAG_NONE, "X-a=1", 6 },
		{ F, 1234, "X-a=1", 6 },
		{ F, ISCSI_TAG_NONE, ALL "\0" ALL, sizeof(ALL "\0" ALL) },
		{ F, ISCSI_TAG_NONE, "MaxRecvDataSegmentLength=1", 27 },
		{ F, ISCSI_TAG_NONE, "MaxBurstLength=512\0MaxBurstLength=512", 38 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fake.reject = -1;
		assert_int_equal(request(cases[i].flags, cases[i].ttt, cases[i].data,
					 cases[i].bytes), 0);
		if (fake.reject != ISCSI_REJECT_PROTOCOL_ERROR || fake.nr_sent)
			fail_msg("case %zu: %d", i, fake.reject);
		assert_null(fake.session.text);
	}
}

static void text_without_end_is_rejected(void **state)
{
	char piece[8192];
	uint32_t ttt = ISCSI_TAG_NONE;
	unsigned int n;

	(void)state;
	memset(piece, 'v', sizeof(piece));
	for (n = 0; fake.reject < 0; n++) {
		assert_true(n < 100);
		assert_int_equal(request(C, ttt, piece, sizeof(piece)), 0);
		if (fake.nr_sent)
			ttt = be32_get(fake.sent[0]->text_rsp.ttt);
		fake_forget_sent();
	}
	assert_int_equal(n, 9);		/* 64 KiB were taken */
	assert_null(fake.session.text);
}

static void max_recv_may_be_declared_anew_and_nothing_else(void **state)
{
	const struct iscsi_params before = fake.conn.params;

	(void)state;
	assert_string_equal(ask("InitialR2T=No"), "InitialR2T=Reject");
	assert_string_equal(ask("HeaderDigest=CRC32C"), "HeaderDigest=Reject");
	assert_string_equal(ask("InitiatorName=iqn.x:other"), "InitiatorName=Reject");
	assert_string_equal(ask("AuthMethod=None"), "AuthMethod=Reject");
	assert_memory_equal(&before, &fake.conn.params, sizeof(before));
	assert_string_equal(ask("MaxRecvDataSegmentLength=1024"), "");
	assert_int_equal(fake.conn.params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT], 1024);
	assert_int_equal(fake.conn.params.v[ISCSI_KEY_MAX_RECV_DATA_SEGMENT],
			 before.v[ISCSI_KEY_MAX_RECV_DATA_SEGMENT]);
}

int main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_are_those_that_the_acl_shows),
		TEST(one_is_asked_for_by_name),
		TEST(a_normal_session_knows_its_own_target_only),
		TEST(only_portals_that_can_be_used_are_told),
		TEST(long_answers_come_in_pieces),
		TEST(targets_may_come_and_go_between_pieces),
		TEST(a_new_request_ends_the_one_before),
		TEST(requests_come_in_parts),
		TEST(a_negotiation_lasts_until_the_initiator_ends_it),
		TEST(what_is_no_text_is_rejected),
		TEST(text_without_end_is_rejected),
		TEST(max_recv_may_be_declared_anew_and_nothing_else),
	};

	return cmocka_run_group_tests_name("iscsi/text_req", tests, NULL, NULL);
}
