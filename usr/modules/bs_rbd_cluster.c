/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd_cluster.c - see bs_rbd_cluster.h.
 *
 * A connection is some thirteen threads of librados, so all disks of an identity
 * share one.  Who comes while it is being made waits for it and for its outcome.  A
 * handle with which connecting has failed is of no use any more (librados remembers
 * the failure): it goes, and the next one who asks begins anew.
 *
 * Time-outs of librados are forever unless it is told otherwise.  Connecting and
 * asking the monitors have one here.  Asking the OSDs has none for a disk, even if
 * ceph.conf wants it: when librados gives a write up, the request may be with an OSD
 * all the same, and be carried out after the initiator was told that it failed.
 */
#include "bs_rbd_cluster.h"

#include <errno.h>
#include <pthread.h>
#include <rbd/librbd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/list.h"
#include "base/macros.h"

struct bs_rbd_cluster {
	/* Constant once connected. */
	struct bs_rbd_identity identity;
	rados_t rados;

	/* Under the mutex. */
	struct list_head node;	/* in clusters, unless spent */
	unsigned int refs;
	bool connecting;
	int err;
	struct bs_rbd_why why;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t connected = PTHREAD_COND_INITIALIZER;
static struct list_head clusters = LIST_HEAD_INIT(clusters);

/* --- settings --- */

static int set(rados_t r, const char *name, const char *value, struct bs_rbd_why *why)
{
	const int err = rados_conf_set(r, name, value);

	if (err == -ENOENT)
		return bs_rbd_why_set(why, -EINVAL, "override=: Ceph has no setting '%s'", name);
	if (err)
		return bs_rbd_why_set(why, -EINVAL, "override=: Ceph's setting %s cannot be '%s'",
				      name, value);
	return 0;
}

/* A disk's writes must not be given up: see above. */
static int override_one(rados_t r, char *pair, struct bs_rbd_why *why)
{
	char *value = strchr(pair, '=');

	if (!value)
		return bs_rbd_why_set(why, -EINVAL, "override= takes NAME=VALUE,..., not '%s'",
				      pair);
	*value++ = '\0';
	if (!strcmp(pair, "rados_osd_op_timeout"))
		return bs_rbd_why_set(why, -EINVAL, "override=: %s must stay 0: a write that is "
						    "given up could still land", pair);
	return set(r, pair, value, why);
}

static int override(rados_t r, const char *list, struct bs_rbd_why *why)
{
	char *copy, *rest, *pair;
	int err = 0;

	if (!list)
		return 0;
	copy = strdup(list);
	if (!copy)
		return -ENOMEM;
	for (pair = strtok_r(copy, ",", &rest); pair && !err; pair = strtok_r(NULL, ",", &rest))
		err = override_one(r, pair, why);
	free(copy);
	return err;
}

static int read_conf(rados_t r, const struct bs_rbd_identity *i, struct bs_rbd_why *why)
{
	int err;

	if (i->conf && access(i->conf, R_OK))
		return bs_rbd_why_set(why, -EINVAL, "conf=%s: %s", i->conf, strerror(errno));
	err = rados_conf_read_file(r, i->conf);
	if (err == -ENOENT && !i->conf)
		return bs_rbd_why_set(why, -EINVAL, "there is no conf file for the cluster '%s': "
						    "looked for /etc/ceph/%s.conf and the like; "
						    "name it with conf=", i->cluster, i->cluster);
	if (err)
		return bs_rbd_why_set(why, -EINVAL, "conf=%s is not a Ceph configuration: %s",
				      i->conf ? i->conf : "(default)", strerror(-err));
	return 0;
}

static const char *setting(rados_t r, const char *name, char *buf, size_t bytes)
{
	if (rados_conf_get(r, name, buf, bytes))
		buf[0] = '\0';
	return buf;
}

/* One thread of librados does the work of a disk's connection with a quarter less CPU
 * than two that hand it to each other.  Two is what it has unless ceph.conf wants
 * something, and what volumes need: to unprotect a snapshot librbd waits on one of them
 * for what another does. */
static void one_thread(rados_t r)
{
	char n[16];

	if (!strcmp(setting(r, "librados_thread_count", n, sizeof(n)), "2"))
		(void)rados_conf_set(r, "librados_thread_count", "1");
}

static int configure(rados_t r, const struct bs_rbd_identity *i, struct bs_rbd_why *why)
{
	char seconds[16];
	int err = read_conf(r, i, why);

	if (err)
		return err;
	snprintf(seconds, sizeof(seconds), "%u", i->timeout_s);
	if (rados_conf_set(r, "client_mount_timeout", seconds) ||
	    rados_conf_set(r, "rados_mon_op_timeout", seconds) ||
	    rados_conf_set(r, "rados_osd_op_timeout", i->osd_timeout ? seconds : "0"))
		return bs_rbd_why_set(why, -EINVAL, "this librados has no time-outs");
	if (!i->cache && rados_conf_set(r, "rbd_cache", "false"))
		return bs_rbd_why_set(why, -EINVAL, "this librbd has no rbd_cache");
	if (i->key && rados_conf_set(r, "key", i->key))
		return bs_rbd_why_set(why, -EINVAL, "the key given for client.%s is not a key",
				      i->id);
	if (!i->osd_timeout)
		one_thread(r);
	return override(r, i->override, why);
}

/* --- connecting --- */

/* Does one of the files of a list exist, and may we read it? */
static bool any_readable(const char *list)
{
	char copy[1024], *rest, *path;

	snprintf(copy, sizeof(copy), "%s", list);
	for (path = strtok_r(copy, ", ", &rest); path; path = strtok_r(NULL, ", ", &rest))
		if (!access(path, R_OK))
			return true;
	return false;
}

static int explain(rados_t r, const struct bs_rbd_identity *i, int err, struct bs_rbd_why *why)
{
	char mons[256], keyring[1024];
	const bool has_mons = *setting(r, "mon_host", mons, sizeof(mons));

	if (err == -ETIMEDOUT)
		return bs_rbd_why_set(why, err, "cannot reach the monitors %s in %u s",
				      has_mons ? mons : "(named by DNS)", i->timeout_s);
	setting(r, "keyring", keyring, sizeof(keyring));
	if (!i->key && !any_readable(keyring))
		return bs_rbd_why_set(why, -EACCES, "no keyring for client.%s: cannot read %s",
				      i->id, keyring);
	if (err == -ENOENT && !has_mons)
		return bs_rbd_why_set(why, err, "no monitors are known: the conf file has no "
						"'mon host'");
	if (i->key && (err == -ENOENT || err == -EINVAL))
		return bs_rbd_why_set(why, -EACCES, "the key given for client.%s is not a key",
				      i->id);
	if (err == -ENOENT || err == -EINVAL)
		return bs_rbd_why_set(why, -EACCES, "no key for client.%s in %s", i->id, keyring);
	if (err == -EACCES || err == -EPERM)
		return bs_rbd_why_set(why, -EACCES, "the monitors %s refuse client.%s: no such "
						    "user, or not with this key", mons, i->id);
	return bs_rbd_why_set(why, err, "cannot connect to the monitors %s as client.%s: %s",
			      mons, i->id, strerror(-err));
}

static int connect_as(const struct bs_rbd_identity *i, rados_t *ret, struct bs_rbd_why *why)
{
	char name[128];
	rados_t r;
	int err;

	snprintf(name, sizeof(name), "client.%s", i->id);
	err = rados_create2(&r, i->cluster, name, 0);
	if (err)
		return bs_rbd_why_set(why, err, "librados: %s for cluster '%s'", strerror(-err),
				      i->cluster);
	err = configure(r, i, why);
	if (!err) {
		err = rados_connect(r);
		if (err)
			err = explain(r, i, err, why);
	}
	if (err) {
		rados_shutdown(r);
		return err;
	}
	*ret = r;
	return 0;
}

/* --- sharing --- */

static struct bs_rbd_cluster *find(const struct bs_rbd_identity *i)
{
	struct bs_rbd_cluster *c;

	list_for_each(c, &clusters, node)
		if (bs_rbd_identity_equal(&c->identity, i))
			return c;
	return NULL;
}

/* With the mutex; NULL: no memory. */
static struct bs_rbd_cluster *add(const struct bs_rbd_identity *i)
{
	struct bs_rbd_cluster *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	if (bs_rbd_identity_copy(i, &c->identity)) {
		bs_rbd_identity_free(&c->identity);
		free(c);
		return NULL;
	}
	c->refs = 1;
	c->connecting = true;
	list_add_tail(&clusters, &c->node);
	return c;
}

static void drop(struct bs_rbd_cluster *c)
{
	if (c->rados)
		rados_shutdown(c->rados);
	bs_rbd_identity_free(&c->identity);
	free(c);
}

int bs_rbd_cluster_get(const struct bs_rbd_identity *i, struct bs_rbd_cluster **ret,
		       struct bs_rbd_why *why)
{
	struct bs_rbd_cluster *c;
	int err;

	pthread_mutex_lock(&mutex);
	c = find(i);
	if (c) {
		c->refs++;
		while (c->connecting)
			pthread_cond_wait(&connected, &mutex);
	} else {
		c = add(i);
		if (!c) {
			pthread_mutex_unlock(&mutex);
			return -ENOMEM;
		}
		pthread_mutex_unlock(&mutex);
		err = connect_as(&c->identity, &c->rados, &c->why);
		pthread_mutex_lock(&mutex);
		c->err = err;
		c->connecting = false;
		if (err)
			list_del(&c->node);
		pthread_cond_broadcast(&connected);
	}
	err = c->err;
	if (err)
		*why = c->why;
	pthread_mutex_unlock(&mutex);
	if (err)
		bs_rbd_cluster_put(c);
	else
		*ret = c;
	return err;
}

void bs_rbd_cluster_put(struct bs_rbd_cluster *c)
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
		drop(c);
}

void bs_rbd_cluster_spend(struct bs_rbd_cluster *c)
{
	pthread_mutex_lock(&mutex);
	list_del(&c->node);
	pthread_mutex_unlock(&mutex);
}

rados_t bs_rbd_cluster_rados(const struct bs_rbd_cluster *c)
{
	return c->rados;
}

/* --- pools --- */

int bs_rbd_cluster_pool(struct bs_rbd_cluster *c, const struct bs_rbd_spec *s,
			rados_ioctx_t *ret, struct bs_rbd_why *why)
{
	const char *id = c->identity.id;
	bool exists = true;
	rados_ioctx_t io;
	int err = rados_ioctx_create(c->rados, s->pool, &io);

	if (err == -ENOENT)
		return bs_rbd_why_set(why, err, "no such pool '%s'", s->pool);
	if (err)
		return bs_rbd_why_set(why, err, "pool '%s' as client.%s: %s", s->pool, id,
				      strerror(-err));
	rados_set_pool_full_try(io);
	if (*s->ns)
		err = rbd_namespace_exists(io, s->ns, &exists);
	if (!err && exists) {
		rados_ioctx_set_namespace(io, s->ns);
		*ret = io;
		return 0;
	}
	rados_ioctx_destroy(io);
	if (!exists)
		return bs_rbd_why_set(why, -ENOENT, "no such namespace '%s' in pool '%s'", s->ns,
				      s->pool);
	if (err == -EPERM || err == -EACCES)
		return bs_rbd_why_set(why, err, "no permission for client.%s in pool '%s'", id,
				      s->pool);
	return bs_rbd_why_set(why, err, "namespace '%s' of pool '%s': %s", s->ns, s->pool,
			      strerror(-err));
}
