/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/port.h - the target ports that the transport has, by their relative
 * target port identifiers.  Every target is reached through all of them.
 *
 * The transport tells them; who describes ports to initiators asks here.
 */
#pragma once
#include <stdint.h>
#include "base/rcu.h"

#define SCSI_PORTS_MAX	256

struct scsi_ports {			/* immutable */
	struct rcu_head rcu;
	unsigned int n;
	uint16_t id[];			/* ascending */
};

/* @ids in any order, any of them more than once.  Threads: control.  -ENOMEM:
 * the old ones stay. */
int scsi_port_publish(const uint16_t *ids, unsigned int n);

/* Callers are RCU readers; valid for this turn.  NULL: there is none. */
const struct scsi_ports *scsi_port_list(void);
