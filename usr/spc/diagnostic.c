/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/diagnostic.c - SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS, SPC-4 r37
 * 6.42 and 6.26.
 *
 * The default self-test reads the first and the last block.  No other test is
 * offered: reading a store from end to end is VERIFY's business.  The only page
 * is the list of pages (7.2.6).
 */
#include <errno.h>
#include "base/be.h"
#include "base/iov.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "spc/handlers.h"

#define SELFTEST	0x04
#define PCV		0x01
#define PAGE_SUPPORTED	0x00
#define PAGE_HEADER	4U

static enum scsi_status test_block(struct scsi_task *t, uint64_t lba);

static void tested(struct scsi_task *t, int err)
{
	const uint64_t last = lu_geometry(t->dev->lu)->nr_blocks - 1;
	enum scsi_status status = SCSI_GOOD;

	if (err == -ENOMEM)
		status = SCSI_BUSY;
	else if (err)
		status = scsi_task_fail(t, SCSI_SENSE_SELF_TEST_FAILED);
	else if (t->step++ == 0)
		status = test_block(t, last);
	if (status != SCSI_PENDING)
		scsi_task_complete(t, status);
}

/* Reads and throws away. */
static enum scsi_status test_block(struct scsi_task *t, uint64_t lba)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);

	t->io.op = LU_VERIFY;
	t->io.iov = NULL;
	t->io.iovcnt = 0;
	t->io.off_bytes = lu_geometry_bytes(g, lba);
	t->io.len_bytes = g->block_bytes;
	t->after_io = tested;
	return scsi_task_submit(t);
}

static enum scsi_status check_page(struct scsi_task *t)
{
	uint8_t d[PAGE_HEADER];

	if (t->out_bytes < PAGE_HEADER)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	iov_read(t->data.iov, t->data.iovcnt, 0, d, sizeof(d));
	if (d[0] != PAGE_SUPPORTED)
		return scsi_task_fail_param(t, 0, -1);
	if (be_load(d + 2, 2))
		return scsi_task_fail_param(t, 2, -1);
	return SCSI_GOOD;
}

enum scsi_status spc_diagnostic_send(struct scsi_task *t)
{
	const bool selftest = t->cdb[1] & SELFTEST;

	if (t->cdb[1] >> 5)		/* SELF-TEST CODE */
		return scsi_task_fail_cdb(t, 1, 7);
	if (selftest && t->nr)		/* a test takes no parameters */
		return scsi_task_fail_cdb(t, 3, -1);
	if (selftest)
		return test_block(t, 0);
	return t->nr ? check_page(t) : SCSI_GOOD;
}

/* Without PCV: the page that SEND DIAGNOSTIC asked for, which is the same. */
enum scsi_status spc_diagnostic_receive(struct scsi_task *t)
{
	static const uint8_t d[] = { PAGE_SUPPORTED, 0, 0, 1, PAGE_SUPPORTED };

	if (t->cdb[1] & PCV && t->cdb[2] != PAGE_SUPPORTED)
		return scsi_task_fail_cdb(t, 2, -1);
	return scsi_task_reply(t, d, sizeof(d));
}
