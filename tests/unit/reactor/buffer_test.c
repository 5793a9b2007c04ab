/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/clock.h"
#include "daemon.h"
#include "reactor/buffer.h"

#define KIB	1024ULL
#define MIB	(1024 * KIB)
#define CAP	(32 * MIB)		/* the least there is */
#define SLABS	(CAP / BUFFER_CHUNK_MAX)

/* What runs on the reactor returns NULL or what was wrong. */
struct check {
	const char *(*run)(void);
	const char *fault;
};

static void check_run(void *arg)
{
	struct check *c = arg;

	c->fault = c->run();
}

static void on_reactor(const char *(*run)(void))
{
	struct check c = { .run = run };

	call_on(reactor_group_get(0), check_run, &c);
	if (c.fault)
		fail_msg("%s", c.fault);
}

static uint64_t bytes_of(const struct buffer *b)
{
	uint64_t n = 0;

	for (int i = 0; i < b->iovcnt; i++)
		n += b->iov[i].iov_len;
	return n;
}

static const char *lengths(void)
{
	static const uint64_t sizes[] = { 1, 8, 511, 512, 513, 4096, 4097, 16384, 65535, 65536,
					  65537, 262144, MIB - 1, MIB, MIB + 1, 3 * MIB + 5,
					  BUFFER_BYTES_MAX };
	struct buffer b;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (reactor_buffer_get(&b, sizes[i]))
			return "not granted";
		if (bytes_of(&b) != sizes[i])
			return "not the bytes asked for";
		if (b.iovcnt != (int)DIV_ROUND_UP(sizes[i], MIB))
			return "not one chunk up to BUFFER_CHUNK_MAX";
		for (int k = 0; k < b.iovcnt; k++) {
			const uint64_t align = b.iov[k].iov_len <= 512 ? 512 : 4096;

			if ((uintptr_t)b.iov[k].iov_base % align)
				return "not aligned";
			memset(b.iov[k].iov_base, 0xa5, b.iov[k].iov_len);
		}
		reactor_buffer_put(&b);
		if (b.iovcnt)
			return "put leaves something";
	}
	if (reactor_buffer_get(&b, BUFFER_BYTES_MAX + 1) != -EMSGSIZE)
		return "too large a buffer is not refused";
	if (reactor_buffer_get(&b, 0) || b.iovcnt)
		return "nothing is not nothing";
	reactor_buffer_put(&b);
	return reactor_buffer_in_use() ? "bytes in use at the end" : NULL;
}

static void lengths_are_exact(void **state)
{
	(void)state;
	on_reactor(lengths);
}

#define MANY	3000

static const char *overlaps(void)
{
	static const uint64_t sizes[] = { 64, 512, 4096, 5000, 16384, 60000 };
	static struct buffer b[MANY];
	unsigned int n = 0;

	for (int round = 0; round < 3; round++) {
		for (n = 0; n < MANY; n++) {
			if (reactor_buffer_get(&b[n], sizes[(n * 7 + (unsigned int)round) %
							    ARRAY_SIZE(sizes)]))
				break;
			memset(b[n].iov[0].iov_base, (int)n, b[n].iov[0].iov_len);
		}
		/* Others between them first, so that slabs are half empty. */
		for (unsigned int step = 0; step < 2; step++)
			for (unsigned int i = step; i < n; i += 2) {
				const uint8_t *p = b[i].iov[0].iov_base;

				for (size_t k = 0; k < b[i].iov[0].iov_len; k += 61)
					if (p[k] != (uint8_t)i)
						return "two buffers share bytes";
				reactor_buffer_put(&b[i]);
			}
	}
	return reactor_buffer_in_use() ? "bytes in use at the end" : NULL;
}

static void buffers_do_not_overlap(void **state)
{
	(void)state;
	on_reactor(overlaps);
}

static const char *cap(void)
{
	static struct buffer b[SLABS + 1];
	static struct buffer small[SLABS * 256 + 1];
	unsigned int n = 0;

	while (n <= SLABS && !reactor_buffer_get(&b[n], MIB))
		n++;
	if (n != SLABS)
		return "the cap is not the cap";
	if (reactor_buffer_in_use() != CAP)
		return "in_use is not the cap";
	if (reactor_buffer_get(&small[0], 1) != -EAGAIN)
		return "more than the cap was granted";
	while (n)
		reactor_buffer_put(&b[--n]);
	/* A slab that came back whole serves any size. */
	while (n <= SLABS * 256 && !reactor_buffer_get(&small[n], 4096))
		n++;
	if (n != SLABS * 256)
		return "4 KiB: the cap is not the cap";
	while (n)
		reactor_buffer_put(&small[--n]);
	/* All or nothing. */
	for (n = 0; n < SLABS - 2; n++)
		if (reactor_buffer_get(&b[n], MIB))
			return "slabs did not come back";
	if (reactor_buffer_get(&small[0], 3 * MIB) != -EAGAIN)
		return "three slabs were granted of two";
	if (reactor_buffer_get(&small[0], 2 * MIB))
		return "a failure has kept something";
	reactor_buffer_put(&small[0]);
	while (n)
		reactor_buffer_put(&b[--n]);
	return reactor_buffer_in_use() ? "bytes in use at the end" : NULL;
}

static void the_cap_holds_and_slabs_change_size(void **state)
{
	(void)state;
	on_reactor(cap);
}

/* All slabs are cut into chunks of 16 KiB, and all but one chunk of each are free. */
static const char *pieces(void)
{
	static struct buffer small[SLABS * 64];
	const char *fault = NULL;
	struct buffer b;

	for (size_t i = 0; i < SLABS * 64; i++)
		if (reactor_buffer_get(&small[i], 16 * KIB))
			return "16 KiB: not granted";
	for (size_t i = 0; i < SLABS * 64; i++)
		if (i % 64)
			reactor_buffer_put(&small[i]);
	if (reactor_buffer_get(&b, 64 * KIB) != -EAGAIN)
		fault = "there is a chunk of 64 KiB after all";
	else if (reactor_buffer_get_promised(&b, 64 * KIB - 1))
		fault = "what was promised is not there";
	else if (bytes_of(&b) != 64 * KIB - 1 || b.iovcnt != 4)
		fault = "not the bytes asked for, in 4 pieces";
	for (int i = 0; i < b.iovcnt; i++)
		memset(b.iov[i].iov_base, 0xa5, b.iov[i].iov_len);
	reactor_buffer_put(&b);
	if (!reactor_buffer_get_promised(&b, MIB) || b.iovcnt)
		fault = "more pieces than a buffer has";
	if (reactor_buffer_get_promised(&b, 100) || b.iovcnt != 1)
		fault = "no larger chunk for a small buffer";
	reactor_buffer_put(&b);
	for (size_t i = 0; i < SLABS; i++)
		reactor_buffer_put(&small[i * 64]);
	if (reactor_buffer_in_use())
		fault = "bytes in use at the end";
	return fault;
}

static void what_is_promised_may_come_in_pieces(void **state)
{
	(void)state;
	on_reactor(pieces);
}

/* All that is promised, and a command of the largest size. */
static const char *promises(void)
{
	static struct buffer b[SLABS];
	const uint64_t promise = CAP - BUFFER_BYTES_MAX;
	const char *fault = NULL;
	struct buffer large;
	size_t n = 0;

	reactor_buffer_promise((int64_t)(promise + MIB));
	if (reactor_buffer_promised() != promise + MIB)
		fault = "the sum of promises is wrong";
	if (reactor_buffer_get(&large, BUFFER_BYTES_MAX))
		fault = "the largest command has no room";
	if (reactor_buffer_get(&b[0], 1) != -EAGAIN)
		fault = "what is promised was given to somebody else";
	for (; n < promise / MIB; n++)
		if (reactor_buffer_get_promised(&b[n], MIB))
			fault = "what was promised is not there";
	while (n)
		reactor_buffer_put(&b[--n]);
	reactor_buffer_put(&large);
	reactor_buffer_promise(-(int64_t)(promise + MIB));
	return fault;
}

static void promises_are_kept(void **state)
{
	(void)state;
	on_reactor(promises);
}

/* --- waiting --- */

struct want {
	struct buffer_waiter w;
	struct buffer b;
	uint64_t bytes;
	char name;
};

static char order[64];
static unsigned int granted_n;
static struct buffer all[SLABS];

static void granted(struct buffer_waiter *w)
{
	struct want *x = container_of(w, struct want, w);

	if (reactor_buffer_get(&x->b, x->bytes)) {
		reactor_buffer_wait(w);
		return;
	}
	order[granted_n++] = x->name;
}

static void want(struct want *x, char name, uint64_t bytes)
{
	*x = (struct want){ .bytes = bytes, .name = name, .w.granted = granted };
	list_init(&x->w.node);
	reactor_buffer_wait(&x->w);
}

static struct want wants[4];

static const char *queue(void)
{
	struct buffer b;

	for (size_t i = 0; i < SLABS; i++)
		if (reactor_buffer_get(&all[i], MIB))
			return "the arena was not empty";
	want(&wants[0], 'a', 2 * MIB);
	want(&wants[1], 'b', 512);
	want(&wants[2], 'c', MIB);
	want(&wants[3], 'd', 512);
	reactor_buffer_put(&all[0]);
	if (reactor_buffer_get(&b, 512) != -EAGAIN)
		return "one overtook the queue";
	return NULL;
}

static const char *one_is_not_enough(void)
{
	if (granted_n)
		return "somebody was served before the first";
	reactor_buffer_put(&all[1]);
	return NULL;
}

static const char *first_served(void)
{
	if (strcmp(order, "a") != 0)
		return "the first was not served alone";
	reactor_buffer_wait_cancel(&wants[2].w);
	reactor_buffer_put(&all[2]);
	return NULL;
}

static const char *rest_served(void)
{
	if (strcmp(order, "abd") != 0)
		return "not b and d, in this order, without c";
	for (size_t i = 3; i < SLABS; i++)
		reactor_buffer_put(&all[i]);
	reactor_buffer_put(&wants[0].b);
	reactor_buffer_put(&wants[1].b);
	reactor_buffer_put(&wants[3].b);
	reactor_buffer_wait_cancel(&wants[3].w);	/* harmless */
	return reactor_buffer_in_use() ? "bytes in use at the end" : NULL;
}

static void waiters_are_served_in_order(void **state)
{
	(void)state;
	on_reactor(queue);
	on_reactor(one_is_not_enough);
	on_reactor(first_served);
	on_reactor(rest_served);
}

static const char *block_and_cancel(void)
{
	memset(order, 0, sizeof(order));
	granted_n = 0;
	for (size_t i = 0; i < SLABS; i++)
		if (reactor_buffer_get(&all[i], MIB))
			return "the arena was not empty";
	reactor_buffer_put(&all[0]);
	want(&wants[0], 'a', 2 * MIB);
	want(&wants[1], 'b', 4096);
	reactor_buffer_wait_cancel(&wants[0].w);
	return NULL;
}

static const char *next_was_served(void)
{
	if (strcmp(order, "b") != 0)
		return "the second was not served when the first left";
	reactor_buffer_put(&wants[1].b);
	for (size_t i = 1; i < SLABS; i++)
		reactor_buffer_put(&all[i]);
	return NULL;
}

static void a_waiter_that_leaves_lets_others_by(void **state)
{
	(void)state;
	on_reactor(block_and_cancel);
	on_reactor(next_was_served);
}

/* --- memory --- */

static char *first_byte;

static const char *populate(void)
{
	struct buffer b[SLABS];

	for (size_t i = 0; i < SLABS; i++) {
		if (reactor_buffer_get(&b[i], MIB))
			return "the arena was not empty";
		memset(b[i].iov[0].iov_base, 1, MIB);
		if (!i || (char *)b[i].iov[0].iov_base < first_byte)
			first_byte = b[i].iov[0].iov_base;
	}
	for (size_t i = 0; i < SLABS; i++)
		reactor_buffer_put(&b[i]);
	return NULL;
}

static size_t resident(void)
{
	static unsigned char pages[CAP / 4096];
	size_t n = 0;

	assert_int_equal(mincore(first_byte, CAP, pages), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		n += pages[i] & 1;
	return n * 4096;
}

static void idle_memory_goes_back(void **state)
{
	const uint64_t deadline = clock_now_ns() + WAIT_SECONDS * NS_PER_SEC;

	(void)state;
	on_reactor(populate);
	assert_true(resident() >= CAP / 2);
	while (resident() > 8 * MIB) {
		assert_true(clock_now_ns() < deadline);
		usleep(20000);
	}
}

static int setup(void **state)
{
	(void)state;
	reactor_buffer_set_cap(1);
	daemon_start(1, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_are_exact),
		cmocka_unit_test(buffers_do_not_overlap),
		cmocka_unit_test(the_cap_holds_and_slabs_change_size),
		cmocka_unit_test(what_is_promised_may_come_in_pieces),
		cmocka_unit_test(promises_are_kept),
		cmocka_unit_test(waiters_are_served_in_order),
		cmocka_unit_test(a_waiter_that_leaves_lets_others_by),
		cmocka_unit_test(idle_memory_goes_back),
	};

	return cmocka_run_group_tests_name("reactor/buffer", tests, setup, teardown);
}
