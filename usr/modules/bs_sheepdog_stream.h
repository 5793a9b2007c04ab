/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_sheepdog_stream.h - what bs_sheepdog_conn.c asks of bs_sheepdog_stream.c. */
#pragma once
#include "bs_sheepdog_conn.h"

/* Something has come. */
void bs_sheepdog_stream_ready(void *ctx);
/* The socket is closed: what was sent and has come in part. */
void bs_sheepdog_stream_reset(struct sheep_conn *c);
/* Changes were sent that were not answered: whether they are done, or will be, is not
 * known. */
bool bs_sheepdog_stream_owes_changes(const struct sheep_conn *c);
/* All requests end with -ECONNRESET; without such changes, or with them. */
void bs_sheepdog_stream_give_back(struct sheep_conn *c, bool with_changes);
