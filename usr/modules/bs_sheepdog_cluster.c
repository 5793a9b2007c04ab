/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_sheepdog_cluster.c - names are looked up here and nowhere else: in open() and in
 * volume operations, never on a reactor. */
#include "bs_sheepdog_cluster.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <tgt/bs_module.h>
#include "base/cleanup.h"
#include "base/macros.h"

#define SOCKET_BYTES (1 << 20) /* as far as the system's limits allow */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct list_head clusters = LIST_HEAD_INIT(clusters);

static void cluster_free(struct sheep_cluster *c)
{
	free(c->key);
	free(c);
}
DEFINE_CLEANUP(struct sheep_cluster *, cluster_free)

/* --- looking up --- */

static char *key_of(const struct sheep_spec *s)
{
	char *key = NULL;

	if (s->path[0])
		return asprintf(&key, "unix:%s", s->path) < 0 ? NULL : key;
	key = strdup("tcp");
	for (unsigned int i = 0; key && i < s->nr_gateways; i++) {
		char *more;

		if (asprintf(&more, "%s,[%s]:%s", key, s->gateways[i].host,
			     s->gateways[i].port) < 0)
			more = NULL;
		free(key);
		key = more;
	}
	return key;
}

static void add_path(struct sheep_cluster *c, const char *path)
{
	struct sheep_address *a = &c->addresses[c->nr];
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	memcpy(&a->sa, &un, sizeof(un));
	a->bytes = sizeof(un);
	snprintf(c->names[c->nr++], sizeof(c->names[0]), "unix:%s", path);
}

static int add_gateway(struct sheep_cluster *c, const struct sheep_gateway *g)
{
	const struct addrinfo want = { .ai_family = AF_UNSPEC,
				       .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	const int err = getaddrinfo(g->host, g->port, &want, &found);

	if (err) {
		bs_say("host '%s': %s", g->host, gai_strerror(err));
		return err == EAI_MEMORY ? -ENOMEM : -EHOSTUNREACH;
	}
	for (const struct addrinfo *i = found; i && c->nr < SHEEP_ADDRESSES_MAX;
	     i = i->ai_next) {
		memcpy(&c->addresses[c->nr].sa, i->ai_addr, i->ai_addrlen);
		c->addresses[c->nr].bytes = i->ai_addrlen;
		snprintf(c->names[c->nr++], sizeof(c->names[0]), "tcp:%.60s:%s",
			 g->host, g->port);
	}
	freeaddrinfo(found);
	return 0;
}

static int cluster_new(const struct sheep_spec *s, struct sheep_cluster **ret)
{
	_cleanup_(cluster_freep) struct sheep_cluster *c =
		calloc(1, sizeof(*c));
	int err = 0;

	if (!c)
		return -ENOMEM;
	c->refs = 1;
	list_init(&c->node);
	c->key = key_of(s);
	if (!c->key)
		return -ENOMEM;
	if (s->path[0])
		add_path(c, s->path);
	for (unsigned int i = 0; !err && i < s->nr_gateways; i++)
		err = add_gateway(c, &s->gateways[i]);
	/* A name that is not known now must not keep the others from serving. */
	if (err && (!c->nr || err == -ENOMEM))
		return err;
	*ret = TAKE_PTR(c);
	return 0;
}

static struct sheep_cluster *find(const char *key)
{
	struct sheep_cluster *c;

	list_for_each(c, &clusters, node)
		if (!strcmp(c->key, key))
			return c;
	return NULL;
}

/* Who comes second takes the first one's: connections know a cluster by it. */
int bs_sheepdog_cluster_get(const struct sheep_spec *s,
			    struct sheep_cluster **ret)
{
	struct sheep_cluster *mine, *there;
	const int err = cluster_new(s, &mine);

	if (err)
		return err;
	pthread_mutex_lock(&mutex);
	there = find(mine->key);
	if (there)
		there->refs++;
	else
		list_add(&clusters, &mine->node);
	pthread_mutex_unlock(&mutex);
	if (there)
		cluster_free(mine);
	*ret = there ? there : mine;
	return 0;
}

void bs_sheepdog_cluster_put(struct sheep_cluster *c)
{
	bool last;

	if (!c)
		return;
	pthread_mutex_lock(&mutex);
	last = --c->refs == 0;
	if (last)
		list_del(&c->node);
	pthread_mutex_unlock(&mutex);
	if (last)
		cluster_free(c);
}

void bs_sheepdog_cluster_next(struct sheep_cluster *c, unsigned int failed)
{
	atomic_compare_exchange_strong(&c->current, &failed, failed + 1);
}

/* --- connecting --- */

int bs_sheepdog_cluster_connect(const struct sheep_cluster *c, unsigned int at)
{
	const struct sheep_address *a = sheep_cluster_address(c, at);
	const int bytes = SOCKET_BYTES, on = 1;
	_cleanup_close_ int fd = socket(
		a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (a->sa.ss_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&a->sa, a->bytes) == -1 &&
	    errno != EINPROGRESS)
		return -errno;
	return TAKE_FD(fd);
}
