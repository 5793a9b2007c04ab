/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/rod.h - representations of data (SPC-4 r37 5.17.6): ranges of a logical
 * unit that a token stands for, until they change.
 *
 * The type is "point in time copy - change vulnerable": the first write to the
 * ranges through the logical unit ends the token, before that data can be taken
 * for what the token stands for.  Nothing is copied or held when a token is made.
 *
 * A token is a capability: who has it may have the data, at any logical unit of
 * the daemon, as the standard means it; so it carries 256 random bits, and what
 * REPORT ALL ROD TOKENS tells has none of them.
 *
 * There is one table of the daemon.  Any thread, unless said otherwise.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lu/watch.h"
#include "scsi/sense.h"

struct lu;
struct scsi_rod;		/* counted */

#define SCSI_ROD_TOKEN_BYTES	512U
#define SCSI_ROD_MANAGEMENT_BYTES 96U	/* the beginning, without the secret */
#define SCSI_ROD_CREATOR_BYTES	32U

#define SCSI_ROD_MAX		256U	/* tokens of the daemon */
#define SCSI_ROD_SHARE		64U	/* of them, of an initiator */
#define SCSI_ROD_RANGES_MAX	64U
#define SCSI_ROD_TIMEOUT_S	60U	/* of inactivity, unless asked for */
#define SCSI_ROD_TIMEOUT_MAX_S	600U
#define SCSI_ROD_LIFETIME_S	3600U	/* used or not */

/* ROD TYPE, SPC-4 r37 table 107, SBC-3 r36 4.28.4. */
#define SCSI_ROD_PIT_DEFAULT	0x00800000U
#define SCSI_ROD_PIT_CHANGE_VULNERABLE 0x00800001U
#define SCSI_ROD_PIT_ANY	0x0080ffffU
#define SCSI_ROD_ZERO		0xffff0001U

/*
 * Make one for @n ranges of @lu, not in the table yet.  @creator: the descriptor of
 * the logical unit; @owner: whose share it counts in.  timeout_s 0: the default.  NULL: no memory, or no randomness.
 */
struct scsi_rod *scsi_rod_new(struct lu *lu, const struct lu_watch_range *r,
			      unsigned int n, uint32_t timeout_s, uint64_t owner,
			      const uint8_t *creator);
struct scsi_rod *scsi_rod_get(struct scsi_rod *rod);
void scsi_rod_put(struct scsi_rod *rod);	/* accepts NULL */

/* lu_watch_arm(); then, on the same reactor, into the table.  -ENOSPC: full, or the
 * owner has its share. */
int scsi_rod_arm(struct scsi_rod *rod, void (*armed)(void *arg, int err), void *arg);
int scsi_rod_publish(struct scsi_rod *rod);

/* Write the token. */
void scsi_rod_token(const struct scsi_rod *rod, uint8_t *token);

/* With a reference; NULL and why. */
struct scsi_rod *scsi_rod_find(const uint8_t *token, enum scsi_sense_code *ret_why);
void scsi_rod_delete(struct scsi_rod *rod);	/* its token is worth nothing more */

bool scsi_rod_changed(const struct scsi_rod *rod);
struct lu *scsi_rod_lu(const struct scsi_rod *rod);	/* referenced; NULL: gone */
uint64_t scsi_rod_bytes(const struct scsi_rod *rod);
/* Where byte @off of the data is, and how much from there on; @off < bytes. */
uint64_t scsi_rod_locate(const struct scsi_rod *rod, uint64_t off, uint64_t *ret_bytes);

/* Management tokens of @lu, at most @max; returns how many there are. */
unsigned int scsi_rod_list(const struct lu *lu, uint8_t *to, unsigned int max);
