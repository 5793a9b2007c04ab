/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtd/state.c - where it is, and who uses it. */
#include "tgtd/state.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "base/text.h"
#include "lu/identity.h"
#include "lu/reserve.h"
#include "lu/state_dir.h"

#define STATE_DIR	"/var/lib/tgtd"

/* The daemon leaves the directory that it is started in. */
static void make_absolute(const char *path, char *buf, size_t bytes)
{
	char cwd[PATH_MAX];

	if (*path == '/' || !getcwd(cwd, sizeof(cwd)))
		text_copy(buf, bytes, path);
	else
		snprintf(buf, bytes, "%s/%s", cwd, path);
}

static void find_default(char *buf, size_t bytes)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (geteuid() == 0)
		text_copy(buf, bytes, STATE_DIR);
	else if (state && *state == '/')
		snprintf(buf, bytes, "%s/tgtd", state);
	else if (home && *home == '/')
		snprintf(buf, bytes, "%s/.local/state/tgtd", home);
	else
		*buf = '\0';
}

int tgtd_state_start(const char *given, char *why, size_t why_bytes)
{
	char dir[2 * PATH_MAX];
	int err;

	if (given)
		make_absolute(given, dir, sizeof(dir));
	else
		find_default(dir, sizeof(dir));
	err = *dir ? lu_state_dir_set(dir) : -ENOENT;
	if (err && given) {
		snprintf(why, why_bytes, "the state directory %s cannot be used: %s", dir,
			 strerrordesc_np(-err));
		return err;
	}
	if (err)
		log_warn("no state directory (%s: %s): reservations, and what initiators store in their disks, do not survive a restart",
			 *dir ? dir : "no home", strerrordesc_np(-err));
	log_info("identities of logical units rest on %s",
		 lu_identity_init(*dir ? dir : NULL));
	err = lu_reserve_start(lu_reserve_store_dir());
	if (err)
		snprintf(why, why_bytes, "out of memory");
	return err;
}
