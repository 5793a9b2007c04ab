/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/state.h - what a device with a medium keeps for the primary commands: its
 * clock, and buffers for READ and WRITE BUFFER.  Gone with the device; none of
 * it is promised to last longer.
 *
 * Threads: any; under the mutex, which nobody holds for longer than a copy takes.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct scsi_task;

#define SPC_STATE_BUFFER_BYTES	4096U

struct spc_state {
	pthread_mutex_t mutex;
	bool clock_set;			/* by SET TIMESTAMP */
	int64_t clock_ahead_ms;		/* of the system's clock */
	uint8_t *buffer;		/* SPC_STATE_BUFFER_BYTES; NULL: all zero */
	uint8_t *echo;			/* likewise; NULL: never written */
	uint32_t echo_bytes;
	uint64_t echo_nexus;		/* who wrote it */
};

/* For struct scsi_device_type. */
void spc_state_init(void *state);
void spc_state_fini(void *state);
#define SPC_STATE	.state_bytes = sizeof(struct spc_state),		\
			.state_init = spc_state_init, .state_fini = spc_state_fini

struct spc_state *spc_state_lock(const struct scsi_task *t);
void spc_state_unlock(struct spc_state *s);
