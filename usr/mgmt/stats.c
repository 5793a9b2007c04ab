/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/stats.c - each reactor writes the counters of its own sessions into its
 * own part of a gathering; control puts the parts together.
 *
 * A row is shown for each pair of a session and a LUN of its target.  One that
 * was never addressed has no I_T_L nexus, and zeroes.
 *
 * How long operations took is known per LUN, and not per session.
 */
#include "mgmt/stats.h"

#include <errno.h>
#include <stdlib.h>
#include "base/macros.h"
#include "iscsi/conn.h"
#include "iscsi/register.h"
#include "iscsi/session.h"
#include "iscsi/target.h"
#include "mgmt/connection.h"
#include "mgmt/latency.h"
#include "mgmt/lun.h"
#include "mgmt/rpc.h"
#include "mgmt/system.h"
#include "mgmt/target.h"
#include "reactor/group.h"
#include "scsi/nexus.h"
#include "scsi/target.h"

/* A reactor's part. */
struct part {
	struct mgmt_stats_itl *itls;
	unsigned int nr_itls, max_itls;
	struct mgmt_stats_conn *conns;
	unsigned int nr_conns, max_conns;
	bool no_memory;
};

/* What is asked for; -1: all. */
struct scope {
	int tid;
	int64_t lun, sid, cid;
	bool itls, conns;
};

struct gathering {
	struct mgmt_call *call;
	struct scope scope;
	struct part sum;
	unsigned int nr_parts;
	struct part parts[];
};

static void part_free(struct part *p)
{
	free(p->itls);
	free(p->conns);
}

/* @v with room for one more than @n elements, or NULL: @v is as it was. */
static void *grown(void *v, unsigned int n, unsigned int *max, size_t bytes)
{
	const unsigned int want = *max ? *max * 2 : 64;
	void *bigger;

	if (n < *max)
		return v;
	bigger = reallocarray(v, want, bytes);
	if (bigger)
		*max = want;
	return bigger;
}

static struct mgmt_stats_itl *next_itl(struct part *p)
{
	struct mgmt_stats_itl *v = grown(p->itls, p->nr_itls, &p->max_itls, sizeof(*v));

	if (!v) {
		p->no_memory = true;
		return NULL;
	}
	p->itls = v;
	return &v[p->nr_itls++];
}

static struct mgmt_stats_conn *next_conn(struct part *p)
{
	struct mgmt_stats_conn *v = grown(p->conns, p->nr_conns, &p->max_conns, sizeof(*v));

	if (!v) {
		p->no_memory = true;
		return NULL;
	}
	p->conns = v;
	return &v[p->nr_conns++];
}

/* --- on each reactor -------------------------------------------------- */

static uint64_t load(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static void visit_itl(struct scsi_itl *itl, void *arg)
{
	const struct iscsi_session *s = container_of(itl->nexus, struct iscsi_session,
						     nexus);
	const struct lu_stats *from = &itl->stats;
	struct mgmt_stats_itl *row = next_itl(arg);

	if (!row)
		return;
	*row = (struct mgmt_stats_itl){
		.tid = itl->nexus->target->tid,
		.lun = itl->lun,
		.sid = s->sid,
		.rd_subm_bytes = load(&from->rd_subm_bytes),
		.rd_subm_cmds = load(&from->rd_subm_cmds),
		.rd_done_bytes = load(&from->rd_done_bytes),
		.rd_done_cmds = load(&from->rd_done_cmds),
		.wr_subm_bytes = load(&from->wr_subm_bytes),
		.wr_subm_cmds = load(&from->wr_subm_cmds),
		.wr_done_bytes = load(&from->wr_done_bytes),
		.wr_done_cmds = load(&from->wr_done_cmds),
		.errs = load(&from->errs),
	};
}

static void visit_nexus(struct scsi_nexus *n, void *arg)
{
	if (!n->closing)
		scsi_nexus_each_itl(n, visit_itl, arg);
}

static void visit_conn(struct iscsi_conn *conn, void *arg)
{
	const struct iscsi_session *s = conn->session;
	struct mgmt_stats_conn *row;

	if (!s || !s->target)
		return;
	row = next_conn(arg);
	if (!row)
		return;
	*row = (struct mgmt_stats_conn){
		.tid = s->target->scsi->tid,
		.sid = s->sid,
		.cid = conn->cid,
		.rx_bytes = conn->rx_bytes,
		.tx_bytes = conn->tx_bytes,
		.data_out_pdus = conn->data_out_pdus,
		.data_in_pdus = conn->data_in_pdus,
		.cmd_pdus = conn->cmd_pdus,
		.rsp_pdus = conn->rsp_pdus,
	};
}

static void gather(struct reactor_spread *s, void *arg)
{
	struct gathering *g = arg;
	struct part *p = &g->parts[reactor_id(reactor_current())];

	if (g->scope.itls)
		scsi_nexus_each(NULL, visit_nexus, p);
	if (g->scope.conns)
		iscsi_conn_each(visit_conn, p);
	reactor_group_spread_put(s);
}

/* --- on control ------------------------------------------------------- */

static void add_parts(struct gathering *g)
{
	for (unsigned int i = 0; i < g->nr_parts; i++) {
		const struct part *p = &g->parts[i];

		g->sum.no_memory |= p->no_memory;
		for (unsigned int k = 0; k < p->nr_itls; k++) {
			struct mgmt_stats_itl *row = next_itl(&g->sum);

			if (row)
				*row = p->itls[k];
		}
		for (unsigned int k = 0; k < p->nr_conns; k++) {
			struct mgmt_stats_conn *row = next_conn(&g->sum);

			if (row)
				*row = p->conns[k];
		}
	}
}

static int compare_itls(const void *a, const void *b)
{
	const struct mgmt_stats_itl *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->lun != y->lun)
		return x->lun < y->lun ? -1 : 1;
	return x->sid < y->sid ? -1 : x->sid > y->sid;
}

static int compare_conns(const void *a, const void *b)
{
	const struct mgmt_stats_conn *x = a, *y = b;

	if (x->sid != y->sid)
		return x->sid < y->sid ? -1 : 1;
	return x->cid - y->cid;
}

struct walk {
	struct gathering *g;
	const struct mgmt_target *target;
	const struct mgmt_lun *lun;
	json_t *rows, *latency;
};

static json_t *itl_row(const struct mgmt_stats_itl *r)
{
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "tid", r->tid, "lun", (json_int_t)r->lun, "sid",
			 (json_int_t)r->sid, "rd_subm_bytes",
			 (json_int_t)r->rd_subm_bytes, "rd_subm_cmds",
			 (json_int_t)r->rd_subm_cmds, "rd_done_bytes",
			 (json_int_t)r->rd_done_bytes, "rd_done_cmds",
			 (json_int_t)r->rd_done_cmds, "wr_subm_bytes",
			 (json_int_t)r->wr_subm_bytes, "wr_subm_cmds",
			 (json_int_t)r->wr_subm_cmds, "wr_done_bytes",
			 (json_int_t)r->wr_done_bytes, "wr_done_cmds",
			 (json_int_t)r->wr_done_cmds, "errs", (json_int_t)r->errs);
}

static void visit_session(const struct iscsi_session_info *s, void *arg)
{
	struct walk *w = arg;
	const struct part *sum = &w->g->sum;
	const struct mgmt_stats_itl none = { .tid = s->tid, .lun = w->lun->lun,
					     .sid = s->sid };
	const struct mgmt_stats_itl *row = NULL;

	if (w->g->scope.sid >= 0 && (uint64_t)w->g->scope.sid != s->sid)
		return;
	if (sum->nr_itls)
		row = bsearch(&none, sum->itls, sum->nr_itls, sizeof(none), compare_itls);
	json_array_append_new(w->rows, itl_row(row ? row : &none));
}

static void visit_target(struct mgmt_target *t, void *arg)
{
	struct walk *w = arg;
	const struct scope *scope = &w->g->scope;

	if (scope->tid >= 0 && scope->tid != t->tid)
		return;
	w->target = t;
	list_for_each(w->lun, &t->luns, node) {
		if (w->lun->state != MGMT_LUN_READY ||
		    (scope->lun >= 0 && (uint64_t)scope->lun != w->lun->lun))
			continue;
		iscsi_register_each(t->tid, visit_session, w);
		if (w->lun->lu && scope->sid < 0)
			json_array_append_new(w->latency, mgmt_latency_row(w->lun));
	}
}

static json_t *conn_rows(const struct gathering *g)
{
	json_t *rows = json_array();

	for (unsigned int i = 0; i < g->sum.nr_conns; i++) {
		const struct mgmt_stats_conn *c = &g->sum.conns[i];

		if (c->tid != g->scope.tid || (uint64_t)g->scope.sid != c->sid ||
		    (g->scope.cid >= 0 && g->scope.cid != c->cid))
			continue;
		json_array_append_new(
			rows,
			json_pack("{s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "sid",
				  (json_int_t)c->sid, "cid", (int)c->cid,
				  "rxdata_octets", (json_int_t)c->rx_bytes,
				  "txdata_octets", (json_int_t)c->tx_bytes,
				  "dataout_pdus", (json_int_t)c->data_out_pdus,
				  "datain_pdus", (json_int_t)c->data_in_pdus, "cmd_pdus",
				  (json_int_t)c->cmd_pdus, "rsp_pdus",
				  (json_int_t)c->rsp_pdus));
	}
	return rows;
}

static json_t *result_of(struct gathering *g)
{
	json_t *result = json_object();
	struct walk w = { .g = g };

	if (g->scope.itls) {
		if (g->sum.nr_itls)
			qsort(g->sum.itls, g->sum.nr_itls, sizeof(*g->sum.itls),
			      compare_itls);
		w.rows = json_array();
		w.latency = json_array();
		mgmt_target_each(visit_target, &w);
		json_object_set_new(result, "luns", w.rows);
		if (g->scope.sid < 0)
			json_object_set_new(result, "latency", w.latency);
		else
			json_decref(w.latency);
	}
	if (g->scope.conns) {
		if (g->sum.nr_conns)
			qsort(g->sum.conns, g->sum.nr_conns, sizeof(*g->sum.conns),
			      compare_conns);
		json_object_set_new(result, "connections", conn_rows(g));
	}
	return result;
}

static void gathered(void *arg)
{
	struct gathering *g = arg;

	add_parts(g);
	if (g->sum.no_memory)
		mgmt_rpc_fail_errno(g->call, -ENOMEM, "cannot gather the counters");
	else
		mgmt_rpc_reply(g->call, result_of(g));
	for (unsigned int i = 0; i < g->nr_parts; i++)
		part_free(&g->parts[i]);
	part_free(&g->sum);
	free(g);
}

static void start(struct mgmt_call *call, const struct scope *scope)
{
	const unsigned int n = reactor_group_size();
	struct gathering *g;
	int err = -ENOMEM;

	if (!mgmt_system_accepts(call))	/* nobody would wait for the reactors */
		return;
	g = calloc(1, sizeof(*g) + n * sizeof(g->parts[0]));
	if (g) {
		g->call = call;
		g->scope = *scope;
		g->nr_parts = n;
		err = reactor_group_spread(gather, gathered, g);
	}
	if (err < 0) {
		free(g);
		mgmt_rpc_fail_errno(call, err, "cannot gather the counters");
	}
}

void mgmt_stats_system(struct mgmt_call *call)
{
	const struct scope all = { .tid = -1, .lun = -1, .sid = -1, .itls = true };

	start(call, &all);
}

void mgmt_stats_target(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);

	if (t)
		start(call, &(struct scope){ .tid = t->tid, .lun = -1, .sid = -1,
					     .itls = true });
}

void mgmt_stats_lun(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	const int64_t lun = mgmt_rpc_int(call, "lun", -1);

	if (!t)
		return;
	if (!mgmt_lun_find(t, (uint64_t)lun)) {
		mgmt_rpc_fail(call, MGMT_ERR_NO_LUN, "lun", "target %d has no LUN %lld",
			      t->tid, (long long)lun);
		return;
	}
	start(call, &(struct scope){ .tid = t->tid, .lun = lun, .sid = -1, .itls = true });
}

/* The target and session of the call exist, or it was failed. */
static bool scope_of(struct mgmt_call *call, int64_t cid, struct scope *ret)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	const int64_t sid = mgmt_rpc_int(call, "sid", 0);

	if (!t || !mgmt_connection_check(call, t, (uint64_t)sid, cid))
		return false;
	*ret = (struct scope){ .tid = t->tid, .lun = -1, .sid = sid, .cid = cid,
			       .conns = true };
	return true;
}

void mgmt_stats_session(struct mgmt_call *call)
{
	struct scope scope;

	if (!scope_of(call, -1, &scope))
		return;
	scope.itls = true;
	start(call, &scope);
}

void mgmt_stats_connection(struct mgmt_call *call)
{
	struct scope scope;

	if (scope_of(call, mgmt_rpc_int(call, "cid", -1), &scope))
		start(call, &scope);
}
