/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/log.c - one line a message, one write(2) a line, so lines of different
 * threads do not mix; a rate limit per call site, so a peer cannot fill a disk.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "base/clock.h"

#define LOG_BURST	20
#define LOG_LINE_BYTES	1024

atomic_bool log_debug_enabled;
static atomic_bool use_syslog;

static const struct {
	const char *word;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERR] = { "error: ", LOG_ERR },
	[LOG_LEVEL_WARN] = { "warning: ", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug: ", LOG_DEBUG },
};

void log_to_syslog(const char *ident)
{
	openlog(ident, LOG_PID, LOG_DAEMON);
	atomic_store(&use_syslog, true);
}

/* True if a line may pass; *ret_missed is what was held back before it. */
static bool passes(struct log_site *site, unsigned int *ret_missed)
{
	const uint64_t now = clock_now_ns() / NS_PER_SEC;

	if (atomic_exchange(&site->window, now) != now) {
		atomic_store(&site->lines, 0);
		*ret_missed = atomic_exchange(&site->suppressed, 0);
	}
	if (atomic_fetch_add(&site->lines, 1) < LOG_BURST)
		return true;
	atomic_fetch_add(&site->suppressed, 1);
	return false;
}

static void emit(enum log_level level, const char *text)
{
	char line[LOG_LINE_BYTES + 32];
	int n;

	if (atomic_load(&use_syslog)) {
		syslog(levels[level].priority, "%s", text);
		return;
	}
	n = snprintf(line, sizeof(line), "tgtd: %s%s\n", levels[level].word, text);
	n = MIN(n, (int)sizeof(line) - 1);
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;		/* nowhere left to say so */
}

void log_write(struct log_site *site, enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_BYTES];
	unsigned int missed = 0;
	va_list ap;
	int n;

	if (!passes(site, &missed))
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	n = MIN(n, (int)sizeof(text) - 1);
	if (missed)
		snprintf(text + n, sizeof(text) - (size_t)n,
			 " (%u like this one suppressed)", missed);
	emit(level, text);
}
