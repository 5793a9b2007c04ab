/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog - a VDI of a Sheepdog cluster.
 *
 * --backing-store: unix:PATH:VDI[:TAG|:SNAPID] or
 * tcp:HOST:PORT[,HOST:PORT...]:VDI[:TAG|:SNAPID]; see doc/README.sheepdog.
 *
 *	bs_sheepdog_spec	what --backing-store names
 *	bs_sheepdog_open	opening and closing
 *	bs_sheepdog_io		requests, cut at the borders of objects
 *	bs_sheepdog_piece	such a part
 *	bs_sheepdog_step	what the sheep is asked for it
 *	bs_sheepdog_spot	objects that have such parts under way
 *	bs_sheepdog_claim	who writes an object, of all reactors
 *	bs_sheepdog_reload	the map is read again: snapshots, lost connections
 *	bs_sheepdog_conn	a connection of a reactor, and when a gateway is left
 *	bs_sheepdog_stream	bytes on it
 *	bs_sheepdog_cluster	the gateways' addresses
 *	bs_sheepdog_wire	headers, results, inodes
 *	bs_sheepdog_call	requests that wait for their answer
 *	bs_sheepdog_volume	tgtimg
 */
#include "bs_sheepdog.h"
#include "bs_sheepdog_open.h"
#include "bs_sheepdog_volume.h"

static const struct bs_option options[] = {
	{ "timeout", BS_OPT_U64, 1, 3600, "30",
	  "seconds until a request that the cluster does not answer fails" },
	{ "failover", BS_OPT_TEXT, 0, 0, "safe",
	  "safe, or eager: leave a gateway that hangs with writes, which it may do later" },
	{ "lock", BS_OPT_TEXT, 0, 0, "shared", "shared, exclusive or none" },
	{ "break_lock", BS_OPT_BOOL, 0, 0, "no",
	  "take the lock although it is held" },
	{ "discard", BS_OPT_BOOL, 0, 0, "no",
	  "give space back when asked to; see the risk" },
	{ NULL }
};

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = sizeof(struct bs_module),
	.name = "sheepdog",
	.help = "a VDI of a Sheepdog cluster",
	.options = options,
	.open_flags = BS_OPEN_SYNC | BS_OPEN_DIRECT | BS_OPEN_RDONLY,
	.flags = BS_MODULE_PATH | BS_MODULE_REMOTE,
	.open = bs_sheepdog_open,
	.close = bs_sheepdog_close,
	.size = bs_sheepdog_size,
	.group_open = bs_sheepdog_conn_group_open,
	.group_close = bs_sheepdog_conn_group_close,
	.channel_open = bs_sheepdog_io_channel_open,
	.channel_close = bs_sheepdog_io_channel_close,
	.submit = bs_sheepdog_io_submit,
	.flush_batch = bs_sheepdog_io_flush_batch,
	.volume_create = bs_sheepdog_volume_create,
	.volume_remove = bs_sheepdog_volume_remove,
	.volume_resize = bs_sheepdog_volume_resize,
	.volume_snapshot = bs_sheepdog_volume_snapshot,
	.volume_clone = bs_sheepdog_volume_clone,
	.volume_list = bs_sheepdog_volume_list,
	.volume_info = bs_sheepdog_volume_info,
};
