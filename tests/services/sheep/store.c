/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store.c - objects on disk.
 *
 * Which objects there are is known in memory; their files are opened when they
 * are first used, and stay open.  Nothing is synced: what these tests take from
 * a server is its process, not its power.
 */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/macros.h"
#include "wire.h"

#define NR_BUCKETS     (1U << 16)
#define BEYOND_THE_END 0xa5

struct object {
	struct object *next;
	uint64_t oid;
	uint64_t bytes; /* known while fd is open */
	int fd;		/* -1: not open */
	void *map;
	size_t map_bytes;
};

static struct object *buckets[NR_BUCKETS];
static int dir_fd = -1;
static bool was_used;

static struct object **bucket_of(uint64_t oid)
{
	return &buckets[(oid ^ oid >> 32 ^ oid >> 47) % NR_BUCKETS];
}

static struct object *find(uint64_t oid)
{
	struct object *o = *bucket_of(oid);

	while (o && o->oid != oid)
		o = o->next;
	return o;
}

static struct object *add(uint64_t oid)
{
	struct object **b = bucket_of(oid), *o = malloc(sizeof(*o));

	if (o) {
		*o = (struct object){ .next = *b, .oid = oid, .fd = -1 };
		*b = o;
	}
	return o;
}

static void shut(struct object *o)
{
	if (o->map)
		munmap(o->map, o->map_bytes);
	o->map = NULL;
	if (o->fd != -1)
		close(o->fd);
	o->fd = -1;
}

static void shut_all(void)
{
	for (unsigned int i = 0; i < NR_BUCKETS; i++)
		for (struct object *o = buckets[i]; o; o = o->next)
			if (!o->map)
				shut(o);
}

static int result_of(int err)
{
	return err == ENOSPC || err == EDQUOT ? RES_NO_SPACE : RES_EIO;
}

static void name_of(uint64_t oid, char name[17])
{
	snprintf(name, 17, "%016" PRIx64, oid);
}

static int file_of(struct object *o)
{
	char name[17];
	struct stat st;

	if (o->fd != -1)
		return o->fd;
	name_of(o->oid, name);
	o->fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC);
	if (o->fd == -1 && errno == EMFILE) {
		shut_all();
		o->fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC);
	}
	if (o->fd != -1 && !fstat(o->fd, &st))
		o->bytes = (uint64_t)st.st_size;
	return o->fd;
}

int store_open(const char *dir)
{
	const struct rlimit *no_limit = NULL;
	struct rlimit files;
	struct dirent *e;
	DIR *d;

	if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		return -errno;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd == -1)
		return -errno;
	d = opendir(dir);
	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		char *end;
		const uint64_t oid = strtoull(e->d_name, &end, 16);

		if (end == e->d_name + 16 && !*end && add(oid))
			was_used = true;
	}
	closedir(d);
	if (!prlimit(0, RLIMIT_NOFILE, no_limit, &files)) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	return 0;
}

bool store_was_used(void)
{
	return was_used;
}

bool store_has(uint64_t oid)
{
	return find(oid);
}

static int write_all(int fd, const void *from, uint32_t bytes, uint32_t off)
{
	const char *p = from;

	while (bytes) {
		const ssize_t n = pwrite(fd, p, bytes, off);

		if (n == -1)
			return result_of(errno);
		p += n;
		off += (uint32_t)n;
		bytes -= (uint32_t)n;
	}
	return RES_SUCCESS;
}

int store_read(uint64_t oid, uint32_t off, uint32_t bytes, void *to)
{
	struct object *o = find(oid);
	char *p = to;

	if (!o)
		return RES_NO_OBJ;
	if (file_of(o) == -1)
		return RES_EIO;
	while (bytes) {
		const ssize_t n = pread(o->fd, p, bytes, off);

		if (n == -1)
			return RES_EIO;
		if (!n)
			break;
		p += n;
		off += (uint32_t)n;
		bytes -= (uint32_t)n;
	}
	memset(p, BEYOND_THE_END, bytes);
	return RES_SUCCESS;
}

int store_write(uint64_t oid, uint32_t off, uint32_t bytes, const void *from)
{
	struct object *o = find(oid);
	int res;

	if (!o)
		return RES_NO_OBJ;
	if (file_of(o) == -1)
		return RES_EIO;
	res = write_all(o->fd, from, bytes, off);
	if (res == RES_SUCCESS)
		o->bytes = MAX(o->bytes, (uint64_t)off + bytes);
	return res;
}

static int copy_into(int fd, uint64_t from_oid)
{
	struct object *src = find(from_oid);
	loff_t from = 0, to = 0;

	if (!src)
		return RES_NO_OBJ;
	if (file_of(src) == -1)
		return RES_EIO;
	while ((uint64_t)from < src->bytes) {
		const ssize_t n = copy_file_range(src->fd, &from, fd, &to,
						  src->bytes - (uint64_t)from,
						  0);

		if (n == -1)
			return result_of(errno);
		if (!n)
			break;
	}
	return RES_SUCCESS;
}

int store_create(uint64_t oid, uint32_t object_bytes, uint32_t off,
		 uint32_t bytes, const void *from, uint64_t cow_oid)
{
	const bool whole = !off && bytes >= object_bytes;
	_cleanup_close_ int fd = -1;
	struct object *o = find(oid);
	char name[17];
	int res;

	fd = openat(dir_fd, "new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0644);
	if (fd == -1)
		return result_of(errno);
	if (ftruncate(fd, object_bytes) == -1)
		return result_of(errno);
	if (cow_oid && !whole) {
		res = copy_into(fd, cow_oid);
		if (res != RES_SUCCESS)
			return res;
	}
	res = write_all(fd, from, bytes, off);
	if (res != RES_SUCCESS)
		return res;
	name_of(oid, name);
	if (!o)
		o = add(oid);
	if (!o || renameat(dir_fd, "new", dir_fd, name) == -1)
		return RES_SYSTEM_ERROR;
	shut(o);
	o->fd = TAKE_FD(fd);
	o->bytes = MAX(object_bytes, (uint64_t)off + bytes);
	return RES_SUCCESS;
}

void store_remove(uint64_t oid)
{
	struct object **at = bucket_of(oid), *o;
	char name[17];

	while (*at && (*at)->oid != oid)
		at = &(*at)->next;
	o = *at;
	if (!o)
		return;
	*at = o->next;
	shut(o);
	free(o);
	name_of(oid, name);
	unlinkat(dir_fd, name, 0);
}

const void *store_map(uint64_t oid, uint32_t bytes)
{
	struct object *o = find(oid);
	void *map;

	if (!o || file_of(o) == -1 || o->bytes < bytes)
		return NULL;
	if (!o->map) {
		map = mmap(NULL, o->bytes, PROT_READ, MAP_SHARED, o->fd, 0);
		if (map == MAP_FAILED)
			return NULL;
		o->map = map;
		o->map_bytes = o->bytes;
	}
	return o->map;
}

void store_each(void (*found)(void *ctx, uint64_t oid), void *ctx)
{
	struct object *next;

	for (unsigned int i = 0; i < NR_BUCKETS; i++)
		for (struct object *o = buckets[i]; o; o = next) {
			next = o->next;
			found(ctx, o->oid);
		}
}
