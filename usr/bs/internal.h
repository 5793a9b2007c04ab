/* SPDX-License-Identifier: BSD-3-Clause */
/* bs/internal.h - what the files of this directory share. */
#pragma once
#include <stdatomic.h>
#include "base/list.h"
#include "base/refcount.h"
#include "bs/bs.h"
#include "bs/channel.h"
#include "reactor/mailbox.h"
#include "reactor/reactor.h"
#include "reactor/worker.h"

#define BS_SAY_BYTES	256

struct bs_device {
	/* Constant after open. */
	struct bs_dev dev;		/* what the module sees */
	const struct bs_module *module;
	struct bs_params *params;
	char *path;
	struct worker_source *source;	/* its share of the workers */
	struct reactor *home;		/* where it was opened; NULL: a child store */
	uint32_t flags, block_bytes;

	/* Any thread: atomic. */
	refcount refs;
	_Atomic uint64_t new_size;
	atomic_bool resize_told;	/* the mail is under way, with a reference */
	struct mail mail;

	/* Home only. */
	struct work work;		/* opening, closing */
	void (*opened)(void *arg, struct bs_device *dev, int err, const char *why);
	void *opened_arg;
	int err;
	char why[BS_SAY_BYTES + 128];
	void (*closed)(void *arg);
	void *closed_arg;
	void (*resized)(void *arg, uint64_t size_bytes);
	void *resized_arg;
};

/* bs.c: build a device for @spec, without opening it.  Errors and @why as
 * bs_open(). */
int bs_device_new(const struct bs_open_spec *spec, char *why, size_t why_bytes,
		  struct bs_device **ret_dev);
void bs_device_free(struct bs_device *d);

/* bs.c: call the module's open() here and now (a worker); fills d->why. */
int bs_device_open_now(struct bs_device *d);

/* host.c: the calling thread's last bs_say(), which is forgotten by start(). */
void bs_host_say_start(void);
const char *bs_host_said(void);

/* channel.c: the reactor that @g belongs to. */
struct reactor *bs_channel_reactor(struct bs_group *g);
