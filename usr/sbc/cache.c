/* SPDX-License-Identifier: BSD-3-Clause */
/* sbc/cache.c - SYNCHRONIZE CACHE, SBC-3 r36 5.26 and 5.27. */
#include "sbc/handlers.h"

/* Whatever the range, all of it: a store knows no other.  IMMED only allows an
 * early answer, and ours then says more than it must. */
enum scsi_status sbc_cache_synchronize(struct scsi_task *t)
{
	t->io.op = LU_FLUSH;
	t->io.off_bytes = t->io.len_bytes = 0;
	return scsi_task_submit(t);
}
