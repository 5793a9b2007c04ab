/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/server.c - non-blocking sockets on the control thread's reactor.
 *
 * A client that is gone while its request runs stays allocated, without a
 * socket, until the answer comes, which is then dropped.
 */
#include "mgmt/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "mgmt/rpc.h"
#include "mgmt/wire.h"
#include "reactor/reactor.h"
#include "reactor/timer.h"
#include "reactor/watch.h"

#define READ_BYTES	16384
#define PAUSE_MS	100	/* when the process is out of descriptors */
#define GROUPS_MAX	65536	/* NGROUPS_MAX of Linux */

struct client {
	struct list_head node;
	struct watch watch;
	char *in;			/* lines; the last one may not be complete */
	size_t in_bytes, in_max;
	size_t taken;			/* of in: was run */
	size_t searched;		/* of in: there is no newline from taken on */
	char *out;			/* an answer that is not sent */
	size_t out_bytes, out_sent;
	bool running;			/* a request has no answer yet */
	bool looping;			/* in run_lines() */
	bool eof;			/* nothing more will come */
	bool dead;			/* no socket any more */
	bool trusted;			/* may see secrets: root, or our own user */
};

static struct {
	int lock_fd;
	struct reactor *reactor;
	struct mgmt_server_options options;
	const struct mgmt_method *methods;
	struct watch listener;
	struct timer pause;
	char path[MGMT_SOCKET_PATH_MAX];
	struct list_head clients;
	unsigned int nr_clients;
} server = {
	.lock_fd = -1,
	.listener.fd = -1,
	.clients = LIST_HEAD_INIT(server.clients),
};

/* --- clients ---------------------------------------------------------- */

static void client_free(struct client *c)
{
	list_del(&c->node);
	server.nr_clients--;
	free(c->in);
	free(c->out);
	free(c);
}

static void client_drop(struct client *c)
{
	const int fd = c->watch.fd;

	if (!c->dead) {
		reactor_watch_del(server.reactor, &c->watch);
		close(fd);
		c->dead = true;
	}
	if (!c->running && !c->looping)
		client_free(c);
}

static void client_update(struct client *c)
{
	uint32_t events = 0;

	if (c->out)
		events |= EPOLLOUT;
	else if (!c->running && !c->eof)
		events |= EPOLLIN;
	reactor_watch_change(server.reactor, &c->watch, events);
}

/* Send what there is.  -errno: the client is gone. */
static int client_send(struct client *c)
{
	while (c->out) {
		const ssize_t n = send(c->watch.fd, c->out + c->out_sent,
				       c->out_bytes - c->out_sent, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		c->out_sent += (size_t)n;
		if (c->out_sent == c->out_bytes) {
			free(c->out);
			c->out = NULL;
		}
	}
	return 0;
}

/* Takes @text, which gets its newline. */
static void client_answer(struct client *c, char *text)
{
	const size_t n = strlen(text);

	assert(!c->out);
	text[n] = '\n';			/* in place of the NUL: length is kept */
	c->out = text;
	c->out_bytes = n + 1;
	c->out_sent = 0;
}

static void run_lines(struct client *c);

static void answered(void *arg, char *text)
{
	struct client *c = arg;

	c->running = false;
	if (c->dead) {
		free(text);
		if (!c->looping)
			client_free(c);
		return;
	}
	if (text)
		client_answer(c, text);
	if (!c->looping)
		run_lines(c);
}

/* The next complete line, or NULL. */
static char *find_line_end(struct client *c)
{
	char *end = NULL;

	if (c->in)
		end = memchr(c->in + c->searched, '\n', c->in_bytes - c->searched);
	if (!end)
		c->searched = c->in_bytes;
	return end;
}

static void run_line(struct client *c, const char *end)
{
	const char *line = c->in + c->taken;
	const size_t n = (size_t)(end - line);
	bool blank = true;

	for (size_t i = 0; i < n && blank; i++)
		blank = line[i] == ' ' || line[i] == '\t' || line[i] == '\r';
	if (!blank) {
		c->running = true;
		(c->trusted ? mgmt_rpc_run : mgmt_rpc_run_untrusted)(
			server.methods, line, n, answered, c);
	}
	c->taken += n + 1;
	c->searched = c->taken;
	if (c->taken == c->in_bytes) {	/* an idle client holds no memory */
		free(c->in);
		c->in = NULL;
		c->in_bytes = c->in_max = c->taken = c->searched = 0;
	}
}

/* Run what has arrived, send what was answered, until one of them waits. */
static void run_lines(struct client *c)
{
	const char *end;
	int err = 0;

	c->looping = true;
	while (!c->dead && !c->running && !err) {
		err = client_send(c);
		if (err || c->out)
			break;
		end = find_line_end(c);
		if (!end)
			break;
		run_line(c, end);
	}
	c->looping = false;
	if (err || c->dead || (c->eof && !c->running && !c->out))
		client_drop(c);
	else
		client_update(c);
}

/* Room for more input, and for the text that answers too much of it. */
static int client_reserve(struct client *c)
{
	size_t max = c->in_max ? c->in_max * 2 : READ_BYTES;
	char *p;

	if (c->taken) {			/* once a read, not once a line */
		c->in_bytes -= c->taken;
		c->searched -= c->taken;
		memmove(c->in, c->in + c->taken, c->in_bytes);
		c->taken = 0;
	}
	if (c->in_max > c->in_bytes)
		return 0;
	if (c->in_bytes >= MGMT_REQUEST_MAX)
		return -EMSGSIZE;
	max = MIN(max, (size_t)MGMT_REQUEST_MAX);
	p = realloc(c->in, max);
	if (!p)
		return -ENOMEM;
	c->in = p;
	c->in_max = max;
	return 0;
}

static void refuse_and_drop(struct client *c, int code, const char *sentence)
{
	char *text = mgmt_rpc_error_line(code, sentence);

	if (text) {
		client_answer(c, text);
		client_send(c);
	}
	client_drop(c);
}

/*
 * A tgtadm of tgt itself begins with its mode, a number of four bytes, says at byte 72 how
 * long its request is, and then waits for the eight bytes of an answer: an error of its list,
 * and the answer's length.  It gets that, as it would wait for our line for good.
 */
#define TGT_LENGTH_AT	72
#define TGT_REQUEST_MAX	16384U

static bool is_tgt_client(const struct client *c)
{
	static const char zeroes[3];

	return c->in_bytes >= 4 && (unsigned char)c->in[0] < ' ' && !memcmp(c->in + 1, zeroes, 3);
}

/* Nothing of it may be left when the socket is closed: it would not see the answer. */
static bool tgt_request_is_whole(const struct client *c)
{
	uint32_t bytes;

	if (c->in_bytes < TGT_LENGTH_AT + sizeof(bytes))
		return false;
	memcpy(&bytes, c->in + TGT_LENGTH_AT, sizeof(bytes));
	return c->in_bytes >= MIN(bytes, TGT_REQUEST_MAX);
}

static void refuse_tgt_client(struct client *c)
{
	const uint32_t answer[2] = { MGMT_ERR_UNSUPPORTED, sizeof(answer) };

	log_warn("management socket: a tgtadm of tgt itself has called: only the one of this program is understood");
	if (send(c->watch.fd, answer, sizeof(answer), MSG_NOSIGNAL) < 0)
		log_debug("management: a client left before its refusal");
	client_drop(c);
}

static void client_read(struct client *c)
{
	const int err = client_reserve(c);
	ssize_t n;

	if (err == -EMSGSIZE) {
		refuse_and_drop(c, MGMT_RPC_INVALID, "a request is longer than 16 MiB");
		return;
	}
	if (err) {
		refuse_and_drop(c, MGMT_RPC_INVALID, "out of memory");
		return;
	}
	n = recv(c->watch.fd, c->in + c->in_bytes, c->in_max - c->in_bytes, 0);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			client_drop(c);
		return;
	}
	if (n == 0)
		c->eof = true;	/* what it asked for is still answered */
	c->in_bytes += (size_t)n;
	if (is_tgt_client(c) && tgt_request_is_whole(c))
		refuse_tgt_client(c);
	else
		run_lines(c);
}

static void client_ready(struct watch *w, uint32_t events)
{
	struct client *c = container_of(w, struct client, watch);

	if (events & EPOLLERR || (events & EPOLLHUP && !(events & EPOLLIN)))
		client_drop(c);
	else if (events & EPOLLOUT)
		run_lines(c);
	else if (events & EPOLLIN)
		client_read(c);
}

/* --- who may ---------------------------------------------------------- */

static bool in_group(int fd, const struct ucred *peer, gid_t group)
{
	_cleanup_free_ gid_t *groups = NULL;
	socklen_t bytes = 0;

	if (peer->gid == group)
		return true;
	/* With no room the kernel says how much it takes. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &bytes) == 0 ||
	    errno != ERANGE || bytes > GROUPS_MAX * sizeof(gid_t))
		return false;
	groups = malloc(bytes);
	if (!groups ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) == -1)
		return false;
	for (size_t i = 0; i < bytes / sizeof(gid_t); i++)
		if (groups[i] == group)
			return true;
	return false;
}

static bool may_manage(int fd, uid_t *ret_uid)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	*ret_uid = (uid_t)-1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == -1)
		return false;
	*ret_uid = peer.uid;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	return server.options.group != MGMT_NO_GROUP &&
	       in_group(fd, &peer, server.options.group);
}

/* One line, if the socket takes it, and the door. */
static void turn_away(int fd, int code, const char *sentence)
{
	_cleanup_free_ char *text = mgmt_rpc_error_line(code, sentence);
	size_t n;

	if (text) {
		n = strlen(text);
		text[n] = '\n';
		if (send(fd, text, n + 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			log_debug("management: a client left before its refusal");
	}
	close(fd);
}

static void client_new(int fd, bool trusted)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->trusted = trusted;
	c->watch = (struct watch){ .fd = fd, .events = EPOLLIN, .ready = client_ready };
	if (reactor_watch_add(server.reactor, &c->watch) < 0) {
		close(fd);
		free(c);
		return;
	}
	list_add_tail(&server.clients, &c->node);
	server.nr_clients++;
}

static void resume(struct timer *timer)
{
	(void)timer;
	reactor_watch_change(server.reactor, &server.listener, EPOLLIN);
}

/* Whoever comes waits in the backlog, and we do not spin on him. */
static void accept_failed(int err)
{
	if (err == EAGAIN || err == ECONNABORTED || err == EINTR)
		return;
	log_err("management socket: accept: %s", strerrordesc_np(err));
	server.pause.expired = resume;
	if (reactor_timer_arm(server.reactor, &server.pause, PAUSE_MS) == 0)
		reactor_watch_change(server.reactor, &server.listener, 0);
}

static void listener_ready(struct watch *w, uint32_t events)
{
	char sentence[96];
	uid_t uid;
	int fd;

	(void)events;
	fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1) {
		accept_failed(errno);
		return;
	}
	if (!may_manage(fd, &uid)) {
		snprintf(sentence, sizeof(sentence),
			 "user id %u may not manage this tgtd", uid);
		log_warn("management socket: %s", sentence);
		turn_away(fd, MGMT_RPC_REFUSED, sentence);
	} else if (server.nr_clients >= MGMT_CLIENTS_MAX) {
		log_warn("management socket: more than %d clients", MGMT_CLIENTS_MAX);
		turn_away(fd, MGMT_RPC_REFUSED,
			  "too many management clients are connected");
	} else {
		client_new(fd, uid == 0 || uid == geteuid());
	}
}

/* --- start and end ---------------------------------------------------- */

static int __attribute__((format(printf, 4, 5)))
explain(char *why, size_t why_bytes, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, why_bytes, fmt, ap);
	va_end(ap);
	return -err;
}

/* Only the default's directory is ours to make. */
static void make_default_dir(void)
{
	const char *base = getenv(MGMT_SOCKET_ENV);
	char dir[] = MGMT_SOCKET_BASE;

	if (base && *base)
		return;
	*strrchr(dir, '/') = '\0';
	if (mkdir(dir, 0755) == 0 && chmod(dir, 0755) == -1)
		log_warn("%s: %s", dir, strerrordesc_np(errno));
}

int mgmt_server_lock(unsigned int control_port, char *why, size_t why_bytes)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[MGMT_SOCKET_PATH_MAX + 8];
	_cleanup_close_ int fd = -1;

	if (!mgmt_socket_path(server.path, control_port))
		return explain(why, why_bytes, ENAMETOOLONG,
			       "the path of the management socket is longer than %d bytes",
			       MGMT_SOCKET_PATH_MAX - 1);
	make_default_dir();
	snprintf(path, sizeof(path), "%s.lock", server.path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return explain(why, why_bytes, errno,
			       "cannot open %s: %s (the environment variable "
			       MGMT_SOCKET_ENV " chooses another place)",
			       path, strerrordesc_np(errno));
	if (fcntl(fd, F_SETLK, &whole) == -1)
		return explain(why, why_bytes, errno, "another tgtd is using %s", path);
	server.lock_fd = TAKE_FD(fd);
	return 0;
}

static int listen_at(const char *path, gid_t group, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -errno;
	text_copy(addr.sun_path, sizeof(addr.sun_path), path);
	/* The lock is ours, so a socket that is there is a dead daemon's. */
	if (unlink(path) == -1 && errno != ENOENT)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1)
		return -errno;
	if (group != MGMT_NO_GROUP && chown(path, (uid_t)-1, group) == -1)
		return -errno;
	if (chmod(path, group != MGMT_NO_GROUP ? 0660 : 0600) == -1)
		return -errno;
	if (listen(fd, SOMAXCONN) == -1)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int mgmt_server_start(struct reactor *r, const struct mgmt_server_options *o,
		      const struct mgmt_method *methods, char *why, size_t why_bytes)
{
	int fd = -1, err;

	assert(server.lock_fd != -1);
	err = listen_at(server.path, o->group, &fd);
	if (err)
		return explain(why, why_bytes, -err, "cannot listen at %s: %s",
			       server.path, strerrordesc_np(-err));
	server.reactor = r;
	server.options = *o;
	server.methods = methods;
	server.listener = (struct watch){ .fd = fd, .events = EPOLLIN,
					  .ready = listener_ready };
	err = reactor_watch_add(r, &server.listener);
	if (err) {
		server.listener.fd = -1;
		close(fd);
		return explain(why, why_bytes, -err, "cannot watch %s: %s", server.path,
			       strerrordesc_np(-err));
	}
	return 0;
}

void mgmt_server_stop(void)
{
	const int fd = server.listener.fd;

	if (fd == -1)
		return;
	if (reactor_timer_armed(&server.pause))
		reactor_timer_cancel(server.reactor, &server.pause);
	reactor_watch_del(server.reactor, &server.listener);
	close(fd);
	unlink(server.path);
}

void mgmt_server_fini(void)
{
	struct client *c, *tmp;

	mgmt_server_stop();
	if (server.lock_fd != -1)
		close(server.lock_fd);
	server.lock_fd = -1;
	list_for_each_safe(c, tmp, &server.clients, node)
		client_drop(c);
}
