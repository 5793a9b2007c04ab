/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs/bs.c - opening and closing.
 *
 * The reactor that calls bs_open() (control) is the device's home: callbacks run
 * there, whichever thread drops the last reference.  open() and close() run in
 * the workers' own source, whose share is fixed: stores that hang while being
 * opened cannot take the workers from those that serve.
 */
#include "bs/bs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "bs/internal.h"
#include "bs/loader.h"
#include "bs/params.h"

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{ BS_OPEN_SYNC, "sync" },
	{ BS_OPEN_DIRECT, "direct" },
};

DEFINE_CLEANUP(struct bs_device *, bs_device_free)

void bs_device_free(struct bs_device *d)
{
	if (!d)
		return;
	reactor_worker_source_free(d->source);
	bs_params_free(d->params);
	free(d->path);
	free(d);
}

/* --- opening --- */

static int check_flags(const struct bs_module *m, uint32_t flags, char *why,
		       size_t why_bytes)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++) {
		if (!(flags & flag_names[i].flag & ~m->open_flags))
			continue;
		snprintf(why, why_bytes, "%s does not know the open flag '%s'", m->name,
			 flag_names[i].name);
		return -EINVAL;
	}
	return 0;
}

int bs_device_new(const struct bs_open_spec *spec, char *why, size_t why_bytes,
		  struct bs_device **ret_dev)
{
	const struct bs_module *m = bs_loader_find(spec->bstype);
	_cleanup_(bs_device_freep) struct bs_device *d = NULL;
	int err;

	if (!m) {
		snprintf(why, why_bytes, "there is no backing-store module '%s'", spec->bstype);
		return -ENOENT;
	}
	err = check_flags(m, spec->flags, why, why_bytes);
	if (err)
		return err;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	err = bs_params_parse(m->name, m->options, spec->bsopts, why, why_bytes, &d->params);
	if (err)
		return err;
	d->module = m;
	d->path = strdup(spec->path ? spec->path : "");
	d->source = reactor_worker_source_new();
	if (!d->path || !d->source)
		return -ENOMEM;
	/* RDONLY is a wish that lu/ enforces; the others were checked. */
	d->flags = spec->flags & (m->open_flags | BS_OPEN_RDONLY);
	d->block_bytes = spec->block_bytes;
	refcount_init(&d->refs, 1);
	*ret_dev = TAKE_PTR(d);
	return 0;
}

/* What open() said must be possible; the rest of the daemon relies on it. */
static const char *check_info(const struct bs_dev_info *i)
{
	if (!(i->ops & BS_OP_BIT(BS_READ)))
		return "the module cannot read";
	if (!i->read_only && !(i->ops & BS_OP_BIT(BS_WRITE)))
		return "the module cannot write and does not say that it is read-only";
	if (!i->read_only && i->write_cache && !(i->ops & BS_OP_BIT(BS_FLUSH)))
		return "the module has a write cache that cannot be flushed";
	if (i->align_bytes & (i->align_bytes - 1))
		return "the module wants an alignment that is not a power of two";
	return NULL;
}

int bs_device_open_now(struct bs_device *d)
{
	const struct bs_open_args args = {
		.path = d->path,
		.flags = d->flags,
		.block_bytes = d->block_bytes,
		.params = d->params,
	};
	const char *reason;
	int err;

	bs_host_say_start();
	err = d->module->open(&d->dev, &args);
	reason = bs_host_said();
	if (!err) {
		reason = check_info(&d->dev.info);
		if (!reason)
			return 0;
		d->module->close(&d->dev);
		err = -EINVAL;
	}
	if (err > 0)
		err = -EIO;
	if (!*reason)
		reason = strerrordesc_np(-err);
	snprintf(d->why, sizeof(d->why), "%s%s%s: %s", d->module->name, *d->path ? " " : "",
		 d->path, reason ? reason : "unknown error");
	return err;
}

static void open_run(struct work *w)
{
	struct bs_device *d = container_of(w, struct bs_device, work);

	d->err = bs_device_open_now(d);
}

static void open_done(struct work *w)
{
	struct bs_device *d = container_of(w, struct bs_device, work);

	if (!d->err) {
		d->opened(d->opened_arg, d, 0, NULL);
		return;
	}
	d->opened(d->opened_arg, NULL, d->err, d->why);
	bs_device_free(d);
}

int bs_open(const struct bs_open_spec *spec, char *why_buf, size_t why_bytes,
	    void (*done)(void *arg, struct bs_device *dev, int err, const char *why),
	    void *arg)
{
	struct bs_device *d;
	int err;

	err = bs_device_new(spec, why_buf, why_bytes, &d);
	if (err)
		return err;
	d->home = reactor_current();
	d->opened = done;
	d->opened_arg = arg;
	d->work = (struct work){ .run = open_run, .done = open_done };
	reactor_worker_submit(NULL, &d->work);
	return 0;
}

int bs_open_check(const struct bs_open_spec *spec, char *why_buf, size_t why_bytes,
		  bool *ret_nameless)
{
	struct bs_device *d;
	const int err = bs_device_new(spec, why_buf, why_bytes, &d);

	if (err)
		return err;
	*ret_nameless = !*d->path && d->module->flags & BS_MODULE_PATH;
	bs_device_free(d);
	return 0;
}

/* --- closing --- */

static void close_run(struct work *w)
{
	struct bs_device *d = container_of(w, struct bs_device, work);

	d->module->close(&d->dev);
}

static void close_done(struct work *w)
{
	struct bs_device *d = container_of(w, struct bs_device, work);
	void (*const closed)(void *arg) = d->closed;
	void *const arg = d->closed_arg;

	bs_device_free(d);
	if (closed)
		closed(arg);
}

static void close_start(struct mail *m)
{
	struct bs_device *d = container_of(m, struct bs_device, mail);

	d->work = (struct work){ .run = close_run, .done = close_done };
	reactor_worker_submit(NULL, &d->work);
}

struct bs_device *bs_device_get(struct bs_device *dev)
{
	refcount_get(&dev->refs);
	return dev;
}

void bs_device_put(struct bs_device *dev)
{
	if (dev && refcount_put(&dev->refs) && dev->home)
		reactor_mailbox_send(dev->home, &dev->mail, close_start);
}

void bs_device_on_closed(struct bs_device *dev, void (*closed)(void *arg), void *arg)
{
	dev->closed = closed;
	dev->closed_arg = arg;
}

/* --- size --- */

static void resized(struct mail *m)
{
	struct bs_device *d = container_of(m, struct bs_device, mail);
	uint64_t size_bytes;

	/* In this order, so that a change after the load sends another mail. */
	atomic_store(&d->resize_told, false);
	size_bytes = atomic_load(&d->new_size);
	if (d->resized)
		d->resized(d->resized_arg, size_bytes);
	bs_device_put(d);
}

void bs_dev_resized(struct bs_dev *dev, uint64_t size_bytes)
{
	struct bs_device *d = container_of(dev, struct bs_device, dev);

	/* A child's size is its parent's business; a closing store has none. */
	if (!d->home)
		return;
	atomic_store(&d->new_size, size_bytes);
	if (atomic_exchange(&d->resize_told, true))
		return;
	if (refcount_get_unless_zero(&d->refs))
		reactor_mailbox_send(d->home, &d->mail, resized);
}

void bs_device_on_resized(struct bs_device *dev,
			  void (*resized_fn)(void *arg, uint64_t size_bytes), void *arg)
{
	const uint64_t missed = atomic_load(&dev->new_size);

	dev->resized = resized_fn;
	dev->resized_arg = arg;
	if (missed && resized_fn)
		bs_dev_resized(&dev->dev, missed);
}

struct probe {
	struct work work;
	struct bs_device *dev;		/* holds a reference */
	void (*done)(void *arg, int err, uint64_t size_bytes, const char *why);
	void *arg;
	int err;
	uint64_t size_bytes;
	char why[BS_SAY_BYTES + 128];
};

static void probe_run(struct work *w)
{
	struct probe *p = container_of(w, struct probe, work);
	struct bs_device *d = p->dev;
	const char *reason;

	bs_host_say_start();
	p->err = d->module->size(&d->dev, &p->size_bytes);
	if (!p->err)
		return;
	reason = *bs_host_said() ? bs_host_said() : strerrordesc_np(-p->err);
	snprintf(p->why, sizeof(p->why), "%s%s%s: %s", d->module->name, *d->path ? " " : "",
		 d->path, reason ? reason : "unknown error");
}

static void probe_done(struct work *w)
{
	struct probe *p = container_of(w, struct probe, work);

	p->done(p->arg, p->err, p->size_bytes, p->why);
	bs_device_put(p->dev);
	free(p);
}

int bs_device_probe_size(struct bs_device *dev,
			 void (*done)(void *arg, int err, uint64_t size_bytes,
				      const char *why),
			 void *arg)
{
	struct probe *p;

	if (!dev->module->size)
		return -EOPNOTSUPP;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = (struct probe){ .work = { .run = probe_run, .done = probe_done },
			     .dev = bs_device_get(dev), .done = done, .arg = arg };
	reactor_worker_submit(NULL, &p->work);
	return 0;
}

const struct bs_dev_info *bs_device_info(const struct bs_device *dev)
{
	return &dev->dev.info;
}

int bs_device_copy_source(const struct bs_device *dev, struct bs_device *src,
			  struct bs_dev **ret_src_dev)
{
	const struct bs_dev_info *i = &dev->dev.info;

	if (!(i->ops & BS_OP_BIT(BS_COPY)))
		return -EOPNOTSUPP;
	*ret_src_dev = NULL;
	if (dev == src)
		return 0;
	if (!i->copies_between || dev->module != src->module)
		return -EOPNOTSUPP;
	*ret_src_dev = &src->dev;
	return 0;
}

const char *bs_device_module(const struct bs_device *dev)
{
	return dev->module->name;
}

const char *bs_device_path(const struct bs_device *dev)
{
	return dev->path;
}
