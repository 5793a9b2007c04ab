/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/probe.h - static trace points (USDT) at hand-overs.
 *
 * PROBE(layer, name, ...) with up to five numbers costs one nop while nobody is
 * attached.  List them with `bpftrace -l 'usdt:build/tgtd:*'`.
 */
#pragma once

#ifdef __cppcheck__		/* does not know __VA_OPT__ */
#define PROBE(...)	((void)0)
#else
#include <sys/sdt.h>

#define PROBE_PICK_(_0, _1, _2, _3, _4, _5, macro, ...) macro
#define PROBE(layer, name, ...)						\
	PROBE_PICK_(0 __VA_OPT__(,) __VA_ARGS__, STAP_PROBE5, STAP_PROBE4, \
		    STAP_PROBE3, STAP_PROBE2, STAP_PROBE1, STAP_PROBE)	\
	(layer, name __VA_OPT__(,) __VA_ARGS__)
#endif
