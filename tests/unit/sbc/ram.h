/* SPDX-License-Identifier: BSD-3-Clause */
/* ram.h - what tests/modules/bs_ram.c was asked for. */
#pragma once
#include <dlfcn.h>
#include <stdatomic.h>
#include "rig.h"

static const struct ram_counters {
	atomic_uint ops[BS_NR_OPS], fua, batches, groups, channels, devices;
	atomic_uint unmap_flags;
} *ram;

static inline int ram_start(void **state)
{
	void *so;

	rig_start_daemon(state);
	so = dlopen(build_path("tests/modules/bs_ram.so"), RTLD_NOW | RTLD_NOLOAD);
	assert_non_null(so);
	ram = dlsym(so, "bs_ram_counters");
	assert_non_null(ram);
	dlclose(so);
	return 0;
}
