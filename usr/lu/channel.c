/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/channel.c - a logical unit on one reactor; found through a list per reactor. */
#include <errno.h>
#include <stdlib.h>
#include "base/cleanup.h"
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

static int channel_open(struct lu *lu, struct lu_channel **ret_ch)
{
	_cleanup_free_ struct lu_channel *ch = calloc(1, sizeof(*ch));
	int err;

	if (!ch)
		return -ENOMEM;
	err = bs_channel_get(lu->dev, &ch->bs);
	if (err)
		return err;
	ch->lu = lu_get(lu);
	ch->info = bs_device_info(lu->dev);
	ch->reactor = reactor_current();
	list_init(&ch->in_flight);
	list_init(&ch->fences);
	list_init(&ch->finished);
	reactor_hook_init(&ch->deliver, lu_io_deliver);
	lu_qos_init(ch);
	ch->latency = lu_latency_here(lu);
	if (!channels.next)
		list_init(&channels);
	list_add(&channels, &ch->node);
	*ret_ch = TAKE_PTR(ch);
	return 0;
}

int lu_channel_get(struct lu *lu, struct lu_channel **ret_ch)
{
	struct lu_channel *ch = lu_channel_find(lu);
	int err;

	if (!ch) {
		err = channel_open(lu, &ch);
		if (err)
			return err;
	}
	ch->refs++;
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
