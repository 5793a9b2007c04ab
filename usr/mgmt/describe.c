/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/describe.c - the same rows as JSON and as Markdown. */
#include "mgmt/describe.h"

#include "mgmt/config.h"
#include "mgmt/lun_params.h"
#include "mgmt/rpc.h"
#include "mgmt/tpg_params.h"

static json_t *describe_fields(const struct mgmt_field *fields);

static json_t *describe_field(const struct mgmt_field *f)
{
	json_t *v = json_pack("{s:s, s:s, s:b, s:s}", "name", f->name, "type",
			      mgmt_fields_type(f->type), "required", f->required, "help",
			      f->help);

	if (f->of)
		json_object_set_new(v, "of", describe_fields(f->of));
	if (f->words) {
		json_t *words = json_array();

		for (size_t i = 0; f->words[i]; i++)
			json_array_append_new(words, json_string(f->words[i]));
		json_object_set_new(v, "one_of", words);
	} else if (f->type == MGMT_INT || f->type == MGMT_TEXT) {
		const uint64_t max = f->type == MGMT_TEXT && !f->max ? MGMT_TEXT_MAX :
								       f->max;

		json_object_set_new(v, "min", json_integer((json_int_t)f->min));
		json_object_set_new(v, "max", json_integer((json_int_t)max));
	}
	return v;
}

static json_t *describe_fields(const struct mgmt_field *fields)
{
	json_t *all = json_array();

	for (; fields->name; fields++)
		json_array_append_new(all, describe_field(fields));
	return all;
}

static json_t *describe_method(const struct mgmt_method *m)
{
	return json_pack("{s:s, s:s, s:s?, s:o}", "name", m->name, "help", m->help,
			 "result", m->result, "fields", describe_fields(m->fields));
}

typedef const char *(*param_name)(unsigned int n, const char **ret_range,
				  const char **ret_help);

static json_t *describe_params(param_name nth)
{
	json_t *all = json_array();
	const char *name, *range, *help;

	for (unsigned int i = 0; (name = nth(i, &range, &help)); i++)
		json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "name", name,
						     "range", range, "help", help));
	return all;
}

void mgmt_describe_call(struct mgmt_call *call)
{
	json_t *methods = json_array();

	for (const struct mgmt_method *m = mgmt_rpc_methods(call); m->name; m++)
		json_array_append_new(methods, describe_method(m));
	mgmt_rpc_reply(call, json_pack("{s:s, s:o, s:o, s:o}", "version", TGT_VERSION,
				       "methods", methods, "lun_params",
				       describe_params(mgmt_lun_params_name), "tpg_params",
				       describe_params(mgmt_tpg_params_name)));
}

static void write_fields(FILE *to, const struct mgmt_field *fields)
{
	char range[128];

	fprintf(to, "| field | type | values | required | meaning |\n|---|---|---|---|---|\n");
	for (const struct mgmt_field *f = fields; f->name; f++)
		fprintf(to, "| `%s` | %s | %s | %s | %s |\n", f->name,
			mgmt_fields_type(f->type),
			mgmt_fields_range(f, range, sizeof(range)),
			f->required ? "yes" : "no", f->help);
}

/* A table for each kind of object within @fields. */
static void write_nested(FILE *to, const char *of, const struct mgmt_field *fields)
{
	char path[64];

	fprintf(to, "Members of `%s`:\n\n", of);
	write_fields(to, fields);
	fprintf(to, "\n");
	for (; fields->name; fields++) {
		if (!fields->of)
			continue;
		snprintf(path, sizeof(path), "%s.%s[]", of, fields->name);
		write_nested(to, path, fields->of);
	}
}

static void write_method(FILE *to, const struct mgmt_method *m)
{
	fprintf(to, "### %s\n\n%s.\n\n", m->name, m->help);
	if (m->fields->name)
		write_fields(to, m->fields);
	fprintf(to, "%sResult: %s.\n\n", m->fields->name ? "\n" : "",
		m->result ? m->result : "`{}`");
}

/* A result that several methods have. */
static void write_latency(FILE *to)
{
	fprintf(to, "### Latency\n\n"
		    "`latency` has an object for each LUN: `tid`, `lun`, and for each kind of operation that has happened\n"
		    "(`read`, `write`, `flush`, `unmap`, `other`) an object with `count`, `mean_ns`, `p50_ns`, `p90_ns`, `p99_ns`,\n"
		    "`p999_ns` and `max_ns`, in nanoseconds, since the LUN was made and over all its sessions. A quantile is the\n"
		    "upper end of a bucket, up to 1/16 above the truth. What is measured: from the moment at which the logical\n"
		    "unit has the operation (with all data, if it writes) until it is done, so with the wait for a limit and with\n"
		    "the store, without the network. A long UNMAP or WRITE SAME is several operations.\n\n");
}

static void write_params(FILE *to, const char *of, const char *members, param_name nth)
{
	const char *name, *range, *help;

	fprintf(to, "### Parameters of a %s\n\nMembers of `params` of %s.\n\n"
		    "| name | values | meaning |\n|---|---|---|\n", of, members);
	for (unsigned int i = 0; (name = nth(i, &range, &help)); i++)
		fprintf(to, "| `%s` | %s | %s |\n", name, range, help);
}

void mgmt_describe_write(FILE *to, const struct mgmt_method *methods)
{
	for (; methods->name; methods++)
		write_method(to, methods);
	fprintf(to, "### The state\n\n");
	write_nested(to, "state", mgmt_config_state_fields);
	write_latency(to);
	write_params(to, "logical unit", "lun.create and lun.update", mgmt_lun_params_name);
	fprintf(to, "\n");
	write_params(to, "target port group", "tpg.create and tpg.update", mgmt_tpg_params_name);
}
