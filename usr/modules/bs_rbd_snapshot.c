/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd_snapshot.c - snapshots of images, and images that are clones of them.
 *
 * There are two kinds of clones.  The older needs its snapshot protected from being
 * removed; clusters all of whose clients are Mimic or later make the newer, which
 * does not.  Which it is to be, librbd knows: where it asks for protection, the
 * snapshot gets it, and loses it again if there is no clone in the end.
 */
#include "bs_rbd_volume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOTS_MAX	64	/* at the first try */
#define TRIES_MAX	5	/* of lists that grow while they are read */

/* --- lists --- */

static bool is_of_user(rbd_image_t image, uint64_t id)
{
	rbd_snap_namespace_type_t type;

	return !rbd_snap_get_namespace_type(image, id, &type) &&
	       type == RBD_SNAP_NAMESPACE_TYPE_USER;
}

void bs_rbd_snapshot_list_free(rbd_snap_info_t *snaps)
{
	rbd_snap_list_end(snaps);
	free(snaps);
}

/* What is left out goes behind the end, and is freed there. */
static int keep_those_of_user(rbd_image_t image, rbd_snap_info_t *snaps, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++)
		if (is_of_user(image, snaps[i].id))
			snaps[kept++] = snaps[i];
		else
			free((char *)snaps[i].name);
	snaps[kept].name = NULL;	/* where rbd_snap_list_end() ends */
	return kept;
}

int bs_rbd_snapshot_list(rbd_image_t image, rbd_snap_info_t **ret_snaps, int *ret_n)
{
	int n = SNAPSHOTS_MAX;

	for (int tries = 0; tries < TRIES_MAX; tries++) {
		rbd_snap_info_t *snaps = calloc((size_t)n + 1, sizeof(*snaps));
		const int got = snaps ? rbd_snap_list(image, snaps, &n) : -ENOMEM;

		if (got >= 0) {
			*ret_n = keep_those_of_user(image, snaps, got);
			*ret_snaps = snaps;
			return 0;
		}
		free(snaps);
		if (got != -ERANGE)
			return got;
	}
	return -EAGAIN;
}

/* --- making and removing --- */

static int check_name(const char *name)
{
	if (*name && !strpbrk(name, "@/"))
		return 0;
	bs_say("'%s' cannot be the name of a snapshot: it is not empty, and has neither @ nor /",
	       name);
	return -EINVAL;
}

static int make(const struct bs_volume_args *a, struct bs_rbd_session *s)
{
	struct bs_rbd_report report = { .a = a };
	int err = bs_rbd_volume_refuse_snapshot(&s->spec);

	if (!err)
		err = check_name(a->path2);
	if (!err)
		err = bs_rbd_session_open(s, BS_RBD_WRITE, NULL);
	if (err)
		return err;
	err = rbd_get_size(s->image, &report.total_bytes);
	if (!err)
		err = rbd_snap_create2(s->image, a->path2, 0, bs_rbd_report, &report);
	if (err == -EEXIST)
		bs_say("'%s' has a snapshot '%s' already", s->spec.image, a->path2);
	else if (err)
		bs_rbd_volume_error(s, &s->spec, "cannot make a snapshot of", err);
	return err;
}

int bs_rbd_volume_snapshot(const struct bs_volume_args *a)
{
	struct bs_rbd_session s;
	int err = bs_rbd_session_start(a, &s);

	if (!err)
		err = make(a, &s);
	bs_rbd_session_end(&s);
	return err;
}

static int has_clones(const struct bs_rbd_session *s)
{
	bs_say("snapshot '%s' has clones: remove them first", s->spec.snap);
	return -EBUSY;
}

/* Somebody meant it to stay. */
static int unprotect(const struct bs_volume_args *a, struct bs_rbd_session *s)
{
	int protected = 0, err = rbd_snap_is_protected(s->image, s->spec.snap, &protected);

	if (!err && protected && !(a->flags & BS_VOLUME_FORCE)) {
		bs_say("snapshot '%s' is protected: only if forced", s->spec.snap);
		return -EBUSY;
	}
	if (!err && protected)
		err = rbd_snap_unprotect(s->image, s->spec.snap);
	if (err == -EBUSY)
		return has_clones(s);
	return err ? bs_rbd_volume_error(s, &s->spec, "cannot unprotect the snapshot of", err) : 0;
}

int bs_rbd_snapshot_remove(const struct bs_volume_args *a, struct bs_rbd_session *s)
{
	struct bs_rbd_report report = { .a = a };
	bool exists;
	int err = bs_rbd_session_open(s, BS_RBD_WRITE, NULL);

	if (err)
		return err;
	err = rbd_snap_exists(s->image, s->spec.snap, &exists);
	if (!err && !exists) {
		bs_say("no such snapshot '%s' of image '%s'", s->spec.snap, s->spec.image);
		return -ENOENT;
	}
	if (!err)
		err = rbd_get_size(s->image, &report.total_bytes);
	if (err)
		return bs_rbd_volume_error(s, &s->spec, "cannot see the snapshots of", err);
	err = unprotect(a, s);
	if (err)
		return err;
	err = rbd_snap_remove2(s->image, s->spec.snap, 0, bs_rbd_report, &report);
	return err ? bs_rbd_volume_error(s, &s->spec, "cannot remove the snapshot of", err) : 0;
}

/* --- clones --- */

struct copy {			/* a clone that is being made */
	const struct bs_volume_args *a;
	struct bs_rbd_session *parent;	/* the image of the snapshot is open, to write */
	struct bs_rbd_spec spec;
	rados_ioctx_t io;
	bool protected_by_us;
};

static int clone_as(struct copy *c)
{
	rbd_image_options_t o;
	int err = bs_rbd_volume_image_options(c->a->params, &o);

	if (err)
		return err;
	err = rbd_clone3(c->parent->io, c->parent->spec.image, c->parent->spec.snap, c->io,
			 c->spec.image, o);
	rbd_image_options_destroy(o);
	if (err == -ENOSYS)
		bs_say("'%s' has no clones: it was made without the feature layering",
		       c->parent->spec.image);
	else if (err == -EXDEV)
		bs_say("cannot make '%s': in this cluster clones are in the namespace of their "
		       "parent; 'ceph osd set-require-min-compat-client mimic' changes that",
		       c->spec.image);
	else if (err == -EINVAL)
		bs_say("cannot make '%s': Ceph refuses a clone with these options",
		       c->spec.image);
	else if (err)
		bs_rbd_volume_error(c->parent, &c->spec, "cannot make", err);
	return err;
}

/* As the kind of clone that this cluster wants needs it. */
static int clone_protected(struct copy *c)
{
	int protected = 0, err = clone_as(c);

	if (err != -EINVAL ||
	    rbd_snap_is_protected(c->parent->image, c->parent->spec.snap, &protected) || protected)
		return err;
	err = rbd_snap_protect(c->parent->image, c->parent->spec.snap);
	if (err)
		return bs_rbd_volume_error(c->parent, &c->parent->spec,
					   "cannot protect the snapshot of", err);
	c->protected_by_us = true;
	return clone_as(c);
}

/* Until it shares nothing with its parent. */
static int flatten(struct copy *c)
{
	struct bs_rbd_report report = { .a = c->a, .may_end = true };
	rbd_image_t image;
	int err = rbd_open(c->io, c->spec.image, &image, NULL);

	if (!err) {
		err = rbd_get_size(image, &report.total_bytes);
		if (!err)
			err = rbd_flatten_with_progress(image, bs_rbd_report, &report);
		rbd_close(image);
	}
	if (!err)
		return 0;
	if (err != -ECANCELED)
		bs_rbd_volume_error(c->parent, &c->spec, "cannot copy all to", err);
	if (rbd_remove(c->io, c->spec.image))
		bs_say("half a copy could not be removed: '%s'", c->spec.image);
	return err;
}

static int clone(struct copy *c)
{
	const bool full = bs_param_bool(c->a->params, "full_copy");
	int err = clone_protected(c);

	if (!err && full)
		err = flatten(c);
	if (c->protected_by_us && (err || full))
		rbd_snap_unprotect(c->parent->image, c->parent->spec.snap);
	return err;
}

/* Where the clone goes to: maybe another pool. */
static int clone_into(struct copy *c)
{
	struct bs_rbd_why why = { "out of memory" };
	int err = bs_rbd_spec_parse(c->a->path2, &c->spec, &why);

	if (!err)
		err = bs_rbd_cluster_pool(c->parent->cluster, &c->spec, &c->io, &why);
	if (err) {
		bs_say("%s", why.text);
		return err;
	}
	err = bs_rbd_volume_refuse_snapshot(&c->spec);
	return err ? err : clone(c);
}

static int clone_snapshot(const struct bs_volume_args *a, struct bs_rbd_session *s)
{
	struct copy c = { .a = a, .parent = s };
	int err;

	if (!s->spec.snap) {
		bs_say("a clone is of a snapshot, which does not change: name one as %s@NAME; "
		       "--op snapshot makes it",
		       a->path);
		return -EINVAL;
	}
	/* Once more than needed, for the words. */
	err = bs_rbd_session_open(s, BS_RBD_READ, s->spec.snap);
	bs_rbd_session_close(s);
	if (!err)
		err = bs_rbd_session_open(s, BS_RBD_WRITE, NULL);
	if (!err)
		err = clone_into(&c);
	if (c.io)
		rados_ioctx_destroy(c.io);
	bs_rbd_spec_free(&c.spec);
	return err;
}

int bs_rbd_volume_clone(const struct bs_volume_args *a)
{
	struct bs_rbd_session s;
	int err = bs_rbd_session_start(a, &s);

	if (!err)
		err = clone_snapshot(a, &s);
	bs_rbd_session_end(&s);
	return err;
}
