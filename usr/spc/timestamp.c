/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/timestamp.c - REPORT TIMESTAMP and SET TIMESTAMP, SPC-4 r37 5.2, 6.38 and
 * 6.46.  A device shows the time of the system (UTC) until somebody sets it.
 */
#include <time.h>
#include "base/be.h"
#include "base/iov.h"
#include "base/macros.h"
#include "scsi/nexus.h"
#include "scsi/unit_attention.h"
#include "spc/handlers.h"
#include "spc/state.h"

/* TIMESTAMP ORIGIN, table 66. */
#define ORIGIN_SET	0x02	/* by SET TIMESTAMP */
#define ORIGIN_OTHER	0x03	/* by a method outside of the standard */

#define LIST_BYTES	12

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

enum scsi_status spc_timestamp_report(struct scsi_task *t)
{
	struct spc_state *s = spc_state_lock(t);
	const uint64_t ms = (uint64_t)(now_ms() + s->clock_ahead_ms);
	uint8_t d[12] = { 0x00, 0x0a, s->clock_set ? ORIGIN_SET : ORIGIN_OTHER };

	spc_state_unlock(s);
	be_store(d + 4, 6, ms);
	return scsi_task_reply(t, d, sizeof(d));
}

enum scsi_status spc_timestamp_set(struct scsi_task *t)
{
	uint8_t d[LIST_BYTES];
	struct spc_state *s;

	if (!t->nr)			/* not an error */
		return SCSI_GOOD;
	if (t->nr < LIST_BYTES || t->out_bytes < LIST_BYTES)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	iov_read(t->data.iov, t->data.iovcnt, 0, d, sizeof(d));
	s = spc_state_lock(t);
	s->clock_ahead_ms = (int64_t)be_load(d + 4, 6) - now_ms();
	s->clock_set = true;
	spc_state_unlock(s);
	return scsi_unit_attention_then_good(t, SCSI_SENSE_TIMESTAMP_CHANGED);
}
