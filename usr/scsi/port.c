/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi/port.c - the published list of target ports. */
#include "scsi/port.h"

#include <errno.h>
#include <stdlib.h>
#include "base/macros.h"

static struct scsi_ports *published;	/* RCU; NULL: none */

static void ports_free_rcu(struct rcu_head *head)
{
	free(container_of(head, struct scsi_ports, rcu));
}

static int compare(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

int scsi_port_publish(const uint16_t *ids, unsigned int n)
{
	struct scsi_ports *old, *new = NULL;
	unsigned int kept = 0;

	if (n) {
		new = calloc(1, sizeof(*new) + n * sizeof(new->id[0]));
		if (!new)
			return -ENOMEM;
		for (unsigned int i = 0; i < n; i++)
			new->id[i] = ids[i];
		qsort(new->id, n, sizeof(new->id[0]), compare);
		for (unsigned int i = 0; i < n; i++)
			if (!i || new->id[i] != new->id[kept - 1])
				new->id[kept++] = new->id[i];
		new->n = kept;
	}
	old = rcu_xchg_pointer(&published, new);
	if (old)
		call_rcu(&old->rcu, ports_free_rcu);
	return 0;
}

const struct scsi_ports *scsi_port_list(void)
{
	return rcu_dereference(published);
}
