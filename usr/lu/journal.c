/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/journal.c - opening: read the file -> for each record: read the store, write
 * what is missing -> empty the file.  Then the slots and those who wait for one.
 *
 * A record counts only if each sector of its range is what it was or what it shall
 * be: then the crash was in between.  Anything else has been written by somebody
 * else since (another disk in the place of this one, or this one used without us) and
 * is not touched.
 */
#include "lu/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/macros.h"
#include "bs/channel.h"
#include "lu/internal.h"
#include "lu/state_dir.h"

#define SECTOR		512U	/* written as a whole by any disk */

struct lu_journal {
	/* Constant. */
	struct lu_journal_file *file;
	uint32_t max_bytes;
	struct worker_source *source;

	atomic_bool broken;
	pthread_mutex_t mutex;		/* of what follows */
	struct list_head waiting;	/* struct lu_io */
	struct lu_journal_slot slots[LU_JOURNAL_SLOTS];

	/* Control, at the end. */
	struct work work;
	void (*closed)(void *arg);
	void *arg;
};

struct opening {
	struct bs_device *dev;		/* the caller's */
	char *store;
	uint32_t max_bytes;
	void (*done)(void *arg, struct lu_journal *j, int err, const char *why);
	void *arg;

	struct work work;
	struct lu_journal_file *file;
	struct lu_journal_record *records[LU_JOURNAL_SLOTS];
	unsigned int n;			/* the one that is looked at */
	struct bs_channel *ch;
	struct bs_io io;
	struct iovec iov;
	uint8_t *present;		/* LU_JOURNAL_BYTES_MAX */
	int err;
	char why[512];
};

/* --- the journal itself --- */

static void journal_free(struct lu_journal *j)
{
	if (!j)
		return;
	for (unsigned int i = 0; i < LU_JOURNAL_SLOTS; i++)
		free(j->slots[i].memory);
	reactor_worker_source_free(j->source);
	pthread_mutex_destroy(&j->mutex);
	free(j);
}
DEFINE_CLEANUP(struct lu_journal *, journal_free)

static struct lu_journal *journal_new(uint32_t max_bytes)
{
	_cleanup_(journal_freep) struct lu_journal *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	pthread_mutex_init(&j->mutex, NULL);
	list_init(&j->waiting);
	j->max_bytes = max_bytes;
	j->source = reactor_worker_source_new();
	if (!j->source)
		return NULL;
	for (unsigned int i = 0; i < LU_JOURNAL_SLOTS; i++) {
		struct lu_journal_slot *s = &j->slots[i];

		s->j = j;
		s->index = i;
		s->memory = aligned_alloc(4096, ROUND_UP(2 * (size_t)max_bytes, 4096));
		if (!s->memory)
			return NULL;
	}
	return TAKE_PTR(j);
}

/* --- opening: the end --- */

static void opening_free(struct opening *o)
{
	for (unsigned int i = 0; i < LU_JOURNAL_SLOTS; i++)
		lu_journal_file_free_record(o->records[i]);
	free(o->present);
	free(o->store);
	free(o);
}

static void opened(struct opening *o)
{
	struct lu_journal *j = NULL;

	if (o->ch)
		bs_channel_put(o->ch);
	if (!o->err && o->max_bytes) {
		j = journal_new(o->max_bytes);
		if (j)
			j->file = TAKE_PTR(o->file);
		else
			o->err = -ENOMEM;
	}
	lu_journal_file_close(o->file, false);
	o->done(o->arg, j, o->err, o->err ? *o->why ? o->why : strerrordesc_np(-o->err) : NULL);
	opening_free(o);
}

static void emptied(struct work *w)
{
	opened(container_of(w, struct opening, work));
}

static void empty(struct work *w)
{
	struct opening *o = container_of(w, struct opening, work);

	if (!o->max_bytes) {
		lu_journal_file_close(TAKE_PTR(o->file), true);
		return;
	}
	o->err = lu_journal_file_format(o->file, o->max_bytes);
	if (o->err)
		snprintf(o->why, sizeof(o->why),
			 "no journal of atomic writes can be made in the state directory: %s",
			 strerrordesc_np(-o->err));
}

/* --- opening: what a crash has left --- */

static void next(struct opening *o);

static void fail(struct opening *o, int err)
{
	o->err = err;
	snprintf(o->why, sizeof(o->why),
		 "an atomic write to %s was interrupted and cannot be finished: %s", o->store,
		 err == -EROFS ? "the store is read-only" : strerrordesc_np(-err));
	opened(o);
}

/* Old or new, sector by sector? */
static bool is_interrupted(const struct lu_journal_record *r, const uint8_t *present)
{
	for (uint32_t i = 0; i < r->len_bytes; i += SECTOR)
		if (memcmp(present + i, r->old + i, SECTOR) != 0 &&
		    memcmp(present + i, r->new + i, SECTOR) != 0)
			return false;
	return true;
}

static void submit(struct opening *o, enum bs_op op, void *memory,
		   void (*done)(struct bs_io *io, int err))
{
	const struct lu_journal_record *r = o->records[o->n];
	const bool durable = op == BS_WRITE && bs_device_info(o->dev)->write_cache;

	o->iov = (struct iovec){ memory, r->len_bytes };
	o->io = (struct bs_io){
		.req = { .op = (uint16_t)op, .flags = durable ? BS_REQ_FUA : 0,
			 .off_bytes = r->off_bytes, .len_bytes = r->len_bytes,
			 .iov = &o->iov, .iovcnt = 1 },
		.done = done,
	};
	bs_channel_submit(o->ch, &o->io);
}

static void written(struct bs_io *io, int err)
{
	struct opening *o = container_of(io, struct opening, io);
	const struct lu_journal_record *r = o->records[o->n];

	if (err) {
		fail(o, err);
		return;
	}
	log_warn("%s: an atomic write of %" PRIu32 " bytes at %" PRIu64
		 " was interrupted: finished", o->store, r->len_bytes, r->off_bytes);
	o->n++;
	next(o);
}

static void present_read(struct bs_io *io, int err)
{
	struct opening *o = container_of(io, struct opening, io);
	const struct lu_journal_record *r = o->records[o->n];

	if (err) {
		fail(o, err);
	} else if (!memcmp(o->present, r->new, r->len_bytes)) {
		o->n++;
		next(o);
	} else if (!is_interrupted(r, o->present)) {
		log_warn("%s: an atomic write of %" PRIu32 " bytes at %" PRIu64
			 " was interrupted, but the range was written since: left as it is",
			 o->store, r->len_bytes, r->off_bytes);
		o->n++;
		next(o);
	} else if (bs_device_info(o->dev)->read_only) {
		fail(o, -EROFS);
	} else {
		submit(o, BS_WRITE, r->new, written);
	}
}

/* The store may have become smaller. */
static bool is_of_store(const struct opening *o, const struct lu_journal_record *r)
{
	const struct bs_dev_info *i = bs_device_info(o->dev);
	const uint64_t align = MAX(i->align_bytes, SECTOR);

	return r && r->off_bytes <= i->size_bytes &&
	       r->len_bytes <= i->size_bytes - r->off_bytes &&
	       !((r->off_bytes | r->len_bytes) & (align - 1));
}

static void next(struct opening *o)
{
	while (o->n < LU_JOURNAL_SLOTS && !is_of_store(o, o->records[o->n]))
		o->n++;
	if (o->n < LU_JOURNAL_SLOTS) {
		submit(o, BS_READ, o->present, present_read);
		return;
	}
	o->work.run = empty;
	o->work.done = emptied;
	reactor_worker_submit(NULL, &o->work);
}

static void loaded(struct work *w)
{
	struct opening *o = container_of(w, struct opening, work);

	if (!o->err && o->file)
		o->err = bs_channel_get(o->dev, &o->ch);
	if (o->err || !o->file)
		opened(o);
	else
		next(o);
}

/* --- opening: the beginning --- */

/* One name for one store, as far as we can tell. */
static void find_name(struct opening *o)
{
	char path[PATH_MAX];
	const char *colon = strchr(o->store, ':');
	char *name;

	if (!realpath(colon + 1, path))
		return;
	name = strdup(path);
	if (!name)
		return;
	free(o->store);
	o->store = name;
}

static void load(struct work *w)
{
	struct opening *o = container_of(w, struct opening, work);

	find_name(o);
	o->err = lu_journal_file_open(o->store, o->max_bytes != 0, &o->file, o->why,
				      sizeof(o->why));
	/* Who has it looks after it. */
	if (o->err == -EBUSY && !o->max_bytes)
		o->err = 0;
	for (unsigned int i = 0; i < LU_JOURNAL_SLOTS && o->file && !o->err; i++) {
		o->err = lu_journal_file_load(o->file, i, &o->records[i]);
		if (o->err)
			snprintf(o->why, sizeof(o->why),
				 "the journal of its atomic writes cannot be read: %s",
				 strerrordesc_np(-o->err));
	}
}

int lu_journal_open(struct bs_device *dev, const struct bs_open_spec *spec,
		    uint32_t max_bytes,
		    void (*done)(void *arg, struct lu_journal *j, int err, const char *why),
		    void *arg)
{
	struct opening *o;

	if (!lu_state_dir_is_set()) {
		done(arg, NULL, max_bytes ? -EINVAL : 0, max_bytes ?
		     "atomic writes need a state directory, and there is none: start tgtd with --state-dir" :
		     NULL);
		return 0;
	}
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->present = aligned_alloc(4096, LU_JOURNAL_BYTES_MAX);
	if (!o->present || asprintf(&o->store, "%s:%s", spec->bstype, spec->path ?: "") < 0) {
		free(o->present);
		free(o);
		return -ENOMEM;
	}
	o->dev = dev;
	o->max_bytes = max_bytes;
	o->done = done;
	o->arg = arg;
	o->work.run = load;
	o->work.done = loaded;
	reactor_worker_submit(NULL, &o->work);
	return 0;
}

/* --- closing --- */

static void close_file(struct work *w)
{
	struct lu_journal *j = container_of(w, struct lu_journal, work);

	lu_journal_file_close(j->file, !atomic_load(&j->broken));
}

static void file_closed(struct work *w)
{
	struct lu_journal *j = container_of(w, struct lu_journal, work);
	void (*const closed)(void *arg) = j->closed;
	void *const arg = j->arg;

	journal_free(j);
	closed(arg);
}

void lu_journal_close(struct lu_journal *j, void (*closed)(void *arg), void *arg)
{
	if (!j) {
		closed(arg);
		return;
	}
	j->closed = closed;
	j->arg = arg;
	j->work.run = close_file;
	j->work.done = file_closed;
	reactor_worker_submit(NULL, &j->work);
}

/* --- slots --- */

uint32_t lu_journal_max_bytes(const struct lu_journal *j)
{
	return j ? j->max_bytes : 0;
}

void lu_journal_take(struct lu_journal *j, struct lu_io *io,
		     void (*granted)(struct lu_journal_slot *s))
{
	struct lu_journal_slot *s = NULL;

	io->granted = granted;
	pthread_mutex_lock(&j->mutex);
	for (unsigned int i = 0; i < LU_JOURNAL_SLOTS && !s; i++)
		if (!j->slots[i].taken)
			s = &j->slots[i];
	if (s) {
		s->taken = true;
	} else {
		list_del(&io->node);
		list_add_tail(&j->waiting, &io->node);
	}
	pthread_mutex_unlock(&j->mutex);
	if (s) {
		s->io = io;
		granted(s);
	}
}

static void passed_on(struct mail *m)
{
	struct lu_journal_slot *s = container_of(m, struct lu_journal_slot, mail);

	list_add_tail(&s->io->ch->in_flight, &s->io->node);
	s->io->granted(s);
}

void lu_journal_give(struct lu_journal_slot *s)
{
	struct lu_journal *j = s->j;
	struct lu_io *io;

	pthread_mutex_lock(&j->mutex);
	io = list_pop(&j->waiting, struct lu_io, node);
	s->taken = io != NULL;
	pthread_mutex_unlock(&j->mutex);
	if (!io)
		return;
	s->io = io;
	reactor_mailbox_send(io->ch->reactor, &s->mail, passed_on);
}

static void worked(struct work *w)
{
	struct lu_journal_slot *s = container_of(w, struct lu_journal_slot, work);

	s->done(s, s->err);
}

static void write_record(struct work *w)
{
	struct lu_journal_slot *s = container_of(w, struct lu_journal_slot, work);

	s->err = atomic_load(&s->j->broken) ? -EIO :
		 lu_journal_file_record(s->j->file, s->index, &s->record);
}

static void clear_record(struct work *w)
{
	struct lu_journal_slot *s = container_of(w, struct lu_journal_slot, work);

	s->err = atomic_load(&s->stuck) ? 0 : lu_journal_file_clear(s->j->file, s->index);
}

static void work(struct lu_journal_slot *s, void (*run)(struct work *w),
		 void (*done)(struct lu_journal_slot *s, int err))
{
	s->done = done;
	s->work.run = run;
	s->work.done = worked;
	reactor_worker_submit(s->j->source, &s->work);
}

void lu_journal_write(struct lu_journal_slot *s,
		      void (*done)(struct lu_journal_slot *s, int err))
{
	work(s, write_record, done);
}

void lu_journal_clear(struct lu_journal_slot *s,
		      void (*done)(struct lu_journal_slot *s, int err))
{
	work(s, clear_record, done);
}

void lu_journal_break(struct lu_journal_slot *s, bool keep)
{
	atomic_store(&s->stuck, keep);
	atomic_store(&s->j->broken, true);
}
