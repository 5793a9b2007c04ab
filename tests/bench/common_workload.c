/* SPDX-License-Identifier: BSD-3-Clause */
#include "common_workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common_util.h"

#define CORRUPT_SHOWN  5 /* then only counted */
#define CONFLICT_TRIES 256

struct bench_slot {
	uint32_t gen; /* 0: content unknown */
	uint16_t nr_readers;
	bool writing;
};

static uint64_t mix(uint64_t x) /* splitmix64's finaliser */
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t random_below(struct bench_workload *w, uint64_t n)
{
	w->rng += UINT64_C(0x9e3779b97f4a7c15);
	return (uint64_t)(((unsigned __int128)mix(w->rng) * n) >> 64);
}

void bench_workload_init(struct bench_workload *w, bool filled)
{
	w->rng = w->seed;
	if (w->verify) {
		w->slots = bench_util_alloc(w->nr_slots, sizeof(*w->slots));
		for (uint64_t i = 0; filled && i < w->nr_slots; i++)
			w->slots[i].gen = 1;
		return;
	}
	/* Not zeroes: a target might detect them, a file system might too. */
	w->fill = bench_util_alloc(1, w->block_bytes);
	for (uint32_t i = 0; i < w->block_bytes; i += 8) {
		const uint64_t word = mix(w->seed + i);

		memcpy(w->fill + i, &word, sizeof(word));
	}
}

void bench_workload_fini(struct bench_workload *w)
{
	free(w->slots);
	free(w->fill);
}

void bench_workload_phase(struct bench_workload *w, enum bench_phase phase)
{
	w->phase = phase;
	w->next = 0;
}

/*
 * A sector: its number, its generation and seed, then 62 words that follow from
 * them.  The first two tell the reader of a report what came instead.
 */
static void sector_fill(const struct bench_workload *w, uint64_t *word,
			uint64_t sector, uint32_t gen)
{
	const uint64_t base = mix(w->seed ^ mix(sector) ^ (uint64_t)gen << 32);

	word[0] = sector;
	word[1] = (uint64_t)gen << 32 | (uint32_t)w->seed;
	for (unsigned int i = 2; i < BENCH_SECTOR / 8; i++)
		word[i] = (base + i) * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t first_sector(const struct bench_workload *w, uint64_t slot)
{
	return (w->offset_bytes + slot * w->block_bytes) / BENCH_SECTOR;
}

static void pattern_fill(const struct bench_workload *w,
			 struct bench_task *task)
{
	const uint64_t first = first_sector(w, task->slot);

	for (uint32_t off = 0; off < w->block_bytes; off += BENCH_SECTOR) {
		uint64_t word[BENCH_SECTOR / 8];

		sector_fill(w, word, first + off / BENCH_SECTOR, task->gen);
		memcpy(task->buf + off, word, sizeof(word));
	}
}

static void report_corrupt(struct bench_workload *w, const struct bench_conn *c,
			   const struct bench_task *task, uint32_t off,
			   const uint64_t *want, const uint64_t *got)
{
	unsigned int i = 0;

	if (w->nr_corrupt++ >= CORRUPT_SHOWN)
		return;
	while (want[i] == got[i])
		i++;
	fprintf(stderr,
		"iscsi_load: connection %u: wrong data at byte %" PRIu64
		": expected %016" PRIx64 ", got %016" PRIx64
		" (expected sector %" PRIu64
		" generation %u; the sector says %" PRIu64
		" generation %" PRIu64 ")\n",
		c->index,
		w->offset_bytes + task->slot * w->block_bytes + off + i * 8u,
		want[i], got[i], want[0], task->gen, got[0], got[1] >> 32);
}

/* Reports one wrong sector a command. */
static void pattern_check(struct bench_workload *w, const struct bench_conn *c,
			  const struct bench_task *task)
{
	const uint64_t first = first_sector(w, task->slot);

	w->nr_checked++;
	for (uint32_t off = 0; off < w->block_bytes; off += BENCH_SECTOR) {
		uint64_t want[BENCH_SECTOR / 8], got[BENCH_SECTOR / 8];

		sector_fill(w, want, first + off / BENCH_SECTOR, task->gen);
		memcpy(got, task->buf + off, sizeof(got));
		if (memcmp(want, got, sizeof(got))) {
			report_corrupt(w, c, task, off, want, got);
			return;
		}
	}
}

static bool conflicts(const struct bench_workload *w, uint64_t slot, bool write)
{
	const struct bench_slot *s;

	if (!w->slots)
		return false;
	s = &w->slots[slot];
	return s->writing || (write && s->nr_readers);
}

static uint64_t candidate(struct bench_workload *w, struct bench_conn *c)
{
	uint64_t slot;

	if (!w->sequential)
		return random_below(w, w->nr_slots);
	slot = c->cursor;
	c->cursor = slot + 1 == w->nr_slots ? 0 : slot + 1;
	return slot;
}

static bool choose(struct bench_workload *w, struct bench_conn *c,
		   struct bench_task *task)
{
	if (w->phase != BENCH_PHASE_RUN) {
		task->write = w->phase == BENCH_PHASE_FILL;
		task->slot = w->next;
		return w->next < w->nr_slots && w->next++ < w->nr_slots;
	}
	task->write = w->read_percent < 100 &&
		      random_below(w, 100) >= w->read_percent;
	for (int i = 0; i < CONFLICT_TRIES; i++) {
		task->slot = candidate(w, c);
		if (!conflicts(w, task->slot, task->write))
			return true;
	}
	return false;
}

void bench_workload_cdb(uint8_t cdb[16], bool write, uint64_t lba,
			uint32_t nr_blocks)
{
	const be32 lba10 = be32_make((uint32_t)lba), nr = be32_make(nr_blocks);
	const be64 lba16 = be64_make(lba);

	memset(cdb, 0, 16);
	if (lba <= UINT32_MAX && nr_blocks <= UINT16_MAX) {
		cdb[0] = write ? 0x2a : 0x28;
		memcpy(cdb + 2, &lba10, 4);
		memcpy(cdb + 7, nr.b + 2, 2);
	} else {
		cdb[0] = write ? 0x8a : 0x88;
		memcpy(cdb + 2, &lba16, 8);
		memcpy(cdb + 10, &nr, 4);
	}
}

bool bench_workload_next(struct bench_workload *w, struct bench_conn *c,
			 struct bench_task *task)
{
	struct bench_slot *s;

	if (!choose(w, c, task))
		return false;
	task->len_bytes = w->block_bytes;
	bench_workload_cdb(task->cdb, task->write,
			   (w->offset_bytes + task->slot * w->block_bytes) /
				   w->lba_bytes,
			   w->block_bytes / w->lba_bytes);
	if (!w->verify) {
		task->buf = task->write ? w->fill : NULL;
		return true;
	}
	s = &w->slots[task->slot];
	task->gen = s->gen;
	if (task->write) {
		task->gen = s->gen + 1 ? s->gen + 1 : 1;
		s->writing = true;
		pattern_fill(w, task);
	} else {
		s->nr_readers++;
	}
	return true;
}

void bench_workload_done(struct bench_workload *w, const struct bench_conn *c,
			 struct bench_task *task)
{
	struct bench_slot *s;

	if (!w->verify)
		return;
	s = &w->slots[task->slot];
	if (task->write) {
		s->writing = false;
		s->gen = task->gen;
		return;
	}
	s->nr_readers--;
	if (task->gen)
		pattern_check(w, c, task);
}
