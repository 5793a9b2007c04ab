/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/keys.h - the operational text keys of RFC 7143 clause 13: one table of
 * ranges, defaults and negotiation rules.
 *
 * A value is a number: length, count, boolean 0/1, seconds; for digests 0 None,
 * 1 CRC32C.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum iscsi_key {		/* tgtadm shows them in this order */
	ISCSI_KEY_MAX_RECV_DATA_SEGMENT,	/* what the sender of it can receive */
	ISCSI_KEY_HEADER_DIGEST,
	ISCSI_KEY_DATA_DIGEST,
	ISCSI_KEY_INITIAL_R2T,
	ISCSI_KEY_MAX_OUTSTANDING_R2T,
	ISCSI_KEY_IMMEDIATE_DATA,
	ISCSI_KEY_FIRST_BURST,
	ISCSI_KEY_MAX_BURST,
	ISCSI_KEY_DATA_PDU_IN_ORDER,
	ISCSI_KEY_DATA_SEQUENCE_IN_ORDER,
	ISCSI_KEY_ERROR_RECOVERY_LEVEL,
	ISCSI_KEY_IF_MARKER,
	ISCSI_KEY_OF_MARKER,
	ISCSI_KEY_TIME2WAIT,
	ISCSI_KEY_TIME2RETAIN,
	ISCSI_KEY_OF_MARK_INT,
	ISCSI_KEY_IF_MARK_INT,
	ISCSI_KEY_MAX_CONNECTIONS,
	ISCSI_KEY_RDMA_EXTENSIONS,
	ISCSI_KEY_TARGET_RECV_DATA_SEGMENT,
	ISCSI_KEY_INITIATOR_RECV_DATA_SEGMENT,
	ISCSI_KEY_MAX_OUTSTANDING_UNEXPECTED_PDUS,
	ISCSI_KEY_MAX_XMIT_DATA_SEGMENT,	/* negotiated: what we may send */
	ISCSI_KEY_TASK_REPORTING,		/* RFC 7143 13.23: RFC3720 only */
	ISCSI_KEY_PROTOCOL_LEVEL,		/* RFC 7143 13.24 */
	ISCSI_KEY_NR
};

#define ISCSI_KEYS_SHOWN	(ISCSI_KEY_MAX_XMIT_DATA_SEGMENT + 1) /* by tgtadm */
#define ISCSI_KEYS_NAME_MAX	63	/* RFC 7143 6.1 */
#define ISCSI_KEYS_VALUE_MAX	255	/* idem, of all keys of this table */
/* What we declare to receive, unless the administrator set it. */
#define ISCSI_KEYS_RECV_BYTES	262144U

struct iscsi_params {
	uint32_t v[ISCSI_KEY_NR];
	uint32_t set;	/* BIT(key): by the administrator, or negotiated */
};

/* The target's offer as tgt starts with it: also the defaults of the RFC. */
extern const struct iscsi_params iscsi_params_default;

/* --- tgtadm --- */

const char *iscsi_keys_name(enum iscsi_key key);
/* A key that tgtadm shows and sets.  -ENOENT. */
int iscsi_keys_find(const char *name, enum iscsi_key *ret_key);
/* Set by the administrator.  -EINVAL (no value of that key), -ERANGE (outside
 * its range), -ENOTSUP (a value that we do not implement). */
int iscsi_keys_set(struct iscsi_params *p, enum iscsi_key key, const char *value);
/* As tgtadm shows it; returns @buf. */
const char *iscsi_keys_show(const struct iscsi_params *p, enum iscsi_key key,
			    char *buf, size_t buf_bytes);

/* --- negotiation, RFC 7143 6.2 --- */

enum iscsi_keys_stage { ISCSI_KEYS_SECURITY = 1, ISCSI_KEYS_OPERATIONAL = 2,
			ISCSI_KEYS_FULL_FEATURE = 4 };

struct iscsi_negotiation {
	const struct iscsi_params *own;	/* the target's side; borrowed */
	struct iscsi_params *params;	/* the outcome so far; borrowed */
	bool discovery;
	uint32_t offered;	/* BIT(key): by the initiator */
	uint32_t proposed;	/* BIT(key): by us, not answered yet */
};

/* Begin: @params becomes the defaults.  Both stay the caller's. */
void iscsi_keys_begin(struct iscsi_negotiation *n, const struct iscsi_params *own,
		      struct iscsi_params *params, bool discovery);

/*
 * The initiator sent @name=@value: an offer, a declaration, or the answer to our
 * proposal.  The answer that is due lands in @answer (ISCSI_KEYS_VALUE_MAX + 1
 * bytes; "": none is due).
 * Errors: -ENOENT (not in this table, nothing done), -EEXIST (a key that it
 * sent before, 6.3: refuse the login), -EPROTO (a declaration out of range, or
 * not an answer to what we proposed: there is nothing to negotiate).
 */
int iscsi_keys_offer(struct iscsi_negotiation *n, enum iscsi_keys_stage stage,
		     const char *name, const char *value, char *answer);

/*
 * Keys of ours that the initiator did not mention, and whose default is not what
 * the administrator wants: *@key counts up from 0.  False: no more.  The caller
 * sends the proposal; it is then open until answered (n->proposed).
 */
bool iscsi_keys_propose(struct iscsi_negotiation *n, unsigned int *key,
			const char **ret_name, char *value);

/* The bytes we declare in MaxRecvDataSegmentLength. */
uint32_t iscsi_keys_recv_bytes(const struct iscsi_params *own);
