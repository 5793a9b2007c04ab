/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd - images of Ceph, through librbd.
 *
 * --backing-store: [pool/[namespace/]]image[@snapshot]; a snapshot is read-only.
 * Options: see options[] and doc/README.rbd.
 */
#include "bs_rbd.h"
#include "bs_rbd_volume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"

#define DISCARD_GRANULARITY	65536U	/* where librbd does not tell */

static const struct bs_option options[] = {
	BS_RBD_IDENTITY_OPTIONS,
	{ "lock", BS_OPT_TEXT, .fallback = "shared", .help =
		"shared: the lock goes to who writes; exclusive: nobody else may; none" },
	BS_RBD_VOLUME_OPTIONS,
	{ 0 },
};

/* --- disks --- */

struct bs_rbd *bs_rbd_get(struct bs_rbd *d)
{
	atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
	return d;
}

void bs_rbd_put(struct bs_rbd *d)
{
	if (atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	pthread_mutex_destroy(&d->mutex);
	bs_rbd_spec_free(&d->spec);
	bs_rbd_identity_free(&d->identity);
	free(d->name);
	free(d);
}

static int parse_lock(const char *text, enum bs_rbd_lock *ret, struct bs_rbd_why *why)
{
	static const char *const names[] = {
		[BS_RBD_LOCK_SHARED] = "shared",
		[BS_RBD_LOCK_EXCLUSIVE] = "exclusive",
		[BS_RBD_LOCK_NONE] = "none",
	};

	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		if (!strcmp(text, names[n])) {
			*ret = (enum bs_rbd_lock)n;
			return 0;
		}
	return bs_rbd_why_set(why, -EINVAL, "lock= is shared, exclusive or none, not '%s'", text);
}

/* What is said of new images is no wish that a disk could fulfil. */
static int refuse_volume_options(const struct bs_params *params, struct bs_rbd_why *why)
{
	static const struct bs_option options_of_volumes[] = { BS_RBD_VOLUME_OPTIONS };

	for (size_t n = 0; n < ARRAY_SIZE(options_of_volumes); n++)
		if (bs_param_is_set(params, options_of_volumes[n].name))
			return bs_rbd_why_set(why, -EINVAL,
					      "%s= is for tgtimg, when an image is made: leave it out",
					      options_of_volumes[n].name);
	return 0;
}

static int disk_new(const struct bs_open_args *args, struct bs_rbd **ret, struct bs_rbd_why *why)
{
	struct bs_rbd *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	atomic_init(&d->refs, 1);
	pthread_mutex_init(&d->mutex, NULL);
	list_init(&d->node);
	d->read_only = args->flags & BS_OPEN_RDONLY;
	d->name = strdup(args->path);
	err = d->name ? bs_rbd_spec_parse(args->path, &d->spec, why) : -ENOMEM;
	if (!err)
		err = bs_rbd_identity_parse(args->params, &d->identity, why);
	if (!err)
		err = parse_lock(bs_param_text(args->params, "lock"), &d->lock, why);
	if (!err)
		err = refuse_volume_options(args->params, why);
	if (err)
		bs_rbd_put(d);
	else
		*ret = d;
	return err;
}

/* --- opening and closing --- */

static uint32_t granularity(const struct bs_rbd_image *i)
{
	const uint64_t unit = MIN(i->stripe_unit, (uint64_t)i->info.obj_size);
	unsigned long bytes;
	char text[32];

	if (rados_conf_get(bs_rbd_cluster_rados(i->cluster), "rbd_discard_granularity_bytes", text,
			   sizeof(text)))
		return DISCARD_GRANULARITY;
	bytes = strtoul(text, NULL, 10);
	return (uint32_t)MIN(bytes ? bytes : DISCARD_GRANULARITY, unit);
}

static void fill_info(struct bs_dev_info *info, const struct bs_rbd_image *i,
		      enum bs_rbd_lock lock)
{
	const uint32_t ops = bs_rbd_io_ops(i);

	*info = (struct bs_dev_info){
		.size_bytes = i->info.size,
		.ops = ops,
		.phys_block_bytes = 4096,	/* BlueStore's */
		.optimal_bytes = (uint32_t)MIN(i->stripe_unit * i->stripe_count,
					       (uint64_t)UINT32_MAX),
		.read_only = i->read_only,
		.write_cache = i->caches,
		.shared = lock != BS_RBD_LOCK_EXCLUSIVE,
	};
	if (ops & BS_OP_BIT(BS_COMPARE_AND_WRITE))
		info->atomic_bytes = BS_RBD_ATOMIC_BYTES;
	if (ops & BS_OP_BIT(BS_UNMAP)) {
		info->thin = info->reads_zero = true;
		info->unmap_granularity_bytes = granularity(i);
	}
}

static int say(int err, const struct bs_rbd_why *why)
{
	if (*why->text)
		bs_say("%s", why->text);
	return err;
}

static int rbd_module_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	struct bs_rbd_why why = { "" };
	struct bs_rbd_image *i;
	struct bs_rbd *d;
	int err = disk_new(args, &d, &why);

	if (err)
		return say(err, &why);
	err = bs_rbd_image_open_bounded(d, &i, &why);
	if (err) {
		bs_rbd_put(d);
		return say(err, &why);
	}
	d->dev = dev;
	d->image = i;
	atomic_store(&d->size_bytes, i->info.size);
	fill_info(&dev->info, i, d->lock);
	d->read_only = i->read_only;
	dev->priv = d;
	bs_rbd_image_watch(i, d);
	bs_rbd_recover_add(d);
	return 0;
}

static void rbd_module_close(struct bs_dev *dev)
{
	struct bs_rbd *d = dev->priv;
	struct bs_rbd_image *i;

	bs_rbd_recover_remove(d);
	pthread_mutex_lock(&d->mutex);
	d->dev = NULL;
	i = d->image;
	d->image = NULL;
	pthread_mutex_unlock(&d->mutex);
	if (i)
		bs_rbd_image_close(i, d->identity.timeout_s);
	bs_rbd_put(d);
}

static int rbd_module_size(struct bs_dev *dev, uint64_t *ret_bytes)
{
	struct bs_rbd *d = dev->priv;
	struct bs_rbd_image *i;
	int err;

	pthread_mutex_lock(&d->mutex);
	i = d->image;
	if (i)
		bs_rbd_image_get(i);
	pthread_mutex_unlock(&d->mutex);
	if (!i) {
		bs_say("the cluster has blocklisted this client; the image is not open again yet");
		return -ENXIO;
	}
	err = bs_rbd_image_size(i, d->identity.timeout_s, ret_bytes);
	if (err == -ETIMEDOUT)
		bs_say("the OSDs do not answer within %u s", d->identity.timeout_s);
	else if (err)
		bs_say("%s", strerror(-err));
	else
		atomic_store(&d->size_bytes, *ret_bytes);
	bs_rbd_image_put(i);
	return err;
}

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = sizeof(struct bs_module),
	.name = "rbd",
	.help = "an image of a Ceph cluster",
	.options = options,
	.open_flags = BS_OPEN_RDONLY,
	.flags = BS_MODULE_PATH,
	.open = rbd_module_open,
	.close = rbd_module_close,
	.channel_open = bs_rbd_channel_open,
	.channel_close = bs_rbd_channel_close,
	.submit = bs_rbd_submit,
	.size = rbd_module_size,
	.volume_create = bs_rbd_volume_create,
	.volume_remove = bs_rbd_volume_remove,
	.volume_resize = bs_rbd_volume_resize,
	.volume_snapshot = bs_rbd_volume_snapshot,
	.volume_clone = bs_rbd_volume_clone,
	.volume_list = bs_rbd_volume_list,
	.volume_info = bs_rbd_volume_info,
};
