/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtd/limits.c - each step is tried, and its failure tolerated. */
#include "tgtd/limits.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/macros.h"

#define DESCRIPTORS	1048576		/* a thousand LUNs, thousands of sessions */
#define OOM_NEVER	"-1000"

static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	if (limit.rlim_max < DESCRIPTORS) {
		const struct rlimit more = { DESCRIPTORS, DESCRIPTORS };

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return;
	}
	limit.rlim_cur = MIN(limit.rlim_max, (rlim_t)DESCRIPTORS);
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		log_debug("the limit of open files stays as it is");
}

static void escape_oom_killer(void)
{
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, OOM_NEVER, strlen(OOM_NEVER)) == -1)
		log_debug("the out-of-memory score stays as it is");
}

void tgtd_limits_raise(void)
{
	raise_descriptors();
	escape_oom_killer();
}
