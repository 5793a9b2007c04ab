/* SPDX-License-Identifier: BSD-3-Clause */
/* base/iov.c - everything is built on iov_slice-like walks; no list is modified. */
#include "base/iov.h"

#include <string.h>
#include "base/macros.h"

uint64_t iov_bytes(const struct iovec *iov, int iovcnt)
{
	uint64_t n = 0;

	for (int i = 0; i < iovcnt; i++)
		n += iov[i].iov_len;
	return n;
}

void iov_zero(const struct iovec *iov, int iovcnt)
{
	for (int i = 0; i < iovcnt; i++)
		memset(iov[i].iov_base, 0, iov[i].iov_len);
}

/* The next piece at *off, shortened to @want; advances the position. */
static struct iovec piece(const struct iovec **iov, int *iovcnt, uint64_t *off,
			  uint64_t want)
{
	struct iovec v = { 0 };

	while (*iovcnt > 0 && *off >= (*iov)->iov_len) {
		*off -= (*iov)->iov_len;
		(*iov)++;
		(*iovcnt)--;
	}
	if (*iovcnt <= 0)
		return v;
	v.iov_base = (char *)(*iov)->iov_base + *off;
	v.iov_len = (size_t)MIN(want, (*iov)->iov_len - *off);
	*off += v.iov_len;
	return v;
}

size_t iov_read(const struct iovec *iov, int iovcnt, uint64_t off, void *to,
		size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		const struct iovec v = piece(&iov, &iovcnt, &off, bytes - done);

		if (!v.iov_len)
			break;
		memcpy((char *)to + done, v.iov_base, v.iov_len);
		done += v.iov_len;
	}
	return done;
}

size_t iov_write(const struct iovec *iov, int iovcnt, uint64_t off,
		 const void *from, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		const struct iovec v = piece(&iov, &iovcnt, &off, bytes - done);

		if (!v.iov_len)
			break;
		memcpy(v.iov_base, (const char *)from + done, v.iov_len);
		done += v.iov_len;
	}
	return done;
}

int iov_slice(const struct iovec *iov, int iovcnt, uint64_t off, uint64_t bytes,
	      struct iovec *ret, int max, uint64_t *ret_bytes)
{
	uint64_t done = 0;
	int n = 0;

	while (n < max && done < bytes) {
		const struct iovec v = piece(&iov, &iovcnt, &off, bytes - done);

		if (!v.iov_len)
			break;
		ret[n++] = v;
		done += v.iov_len;
	}
	if (ret_bytes)
		*ret_bytes = done;
	return n;
}
