/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/loan.h - reading without a copy: the store lends memory that has the data.
 *
 * Threads: the reactor owning the channel, which a loan keeps.  It stays good when
 * another medium comes (lu/medium.h).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct lu_channel;

struct lu_loan {
	const void *p;			/* NULL: nothing is lent */
	void *priv;			/* the store's */
	struct lu_channel *ch;		/* holds a reference */
};

/*
 * Borrow the range as it is now and as it becomes: what is written meanwhile may
 * show.  Only system calls may read it.  False: not possible (the store does not,
 * not this range, or there are limits, lu/qos.h, or atomic writes); read it then.  A loan counts as
 * a read that took no time.
 */
bool lu_loan_get(struct lu_channel *ch, uint64_t off_bytes, uint64_t len_bytes,
		 struct lu_loan *ret);
/* Also with nothing lent.  @faulted: a system call found it gone (EFAULT). */
void lu_loan_put(struct lu_loan *loan, bool faulted);
