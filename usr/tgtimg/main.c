/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgtimg - the volumes behind logical units: make, look, remove, resize, copy, list,
 * through the modules that the daemon uses too.  It does not need the daemon.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/process.h"
#include "base/text.h"
#include "bs/loader.h"
#include "bs/volume.h"
#include "tgtimg/options.h"
#include "tgtimg/progress.h"

struct listed {
	char *name;
	uint64_t size_bytes;
};

static struct {
	struct listed *rows;
	size_t n;
	bool out_of_memory;
} list;

static void found(void *ctx, const char *name, uint64_t size_bytes)
{
	struct listed *more = reallocarray(list.rows, list.n + 1, sizeof(*more));

	(void)ctx;
	list.rows = more ? more : list.rows;
	if (more)
		more[list.n] = (struct listed){ strdup(name), size_bytes };
	if (!more || !more[list.n].name)
		list.out_of_memory = true;
	else
		list.n++;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

static void print_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(value);
}

/* A name need not be UTF-8, JSON must. */
static json_t *json_name(const char *name)
{
	char quoted[4 * NAME_MAX + 1];
	json_t *value = json_string(name);

	return value ? value : json_string(text_quote(quoted, sizeof(quoted), name, strlen(name)));
}

static void print_list(bool as_json)
{
	json_t *array = as_json ? json_array() : NULL;

	if (list.n)
		qsort(list.rows, list.n, sizeof(*list.rows), by_name);
	for (size_t i = 0; i < list.n; i++) {
		const struct listed *row = &list.rows[i];

		if (as_json)
			json_array_append_new(array, json_pack("{s:o, s:I}", "name",
							       json_name(row->name), "size",
							       (json_int_t)row->size_bytes));
		else
			printf("%15llu  %s\n", (unsigned long long)row->size_bytes, row->name);
	}
	if (as_json)
		print_json(array);
	for (size_t i = 0; i < list.n; i++)
		free(list.rows[i].name);
	free(list.rows);
}

static void print_info(const struct tgtimg_options *o, const struct bs_volume_info *info)
{
	const bool known = info->allocated_bytes != UINT64_MAX;

	if (o->json) {
		json_t *object = json_pack("{s:o, s:I}", "name", json_name(o->file),
					   "size", (json_int_t)info->size_bytes);

		if (known)
			json_object_set_new(object, "allocated",
					    json_integer((json_int_t)info->allocated_bytes));
		print_json(object);
		return;
	}
	printf("%s\n    Size: %llu bytes\n", o->file, (unsigned long long)info->size_bytes);
	if (known)
		printf("    Allocated: %llu bytes\n    Thin-provisioning: %s\n",
		       (unsigned long long)info->allocated_bytes,
		       info->allocated_bytes < info->size_bytes ? "Yes" : "No");
}

static int run(const struct tgtimg_options *o, enum bs_volume_op op, struct bs_volume_spec *spec)
{
	char why[512];
	const int err = bs_volume_run(op, spec, why, sizeof(why));

	tgtimg_progress_end();
	if (err == -ECANCELED)
		fprintf(stderr, "tgtimg: %s: broken off; nothing is changed\n", o->file);
	else if (err)
		fprintf(stderr, "tgtimg: %s\n", why);
	return err ? EINVAL : 0;
}

/* "+1G" is said in terms of the present size. */
static int add_present_size(const struct tgtimg_options *o, struct bs_volume_spec *spec)
{
	const int code = run(o, BS_VOLUME_INFO, spec);

	if (code)
		return code;
	if (spec->info->size_bytes > INT64_MAX - spec->args.size_bytes) {
		fprintf(stderr, "tgtimg: %s: too large\n", o->file);
		return EINVAL;
	}
	spec->args.size_bytes += spec->info->size_bytes;
	return 0;
}

static int operate(const struct tgtimg_options *o)
{
	static const enum bs_volume_op ops[] = {
		[TGTIMG_NEW] = BS_VOLUME_CREATE,    [TGTIMG_SHOW] = BS_VOLUME_INFO,
		[TGTIMG_DELETE] = BS_VOLUME_REMOVE, [TGTIMG_RESIZE] = BS_VOLUME_RESIZE,
		[TGTIMG_SNAPSHOT] = BS_VOLUME_SNAPSHOT,
		[TGTIMG_CLONE] = BS_VOLUME_CLONE,   [TGTIMG_LIST] = BS_VOLUME_LIST,
	};
	struct bs_volume_info info = { 0 };
	struct bs_volume_spec spec = {
		.bstype = o->bstype,
		.bsopts = o->bsopts,
		.args = {
			.path = o->file,
			.path2 = o->to,
			.size_bytes = o->size_bytes,
			.flags = (o->thin ? 0 : BS_VOLUME_PREALLOCATE) |
				 (o->force ? BS_VOLUME_FORCE : 0),
			.progress = tgtimg_progress_report,
		},
		.found = found,
		.info = &info,
	};
	int code = o->grow ? add_present_size(o, &spec) : 0;

	if (!code)
		code = run(o, ops[o->op], &spec);
	if (code)
		return code;
	if (o->op == TGTIMG_SHOW)
		print_info(o, &info);
	if (o->op == TGTIMG_LIST)
		print_list(o->json);
	if (list.out_of_memory) {
		fprintf(stderr, "tgtimg: out of memory: the list is not complete\n");
		return ENOMEM;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct tgtimg_options o;
	char dir[PATH_MAX];
	int code = tgtimg_options_parse(argc, argv, &o);
	int err;

	if (code >= 0)
		return code;
	err = bs_loader_scan_default(dir, sizeof(dir));
	if (err < 0) {
		fprintf(stderr, "tgtimg: no backing stores: %s: %s\n", dir, strerrordesc_np(-err));
		return EINVAL;
	}
	tgtimg_progress_start();
	code = operate(&o);
	bs_loader_unload();
	if (fflush(stdout) == EOF) {
		perror("tgtimg: stdout");
		code = EIO;
	}
	process_end(code);
}
