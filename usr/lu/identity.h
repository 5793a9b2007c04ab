/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/identity.h - the names by which the world knows a logical unit.
 *
 * The default is a hash of this host's id (machine-id), the target's name and
 * the LUN: unique across hosts, stable across restarts.  An identity that the
 * user sets stands as it is.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define LU_ID_MAX	36	/* characters of scsi_id, as in tgt */
#define LU_SN_MAX	36

struct lu_identity {
	char scsi_id[LU_ID_MAX + 1];	/* T10 vendor id designator, "IET     ..." */
	char scsi_sn[LU_SN_MAX + 1];	/* unit serial number */
	uint8_t naa[16];		/* NAA designator */
	uint8_t naa_bytes;		/* 8 (NAA 3h) or 16 */
	bool tgt_compat;		/* tgt's ids: also its NAA-6 made of scsi_id */
	uint8_t naa6[16];		/* that one; valid with tgt_compat */
};

/* Identity of (target, LUN) on this host. */
void lu_identity_default(struct lu_identity *id, const char *target_name,
			 int tid, uint64_t lun);

/* The ids that tgt 1.0.x gave to (tid, lun), for LUNs taken over from it. */
void lu_identity_tgt(struct lu_identity *id, int tid, uint64_t lun);

/* Override by the user; the NAA follows scsi_id (a hash of it), so that two
 * paths given one scsi_id stay one disk.  -ERANGE: too long or not printable. */
int lu_identity_set_id(struct lu_identity *id, const char *scsi_id);
int lu_identity_set_sn(struct lu_identity *id, const char *scsi_sn);

/* Once at start: read /etc/machine-id, or make and keep an id in @state_dir
 * (or derive one from the host name).  Returns the source for the log. */
const char *lu_identity_init(const char *state_dir);
