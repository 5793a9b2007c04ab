/* SPDX-License-Identifier: BSD-3-Clause */
/* The login state machine, request by request, without sockets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "fake_conn.h"
#include "fake_scsi_target.h"
#include "iscsi/account.h"
#include "iscsi/acl.h"
#include "iscsi/chap.h"
#include "iscsi/login.h"
#include "iscsi/login_state.h"
#include "iscsi/target.h"

#define ME	"InitiatorName=iqn.x:me"
#define NAMES	ME " TargetName=iqn.x:t"
#define T	ISCSI_LOGIN_TRANSIT
#define C	ISCSI_LOGIN_CONTINUE
#define SEC	(ISCSI_STAGE_SECURITY << 2)
#define OPER	(ISCSI_STAGE_OPERATIONAL << 2)
#define TO_OPER	(T | ISCSI_STAGE_OPERATIONAL)
#define TO_FULL	(T | ISCSI_STAGE_FULL_FEATURE)

static struct iscsi_target *target;

static int group_setup(void **state)
{
	struct scsi_target *scsi = scsi_new("iqn.x:t", 1);

	(void)state;
	rcu_register_thread();
	assert_int_equal(iscsi_target_new(scsi, &target), 0);
	scsi_target_put(scsi);
	assert_int_equal(iscsi_account_new("user", "password1234"), 0);
	assert_int_equal(iscsi_account_new("twin", "password1234"), 0);
	assert_int_equal(iscsi_account_new("me", "outgoing5678"), 0);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	iscsi_account_delete("user");
	iscsi_account_delete("twin");
	iscsi_account_delete("me");
	iscsi_target_delete(target);
	rcu_quiescent_state();
	rcu_barrier();
	assert_int_equal(nr_scsi, 0);
	rcu_unregister_thread();
	return 0;
}

/* A target that is open to all, without accounts; a connection in login. */
static int setup(void **state)
{
	struct iscsi_target_config *c = iscsi_target_config_copy(target);

	(void)state;
	iscsi_acl_free(c->acl);
	iscsi_account_free(c->accounts);
	c->acl = NULL;
	c->accounts = NULL;
	c->offline = false;
	c->params = iscsi_params_default;
	assert_int_equal(iscsi_acl_add(NULL, ISCSI_ACL_ADDRESS, "ALL", &c->acl, NULL, 0), 0);
	iscsi_target_publish(target, c);
	fake_begin();
	assert_int_equal(iscsi_login_start(&fake.conn), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (fake.asked)
		fake_answer(ISCSI_LOGIN_TARGET_ERROR);
	iscsi_login_free(&fake.conn);
	fake_forget_sent();
	assert_int_equal(fake.conn.refs, 1);
	return 0;
}

static struct iscsi_pdu *request(uint8_t flags, const char *text)
{
	struct iscsi_pdu *pdu = iscsi_pdu_new(ISCSI_OP_LOGIN_REQ);
	const size_t bytes = strlen(text) + 1;
	char *data;

	pdu->bhs.opcode |= ISCSI_IMMEDIATE;
	pdu->login_req.flags = flags;
	pdu->login_req.isid[0] = 0x80;
	pdu->login_req.itt = be32_make(9);
	pdu->login_req.cid = be16_make(3);
	pdu->login_req.cmdsn = be32_make(100);
	pdu->login_req.exp_statsn = be32_make(500);
	if (bytes > 1) {
		data = malloc(bytes);
		memcpy(data, text, bytes);
		for (size_t i = 0; i < bytes; i++)
			if (data[i] == ' ')
				data[i] = '\0';
		/* What is continued has no NUL at its end. */
		iscsi_pdu_take_data(pdu, data,
				    (uint32_t)bytes - !!(flags & ISCSI_LOGIN_CONTINUE));
	}
	return pdu;
}

static const struct iscsi_bhs_login_rsp *last(void)
{
	assert_true(fake.nr_sent > 0);
	return &fake.sent[fake.nr_sent - 1]->login_rsp;
}

static unsigned int status(void)
{
	return (unsigned int)last()->status_class << 8 | last()->status_detail;
}

/* One request that must be answered by one response. */
static void ask(uint8_t flags, const char *text)
{
	const unsigned int before = fake.nr_sent;

	assert_int_equal(iscsi_login_request(&fake.conn, request(flags, text)), 0);
	assert_int_equal(fake.nr_sent, before + 1);
	assert_int_equal(last()->opcode, ISCSI_OP_LOGIN_RSP);
	assert_int_equal(be32_get(last()->itt), 9);
	assert_int_equal(last()->isid[0], 0x80);
	if (!status())
		assert_int_equal(last()->flags & 0x0c, flags & 0x0c);
}

static void refused(uint8_t flags, const char *text, unsigned int want)
{
	ask(flags, text);
	if (status() != want)
		fail_msg("0x%04x, not 0x%04x: %s", status(), want, text);
	assert_true(fake.ending);
	assert_int_equal(last()->data_bytes.b[2], 0);
	assert_int_equal(last()->flags & T, 0);
}

static void assert_answer(const char *want)
{
	assert_string_equal(fake_text(), want);
}

/* Control says yes: the last response. */
static void assert_session(void)
{
	assert_true(fake.paused);
	assert_int_equal(fake.nr_sent, 0);
	fake_answer(ISCSI_LOGIN_OK);
	assert_true(fake.logged_in);
	assert_false(fake.paused);
	assert_null(fake.conn.login);
	assert_ptr_equal(fake.conn.session, &fake.session);
	assert_int_equal(last()->flags & (T | 3), TO_FULL);
	assert_int_equal(be16_get(last()->tsih), 77);
	assert_int_equal(fake.conn.cid, 3);
	/* The login was immediate: its CmdSN is the next one. */
	assert_int_equal(fake.session.exp_cmdsn, 100);
	assert_int_equal(fake.session.max_cmdsn, 99);
}

static void one_request_is_enough(void **state)
{
	(void)state;
	assert_int_equal(iscsi_login_request(&fake.conn,
					     request(OPER | TO_FULL, NAMES)), 0);
	assert_string_equal(fake.asked->initiator_name, "iqn.x:me");
	assert_ptr_equal(fake.asked->target, target);
	assert_int_equal(fake.asked->cid, 3);
	assert_session();
	assert_int_equal(fake.session.window, 128);
	assert_answer("TargetPortalGroupTag=1 MaxRecvDataSegmentLength=262144");
}

static void stages_one_after_the_other(void **state)
{
	(void)state;
	ask(SEC | TO_OPER, NAMES " AuthMethod=CHAP,None");
	assert_int_equal(last()->flags & (T | 3), TO_OPER);
	assert_int_equal(be16_get(last()->tsih), 0);
	assert_int_equal(be32_get(last()->statsn), 500);
	assert_answer("TargetPortalGroupTag=1 AuthMethod=None");
	ask(OPER, "HeaderDigest=CRC32C InitialR2T=No");
	assert_int_equal(last()->flags & T, 0);
	assert_answer("HeaderDigest=CRC32C InitialR2T=Yes "
		      "MaxRecvDataSegmentLength=262144");
	ask(OPER, "");
	assert_answer("");
	assert_int_equal(iscsi_login_request(&fake.conn, request(OPER | TO_FULL, "")), 0);
	assert_session();
	assert_true(fake.conn.header_digest);
	assert_false(fake.conn.data_digest);
	assert_answer("");
}

static void straight_from_security_to_full_feature(void **state)
{
	(void)state;
	assert_int_equal(iscsi_login_request(&fake.conn,
		request(SEC | TO_FULL, NAMES " AuthMethod=None")), 0);
	assert_session();
	assert_answer("TargetPortalGroupTag=1 AuthMethod=None "
		      "MaxRecvDataSegmentLength=262144");
}

static void a_discovery_session_needs_no_target(void **state)
{
	(void)state;
	assert_int_equal(iscsi_login_request(&fake.conn,
		request(OPER | TO_FULL, ME " SessionType=Discovery MaxBurstLength=512")), 0);
	assert_null(fake.asked->target);
	assert_session();
	assert_answer("MaxBurstLength=Irrelevant MaxRecvDataSegmentLength=262144");
}

static void first_requests_are_refused_with_their_status(void **state)
{
	static const struct {
		unsigned int status;
		uint8_t flags;
		const char *text;
	} cases[] = {
		{ 0x0207, OPER | TO_FULL, "TargetName=iqn.x:t" },
		{ 0x0207, OPER | TO_FULL, "InitiatorName= TargetName=iqn.x:t" },
		{ 0x0207, OPER | TO_FULL, ME },
		{ 0x0207, OPER | TO_FULL, ME " TargetName=" },
		{ 0x0207, OPER | TO_FULL, ME " SessionType=Normal" },
		{ 0x0207, OPER | TO_FULL, "" },
		{ 0x0203, OPER | TO_FULL, ME " TargetName=iqn.x:u" },
		{ 0x0209, OPER | TO_FULL, NAMES " SessionType=Odd" },
		{ 0x0200, OPER | TO_FULL, "InitiatorName=iqn.x:\n TargetName=iqn.x:t" },
		{ 0x0200, OPER | TO_FULL, NAMES " " ME },
		{ 0x0200, OPER | TO_FULL, NAMES " TargetPortalGroupTag=1" },
		{ 0x0200, OPER | TO_FULL, NAMES " MaxBurstLength=512 MaxBurstLength=512" },
		{ 0x0200, OPER | TO_FULL, NAMES " MaxRecvDataSegmentLength=1" },
		{ 0x0200, OPER | TO_FULL, NAMES " nonsense" },
		{ 0x0201, SEC | TO_OPER, NAMES " AuthMethod=KRB5" },
		{ 0x0201, SEC | TO_OPER, NAMES " AuthMethod=CHAP" },
		{ 0x0200, SEC | TO_OPER, NAMES " CHAP_A=7" },
		{ 0x0200, SEC | TO_OPER, NAMES " CHAP_N=user CHAP_R=0x00" },
		{ 0x0200, OPER | T, NAMES },			/* back */
		{ 0x0200, OPER | T | 1, NAMES },		/* the same */
		{ 0x0200, OPER | T | 2, NAMES },		/* none */
		{ 0x0200, SEC | T, NAMES },
		{ 0x0200, 2 << 2, NAMES },
		{ 0x0200, 3 << 2, NAMES },
		{ 0x0200, OPER | TO_FULL | C, NAMES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		refused(cases[i].flags, cases[i].text, cases[i].status);
		teardown(state);
		setup(state);
	}
}

static void other_versions_are_refused(void **state)
{
	struct iscsi_pdu *pdu = request(OPER | TO_FULL, NAMES);

	(void)state;
	pdu->login_req.version_min = pdu->login_req.version_max = 1;
	assert_int_equal(iscsi_login_request(&fake.conn, pdu), 0);
	assert_int_equal(status(), 0x0205);
}

static void the_acl_decides(void **state)
{
	struct iscsi_target_config *c = iscsi_target_config_copy(target);

	(void)state;
	iscsi_acl_free(c->acl);
	c->acl = NULL;
	iscsi_target_publish(target, c);
	refused(OPER | TO_FULL, NAMES, 0x0202);
}

static void an_offline_target_is_unavailable(void **state)
{
	struct iscsi_target_config *c = iscsi_target_config_copy(target);

	(void)state;
	c->offline = true;
	iscsi_target_publish(target, c);
	refused(OPER | TO_FULL, NAMES, 0x0301);
}

static void control_may_refuse(void **state)
{
	static const unsigned int reasons[] = { 0x0203, 0x0206, 0x020a, 0x0300, 0x0301,
						0x0302 };

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		assert_int_equal(iscsi_login_request(&fake.conn,
						     request(OPER | TO_FULL, NAMES)), 0);
		fake_answer(reasons[i]);
		assert_int_equal(status(), reasons[i]);
		assert_true(fake.ending);
		assert_false(fake.logged_in);
		teardown(state);
		setup(state);
	}
}

static void a_connection_that_ended_meanwhile_leaves_no_session(void **state)
{
	(void)state;
	assert_int_equal(iscsi_login_request(&fake.conn,
					     request(OPER | TO_FULL, NAMES)), 0);
	fake.conn.state = ISCSI_CONN_CLOSED;	/* as iscsi_conn_close() does */
	iscsi_login_free(&fake.conn);
	fake_answer(ISCSI_LOGIN_OK);
	assert_int_equal(fake.nr_sessions_closed, 1);
	assert_int_equal(fake.nr_sent, 0);
	assert_false(fake.logged_in);
}

static void requests_come_in_parts(void **state)
{
	(void)state;
	ask(OPER | C, "InitiatorName=iqn.x:m");
	assert_answer("");
	ask(OPER | C, "e TargetNa");
	assert_int_equal(last()->flags, OPER);
	assert_answer("");
	assert_int_equal(iscsi_login_request(&fake.conn,
					     request(OPER | TO_FULL, "me=iqn.x:t")), 0);
	assert_session();
}

/* 512 keys that nobody understands: their answers need more than a PDU. */
static void long_answers_leave_in_parts(void **state)
{
	char text[8192];
	size_t at = (size_t)snprintf(text, sizeof(text), NAMES);
	unsigned int parts = 0;

	(void)state;
	for (int i = 0; i < 500; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, " X-key-%03d=1", i);
	ask(OPER | TO_FULL, text);
	while (last()->flags & C) {
		assert_int_equal(last()->flags & T, 0);
		assert_true(fake.sent[fake.nr_sent - 1]->data_bytes <= 8192);
		ask(OPER, "");
		parts++;
	}
	assert_int_equal(parts, 1);
	assert_non_null(strstr(fake_text(), "X-key-499=NotUnderstood"));
	assert_int_equal(iscsi_login_request(&fake.conn, request(OPER | TO_FULL, "")), 0);
	assert_session();
}

static void text_before_the_answer_was_fetched(void **state)
{
	char text[8192];
	size_t at = (size_t)snprintf(text, sizeof(text), NAMES);

	(void)state;
	for (int i = 0; i < 500; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, " X-key-%03d=1", i);
	ask(OPER, text);
	assert_true(last()->flags & C);
	refused(OPER, "a=1", 0x0200);
}

static void what_describes_the_session_stays(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct iscsi_pdu *pdu = request(OPER | TO_FULL, "");

		ask(OPER, NAMES);
		switch (i) {
		case 0:
			pdu->login_req.isid[5] = 1;
			break;
		case 1:
			pdu->login_req.tsih = be16_make(1);
			break;
		case 2:
			pdu->login_req.cid = be16_make(4);
			break;
		default:
			pdu->login_req.flags = SEC | TO_OPER;
		}
		assert_int_equal(iscsi_login_request(&fake.conn, pdu), 0);
		assert_int_equal(status(), 0x0200);
		teardown(state);
		setup(state);
	}
}

static void names_belong_in_the_first_request(void **state)
{
	(void)state;
	ask(OPER, ME " SessionType=Discovery");
	refused(OPER, "TargetName=iqn.x:t", 0x0200);
}

static void other_pdus_are_invalid_during_login(void **state)
{
	(void)state;
	assert_int_equal(iscsi_login_request(&fake.conn, iscsi_pdu_new(ISCSI_OP_NOP_OUT)),
			 -EPROTO);
	ask(OPER, NAMES);
	assert_int_equal(iscsi_login_request(&fake.conn, iscsi_pdu_new(ISCSI_OP_NOP_OUT)), 0);
	assert_int_equal(status(), 0x020b);
	assert_true(fake.ending);
}

static void rounds_are_bounded(void **state)
{
	unsigned int rounds = 0;

	(void)state;
	ask(OPER, NAMES);
	while (!status()) {
		assert_true(++rounds < 10000);
		fake_forget_sent();
		ask(OPER, "");
	}
	assert_int_equal(status(), 0x0200);
}

static void narrower_parameters_are_proposed(void **state)
{
	struct iscsi_target_config *c = iscsi_target_config_copy(target);

	(void)state;
	iscsi_keys_set(&c->params, ISCSI_KEY_IMMEDIATE_DATA, "No");
	iscsi_target_publish(target, c);
	ask(OPER | TO_FULL, NAMES);
	assert_int_equal(last()->flags & T, 0);
	assert_answer("TargetPortalGroupTag=1 MaxRecvDataSegmentLength=262144 "
		      "ImmediateData=No");
	assert_int_equal(iscsi_login_request(&fake.conn,
		request(OPER | TO_FULL, "ImmediateData=No")), 0);
	assert_session();
	assert_int_equal(fake.conn.params.v[ISCSI_KEY_IMMEDIATE_DATA], 0);
}

static void a_proposal_without_answer_leaves_the_default(void **state)
{
	struct iscsi_target_config *c = iscsi_target_config_copy(target);

	(void)state;
	iscsi_keys_set(&c->params, ISCSI_KEY_IMMEDIATE_DATA, "No");
	iscsi_target_publish(target, c);
	ask(OPER | TO_FULL, NAMES);
	fake_forget_sent();
	assert_int_equal(iscsi_login_request(&fake.conn, request(OPER | TO_FULL, "")), 0);
	assert_session();
	assert_int_equal(fake.conn.params.v[ISCSI_KEY_IMMEDIATE_DATA], 1);
}

/* --- CHAP --- */

/* Up to the challenge; returns the CHAP_R for @secret. */
static const char *challenged(const char *secret)
{
	static char response[ISCSI_CHAP_TEXT_MAX];
	struct iscsi_chap initiator = { .algorithm = ISCSI_CHAP_SHA256 };
	char id[8], challenge[ISCSI_CHAP_TEXT_MAX];
	const char *text;

	ask(SEC, NAMES " AuthMethod=CHAP,None");
	assert_answer("TargetPortalGroupTag=1 AuthMethod=CHAP");
	ask(SEC, "CHAP_A=7,5");
	text = fake_text();
	if (sscanf(text, "CHAP_A=7 CHAP_I=%7s CHAP_C=%66s", id, challenge) != 2)
		fail_msg("%s", text);
	assert_int_equal(iscsi_chap_respond(&initiator, secret, id, challenge, response), 0);
	return response;
}

static const char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *format(const char *fmt, ...)
{
	static char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

static void chap_one_way(void **state)
{
	const char *response;

	(void)state;
	assert_int_equal(iscsi_account_bind(target, "user", false), 0);
	response = challenged("password1234");
	ask(SEC | TO_OPER, format("CHAP_N=user CHAP_R=%s", response));
	assert_int_equal(last()->flags & (T | 3), TO_OPER);
	assert_answer("");
	assert_int_equal(iscsi_login_request(&fake.conn, request(OPER | TO_FULL, "")), 0);
	assert_session();
}

static void chap_mutual(void **state)
{
	struct iscsi_chap c = { .algorithm = ISCSI_CHAP_SHA256 };
	char want[ISCSI_CHAP_TEXT_MAX];
	const char *response;

	(void)state;
	assert_int_equal(iscsi_account_bind(target, "user", false), 0);
	assert_int_equal(iscsi_account_bind(target, "me", true), 0);
	response = challenged("password1234");
	ask(SEC | TO_OPER, format("CHAP_N=user CHAP_R=%s CHAP_I=200 CHAP_C=0x0102030405",
				  response));
	assert_int_equal(last()->flags & (T | 3), TO_OPER);
	assert_int_equal(iscsi_chap_respond(&c, "outgoing5678", "200", "0x0102030405", want), 0);
	assert_answer(format("CHAP_N=me CHAP_R=%s", want));
}

static void chap_is_not_to_be_avoided(void **state)
{
	static const struct {
		uint8_t flags;
		const char *text;
	} cases[] = {
		{ OPER | TO_FULL, NAMES },
		{ OPER, NAMES },
		{ SEC | TO_OPER, NAMES },
		{ SEC | TO_FULL, NAMES },
		{ SEC | TO_OPER, NAMES " AuthMethod=None" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(iscsi_account_bind(target, "user", false), 0);
		refused(cases[i].flags, cases[i].text, 0x0201);
		teardown(state);
		setup(state);
	}
}

/* T without the response: the target stays, and says nothing of the next stage. */
static void chap_holds_the_transit(void **state)
{
	(void)state;
	assert_int_equal(iscsi_account_bind(target, "user", false), 0);
	ask(SEC | TO_OPER, NAMES " AuthMethod=CHAP");
	assert_int_equal(last()->flags & T, 0);
	ask(SEC | TO_FULL, "CHAP_A=8");
	assert_int_equal(last()->flags & T, 0);
	refused(OPER | TO_FULL, "", 0x0200);	/* a stage it was not let into */
}

static void chap_failures_look_alike(void **state)
{
	static const struct {
		const char *user, *secret;
	} cases[] = {
		{ "user", "password1235" }, { "user", "" }, { "nobody", "password1234" },
		{ "nobody", "nobody" }, { "me", "outgoing5678" }, { "", "password1234" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *response;

		assert_int_equal(iscsi_account_bind(target, "user", false), 0);
		assert_int_equal(iscsi_account_bind(target, "me", true), 0);
		response = challenged(cases[i].secret);
		refused(SEC | TO_OPER, format("CHAP_N=%s CHAP_R=%s", cases[i].user, response),
			0x0201);
		teardown(state);
		setup(state);
	}
}

static void mutual_chap_is_refused_when_it_proves_nothing(void **state)
{
	const char *response;

	/* No outgoing account. */
	assert_int_equal(iscsi_account_bind(target, "user", false), 0);
	response = challenged("password1234");
	refused(SEC | TO_OPER, format("CHAP_N=user CHAP_R=%s CHAP_I=1 CHAP_C=0x01", response),
		0x0201);
	teardown(state);
	setup(state);

	/* Our challenge, sent back. */
	assert_int_equal(iscsi_account_bind(target, "user", false), 0);
	assert_int_equal(iscsi_account_bind(target, "me", true), 0);
	ask(SEC, NAMES " AuthMethod=CHAP");
	fake_forget_sent();
	{
		struct iscsi_chap initiator = { .algorithm = ISCSI_CHAP_MD5 };
		char id[8], challenge[ISCSI_CHAP_TEXT_MAX], right[ISCSI_CHAP_TEXT_MAX];

		ask(SEC, "CHAP_A=5");
		assert_int_equal(sscanf(fake_text(), "CHAP_A=5 CHAP_I=%7s CHAP_C=%66s", id,
					challenge), 2);
		iscsi_chap_respond(&initiator, "password1234", id, challenge, right);
		refused(SEC | TO_OPER, format("CHAP_N=user CHAP_R=%s CHAP_I=%s CHAP_C=%s",
					      right, id, challenge), 0x0201);
	}
	teardown(state);
	setup(state);

	/* RFC 7143 9.2.1: one password for both directions. */
	assert_int_equal(iscsi_account_bind(target, "user", false), 0);
	assert_int_equal(iscsi_account_bind(target, "twin", true), 0);
	response = challenged("password1234");
	refused(SEC | TO_OPER, format("CHAP_N=user CHAP_R=%s CHAP_I=1 CHAP_C=0x01", response),
		0x0201);
}

static void discovery_has_accounts_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(iscsi_account_bind(NULL, "user", false), 0);
	refused(OPER | TO_FULL, ME " SessionType=Discovery", 0x0201);
	teardown(state);
	setup(state);
	/* The target has none. */
	assert_int_equal(iscsi_login_request(&fake.conn, request(OPER | TO_FULL, NAMES)), 0);
	assert_session();
	assert_int_equal(iscsi_account_unbind(NULL, "user", false), 0);
}

int main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_request_is_enough),
		TEST(stages_one_after_the_other),
		TEST(straight_from_security_to_full_feature),
		TEST(a_discovery_session_needs_no_target),
		TEST(first_requests_are_refused_with_their_status),
		TEST(other_versions_are_refused),
		TEST(the_acl_decides),
		TEST(an_offline_target_is_unavailable),
		TEST(control_may_refuse),
		TEST(a_connection_that_ended_meanwhile_leaves_no_session),
		TEST(requests_come_in_parts),
		TEST(long_answers_leave_in_parts),
		TEST(text_before_the_answer_was_fetched),
		TEST(what_describes_the_session_stays),
		TEST(names_belong_in_the_first_request),
		TEST(other_pdus_are_invalid_during_login),
		TEST(rounds_are_bounded),
		TEST(narrower_parameters_are_proposed),
		TEST(a_proposal_without_answer_leaves_the_default),
		TEST(chap_one_way),
		TEST(chap_mutual),
		TEST(chap_is_not_to_be_avoided),
		TEST(chap_holds_the_transit),
		TEST(chap_failures_look_alike),
		TEST(mutual_chap_is_refused_when_it_proves_nothing),
		TEST(discovery_has_accounts_of_its_own),
	};

	return cmocka_run_group_tests_name("iscsi/login", tests, group_setup,
					   group_teardown);
}
