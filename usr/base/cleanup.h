/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/cleanup.h - release what a scope owns when it ends.
 *
 *	DEFINE_CLEANUP(struct foo *, foo_free)	   defines foo_freep()
 *	_cleanup_(foo_freep) struct foo *f = ...;  freed on every way out
 *	*ret_foo = TAKE_PTR(f);			   given away instead
 */
#pragma once
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

#define DEFINE_CLEANUP(type, fn)				\
	__attribute__((unused)) static inline void fn##p(type *p) \
	{							\
		if (*p)						\
			fn(*p);					\
	}

#define TAKE_PTR(p) ({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })
#define TAKE_FD(fd) ({ int taken_ = (fd); (fd) = -1; taken_; })

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
}

#define _cleanup_free_	_cleanup_(cleanup_free)
#define _cleanup_close_	_cleanup_(cleanup_close)
