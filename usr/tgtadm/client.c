/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtadm/client.c - blocking: connect, a line out, a line in. */
#include "tgtadm/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "mgmt/wire.h"

#define ANSWER_MAX	(256U << 20)
#define END_SECONDS	30	/* for tgtd to end */

/* tgt's words for "nobody there", which scripts know, and its exit code. */
static int nobody_there(int err)
{
	fprintf(stderr, "tgtadm: failed to send request hdr to tgt daemon, %s\n",
		strerrordesc_np(err));
	return err;
}

static int connect_to(unsigned int control_port, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char path[MGMT_SOCKET_PATH_MAX];
	_cleanup_close_ int fd = -1;

	if (!mgmt_socket_path(path, control_port))
		return nobody_there(ENOTCONN);
	text_copy(addr.sun_path, sizeof(addr.sun_path), path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return nobody_there(errno);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1)
		return nobody_there(errno == EACCES || errno == EPERM ? errno : ENOTCONN);
	*ret_fd = TAKE_FD(fd);
	return -1;
}

/* Without a complaint if the daemon hung up: what it said is still there. */
static void send_all(int fd, const char *text, size_t n)
{
	while (n) {
		const ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return;
		text += sent;
		n -= (size_t)sent;
	}
}

/* A line without its newline, malloc'ed; NULL: the daemon hung up (errno 0) or
 * an error. */
static char *receive_line(int fd)
{
	size_t n = 0, max = 65536;
	char *line = malloc(max), *bigger;

	while (line) {
		const ssize_t got = recv(fd, line + n, max - n, 0);
		char *end;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got ? errno : 0;
			free(line);
			return NULL;
		}
		end = memchr(line + n, '\n', (size_t)got);
		if (end) {
			*end = '\0';
			return line;
		}
		n += (size_t)got;
		if (n < max)
			continue;
		max *= 2;
		bigger = max > ANSWER_MAX ? NULL : realloc(line, max);
		if (!bigger)
			free(line);
		line = bigger;
	}
	errno = ENOMEM;
	return NULL;
}

/* tgtd keeps the connection until its very end. */
static int wait_for_end(int fd)
{
	const uint64_t until = clock_now_ns() + END_SECONDS * NS_PER_SEC;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char unused[256];

	for (;;) {
		const uint64_t now = clock_now_ns();
		int n;

		if (now >= until) {
			fprintf(stderr, "tgtadm: tgtd has not ended within %d s\n",
				END_SECONDS);
			return ETIMEDOUT;
		}
		n = poll(&p, 1, (int)((until - now) / NS_PER_MS) + 1);
		if (n > 0 && recv(fd, unused, sizeof(unused), 0) <= 0)
			return -1;
	}
}

static char *make_request(const struct tgtadm_call *call)
{
	json_t *request = json_pack("{s:s, s:i, s:s, s:O}", "jsonrpc", "2.0", "id", 1,
				    "method", call->method, "params", call->params);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;

	json_decref(request);
	return text;
}

static int no_answer(void)
{
	const int err = errno ? errno : ECONNRESET;

	fprintf(stderr, "tgtadm: tgtd closed the socket\n");
	return err;
}

int tgtadm_client_call(const struct tgtadm_call *call, json_t **ret_answer)
{
	_cleanup_free_ char *request = make_request(call), *line = NULL;
	_cleanup_close_ int fd = -1;
	json_t *answer;
	int code;

	if (!request) {
		fprintf(stderr, "tgtadm: out of memory\n");
		return ENOMEM;
	}
	code = connect_to(call->control_port, &fd);
	if (code >= 0)
		return code;
	if (call->debug)
		fprintf(stderr, "> %s\n", request);
	send_all(fd, request, strlen(request));
	send_all(fd, "\n", 1);
	line = receive_line(fd);
	if (!line)
		return no_answer();
	if (call->debug)
		fprintf(stderr, "< %s\n", line);
	answer = json_loads(line, 0, NULL);
	if (!json_is_object(answer)) {
		json_decref(answer);
		fprintf(stderr, "tgtadm: tgtd's answer is not understood\n");
		return EPROTO;
	}
	if (call->wait_for_end && json_object_get(answer, "result")) {
		code = wait_for_end(fd);
		if (code >= 0) {
			json_decref(answer);
			return code;
		}
	}
	*ret_answer = answer;
	return -1;
}
