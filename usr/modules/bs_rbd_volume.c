/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd_volume.c - see bs_rbd_volume.h.  Snapshots and clones: bs_rbd_snapshot.c.
 *
 * What changes an image that a daemon has open, and holds the lock of, is done by
 * that daemon: librbd asks it to.  So nothing here needs the lock.
 *
 * An OSD that does not answer ends an operation with a time-out, unlike the I/O of a
 * disk: whoever called sees it, and can look what has become of it.
 */
#include "bs_rbd_volume.h"

#include <errno.h>
#include <rbd/features.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/macros.h"

#define SETTABLE_FEATURES						\
	(RBD_FEATURE_LAYERING | RBD_FEATURE_STRIPINGV2 | RBD_FEATURE_EXCLUSIVE_LOCK | \
	 RBD_FEATURE_OBJECT_MAP | RBD_FEATURE_FAST_DIFF | RBD_FEATURE_DEEP_FLATTEN | \
	 RBD_FEATURE_JOURNALING)
#define WATCHERS_MAX	16
#define TRIES_MAX	5	/* of lists that grow while they are read */

/* --- where --- */

typedef int parse_fn(const char *text, struct bs_rbd_spec *ret, struct bs_rbd_why *why);

static int start(const struct bs_volume_args *a, parse_fn *parse, struct bs_rbd_session *ret)
{
	struct bs_rbd_why why = { "out of memory" };
	int err;

	*ret = (struct bs_rbd_session){ 0 };
	err = bs_rbd_identity_parse(a->params, &ret->identity, &why);
	ret->identity.osd_timeout = true;
	if (!err)
		err = parse(a->path, &ret->spec, &why);
	if (!err)
		err = bs_rbd_cluster_get(&ret->identity, &ret->cluster, &why);
	if (!err)
		err = bs_rbd_cluster_pool(ret->cluster, &ret->spec, &ret->io, &why);
	if (err)
		bs_say("%s", why.text);
	return err;
}

int bs_rbd_session_start(const struct bs_volume_args *a, struct bs_rbd_session *ret)
{
	return start(a, bs_rbd_spec_parse, ret);
}

void bs_rbd_session_close(struct bs_rbd_session *s)
{
	if (s->image)
		rbd_close(s->image);
	s->image = NULL;
}

void bs_rbd_session_end(struct bs_rbd_session *s)
{
	bs_rbd_session_close(s);
	if (s->io)
		rados_ioctx_destroy(s->io);
	bs_rbd_cluster_put(s->cluster);
	bs_rbd_spec_free(&s->spec);
	bs_rbd_identity_free(&s->identity);
}

int bs_rbd_session_open(struct bs_rbd_session *s, enum bs_rbd_mode mode, const char *snap)
{
	int err = mode == BS_RBD_WRITE ? rbd_open(s->io, s->spec.image, &s->image, snap) :
					 rbd_open_read_only(s->io, s->spec.image, &s->image, snap);

	if (!err)
		return 0;
	s->image = NULL;
	if (err != -ENOENT)
		return bs_rbd_volume_error(s, &s->spec, "cannot open", err);
	if (snap && !rbd_open_read_only(s->io, s->spec.image, &s->image, NULL))
		bs_say("no such snapshot '%s' of image '%s' in pool '%s'", snap, s->spec.image,
		       s->spec.pool);
	else
		bs_say("no such image '%s' in pool '%s'", s->spec.image, s->spec.pool);
	return err;
}

/* --- words --- */

int bs_rbd_volume_error(const struct bs_rbd_session *s, const struct bs_rbd_spec *spec,
			const char *what, int err)
{
	switch (err) {
	case -EEXIST:
		bs_say("%s '%s': it exists already", what, spec->image);
		break;
	case -EPERM:
	case -EACCES:
		bs_say("%s '%s': no permission for client.%s in pool '%s'", what, spec->image,
		       s->identity.id, spec->pool);
		break;
	case -ETIMEDOUT:
		bs_say("%s '%s': no answer from the cluster in %u s; look with --op show what "
		       "has become of it",
		       what, spec->image, s->identity.timeout_s);
		break;
	case -EROFS:
		bs_say("%s '%s': another client has it locked, and does not do that for others",
		       what, spec->image);
		break;
	case -ENOSPC:
	case -EDQUOT:
		bs_say("%s '%s': the pool '%s' is full", what, spec->image, spec->pool);
		break;
	default:
		bs_say("%s '%s': %s", what, spec->image, strerrordesc_np(-err));
	}
	return err;
}

int bs_rbd_report(uint64_t done, uint64_t total, void *report)
{
	const struct bs_rbd_report *r = report;
	const long double part = total ? (long double)done / (long double)total : 1;
	const bool end = r->a->progress &&
			 r->a->progress(r->a->progress_ctx,
					(uint64_t)(part * (long double)r->total_bytes),
					r->total_bytes);

	return end && r->may_end ? -ECANCELED : 0;
}

/* --- new ones --- */

static bool power_of_two(uint64_t n)
{
	return n && (n & (n - 1)) == 0;
}

static int check_layout(uint64_t object_bytes, uint64_t unit_bytes)
{
	if (object_bytes && !power_of_two(object_bytes)) {
		bs_say("object_size=%llu is not a power of two",
		       (unsigned long long)object_bytes);
		return -EINVAL;
	}
	if (unit_bytes && object_bytes && object_bytes % unit_bytes) {
		bs_say("stripe_unit=%llu does not divide object_size=%llu",
		       (unsigned long long)unit_bytes, (unsigned long long)object_bytes);
		return -EINVAL;
	}
	return 0;
}

/* What librbd would leave out without a word. */
static int check_features(uint64_t bits)
{
	static const struct {
		uint64_t bit, needs;
		const char *words;
	} rules[] = {
		{ RBD_FEATURE_OBJECT_MAP, RBD_FEATURE_EXCLUSIVE_LOCK,
		  "object-map needs exclusive-lock" },
		{ RBD_FEATURE_FAST_DIFF, RBD_FEATURE_OBJECT_MAP, "fast-diff needs object-map" },
		{ RBD_FEATURE_JOURNALING, RBD_FEATURE_EXCLUSIVE_LOCK,
		  "journaling needs exclusive-lock" },
		{ ~SETTABLE_FEATURES, UINT64_MAX, "one of these is set by Ceph itself only" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if ((bits & rules[i].bit) && (bits & rules[i].needs) != rules[i].needs) {
			bs_say("features=: %s", rules[i].words);
			return -EINVAL;
		}
	return 0;
}

static int set_features(rbd_image_options_t o, const char *names)
{
	uint64_t bits;
	int err;

	if (!names)
		return 0;
	if (rbd_features_from_string(names, &bits)) {
		bs_say("features=%s: not all of these are features of this librbd", names);
		return -EINVAL;
	}
	err = check_features(bits);
	return err ? err : rbd_image_options_set_uint64(o, RBD_IMAGE_OPTION_FEATURES, bits);
}

static int set_number(rbd_image_options_t o, int option, uint64_t value)
{
	return value ? rbd_image_options_set_uint64(o, option, value) : 0;
}

static int set_options(rbd_image_options_t o, const struct bs_params *p)
{
	const uint64_t object_bytes = bs_param_u64(p, "object_size");
	const uint64_t given_count = bs_param_u64(p, "stripe_count");
	/* Else a clone has that of its parent, which may be larger than its objects. */
	const bool plain = object_bytes && !bs_param_u64(p, "stripe_unit") && !given_count;
	const uint64_t unit_bytes = plain ? object_bytes : bs_param_u64(p, "stripe_unit");
	const char *data_pool = bs_param_text(p, "data_pool");
	int err = check_layout(object_bytes, unit_bytes);

	if (!err && object_bytes)
		err = set_number(o, RBD_IMAGE_OPTION_ORDER,
				 (uint64_t)__builtin_ctzll(object_bytes));
	if (!err)
		err = set_number(o, RBD_IMAGE_OPTION_STRIPE_UNIT, unit_bytes);
	if (!err)
		err = set_number(o, RBD_IMAGE_OPTION_STRIPE_COUNT, plain ? 1 : given_count);
	if (!err && data_pool)
		err = rbd_image_options_set_string(o, RBD_IMAGE_OPTION_DATA_POOL, data_pool);
	return err ? err : set_features(o, bs_param_text(p, "features"));
}

int bs_rbd_volume_image_options(const struct bs_params *p, rbd_image_options_t *ret)
{
	int err;

	rbd_image_options_create(ret);
	err = set_options(*ret, p);
	if (err)
		rbd_image_options_destroy(*ret);
	return err;
}

int bs_rbd_volume_refuse_snapshot(const struct bs_rbd_spec *spec)
{
	if (!spec->snap)
		return 0;
	bs_say("'%s@%s' is a snapshot, which stays as it is", spec->image, spec->snap);
	return -EROFS;
}

static int create(const struct bs_volume_args *a, struct bs_rbd_session *s)
{
	rbd_image_options_t o;
	int err = bs_rbd_volume_refuse_snapshot(&s->spec);

	if (!err)
		err = bs_rbd_volume_image_options(a->params, &o);
	if (err)
		return err;
	err = rbd_create4(s->io, s->spec.image, a->size_bytes, o);
	rbd_image_options_destroy(o);
	if (err == -EINVAL)
		bs_say("cannot make '%s': Ceph refuses this size or these options of the image",
		       s->spec.image);
	else if (err == -ENOENT)
		bs_say("cannot make '%s': no such pool '%s' for its data", s->spec.image,
		       bs_param_text(a->params, "data_pool"));
	else if (err)
		bs_rbd_volume_error(s, &s->spec, "cannot make", err);
	return err;
}

int bs_rbd_volume_create(const struct bs_volume_args *a)
{
	struct bs_rbd_session s;
	int err = bs_rbd_session_start(a, &s);

	if (!err)
		err = create(a, &s);
	bs_rbd_session_end(&s);
	return err;
}

/* --- the end of one --- */

static int check_watchers(struct bs_rbd_session *s)
{
	rbd_image_watcher_t watchers[WATCHERS_MAX];
	size_t n = WATCHERS_MAX;
	const int err = rbd_watchers_list(s->image, watchers, &n);

	if (err && err != -ERANGE)
		return bs_rbd_volume_error(s, &s->spec, "cannot see who uses", err);
	if (n == 0)
		return 0;
	bs_say("'%s' is in use by %zu client%s%s%s", s->spec.image, n, n > 1 ? "s" : "",
	       err ? "" : ", one at ", err ? "" : watchers[0].addr);
	if (!err)
		rbd_watchers_list_cleanup(watchers, n);
	return -EBUSY;
}

static int check_snapshots(struct bs_rbd_session *s)
{
	rbd_snap_info_t *snaps;
	int n, err = bs_rbd_snapshot_list(s->image, &snaps, &n);

	if (err)
		return bs_rbd_volume_error(s, &s->spec, "cannot list the snapshots of", err);
	if (n == 1)
		bs_say("'%s' has a snapshot, '%s': remove it first", s->spec.image,
		       snaps[0].name);
	else if (n)
		bs_say("'%s' has %d snapshots, '%s' for one: remove them first", s->spec.image,
		       n, snaps[0].name);
	bs_rbd_snapshot_list_free(snaps);
	return n ? -ENOTEMPTY : 0;
}

static int remove_image(const struct bs_volume_args *a, struct bs_rbd_session *s)
{
	struct bs_rbd_report report = { .a = a };
	int err = bs_rbd_session_open(s, BS_RBD_READ, NULL);

	if (!err)
		err = check_watchers(s);
	if (!err)
		err = check_snapshots(s);
	if (!err)
		err = rbd_get_size(s->image, &report.total_bytes);
	bs_rbd_session_close(s);
	if (err)
		return err;
	err = rbd_remove_with_progress(s->io, s->spec.image, bs_rbd_report, &report);
	if (err == -EBUSY)
		bs_say("'%s' is in use", s->spec.image);
	else if (err == -ENOTEMPTY)
		bs_say("'%s' has a snapshot that was removed, but clones of it are still there",
		       s->spec.image);
	else if (err)
		bs_rbd_volume_error(s, &s->spec, "cannot remove", err);
	return err;
}

int bs_rbd_volume_remove(const struct bs_volume_args *a)
{
	struct bs_rbd_session s;
	int err = bs_rbd_session_start(a, &s);

	if (!err)
		err = s.spec.snap ? bs_rbd_snapshot_remove(a, &s) : remove_image(a, &s);
	bs_rbd_session_end(&s);
	return err;
}

/* --- another size --- */

static int may_resize(const struct bs_volume_args *a, struct bs_rbd_session *s)
{
	const bool forced = a->flags & BS_VOLUME_FORCE;
	uint64_t now_bytes;
	int err = rbd_get_size(s->image, &now_bytes);

	if (err)
		return bs_rbd_volume_error(s, &s->spec, "cannot see the size of", err);
	if (a->size_bytes >= now_bytes || forced)
		return 0;
	bs_say("it would become smaller and lose the data at its end: only if forced");
	return -EPERM;
}

static int resize(const struct bs_volume_args *a, struct bs_rbd_session *s)
{
	struct bs_rbd_report report = { .a = a, .total_bytes = a->size_bytes };
	int err = bs_rbd_volume_refuse_snapshot(&s->spec);

	if (!err)
		err = bs_rbd_session_open(s, BS_RBD_WRITE, NULL);
	if (!err)
		err = may_resize(a, s);
	if (err)
		return err;
	err = rbd_resize2(s->image, a->size_bytes, a->flags & BS_VOLUME_FORCE, bs_rbd_report,
			  &report);
	return err ? bs_rbd_volume_error(s, &s->spec, "cannot resize", err) : 0;
}

int bs_rbd_volume_resize(const struct bs_volume_args *a)
{
	struct bs_rbd_session s;
	int err = bs_rbd_session_start(a, &s);

	if (!err)
		err = resize(a, &s);
	bs_rbd_session_end(&s);
	return err;
}

/* --- looking --- */

static int add_extent(uint64_t off_bytes, size_t len_bytes, int exists, void *sum)
{
	(void)off_bytes;
	if (exists)
		*(uint64_t *)sum += len_bytes;
	return 0;
}

/* Whole objects, as they are in the map of the image.  Without that map every object
 * would have to be asked for. */
static int allocated(rbd_image_t image, uint64_t size_bytes, uint64_t *ret_bytes)
{
	uint64_t features, flags, sum = 0;
	int err = rbd_get_features(image, &features);

	if (!err)
		err = rbd_get_flags(image, &flags);
	if (err)
		return err;
	*ret_bytes = UINT64_MAX;
	if (!(features & RBD_FEATURE_FAST_DIFF) || (flags & RBD_FLAG_FAST_DIFF_INVALID))
		return 0;
	err = rbd_diff_iterate2(image, NULL, 0, size_bytes, false, true, add_extent, &sum);
	if (!err)
		*ret_bytes = sum;
	return err;
}

static int info(struct bs_rbd_session *s, struct bs_volume_info *ret)
{
	int err = bs_rbd_session_open(s, BS_RBD_READ, s->spec.snap);

	if (err)
		return err;
	err = rbd_get_size(s->image, &ret->size_bytes);
	if (!err)
		err = allocated(s->image, ret->size_bytes, &ret->allocated_bytes);
	return err ? bs_rbd_volume_error(s, &s->spec, "cannot look at", err) : 0;
}

int bs_rbd_volume_info(const struct bs_volume_args *a, struct bs_volume_info *ret)
{
	struct bs_rbd_session s;
	int err = bs_rbd_session_start(a, &s);

	if (!err)
		err = info(&s, ret);
	bs_rbd_session_end(&s);
	return err;
}

/* --- all of them --- */

typedef void found_fn(void *ctx, const char *name, uint64_t size_bytes);

/* The open image and its snapshots.  Not what goes away meanwhile. */
static int report_image(rbd_image_t image, const char *name, found_fn *found, void *ctx)
{
	rbd_snap_info_t *snaps;
	uint64_t bytes;
	int n, err = rbd_get_size(image, &bytes);

	if (!err)
		err = bs_rbd_snapshot_list(image, &snaps, &n);
	if (err)
		return err;
	found(ctx, name, bytes);
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *full = NULL;

		if (asprintf(&full, "%s@%s", name, snaps[i].name) == -1) {
			full = NULL;
			err = -ENOMEM;
			break;
		}
		found(ctx, full, snaps[i].size);
	}
	bs_rbd_snapshot_list_free(snaps);
	return err;
}

static int list_images(struct bs_rbd_session *s, rbd_image_spec_t **ret, size_t *ret_n)
{
	size_t n = 64;

	for (int tries = 0; tries < TRIES_MAX; tries++) {
		rbd_image_spec_t *images = calloc(n, sizeof(*images));
		const int err = images ? rbd_list2(s->io, images, &n) : -ENOMEM;

		if (!err) {
			*ret = images;
			*ret_n = n;
			return 0;
		}
		free(images);
		if (err != -ERANGE)
			return err;
	}
	return -EAGAIN;
}

static int list(struct bs_rbd_session *s, found_fn *found, void *ctx)
{
	rbd_image_spec_t *images;
	rbd_image_t image;
	size_t n;
	int err = list_images(s, &images, &n);

	if (err)
		return err;
	for (size_t i = 0; i < n && !err; i++) {
		err = rbd_open_by_id_read_only(s->io, images[i].id, &image, NULL);
		if (!err) {
			err = report_image(image, images[i].name, found, ctx);
			rbd_close(image);
		}
		err = err == -ENOENT ? 0 : err;
	}
	rbd_image_spec_list_cleanup(images, n);
	free(images);
	return err;
}

int bs_rbd_volume_list(const struct bs_volume_args *a, found_fn *found, void *ctx)
{
	struct bs_rbd_session s;
	int err = start(a, bs_rbd_spec_parse_pool, &s);

	if (!err) {
		err = list(&s, found, ctx);
		if (err)
			bs_say("cannot list pool '%s' as client.%s: %s", s.spec.pool,
			       s.identity.id, strerrordesc_np(-err));
	}
	bs_rbd_session_end(&s);
	return err;
}
