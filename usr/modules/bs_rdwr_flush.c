/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rdwr_flush.c - FLUSH that cannot lose an error.
 *
 * Linux tells each open file description once that writing back has failed, and
 * drops the pages.  So whoever asks a second time would hear that all is well.
 * Therefore:
 *  - fdatasync() is called on a description of its own: a write with FUA, which
 *    also collects such errors, cannot take one away from a FLUSH;
 *  - one call at a time, whose outcome counts for all who asked before it began;
 *  - an error sticks: every later FLUSH fails until the store is opened again,
 *    for what was lost stays lost.
 */
#include "bs_rdwr.h"

#include <errno.h>
#include <unistd.h>

int bs_rdwr_flush(struct bs_dev *dev, struct bs_req *req)
{
	struct rdwr *d = dev->priv;
	uint64_t mine;
	int err;

	(void)req;
	pthread_mutex_lock(&d->mutex);
	mine = ++d->flush_wanted;
	while (d->flushing && d->flush_done < mine)
		pthread_cond_wait(&d->flushed, &d->mutex);
	if (d->flush_done < mine) {
		const uint64_t covers = d->flush_wanted;

		d->flushing = true;
		pthread_mutex_unlock(&d->mutex);
		err = fdatasync(d->sync_fd) ? -errno : 0;
		pthread_mutex_lock(&d->mutex);
		if (err && !d->flush_error) {
			d->flush_error = err;
			bs_log("rdwr: fdatasync failed, errno %d: writes are lost and "
			       "every flush of this store fails until it is opened again",
			       -err);
		}
		d->flush_done = covers;
		d->flushing = false;
		pthread_cond_broadcast(&d->flushed);
	}
	err = bs_rdwr_error(-d->flush_error);
	pthread_mutex_unlock(&d->mutex);
	return err;
}
