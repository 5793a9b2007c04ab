/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/latency.c - the reactors' histograms are read as they are: nobody is asked. */
#include "mgmt/latency.h"

#include "lu/latency.h"
#include "mgmt/lun.h"
#include "mgmt/target.h"

static json_t *describe(const struct histogram_summary *s)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "count",
			 (json_int_t)s->count, "mean_ns", (json_int_t)s->mean_ns, "p50_ns",
			 (json_int_t)s->p50_ns, "p90_ns", (json_int_t)s->p90_ns, "p99_ns",
			 (json_int_t)s->p99_ns, "p999_ns", (json_int_t)s->p999_ns,
			 "max_ns", (json_int_t)s->max_ns);
}

json_t *mgmt_latency_row(const struct mgmt_lun *l)
{
	json_t *row = json_pack("{s:i, s:I}", "tid", l->target->tid, "lun",
				(json_int_t)l->lun);

	for (unsigned int k = 0; k < LU_LATENCY_NR_KINDS; k++) {
		struct histogram sum = { 0 };
		struct histogram_summary s;

		lu_latency_sum(l->lu, k, &sum);
		s = histogram_summarize(&sum);
		if (s.count)
			json_object_set_new(row, lu_latency_names[k], describe(&s));
	}
	return row;
}
