/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/status.c - TEST UNIT READY and REQUEST SENSE. */
#include "scsi/alua.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "scsi/sense.h"
#include "scsi/target.h"
#include "spc/handlers.h"

#define DESC	0x01

/* SPC-4 r37 6.47.  All that can be wrong was checked by dispatch. */
enum scsi_status spc_status_test_unit_ready(struct scsi_task *t)
{
	(void)t;
	return SCSI_GOOD;
}

static enum scsi_sense_code readiness(const struct scsi_task *t)
{
	if (atomic_load(&t->nexus->target->offline) || !scsi_device_config(t->dev)->online)
		return SCSI_SENSE_NOT_READY_OFFLINE;
	if (t->itl->access_state >= SCSI_ALUA_STANDBY)
		return scsi_alua_sense(t->itl->access_state);
	if (atomic_load(&t->dev->ejected))
		return SCSI_SENSE_MEDIUM_NOT_PRESENT;
	if (atomic_load(&t->dev->stopped))
		return SCSI_SENSE_NOT_READY_INITIALIZING_COMMAND_REQUIRED;
	return SCSI_SENSE_NO_SENSE;
}

/* SPC-4 r37 6.39: a pending unit attention (which then is no longer), or what
 * TEST UNIT READY would say, as parameter data with GOOD. */
enum scsi_status spc_status_request_sense(struct scsi_task *t)
{
	struct scsi_sense s = { .code = SCSI_SENSE_LUN_NOT_SUPPORTED };
	uint8_t d[SCSI_SENSE_MAX];
	size_t n;

	if (t->dev && !scsi_unit_attention_take(t->itl, &s.code) &&
	    !scsi_background_sense(t->dev, &s))
		s.code = readiness(t);
	n = scsi_sense_format(&s, t->cdb[1] & DESC, d, sizeof(d));
	return scsi_task_reply(t, d, n);
}
