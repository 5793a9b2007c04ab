/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of keys against RFC 7143 clause 13, row by row, and each rule. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "iscsi/keys.h"

#define OP	ISCSI_KEYS_OPERATIONAL
#define SN	ISCSI_KEYS_SECURITY
#define FFP	ISCSI_KEYS_FULL_FEATURE

static struct iscsi_params own, params;
static struct iscsi_negotiation n;
static char answer[ISCSI_KEYS_VALUE_MAX + 1];

static void begin(bool discovery)
{
	iscsi_keys_begin(&n, &own, &params, discovery);
}

static int reset(void **state)
{
	(void)state;
	own = iscsi_params_default;
	begin(false);
	return 0;
}

static const char *offer(const char *key, const char *value)
{
	const int err = iscsi_keys_offer(&n, OP, key, value, answer);

	if (err)
		fail_msg("%s=%s: %d", key, value, err);
	return answer;
}

static void set(enum iscsi_key key, const char *value)
{
	if (iscsi_keys_set(&own, key, value) < 0)
		fail_msg("cannot set %s=%s", iscsi_keys_name(key), value);
	begin(n.discovery);
}

/* As the RFC has them, in its words, not derived from keys.c. */
static const struct rfc {
	enum iscsi_key key;
	bool any_stage;		/* "Use: ALL" */
	bool in_discovery;
	const char *name, *def, *min, *max, *below, *above;
} rfc[] = {
	{ ISCSI_KEY_MAX_RECV_DATA_SEGMENT, true, true, "MaxRecvDataSegmentLength",
	  "8192", "512", "16777215", "511", "16777216" },
	{ ISCSI_KEY_HEADER_DIGEST, false, true, "HeaderDigest",
	  "None", "None", "CRC32C", NULL, NULL },
	{ ISCSI_KEY_DATA_DIGEST, false, true, "DataDigest",
	  "None", "None", "CRC32C", NULL, NULL },
	{ ISCSI_KEY_INITIAL_R2T, false, false, "InitialR2T",
	  "Yes", "No", "Yes", NULL, NULL },
	{ ISCSI_KEY_MAX_OUTSTANDING_R2T, false, false, "MaxOutstandingR2T",
	  "1", "1", "65535", "0", "65536" },
	{ ISCSI_KEY_IMMEDIATE_DATA, false, false, "ImmediateData",
	  "Yes", "No", "Yes", NULL, NULL },
	{ ISCSI_KEY_FIRST_BURST, false, false, "FirstBurstLength",
	  "65536", "512", "16777215", "511", "16777216" },
	{ ISCSI_KEY_MAX_BURST, false, false, "MaxBurstLength",
	  "262144", "512", "16777215", "511", "16777216" },
	{ ISCSI_KEY_DATA_PDU_IN_ORDER, false, false, "DataPDUInOrder",
	  "Yes", "No", "Yes", NULL, NULL },
	{ ISCSI_KEY_DATA_SEQUENCE_IN_ORDER, false, false, "DataSequenceInOrder",
	  "Yes", "No", "Yes", NULL, NULL },
	{ ISCSI_KEY_ERROR_RECOVERY_LEVEL, false, true, "ErrorRecoveryLevel",
	  "0", "0", "2", NULL, "3" },
	{ ISCSI_KEY_TIME2WAIT, false, true, "DefaultTime2Wait",
	  "2", "0", "3600", NULL, "3601" },
	{ ISCSI_KEY_TIME2RETAIN, false, true, "DefaultTime2Retain",
	  "20", "0", "3600", NULL, "3601" },
	{ ISCSI_KEY_MAX_CONNECTIONS, false, false, "MaxConnections",
	  "1", "1", "65535", "0", "65536" },
	{ ISCSI_KEY_TASK_REPORTING, false, false, "TaskReporting",
	  "RFC3720", "RFC3720", "RFC3720", NULL, NULL },
	{ ISCSI_KEY_PROTOCOL_LEVEL, false, false, "iSCSIProtocolLevel",
	  "1", "0", "31", NULL, "32" },
};

static void names_are_unique_and_found(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < ISCSI_KEY_NR; k++) {
		enum iscsi_key key = ISCSI_KEY_NR;
		const char *name = iscsi_keys_name(k);

		assert_true(name[0]);
		assert_true(strlen(name) <= ISCSI_KEYS_NAME_MAX);
		for (unsigned int other = 0; other < k; other++)
			assert_string_not_equal(name, iscsi_keys_name(other));
		if (k < ISCSI_KEYS_SHOWN) {
			assert_int_equal(iscsi_keys_find(name, &key), 0);
			assert_int_equal(key, k);
		} else {
			assert_int_equal(iscsi_keys_find(name, &key), -ENOENT);
		}
	}
}

static void rows_are_those_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rfc); i++) {
		char shown[64];

		assert_string_equal(iscsi_keys_name(rfc[i].key), rfc[i].name);
		assert_string_equal(iscsi_keys_show(&iscsi_params_default, rfc[i].key,
						    shown, sizeof(shown)), rfc[i].def);
	}
}

static void what_is_out_of_range_is_rejected(void **state)
{
	static const char *const never[] = { "", " ", "Maybe", "-1", "yes", "0x",
		"1.5", "99999999999999999999999", "Irrelevant", "Reject",
		"NotUnderstood", "1~2", "0bAQAA", "1 ", "," };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rfc); i++) {
		const struct iscsi_params before = params;

		for (size_t j = 0; j < ARRAY_SIZE(never) + 2; j++) {
			const char *value = j < ARRAY_SIZE(never) ? never[j] :
					    j == ARRAY_SIZE(never) ? rfc[i].below :
								     rfc[i].above;

			if (!value)
				continue;
			begin(false);
			if (rfc[i].any_stage) {	/* a declaration has no answer */
				assert_int_equal(iscsi_keys_offer(&n, OP, rfc[i].name,
								  value, answer),
						 -EPROTO);
				assert_string_equal(answer, "");
			} else {
				assert_string_equal(offer(rfc[i].name, value), "Reject");
			}
			/* 7.12: a failed negotiation leaves all as it was. */
			assert_memory_equal(&params.v, &before.v, sizeof(params.v));
		}
	}
}

static void both_ends_of_the_range_are_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rfc); i++)
		for (int end = 0; end < 2; end++) {
			begin(false);
			assert_string_not_equal(offer(rfc[i].name,
						      end ? rfc[i].max : rfc[i].min),
						"Reject");
		}
}

static void rules_make_one_value_of_two(void **state)
{
	static const struct {
		enum iscsi_key key;
		const char *own, *theirs, *want;
	} cases[] = {
		{ ISCSI_KEY_MAX_BURST, "131072", "65536", "65536" },
		{ ISCSI_KEY_MAX_BURST, "131072", "131072", "131072" },
		{ ISCSI_KEY_MAX_BURST, "131072", "0x40000", "131072" },
		{ ISCSI_KEY_MAX_BURST, "131072", "0X200", "512" },
		{ ISCSI_KEY_MAX_OUTSTANDING_R2T, "4", "8", "4" },
		{ ISCSI_KEY_MAX_OUTSTANDING_R2T, "4", "2", "2" },
		{ ISCSI_KEY_TIME2WAIT, "5", "2", "5" },
		{ ISCSI_KEY_TIME2WAIT, "5", "7", "7" },
		{ ISCSI_KEY_TIME2RETAIN, "5", "0", "0" },
		{ ISCSI_KEY_TIME2RETAIN, "5", "60", "5" },
		{ ISCSI_KEY_ERROR_RECOVERY_LEVEL, "0", "2", "0" },
		{ ISCSI_KEY_MAX_CONNECTIONS, "1", "8", "1" },
		{ ISCSI_KEY_INITIAL_R2T, "Yes", "No", "Yes" },
		{ ISCSI_KEY_INITIAL_R2T, "No", "Yes", "Yes" },
		{ ISCSI_KEY_INITIAL_R2T, "No", "No", "No" },
		{ ISCSI_KEY_IMMEDIATE_DATA, "Yes", "No", "No" },
		{ ISCSI_KEY_IMMEDIATE_DATA, "No", "Yes", "No" },
		{ ISCSI_KEY_IMMEDIATE_DATA, "Yes", "Yes", "Yes" },
		{ ISCSI_KEY_DATA_PDU_IN_ORDER, "Yes", "No", "Yes" },
		{ ISCSI_KEY_DATA_SEQUENCE_IN_ORDER, "Yes", "No", "Yes" },
		{ ISCSI_KEY_HEADER_DIGEST, "CRC32C", "CRC32C,None", "CRC32C" },
		{ ISCSI_KEY_HEADER_DIGEST, "CRC32C", "None,CRC32C", "None" },
		{ ISCSI_KEY_HEADER_DIGEST, "CRC32C", "None", "None" },
		{ ISCSI_KEY_HEADER_DIGEST, "CRC32C", "X-a,CRC32C", "CRC32C" },
		{ ISCSI_KEY_HEADER_DIGEST, "CRC32C", "MD5", "Reject" },
		{ ISCSI_KEY_HEADER_DIGEST, "CRC32C", "crc32c", "Reject" },
		{ ISCSI_KEY_HEADER_DIGEST, "None", "CRC32C", "Reject" },
		{ ISCSI_KEY_HEADER_DIGEST, "None", "CRC32C,None", "None" },
		{ ISCSI_KEY_DATA_DIGEST, "None,CRC32C", "CRC32C", "CRC32C" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = iscsi_keys_name(cases[i].key);
		char shown[64];

		reset(NULL);
		set(cases[i].key, cases[i].own);
		if (strcmp(offer(name, cases[i].theirs), cases[i].want))
			fail_msg("%s: %s and %s make %s", name, cases[i].own,
				 cases[i].theirs, answer);
		if (!strcmp(answer, "Reject"))
			continue;
		/* The outcome is what was answered. */
		assert_string_equal(iscsi_keys_show(&params, cases[i].key, shown,
						    sizeof(shown)), cases[i].want);
		assert_true(params.set & BIT(cases[i].key));
	}
}

/* Nobody configured it: used where the initiator insists, and only there. */
static void an_unset_digest_follows_the_initiator(void **state)
{
	static const struct {
		const char *theirs, *want;
	} cases[] = {
		{ "None", "None" }, { "CRC32C", "CRC32C" },
		{ "CRC32C,None", "None" }, { "None,CRC32C", "None" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(false);
		assert_string_equal(offer("DataDigest", cases[i].theirs), cases[i].want);
	}
}

static void first_burst_stays_within_max_burst(void **state)
{
	(void)state;
	set(ISCSI_KEY_FIRST_BURST, "262144");
	set(ISCSI_KEY_MAX_BURST, "131072");
	/* Whichever comes first. */
	assert_string_equal(offer("FirstBurstLength", "262144"), "131072");
	assert_string_equal(offer("MaxBurstLength", "262144"), "131072");
	begin(false);
	assert_string_equal(offer("MaxBurstLength", "8192"), "8192");
	assert_string_equal(offer("FirstBurstLength", "262144"), "8192");
}

static void max_recv_is_declared_not_answered(void **state)
{
	(void)state;
	assert_int_equal(params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT], 8192);
	assert_int_equal(params.v[ISCSI_KEY_MAX_RECV_DATA_SEGMENT], 262144);
	assert_string_equal(offer("MaxRecvDataSegmentLength", "65536"), "");
	assert_int_equal(params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT], 65536);
	assert_int_equal(params.v[ISCSI_KEY_MAX_RECV_DATA_SEGMENT], 262144);

	/* What the administrator sets is what we declare, and our limit. */
	set(ISCSI_KEY_MAX_RECV_DATA_SEGMENT, "8192");
	set(ISCSI_KEY_MAX_XMIT_DATA_SEGMENT, "4096");
	assert_int_equal(iscsi_keys_recv_bytes(&own), 8192);
	assert_int_equal(params.v[ISCSI_KEY_MAX_RECV_DATA_SEGMENT], 8192);
	assert_int_equal(params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT], 4096);
	offer("MaxRecvDataSegmentLength", "65536");
	assert_int_equal(params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT], 4096);
	begin(false);
	offer("MaxRecvDataSegmentLength", "512");
	assert_int_equal(params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT], 512);
}

static void obsolete_and_foreign_keys_change_nothing(void **state)
{
	static const struct {
		const char *key, *value, *want;
	} cases[] = {
		{ "IFMarker", "Yes", "No" }, { "IFMarker", "No", "No" },
		{ "OFMarker", "Yes", "No" }, { "OFMarkInt", "2048~4096", "Reject" },
		{ "IFMarkInt", "2048", "Reject" }, { "RDMAExtensions", "Yes", "No" },
		{ "TargetRecvDataSegmentLength", "4096", "Irrelevant" },
		{ "InitiatorRecvDataSegmentLength", "4096", "Irrelevant" },
		{ "MaxOutstandingUnexpectedPDUs", "3", "Irrelevant" },
	};
	struct iscsi_params before = params;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(false);
		assert_string_equal(offer(cases[i].key, cases[i].value), cases[i].want);
		assert_memory_equal(&params, &before, sizeof(params));
	}
}

static void discovery_has_its_own_relevance(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rfc); i++) {
		begin(true);
		offer(rfc[i].name, rfc[i].def);
		if (!strcmp(answer, "Irrelevant") == rfc[i].in_discovery)
			fail_msg("%s in discovery: %s", rfc[i].name, answer);
	}
}

static void keys_have_their_stages(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rfc); i++) {
		begin(false);
		iscsi_keys_offer(&n, FFP, rfc[i].name, rfc[i].def, answer);
		assert_string_equal(answer, rfc[i].any_stage ? "" : "Reject");
		begin(false);
		iscsi_keys_offer(&n, SN, rfc[i].name, rfc[i].def, answer);
		assert_string_equal(answer, rfc[i].any_stage ? "" : "Reject");
	}
}

static void a_key_is_offered_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rfc); i++) {
		offer(rfc[i].name, rfc[i].def);
		assert_int_equal(iscsi_keys_offer(&n, OP, rfc[i].name, rfc[i].def,
						  answer), -EEXIST);
	}
}

static void strangers_are_not_in_the_table(void **state)
{
	static const char *const names[] = { "X-a", "maxburstlength", "", "AuthMethod",
					     "MaxXmitDataSegmentLength" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(iscsi_keys_offer(&n, OP, names[i], "1", answer), -ENOENT);
}

static unsigned int propose_all(void)
{
	unsigned int key = 0, found = 0;
	const char *name;
	char value[ISCSI_KEYS_VALUE_MAX + 1];

	while (iscsi_keys_propose(&n, &key, &name, value))
		found++;
	return found;
}

static void defaults_need_no_proposal(void **state)
{
	(void)state;
	assert_int_equal(propose_all(), 0);
	/* Nor what is wider than the default: the initiator did not ask for it. */
	set(ISCSI_KEY_MAX_BURST, "1048576");
	set(ISCSI_KEY_INITIAL_R2T, "No");
	set(ISCSI_KEY_MAX_OUTSTANDING_R2T, "8");
	assert_int_equal(propose_all(), 0);
}

static void what_is_narrower_is_proposed_once(void **state)
{
	unsigned int key = 0;
	const char *name;
	char value[ISCSI_KEYS_VALUE_MAX + 1];

	(void)state;
	set(ISCSI_KEY_IMMEDIATE_DATA, "No");
	set(ISCSI_KEY_MAX_BURST, "32768");
	set(ISCSI_KEY_TIME2WAIT, "0");		/* wider: maximum rule */
	offer("MaxBurstLength", "65536");	/* so this needs none */
	assert_true(iscsi_keys_propose(&n, &key, &name, value));
	assert_string_equal(name, "ImmediateData");
	assert_string_equal(value, "No");
	/* FirstBurstLength may not exceed MaxBurstLength. */
	assert_true(iscsi_keys_propose(&n, &key, &name, value));
	assert_string_equal(name, "FirstBurstLength");
	assert_string_equal(value, "32768");
	assert_false(iscsi_keys_propose(&n, &key, &name, value));
	assert_int_equal(propose_all(), 0);

	assert_int_equal(n.proposed, BIT(ISCSI_KEY_IMMEDIATE_DATA) |
				     BIT(ISCSI_KEY_FIRST_BURST));
	assert_string_equal(offer("ImmediateData", "No"), "");
	assert_int_equal(params.v[ISCSI_KEY_IMMEDIATE_DATA], 0);
	assert_string_equal(offer("FirstBurstLength", "16384"), "");
	assert_int_equal(params.v[ISCSI_KEY_FIRST_BURST], 16384);
	assert_int_equal(n.proposed, 0);
}

static void a_bad_answer_to_a_proposal_is_an_error(void **state)
{
	(void)state;
	set(ISCSI_KEY_IMMEDIATE_DATA, "No");
	assert_int_equal(propose_all(), 1);
	assert_int_equal(iscsi_keys_offer(&n, OP, "ImmediateData", "Perhaps", answer),
			 -EPROTO);
	begin(false);
	assert_int_equal(propose_all(), 1);
	assert_int_equal(iscsi_keys_offer(&n, OP, "ImmediateData", "Reject", answer), 0);
	assert_int_equal(params.v[ISCSI_KEY_IMMEDIATE_DATA], 1);
}

static void tgtadm_sets_within_the_range(void **state)
{
	static const struct {
		enum iscsi_key key;
		int err;
		const char *value, *shown;
	} cases[] = {
		{ ISCSI_KEY_MAX_RECV_DATA_SEGMENT, 0, "512", "512" },
		{ ISCSI_KEY_MAX_RECV_DATA_SEGMENT, -ERANGE, "511", "8192" },
		{ ISCSI_KEY_MAX_RECV_DATA_SEGMENT, -ERANGE, "16777216", "8192" },
		{ ISCSI_KEY_MAX_RECV_DATA_SEGMENT, -EINVAL, "8k", "8192" },
		{ ISCSI_KEY_HEADER_DIGEST, 0, "CRC32C", "CRC32C" },
		{ ISCSI_KEY_HEADER_DIGEST, 0, "None,CRC32C", "CRC32C" },
		{ ISCSI_KEY_HEADER_DIGEST, 0, "None", "None" },
		{ ISCSI_KEY_HEADER_DIGEST, -EINVAL, "CRC32", "None" },
		{ ISCSI_KEY_INITIAL_R2T, 0, "No", "No" },
		{ ISCSI_KEY_INITIAL_R2T, 0, "off", "No" },
		{ ISCSI_KEY_INITIAL_R2T, -EINVAL, "maybe", "Yes" },
		{ ISCSI_KEY_MAX_OUTSTANDING_R2T, 0, "65535", "65535" },
		{ ISCSI_KEY_MAX_OUTSTANDING_R2T, -ERANGE, "0", "1" },
		{ ISCSI_KEY_TIME2WAIT, 0, "3600", "3600" },
		{ ISCSI_KEY_TIME2RETAIN, -ERANGE, "3601", "20" },
		/* Only what we implement. */
		{ ISCSI_KEY_ERROR_RECOVERY_LEVEL, 0, "0", "0" },
		{ ISCSI_KEY_ERROR_RECOVERY_LEVEL, -ENOTSUP, "1", "0" },
		{ ISCSI_KEY_ERROR_RECOVERY_LEVEL, -ERANGE, "3", "0" },
		{ ISCSI_KEY_MAX_CONNECTIONS, 0, "1", "1" },
		{ ISCSI_KEY_MAX_CONNECTIONS, -ENOTSUP, "2", "1" },
		{ ISCSI_KEY_DATA_PDU_IN_ORDER, -ENOTSUP, "No", "Yes" },
		{ ISCSI_KEY_DATA_SEQUENCE_IN_ORDER, 0, "Yes", "Yes" },
		{ ISCSI_KEY_IF_MARKER, -ENOTSUP, "Yes", "No" },
		{ ISCSI_KEY_OF_MARKER, 0, "No", "No" },
		{ ISCSI_KEY_OF_MARK_INT, 0, "4096", "Reject" },
		{ ISCSI_KEY_IF_MARK_INT, -ERANGE, "0", "Reject" },
		{ ISCSI_KEY_RDMA_EXTENSIONS, 0, "No", "No" },
		{ ISCSI_KEY_MAX_OUTSTANDING_UNEXPECTED_PDUS, 0, "7", "7" },
		{ ISCSI_KEY_MAX_XMIT_DATA_SEGMENT, 0, "65536", "65536" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char shown[64];

		reset(NULL);
		if (iscsi_keys_set(&own, cases[i].key, cases[i].value) != cases[i].err)
			fail_msg("%s=%s", iscsi_keys_name(cases[i].key), cases[i].value);
		assert_string_equal(iscsi_keys_show(&own, cases[i].key, shown,
						    sizeof(shown)), cases[i].shown);
		assert_int_equal(own.set, cases[i].err ? 0 : BIT(cases[i].key));
	}
}

/* tgtadm --mode target --op show --tid 1: names, order and defaults of tgt. */
static void tgtadm_shows_what_tgt_shows(void **state)
{
	static const char want[] =
		"MaxRecvDataSegmentLength=8192\nHeaderDigest=None\nDataDigest=None\n"
		"InitialR2T=Yes\nMaxOutstandingR2T=1\nImmediateData=Yes\n"
		"FirstBurstLength=65536\nMaxBurstLength=262144\nDataPDUInOrder=Yes\n"
		"DataSequenceInOrder=Yes\nErrorRecoveryLevel=0\nIFMarker=No\n"
		"OFMarker=No\nDefaultTime2Wait=2\nDefaultTime2Retain=20\n"
		"OFMarkInt=Reject\nIFMarkInt=Reject\nMaxConnections=1\n"
		"RDMAExtensions=Yes\nTargetRecvDataSegmentLength=262144\n"
		"InitiatorRecvDataSegmentLength=262144\n"
		"MaxOutstandingUnexpectedPDUs=0\nMaxXmitDataSegmentLength=8192\n";
	char got[sizeof(want) + 100] = "", value[64];

	(void)state;
	for (unsigned int k = 0; k < ISCSI_KEYS_SHOWN; k++) {
		const size_t at = strlen(got);

		snprintf(got + at, sizeof(got) - at, "%s=%s\n", iscsi_keys_name(k),
			 iscsi_keys_show(&iscsi_params_default, k, value, sizeof(value)));
	}
	assert_string_equal(got, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_unique_and_found),
		cmocka_unit_test(rows_are_those_of_the_rfc),
		cmocka_unit_test_setup(what_is_out_of_range_is_rejected, reset),
		cmocka_unit_test_setup(both_ends_of_the_range_are_accepted, reset),
		cmocka_unit_test_setup(rules_make_one_value_of_two, reset),
		cmocka_unit_test_setup(an_unset_digest_follows_the_initiator, reset),
		cmocka_unit_test_setup(first_burst_stays_within_max_burst, reset),
		cmocka_unit_test_setup(max_recv_is_declared_not_answered, reset),
		cmocka_unit_test_setup(obsolete_and_foreign_keys_change_nothing, reset),
		cmocka_unit_test_setup(discovery_has_its_own_relevance, reset),
		cmocka_unit_test_setup(keys_have_their_stages, reset),
		cmocka_unit_test_setup(a_key_is_offered_once, reset),
		cmocka_unit_test_setup(strangers_are_not_in_the_table, reset),
		cmocka_unit_test_setup(defaults_need_no_proposal, reset),
		cmocka_unit_test_setup(what_is_narrower_is_proposed_once, reset),
		cmocka_unit_test_setup(a_bad_answer_to_a_proposal_is_an_error, reset),
		cmocka_unit_test_setup(tgtadm_sets_within_the_range, reset),
		cmocka_unit_test_setup(tgtadm_shows_what_tgt_shows, reset),
	};

	return cmocka_run_group_tests_name("iscsi/keys", tests, NULL, NULL);
}
