/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/identity.c - all names are made of one 64-bit hash, so that an
 * administrator who sees one recognises the others.
 *
 * The host's id is written once, before other threads exist.
 */
#include "lu/identity.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/be.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/macros.h"

#define HOST_ID_CHARS	32
#define MACHINE_ID_FILE	"/etc/machine-id"
#define STATE_ID_FILE	"host-id"

#define VENDOR		"IET     "	/* 8 characters, T10 vendor identification */

/* SPC-4 r37 7.8.6.6: the NAA field is the high nibble of the first byte. */
#define NAA_LOCAL	0x3
#define NAA_IEEE_EXT	0x6

static char host_id[HOST_ID_CHARS + 1];

/* --- the host --- */

static bool is_host_id(const char *s)
{
	size_t n = 0, zeroes = 0;

	for (; n < HOST_ID_CHARS && isxdigit((unsigned char)s[n]); n++)
		zeroes += s[n] == '0';
	return n == HOST_ID_CHARS && zeroes < HOST_ID_CHARS;
}

/* An image that was never booted says "uninitialized" or nothing at all. */
static bool read_host_id(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char text[HOST_ID_CHARS + 1] = "";

	if (fd == -1 || read(fd, text, HOST_ID_CHARS) != HOST_ID_CHARS)
		return false;
	if (!is_host_id(text))
		return false;
	memcpy(host_id, text, sizeof(host_id));
	return true;
}

/* Written to one side and renamed: there is a whole id or none. */
static bool make_host_id(const char *path)
{
	char text[HOST_ID_CHARS + 2], tmp[4096];
	uint8_t random[HOST_ID_CHARS / 2];
	bool ok;
	int fd;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random) ||
	    snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return false;
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(text + 2 * i, 3, "%02x", random[i]);
	text[HOST_ID_CHARS] = '\n';
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1)
		return false;
	ok = write(fd, text, HOST_ID_CHARS + 1) == HOST_ID_CHARS + 1 && fsync(fd) == 0;
	close(fd);
	if (!ok || rename(tmp, path)) {
		unlink(tmp);
		return false;
	}
	memcpy(host_id, text, HOST_ID_CHARS);
	return true;
}

const char *lu_identity_init(const char *state_dir)
{
	struct utsname u;
	char path[4096];
	uint64_t h;

	memset(host_id, 0, sizeof(host_id));
	if (read_host_id(MACHINE_ID_FILE))
		return MACHINE_ID_FILE;
	if (state_dir && snprintf(path, sizeof(path), "%s/%s", state_dir, STATE_ID_FILE) <
				 (int)sizeof(path)) {
		if (read_host_id(path))
			return "the state directory";
		if (make_host_id(path))
			return "the state directory (new)";
	}
	if (uname(&u))
		return "nothing: no machine-id, no state directory, no host name";
	h = hash_bytes(u.nodename, strlen(u.nodename), 0);
	snprintf(host_id, sizeof(host_id), "%016" PRIx64, h);
	return "the host name";
}

/* --- names --- */

/* NAA Locally Assigned, SPC-4 r37 7.8.6.6.4: 60 bits are ours. */
static void set_naa_local(struct lu_identity *id, uint64_t value)
{
	memset(id->naa, 0, sizeof(id->naa));
	be_store(id->naa, 8, (value & UINT64_MAX >> 4) | (uint64_t)NAA_LOCAL << 60);
	id->naa_bytes = 8;
}

static uint8_t nibble(char c)
{
	if (!isxdigit((unsigned char)c))
		return 0;
	return (uint8_t)(isdigit((unsigned char)c) ? c - '0' :
						     tolower((unsigned char)c) - 'a' + 10);
}

/*
 * tgt's second NAA: a 6h and, at its end, scsi_id (of it, as many characters as there is
 * room for) read as hexadecimal digits, where other characters count as zero.
 */
static void set_naa6(struct lu_identity *id)
{
	const size_t digits = 2 * sizeof(id->naa6), n = strlen(id->scsi_id);

	memset(id->naa6, 0, sizeof(id->naa6));
	for (size_t i = n > digits ? n - digits : 0; i < n; i++) {
		const size_t at = digits - n + i;

		id->naa6[at / 2] |= (uint8_t)(nibble(id->scsi_id[i]) << (at % 2 ? 0 : 4));
	}
	id->naa6[0] = (uint8_t)(NAA_IEEE_EXT << 4 | (id->naa6[0] & 0x0f));
}

void lu_identity_default(struct lu_identity *id, const char *target_name, int tid,
			 uint64_t lun)
{
	uint8_t number[8];
	uint64_t h;

	(void)tid;	/* changes when targets are configured in another order */
	be_store(number, sizeof(number), lun);
	h = hash_bytes(host_id, strlen(host_id), 0);
	h = hash_bytes(target_name, strlen(target_name), h);
	h = hash_bytes(number, sizeof(number), h);

	memset(id, 0, sizeof(*id));
	snprintf(id->scsi_id, sizeof(id->scsi_id), VENDOR "%016" PRIx64, h);
	snprintf(id->scsi_sn, sizeof(id->scsi_sn), "%016" PRIx64, h);
	set_naa_local(id, h);
}

void lu_identity_tgt(struct lu_identity *id, int tid, uint64_t lun)
{
	memset(id, 0, sizeof(*id));
	snprintf(id->scsi_id, sizeof(id->scsi_id), VENDOR "%04x%04x",
		 (unsigned int)tid & 0xffff, (unsigned int)lun & 0xffff);
	snprintf(id->scsi_sn, sizeof(id->scsi_sn), "beaf%d%" PRIu64, tid, lun);
	set_naa_local(id, (uint64_t)tid << 32 | lun);
	id->tgt_compat = true;
	set_naa6(id);
}

static bool is_name(const char *s, size_t max)
{
	size_t n = 0;

	for (; s[n]; n++)
		if (n == max || s[n] < 0x20 || s[n] > 0x7e)
			return false;
	return n > 0;
}

int lu_identity_set_id(struct lu_identity *id, const char *scsi_id)
{
	if (!is_name(scsi_id, LU_ID_MAX))
		return -ERANGE;
	memset(id->scsi_id, 0, sizeof(id->scsi_id));
	memcpy(id->scsi_id, scsi_id, strlen(scsi_id));
	if (id->tgt_compat)
		set_naa6(id);	/* its other NAA followed nothing but the numbers */
	else
		set_naa_local(id, hash_bytes(scsi_id, strlen(scsi_id), 0));
	return 0;
}

int lu_identity_set_sn(struct lu_identity *id, const char *scsi_sn)
{
	if (!is_name(scsi_sn, LU_SN_MAX))
		return -ERANGE;
	memset(id->scsi_sn, 0, sizeof(id->scsi_sn));
	memcpy(id->scsi_sn, scsi_sn, strlen(scsi_sn));
	return 0;
}
