/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/pdu.h - one PDU on its way in or out.  From a pool of the reactor.
 *
 * In: header, data segment in `data[0]`, owned.  Out: header, and data that is
 * owned (small answers) or borrowed from the command `cmd`, on which the PDU
 * holds a reference (Data-In).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include "base/cleanup.h"
#include "base/list.h"
#include "iscsi/proto.h"

struct iscsi_command;
struct iscsi_conn;

#define ISCSI_PDU_IOV	2	/* a Data-In spans at most two chunks of a buffer */

struct iscsi_pdu {
	struct list_head node;
	union {
		struct iscsi_bhs bhs;
		struct iscsi_bhs_command command;
		struct iscsi_bhs_response response;
		struct iscsi_bhs_task_req task_req;
		struct iscsi_bhs_task_rsp task_rsp;
		struct iscsi_bhs_data_out data_out;
		struct iscsi_bhs_data_in data_in;
		struct iscsi_bhs_r2t r2t;
		struct iscsi_bhs_async async;
		struct iscsi_bhs_text_req text_req;
		struct iscsi_bhs_text_rsp text_rsp;
		struct iscsi_bhs_login_req login_req;
		struct iscsi_bhs_login_rsp login_rsp;
		struct iscsi_bhs_logout_req logout_req;
		struct iscsi_bhs_logout_rsp logout_rsp;
		struct iscsi_bhs_reject reject;
		struct iscsi_bhs_nop_out nop_out;
		struct iscsi_bhs_nop_in nop_in;
	};
	uint8_t header_digest[ISCSI_DIGEST_BYTES];	/* follows the header */
	uint8_t trailer[8];		/* padding and data digest */
	uint8_t header_bytes, trailer_bytes;	/* on the wire; set by conn_tx */
	uint8_t nr_data;
	uint32_t data_bytes;
	struct iovec data[ISCSI_PDU_IOV];
	void *owned;			/* malloc'ed, freed with the PDU */
	struct iscsi_command *cmd;	/* holds a reference; NULL: none */
	bool cancelled;			/* held, and aborted meanwhile */
};
static_assert(offsetof(struct iscsi_pdu, header_digest) ==
	      offsetof(struct iscsi_pdu, bhs) + ISCSI_BHS_BYTES, "sent as one piece");

/* An empty PDU with this opcode (F set, ITT none).  NULL: out of memory. */
struct iscsi_pdu *iscsi_pdu_new(enum iscsi_opcode op);
void iscsi_pdu_free(struct iscsi_pdu *pdu);
DEFINE_CLEANUP(struct iscsi_pdu *, iscsi_pdu_free)

/* Take @data (malloc'ed, @bytes long) as the data segment. */
void iscsi_pdu_take_data(struct iscsi_pdu *pdu, void *data, uint32_t bytes);
/* The data segment of @from becomes that of @to. */
void iscsi_pdu_move_data(struct iscsi_pdu *to, struct iscsi_pdu *from);
