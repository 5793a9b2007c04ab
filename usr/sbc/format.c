/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/format.c - FORMAT UNIT, SBC-4 r22 5.4 (SBC-3 r36 5.3).
 *
 * Every block gets the initialization pattern, zeroes if there is none; where the
 * disk is thin these are deallocated.  There is no protection information and no
 * defect management: defect lists must be empty.
 */
#include "base/be.h"
#include "base/iov.h"
#include "lu/lu.h"
#include "sbc/erase.h"
#include "sbc/handlers.h"
#include "scsi/device.h"

#define LONGLIST	0x20
#define FMTDATA		0x10
#define DEFECT_FORMAT	0x07

#define FOV	0x80
#define DPRY	0x40
#define DCRT	0x20
#define STPF	0x10
#define IP	0x08
#define IMMED	0x02

#define IP_SI		0x20
#define IP_DEFAULT	0x00
#define IP_REPEAT	0x01
#define IP_BYTES	4U

#define LIST_MAX	(8U + IP_BYTES + 4096U)

static unsigned int header_bytes(const struct scsi_task *t)
{
	return t->cdb[1] & LONGLIST ? 8 : 4;
}

/* The CDB does not say how long the parameter list is: what the initiator sends. */
enum scsi_status sbc_format_parse(struct scsi_task *t)
{
	const unsigned int format = t->cdb[1] & DEFECT_FORMAT;

	t->want_bytes = 0;
	if (!(t->cdb[1] & FMTDATA))
		return t->cdb[1] ? scsi_task_fail_cdb(t, 1, 31 - __builtin_clz(t->cdb[1])) :
				   SCSI_GOOD;
	if (format == 1 || format == 2 || format > 5)
		return scsi_task_fail_cdb(t, 1, 2);
	if (t->out_max < header_bytes(t))
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	t->want_bytes = MIN(t->out_max, (uint64_t)LIST_MAX);
	return SCSI_GOOD;
}

/* Initialization pattern descriptor, 5.4.2.3; at @at of the list. */
static enum scsi_status get_pattern(struct scsi_task *t, const uint8_t *list, uint64_t bytes,
				    unsigned int at, uint64_t *ret_bytes)
{
	const uint32_t block = lu_geometry(t->dev->lu)->block_bytes;
	uint64_t n;

	if (bytes < at + IP_BYTES)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	n = be_load(list + at + 2, 2);
	if (list[at])			/* SI, IP MODIFIER: obsolete */
		return scsi_task_fail_param(t, at, -1);
	if (list[at + 1] > IP_REPEAT)
		return scsi_task_fail_param(t, at + 1, -1);
	if (list[at + 1] == IP_REPEAT ? !n || n > block : n)
		return scsi_task_fail_param(t, at + 2, -1);
	if (bytes < at + IP_BYTES + n)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	*ret_bytes = n;
	return SCSI_GOOD;
}

/* Parameter list header, 5.4.2.2. */
static enum scsi_status check_header(struct scsi_task *t, const uint8_t *list)
{
	const bool is_long = t->cdb[1] & LONGLIST;

	if (list[0])			/* PROTECTION FIELD USAGE */
		return scsi_task_fail_param(t, 0, -1);
	if (list[1] & (DPRY | DCRT | STPF | IP) && !(list[1] & FOV))
		return scsi_task_fail_param(t, 1, 7);
	if (list[1] & 0x05)		/* obsolete, vendor specific */
		return scsi_task_fail_param(t, 1, -1);
	if (is_long && list[3])		/* protection information intervals */
		return scsi_task_fail_param(t, 3, -1);
	if (be_load(list + (is_long ? 4 : 2), is_long ? 4 : 2))
		return scsi_task_fail_param(t, is_long ? 4 : 2, -1);
	return SCSI_GOOD;
}

enum scsi_status sbc_format_run(struct scsi_task *t)
{
	const unsigned int header = header_bytes(t);
	struct sbc_erase_plan plan = { .kind = SCSI_BACKGROUND_FORMAT };
	enum scsi_status status = SCSI_GOOD;
	uint64_t n, pattern = 0;
	uint8_t list[LIST_MAX];

	if (t->cdb[1] & FMTDATA) {
		n = iov_read(t->data.iov, t->data.iovcnt, 0, list, t->out_bytes);
		status = check_header(t, list);
		if (status == SCSI_GOOD && list[1] & IP)
			status = get_pattern(t, list, n, header, &pattern);
		if (status != SCSI_GOOD)
			return status;
		plan.immed = list[1] & IMMED;
	}
	plan.passes = pattern ? 1 : 0;
	plan.zero = !pattern;
	plan.unmap = scsi_device_is_thin(t->dev);
	return sbc_erase_start(t, &plan, list + header + IP_BYTES, pattern);
}
