/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun_reserve.h - an administrator looks at reservations, and takes them away.
 *
 * Threads: control.
 */
#pragma once
#include <jansson.h>

struct lu;
struct mgmt_call;

/* "reservation" of a LUN in lists. */
json_t *mgmt_lun_reserve_describe(const struct lu *lu);

/*
 * Forget registrations and reservations; who was registered is told that his
 * reservation was preempted.  Then @then, or the call is failed.
 */
void mgmt_lun_reserve_clear(struct lu *lu, struct mgmt_call *call,
			    void (*then)(struct lu *lu, struct mgmt_call *call));
