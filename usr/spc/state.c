/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/state.c - made with the device, freed with it. */
#include "spc/state.h"

#include <stdlib.h>
#include "base/macros.h"
#include "scsi/device.h"
#include "scsi/task.h"

void spc_state_init(void *state)
{
	struct spc_state *s = state;

	pthread_mutex_init(&s->mutex, NULL);
}

void spc_state_fini(void *state)
{
	struct spc_state *s = state;

	free(s->buffer);
	free(s->echo);
	pthread_mutex_destroy(&s->mutex);
}

struct spc_state *spc_state_lock(const struct scsi_task *t)
{
	struct spc_state *s = t->dev->state;

	assert(s);		/* the type has the command, so it has SPC_STATE */
	pthread_mutex_lock(&s->mutex);
	return s;
}

void spc_state_unlock(struct spc_state *s)
{
	pthread_mutex_unlock(&s->mutex);
}
