/* SPDX-License-Identifier: BSD-3-Clause */
/* modules.h - where the build has put the modules: beside this program. */
#pragma once
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include "base/rcu.h"
#include "bs/loader.h"
#include "../reactor/daemon.h"

/* $O/tests/unit/<layer>/x_test -> $O/<below> */
static inline const char *build_path(const char *below)
{
	static char path[2 * PATH_MAX];
	char top[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", top, sizeof(top) - 1);

	assert_true(n > 0);
	top[n] = '\0';
	for (int i = 0; i < 4; i++)
		*strrchr(top, '/') = '\0';
	snprintf(path, sizeof(path), "%s/%s", top, below);
	return path;
}

static inline void load_modules(const char *below)
{
	assert_int_equal(bs_loader_scan(build_path(below)), 0);
}

/* For a group of tests: a daemon's threads, and all modules. */
static inline int modules_up(void **state)
{
	(void)state;
	load_modules("modules");
	load_modules("tests/modules");
	daemon_start(2, 4);
	return 0;
}

static inline int modules_down(void **state)
{
	(void)state;
	daemon_stop();
	rcu_barrier();			/* what is freed later may be in a module */
	bs_loader_unload();
	return 0;
}

/* "$TMPDIR/tgt-test-XXXXXX": a file of @bytes; its path, to be freed. */
static inline char *temp_file(const char *dir, uint64_t bytes)
{
	char *path;
	int fd;

	assert_true(asprintf(&path, "%s/tgt-test-XXXXXX", dir) > 0);
	fd = mkstemp(path);
	assert_true(fd != -1);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	close(fd);
	return path;
}

static inline const char *temp_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/tmp";
}
