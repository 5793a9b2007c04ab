/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_open.c - a VDI is found, locked and its map read; and let go again.
 *
 * On a cluster that keeps locks (dog cluster format -l) a lock belongs to the sheep,
 * not to us: it outlives a client that dies.  On others locking is a look-up.
 */
#include "bs_sheepdog.h"
#include "bs_sheepdog_call.h"
#include "bs_sheepdog_open.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "base/cleanup.h"
#include "base/clock.h"

#define CLOSE_MS 3000

/* --- memory --- */

static void dev_free(struct sheep_dev *d)
{
	if (d->slots)
		munmap(d->slots, sizeof(*d->slots) * SHEEP_SLOTS);
	if (d->claims)
		munmap(d->claims, sizeof(*d->claims) * SHEEP_SLOTS);
	if (d->unsure)
		munmap(d->unsure, sizeof(*d->unsure) * SHEEP_SLOTS);
	bs_sheepdog_cluster_put(d->cluster);
	pthread_mutex_destroy(&d->mutex);
	free(d);
}
DEFINE_CLEANUP(struct sheep_dev *, dev_free)

/* For the largest map there is, so that it may grow; what is not used takes no memory. */
static void *map_memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static struct sheep_dev *dev_new(void)
{
	struct sheep_dev *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	pthread_mutex_init(&d->mutex, NULL);
	list_init(&d->channels);
	list_init(&d->claimants);
	d->slots = map_memory(sizeof(*d->slots) * SHEEP_SLOTS);
	d->claims = map_memory(sizeof(*d->claims) * SHEEP_SLOTS);
	d->unsure = map_memory(sizeof(*d->unsure) * SHEEP_SLOTS);
	if (d->slots && d->claims && d->unsure)
		return d;
	dev_free(d);
	return NULL;
}

/* --- locking --- */

static enum sheep_lock_type lock_type(const struct sheep_dev *d)
{
	return d->locking == SHEEP_SHARED ? SHEEP_LOCK_SHARED :
					    SHEEP_LOCK_EXCLUSIVE;
}

static void unlock(struct sheep_dev *d, struct sheep_call *c, uint32_t vid)
{
	const struct sheep_header h =
		bs_sheepdog_wire_release(vid, lock_type(d));

	bs_sheepdog_call(c, &h, NULL, NULL, 0);
}

static int lock_once(struct sheep_dev *d, struct sheep_call *c,
		     uint32_t *ret_vid)
{
	return bs_sheepdog_call_lookup(c, SHEEP_LOCK_VDI, &d->spec.names, 0,
				       lock_type(d), ret_vid);
}

static int look_up(struct sheep_dev *d, struct sheep_call *c, uint32_t *ret_vid)
{
	return bs_sheepdog_call_lookup(c, SHEEP_GET_VDI_INFO, &d->spec.names,
				       d->spec.snapid, 0, ret_vid);
}

/* A lock that stands may be that of a client that died. */
static int break_lock(struct sheep_dev *d, struct sheep_call *c,
		      uint32_t *ret_vid)
{
	int err = look_up(d, c, ret_vid);

	if (err)
		return err;
	bs_log("sheepdog: VDI %s: its lock is broken, as break_lock says",
	       d->spec.names.name);
	unlock(d, c, *ret_vid);
	return lock_once(d, c, ret_vid);
}

/*
 * A second lock through the same sheep is refused where locks are kept, and only there
 * a shared one means that other gateways may write.
 */
static int find_coherence(struct sheep_dev *d, struct sheep_call *c)
{
	uint32_t vid;
	const int err = lock_once(d, c, &vid);

	if (err && err != -EBUSY)
		return err;
	d->coherent = err == -EBUSY && d->locking == SHEEP_SHARED;
	if (!err)
		d->locking = SHEEP_NO_LOCK;
	if (d->coherent && d->spec.nr_gateways > 1) {
		bs_say("a shared lock is that of one sheep: name one gateway, or set "
		       "lock=exclusive");
		return -EINVAL;
	}
	return 0;
}

static int lock(struct sheep_dev *d, struct sheep_call *c, bool breaks,
		uint32_t *ret_vid)
{
	int err = lock_once(d, c, ret_vid);

	if (err == -EBUSY && breaks)
		err = break_lock(d, c, ret_vid);
	if (err == -EBUSY)
		bs_say("VDI %s is locked, by another client or by one that has died; if it is "
		       "the latter: dog vdi lock unlock %s, or bsopts break_lock=yes",
		       d->spec.names.name, d->spec.names.name);
	if (err)
		return err;
	err = find_coherence(d, c);
	if (err)
		unlock(d, c, *ret_vid);
	return err;
}

/* --- the inode --- */

static int load(struct sheep_dev *d, struct sheep_call *c, uint32_t vid)
{
	_cleanup_free_ struct sheep_inode *inode = calloc(1, SHEEP_INODE_BYTES);
	const le32 *slots;
	const char *wrong;
	uint32_t n;
	int err;

	if (!inode)
		return -ENOMEM;
	slots = (const le32 *)(const void *)(inode + 1);
	err = bs_sheepdog_call_read(
		c, "its inode", sheep_inode_oid(vid), 0, inode,
		d->coherent ? SHEEP_INODE_BYTES : sizeof(*inode));
	if (err)
		return err;
	wrong = bs_sheepdog_wire_check_inode(inode, vid);
	if (wrong) {
		bs_say("VDI %s: %s", d->spec.names.name, wrong);
		return -EINVAL;
	}
	n = bs_sheepdog_wire_slots(le64_get(inode->size_bytes),
				   inode->object_exp);
	if (!d->coherent)
		err = bs_sheepdog_call_read(c, "its map", sheep_inode_oid(vid),
					    sizeof(*inode), inode + 1, 4 * n);
	if (err)
		return err;
	for (uint32_t i = 0; i < n; i++)
		atomic_init(&d->slots[i], le32_get(slots[i]));
	d->object_exp = inode->object_exp;
	d->is_snapshot = le64_get(inode->snapped) != 0;
	atomic_init(&d->vid, vid);
	atomic_init(&d->size_bytes, le64_get(inode->size_bytes));
	return 0;
}

/* Sheep of today keep no cache, and say so by refusing to flush it. */
static int find_cache(struct sheep_dev *d, struct sheep_call *c)
{
	const struct sheep_header h = bs_sheepdog_wire_object(
		SHEEP_FLUSH_VDI, 0, sheep_inode_oid(atomic_load(&d->vid)), 0,
		0);
	const int err = bs_sheepdog_call(c, &h, NULL, NULL, 0);

	d->has_cache = !err && c->result == SHEEP_SUCCESS;
	return err;
}

static void describe(const struct sheep_dev *d, struct bs_dev_info *info)
{
	*info = (struct bs_dev_info){
		.size_bytes = atomic_load(&d->size_bytes),
		.ops = BS_OP_BIT(BS_READ) | BS_OP_BIT(BS_BLOCK_STATUS),
		.phys_block_bytes = 4096,	/* of the file systems beneath the sheep, as a rule */
		.optimal_bytes = 1U << d->object_exp,
		.read_only = d->is_snapshot,
		.reads_zero = true,
	};
	if (d->is_snapshot)
		return;
	info->ops |= BS_OP_BIT(BS_WRITE) | BS_OP_BIT(BS_WRITE_ZEROES) |
		     BS_OP_BIT(BS_FLUSH);
	info->write_cache = d->has_cache;
	if (!d->discards)
		return;
	info->ops |= BS_OP_BIT(BS_UNMAP);
	info->thin = true;
	info->unmap_granularity_bytes = 1U << d->object_exp;
}

/* --- opening and closing --- */

static int parse_locking(const char *text, enum sheep_locking *ret)
{
	static const char *const names[] = {
		[SHEEP_NO_LOCK] = "none",
		[SHEEP_SHARED] = "shared",
		[SHEEP_EXCLUSIVE] = "exclusive",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], text)) {
			*ret = i;
			return 0;
		}
	bs_say("lock=%.40s: must be shared, exclusive or none", text);
	return -EINVAL;
}

static int parse_failover(const char *text, bool *ret_eager)
{
	*ret_eager = !strcmp(text, "eager");
	if (*ret_eager || !strcmp(text, "safe"))
		return 0;
	bs_say("failover=%.40s: must be safe or eager", text);
	return -EINVAL;
}

static int configure(struct sheep_dev *d, const struct bs_params *params)
{
	int err;

	d->timeout_ns = bs_param_u64(params, "timeout") * NS_PER_SEC;
	d->discards = bs_param_bool(params, "discard");
	err = parse_failover(bs_param_text(params, "failover"), &d->is_eager);
	return err ? err : parse_locking(bs_param_text(params, "lock"), &d->locking);
}

static int find(struct sheep_dev *d, struct sheep_call *c, bool breaks)
{
	uint32_t vid;
	int err;

	if (sheep_spec_is_snapshot(&d->spec))
		d->locking = SHEEP_NO_LOCK;
	err = d->locking == SHEEP_NO_LOCK ? look_up(d, c, &vid) :
					    lock(d, c, breaks, &vid);
	if (err)
		return err;
	err = load(d, c, vid);
	if (!err && d->is_snapshot && !sheep_spec_is_snapshot(&d->spec)) {
		bs_say("a snapshot of VDI %s is being taken: try again",
		       d->spec.names.name);
		err = -EAGAIN;
	}
	if (!err)
		err = find_cache(d, c);
	if (err && d->locking != SHEEP_NO_LOCK)
		unlock(d, c, vid);
	return err;
}

int bs_sheepdog_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	_cleanup_(dev_freep) struct sheep_dev *d = dev_new();
	struct sheep_call c;
	int err;

	if (!d)
		return -ENOMEM;
	d->dev = dev;
	err = bs_sheepdog_spec_parse(args->path, SHEEP_SPEC_VDI, &d->spec);
	if (!err)
		err = configure(d, args->params);
	if (!err)
		err = bs_sheepdog_cluster_get(&d->spec, &d->cluster);
	if (!err)
		err = bs_sheepdog_call_open(
			&c, d->cluster,
			(unsigned int)(d->timeout_ns / NS_PER_MS));
	if (err)
		return err;
	err = find(d, &c, bs_param_bool(args->params, "break_lock"));
	bs_sheepdog_call_close(&c);
	if (err)
		return err;
	describe(d, &dev->info);
	dev->priv = TAKE_PTR(d);
	return 0;
}

/* A sheep that does not answer keeps the lock: that is what it does when we die, too. */
void bs_sheepdog_close(struct bs_dev *dev)
{
	struct sheep_dev *d = dev->priv;
	struct sheep_call c;

	if (d->locking != SHEEP_NO_LOCK &&
	    !bs_sheepdog_call_open(&c, d->cluster, CLOSE_MS)) {
		unlock(d, &c, atomic_load(&d->vid));
		bs_sheepdog_call_close(&c);
	}
	dev_free(d);
}

/* The slots of what has been added are as those of the rest: read, though they should
 * be 0. */
int bs_sheepdog_size(struct bs_dev *dev, uint64_t *ret_bytes)
{
	struct sheep_dev *d = dev->priv;
	const uint64_t inode = sheep_inode_oid(atomic_load(&d->vid));
	struct sheep_call c;
	le64 size;
	int err = bs_sheepdog_call_open(
		&c, d->cluster, (unsigned int)(d->timeout_ns / NS_PER_MS));

	if (err)
		return err;
	err = bs_sheepdog_call_read(&c, "its size", inode,
				    offsetof(struct sheep_inode, size_bytes),
				    &size, sizeof(size));
	bs_sheepdog_call_close(&c);
	if (!err)
		*ret_bytes = le64_get(size);
	return err;
}
