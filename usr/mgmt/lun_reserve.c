/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/lun_reserve.c - the same request as an initiator's CLEAR, without its key. */
#include "mgmt/lun_reserve.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "lu/reserve.h"
#include "mgmt/rpc.h"
#include "scsi/reservation.h"

static json_t *describe_reg(const struct lu_reserve_state *s, unsigned int i)
{
	const struct lu_reserve_reg *r = &s->reg[i];
	char key[24];

	snprintf(key, sizeof(key), "0x%016" PRIx64, r->key);
	return json_pack("{s:o, s:o, s:i, s:s, s:b}", "initiator",
			 mgmt_rpc_string(r->who.initiator), "target",
			 mgmt_rpc_string(r->who.target), "port", (int)r->who.port, "key",
			 key, "holder", (int)lu_reserve_state_holds(s, (int)i));
}

json_t *mgmt_lun_reserve_describe(const struct lu *lu)
{
	const struct lu_reserve *r = lu_reserve(lu);
	const struct lu_reserve_state *s = lu_reserve_state(r);
	json_t *registrations = json_array();

	for (unsigned int i = 0; i < s->n; i++)
		json_array_append_new(registrations, describe_reg(s, i));
	return json_pack("{s:s, s:b, s:I, s:b, s:o}", "type", lu_reserve_type_name(s->type),
			 "reserve6", (int)lu_reserve_is_taken(r), "generation",
			 (json_int_t)s->generation, "durable", (int)s->durable,
			 "registrations", registrations);
}

/* --- clearing --- */

struct clearing {
	struct lu_reserve_change change;
	struct lu *lu;			/* holds a reference */
	struct mgmt_call *call;
	void (*then)(struct lu *lu, struct mgmt_call *call);
};

static void clearing_free(struct clearing *c)
{
	lu_put(c->lu);
	free(c);
}

static void told(void *arg, int err)
{
	struct clearing *c = arg;

	if (err)
		mgmt_rpc_warn(c->call, "the reservations are gone, but nobody was told: out of memory");
	c->then(c->lu, c->call);
	lu_reserve_change_fini(&c->change);
	clearing_free(c);
}

static void cleared(struct lu_reserve_change *change)
{
	struct clearing *c = container_of(change, struct clearing, change);

	if (change->result != LU_RESERVE_OK) {
		mgmt_rpc_fail(c->call, MGMT_ERR_INVALID, "params",
			      "the reservations of %s cannot be cleared: %s",
			      lu_identity(c->lu)->scsi_id,
			      change->result == LU_RESERVE_NO_MEMORY ?
				      "out of memory" : "the state directory cannot be written");
		lu_reserve_change_fini(change);
		clearing_free(c);
		return;
	}
	log_info("%s: the administrator has cleared its reservations",
		 lu_identity(c->lu)->scsi_id);
	if (scsi_reservation_tell(change, false, told, c) < 0)
		told(c, -ENOMEM);
}

void mgmt_lun_reserve_clear(struct lu *lu, struct mgmt_call *call,
			    void (*then)(struct lu *lu, struct mgmt_call *call))
{
	struct clearing *c = calloc(1, sizeof(*c));

	if (!c) {
		mgmt_rpc_fail_errno(call, -ENOMEM, "cannot clear the reservations");
		return;
	}
	c->lu = lu_get(lu);
	c->call = call;
	c->then = then;
	c->change.q.verb = LU_RESERVE_FORGET;
	c->change.done = cleared;
	/* Control alone replaces it: it has its reference. */
	lu_reserve_submit(lu_reserve_get(lu_reserve(lu)), &c->change);
}
