/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_sheepdog_cursor.h - a place in a scatter list that covers what is asked of it. */
#pragma once
#include <string.h>
#include <sys/uio.h>
#include "base/macros.h"

struct sheep_cursor {
	const struct iovec *iov;
	size_t off; /* in *iov */
};

static inline void sheep_cursor_advance(struct sheep_cursor *c, size_t bytes)
{
	while (bytes) {
		const size_t left = c->iov->iov_len - c->off;

		if (bytes < left) {
			c->off += bytes;
			return;
		}
		bytes -= left;
		c->iov++;
		c->off = 0;
	}
}

/* What @bytes from there are, in at most @max entries; their number. */
static inline int sheep_cursor_slice(struct sheep_cursor c, size_t bytes,
				     struct iovec *to, int max)
{
	int n = 0;

	while (bytes && n < max) {
		const size_t part = MIN(bytes, c.iov->iov_len - c.off);

		to[n].iov_base = (char *)c.iov->iov_base + c.off;
		to[n].iov_len = part;
		n += part > 0;
		bytes -= part;
		c.iov++;
		c.off = 0;
	}
	return n;
}

/* Copy @bytes there and go on behind them; NULL: zeroes. */
static inline void sheep_cursor_put(struct sheep_cursor *c, const void *from,
				    size_t bytes)
{
	while (bytes) {
		const size_t part = MIN(bytes, c->iov->iov_len - c->off);
		char *to = (char *)c->iov->iov_base + c->off;

		if (from) {
			memcpy(to, from, part);
			from = (const char *)from + part;
		} else if (part) {
			memset(to, 0, part);
		}
		bytes -= part;
		c->off += part;
		if (c->off == c->iov->iov_len) {
			c->iov++;
			c->off = 0;
		}
	}
}

/* Copy @bytes from there and go on behind them. */
static inline void sheep_cursor_get(struct sheep_cursor *c, void *to,
				    size_t bytes)
{
	while (bytes) {
		const size_t part = MIN(bytes, c->iov->iov_len - c->off);

		memcpy(to, (char *)c->iov->iov_base + c->off, part);
		to = (char *)to + part;
		bytes -= part;
		sheep_cursor_advance(c, part);
	}
}
