/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs/loader.c - what a module exports is copied, the shorter of its size and
 * ours, so that a module built against an older header works unchanged.
 *
 * Written on the control thread at start and at the end; read meanwhile by any.
 */
#include "bs/loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/list.h"
#include "base/text.h"

#define MODULE_PATTERN	"bs_*.so"
#define MODULE_SYMBOL	"bs_module"

/* A module that ends before this had no submit(). */
#define STRUCT_BYTES_MIN (offsetof(struct bs_module, submit) + \
			  sizeof(((struct bs_module *)NULL)->submit))

struct loaded {
	struct list_head node;		/* in modules, by name */
	void *handle;			/* of dlopen(); NULL: failed */
	struct bs_module module;	/* our copy */
	char *name;
	char *error;			/* NULL: usable */
};

static struct list_head modules = LIST_HEAD_INIT(modules);

static void loaded_free(struct loaded *l)
{
	if (l->handle)
		dlclose(l->handle);
	free(l->name);
	free(l->error);
	free(l);
}
DEFINE_CLEANUP(struct loaded *, loaded_free)

static struct loaded *find(const char *name)
{
	struct loaded *l;

	list_for_each(l, &modules, node)
		if (!strcmp(l->name, name))
			return l;
	return NULL;
}

static void insert(struct loaded *l)
{
	struct loaded *next;

	list_for_each(next, &modules, node)
		if (strcmp(next->name, l->name) > 0)
			break;
	list_add_tail(&next->node, &l->node);
}

/* NULL: all is well. */
static const char *check(const struct bs_module *m, char *buf, size_t bytes)
{
	if (m->abi != BS_ABI) {
		snprintf(buf, bytes, "made for module ABI %u, this daemon has %u", m->abi,
			 BS_ABI);
		return buf;
	}
	if (m->struct_bytes < STRUCT_BYTES_MIN) {
		snprintf(buf, bytes, "its struct bs_module has %u bytes, fewer than %zu",
			 m->struct_bytes, STRUCT_BYTES_MIN);
		return buf;
	}
	if (!m->name || !*m->name)
		return "it has no name";
	if (!m->open || !m->close || !m->submit)
		return "it lacks open(), close() or submit()";
	return NULL;
}

/* The reason of a failure, or NULL. */
static const char *load(struct loaded *l, const char *path, char *buf, size_t bytes)
{
	const struct bs_module *m;
	const struct loaded *other;
	const char *why;

	l->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!l->handle)
		return dlerror();
	m = dlsym(l->handle, MODULE_SYMBOL);
	if (!m)
		return "it does not export " MODULE_SYMBOL;
	why = check(m, buf, bytes);
	if (why)
		return why;
	memcpy(&l->module, m, MIN((size_t)m->struct_bytes, sizeof(l->module)));
	other = find(m->name);
	if (other && !other->error) {
		snprintf(buf, bytes, "the name %s is taken by another module", m->name);
		return buf;
	}
	free(l->name);
	l->name = strdup(m->name);
	return l->name ? NULL : "out of memory";
}

/* "bs_rbd.so" is called rbd until it says otherwise. */
static char *name_of_file(const char *file)
{
	const size_t prefix = strlen("bs_"), suffix = strlen(".so");

	return strndup(file + prefix, strlen(file) - prefix - suffix);
}

static int load_one(const char *dir, const char *file)
{
	_cleanup_(loaded_freep) struct loaded *l = calloc(1, sizeof(*l));
	_cleanup_free_ char *path = NULL;
	const char *why;
	char buf[128];

	if (!l)
		return -ENOMEM;
	list_init(&l->node);
	l->name = name_of_file(file);
	if (!l->name || asprintf(&path, "%s/%s", dir, file) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	why = load(l, path, buf, sizeof(buf));
	if (why) {
		l->error = strdup(why);
		if (l->handle)
			dlclose(l->handle);
		l->handle = NULL;
		if (!l->error || !l->name)
			return -ENOMEM;
	}
	insert(l);
	l = NULL;
	return 0;
}

static int by_name(const struct dirent *e)
{
	return fnmatch(MODULE_PATTERN, e->d_name, 0) == 0;
}

int bs_loader_scan(const char *dir)
{
	struct dirent **files;
	const int n = scandir(dir, &files, by_name, alphasort);
	int err = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (!err)
			err = load_one(dir, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	return err;
}

int bs_loader_scan_default(char *dir, size_t dir_bytes)
{
	char exe[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	struct stat st;

	exe[n > 0 ? n : 0] = '\0';
	if (strrchr(exe, '/')) {
		*strrchr(exe, '/') = '\0';
		if ((size_t)snprintf(dir, dir_bytes, "%s/modules", exe) < dir_bytes &&
		    stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
			return bs_loader_scan(dir);
	}
	text_copy(dir, dir_bytes, TGT_MODULE_DIR);
	return bs_loader_scan(dir);
}

void bs_loader_unload(void)
{
	struct loaded *l;

	while ((l = list_pop(&modules, struct loaded, node)))
		loaded_free(l);
}

const struct bs_module *bs_loader_find(const char *name)
{
	const struct loaded *l;

	list_for_each(l, &modules, node)
		if (!l->error && !strcmp(l->name, name))
			return &l->module;
	return NULL;
}

void bs_loader_each(void (*visit)(void *ctx, const char *name, const struct bs_module *m,
				  const char *error),
		    void *ctx)
{
	const struct loaded *l;

	list_for_each(l, &modules, node)
		visit(ctx, l->name, l->error ? NULL : &l->module, l->error);
}
