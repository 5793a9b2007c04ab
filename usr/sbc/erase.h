/* SPDX-License-Identifier: BSD-3-Clause */
/* sbc/erase.h - what SANITIZE and FORMAT UNIT have done to the whole medium. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "scsi/background.h"
#include "scsi/task.h"

/* In this order; each part is followed by a flush. */
struct sbc_erase_plan {
	enum scsi_background_state kind;
	bool immed;
	bool unrestricted;	/* AUSE */
	unsigned int passes;	/* so many times: write the pattern everywhere */
	bool invert;		/* each pass the inverse of that before; the last
				 * one is the pattern (SBC-4 r22 5.26.3) */
	bool scrub;		/* write zeroes where there is data */
	bool zero;		/* make it read as zeroes, by whatever means */
	bool unmap;		/* ... which may give the space back */
};

/*
 * Start on the medium of @t.  @pattern (of up to a logical block; @bytes 0:
 * zeroes) is copied; each block has it repeated and cut off.  Returns as
 * scsi_background_start() does, or SCSI_BUSY without memory.
 */
enum scsi_status sbc_erase_start(struct scsi_task *t, const struct sbc_erase_plan *plan,
				 const uint8_t *pattern, size_t bytes);
