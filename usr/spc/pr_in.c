/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/pr_in.c - PERSISTENT RESERVE IN, SPC-4 r37 6.15: what the state is. */
#include <stdlib.h>
#include <string.h>
#include "base/be.h"
#include "base/cleanup.h"
#include "scsi/reservation.h"
#include "spc/handlers.h"
#include "spc/pr.h"

#define HEADER_BYTES	8U	/* PRGENERATION, ADDITIONAL LENGTH */
#define FULL_BYTES	24U	/* of a full status descriptor, before its TransportID */

/* SPC-2 r20 5.5.1: under a RESERVE it conflicts, even for who reserved. */
static bool is_refused(const struct scsi_task *t)
{
	return lu_reserve_is_taken(lu_reserve(t->dev->lu));
}

static const struct lu_reserve_state *state(const struct scsi_task *t)
{
	return lu_reserve_state(lu_reserve(t->dev->lu));
}

static enum scsi_status reply(struct scsi_task *t, const struct lu_reserve_state *s,
			      uint8_t *d, size_t bytes)
{
	be_store(d, 4, s->generation);
	be_store(d + 4, 4, bytes - HEADER_BYTES);
	return scsi_task_reply(t, d, bytes);
}

/* 6.15.2: one for each I_T nexus, as often as there are. */
enum scsi_status spc_pr_in_read_keys(struct scsi_task *t)
{
	const struct lu_reserve_state *s = state(t);
	uint8_t d[HEADER_BYTES + 8 * LU_RESERVE_REGS_MAX];

	if (is_refused(t))
		return SCSI_RESERVATION_CONFLICT;
	for (unsigned int i = 0; i < s->n; i++)
		be_store(d + HEADER_BYTES + 8 * (size_t)i, 8, s->reg[i].key);
	return reply(t, s, d, HEADER_BYTES + 8 * (size_t)s->n);
}

/* 6.15.3 */
enum scsi_status spc_pr_in_read_reservation(struct scsi_task *t)
{
	const struct lu_reserve_state *s = state(t);
	uint8_t d[HEADER_BYTES + 16] = { 0 };

	if (is_refused(t))
		return SCSI_RESERVATION_CONFLICT;
	if (s->type == LU_RESERVE_NONE)
		return reply(t, s, d, HEADER_BYTES);
	if (s->holder >= 0)
		be_store(d + HEADER_BYTES, 8, s->reg[s->holder].key);
	d[HEADER_BYTES + 13] = spc_pr_type_code(s->type);
	return reply(t, s, d, sizeof(d));
}

/* 6.15.4 */
enum scsi_status spc_pr_in_report_capabilities(struct scsi_task *t)
{
	enum { CRH = 0x10, SIP_C = 0x08, ATP_C = 0x04, PTPL_C = 0x01 };
	/* ALLOW COMMANDS 100b, table 208: all that a device of an older standard might
	 * refuse is allowed, from TEST UNIT READY to READ DEFECT DATA. */
	enum { TMV = 0x80, ALLOW = 0x40, PTPL_A = 0x01 };
	const bool durable = state(t)->durable;
	uint8_t d[8] = { [1] = sizeof(d), [2] = CRH | SIP_C | ATP_C, [3] = TMV | ALLOW };

	if (is_refused(t))
		return SCSI_RESERVATION_CONFLICT;
	d[2] |= lu_reserve_can_keep() ? PTPL_C : 0;
	d[3] |= durable ? PTPL_A : 0;
	/* PERSISTENT RESERVATION TYPE MASK: bit n of byte 4 is type n, the lowest of
	 * byte 5 type 8. */
	for (unsigned int i = LU_RESERVE_NONE + 1; i < LU_RESERVE_NR_TYPES; i++) {
		const unsigned int code = spc_pr_type_code((enum lu_reserve_type)i);

		d[4 + code / 8] |= (uint8_t)(1U << code % 8);
	}
	return scsi_task_reply(t, d, sizeof(d));
}

static size_t put_full(const struct lu_reserve_state *s, unsigned int i, uint8_t *p)
{
	enum { R_HOLDER = 0x01 };
	const struct lu_reserve_reg *r = &s->reg[i];
	size_t id_bytes;

	memset(p, 0, FULL_BYTES);
	be_store(p, 8, r->key);
	if (lu_reserve_state_holds(s, (int)i)) {
		p[12] = R_HOLDER;
		p[13] = spc_pr_type_code(s->type);
	}
	be_store(p + 18, 2, r->who.port);
	id_bytes = spc_pr_put_transport_id(r->who.initiator, p + FULL_BYTES);
	be_store(p + 20, 4, id_bytes);
	return FULL_BYTES + id_bytes;
}

/* 6.15.5 */
enum scsi_status spc_pr_in_read_full_status(struct scsi_task *t)
{
	const struct lu_reserve_state *s = state(t);
	_cleanup_free_ uint8_t *d = malloc(HEADER_BYTES +
					   s->n * (size_t)(FULL_BYTES + SPC_PR_TRANSPORT_ID_MAX));
	size_t bytes = HEADER_BYTES;

	if (is_refused(t))
		return SCSI_RESERVATION_CONFLICT;
	if (!d)
		return SCSI_BUSY;
	for (unsigned int i = 0; i < s->n; i++)
		bytes += put_full(s, i, d + bytes);
	return reply(t, s, d, bytes);
}
