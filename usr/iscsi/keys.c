/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/keys.c - one row a key: what a value looks like, which are legal, how
 * both sides come to one, and where the key may be used.  The columns are those
 * of RFC 7143 clause 13 ("Use", "Default", "Result function", "Irrelevant when").
 *
 * Until a key is negotiated its default counts, whatever the target would like;
 * so where the target's side is narrower than the default, we propose it.
 */
#include "iscsi/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"

enum type { NUMBER, BOOLEAN, DIGEST, RANGE, WORD };

/* 6.2.2: the function that makes one value of two. */
enum rule {
	MINIMUM,
	MAXIMUM,
	AND,
	OR,
	LIST,		/* the first of the initiator's that we support */
	DECLARE,	/* each side for itself */
	REFUSE,		/* obsolete (13.25) or not of this transport: No, Reject */
	IRRELEVANT,	/* means something with RDMAExtensions=Yes only */
	LOCAL,		/* tgtadm's, never on the wire */
};

#define SN	ISCSI_KEYS_SECURITY
#define OP	ISCSI_KEYS_OPERATIONAL
#define FFP	ISCSI_KEYS_FULL_FEATURE
#define ANY	(SN | OP | FFP)

struct row {
	const char *name;
	enum type type;
	enum rule rule;
	uint32_t min, max;		/* the RFC's */
	bool fixed;			/* tgtadm may only set what we implement */
	uint8_t use;			/* stages */
	bool discovery;			/* relevant in a discovery session */
};

static const struct row rows[ISCSI_KEY_NR] = {
	[ISCSI_KEY_MAX_RECV_DATA_SEGMENT] = {			/* 13.12 */
		"MaxRecvDataSegmentLength", NUMBER, DECLARE,
		512, 16777215, .use = ANY, .discovery = true },
	[ISCSI_KEY_HEADER_DIGEST] = {				/* 13.1 */
		"HeaderDigest", DIGEST, LIST, 0, 1,
		.use = OP, .discovery = true },
	[ISCSI_KEY_DATA_DIGEST] = {				/* 13.1 */
		"DataDigest", DIGEST, LIST, 0, 1,
		.use = OP, .discovery = true },
	[ISCSI_KEY_INITIAL_R2T] = {				/* 13.10 */
		"InitialR2T", BOOLEAN, OR, 0, 1, .use = OP },
	[ISCSI_KEY_MAX_OUTSTANDING_R2T] = {			/* 13.17 */
		"MaxOutstandingR2T", NUMBER, MINIMUM, 1, 65535, .use = OP },
	[ISCSI_KEY_IMMEDIATE_DATA] = {				/* 13.11 */
		"ImmediateData", BOOLEAN, AND, 0, 1, .use = OP },
	[ISCSI_KEY_FIRST_BURST] = {				/* 13.14 */
		"FirstBurstLength", NUMBER, MINIMUM,
		512, 16777215, .use = OP },
	[ISCSI_KEY_MAX_BURST] = {				/* 13.13 */
		"MaxBurstLength", NUMBER, MINIMUM,
		512, 16777215, .use = OP },
	[ISCSI_KEY_DATA_PDU_IN_ORDER] = {			/* 13.18 */
		"DataPDUInOrder", BOOLEAN, OR, 0, 1,
		.fixed = true, .use = OP },
	[ISCSI_KEY_DATA_SEQUENCE_IN_ORDER] = {			/* 13.19 */
		"DataSequenceInOrder", BOOLEAN, OR, 0, 1,
		.fixed = true, .use = OP },
	[ISCSI_KEY_ERROR_RECOVERY_LEVEL] = {			/* 13.20 */
		"ErrorRecoveryLevel", NUMBER, MINIMUM, 0, 2,
		.fixed = true, .use = OP, .discovery = true },
	[ISCSI_KEY_IF_MARKER] = {				/* 13.25 */
		"IFMarker", BOOLEAN, REFUSE, 0, 1,
		.use = OP, .discovery = true },
	[ISCSI_KEY_OF_MARKER] = {				/* 13.25 */
		"OFMarker", BOOLEAN, REFUSE, 0, 1,
		.use = OP, .discovery = true },
	[ISCSI_KEY_TIME2WAIT] = {				/* 13.15 */
		"DefaultTime2Wait", NUMBER, MAXIMUM, 0, 3600,
		.use = OP, .discovery = true },
	[ISCSI_KEY_TIME2RETAIN] = {				/* 13.16 */
		"DefaultTime2Retain", NUMBER, MINIMUM, 0, 3600,
		.use = OP, .discovery = true },
	[ISCSI_KEY_OF_MARK_INT] = {				/* 13.25 */
		"OFMarkInt", RANGE, REFUSE, 1, 65535,
		.use = OP, .discovery = true },
	[ISCSI_KEY_IF_MARK_INT] = {				/* 13.25 */
		"IFMarkInt", RANGE, REFUSE, 1, 65535,
		.use = OP, .discovery = true },
	[ISCSI_KEY_MAX_CONNECTIONS] = {				/* 13.2 */
		"MaxConnections", NUMBER, MINIMUM, 1, 65535,
		.fixed = true, .use = OP },
	[ISCSI_KEY_RDMA_EXTENSIONS] = {				/* RFC 7145 6.3 */
		"RDMAExtensions", BOOLEAN, REFUSE, 0, 1, .use = OP },
	[ISCSI_KEY_TARGET_RECV_DATA_SEGMENT] = {		/* RFC 7145 6.4 */
		"TargetRecvDataSegmentLength", NUMBER, IRRELEVANT,
		512, 16777215, .use = OP },
	[ISCSI_KEY_INITIATOR_RECV_DATA_SEGMENT] = {		/* RFC 7145 6.5 */
		"InitiatorRecvDataSegmentLength", NUMBER, IRRELEVANT,
		512, 16777215, .use = OP },
	[ISCSI_KEY_MAX_OUTSTANDING_UNEXPECTED_PDUS] = {		/* RFC 7145 6.7 */
		"MaxOutstandingUnexpectedPDUs", NUMBER, IRRELEVANT,
		0, UINT32_MAX, .use = OP },
	[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT] = {			/* tgt's own */
		"MaxXmitDataSegmentLength", NUMBER, LOCAL,
		512, 16777215 },
	[ISCSI_KEY_TASK_REPORTING] = {				/* 13.23 */
		"TaskReporting", WORD, LIST, 0, 0, .use = OP },
	[ISCSI_KEY_PROTOCOL_LEVEL] = {				/* 13.24 */
		"iSCSIProtocolLevel", NUMBER, MINIMUM, 0, 31,
		.fixed = true, .use = OP },
};

/* The values that a LIST key can name; a row's number is the stored value. */
static const char *const digests[] = { "None", "CRC32C" };
static const char *const reportings[] = { "RFC3720" };

const struct iscsi_params iscsi_params_default = {
	.v = {
		[ISCSI_KEY_MAX_RECV_DATA_SEGMENT] = 8192,
		[ISCSI_KEY_INITIAL_R2T] = 1,
		[ISCSI_KEY_MAX_OUTSTANDING_R2T] = 1,
		[ISCSI_KEY_IMMEDIATE_DATA] = 1,
		[ISCSI_KEY_FIRST_BURST] = 65536,
		[ISCSI_KEY_MAX_BURST] = 262144,
		[ISCSI_KEY_DATA_PDU_IN_ORDER] = 1,
		[ISCSI_KEY_DATA_SEQUENCE_IN_ORDER] = 1,
		[ISCSI_KEY_TIME2WAIT] = 2,
		[ISCSI_KEY_TIME2RETAIN] = 20,
		[ISCSI_KEY_OF_MARK_INT] = 2048,
		[ISCSI_KEY_IF_MARK_INT] = 2048,
		[ISCSI_KEY_MAX_CONNECTIONS] = 1,
		[ISCSI_KEY_RDMA_EXTENSIONS] = 1,
		[ISCSI_KEY_TARGET_RECV_DATA_SEGMENT] = 262144,
		[ISCSI_KEY_INITIATOR_RECV_DATA_SEGMENT] = 262144,
		[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT] = 8192,
		[ISCSI_KEY_PROTOCOL_LEVEL] = 1,
	},
};

static_assert(ISCSI_KEY_NR <= 32, "bitmaps of keys are 32 bits wide");

static int find(const char *name, enum iscsi_key *ret_key)
{
	for (unsigned int k = 0; k < ISCSI_KEY_NR; k++)
		if (!strcmp(rows[k].name, name)) {
			*ret_key = k;
			return 0;
		}
	return -ENOENT;
}

const char *iscsi_keys_name(enum iscsi_key key)
{
	return rows[key].name;
}

int iscsi_keys_find(const char *name, enum iscsi_key *ret_key)
{
	enum iscsi_key key;

	if (find(name, &key) < 0 || key >= ISCSI_KEYS_SHOWN)
		return -ENOENT;
	*ret_key = key;
	return 0;
}

/* 6.1: a number is decimal or hexadecimal; base64 is for binary values only. */
static int parse_number(const struct row *r, const char *value, uint32_t *ret)
{
	uint64_t v;
	const int err = parse_u64(value, r->min, r->max, &v);

	if (!err)
		*ret = (uint32_t)v;
	return err;
}

/* 6.1: exactly Yes or No. */
static int parse_boolean(const char *value, uint32_t *ret)
{
	if (strcmp(value, "Yes") && strcmp(value, "No"))
		return -EINVAL;
	*ret = value[0] == 'Y';
	return 0;
}

static const char *const *words(const struct row *r, unsigned int *ret_n)
{
	*ret_n = r->type == DIGEST ? ARRAY_SIZE(digests) : ARRAY_SIZE(reportings);
	return r->type == DIGEST ? digests : reportings;
}

/* The values of a list as a set of BIT(value); unknown ones are passed over. */
static uint32_t parse_list(const struct row *r, const char *list,
			   uint32_t acceptable, uint32_t *ret_first)
{
	unsigned int nr_words;
	const char *const *word = words(r, &nr_words);
	uint32_t found = 0;

	for (;;) {
		const size_t n = strcspn(list, ",");

		for (unsigned int w = 0; w < nr_words; w++)
			if (strlen(word[w]) == n && !memcmp(word[w], list, n)) {
				if (!(found & acceptable) && acceptable & BIT(w))
					*ret_first = w;
				found |= BIT(w);
			}
		if (!list[n])
			return found;
		list += n + 1;
	}
}

static void format(const struct row *r, uint32_t v, char *buf, size_t bytes)
{
	unsigned int nr_words;

	if (r->type == DIGEST || r->type == WORD)
		text_copy(buf, bytes, words(r, &nr_words)[v]);
	else if (r->type == BOOLEAN)
		text_copy(buf, bytes, v ? "Yes" : "No");
	else
		snprintf(buf, bytes, "%u", v);
}

/* With both, CRC32C is what we support and None goes without saying. */
static int set_digest(const char *value, uint32_t *ret)
{
	static const struct {
		const char *text;
		uint32_t v;
	} forms[] = {
		{ "None", 0 },
		{ "CRC32C", 1 },
		{ "CRC32C,None", 1 },
		{ "None,CRC32C", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(value, forms[i].text)) {
			*ret = forms[i].v;
			return 0;
		}
	return -EINVAL;
}

int iscsi_keys_set(struct iscsi_params *p, enum iscsi_key key, const char *value)
{
	const struct row *r = &rows[key];
	bool yes = false;
	uint32_t v = 0;
	int err;

	switch (r->type) {
	case BOOLEAN:	/* people also write on, 1 and lower case */
		err = parse_bool(value, &yes);
		v = yes;
		break;
	case DIGEST:
		err = set_digest(value, &v);
		break;
	case NUMBER:
	case RANGE:
		err = parse_number(r, value, &v);
		break;
	default:
		err = -EINVAL;
	}
	if (err < 0)
		return err;
	if (r->fixed && v != iscsi_params_default.v[key])
		return -ENOTSUP;
	if (r->rule == REFUSE && r->type == BOOLEAN && v > iscsi_params_default.v[key])
		return -ENOTSUP;	/* markers */
	p->v[key] = v;
	p->set |= BIT(key);
	return 0;
}

const char *iscsi_keys_show(const struct iscsi_params *p, enum iscsi_key key,
			    char *buf, size_t buf_bytes)
{
	if (rows[key].type == RANGE)	/* what an initiator would be told */
		return text_copy(buf, buf_bytes, "Reject");
	format(&rows[key], p->v[key], buf, buf_bytes);
	return buf;
}

uint32_t iscsi_keys_recv_bytes(const struct iscsi_params *own)
{
	if (own->set & BIT(ISCSI_KEY_MAX_RECV_DATA_SEGMENT))
		return own->v[ISCSI_KEY_MAX_RECV_DATA_SEGMENT];
	return ISCSI_KEYS_RECV_BYTES;
}

/*
 * We may send @bytes at once: what the initiator declared, or the default.  An
 * explicit limit of the administrator's is kept.
 */
static void limit_xmit(struct iscsi_negotiation *n, uint32_t bytes)
{
	const enum iscsi_key xmit = ISCSI_KEY_MAX_XMIT_DATA_SEGMENT;

	if (n->own->set & BIT(xmit))
		bytes = MIN(bytes, n->own->v[xmit]);
	n->params->v[xmit] = bytes;
}

void iscsi_keys_begin(struct iscsi_negotiation *n, const struct iscsi_params *own,
		      struct iscsi_params *params, bool discovery)
{
	*params = iscsi_params_default;
	params->v[ISCSI_KEY_MAX_RECV_DATA_SEGMENT] = iscsi_keys_recv_bytes(own);
	*n = (struct iscsi_negotiation){
		.own = own,
		.params = params,
		.discovery = discovery,
	};
	limit_xmit(n, iscsi_params_default.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT]);
}

static uint32_t own_value(const struct iscsi_negotiation *n, enum iscsi_key key)
{
	uint32_t v = n->own->v[key];

	/* 13.14: never above MaxBurstLength, in whichever order they come. */
	if (key == ISCSI_KEY_FIRST_BURST) {
		v = MIN(v, n->own->v[ISCSI_KEY_MAX_BURST]);
		v = MIN(v, n->params->v[ISCSI_KEY_MAX_BURST]);
	}
	return v;
}

/*
 * The values of a list key that we take.  A digest that nobody configured is
 * used where the initiator insists on it, and only there.
 */
static uint32_t acceptable(const struct iscsi_negotiation *n, enum iscsi_key key,
			   uint32_t offered)
{
	if (rows[key].type != DIGEST || n->own->v[key])
		return BIT(0) | BIT(1);
	if (n->own->set & BIT(key) || offered & BIT(0))
		return BIT(0);
	return BIT(1);
}

/* 6.2.2: one value of the initiator's and ours.  < 0: answer Reject. */
static int agree(const struct iscsi_negotiation *n, enum iscsi_key key,
		 const char *value, uint32_t *ret)
{
	const struct row *r = &rows[key];
	const uint32_t own = own_value(n, key);
	uint32_t v = 0, offered, may;
	int err;

	switch (r->rule) {
	case LIST:
		offered = parse_list(r, value, 0, &v);
		may = acceptable(n, key, offered);
		if (!(parse_list(r, value, may, &v) & may))
			return -EINVAL;
		*ret = v;
		return 0;
	case AND:
	case OR:
		err = parse_boolean(value, &v);
		*ret = r->rule == AND ? v & own : v | own;
		return err;
	default:
		err = parse_number(r, value, &v);
		*ret = r->rule == MAXIMUM ? MAX(v, own) : MIN(v, own);
		return err;
	}
}

static void take(struct iscsi_negotiation *n, enum iscsi_key key, uint32_t v)
{
	n->params->v[key] = v;
	n->params->set |= BIT(key);
}

/* What the initiator says to our proposal must be what the rule makes of it. */
static int answered(struct iscsi_negotiation *n, enum iscsi_key key,
		    const char *value)
{
	uint32_t v;

	n->proposed &= ~BIT(key);
	if (!strcmp(value, "Irrelevant") || !strcmp(value, "NotUnderstood") ||
	    !strcmp(value, "Reject"))
		return 0;		/* the default stays */
	if (agree(n, key, value, &v) < 0)
		return -EPROTO;
	take(n, key, v);
	return 0;
}

/* Keys on which there is nothing to agree.  False: there is. */
static bool set_answer(const struct iscsi_negotiation *n, enum iscsi_key key,
		       enum iscsi_keys_stage stage, char *answer)
{
	const struct row *r = &rows[key];
	const char *word = NULL;

	if (!(r->use & stage))
		word = "Reject";	/* 7.12: a negotiation in the wrong place */
	else if (r->rule == REFUSE)
		word = r->type == BOOLEAN ? "No" : "Reject";
	else if (r->rule == IRRELEVANT || (n->discovery && !r->discovery))
		word = "Irrelevant";
	if (word)
		text_copy(answer, ISCSI_KEYS_VALUE_MAX + 1, word);
	return word;
}

int iscsi_keys_offer(struct iscsi_negotiation *n, enum iscsi_keys_stage stage,
		     const char *name, const char *value, char *answer)
{
	enum iscsi_key key;
	uint32_t v = 0;

	answer[0] = '\0';
	if (find(name, &key) < 0 || rows[key].rule == LOCAL)
		return -ENOENT;
	if (n->proposed & BIT(key))
		return answered(n, key, value);
	if (n->offered & BIT(key))
		return -EEXIST;
	n->offered |= BIT(key);
	if (set_answer(n, key, stage, answer))
		return 0;
	if (rows[key].rule == DECLARE) {
		if (parse_number(&rows[key], value, &v) < 0)
			return -EPROTO;
		limit_xmit(n, v);
		return 0;
	}
	if (!agree(n, key, value, &v)) {
		take(n, key, v);
		format(&rows[key], v, answer, ISCSI_KEYS_VALUE_MAX + 1);
		return 0;
	}
	text_copy(answer, ISCSI_KEYS_VALUE_MAX + 1, "Reject");
	return 0;
}

/* Would the outcome differ from the default if we said what we want? */
static bool narrower(const struct iscsi_negotiation *n, enum iscsi_key key)
{
	const uint32_t own = own_value(n, key);
	const uint32_t def = iscsi_params_default.v[key];

	switch (rows[key].rule) {
	case MINIMUM:
		return own < def;
	case MAXIMUM:
		return own > def;
	case AND:
		return own < def;
	case OR:
		return own > def;
	default:
		return false;
	}
}

bool iscsi_keys_propose(struct iscsi_negotiation *n, unsigned int *key,
			const char **ret_name, char *value)
{
	for (; *key < ISCSI_KEY_NR; ++*key) {
		const struct row *r = &rows[*key];

		if ((n->offered | n->params->set) & BIT(*key) || !narrower(n, *key) ||
		    (n->discovery && !r->discovery))
			continue;
		n->proposed |= BIT(*key);
		n->params->set |= BIT(*key);	/* once is enough */
		*ret_name = r->name;
		format(r, own_value(n, *key), value, ISCSI_KEYS_VALUE_MAX + 1);
		++*key;
		return true;
	}
	return false;
}
