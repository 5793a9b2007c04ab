/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_reload.c - the map of a disk is loaded again.
 *
 * One channel does it for all: the owner.  It forbids new writes, waits until none is
 * under way on any reactor, looks the name up (and locks it again), reads the inode
 * and takes its slots; then everybody goes on.  Reads go on all the time.
 *
 * If the name has another VDI id now, a snapshot was taken, and what was open is its
 * parent.  The sheep reads the inode and writes the copy at different times, so slots
 * that were written between are not in the copy, though their data were acknowledged:
 * they are repaired, by a copy of the object.  If what was open is not an ancestor,
 * the disk was rolled back or replaced: it has other contents, and is not served.
 *
 * A reload that loses its connection ends; whoever still needs one begins anew.
 */
#include "bs_sheepdog.h"

#include <errno.h>
#include <stdlib.h>

#define RETRY_MS 200

static void begin(struct sheep_reload *r);

static struct sheep_dev *dev_of(struct sheep_reload *r)
{
	return container_of(r, struct sheep_dev, reload);
}

/* Its requests, one after another.  On its own, so that an answer may come when the disk
 * is gone. */
struct sheep_ask {
	struct sheep_xfer x;
	struct sheep_reload *reload;
};

static struct sheep_reload *of(struct sheep_xfer *x)
{
	return container_of(x, struct sheep_ask, x)->reload;
}

static enum sheep_lock_type lock_type(const struct sheep_dev *d)
{
	return d->locking == SHEEP_SHARED ? SHEEP_LOCK_SHARED :
					    SHEEP_LOCK_EXCLUSIVE;
}

/* --- the end --- */

static void end(struct sheep_reload *r)
{
	struct sheep_dev *d = dev_of(r);
	struct sheep_channel *ch;

	bs_timer_free(r->retry);
	r->retry = NULL;
	free(r->inode);
	r->inode = NULL;
	free(r->ask);
	r->ask = NULL;
	r->is_running = false;
	pthread_mutex_lock(&d->mutex);
	r->owner = NULL;
	atomic_store(&d->frozen, false);
	list_for_each(ch, &d->channels, dev_node)
		bs_sheepdog_note_post(&ch->conn->group->notes, &ch->wake);
	pthread_mutex_unlock(&d->mutex);
}

static void done(struct sheep_reload *r)
{
	atomic_store(&dev_of(r)->reloads_done, r->number);
	end(r);
}

static void die(struct sheep_reload *r, const char *why)
{
	struct sheep_dev *d = dev_of(r);

	bs_log("sheepdog: VDI %s: %s; the disk fails until it is made anew",
	       d->spec.names.name, why);
	atomic_store(&d->dead, true);
	done(r);
}

static void again(void *ctx)
{
	struct sheep_reload *r = ctx;
	struct sheep_conn *c = r->owner->conn;

	bs_timer_free(r->retry);
	r->retry = NULL;
	begin(r);
	bs_sheepdog_io_run(c);
}

/* The cluster is not ready for it. */
static void later(struct sheep_reload *r)
{
	r->retry = bs_timer_new(r->owner->conn->group->g, RETRY_MS, again, r);
	if (!r->retry)
		end(r);
}

/* --- steps --- */

static void send_it(struct sheep_reload *r,
		    void (*came)(struct sheep_xfer *x, int result))
{
	r->ask->x.done = came;
	if (bs_sheepdog_conn_send(r->owner->conn, &r->ask->x))
		later(r);
}

static void set_data(struct sheep_reload *r, const void *memory,
		     uint32_t out_bytes, uint32_t in_bytes)
{
	struct sheep_xfer *x = &r->ask->x;

	x->own.iov_base = (void *)(uintptr_t)memory;
	x->own.iov_len = out_bytes + in_bytes;
	x->data = (struct sheep_cursor){ .iov = &x->own };
	x->out_bytes = out_bytes;
	x->in_bytes = in_bytes;
}

static const le32 *slots_of(const struct sheep_reload *r)
{
	return (const le32 *)(const void *)(r->inode + 1);
}

static uint32_t nr_slots(const struct sheep_reload *r)
{
	return bs_sheepdog_wire_slots(le64_get(r->inode->size_bytes),
				      r->inode->object_exp);
}

/* True: there is no success to go on with, and what has to be is done. */
static bool failed(struct sheep_reload *r, int result)
{
	if (result == -ECONNRESET)
		end(r);
	else if (result)
		later(r);
	return result != 0;
}

static void released(struct sheep_xfer *x, int result)
{
	struct sheep_reload *r = of(x);

	(void)result; /* it is always granted */
	done(r);
}

static void take(struct sheep_reload *r)
{
	struct sheep_dev *d = dev_of(r);
	const uint32_t old_vid = atomic_load(&d->vid), n = nr_slots(r);
	const uint64_t size = le64_get(r->inode->size_bytes);

	for (uint32_t i = 0; i < n; i++)
		atomic_store_explicit(&d->slots[i], le32_get(slots_of(r)[i]),
				      memory_order_relaxed);
	atomic_store(&d->vid, r->vid);
	if (atomic_exchange(&d->size_bytes, size) != size)
		bs_dev_resized(d->dev, size);
	if (old_vid == r->vid) {
		done(r);
		return;
	}
	bs_log("sheepdog: VDI %s: a snapshot was taken; %06x continues %06x",
	       d->spec.names.name, r->vid, old_vid);
	if (d->locking == SHEEP_NO_LOCK) {
		done(r);
		return;
	}
	set_data(r, NULL, 0, 0);
	r->ask->x.h = bs_sheepdog_wire_release(old_vid, lock_type(d));
	send_it(r, released);
}

/* --- repairing --- */

static void repair(struct sheep_reload *r);

static void repair_mapped(struct sheep_xfer *x, int result)
{
	struct sheep_reload *r = of(x);

	if (result)
		atomic_store(&dev_of(r)->unsure[r->repair_at], true);
	if (failed(r, result))
		return;
	((le32 *)(void *)(r->inode + 1))[r->repair_at++] = le32_make(r->vid);
	repair(r);
}

static void repair_copied(struct sheep_xfer *x, int result)
{
	struct sheep_reload *r = of(x);

	if (result == SHEEP_NO_OBJ) { /* the other one was right */
		r->repair_at++;
		repair(r);
		return;
	}
	if (failed(r, result))
		return;
	r->word = le32_make(r->vid);
	set_data(r, &r->word, sizeof(r->word), 0);
	r->ask->x.h = bs_sheepdog_wire_object(
		SHEEP_WRITE, SHEEP_FLAG_WRITE | sheep_dev_flags(dev_of(r)),
		sheep_inode_oid(r->vid), sheep_slot_off(r->repair_at),
		sizeof(r->word));
	send_it(r, repair_mapped);
}

static void repair(struct sheep_reload *r)
{
	struct sheep_dev *d = dev_of(r);
	const uint32_t old_vid = atomic_load(&d->vid), n = nr_slots(r);
	uint32_t i = r->repair_at;

	while (i < n &&
	       (atomic_load_explicit(&d->slots[i], memory_order_relaxed) !=
			old_vid ||
		le32_get(slots_of(r)[i]) == old_vid))
		i++;
	r->repair_at = i;
	if (i == n) {
		take(r);
		return;
	}
	set_data(r, NULL, 0, 0);
	r->ask->x.h = bs_sheepdog_wire_copy(sheep_dev_flags(d),
				       sheep_data_oid(r->vid, i),
				       sheep_data_oid(old_vid, i), 0, 0);
	send_it(r, repair_copied);
}

/* --- is it the same disk? --- */

static void check_ancestor(struct sheep_reload *r);

static void parent_came(struct sheep_xfer *x, int result)
{
	struct sheep_reload *r = of(x);

	if (result == SHEEP_NO_OBJ) {
		r->ancestor = 0;
	} else {
		if (failed(r, result))
			return;
		r->ancestor = le32_get(r->word);
	}
	check_ancestor(r);
}

static void check_ancestor(struct sheep_reload *r)
{
	if (!r->ancestor) {
		die(r,
		    "it was rolled back, or replaced by another VDI of this name");
		return;
	}
	if (r->ancestor == atomic_load(&dev_of(r)->vid)) {
		r->repair_at = 0;
		repair(r);
		return;
	}
	set_data(r, &r->word, 0, sizeof(r->word));
	r->ask->x.h = bs_sheepdog_wire_object(
		SHEEP_READ, 0, sheep_inode_oid(r->ancestor),
		offsetof(struct sheep_inode, parent_vid), sizeof(r->word));
	send_it(r, parent_came);
}

/* --- loading --- */

static void read_inode(struct sheep_reload *r);

static void inode_came(struct sheep_xfer *x, int result)
{
	struct sheep_reload *r = of(x);
	struct sheep_dev *d = dev_of(r);
	const char *wrong;

	if (failed(r, result))
		return;
	wrong = bs_sheepdog_wire_check_inode(r->inode, r->vid);
	if (!wrong && r->inode->object_exp != d->object_exp)
		wrong = "its object size is another one";
	if (wrong) {
		die(r, wrong);
	} else if (le64_get(r->inode->snapped) && !d->is_snapshot) {
		later(r); /* its successor is not there yet */
	} else if (sheep_slot_off(nr_slots(r)) > r->inode_bytes) {
		r->inode_bytes = sheep_slot_off(nr_slots(r)); /* it has grown */
		read_inode(r);
	} else if (r->vid == atomic_load(&d->vid)) {
		take(r);
	} else {
		r->ancestor = le32_get(r->inode->parent_vid);
		check_ancestor(r);
	}
}

static void read_inode(struct sheep_reload *r)
{
	set_data(r, r->inode, 0, r->inode_bytes);
	r->ask->x.h = bs_sheepdog_wire_object(SHEEP_READ, 0, sheep_inode_oid(r->vid),
					 0, r->inode_bytes);
	send_it(r, inode_came);
}

static void looked_up(struct sheep_xfer *x, int result)
{
	struct sheep_reload *r = of(x);

	if (result == SHEEP_NO_VDI || result == SHEEP_NO_TAG) {
		die(r, "there is no VDI of this name any more");
		return;
	}
	if (failed(r, result))
		return;
	r->vid = le32_get(x->reply.vid);
	read_inode(r);
}

static void look_up(struct sheep_reload *r, enum sheep_op op,
		    void (*came)(struct sheep_xfer *x, int result))
{
	struct sheep_dev *d = dev_of(r);

	set_data(r, &d->spec.names, sizeof(d->spec.names), 0);
	r->ask->x.h = bs_sheepdog_wire_lookup(op, 0, lock_type(d));
	send_it(r, came);
}

/* Locked is as good: the lock is the sheep's, and stands though we were away. */
static void locked(struct sheep_xfer *x, int result)
{
	if (result == SHEEP_VDI_LOCKED)
		look_up(of(x), SHEEP_GET_VDI_INFO, looked_up);
	else
		looked_up(x, result);
}

static struct sheep_ask *ask_new(struct sheep_reload *r)
{
	struct sheep_ask *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	list_init(&a->x.node);
	a->reload = r;
	return a;
}

static void begin(struct sheep_reload *r)
{
	struct sheep_dev *d = dev_of(r);
	const uint32_t slots = bs_sheepdog_wire_slots(
		atomic_load(&d->size_bytes), d->object_exp);

	/* Of a shared lock exactly this validates what the gateway has. */
	r->inode_bytes = d->coherent ? (uint32_t)SHEEP_INODE_BYTES :
				       sheep_slot_off(slots);
	if (!r->inode)
		r->inode = calloc(1, SHEEP_INODE_BYTES);
	if (!r->ask)
		r->ask = ask_new(r);
	if (!r->inode || !r->ask) {
		later(r);
	} else if (d->is_snapshot) {
		r->vid = atomic_load(&d->vid);
		read_inode(r);
	} else if (d->locking == SHEEP_NO_LOCK) {
		look_up(r, SHEEP_GET_VDI_INFO, looked_up);
	} else {
		look_up(r, SHEEP_LOCK_VDI, locked);
	}
}

/* --- the beginning --- */

static bool writes_are_under_way(struct sheep_dev *d)
{
	const struct sheep_channel *ch;
	bool any = false;

	pthread_mutex_lock(&d->mutex);
	list_for_each(ch, &d->channels, dev_node)
		any |= atomic_load(&ch->nr_live) != 0;
	pthread_mutex_unlock(&d->mutex);
	return any;
}

static bool is_owner(const struct sheep_channel *ch)
{
	struct sheep_dev *d = ch->d;
	bool is;

	pthread_mutex_lock(&d->mutex);
	is = d->reload.owner == ch;
	pthread_mutex_unlock(&d->mutex);
	return is;
}

void bs_sheepdog_reload_go_on(struct sheep_channel *ch)
{
	struct sheep_reload *r = &ch->d->reload;

	if (!is_owner(ch) || r->is_running || writes_are_under_way(ch->d))
		return;
	r->is_running = true;
	r->number = atomic_fetch_add(&ch->d->reloads_begun, 1) + 1;
	begin(r);
}

void bs_sheepdog_reload_start(struct sheep_channel *ch)
{
	struct sheep_dev *d = ch->d;
	bool mine;

	if (ch->conn->state != SHEEP_CONN_UP)
		return; /* it begins when it is */
	pthread_mutex_lock(&d->mutex);
	mine = !d->reload.owner;
	if (mine) {
		d->reload.owner = ch;
		atomic_store(&d->frozen, true);
	}
	pthread_mutex_unlock(&d->mutex);
	if (mine)
		bs_sheepdog_reload_go_on(ch);
}

void bs_sheepdog_reload_need(struct sheep_channel *ch)
{
	ch->reload_needed = atomic_load(&ch->d->reloads_begun) + 1;
	bs_sheepdog_reload_start(ch);
}

/* Either the owner sees that this write is under way, or this write that it may not
 * be: both are told before they look (and all of it is sequentially consistent). */
bool bs_sheepdog_reload_write_begin(struct sheep_channel *ch)
{
	atomic_fetch_add(&ch->nr_live, 1);
	if (!atomic_load(&ch->d->frozen))
		return true;
	bs_sheepdog_reload_write_end(ch);
	return false;
}

void bs_sheepdog_reload_write_end(struct sheep_channel *ch)
{
	struct sheep_dev *d = ch->d;

	if (atomic_fetch_sub(&ch->nr_live, 1) != 1 || !atomic_load(&d->frozen))
		return;
	pthread_mutex_lock(&d->mutex);
	if (d->reload.owner)
		bs_sheepdog_note_post(&d->reload.owner->conn->group->notes,
				      &d->reload.owner->wake);
	pthread_mutex_unlock(&d->mutex);
}

static void orphan_came(struct sheep_xfer *x, int result)
{
	(void)result;
	free(container_of(x, struct sheep_ask, x));
}

/* The answer to what has left has nowhere to go. */
static void orphan(struct sheep_reload *r, struct sheep_conn *c)
{
	if (bs_sheepdog_conn_copy_rest(c, &r->ask->x)) {
		bs_sheepdog_conn_drop(c, "no memory to close a disk",
				      SHEEP_ALIVE);
		return;
	}
	if (r->ask->x.in_bytes)
		bs_sheepdog_conn_disown(c, &r->ask->x);
	r->ask->x.done = orphan_came;
	r->ask = NULL;
}

void bs_sheepdog_reload_leave(struct sheep_channel *ch)
{
	struct sheep_reload *r = &ch->d->reload;

	if (!is_owner(ch))
		return;
	if (r->ask && r->ask->x.at_sheep &&
	    !bs_sheepdog_conn_unsend(ch->conn, &r->ask->x))
		orphan(r, ch->conn);
	if (is_owner(ch))
		end(r);
}
