/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi/background_keep.c - the mark: a byte, AUSE, then the store as "bstype:path", cut
 * off where it is very long. */
#include "scsi/background_keep.h"

#include <stdio.h>
#include <string.h>
#include "base/macros.h"
#include "lu/lu.h"
#include "lu/reserve.h"
#include "scsi/device.h"

void scsi_background_keep_set(struct lu_keep_change *c, const struct scsi_device *dev,
			      bool unrestricted)
{
	struct lu_keep_value *v = &c->value;
	char *store = (char *)v->b + 1;

	memset(v, 0, sizeof(*v));
	c->what = LU_KEEP_SANITIZE;
	v->b[0] = unrestricted;
	snprintf(store, sizeof(v->b) - 1, "%s:%s", dev->lu->bstype, dev->lu->path);
	v->bytes = (uint16_t)(1 + strlen(store));
}

void scsi_background_keep_clear(struct lu_keep_change *c)
{
	c->what = LU_KEEP_SANITIZE;
	c->value.bytes = 0;
}

bool scsi_background_keep_find(const struct scsi_device *dev, bool *ret_unrestricted)
{
	struct lu_reserve *r = lu_reserve(dev->lu);
	struct lu_keep_change mine;
	struct lu_keep_value v;

	if (!r)
		return false;
	lu_keep_read(lu_reserve_keep(r), LU_KEEP_SANITIZE, &v);
	scsi_background_keep_set(&mine, dev, v.b[0]);
	*ret_unrestricted = v.b[0];
	return v.bytes == mine.value.bytes && !memcmp(v.b, mine.value.b, v.bytes);
}
