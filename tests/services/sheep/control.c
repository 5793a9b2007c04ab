/* SPDX-License-Identifier: BSD-3-Clause */
/* control.c - commands while the server runs.  An answer begins with "ok" or
 * "error". */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/parse.h"
#include "fault.h"
#include "gateway.h"
#include "lock.h"
#include "loop.h"
#include "request.h"
#include "server.h"
#include "strict.h"

#define TEXT_BYTES 16384

/* Each fills @text with what follows "ok\n", or returns what is wrong. */
static const char *run_fault(char *args, char *text)
{
	(void)text;
	return fault_add(args);
}

static const char *run_faults(char *args, char *text)
{
	(void)args;
	fault_list(text, TEXT_BYTES);
	return NULL;
}

static const char *run_clear(char *args, char *text)
{
	(void)args;
	(void)text;
	fault_clear();
	return NULL;
}

static const char *run_go(char *args, char *text)
{
	(void)args;
	(void)text;
	server_let_go();
	return NULL;
}

static const char *run_stat(char *args, char *text)
{
	(void)args;
	server_stat(text, TEXT_BYTES);
	return NULL;
}

static const char *run_breaches(char *args, char *text)
{
	(void)args;
	snprintf(text, TEXT_BYTES, "%u\n", strict_nr_breaches());
	return NULL;
}

static const char *run_allow(char *args, char *text)
{
	(void)text;
	return strict_allow(args) ? NULL : "there is no such rule";
}

static const char *run_locks(char *args, char *text)
{
	(void)args;
	lock_list(text, TEXT_BYTES);
	return NULL;
}

static const char *run_unlock(char *args, char *text)
{
	uint64_t vid;

	(void)text;
	if (parse_u64(args, 1, WIRE_VID_MAX, &vid))
		return "a vid is wanted";
	lock_release_any((uint32_t)vid);
	return NULL;
}

static const char *run_epoch(char *args, char *text)
{
	uint64_t epoch;

	(void)text;
	if (parse_u64(args, 0, UINT32_MAX, &epoch))
		return "a number is wanted";
	request_epoch = (uint32_t)epoch;
	return NULL;
}

static const char *run_gateway(char *args, char *text)
{
	const char *word = strsep(&args, " ");
	uint64_t node;
	bool known = false;

	(void)text;
	if (parse_u64(word, 0, UINT32_MAX, &node) || !args)
		return "gateway NODE down|up|hang|resume";
	if (!strcmp(args, "down"))
		known = gateway_down((unsigned int)node);
	else if (!strcmp(args, "up"))
		known = gateway_up((unsigned int)node);
	else if (!strcmp(args, "hang"))
		known = gateway_hang((unsigned int)node, true);
	else if (!strcmp(args, "resume"))
		known = gateway_hang((unsigned int)node, false);
	strict_excuse();
	return known ? NULL : "no such gateway, or nothing that it can do";
}

static const struct {
	const char *name;
	const char *(*run)(char *args, char *text);
} commands[] = {
	{ "fault", run_fault },	    { "faults", run_faults },
	{ "clear", run_clear },	    { "go", run_go },
	{ "stat", run_stat },	    { "breaches", run_breaches },
	{ "allow", run_allow },	    { "locks", run_locks },
	{ "unlock", run_unlock },   { "epoch", run_epoch },
	{ "gateway", run_gateway },
};

static int listener = -1;
static void ready(struct source *s, uint32_t events);
static struct source source = { .ready = ready };

static const char *run(char *line, char *text)
{
	char *args = line;
	const char *name = strsep(&args, " ");

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].run(args ? args : "", text);
	return "there is no such command";
}

static void serve(int fd)
{
	char line[256], *text = calloc(1, TEXT_BYTES), *reply = NULL;
	const ssize_t n = recv(fd, line, sizeof(line) - 1, 0);
	const char *wrong;
	int bytes;

	if (n > 0 && text) {
		line[n] = '\0';
		wrong = run(line, text);
		bytes = asprintf(&reply, "%s%s\n%s", wrong ? "error " : "ok",
				 wrong ? wrong : "", text);
		if (bytes != -1)
			(void)send(fd, reply, (size_t)bytes, MSG_NOSIGNAL);
	}
	free(reply);
	free(text);
}

static void ready(struct source *s, uint32_t events)
{
	_cleanup_close_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	(void)s;
	(void)events;
	if (fd != -1)
		serve(fd);
}

int control_open(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, strlen(path) + 1);
	unlink(path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (listener == -1 ||
	    bind(listener, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(listener, SOMAXCONN) == -1)
		return -errno;
	return loop_add(listener, &source);
}

void control_close(void)
{
	if (listener != -1)
		close(listener);
}
