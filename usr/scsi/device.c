/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/device.c - SCSI logical units.
 *
 * The memory of a device and of its config outlives the last reference by a
 * grace period, so that a reader who found it in a map may still ask for one.
 */
#include "scsi/device.h"

#include <errno.h>
#include <stdlib.h>
#include "base/cleanup.h"
#include "lu/keep.h"
#include "lu/lu.h"
#include "scsi/command.h"
#include "scsi/device_type.h"

struct published {
	struct scsi_device_config config;
	struct rcu_head rcu;
};

const struct scsi_device_config scsi_device_default = {
	.vendor_id = "IET",
	.product_id = "VIRTUAL-DISK",
	.product_rev = "0001",
	.online = true,
	.lbppbe = SCSI_DEVICE_LBPPBE_STORE,
};

static struct scsi_device_config *config_new(const struct scsi_device_config *config)
{
	struct published *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->config = *config;
	return &p->config;
}

static void config_free(struct scsi_device_config *config)
{
	if (config)
		free(container_of(config, struct published, config));
}

static void config_free_rcu(struct rcu_head *head)
{
	free(container_of(head, struct published, rcu));
}

struct scsi_device *scsi_device_new(const struct scsi_device_type *type, struct lu *lu,
				    const struct scsi_device_config *config)
{
	_cleanup_free_ struct scsi_device *dev = calloc(1, sizeof(*dev));
	_cleanup_free_ void *memory = NULL;

	if (!dev)
		return NULL;
	dev->type = type;
	if (type->state_bytes) {
		memory = calloc(1, type->state_bytes);
		if (!memory)
			return NULL;
	}
	dev->config = config_new(config);
	if (!dev->config)
		return NULL;
	dev->state = TAKE_PTR(memory);
	if (type->state_init)
		type->state_init(dev->state);
	dev->lu = lu ? lu_get(lu) : NULL;
	if (lu && !lu_has_medium(lu))
		atomic_init(&dev->ejected, SCSI_DEVICE_EMPTY);
	refcount_init(&dev->refs, 1);
	if (lu)
		scsi_background_load(dev);
	return TAKE_PTR(dev);
}

struct scsi_device *scsi_device_get(struct scsi_device *dev)
{
	refcount_get(&dev->refs);
	return dev;
}

static void device_free_rcu(struct rcu_head *head)
{
	struct scsi_device *dev = container_of(head, struct scsi_device, rcu);

	config_free(dev->config);
	if (dev->type->state_fini)
		dev->type->state_fini(dev->state);
	free(dev->state);
	free(dev);
}

void scsi_device_put(struct scsi_device *dev)
{
	if (!dev || !refcount_put(&dev->refs))
		return;
	if (dev->lu)
		lu_put(dev->lu);
	call_rcu(&dev->rcu, device_free_rcu);
}

const struct scsi_device_config *scsi_device_config(const struct scsi_device *dev)
{
	return rcu_dereference(dev->config);
}

int scsi_device_set_config(struct scsi_device *dev,
			   const struct scsi_device_config *config)
{
	struct scsi_device_config *new = config_new(config), *old;

	if (!new)
		return -ENOMEM;
	old = rcu_xchg_pointer(&dev->config, new);
	call_rcu(&container_of(old, struct published, config)->rcu, config_free_rcu);
	if (!config->online && dev->lu)
		lu_watch_revoke(dev->lu);	/* tokens for its data end */
	return 0;
}

void scsi_device_resized(struct scsi_device *dev)
{
	if (lu_geometry(dev->lu)->nr_blocks)
		atomic_fetch_and(&dev->ejected, (uint8_t)~SCSI_DEVICE_NO_BLOCKS);
	else
		atomic_fetch_or(&dev->ejected, SCSI_DEVICE_NO_BLOCKS);
}

bool scsi_device_is_thin(const struct scsi_device *dev)
{
	return dev->lu && scsi_device_config(dev)->thin_provisioning &&
	       lu_store_info(dev->lu)->ops & BS_OP_BIT(BS_UNMAP);
}

bool scsi_device_has_command(const struct scsi_device *dev, const struct scsi_command *cmd)
{
	if (unlikely(cmd->tpgs) &&
	    !(atomic_load_explicit(&dev->tpgs, memory_order_relaxed) & cmd->tpgs))
		return false;
	if (unlikely(cmd->flags & SCSI_CMD_KEEPS) && !lu_keep_can())
		return false;
	if (cmd->flags & SCSI_CMD_ATOMIC && !(dev->lu && lu_atomic_bytes(dev->lu)))
		return false;
	return !(cmd->flags & SCSI_CMD_THIN) || scsi_device_is_thin(dev);
}

bool scsi_device_writable(const struct scsi_device *dev)
{
	const struct scsi_device_config *c = scsi_device_config(dev);

	return !c->readonly && !c->swp &&
	       !(dev->lu && atomic_load_explicit(&dev->lu->read_only,
						 memory_order_relaxed));
}
