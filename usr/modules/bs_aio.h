/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_aio.h - what the files of this module share. */
#pragma once
#include "bs_file.h"
#include <libaio.h>

/* bs_aio_queue.c: one context per reactor.  Threads: the reactor. */
int bs_aio_group_open(struct bs_group *g);
void bs_aio_group_close(struct bs_group *g);
int bs_aio_channel_open(struct bs_channel *ch);
void bs_aio_channel_close(struct bs_channel *ch);
void bs_aio_queue_add(struct bs_channel *ch, struct bs_req *req);
void bs_aio_queue_flush(struct bs_group *g);
