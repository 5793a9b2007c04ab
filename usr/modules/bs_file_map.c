/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_file_map.c - extents of EXTENT_BYTES, each mapped or not.
 *
 * An extent that was read WANTED times is mapped and locked by a worker, which
 * also brings into memory what is not there yet.  From then on its page table
 * entries are there, whatever the kernel reclaims, so a reactor can have the
 * kernel copy from it to a socket.  When the limit is reached, an extent that was
 * not used since the last look has to go; if all were, the newcomer waits.
 *
 * A reactor holds a count while it uses an extent; unmapping waits for it:
 *
 *	lender:    refs++, then reads addr      unmapper:  addr = NULL, then reads refs
 *
 * Both orders are sequentially consistent, so either the lender sees NULL or the
 * unmapper sees the count.  What is still counted is unmapped at a later look.
 */
#include "bs_file_map.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include "base/macros.h"

#define EXTENT_BITS	21
#define EXTENT_BYTES	(1ULL << EXTENT_BITS)
#define WANTED		64	/* reads before it pays to map an extent */
#define MEMORY_SHARE	8	/* this part of the memory is locked at most */

struct extent {
	_Atomic(char *) addr;	/* lent from here; NULL: not */
	atomic_uint refs;
	atomic_ushort reads;	/* not served from the mapping */
	atomic_bool used;	/* since the last look */
};

struct mapping {
	uint64_t extent;
	char *addr;
};

struct bs_file_map {
	/* Constant. */
	int fd;
	uint64_t size_bytes, nr_extents;
	uint64_t process_limit_bytes;

	atomic_bool adding;		/* one at a time */

	/* Under the mutex. */
	pthread_mutex_t mutex;
	struct mapping *mapped;
	uint64_t nr_mapped, max_mapped, hand;
	unsigned int nr_held;		/* mappings must not be made now */

	struct extent extents[];
};

static atomic_uint_fast64_t all_locked_bytes;

/* A number in a file of a cgroup; "max", or no such file: no limit. */
static uint64_t limit_of(const char *mount, const char *group, const char *file)
{
	char path[PATH_MAX];
	unsigned long long limit = UINT64_MAX;
	FILE *f;

	snprintf(path, sizeof(path), "%s%s/%s", mount, group, file);
	f = fopen(path, "re");
	if (!f)
		return UINT64_MAX;
	if (fscanf(f, "%llu", &limit) != 1)
		limit = UINT64_MAX;
	fclose(f);
	return limit;
}

/* The least limit of @group and of those that it is in. */
static uint64_t limit_up_from(const char *mount, char *group, const char *file)
{
	uint64_t least = UINT64_MAX;

	for (;;) {
		char *slash = strrchr(group, '/');

		least = MIN(least, limit_of(mount, group, file));
		if (!slash)
			return least;
		*slash = '\0';
	}
}

/* cgroups(7): "0::/path" of version 2, "N:memory:/path" of version 1. */
static uint64_t cgroup_bytes(void)
{
	char line[PATH_MAX];
	uint64_t least = UINT64_MAX;
	FILE *f = fopen("/proc/self/cgroup", "re");

	if (!f)
		return UINT64_MAX;
	while (fgets(line, sizeof(line), f)) {
		char *group = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		if (group && !strncmp(line, "0::", 3))
			least = MIN(least, limit_up_from("/sys/fs/cgroup", group,
							 "memory.max"));
		else if (group && strstr(line, ":memory:"))
			least = MIN(least, limit_up_from("/sys/fs/cgroup/memory", group,
							 "memory.limit_in_bytes"));
	}
	fclose(f);
	return least;
}

/* Of the machine, or of the container or service that we are in. */
static uint64_t memory_bytes(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		return 0;
	return MIN((uint64_t)info.totalram * info.mem_unit, cgroup_bytes());
}

static uint64_t extent_bytes(const struct bs_file_map *m, uint64_t n)
{
	return MIN(m->size_bytes - (n << EXTENT_BITS), (uint64_t)EXTENT_BYTES);
}

struct bs_file_map *bs_file_map_new(int fd, uint64_t size_bytes, uint64_t limit_bytes)
{
	const uint64_t process_limit = memory_bytes() / MEMORY_SHARE;
	const uint64_t max = MIN(limit_bytes, process_limit) >> EXTENT_BITS;
	const uint64_t n = DIV_ROUND_UP(size_bytes, (uint64_t)EXTENT_BYTES);
	struct bs_file_map *m;

	if (!n || !max)
		return NULL;
	/* Untouched parts of it take no memory. */
	m = calloc(1, sizeof(*m) + n * sizeof(m->extents[0]));
	if (!m)
		return NULL;
	m->fd = fd;
	m->size_bytes = size_bytes;
	m->process_limit_bytes = process_limit;
	m->nr_extents = n;
	m->max_mapped = MIN(n, max);
	m->mapped = calloc(m->max_mapped, sizeof(*m->mapped));
	pthread_mutex_init(&m->mutex, NULL);
	if (!m->mapped) {
		bs_file_map_free(m);
		return NULL;
	}
	return m;
}

/* --- lending --- */

const void *bs_file_map_get(struct bs_file_map *m, uint64_t off_bytes, uint64_t len_bytes,
			    void **ret_loan)
{
	const uint64_t n = off_bytes >> EXTENT_BITS, at = off_bytes & (EXTENT_BYTES - 1);
	struct extent *e = &m->extents[n];
	const char *addr;

	if (n >= m->nr_extents || at + len_bytes > extent_bytes(m, n))
		return NULL;
	if (!atomic_load_explicit(&e->addr, memory_order_relaxed))
		return NULL;
	atomic_fetch_add(&e->refs, 1);
	addr = atomic_load(&e->addr);
	if (unlikely(!addr)) {
		atomic_fetch_sub(&e->refs, 1);
		return NULL;
	}
	if (!atomic_load_explicit(&e->used, memory_order_relaxed))
		atomic_store_explicit(&e->used, true, memory_order_relaxed);
	*ret_loan = e;
	return addr + at;
}

static void unlend(struct extent *e)
{
	atomic_store(&e->addr, NULL);
	atomic_store_explicit(&e->reads, 0, memory_order_relaxed);
}

void bs_file_map_put(void *loan, bool faulted)
{
	struct extent *e = loan;

	if (unlikely(faulted))
		unlend(e);
	atomic_fetch_sub(&e->refs, 1);
}

bool bs_file_map_wanted(struct bs_file_map *m, uint64_t off_bytes)
{
	const uint64_t n = off_bytes >> EXTENT_BITS;
	struct extent *e = &m->extents[n];
	unsigned short reads;

	if (n >= m->nr_extents)
		return false;
	/* Lost counts of another reactor do no harm. */
	reads = atomic_load_explicit(&e->reads, memory_order_relaxed);
	if (reads < WANTED) {
		atomic_store_explicit(&e->reads, (unsigned short)(reads + 1),
				      memory_order_relaxed);
		return false;
	}
	return !atomic_load_explicit(&m->adding, memory_order_relaxed) &&
	       !atomic_exchange(&m->adding, true);
}

/* --- mapping, under the mutex --- */

static void unmap(struct bs_file_map *m, uint64_t i)
{
	const uint64_t bytes = extent_bytes(m, m->mapped[i].extent);

	munmap(m->mapped[i].addr, bytes);
	atomic_fetch_sub(&all_locked_bytes, bytes);
	m->mapped[i] = m->mapped[--m->nr_mapped];
}

/* Unmap what is not lent any more and, for room, one that nobody used lately. */
static void look(struct bs_file_map *m, bool for_room)
{
	for (uint64_t left = m->nr_mapped; left && m->nr_mapped; left--) {
		struct extent *e;

		m->hand = (m->hand + 1) % m->nr_mapped;
		e = &m->extents[m->mapped[m->hand].extent];
		if (for_room && atomic_load(&e->addr) && !atomic_exchange(&e->used, false)) {
			unlend(e);
			for_room = false;
		}
		if (!atomic_load(&e->addr) && !atomic_load(&e->refs))
			unmap(m, m->hand);
	}
}

static bool is_mapped(const struct bs_file_map *m, uint64_t n)
{
	for (uint64_t i = 0; i < m->nr_mapped; i++)
		if (m->mapped[i].extent == n)
			return true;
	return false;
}

/* Not what lies behind the end of a file that was cut. */
static bool is_there(const struct bs_file_map *m, uint64_t n)
{
	struct stat st;

	return !fstat(m->fd, &st) &&
	       (S_ISBLK(st.st_mode) ||
		(uint64_t)st.st_size >= (n << EXTENT_BITS) + extent_bytes(m, n));
}

static bool has_room(const struct bs_file_map *m, uint64_t bytes)
{
	return m->nr_mapped < m->max_mapped &&
	       atomic_load(&all_locked_bytes) + bytes <= m->process_limit_bytes;
}

static void map(struct bs_file_map *m, uint64_t n)
{
	const uint64_t bytes = extent_bytes(m, n);
	char *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, m->fd, (off_t)(n << EXTENT_BITS));

	if (p == MAP_FAILED)
		return;
	if (mlock(p, bytes)) {
		/* RLIMIT_MEMLOCK: there will be no more.  EAGAIN: the disk fails. */
		if (errno == ENOMEM || errno == EPERM)
			m->max_mapped = m->nr_mapped;
		munmap(p, bytes);
		return;
	}
	m->mapped[m->nr_mapped++] = (struct mapping){ n, p };
	atomic_fetch_add(&all_locked_bytes, bytes);
	atomic_store(&m->extents[n].used, true);
	atomic_store(&m->extents[n].addr, p);
}

void bs_file_map_add(struct bs_file_map *m, uint64_t off_bytes)
{
	const uint64_t n = off_bytes >> EXTENT_BITS, bytes = extent_bytes(m, n);

	pthread_mutex_lock(&m->mutex);
	look(m, !has_room(m, bytes));
	if (!m->nr_held && !is_mapped(m, n) && has_room(m, bytes) && is_there(m, n))
		map(m, n);
	/* Mapped or not: not to be asked for again soon. */
	atomic_store_explicit(&m->extents[n].reads, 0, memory_order_relaxed);
	pthread_mutex_unlock(&m->mutex);
	atomic_store(&m->adding, false);
}

void bs_file_map_hold(struct bs_file_map *m, uint64_t off_bytes, uint64_t len_bytes)
{
	uint64_t n = off_bytes >> EXTENT_BITS, end;

	if (!m)
		return;
	end = MIN(DIV_ROUND_UP(off_bytes + len_bytes, (uint64_t)EXTENT_BYTES), m->nr_extents);
	pthread_mutex_lock(&m->mutex);
	m->nr_held++;
	for (; n < end; n++)
		if (atomic_load(&m->extents[n].addr))
			unlend(&m->extents[n]);
	pthread_mutex_unlock(&m->mutex);
}

void bs_file_map_release(struct bs_file_map *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->mutex);
	m->nr_held--;
	pthread_mutex_unlock(&m->mutex);
}

void bs_file_map_free(struct bs_file_map *m)
{
	if (!m)
		return;
	while (m->mapped && m->nr_mapped)
		unmap(m, m->nr_mapped - 1);
	pthread_mutex_destroy(&m->mutex);
	free(m->mapped);
	free(m);
}
