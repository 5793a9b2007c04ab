/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/reserve_store.c - the state directory: a file "reservation-<unit>" for each
 * logical unit that has something to keep.
 *
 * A file is written beside the old one, flushed, renamed over it, and the
 * directory is flushed: at any time there is the old one or the new one, whole.
 * A checksum in the last line tells what nobody of us has written; then there is no
 * telling who may write to the disk, and the unit is not opened.
 */
#include "lu/reserve_store.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"

#define PREFIX		"reservation-"
#define FILE_BYTES_MAX	(4U << 20)	/* more than all that fits a state */
#define ESCAPED_MAX	(3 * LU_RESERVE_NAME_MAX + 1)
#define HEADER		"tgtd-reservation 1"

static char state_dir[4096];

/* --- words: names without blanks and slashes --- */

static const char *escape(const char *s, char *buf, size_t bytes)
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

static int unescape(const char *s, char *buf, size_t bytes)
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

/* --- the format --- */

static void write_reg(FILE *f, const struct lu_reserve_state *s, unsigned int i)
{
	const struct lu_reserve_reg *r = &s->reg[i];
	char initiator[ESCAPED_MAX], target[ESCAPED_MAX];

	fprintf(f, "%s 0x%016" PRIx64 " %u %s %s\n",
		(int)i == s->holder ? "holder" : "registrant", r->key, r->who.port,
		escape(r->who.initiator, initiator, sizeof(initiator)),
		escape(r->who.target, target, sizeof(target)));
}

char *lu_reserve_store_format(const char *unit, const struct lu_reserve_state *s)
{
	char name[ESCAPED_MAX];
	char *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);
	bool ok;

	if (!f)
		return NULL;
	fprintf(f, HEADER "\nunit %s\ntype %s\n", escape(unit, name, sizeof(name)),
		lu_reserve_type_name(s->type));
	for (unsigned int i = 0; i < s->n; i++)
		write_reg(f, s, i);
	ok = !fflush(f);
	if (ok)
		fprintf(f, "sum %016" PRIx64 "\n", hash_bytes(text, bytes, 0));
	ok = !fclose(f) && ok;
	if (ok)
		return text;
	free(text);
	return NULL;
}

/* The text up to its last line, if that is the sum of it. */
static bool check_sum(char *text)
{
	const size_t line = strlen("sum 0123456789abcdef\n"), n = strlen(text);
	uint64_t sum;
	int used = 0;

	if (n < line || text[n - line - 1 + (n == line)] != '\n')
		return false;
	if (sscanf(text + n - line, "sum %16" SCNx64 "%n", &sum, &used) != 1 ||
	    used != (int)line - 1 || text[n - 1] != '\n' ||
	    sum != hash_bytes(text, n - line, 0))
		return false;
	text[n - line] = '\0';
	return true;
}

static int parse_type(const char *word, struct lu_reserve_state *s)
{
	for (unsigned int i = 0; i < LU_RESERVE_NR_TYPES; i++)
		if (!strcmp(lu_reserve_type_name((enum lu_reserve_type)i), word)) {
			s->type = (enum lu_reserve_type)i;
			return 0;
		}
	return -EBADMSG;
}

static int parse_reg(char *rest, struct lu_reserve_state *s)
{
	struct lu_reserve_reg *r = &s->reg[s->n];
	const char *key = strsep(&rest, " "), *port = strsep(&rest, " ");
	const char *initiator = strsep(&rest, " "), *target = rest;
	uint64_t number;

	if (s->n == LU_RESERVE_REGS_MAX || !target || parse_u64(key, 1, UINT64_MAX, &r->key) ||
	    parse_u64(port, 0, UINT16_MAX, &number) ||
	    unescape(initiator, r->who.initiator, sizeof(r->who.initiator)) ||
	    unescape(target, r->who.target, sizeof(r->who.target)))
		return -EBADMSG;
	r->who.port = (uint16_t)number;
	if (lu_reserve_state_find(s, &r->who) >= 0)
		return -EBADMSG;
	s->n++;
	return 0;
}

static int parse_line(char *line, const char *unit, struct lu_reserve_state *s)
{
	const char *word = strsep(&line, " ");
	char name[LU_RESERVE_NAME_MAX + 1];

	if (!line)
		return -EBADMSG;
	if (!strcmp(word, "unit"))
		return unescape(line, name, sizeof(name)) || strcmp(name, unit) ? -EBADMSG : 0;
	if (!strcmp(word, "type"))
		return parse_type(line, s);
	if (!strcmp(word, "registrant"))
		return parse_reg(line, s);
	if (strcmp(word, "holder") || s->holder >= 0)
		return -EBADMSG;
	s->holder = (int)s->n;
	return parse_reg(line, s);
}

/* A type has the holders that it must have. */
static bool is_whole(const struct lu_reserve_state *s)
{
	const bool one = s->type != LU_RESERVE_NONE && !lu_reserve_type_is_all(s->type);

	return s->n && one == (s->holder >= 0);
}

int lu_reserve_store_parse(char *text, const char *unit, struct lu_reserve_state **ret_s,
			   char *why, size_t why_bytes)
{
	_cleanup_free_ struct lu_reserve_state *s = lu_reserve_state_new(LU_RESERVE_REGS_MAX);
	unsigned int number = 2;
	char *line;

	if (!s)
		return -ENOMEM;
	if (!check_sum(text)) {
		snprintf(why, why_bytes, "its checksum is wrong");
		return -EBADMSG;
	}
	line = strsep(&text, "\n");
	if (strcmp(line, HEADER)) {
		snprintf(why, why_bytes, "it is not of this version");
		return -EBADMSG;
	}
	for (; (line = strsep(&text, "\n")) && text; number++)
		if (parse_line(line, unit, s)) {
			snprintf(why, why_bytes, "line %u makes no sense", number);
			return -EBADMSG;
		}
	if (!is_whole(s)) {
		snprintf(why, why_bytes, "the reservation and its holder do not match");
		return -EBADMSG;
	}
	s->durable = true;
	*ret_s = TAKE_PTR(s);
	return 0;
}

/* --- files --- */

static void path_of(const char *unit, char *buf, size_t bytes)
{
	char name[ESCAPED_MAX];

	snprintf(buf, bytes, "%s/" PREFIX "%s", state_dir, escape(unit, name, sizeof(name)));
}

static int sync_dir(void)
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

static int dir_save(const char *unit, const struct lu_reserve_state *s)
{
	char path[sizeof(state_dir) + ESCAPED_MAX + 32], fresh[sizeof(path) + 8];
	_cleanup_free_ char *text = NULL;
	int err;

	path_of(unit, path, sizeof(path));
	if (!s)
		return unlink(path) && errno != ENOENT ? -errno : sync_dir();
	text = lu_reserve_store_format(unit, s);
	if (!text)
		return -ENOMEM;
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	err = write_file(fresh, text);
	if (!err && rename(fresh, path))
		err = -errno;
	if (err) {
		unlink(fresh);
		return err;
	}
	return sync_dir();
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

static int dir_load(const char *unit, struct lu_reserve_state **ret_s, char *why,
		    size_t why_bytes)
{
	char path[sizeof(state_dir) + ESCAPED_MAX + 32], reason[128] = "out of memory";
	_cleanup_free_ char *text = NULL;
	int err;

	*ret_s = NULL;
	path_of(unit, path, sizeof(path));
	text = read_file(path);
	if (!text && errno == ENOENT)
		return 0;
	err = text ? lu_reserve_store_parse(text, unit, ret_s, reason, sizeof(reason)) : -errno;
	if (err)
		snprintf(why, why_bytes,
			 "its reservations cannot be read from %s: %s; remove the file if no host relies on them",
			 path, text ? reason : strerrordesc_np(-err));
	return err;
}

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

const struct lu_reserve_store *lu_reserve_store_dir(const char *dir)
{
	static const struct lu_reserve_store store = { .save = dir_save, .load = dir_load };
	struct stat st;

	if (strlen(dir) >= sizeof(state_dir)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	make_dirs(dir);
	if (stat(dir, &st) || access(dir, R_OK | W_OK | X_OK))
		return NULL;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return NULL;
	}
	text_copy(state_dir, sizeof(state_dir), dir);
	return &store;
}
