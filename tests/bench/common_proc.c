/* SPDX-License-Identifier: BSD-3-Clause */
#include "common_proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int add_tree(struct bench_proc *p, pid_t pid);

/* The parent of @pid, or -1. */
static pid_t parent_of(pid_t pid)
{
	char path[64], line[128];
	int parent = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	fclose(f);
	return parent;
}

static int add_children(struct bench_proc *p, pid_t pid)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int err = 0;

	if (!d)
		return -errno;
	while (!err && (e = readdir(d))) {
		const pid_t child = isdigit((unsigned char)e->d_name[0]) ?
					    (pid_t)atoi(e->d_name) :
					    -1;

		if (child > 0 && parent_of(child) == pid)
			err = add_tree(p, child);
	}
	closedir(d);
	return err;
}

static int add_tree(struct bench_proc *p, pid_t pid)
{
	for (unsigned int i = 0; i < p->nr; i++)
		if (p->pid[i] == pid)
			return 0;
	if (p->nr == BENCH_PROC_MAX)
		return -E2BIG;
	p->pid[p->nr++] = pid;
	return add_children(p, pid);
}

int bench_proc_add(struct bench_proc *p, const char *pids)
{
	while (*pids) {
		char *end;
		const long pid = strtol(pids, &end, 10);
		int err;

		if (end == pids || pid <= 0 || pid > INT_MAX ||
		    (*end && *end != ','))
			return -EINVAL;
		if (parent_of((pid_t)pid) < 0)
			return -ESRCH;
		err = add_tree(p, (pid_t)pid);
		if (err)
			return err;
		pids = *end ? end + 1 : end;
	}
	return 0;
}

uint64_t bench_proc_cpu_ns(const struct bench_proc *p)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < p->nr; i++) {
		struct timespec ts;
		clockid_t clock;

		if (clock_getcpuclockid(p->pid[i], &clock) ||
		    clock_gettime(clock, &ts))
			return 0;
		sum += (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	}
	return sum;
}

struct bench_machine bench_proc_machine(void)
{
	const uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	/* user nice system idle iowait irq softirq steal, proc_stat(5) */
	uint64_t t[8] = { 0 };
	FILE *f = fopen("/proc/stat", "re");

	if (!f)
		return (struct bench_machine){ 0 };
	if (fscanf(f, "cpu") == 0)
		for (size_t i = 0; i < 8; i++)
			if (fscanf(f, "%" SCNu64, &t[i]) != 1)
				break;
	fclose(f);
	return (struct bench_machine){
		.busy_ns = (t[0] + t[1] + t[2] + t[5] + t[6]) * tick_ns,
		.steal_ns = t[7] * tick_ns,
	};
}

/* The number after @key in /proc/@pid/@file; 0 if there is none. */
static uint64_t read_field(pid_t pid, const char *file, const char *key)
{
	char path[64], line[256], format[64];
	uint64_t value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	snprintf(format, sizeof(format), "%s %%" SCNu64, key);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, format, &value) == 1)
			break;
	fclose(f);
	return value;
}

uint64_t bench_proc_rss_bytes(const struct bench_proc *p)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < p->nr; i++)
		sum += read_field(p->pid[i], "smaps_rollup", "Rss:") * 1024;
	return sum;
}

unsigned int bench_proc_threads(const struct bench_proc *p)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < p->nr; i++)
		sum += read_field(p->pid[i], "status", "Threads:");
	return (unsigned int)sum;
}
