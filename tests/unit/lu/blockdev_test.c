/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_rdwr, bs_aio and bs_uring on a block device: a loop device, where one may be
 * made. */
#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "disk.h"

#define DISK_BYTES	(32ULL << 20)
#define MIB		(1ULL << 20)

struct loop {
	char *file;
	char device[32];
	int fd;
};

/* False: not permitted, or no loop devices here. */
static bool loop_new(struct loop *l, uint32_t flags, uint32_t block_bytes)
{
	const int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_config config = { .block_size = block_bytes };
	int n, file;

	if (control == -1)
		return false;
	l->file = temp_file(temp_dir(), DISK_BYTES);
	file = open(l->file, O_RDWR | O_CLOEXEC);
	assert_true(file != -1);
	config.fd = (uint32_t)file;
	config.info.lo_flags = flags | LO_FLAGS_AUTOCLEAR;
	l->fd = -1;
	/* Others may take the free one first. */
	for (int tries = 0; tries < 20 && l->fd == -1; tries++) {
		n = ioctl(control, LOOP_CTL_GET_FREE);
		if (n < 0)
			break;
		snprintf(l->device, sizeof(l->device), "/dev/loop%d", n);
		l->fd = open(l->device, O_RDWR | O_CLOEXEC);
		if (l->fd != -1 && ioctl(l->fd, LOOP_CONFIGURE, &config)) {
			close(l->fd);
			l->fd = -1;
		}
	}
	close(file);
	close(control);
	if (l->fd != -1)
		return true;
	unlink(l->file);
	free(l->file);
	return false;
}

static void loop_free(struct loop *l)
{
	close(l->fd);		/* it goes with its last user */
	unlink(l->file);
	free(l->file);
}

static const char *bstype = "";	/* the one whose turn it is */

static struct lu *open_device(const char *path, uint32_t flags, uint32_t block_bytes)
{
	const struct bs_open_spec spec = { .bstype = bstype, .path = path, .flags = flags,
					   .block_bytes = block_bytes };
	char why[512];
	int err;
	struct lu *lu = disk_try_open(&spec, &err, why);

	if (!lu && not_here(bstype, flags, why)) {
		print_message("%s\n", why);
		return NULL;
	}
	if (!lu)
		fail_msg("%s (%d)", why, err);
	return lu;
}

static uint8_t *data, *got;

static void assert_read(struct client *c, uint64_t off, const uint8_t *want, size_t len)
{
	memset(got, 0x5a, len);
	assert_int_equal(do_read(c, off, got, len), 0);
	assert_memory_equal(got, want, len);
}

static void a_device_keeps_data(void **state)
{
	static const uint32_t flags[] = { 0, BS_OPEN_DIRECT, BS_OPEN_SYNC };
	struct loop l;

	(void)state;
	if (!loop_new(&l, 0, 512)) {
		skip();
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct lu *lu = open_device(l.device, flags[i], 512);
		const struct bs_dev_info *info;
		struct client c;

		if (!lu)
			continue;
		info = lu_store_info(lu);
		c = client_open(lu, 0);
		assert_int_equal(info->size_bytes, DISK_BYTES);
		assert_false(info->reads_zero);		/* BLKDISCARD promises nothing */
		fill(data, MIB, 0, (uint8_t)i);
		assert_int_equal(do_write(&c, 3 * MIB, data, MIB), 0);
		assert_read(&c, 3 * MIB, data, MIB);
		assert_int_equal(do_io(&c, LU_WRITE_ZEROES, LU_IO_UNMAP, 3 * MIB + 512, 65536,
				       NULL, 0, NULL), 0);
		memset(data + 512, 0, 65536);
		assert_int_equal(do_io(&c, LU_WRITE_ZEROES, 0, 3 * MIB + 131072, 512, NULL, 0,
				       NULL), 0);
		memset(data + 131072, 0, 512);
		assert_read(&c, 3 * MIB, data, MIB);
		assert_int_equal(do_io(&c, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
		client_close(&c);
		disk_close(lu);
	}
	loop_free(&l);
}

static uint64_t allocated(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void unmapping_discards(void **state)
{
	struct client c;
	struct loop l;
	struct lu *lu;

	(void)state;
	if (!loop_new(&l, 0, 512)) {
		skip();
		return;
	}
	lu = open_device(l.device, 0, 512);
	if (!lu) {
		loop_free(&l);
		skip();
		return;
	}
	c = client_open(lu, 0);
	if (lu_store_info(lu)->thin) {
		memset(data, 0x77, MIB);
		for (uint64_t i = 0; i < 8; i++)
			assert_int_equal(do_write(&c, i * MIB, data, MIB), 0);
		assert_int_equal(do_io(&c, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
		assert_true(allocated(l.file) >= 8 * MIB);
		assert_int_equal(do_io(&c, LU_UNMAP, 0, MIB, 6 * MIB, NULL, 0, NULL), 0);
		assert_true(allocated(l.file) < 4 * MIB);
		/* What was not named is untouched. */
		assert_read(&c, 0, data, MIB);
		assert_read(&c, 7 * MIB, data, MIB);
	} else {
		assert_int_equal(do_io(&c, LU_UNMAP, 0, 0, MIB, NULL, 0, NULL), -EOPNOTSUPP);
	}
	client_close(&c);
	disk_close(lu);
	loop_free(&l);
}

/* Blocks of 512 on a device of 4096: its ioctls cannot, the disk must. */
static void small_blocks_work_on_large_sectors(void **state)
{
	struct client c;
	struct loop l;
	struct lu *lu;

	(void)state;
	if (!loop_new(&l, 0, 4096)) {
		skip();
		return;
	}
	lu = open_device(l.device, 0, 512);
	if (!lu) {
		loop_free(&l);
		skip();
		return;
	}
	c = client_open(lu, 0);
	assert_true(lu_store_info(lu)->phys_block_bytes >= 4096);
	fill(data, 65536, 0, 9);
	assert_int_equal(do_write(&c, 0, data, 65536), 0);
	assert_int_equal(do_write(&c, 65536 + 512, data, 512), 0);
	assert_read(&c, 65536 + 512, data, 512);
	assert_int_equal(do_io(&c, LU_WRITE_ZEROES, LU_IO_UNMAP, 512, 8192, NULL, 0, NULL), 0);
	memset(data + 512, 0, 8192);
	assert_read(&c, 0, data, 65536);
	/* Less than a sector: advice that cannot be taken changes nothing. */
	assert_int_equal(do_io(&c, LU_UNMAP, 0, 16384 + 512, 1024, NULL, 0, NULL),
			 lu_store_info(lu)->thin ? 0 : -EOPNOTSUPP);
	assert_read(&c, 0, data, 65536);
	client_close(&c);
	disk_close(lu);
	loop_free(&l);
}

static void a_read_only_device_makes_a_read_only_unit(void **state)
{
	struct client c;
	struct loop l;
	struct lu *lu;

	(void)state;
	if (!loop_new(&l, LO_FLAGS_READ_ONLY, 512)) {
		skip();
		return;
	}
	lu = open_device(l.device, 0, 512);
	if (!lu) {
		loop_free(&l);
		skip();
		return;
	}
	c = client_open(lu, 0);
	assert_true(lu_store_info(lu)->read_only);
	assert_true(atomic_load(&lu->read_only));
	assert_int_equal(do_read(&c, 0, data, 4096), 0);
	assert_int_equal(do_write(&c, 0, data, 4096), -EROFS);
	client_close(&c);
	disk_close(lu);
	loop_free(&l);
}

static int setup(void **state)
{
	(void)state;
	data = aligned_alloc(4096, MIB);
	got = aligned_alloc(4096, MIB);
	load_modules("modules");
	daemon_start(1, 4);
	return data && got ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop();
	bs_loader_unload();
	free(data);
	free(got);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_keeps_data),
		cmocka_unit_test(unmapping_discards),
		cmocka_unit_test(small_blocks_work_on_large_sectors),
		cmocka_unit_test(a_read_only_device_makes_a_read_only_unit),
	};

	static const struct {
		const char *name, *bstype;
	} groups[] = {
		{ "lu/blockdev rdwr", "rdwr" },
		{ "lu/blockdev aio", "aio" },
		{ "lu/blockdev uring", "uring" },
	};
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		bstype = groups[i].bstype;
		failed += cmocka_run_group_tests_name(groups[i].name, tests, setup, teardown);
	}
	return failed;
}
