/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_file_flush.c - FLUSH that cannot lose an error.
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
#include "bs_file.h"

#include <errno.h>
#include <unistd.h>

int bs_file_flush(struct bs_dev *dev, struct bs_req *req)
{
	struct bs_file *f = dev->priv;
	uint64_t mine;
	int err;

	(void)req;
	pthread_mutex_lock(&f->mutex);
	mine = ++f->flush_wanted;
	while (f->flushing && f->flush_done < mine)
		pthread_cond_wait(&f->flushed, &f->mutex);
	if (f->flush_done < mine) {
		const uint64_t covers = f->flush_wanted;

		f->flushing = true;
		pthread_mutex_unlock(&f->mutex);
		err = fdatasync(f->sync_fd) ? -errno : 0;
		pthread_mutex_lock(&f->mutex);
		if (err && !f->flush_error) {
			f->flush_error = err;
			bs_log("%s: fdatasync failed, errno %d: writes are lost and "
			       "every flush of this store fails until it is opened again",
			       f->bstype, -err);
		}
		f->flush_done = covers;
		f->flushing = false;
		pthread_cond_broadcast(&f->flushed);
	}
	err = bs_file_error(-f->flush_error);
	pthread_mutex_unlock(&f->mutex);
	return err;
}
