/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi/sense.h - sense data, SPC-4 4.5, from a table of codes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scsi_sense_code {
#define SENSE(name, key, asc, ascq) SCSI_SENSE_##name,
#include "scsi/sense_codes.def"
#undef SENSE
	SCSI_SENSE_NR
};

struct scsi_sense {
	enum scsi_sense_code code;
	bool has_info;
	uint64_t info;
	bool has_field;		/* sense key specific: field pointer */
	bool field_in_cdb;
	uint8_t field_bit;	/* 0 to 7; 8: none */
	uint16_t field_byte;
	bool has_progress;	/* sense key specific: progress indication */
	uint16_t progress;	/* of 65536 */
};

/* Write fixed (70h) or descriptor (72h) format; returns its length. */
size_t scsi_sense_format(const struct scsi_sense *s, bool descriptor,
			 uint8_t *buf, size_t buf_bytes);
uint8_t scsi_sense_key(enum scsi_sense_code code);
uint8_t scsi_sense_asc(enum scsi_sense_code code);
uint8_t scsi_sense_ascq(enum scsi_sense_code code);

/* The one translation of a store's error (negative errno). */
enum scsi_sense_code scsi_sense_of_errno(int err, bool writing);
