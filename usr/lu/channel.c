/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/channel.c - a logical unit on one reactor; found through a list per reactor. */
#include <errno.h>
#include <stdlib.h>
#include "base/cleanup.h"
#include "base/rcu.h"
#include "lu/internal.h"

/* Channels leave the list when they close, so there is nothing to free at the
 * reactor's end. */
static __thread struct list_head channels;

struct lu_channel *lu_channel_find(const struct lu *lu)
{
	struct lu_channel *ch;

	if (!channels.next)
		return NULL;
	list_for_each(ch, &channels, node)
		if (ch->lu == lu)
			return ch;
	return NULL;
}

int lu_channel_open(struct lu *lu, struct bs_device *dev, struct lu_channel **ret_ch)
{
	_cleanup_free_ struct lu_channel *ch = calloc(1, sizeof(*ch));
	int err;

	if (!ch)
		return -ENOMEM;
	err = dev ? bs_channel_get(dev, &ch->bs) : 0;
	if (err)
		return err;
	ch->lu = lu_get(lu);
	ch->dev = dev;
	ch->info = dev ? bs_device_info(dev) : &lu_no_store;
	ch->refs = 1;
	list_init(&ch->node);
	ch->reactor = reactor_current();
	list_init(&ch->in_flight);
	list_init(&ch->fences);
	list_init(&ch->finished);
	reactor_hook_init(&ch->deliver, lu_io_deliver);
	lu_qos_init(ch);
	ch->latency = lu_latency_here(lu);
	*ret_ch = TAKE_PTR(ch);
	return 0;
}

void lu_channel_show(struct lu_channel *ch)
{
	struct lu_channel *old = lu_channel_find(ch->lu);

	if (old) {
		old->retired = true;
		list_del(&old->node);
	}
	if (!channels.next)
		list_init(&channels);
	list_add(&channels, &ch->node);
}

int lu_channel_get(struct lu *lu, struct lu_channel **ret_ch)
{
	struct lu_channel *ch = lu_channel_find(lu);
	int err;

	if (ch) {
		ch->refs++;
	} else {
		err = lu_channel_open(lu, rcu_dereference(lu->dev), &ch);
		if (err)
			return err;
		lu_channel_show(ch);
	}
	*ret_ch = ch;
	return 0;
}

void lu_channel_close_unused(struct lu_channel *ch)
{
	if (ch->refs || ch->nr_ios)
		return;
	assert(list_empty(&ch->in_flight) && list_empty(&ch->fences) &&
	       list_empty(&ch->qos.waiting));
	reactor_hook_disarm(&ch->deliver);
	list_del(&ch->node);
	if (ch->bs)
		bs_channel_put(ch->bs);
	lu_put(ch->lu);
	free(ch);
}

void lu_channel_put(struct lu_channel *ch)
{
	assert(ch->refs > 0);
	ch->refs--;
	lu_channel_close_unused(ch);
}

struct lu *lu_channel_lu(struct lu_channel *ch)
{
	return ch->lu;
}

bool lu_channel_throttled(const struct lu_channel *ch)
{
	return !list_empty(&ch->qos.waiting);
}

bool lu_channel_limited(const struct lu_channel *ch)
{
	return ch->qos.limited;
}
