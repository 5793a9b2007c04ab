/* SPDX-License-Identifier: BSD-3-Clause */
/* base/iov.h - scatter/gather lists.  Any thread; memory is the caller's. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

uint64_t iov_bytes(const struct iovec *iov, int iovcnt);
void iov_zero(const struct iovec *iov, int iovcnt);

/* Copy up to @bytes from/to offset @off of the list; returns what was copied. */
size_t iov_read(const struct iovec *iov, int iovcnt, uint64_t off, void *to,
		size_t bytes);
size_t iov_write(const struct iovec *iov, int iovcnt, uint64_t off,
		 const void *from, size_t bytes);

/*
 * Describe bytes [off, off + bytes) of a list in @ret, at most @max entries.
 * Returns the number of entries; *ret_bytes (may be NULL) is what they cover.
 */
int iov_slice(const struct iovec *iov, int iovcnt, uint64_t off, uint64_t bytes,
	      struct iovec *ret, int max, uint64_t *ret_bytes);
