/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun_create.h - the method lun.create, and its parts for whoever makes
 * several logical units at once.
 *
 * Threads: control.
 */
#pragma once
#include <jansson.h>
#include "bs/bs.h"
#include "mgmt/lun_params.h"

struct lu;
struct mgmt_call;
struct mgmt_lun;
struct scsi_device_type;

struct mgmt_lun_spec {
	struct bs_open_spec open;	/* texts are borrowed */
	const struct scsi_device_type *type;
	struct mgmt_lun_change change;	/* .lun is its number */
};

/*
 * @fields are those of lun.create without "tid", which have been checked against
 * their rows; @target_name and the texts are borrowed.  -EINVAL: *ret_fault says why.
 */
int mgmt_lun_create_parse(const json_t *fields, const char *target_name, int tid,
			  struct mgmt_lun_spec *ret_s, struct mgmt_fault *ret_fault);

/* Put @lu, opened for @s, into the map of @l's target; @l becomes READY and takes @lu.
 * -ENOMEM: nothing happened. */
int mgmt_lun_create_publish(struct mgmt_lun *l, const struct mgmt_lun_spec *s, struct lu *lu);

void mgmt_lun_create_run(struct mgmt_call *call);
