/* SPDX-License-Identifier: BSD-3-Clause */
#include "common_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common_iscsi.h"
#include "common_session.h"
#include "common_util.h"

#define EVENTS		  256
#define DIRECT_POLL_CONNS 4 /* so few are asked one by one, without epoll */
#define STALL_NS	  UINT64_C(10000000000)
#define ERRORS_SHOWN	  5
#define DISCARD_BYTES	  16384 /* from so much on */

static uint64_t own_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void try_start(struct bench_run *r, struct bench_conn *c,
		      struct bench_task *task)
{
	if (r->stopping || !bench_workload_next(&r->workload, c, task))
		return;
	task->start_ns = r->now;
	task->lun = c->lun;
	if (r->opts->each_lun)
		task->lun = bench_iscsi_lun(
			(unsigned int)(r->opts->lun +
				       c->turn++ % r->opts->nr_luns));
	r->nr_active++;
	c->proto->start(c, task);
}

static void note_error(struct bench_run *r, struct bench_conn *c,
		       const struct bench_task *task)
{
	if (r->result.nr_errors++ < ERRORS_SHOWN)
		fprintf(stderr,
			"iscsi_load: connection %u: opcode 0x%02x: status 0x%02x, %s\n",
			c->index, task->cdb[0], task->status,
			bench_iscsi_sense(task));
	/* In verify mode the block's content is now unknown: no use to go on. */
	if (r->workload.verify)
		bench_util_die(BENCH_FAILED,
			       "a command failed while verifying");
}

static void run_done(struct bench_conn *c, struct bench_task *task)
{
	struct bench_run *r = c->owner;

	r->nr_active--;
	r->last_done = r->now;
	if (task->status)
		note_error(r, c, task);
	else
		bench_workload_done(&r->workload, c, task);
	if (r->measuring && !task->status) {
		bench_hist_add(&r->result.latency, r->now - task->start_ns);
		c->nr_done++;
		r->result.nr_reads += !task->write;
	}
	try_start(r, c, task);
}

/* Tasks idle only before a phase, and when verify found no free block. */
static void refill(struct bench_run *r, struct bench_conn *c)
{
	for (unsigned int i = 0; c->nr_active < c->depth && i < c->depth; i++)
		if (!c->tasks[i].active)
			try_start(r, c, &c->tasks[i]);
}

static void flush(struct bench_run *r, struct bench_conn *c)
{
	const bool want = !bench_conn_flush(c);
	struct epoll_event ev = { .events = EPOLLIN | (want ? EPOLLOUT : 0),
				  .data.ptr = c };

	if (want == c->want_pollout)
		return;
	c->want_pollout = want;
	if (epoll_ctl(r->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev))
		bench_util_die(BENCH_FAILED, "epoll_ctl: %s", strerror(errno));
}

static void serve(struct bench_run *r, struct bench_conn *c)
{
	bench_conn_receive(c, &r->now);
	if (r->workload.verify && c->nr_active < c->depth)
		refill(r, c);
	if (c->tx.head != c->tx.tail || c->want_pollout)
		flush(r, c);
}

static void turn(struct bench_run *r)
{
	struct epoll_event evs[EVENTS];
	int n;

	if (r->opts->poll && r->nr_conns <= DIRECT_POLL_CONNS) {
		for (unsigned int i = 0; i < r->nr_conns; i++)
			serve(r, &r->conns[i]);
	} else {
		n = epoll_wait(r->epoll_fd, evs, EVENTS,
			       r->opts->poll ? 0 : 1000);
		if (n == -1 && errno != EINTR)
			bench_util_die(BENCH_FAILED, "epoll_wait: %s",
				       strerror(errno));
		for (int i = 0; i < n; i++)
			serve(r, evs[i].data.ptr);
		if (n <= 0)
			r->now = bench_now_ns();
	}
	if (r->nr_active && r->now - r->last_done > STALL_NS &&
	    r->now > r->last_done)
		bench_util_die(BENCH_FAILED,
			       "no answer in %" PRIu64 " s, %u commands open",
			       STALL_NS / 1000000000u, r->nr_active);
}

static void phase_start(struct bench_run *r, enum bench_phase phase)
{
	bench_workload_phase(&r->workload, phase);
	r->stopping = false;
	r->now = r->last_done = bench_now_ns();
	for (unsigned int i = 0; i < r->nr_conns; i++) {
		refill(r, &r->conns[i]);
		flush(r, &r->conns[i]);
	}
}

static void drain(struct bench_run *r)
{
	while (r->nr_active)
		turn(r);
}

/* A phase that ends by itself. */
static void run_whole(struct bench_run *r, enum bench_phase phase)
{
	phase_start(r, phase);
	drain(r);
}

static void run_until(struct bench_run *r, uint64_t end)
{
	while (r->now < end)
		turn(r);
}

static void run_measured(struct bench_run *r)
{
	struct bench_result *res = &r->result;
	struct bench_machine before, after;
	uint64_t start, target_cpu, loader_cpu;

	phase_start(r, BENCH_PHASE_RUN);
	run_until(r, r->now + (uint64_t)(r->opts->warmup_s * 1e9));

	target_cpu = bench_proc_cpu_ns(&r->target);
	loader_cpu = own_cpu_ns();
	before = bench_proc_machine();
	start = bench_now_ns();
	r->measuring = true;
	run_until(r, start + (uint64_t)(r->opts->time_s * 1e9));
	r->measuring = false;
	res->seconds = (double)(bench_now_ns() - start) / 1e9;
	after = bench_proc_machine();
	res->loader_cpu_ns = own_cpu_ns() - loader_cpu;
	res->target_cpu_ns = bench_proc_cpu_ns(&r->target) - target_cpu;

	res->machine.busy_ns = after.busy_ns - before.busy_ns;
	res->machine.steal_ns = after.steal_ns - before.steal_ns;
	r->stopping = true;
	drain(r);
	res->nr_ops = res->latency.nr;
	res->conn_min_ops = UINT64_MAX;
	for (unsigned int i = 0; i < r->nr_conns; i++) {
		res->conn_min_ops = MIN(res->conn_min_ops, r->conns[i].nr_done);
		if (r->conns[i].nr_done > res->conn_max_ops)
			res->conn_max_ops = r->conns[i].nr_done;
	}
}

void bench_run_all(struct bench_run *r)
{
	const struct bench_opts *o = r->opts;

	if (o->verify && !o->filled)
		run_whole(r, BENCH_PHASE_FILL);
	if (o->fill_only)
		run_whole(r, BENCH_PHASE_READ_BACK);
	else
		run_measured(r);
	if (o->verify && !o->fill_only)
		run_whole(r, BENCH_PHASE_READ_BACK);
}

/* The region in slots; each connection starts elsewhere when sequential. */
static void lay_out(struct bench_run *r, const struct bench_disk *disk)
{
	const struct bench_opts *o = r->opts;
	struct bench_workload *w = &r->workload;
	const uint64_t disk_bytes = disk->nr_blocks * disk->block_bytes;
	uint64_t region = o->region_bytes;

	if (!region && o->offset_bytes < disk_bytes)
		region = disk_bytes - o->offset_bytes;
	if (o->offset_bytes > disk_bytes ||
	    region > disk_bytes - o->offset_bytes)
		bench_util_die(BENCH_USAGE,
			       "the region ends behind the disk's %" PRIu64
			       " bytes",
			       disk_bytes);
	if (!disk->block_bytes || o->block_bytes % disk->block_bytes ||
	    o->offset_bytes % disk->block_bytes)
		bench_util_die(BENCH_USAGE, "the disk has blocks of %u bytes",
			       disk->block_bytes);
	*w = (struct bench_workload){
		.block_bytes = (uint32_t)o->block_bytes,
		.lba_bytes = disk->block_bytes,
		.offset_bytes = o->offset_bytes,
		.nr_slots = region / o->block_bytes,
		.read_percent = (unsigned int)o->read_percent,
		.sequential = o->sequential,
		.verify = o->verify,
		.seed = o->seed,
	};
	if (!w->nr_slots)
		bench_util_die(BENCH_USAGE,
			       "the region is smaller than a block");
	if (w->verify && w->nr_slots < 2 * o->depth * r->nr_conns)
		bench_util_die(
			BENCH_USAGE,
			"--verify: the region must hold twice the blocks in flight");
	bench_workload_init(w, o->filled);
	for (unsigned int i = 0; i < r->nr_conns; i++)
		r->conns[i].cursor = w->nr_slots / r->nr_conns * i;
}

static void task_buffers(struct bench_run *r, struct bench_conn *c)
{
	for (unsigned int i = 0; i < c->depth; i++) {
		memset(&c->tasks[i], 0, sizeof(c->tasks[i]));
		if (r->workload.verify)
			c->tasks[i].buf =
				bench_util_alloc(1, r->workload.block_bytes);
	}
}

void bench_run_init(struct bench_run *r, const struct bench_opts *o)
{
	struct bench_disk disk, first = { 0 };

	r->opts = o;
	r->nr_conns = (unsigned int)o->nr_conns;
	r->conns = bench_util_alloc(r->nr_conns, sizeof(*r->conns));
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd == -1)
		bench_util_die(BENCH_FAILED, "epoll_create1: %s",
			       strerror(errno));
	if (o->pid && bench_proc_add(&r->target, o->pid))
		bench_util_die(BENCH_USAGE, "--pid %s: no such process",
			       o->pid);
	for (unsigned int i = 0; i < r->nr_conns; i++) {
		struct bench_conn *c = &r->conns[i];
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

		bench_session_open(c, o, i, (unsigned int)o->depth, &disk);
		if (!i)
			first = disk;
		if (disk.block_bytes != first.block_bytes ||
		    disk.nr_blocks != first.nr_blocks)
			bench_util_die(BENCH_USAGE, "the LUNs differ in size");
		c->done = run_done;
		c->owner = r;
		c->timed = !o->verify;
		c->discard = !o->verify && o->block_bytes >= DISCARD_BYTES;
		c->turn = (unsigned int)(o->nr_luns / o->nr_conns * i);
		if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev))
			bench_util_die(BENCH_FAILED, "epoll_ctl: %s",
				       strerror(errno));
	}
	lay_out(r, &first);
	for (unsigned int i = 0; i < r->nr_conns; i++)
		task_buffers(r, &r->conns[i]);
}

void bench_run_fini(struct bench_run *r)
{
	for (unsigned int i = 0; i < r->nr_conns; i++) {
		struct bench_conn *c = &r->conns[i];

		for (unsigned int t = 0; r->workload.verify && t < c->depth;
		     t++)
			free(c->tasks[t].buf);
		if (r->opts->floor)
			bench_conn_close(c);
		else
			bench_iscsi_logout(c);
	}
	bench_workload_fini(&r->workload);
	close(r->epoll_fd);
	free(r->conns);
}
