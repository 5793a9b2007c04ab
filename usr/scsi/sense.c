/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/sense.c - sense data in both formats, SPC-4 r37 4.5, and the one
 * translation of a store's errors.
 */
#include "scsi/sense.h"

#include <errno.h>
#include <string.h>
#include "base/be.h"
#include "base/macros.h"

#define SENSE_FIXED_BYTES	18

static const struct {
	uint8_t key, asc, ascq;
} codes[] = {
#define SENSE(name, key, asc, ascq) [SCSI_SENSE_##name] = { key, asc, ascq },
#include "scsi/sense_codes.def"
#undef SENSE
};

uint8_t scsi_sense_key(enum scsi_sense_code code)
{
	return codes[code].key;
}

uint8_t scsi_sense_asc(enum scsi_sense_code code)
{
	return codes[code].asc;
}

uint8_t scsi_sense_ascq(enum scsi_sense_code code)
{
	return codes[code].ascq;
}

/* Sense key specific: field pointer, SPC-4 4.5.2.4.2, or progress, 4.5.2.4.4. */
static void put_specific(const struct scsi_sense *s, uint8_t *p)
{
	if (s->has_progress) {
		p[0] = 0x80;
		be_store(p + 1, 2, s->progress);
		return;
	}
	p[0] = 0x80 | (s->field_in_cdb ? 0x40 : 0);
	if (s->field_bit < 8)
		p[0] |= 0x08 | s->field_bit;
	be_store(p + 1, 2, s->field_byte);
}

/* Fixed format, SPC-4 4.5.3.  INFORMATION has 4 bytes here: a value that does
 * not fit is left out (VALID=0), as 4.5.3 demands. */
static size_t format_fixed(const struct scsi_sense *s, uint8_t *buf)
{
	memset(buf, 0, SENSE_FIXED_BYTES);
	buf[0] = 0x70;
	if (s->has_info && s->info <= UINT32_MAX) {
		buf[0] |= 0x80;
		be_store(buf + 3, 4, s->info);
	}
	buf[2] = codes[s->code].key;
	buf[7] = SENSE_FIXED_BYTES - 8;
	buf[12] = codes[s->code].asc;
	buf[13] = codes[s->code].ascq;
	if (s->has_field || s->has_progress)
		put_specific(s, buf + 15);
	return SENSE_FIXED_BYTES;
}

/* Descriptor format, SPC-4 4.5.2. */
static size_t format_descriptor(const struct scsi_sense *s, uint8_t *buf)
{
	uint8_t *p = buf + 8;

	memset(buf, 0, 8 + 12 + 8);
	buf[0] = 0x72;
	buf[1] = codes[s->code].key;
	buf[2] = codes[s->code].asc;
	buf[3] = codes[s->code].ascq;
	if (s->has_info) {		/* 4.5.2.2 */
		p[0] = 0x00;
		p[1] = 0x0a;
		p[2] = 0x80;
		be_store(p + 4, 8, s->info);
		p += 12;
	}
	if (s->has_field || s->has_progress) {	/* 4.5.2.4 */
		p[0] = 0x02;
		p[1] = 0x06;
		put_specific(s, p + 4);
		p += 8;
	}
	buf[7] = (uint8_t)(p - buf - 8);
	return (size_t)(p - buf);
}

size_t scsi_sense_format(const struct scsi_sense *s, bool descriptor,
			 uint8_t *buf, size_t buf_bytes)
{
	uint8_t full[8 + 12 + 8];
	const size_t n = descriptor ? format_descriptor(s, full) :
				      format_fixed(s, full);

	memcpy(buf, full, MIN(n, buf_bytes));
	return MIN(n, buf_bytes);
}

enum scsi_sense_code scsi_sense_of_errno(int err, bool writing)
{
	switch (err) {
	case -EIO:
	case -ENODATA:
		return writing ? SCSI_SENSE_WRITE_ERROR :
				 SCSI_SENSE_UNRECOVERED_READ_ERROR;
	case -ENOSPC:		/* SBC-3 r36 4.7.3.6 */
	case -EDQUOT:
		return SCSI_SENSE_SPACE_ALLOCATION_FAILED;
	case -ERANGE:
		return SCSI_SENSE_LBA_OUT_OF_RANGE;
	case -EROFS:
	case -EPERM:
		return SCSI_SENSE_WRITE_PROTECTED;
	case -EILSEQ:
		return SCSI_SENSE_MISCOMPARE;
	case -EOPNOTSUPP:
		return SCSI_SENSE_INVALID_OPCODE;
	case -ENOMEDIUM:
		return SCSI_SENSE_MEDIUM_NOT_PRESENT;
	case -ETIMEDOUT:
		return SCSI_SENSE_COMMAND_TIMEOUT;
	case -ENXIO:
	case -ENODEV:
		return SCSI_SENSE_LUN_COMMUNICATION_FAILURE;
	default:
		return SCSI_SENSE_INTERNAL_TARGET_FAILURE;
	}
}
