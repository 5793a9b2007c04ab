/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/state_dir.c - a file is written beside the old one, flushed, renamed over it,
 * and the directory is flushed: at any time there is the old one or the new one,
 * whole.  A checksum in the last line tells what nobody of us has written.
 *
 * The directory's name is written once, before other threads exist.
 */
#include "lu/state_dir.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/text.h"

#define FILE_BYTES_MAX	(4U << 20)	/* more than all that anybody keeps */
#define UNIT_MAX	255

static char state_dir[4096];

/* --- words --- */

const char *lu_state_dir_escape(const char *s, char *buf, size_t bytes)
{
	size_t n = 0;

	for (; *s && n + 4 <= bytes; s++) {
		const unsigned char c = (unsigned char)*s;

		if (isalnum(c) || strchr("-_.:,", c))
			buf[n++] = *s;
		else
			n += (size_t)snprintf(buf + n, bytes - n, "%%%02x", c);
	}
	buf[n] = '\0';
	return buf;
}

int lu_state_dir_unescape(const char *s, char *buf, size_t bytes)
{
	size_t n = 0;

	while (*s) {
		unsigned int c = (unsigned char)*s++;

		if (c == '%') {
			if (!isxdigit((unsigned char)s[0]) || !isxdigit((unsigned char)s[1]) ||
			    sscanf(s, "%2x", &c) != 1 || !c)
				return -EBADMSG;
			s += 2;
		}
		if (n + 1 >= bytes)
			return -EBADMSG;
		buf[n++] = (char)c;
	}
	buf[n] = '\0';
	return n ? 0 : -EBADMSG;
}

/* --- the seal --- */

#define SEAL_BYTES	(sizeof("sum 0123456789abcdef\n") - 1)

static void seal_of(const char *text, size_t bytes, char seal[SEAL_BYTES + 1])
{
	snprintf(seal, SEAL_BYTES + 1, "sum %016" PRIx64 "\n", hash_bytes(text, bytes, 0));
}

void lu_state_dir_seal(FILE *f, const char *text, size_t bytes)
{
	char seal[SEAL_BYTES + 1];

	seal_of(text, bytes, seal);
	fputs(seal, f);
}

static bool unseal(char *text)
{
	const size_t n = strlen(text);
	char seal[SEAL_BYTES + 1];

	if (n <= SEAL_BYTES || text[n - SEAL_BYTES - 1] != '\n')
		return false;
	seal_of(text, n - SEAL_BYTES, seal);
	if (strcmp(text + n - SEAL_BYTES, seal))
		return false;
	text[n - SEAL_BYTES] = '\0';
	return true;
}

/* --- files --- */

static void path_of(const char *kind, const char *unit, char *buf, size_t bytes)
{
	char name[LU_STATE_DIR_WORD_MAX(UNIT_MAX)];

	snprintf(buf, bytes, "%s/%s-%s", state_dir, kind,
		 lu_state_dir_escape(unit, name, sizeof(name)));
}

int lu_state_dir_sync(void)
{
	_cleanup_close_ int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd == -1 || fsync(fd) ? -errno : 0;
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		const ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		left -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

static int write_file(const char *path, const char *text)
{
	int err, fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd == -1)
		return -errno;
	err = write_all(fd, text);
	if (close(fd) && !err)
		err = -errno;
	return err;
}

int lu_state_dir_save(const char *kind, const char *unit, const char *text)
{
	char path[sizeof(state_dir) + LU_STATE_DIR_WORD_MAX(UNIT_MAX) + 32];
	char fresh[sizeof(path) + 8];
	int err;

	path_of(kind, unit, path, sizeof(path));
	if (!text)
		return unlink(path) && errno != ENOENT ? -errno : lu_state_dir_sync();
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	err = write_file(fresh, text);
	if (!err && rename(fresh, path))
		err = -errno;
	if (err) {
		unlink(fresh);
		return err;
	}
	return lu_state_dir_sync();
}

/* malloc'ed; NULL and errno. */
static char *read_file(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t n = 0;

	if (fd == -1 || fstat(fd, &st))
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_BYTES_MAX) {
		errno = EFBIG;
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	while (text && n < (size_t)st.st_size) {
		const ssize_t got = read(fd, text + n, (size_t)st.st_size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return NULL;
		if (!got)
			break;
		n += (size_t)got;
	}
	if (text)
		text[n] = '\0';
	return TAKE_PTR(text);
}

int lu_state_dir_load(const char *kind, const char *unit, char **ret_text, char *path_buf,
		      size_t path_bytes)
{
	char path[sizeof(state_dir) + LU_STATE_DIR_WORD_MAX(UNIT_MAX) + 32];

	path_of(kind, unit, path, sizeof(path));
	text_copy(path_buf, path_bytes, path);
	*ret_text = read_file(path);
	return *ret_text || errno == ENOENT ? 0 : -errno;
}

/* --- the directory --- */

/* The directory and those above it, as far as they are missing. */
static void make_dirs(const char *dir)
{
	char path[sizeof(state_dir)];

	text_copy(path, sizeof(path), dir);
	for (char *p = path + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(path, 0755);
			*p = '/';
		}
	mkdir(path, 0700);
}

int lu_state_dir_set(const char *dir)
{
	struct stat st;

	*state_dir = '\0';
	if (!dir)
		return 0;
	if (strlen(dir) >= sizeof(state_dir))
		return -ENAMETOOLONG;
	make_dirs(dir);
	if (stat(dir, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (access(dir, R_OK | W_OK | X_OK))
		return -errno;
	text_copy(state_dir, sizeof(state_dir), dir);
	return 0;
}

bool lu_state_dir_is_set(void)
{
	return *state_dir;
}

const char *lu_state_dir_path(void)
{
	return state_dir;
}

static int parse_line(char *line, const char *unit,
		      int (*take)(const char *word, char *rest, void *arg), void *arg)
{
	const char *word = strsep(&line, " ");
	char name[UNIT_MAX + 1];

	if (!line)
		return -EBADMSG;
	if (strcmp(word, "unit"))
		return take(word, line, arg);
	return lu_state_dir_unescape(line, name, sizeof(name)) || strcmp(name, unit) ? -EBADMSG :
										       0;
}

int lu_state_dir_parse(char *text, const char *header, const char *unit,
		       int (*take)(const char *word, char *rest, void *arg), void *arg,
		       char *why, size_t why_bytes)
{
	unsigned int number = 2;
	char *line;

	if (!unseal(text)) {
		snprintf(why, why_bytes, "its checksum is wrong");
		return -EBADMSG;
	}
	line = strsep(&text, "\n");
	if (strcmp(line, header)) {
		snprintf(why, why_bytes, "it is not of this version");
		return -EBADMSG;
	}
	for (; (line = strsep(&text, "\n")) && text; number++)
		if (parse_line(line, unit, take, arg)) {
			snprintf(why, why_bytes, "line %u makes no sense", number);
			return -EBADMSG;
		}
	return 0;
}
