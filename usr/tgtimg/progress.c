/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtimg/progress.c - one line on stderr, written anew; nothing where stderr is not
 * a terminal. */
#include "tgtimg/progress.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/macros.h"

#define BAR_COLUMNS	40
#define REDRAW_NS	(NS_PER_SEC / 10)

static volatile sig_atomic_t told_to_stop;
static struct {
	bool terminal, drawn;
	uint64_t drawn_ns;
} bar;

static void stop(int number)
{
	told_to_stop = number;
}

void tgtimg_progress_start(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction act = { .sa_handler = stop };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaction(numbers[i], &act, NULL);
	bar.terminal = isatty(STDERR_FILENO);
}

int tgtimg_progress_report(void *unused, uint64_t done_bytes, uint64_t total_bytes)
{
	static const char full[] = "########################################";
	const uint64_t now = clock_now_ns();
	const double part = total_bytes ? (double)done_bytes / (double)total_bytes : 1;

	static_assert(sizeof(full) == BAR_COLUMNS + 1, "one # a column");
	(void)unused;
	if (bar.terminal && (now - bar.drawn_ns >= REDRAW_NS || done_bytes == total_bytes)) {
		fprintf(stderr, "\r[%-*.*s] %3d %%  %llu of %llu MiB", BAR_COLUMNS,
			(int)(part * BAR_COLUMNS), full, (int)(part * 100),
			(unsigned long long)(done_bytes >> 20),
			(unsigned long long)(total_bytes >> 20));
		bar.drawn = true;
		bar.drawn_ns = now;
	}
	return told_to_stop;
}

void tgtimg_progress_end(void)
{
	if (bar.drawn)
		fputc('\n', stderr);
}
