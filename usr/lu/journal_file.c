/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/journal_file.c - "atomic-<hash of the store's name>":
 *
 *	head, 4 KiB | slot 0: its head, 4 KiB | old data | new data | slot 1 ...
 *
 * Both kinds of head fit a sector, and count if their sum is right; that of a slot
 * covers its data too.  So a record is there as a whole or not at all.
 *
 * The file is locked (flock) as long as it is open: two logical units on one store
 * would not see each other's locks.
 */
#include "lu/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/be.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/text.h"
#include "lu/state_dir.h"

#define HEAD_BYTES	4096U
#define SECTOR		512U
#define MAGIC		"tgtd-atomic 1\n"
#define MAGIC_SLOT	0x746774642d726563ULL

struct file_head {
	char magic[16];
	be64 max_bytes;
	be64 store;			/* hash of its name */
	char name[256];			/* for people; cut */
	be64 sum;			/* of the above */
};
static_assert(sizeof(struct file_head) <= SECTOR, "written as a whole");

struct slot_head {
	be64 magic;
	be64 off_bytes;
	be64 len_bytes;
	be64 sum;			/* of the above and the data */
};
static_assert(sizeof(struct slot_head) <= SECTOR, "written as a whole");

struct lu_journal_file {
	int fd;
	uint64_t max_bytes;		/* 0: not formatted yet */
	uint64_t store;
	char *name;
	char path[];
};

/* --- bytes --- */

static int read_all(int fd, void *p, size_t bytes, uint64_t off)
{
	for (size_t n = 0; n < bytes;) {
		const ssize_t got = pread(fd, (char *)p + n, bytes - n, (off_t)(off + n));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ENODATA;
		n += (size_t)got;
	}
	return 0;
}

static int write_all(int fd, const void *p, size_t bytes, uint64_t off)
{
	for (size_t n = 0; n < bytes;) {
		const ssize_t done = pwrite(fd, (const char *)p + n, bytes - n,
					    (off_t)(off + n));

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		n += (size_t)done;
	}
	return 0;
}

static int sync_fd(int fd)
{
	return fdatasync(fd) ? -errno : 0;
}

/* --- the head of the file --- */

static uint64_t sum_of_file(const struct file_head *h)
{
	return hash_bytes(h, offsetof(struct file_head, sum), 0);
}

static bool is_blank(const void *p, size_t bytes)
{
	const uint8_t *b = p;

	return !bytes || (!b[0] && !memcmp(b, b + 1, bytes - 1));
}

/* -EBADMSG: it is not one of ours, or not as we left it. */
static int read_head(struct lu_journal_file *f)
{
	struct file_head h;
	int err = read_all(f->fd, &h, sizeof(h), 0);

	if (err == -ENODATA || (!err && is_blank(&h, sizeof(h))))
		return 0;		/* never used */
	if (err)
		return err;
	f->max_bytes = be64_get(h.max_bytes);
	if (memcmp(h.magic, MAGIC, sizeof(MAGIC)) != 0 || be64_get(h.sum) != sum_of_file(&h) ||
	    be64_get(h.store) != f->store || f->max_bytes > LU_JOURNAL_BYTES_MAX)
		return -EBADMSG;
	return 0;
}

static int write_head(const struct lu_journal_file *f)
{
	struct file_head h = { .magic = MAGIC };
	int err;

	h.max_bytes = be64_make(f->max_bytes);
	h.store = be64_make(f->store);
	text_copy(h.name, sizeof(h.name), f->name);
	h.sum = be64_make(sum_of_file(&h));
	err = write_all(f->fd, &h, sizeof(h), 0);
	return err ? err : sync_fd(f->fd);
}

/* --- opening --- */

static void file_free(struct lu_journal_file *f)
{
	if (!f)
		return;
	if (f->fd != -1)
		close(f->fd);
	free(f->name);
	free(f);
}
DEFINE_CLEANUP(struct lu_journal_file *, file_free)

static struct lu_journal_file *file_new(const char *store)
{
	const size_t bytes = strlen(lu_state_dir_path()) + 32;
	struct lu_journal_file *f = calloc(1, sizeof(*f) + bytes);

	if (!f)
		return NULL;
	f->fd = -1;
	f->store = hash_bytes(store, strlen(store), 0);
	snprintf(f->path, bytes, "%s/atomic-%016" PRIx64, lu_state_dir_path(),
		 f->store);
	f->name = strdup(store);
	if (!f->name) {
		file_free(f);
		return NULL;
	}
	return f;
}

/* Its last user may remove it while we wait for the lock. */
static int open_locked(struct lu_journal_file *f, bool create)
{
	struct stat st;

	for (;;) {
		f->fd = open(f->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0),
			     0600);
		if (f->fd == -1)
			return -errno;
		if (flock(f->fd, LOCK_EX | LOCK_NB))
			return errno == EWOULDBLOCK ? -EBUSY : -errno;
		if (fstat(f->fd, &st))
			return -errno;
		if (st.st_nlink)
			return S_ISREG(st.st_mode) ? 0 : -EBADMSG;
		close(TAKE_FD(f->fd));
	}
}

int lu_journal_file_open(const char *store, bool create, struct lu_journal_file **ret_f,
			 char *why, size_t why_bytes)
{
	_cleanup_(file_freep) struct lu_journal_file *f = file_new(store);
	int err;

	*ret_f = NULL;
	if (!f) {
		snprintf(why, why_bytes, "out of memory");
		return -ENOMEM;
	}
	err = open_locked(f, create);
	if (!err)
		err = read_head(f);
	if (err == -ENOENT && !create)
		return 0;
	if (err == -EBUSY)
		snprintf(why, why_bytes,
			 "%s has atomic writes through another LUN already: only one LUN of a store can have them, remove that one first",
			 f->name);
	else if (err == -EBADMSG)
		snprintf(why, why_bytes,
			 "%s, the journal of its atomic writes, makes no sense; remove it if the disk was unmounted cleanly",
			 f->path);
	else if (err)
		snprintf(why, why_bytes, "%s, the journal of its atomic writes: %s", f->path,
			 strerrordesc_np(-err));
	else
		*ret_f = TAKE_PTR(f);
	return err;
}

void lu_journal_file_close(struct lu_journal_file *f, bool remove)
{
	if (f && remove)
		unlink(f->path);
	file_free(f);
}

/* --- records --- */

static uint64_t slot_bytes(const struct lu_journal_file *f)
{
	return HEAD_BYTES + 2 * f->max_bytes;
}

static uint64_t slot_at(const struct lu_journal_file *f, unsigned int slot)
{
	return HEAD_BYTES + slot * slot_bytes(f);
}

static uint64_t sum_of_slot(const struct slot_head *h)
{
	return hash_bytes(h, offsetof(struct slot_head, sum), 0);
}

void lu_journal_file_free_record(struct lu_journal_record *r)
{
	if (r)
		free(r->old);
	free(r);
}
DEFINE_CLEANUP(struct lu_journal_record *, lu_journal_file_free_record)

int lu_journal_file_load(const struct lu_journal_file *f, unsigned int slot,
			 struct lu_journal_record **ret_r)
{
	_cleanup_(lu_journal_file_free_recordp) struct lu_journal_record *r = NULL;
	struct slot_head h;
	uint64_t len;
	int err;

	*ret_r = NULL;
	if (!f->max_bytes)
		return 0;
	err = read_all(f->fd, &h, sizeof(h), slot_at(f, slot));
	if (err)
		return err;
	len = be64_get(h.len_bytes);
	if (be64_get(h.magic) != MAGIC_SLOT || !len || len > f->max_bytes)
		return 0;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->old = aligned_alloc(HEAD_BYTES, ROUND_UP(2 * len, HEAD_BYTES));
	if (!r->old)
		return -ENOMEM;
	err = read_all(f->fd, r->old, 2 * len, slot_at(f, slot) + HEAD_BYTES);
	if (err)
		return err;
	if (hash_bytes(r->old, 2 * len, sum_of_slot(&h)) != be64_get(h.sum))
		return 0;		/* never finished: nothing was written in place */
	r->off_bytes = be64_get(h.off_bytes);
	r->len_bytes = (uint32_t)len;
	r->new = r->old + len;
	*ret_r = TAKE_PTR(r);
	return 0;
}

static int zero_slots(const struct lu_journal_file *f)
{
	static const uint8_t zeroes[64 << 10];
	const uint64_t end = slot_at(f, LU_JOURNAL_SLOTS);
	int err = 0;

	/* Space that is taken now is not missing later. */
	for (uint64_t off = HEAD_BYTES; off < end && !err; off += sizeof(zeroes))
		err = write_all(f->fd, zeroes, MIN(end - off, sizeof(zeroes)), off);
	return err;
}

int lu_journal_file_format(struct lu_journal_file *f, uint32_t max_bytes)
{
	int err = 0;

	if (f->max_bytes && f->max_bytes != max_bytes && ftruncate(f->fd, 0))
		return -errno;
	f->max_bytes = max_bytes;
	err = zero_slots(f);
	if (!err && fsync(f->fd))
		err = -errno;
	if (!err)
		err = write_head(f);
	return err ? err : lu_state_dir_sync();
}

int lu_journal_file_record(const struct lu_journal_file *f, unsigned int slot,
			   const struct lu_journal_record *r)
{
	struct slot_head h = { .magic = be64_make(MAGIC_SLOT),
			       .off_bytes = be64_make(r->off_bytes),
			       .len_bytes = be64_make(r->len_bytes) };
	const size_t bytes = 2 * (size_t)r->len_bytes;
	int err = write_all(f->fd, r->old, bytes, slot_at(f, slot) + HEAD_BYTES);

	h.sum = be64_make(hash_bytes(r->old, bytes, sum_of_slot(&h)));
	if (!err)
		err = write_all(f->fd, &h, sizeof(h), slot_at(f, slot));
	return err ? err : sync_fd(f->fd);
}

int lu_journal_file_clear(const struct lu_journal_file *f, unsigned int slot)
{
	const struct slot_head none = { 0 };
	const int err = write_all(f->fd, &none, sizeof(none), slot_at(f, slot));

	return err ? err : sync_fd(f->fd);
}
