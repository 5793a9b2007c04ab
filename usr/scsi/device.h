/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/device.h - a SCSI logical unit: a device type's personality over a LU
 * (or over nothing: the controller at LUN 0).
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/rcu.h"
#include "base/refcount.h"
#include "lu/stats.h"
#include "scsi/background.h"

struct lu;
struct scsi_command;
struct scsi_device_type;

/* A mode page whose contents the user gave: shown, and without effect. */
struct scsi_device_page {
	uint8_t code, subcode;
	uint8_t bytes;			/* without its header */
	uint8_t b[36];
};

#define SCSI_DEVICE_PAGES_MAX	8

/* Published under RCU; control replaces it as a whole. */
struct scsi_device_config {
	char vendor_id[9];		/* default "IET", padded on the wire */
	char product_id[17];		/* "VIRTUAL-DISK" */
	char product_rev[5];		/* "0001" */
	bool removable;
	bool online;
	bool readonly;			/* by the user; the store's own is in lu */
	bool thin_provisioning;		/* advertise LBPME if the store can */
	bool sense_descriptor;		/* D_SENSE: descriptor format */
	uint8_t lbppbe;			/* log2 of logical blocks per physical, or: */
#define SCSI_DEVICE_LBPPBE_STORE 0xff	/* what the store says (default) */
	uint16_t la_lba;
	uint16_t optimal_xfer_gran;	/* blocks; 0: what the store says */
	uint32_t optimal_xfer_len;
	uint16_t rotation_rate;		/* VPD B1; 0 not reported, 1 SSD */
	bool swp;			/* software write protect, Control mode page */
	uint8_t mode_fixed;		/* what the user has set: not as it was saved */
#define SCSI_DEVICE_MODE_WCE	0x1U	/* what MODE SELECT changes; this one is in lu */
#define SCSI_DEVICE_MODE_D_SENSE 0x2U
#define SCSI_DEVICE_MODE_SWP	0x4U
	uint8_t nr_pages;
	struct scsi_device_page pages[SCSI_DEVICE_PAGES_MAX];
};

struct scsi_device {
	/* Constant. */
	const struct scsi_device_type *type;
	struct lu *lu;			/* holds a reference; NULL: controller */
	void *state;			/* type->state_bytes, the command set's; or NULL */

	/* Any thread: readers under RCU, control (or MODE SELECT, which mails
	 * control) replaces. */
	struct scsi_device_config *config;

	/* Any thread: atomic. */
	refcount refs;
	atomic_bool stopped;		/* START STOP UNIT, START=0 */
	_Atomic uint8_t ejected;	/* no medium, for these reasons: */
#define SCSI_DEVICE_UNLOADED	0x1U	/* the same with LOEJ=1 */
#define SCSI_DEVICE_CHANGING	0x2U	/* scsi/medium.h */
#define SCSI_DEVICE_EMPTY	0x4U	/* nobody has put one in */
#define SCSI_DEVICE_NO_BLOCKS	0x8U	/* the store is smaller than a block */
	atomic_uint tpgs;		/* TPGS of its target; scsi/alua.c writes it */
	atomic_uint prevent_removal;	/* I_T nexuses that forbid LOEJ */
	struct lu_stats past;		/* of I_T_L nexuses that are gone; usage.c */
	atomic_uint nr_luns;		/* that it is, of targets */
	struct scsi_background background;
	atomic_uint resets;		/* what began before the last of them is to end */

	struct rcu_head rcu;
};

extern const struct scsi_device_config scsi_device_default;

/* Takes a reference on @lu.  Copies @config. */
struct scsi_device *scsi_device_new(const struct scsi_device_type *type, struct lu *lu,
				    const struct scsi_device_config *config);
struct scsi_device *scsi_device_get(struct scsi_device *dev);
void scsi_device_put(struct scsi_device *dev);

/* Callers are RCU readers; valid for this turn. */
const struct scsi_device_config *scsi_device_config(const struct scsi_device *dev);
/* Copied.  Threads: control.  -ENOMEM. */
int scsi_device_set_config(struct scsi_device *dev,
			   const struct scsi_device_config *config);
/* After the geometry of its LU was changed: a disk without a block is no medium.
 * Threads: control. */
void scsi_device_resized(struct scsi_device *dev);
/* The store unmaps, and the user wants it advertised. */
bool scsi_device_is_thin(const struct scsi_device *dev);
/* Whether @dev has the command of this row: UNMAP needs a thin LU, REPORT TARGET
 * PORT GROUPS a target with groups, SET IDENTIFYING INFORMATION a state directory. */
bool scsi_device_has_command(const struct scsi_device *dev, const struct scsi_command *cmd);
/* Neither the user, nor SWP, nor the store forbids writing. */
bool scsi_device_writable(const struct scsi_device *dev);
