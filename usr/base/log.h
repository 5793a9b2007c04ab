/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/log.h - the daemon's log: stderr in the foreground, syslog otherwise.
 *
 * Name the object in each message ("conn 12 iqn...: ..."), quote peer text with
 * text_quote().  Each call site is limited to LOG_BURST lines a second; what was
 * suppressed is counted and said with the next line that passes.  Any thread.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/macros.h"

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_site {
	atomic_uint_fast64_t window;	/* second in which lines are counted */
	atomic_uint lines;		/* of that second */
	atomic_uint suppressed;
};

/* Debug messages are formatted only when this is set (tgtd -d, sys update). */
extern atomic_bool log_debug_enabled;

void log_to_syslog(const char *ident);
void log_write(struct log_site *site, enum log_level level, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#define log_at_(level, ...) do {				\
	static struct log_site log_site_;			\
	log_write(&log_site_, level, __VA_ARGS__);		\
} while (0)

#define log_err(...)	log_at_(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...)	log_at_(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)	log_at_(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) do {					\
	if (unlikely(atomic_load_explicit(&log_debug_enabled,	\
					  memory_order_relaxed))) \
		log_at_(LOG_LEVEL_DEBUG, __VA_ARGS__);		\
} while (0)
