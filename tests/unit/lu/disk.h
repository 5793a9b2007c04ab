/* SPDX-License-Identifier: BSD-3-Clause */
/* disk.h - logical units and I/O on them, as plain calls that wait. */
#pragma once
#include <string.h>
#include "lu/io.h"
#include "lu/lu.h"
#include "../bs/modules.h"

/* --- opening and closing, on control --- */

struct disk_open {
	const struct bs_open_spec *spec;
	uint32_t atomic_bytes;
	struct lu *lu;
	int err;
	char why[512];
	sem_t over;
};

static inline void disk_opened(void *arg, struct lu *lu, int err, const char *why)
{
	struct disk_open *o = arg;

	o->lu = lu;
	o->err = err;
	snprintf(o->why, sizeof(o->why), "%s", why ? why : "");
	sem_post(&o->over);
}

static inline void disk_open_start(void *arg)
{
	struct disk_open *o = arg;
	struct lu_identity id;
	int err;

	lu_identity_default(&id, "iqn.2001-04.com.example:test", 1, 1);
	err = lu_open(o->spec, &id, o->atomic_bytes, o->why, sizeof(o->why), disk_opened, o);
	if (err)
		disk_opened(o, NULL, err, strdupa(o->why));
}

/* NULL: *ret_err and @why (of 512 bytes, may be NULL) tell. */
static inline struct lu *disk_try_open_atomic(const struct bs_open_spec *spec,
					      uint32_t atomic_bytes, int *ret_err, char *why)
{
	struct disk_open o = { .spec = spec, .atomic_bytes = atomic_bytes };

	sem_init(&o.over, 0, 0);
	call_on(test_daemon.control, disk_open_start, &o);
	wait_for(&o.over, "a store to open");
	sem_destroy(&o.over);
	*ret_err = o.err;
	if (why)
		memcpy(why, o.why, sizeof(o.why));
	return o.lu;
}

static inline struct lu *disk_try_open(const struct bs_open_spec *spec, int *ret_err,
				       char *why)
{
	return disk_try_open_atomic(spec, 0, ret_err, why);
}

/* The kernel, a filter around it or the file system of the tests forbids this
 * kind of store; @why is what opening it has said. */
static inline bool not_here(const char *bstype, uint32_t flags, const char *why)
{
	if (strstr(why, "use bstype"))
		return true;
	return (!strcmp(bstype, "aio") || flags & BS_OPEN_DIRECT) &&
	       (strstr(why, "no direct I/O") || strstr(why, "needs a block size"));
}

static inline struct lu *disk_open(const char *bstype, const char *path, const char *bsopts)
{
	const struct bs_open_spec spec = { .bstype = bstype, .path = path,
					   .bsopts = bsopts };
	char why[512];
	int err;
	struct lu *lu = disk_try_open(&spec, &err, why);

	if (!lu)
		fail_msg("cannot open %s %s: %s (%d)", bstype, path ? path : "", why, err);
	return lu;
}

static inline void disk_closed(void *arg)
{
	sem_post(arg);
}

struct disk_close {
	struct lu *lu;
	sem_t *over;
};

static inline void disk_close_start(void *arg)
{
	const struct disk_close *c = arg;

	lu_close(c->lu, disk_closed, c->over);
}

static inline void disk_close(struct lu *lu)
{
	sem_t over;
	struct disk_close c = { lu, &over };

	sem_init(&over, 0, 0);
	call_on(test_daemon.control, disk_close_start, &c);
	wait_for(&over, "a store to close");
	sem_destroy(&over);
}

/* --- I/O, on a reactor --- */

struct client {
	struct reactor *reactor;
	struct lu *lu;
	struct lu_channel *ch;
	int err;
};

static inline void client_get(void *arg)
{
	struct client *c = arg;

	c->err = lu_channel_get(c->lu, &c->ch);
}

static inline void client_put(void *arg)
{
	const struct client *c = arg;

	lu_channel_put(c->ch);
}

static inline struct client client_open(struct lu *lu, unsigned int reactor)
{
	struct client c = { .reactor = reactor_group_get(reactor), .lu = lu };

	call_on(c.reactor, client_get, &c);
	assert_int_equal(c.err, 0);
	return c;
}

static inline void client_close(struct client *c)
{
	call_on(c->reactor, client_put, c);
}

struct request {
	struct lu_io io;
	struct client *client;
	sem_t over;
	int err;
	bool submitting, done_too_early;
};

static inline void request_done(struct lu_io *io, int err)
{
	struct request *r = container_of(io, struct request, io);

	r->done_too_early = r->submitting;
	r->err = err;
	sem_post(&r->over);
}

static inline void request_start(void *arg)
{
	struct request *r = arg;

	r->io.done = request_done;
	r->submitting = true;
	lu_io_submit(r->client->ch, &r->io);
	r->submitting = false;
}

static inline int request_wait(struct request *r)
{
	wait_for(&r->over, "a request");
	sem_destroy(&r->over);
	assert_false(r->done_too_early);
	return r->err;
}

static inline void request_submit(struct client *c, struct request *r)
{
	sem_init(&r->over, 0, 0);
	r->client = c;
	call_on(c->reactor, request_start, r);
}

/* One request with one buffer (or none), to its end. */
static inline int do_io(struct client *c, enum lu_op op, uint32_t flags, uint64_t off,
			uint64_t len, void *buf, size_t buf_bytes, uint64_t *ret_result)
{
	struct iovec iov = { buf, buf_bytes };
	struct request r = { .io = { .op = op, .flags = flags, .off_bytes = off,
				     .len_bytes = len, .iov = &iov,
				     .iovcnt = buf ? 1 : 0 } };
	int err;

	request_submit(c, &r);
	err = request_wait(&r);
	if (ret_result)
		*ret_result = r.io.result;
	return err;
}

static inline int do_read(struct client *c, uint64_t off, void *buf, size_t len)
{
	return do_io(c, LU_READ, 0, off, len, buf, len, NULL);
}

static inline int do_write(struct client *c, uint64_t off, const void *buf, size_t len)
{
	return do_io(c, LU_WRITE, 0, off, len, (void *)(uintptr_t)buf, len, NULL);
}

/* Bytes from @off that are in one state, which *ret_mapped tells. */
static inline uint64_t do_status(struct client *c, uint64_t off, uint64_t len, bool *ret_mapped)
{
	struct request r = { .io = { .op = LU_BLOCK_STATUS, .off_bytes = off,
				     .len_bytes = len } };

	request_submit(c, &r);
	assert_int_equal(request_wait(&r), 0);
	*ret_mapped = r.io.flags & LU_IO_MAPPED;
	return r.io.result;
}

/* Bytes that tell where they belong and which round wrote them. */
static inline void fill(uint8_t *p, size_t len, uint64_t off, uint8_t round)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)((off + i) * 2654435761U >> 16) ^ round;
}
