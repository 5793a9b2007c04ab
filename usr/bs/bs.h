/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs/bs.h - open stores.  The host side of tgt/bs_module.h.
 *
 * A device is opened and closed on a worker, so that neither control nor a
 * reactor ever waits for a store.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <tgt/bs_module.h>

struct bs_device;

struct bs_open_spec {		/* all text is borrowed for the call */
	const char *bstype;
	const char *path;
	const char *bsopts;	/* NULL or "" for none */
	uint32_t flags;		/* BS_OPEN_* */
	uint32_t block_bytes;
};

/*
 * Open a store.  Returns 0 and calls @done later on the calling thread's
 * reactor, with a reference for the caller or with -errno and one sentence
 * that says what is wrong and where (@why is valid during the call only).
 *
 * Errors now: -ENOMEM; -ENOENT: no such module, -EINVAL: an option or flag
 * that the module does not have or a value out of range; then @why_buf has
 * the sentence and done() is not called.
 */
int bs_open(const struct bs_open_spec *spec, char *why_buf, size_t why_bytes,
	    void (*done)(void *arg, struct bs_device *dev, int err, const char *why),
	    void *arg);

/*
 * Whether @spec names no store although its module has only stores with names; the
 * errors of bs_open() that come now come from here, too.
 */
int bs_open_check(const struct bs_open_spec *spec, char *why_buf, size_t why_bytes,
		  bool *ret_nameless);

/* Any thread.  The last put closes the store on a worker. */
struct bs_device *bs_device_get(struct bs_device *dev);
void bs_device_put(struct bs_device *dev);

/* @closed runs on the control thread after the store was closed (or now, later,
 * if @dev is never used again).  At most one per device; before the last put. */
void bs_device_on_closed(struct bs_device *dev, void (*closed)(void *arg), void *arg);

/* @resized runs on the control thread when the module reports a new size, also
 * one that it reported before this call. */
void bs_device_on_resized(struct bs_device *dev,
			  void (*resized)(void *arg, uint64_t size_bytes), void *arg);

/*
 * Have the store looked at: how large is it now?  @done runs later on the calling
 * thread with 0 or -errno and a sentence, valid during the call.  Errors now:
 * -ENOMEM; -EOPNOTSUPP: the module cannot look.
 */
int bs_device_probe_size(struct bs_device *dev,
			 void (*done)(void *arg, int err, uint64_t size_bytes,
				      const char *why),
			 void *arg);

/* Constant after open (so is size_bytes: later sizes come by resized()).  Any
 * thread. */
const struct bs_dev_info *bs_device_info(const struct bs_device *dev);
/* How @dev's store is to be told that it copies from @src: 0 with *ret_src_dev for
 * bs_req.src_dev, or -EOPNOTSUPP.  Any thread. */
int bs_device_copy_source(const struct bs_device *dev, struct bs_device *src,
			  struct bs_dev **ret_src_dev);
const char *bs_device_module(const struct bs_device *dev);
/* "" if it was opened without. */
const char *bs_device_path(const struct bs_device *dev);
