/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_spec.h - which VDI of which cluster a --backing-store names:
 *
 *	unix:PATH:VDI[:TAG|:SNAPID]
 *	tcp:HOST:PORT[,HOST:PORT...]:VDI[:TAG|:SNAPID]	HOST may be [IPv6]
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bs_sheepdog_wire.h"

#define SHEEP_GATEWAYS_MAX 8

struct sheep_gateway { /* tcp */
	char host[256];
	char port[6];
};

struct sheep_spec {
	char path[108];		  /* unix: the socket; "" for tcp */
	unsigned int nr_gateways; /* tcp: at least 1 */
	struct sheep_gateway gateways[SHEEP_GATEWAYS_MAX];
	struct sheep_names names; /* tag: "" if none was given */
	uint32_t snapid;	  /* 0 if none was given */
};

static inline bool sheep_spec_is_snapshot(const struct sheep_spec *s)
{
	return s->names.tag[0] || s->snapid;
}

enum sheep_spec_of { SHEEP_SPEC_VDI, SHEEP_SPEC_CLUSTER };

/*
 * Parse @text; a cluster's may end before the VDI.  0, or -EINVAL and bs_say() with
 * what is wrong.
 */
int bs_sheepdog_spec_parse(const char *text, enum sheep_spec_of what,
			   struct sheep_spec *ret);
