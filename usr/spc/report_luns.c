/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/report_luns.c - REPORT LUNS, SPC-4 r37 6.33; of SPC-5 the questions about
 * conglomerates, which we do not have. */
#include <stdbool.h>
#include <stdlib.h>
#include "base/be.h"
#include "base/cleanup.h"
#include "scsi/nexus.h"
#include "scsi/target.h"
#include "spc/handlers.h"

#define ALLOCATION_MIN	16

/* SELECT REPORT: which logical units. */
enum {
	SELECT_ADDRESSED = 0x00,
	SELECT_WELL_KNOWN = 0x01,
	SELECT_ALL = 0x02,
	SELECT_ADMINISTRATIVE = 0x10,
	SELECT_TOP_LEVEL = 0x11,	/* administrative ones, and those of no conglomerate */
};

/* 12h asks for a conglomerate, which must be addressed by its administrative
 * logical unit: an error for us, like all that is reserved. */
static bool is_known(uint8_t select)
{
	return select <= SELECT_ALL || select == SELECT_ADMINISTRATIVE ||
	       select == SELECT_TOP_LEVEL;
}

enum scsi_status spc_report_luns_run(struct scsi_task *t)
{
	const struct scsi_lun_map *m = rcu_dereference(t->nexus->target->map);
	const uint8_t select = t->cdb[2];
	/* We have neither well-known nor administrative logical units. */
	const unsigned int n = select == SELECT_WELL_KNOWN ||
					       select == SELECT_ADMINISTRATIVE ? 0 : m->n;
	const size_t bytes = 8 + 8 * (size_t)n;
	_cleanup_free_ uint8_t *d = NULL;
	enum scsi_status status;

	if (!is_known(select))
		return scsi_task_fail_cdb(t, 2, -1);
	if (t->nr < ALLOCATION_MIN)
		return scsi_task_fail_cdb(t, 6, -1);
	d = calloc(1, bytes);
	if (!d)
		return SCSI_BUSY;
	be_store(d, 4, 8 * (uint64_t)n);
	for (unsigned int i = 0; i < n; i++)
		be_store(d + 8 + 8 * (size_t)i, 8, scsi_target_encode_lun(m->e[i].lun));
	status = scsi_task_reply(t, d, bytes);
	/* This is how one learns of it, SPC-4 6.33 and SAM-5 r21 5.14. */
	if (status == SCSI_GOOD)
		scsi_unit_attention_clear(t->nexus,
					  SCSI_SENSE_REPORTED_LUNS_DATA_HAS_CHANGED);
	return status;
}
