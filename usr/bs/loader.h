/* SPDX-License-Identifier: BSD-3-Clause */
/* bs/loader.h - the modules of a directory, loaded once at start.  Control thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <tgt/bs_module.h>

/* Load every bs_*.so of @dir.  One that fails is remembered with the reason and
 * does not stop the others.  Errors: -errno of reading @dir. */
int bs_loader_scan(const char *dir);
/* The same with the directory modules/ beside the executable, or, where there is no
 * such directory, the one chosen when this was built.  Its path is put into @dir,
 * whatever is returned. */
int bs_loader_scan_default(char *dir, size_t dir_bytes);
void bs_loader_unload(void);		/* no device open; after rcu_barrier() */

/* NULL: no such module. */
const struct bs_module *bs_loader_find(const char *name);

/* All of them in the order of their names; @error NULL when loaded. */
void bs_loader_each(void (*visit)(void *ctx, const char *name,
				  const struct bs_module *m, const char *error),
		    void *ctx);
