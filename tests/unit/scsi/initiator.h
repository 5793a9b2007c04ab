/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * initiator.h - a transport for tests: I_T nexuses on a reactor, and commands as
 * plain calls that wait for their end.
 */
#pragma once
#include "../lu/disk.h"
#include "base/be.h"
#include "base/iov.h"
#include "base/rcu.h"
#include "scsi/command.h"
#include "scsi/device.h"
#include "scsi/device_type.h"
#include "scsi/dispatch.h"
#include "scsi/nexus.h"
#include "scsi/target.h"
#include "scsi/task.h"
#include "scsi/tmf.h"

struct session {
	struct reactor *reactor;
	struct scsi_target *target;
	struct scsi_nexus nexus;
	char port[64];
	int err;
	sem_t closed;
};

struct command {
	struct scsi_task task;
	struct session *session;

	/* In. */
	uint8_t cdb[SCSI_CDB_MAX];
	uint64_t lun;
	enum scsi_attr attr;
	const uint8_t *out;
	uint64_t out_bytes;		/* what the initiator says that it sends */
	uint64_t in_max;
	bool immediate;			/* all of it is there at the start */
	bool withhold;			/* collect() does not bring it */

	/* Out. */
	uint8_t *in;			/* in_max bytes, or NULL */
	uint64_t in_bytes;
	enum scsi_status status;
	uint8_t sense[SCSI_SENSE_MAX];
	uint8_t sense_bytes;
	uint64_t want_bytes;
	unsigned int order;		/* the how-manieth answer */
	bool starting, collecting, answered, aborted;
	sem_t over;			/* answered or aborted */
	sem_t collected;		/* collect() was called */
	sem_t released;
};

static atomic_uint nr_answers;

/* --- the transport --- */

static inline struct command *to_command(struct scsi_task *t)
{
	return container_of(t, struct command, task);
}

static inline void bring_data(struct command *c)
{
	struct scsi_task *t = &c->task;

	assert(iov_bytes(t->data.iov, t->data.iovcnt) >= t->out_bytes);
	assert(t->out_bytes <= c->out_bytes);
	if (!c->immediate)
		iov_write(t->data.iov, t->data.iovcnt, 0, c->out, t->out_bytes);
	scsi_dispatch_data_ready(t);
}

static inline void on_collect(struct scsi_task *t)
{
	struct command *c = to_command(t);

	assert(!c->starting && !c->collecting);
	c->collecting = true;
	if (!c->withhold)
		bring_data(c);
	sem_post(&c->collected);
}

static inline void on_respond(struct scsi_task *t)
{
	struct command *c = to_command(t);

	assert(!c->starting && !c->answered && !c->aborted);
	c->answered = true;
	c->status = t->status;
	c->want_bytes = t->want_bytes;
	c->in_bytes = t->in_bytes;
	if (c->in)
		iov_read(t->data.iov, t->data.iovcnt, 0, c->in,
			 MIN(t->in_bytes, c->in_max));
	c->sense_bytes = t->sense_bytes;
	memcpy(c->sense, t->sense, t->sense_bytes);
	c->order = atomic_fetch_add(&nr_answers, 1);
	scsi_task_put(t);
	sem_post(&c->over);
}

static inline void on_aborted(struct scsi_task *t)
{
	struct command *c = to_command(t);

	assert(!c->answered && !c->aborted);
	c->aborted = true;
	scsi_task_put(t);
	sem_post(&c->over);
}

static inline void on_release(struct scsi_task *t)
{
	sem_post(&to_command(t)->released);
}

static const struct scsi_transport test_transport = {
	.collect = on_collect, .respond = on_respond, .aborted = on_aborted,
	.release = on_release,
};

/* --- nexuses --- */

static inline void session_start(void *arg)
{
	struct session *s = arg;

	s->err = scsi_nexus_open(&s->nexus, s->target, s->port, 1);
}

static inline struct session *session_open(struct scsi_target *target,
					   unsigned int reactor)
{
	static atomic_uint nr;
	struct session *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->reactor = reactor_group_get(reactor);
	s->target = target;
	snprintf(s->port, sizeof(s->port), "iqn.2001-04.com.example:i%u,i,0x1", nr++);
	sem_init(&s->closed, 0, 0);
	call_on(s->reactor, session_start, s);
	assert_int_equal(s->err, 0);
	return s;
}

static inline void session_closed(struct scsi_nexus *n)
{
	sem_post(&container_of(n, struct session, nexus)->closed);
}

static inline void session_stop(void *arg)
{
	struct session *s = arg;

	scsi_nexus_close(&s->nexus, session_closed);
}

/* Does not wait for the last task. */
static inline void session_lose(struct session *s)
{
	call_on(s->reactor, session_stop, s);
}

static inline void session_free(struct session *s)
{
	wait_for(&s->closed, "a nexus to be given up");
	sem_destroy(&s->closed);
	free(s);
}

static inline void session_close(struct session *s)
{
	session_lose(s);
	session_free(s);
}

/* --- commands --- */

static inline void command_begin(void *arg)
{
	struct command *c = arg;
	struct scsi_task *t = &c->task;

	memset(t, 0xa5, sizeof(*t));	/* recycled memory */
	t->transport = &test_transport;
	t->nexus = &c->session->nexus;
	t->lun = scsi_target_encode_lun(c->lun);
	t->tag = 0;
	t->attr = c->attr;
	memcpy(t->cdb, c->cdb, sizeof(t->cdb));
	t->cdb_bytes = 16;
	t->out_max = c->out_bytes;
	t->in_max = c->in_max;
	scsi_task_init(t);
	if (c->immediate) {
		const int err = reactor_buffer_get(&t->data, c->out_bytes);

		assert(!err);
		(void)err;
		iov_write(t->data.iov, t->data.iovcnt, 0, c->out, c->out_bytes);
	}
	c->starting = true;
	scsi_dispatch_start(t);
	c->starting = false;
}

static inline void command_submit(struct session *s, struct command *c)
{
	c->session = s;
	c->answered = c->aborted = c->collecting = false;
	sem_init(&c->over, 0, 0);
	sem_init(&c->collected, 0, 0);
	sem_init(&c->released, 0, 0);
	call_on(s->reactor, command_begin, c);
}

/* Its answer, or that there is none. */
static inline void command_wait(struct command *c)
{
	wait_for(&c->over, "an answer");
}

static inline void command_released(struct command *c)
{
	wait_for(&c->released, "a task to be released");
	sem_destroy(&c->over);
	sem_destroy(&c->collected);
	sem_destroy(&c->released);
}

/* From start to release. */
static inline enum scsi_status command_run(struct session *s, struct command *c)
{
	command_submit(s, c);
	command_wait(c);
	command_released(c);
	assert_false(c->aborted);
	return c->status;
}

static inline void bring_data_call(void *arg)
{
	bring_data(arg);
}

static inline void command_bring_data(struct command *c)
{
	call_on(c->session->reactor, bring_data_call, c);
}

static inline void abort_call(void *arg)
{
	struct command *c = arg;

	scsi_task_abort(&c->task);
}

static inline void command_abort(struct command *c)
{
	call_on(c->session->reactor, abort_call, c);
}

/* --- sense --- */

static inline bool sense_is(const struct command *c, uint8_t key, uint8_t asc, uint8_t ascq)
{
	const bool fixed = (c->sense[0] & 0x7e) == 0x70;

	if (c->status != SCSI_CHECK_CONDITION || c->sense_bytes < 8)
		return false;
	if (fixed)
		return (c->sense[2] & 0xf) == key && c->sense[12] == asc &&
		       c->sense[13] == ascq;
	return (c->sense[1] & 0xf) == key && c->sense[2] == asc && c->sense[3] == ascq;
}

#define assert_sense(c, key, asc, ascq) do {					\
	if (!sense_is(c, key, asc, ascq))					\
		fail_msg("status %02x sense %02x/%02x/%02x, not %02x/%02x/%02x", \
			 (c)->status, (c)->sense[2] & 0xf, (c)->sense[12],	\
			 (c)->sense[13], key, asc, ascq);			\
} while (0)

/* Fixed format: the field pointer. */
#define assert_field_in_cdb(c, byte, bit) do {					\
	assert_sense(c, 0x5, 0x24, 0x00);					\
	assert_int_equal((c)->sense[15], 0x80 | 0x40 | ((bit) < 0 ? 0 : 0x08 | (bit))); \
	assert_int_equal(be_load((c)->sense + 16, 2), byte);			\
} while (0)

/* Take what a new nexus is told first. */
static inline void clear_attention(struct session *s, uint64_t lun)
{
	struct command c = { .cdb = { 0x00 }, .lun = lun };

	command_run(s, &c);
	assert_sense(&c, 0x6, 0x29, 0x00);
}

/* --- task management --- */

struct management {
	struct scsi_tmf tmf;
	struct session *session;
	enum scsi_tmf_response rsp;
	bool starting;
	sem_t over;
};

static inline void managed(struct scsi_tmf *tmf, enum scsi_tmf_response rsp)
{
	struct management *m = container_of(tmf, struct management, tmf);

	assert(!m->starting);
	m->rsp = rsp;
	sem_post(&m->over);
}

static inline void manage_begin(void *arg)
{
	struct management *m = arg;

	m->starting = true;
	scsi_tmf_start(&m->tmf);
	m->starting = false;
}

static inline void manage_submit(struct session *s, struct management *m,
				 enum scsi_tmf_function fn, uint64_t lun,
				 struct command *c)
{
	*m = (struct management){ .session = s,
		.tmf = { .fn = fn, .nexus = &s->nexus,
			 .lun = scsi_target_encode_lun(lun),
			 .task = c ? &c->task : NULL, .done = managed } };
	sem_init(&m->over, 0, 0);
	call_on(s->reactor, manage_begin, m);
}

static inline enum scsi_tmf_response manage_wait(struct management *m)
{
	wait_for(&m->over, "task management");
	sem_destroy(&m->over);
	return m->rsp;
}

static inline enum scsi_tmf_response manage(struct session *s, enum scsi_tmf_function fn,
					    uint64_t lun, struct command *c)
{
	struct management m;

	manage_submit(s, &m, fn, lun, c);
	return manage_wait(&m);
}

/* --- control's calls --- */

struct lun_call {
	struct scsi_target *target;
	uint64_t lun;
	struct scsi_device *dev;
	int err;
	sem_t over;
};

static inline void add_lun_call(void *arg)
{
	struct lun_call *c = arg;

	c->err = scsi_target_add_lun(c->target, c->lun, c->dev);
}

static inline int add_lun(struct scsi_target *t, uint64_t lun, struct scsi_device *dev)
{
	struct lun_call c = { .target = t, .lun = lun, .dev = dev };

	call_on(test_daemon.control, add_lun_call, &c);
	return c.err;
}

static inline void lun_removed(void *arg)
{
	sem_post(&((struct lun_call *)arg)->over);
}

static inline void remove_lun_call(void *arg)
{
	struct lun_call *c = arg;

	c->err = scsi_target_remove_lun(c->target, c->lun, lun_removed, c);
}

static inline int remove_lun(struct scsi_target *t, uint64_t lun)
{
	struct lun_call c = { .target = t, .lun = lun };

	sem_init(&c.over, 0, 0);
	call_on(test_daemon.control, remove_lun_call, &c);
	if (!c.err)
		wait_for(&c.over, "a LUN to be removed");
	sem_destroy(&c.over);
	return c.err;
}

struct config_call {
	struct scsi_device *dev;
	const struct scsi_device_config *config;
	int err;
};

static inline void set_config_call(void *arg)
{
	struct config_call *c = arg;

	c->err = scsi_device_set_config(c->dev, c->config);
}

static inline void set_config(struct scsi_device *dev,
			      const struct scsi_device_config *config)
{
	struct config_call c = { .dev = dev, .config = config };

	call_on(test_daemon.control, set_config_call, &c);
	assert_int_equal(c.err, 0);
}
