/* SPDX-License-Identifier: BSD-3-Clause */
/* gate.h - working the gate of tests/modules/bs_gate.c. */
#pragma once
#include <dlfcn.h>
#include <stdatomic.h>
#include "../lu/disk.h"

static struct gate_control {
	atomic_bool closed;
	atomic_uint held;
	void (*open)(int err);
} *gate;

static inline void gate_find(void)
{
	void *so = dlopen(build_path("tests/modules/bs_gate.so"), RTLD_NOW | RTLD_NOLOAD);

	assert_non_null(so);
	gate = dlsym(so, "bs_gate_control");
	assert_non_null(gate);
	dlclose(so);
}

static inline void gate_close(void)
{
	atomic_store(&gate->closed, true);
}

static inline void gate_open(void)
{
	gate->open(0);
}

/* Until @n requests stand before the gate. */
static inline void gate_wait_held(unsigned int n)
{
	for (unsigned int ms = 0; atomic_load(&gate->held) != n; ms++) {
		const struct timespec pause = { .tv_nsec = 1000000 };

		if (ms > WAIT_SECONDS * 1000)
			fail_msg("%u requests in the store, not %u",
				 atomic_load(&gate->held), n);
		nanosleep(&pause, NULL);
	}
}
