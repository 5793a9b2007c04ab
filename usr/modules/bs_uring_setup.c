/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_uring_setup.c - making a ring on kernels old and new, and saying why not. */
#include "bs_uring.h"

#include <errno.h>
#include <string.h>
#include "base/macros.h"

#define COMPLETIONS	4096U		/* what is beyond, the kernel keeps */
#define SQPOLL_IDLE_MS	50U		/* without work, until its thread sleeps */
#define IOWQ_THREADS	4U		/* of the kernel, for what would block */

#define POLLED	(IORING_SETUP_SQPOLL | IORING_SETUP_CQSIZE)

/* The first that the kernel knows.  DEFER_TASKRUN: completions are worked off
 * when we ask for them, not by interrupting the reactor. */
static const struct {
	enum uring_kind kind;
	unsigned int flags;
} setups[] = {
	{ URING_PLAIN, IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER |
			       IORING_SETUP_DEFER_TASKRUN },	/* 6.1 */
	{ URING_PLAIN, IORING_SETUP_CQSIZE },
	{ URING_SQPOLL, POLLED | IORING_SETUP_SINGLE_ISSUER },	/* 6.0 */
	{ URING_SQPOLL, POLLED },
	{ URING_IOPOLL, POLLED | IORING_SETUP_IOPOLL | IORING_SETUP_SINGLE_ISSUER },
	{ URING_IOPOLL, POLLED | IORING_SETUP_IOPOLL },
};

static void explain(int err, enum uring_kind kind, void (*say)(const char *fmt, ...))
{
	switch (-err) {
	case ENOSYS:
		say("this kernel, or a container's filter, has no io_uring; "
		    "use bstype aio or rdwr");
		break;
	case EPERM:
	case EACCES:
		say("io_uring is forbidden here (sysctl kernel.io_uring_disabled, or a "
		    "container's filter); use bstype aio or rdwr");
		break;
	case ENOMEM:
		say("no memory for an io_uring: raise the limit of locked memory "
		    "(LimitMEMLOCK=, ulimit -l)");
		break;
	case EINVAL:
		say("this kernel's io_uring is too old%s; use bstype aio or rdwr",
		    kind == URING_PLAIN ? "" : " for sqpoll");
		break;
	default:
		say("no io_uring: %s", strerrordesc_np(-err));
	}
}

int bs_uring_setup(struct io_uring *ring, unsigned int entries, enum uring_kind kind,
		   void (*say)(const char *fmt, ...))
{
	const unsigned int need = IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS |
				  IORING_FEAT_FAST_POLL |
				  (kind == URING_PLAIN ? 0 : IORING_FEAT_SQPOLL_NONFIXED);
	unsigned int threads[2] = { IOWQ_THREADS, IOWQ_THREADS };
	int err = -EINVAL;

	for (size_t i = 0; i < ARRAY_SIZE(setups) && err == -EINVAL; i++) {
		struct io_uring_params p = { .flags = setups[i].flags,
					     .cq_entries = COMPLETIONS,
					     .sq_thread_idle = SQPOLL_IDLE_MS };

		if (setups[i].kind != kind)
			continue;
		err = io_uring_queue_init_params(entries, ring, &p);
		if (!err && (p.features & need) != need) {
			io_uring_queue_exit(ring);
			err = -EINVAL;
		}
	}
	if (err) {
		explain(err, kind, say);
		return err;
	}
	/* Since 5.15; before that their number follows the CPUs. */
	io_uring_register_iowq_max_workers(ring, threads);
	return 0;
}
