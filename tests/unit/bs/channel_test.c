/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices, groups, channels and requests, over tests/modules/bs_ram.c. */
#include <dlfcn.h>
#include <stdatomic.h>
#include "bs/channel.h"
#include "modules.h"
#include "reactor/internal.h"

static const struct ram_counters {
	atomic_uint ops[BS_NR_OPS], fua, batches, groups, channels, devices;
	atomic_uint unmap_flags;
	struct bs_dev *_Atomic dev;
	atomic_uint in_order, disorder;
} *ram;

/* --- opening and closing --- */

struct opening {
	const struct bs_open_spec *spec;
	struct bs_device *dev;
	int err;
	char why[512];
	sem_t over;
	sem_t closed, resized;
	uint64_t size;
	bool on_control;
};

static void opened(void *arg, struct bs_device *dev, int err, const char *why)
{
	struct opening *o = arg;

	o->on_control = reactor_current() == test_daemon.control;
	o->dev = dev;
	o->err = err;
	snprintf(o->why, sizeof(o->why), "%s", why ? why : "");
	sem_post(&o->over);
}

static void open_start(void *arg)
{
	struct opening *o = arg;
	const int err = bs_open(o->spec, o->why, sizeof(o->why), opened, o);

	if (err) {
		o->err = err;
		o->on_control = true;
		sem_post(&o->over);
	}
}

static struct opening *open_store(const char *bstype, const char *bsopts, uint32_t flags)
{
	const struct bs_open_spec spec = { .bstype = bstype, .bsopts = bsopts, .flags = flags,
					   .block_bytes = 512 };
	struct opening *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	o->spec = &spec;
	sem_init(&o->over, 0, 0);
	sem_init(&o->closed, 0, 0);
	sem_init(&o->resized, 0, 0);
	call_on(test_daemon.control, open_start, o);
	wait_for(&o->over, "a store to open");
	assert_true(o->on_control);
	return o;
}

static void on_closed(void *arg)
{
	struct opening *o = arg;

	assert(reactor_current() == test_daemon.control);
	sem_post(&o->closed);
}

static void watch_closing(void *arg)
{
	struct opening *o = arg;

	bs_device_on_closed(o->dev, on_closed, o);
}

static void close_store(struct opening *o)
{
	if (o->dev) {
		call_on(test_daemon.control, watch_closing, o);
		bs_device_put(o->dev);	/* from this thread: any will do */
		wait_for(&o->closed, "a store to close");
	}
	sem_destroy(&o->over);
	sem_destroy(&o->closed);
	sem_destroy(&o->resized);
	free(o);
}

static void what_cannot_be_opened_is_said(void **state)
{
	static const struct {
		const char *bstype, *bsopts, *word;
		uint32_t flags;
		int err;
	} cases[] = {
		{ "nosuch", "", "'nosuch'", 0, -ENOENT },
		{ "abi2", "", "'abi2'", 0, -ENOENT },
		{ "ram", "colour=red", "colour", 0, -EINVAL },
		{ "ram", "", "direct", BS_OPEN_DIRECT, -EINVAL },
		{ "ram", "fail=no medium in the drive", "no medium in the drive", 0, -EIO },
		{ "ram", "", "", BS_OPEN_RDONLY, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct opening *o = open_store(cases[i].bstype, cases[i].bsopts, cases[i].flags);

		if (o->err != cases[i].err || !strstr(o->why, cases[i].word))
			fail_msg("%zu: %d '%s'", i, o->err, o->why);
		close_store(o);
	}
	assert_int_equal(atomic_load(&ram->devices), 0);
}

static void on_resized(void *arg, uint64_t size_bytes)
{
	struct opening *o = arg;

	assert(reactor_current() == test_daemon.control);
	o->size = size_bytes;
	sem_post(&o->resized);
}

static void watch_size(void *arg)
{
	struct opening *o = arg;

	bs_device_on_resized(o->dev, on_resized, o);
}

static void a_new_size_reaches_control(void **state)
{
	struct opening *o = open_store("ram", "", 0);

	(void)state;
	bs_dev_resized(atomic_load(&ram->dev), 1 << 21);	/* before anybody listens */
	call_on(test_daemon.control, watch_size, o);
	wait_for(&o->resized, "a size");
	assert_int_equal(o->size, 1 << 21);
	bs_dev_resized(atomic_load(&ram->dev), 1 << 22);
	do
		wait_for(&o->resized, "a size");
	while (o->size != 1 << 22);
	close_store(o);
}

/* --- requests --- */

#define NR_IOS	64

struct batch {
	struct opening *store;
	struct reactor *reactor;
	struct bs_channel *ch;
	struct one {
		struct bs_io io;
		struct batch *b;
	} one[NR_IOS];
	struct iovec iov[NR_IOS];
	char data[NR_IOS][512];
	unsigned int left;
	bool submitting, nested, elsewhere, failed;
	sem_t over;
};

static void io_done(struct bs_io *io, int err)
{
	struct batch *b = container_of(io, struct one, io)->b;

	b->nested |= b->submitting;
	b->elsewhere |= reactor_current() != b->reactor;
	b->failed |= err != 0;
	if (!--b->left)
		sem_post(&b->over);
}

static void batch_start(void *arg)
{
	struct batch *b = arg;

	assert(!bs_channel_get(b->store->dev, &b->ch));
	b->left = NR_IOS;
	b->submitting = true;
	for (unsigned int i = 0; i < NR_IOS; i++) {
		b->iov[i] = (struct iovec){ b->data[i], 512 };
		b->one[i].b = b;
		b->one[i].io.req = (struct bs_req){ .op = BS_WRITE, .iov = &b->iov[i],
						    .iovcnt = 1, .off_bytes = 512 * i,
						    .len_bytes = 512 };
		b->one[i].io.done = io_done;
		bs_channel_submit(b->ch, &b->one[i].io);
	}
	b->submitting = false;
	/* I/O in flight keeps the channel. */
	bs_channel_put(b->ch);
}

static void run_batch(struct opening *o, unsigned int reactor)
{
	struct batch *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->store = o;
	b->reactor = reactor_group_get(reactor);
	sem_init(&b->over, 0, 0);
	call_on(b->reactor, batch_start, b);
	wait_for(&b->over, "requests");
	assert_false(b->nested);
	assert_false(b->elsewhere);
	assert_false(b->failed);
	sem_destroy(&b->over);
	free(b);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void completions_come_later_and_on_the_same_reactor(void **state)
{
	static const char *const kinds[] = { "", "foreign", "in_order" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct opening *o = open_store("ram", kinds[i], 0);
		const unsigned int before = atomic_load(&ram->ops[BS_WRITE]);

		run_batch(o, 0);
		run_batch(o, 1);
		assert_int_equal(atomic_load(&ram->ops[BS_WRITE]) - before, 2 * NR_IOS);
		close_store(o);
		assert_int_equal(atomic_load(&ram->channels), 0);
		assert_int_equal(atomic_load(&ram->groups), 0);
		assert_int_equal(atomic_load(&ram->devices), 0);
	}
}

static void what_is_to_be_in_order_is(void **state)
{
	struct opening *o = open_store("ram", "in_order", 0);
	const unsigned int before = atomic_load(&ram->in_order);

	(void)state;
	for (int i = 0; i < 20; i++)
		run_batch(o, 0);
	assert_int_equal(atomic_load(&ram->in_order) - before, 20 * NR_IOS);
	assert_int_equal(atomic_load(&ram->disorder), 0);
	close_store(o);
}

struct hold {
	struct opening *store[2];
	struct bs_channel *ch[3];
};

static void hold_channels(void *arg)
{
	struct hold *h = arg;

	assert(!bs_channel_get(h->store[0]->dev, &h->ch[0]));
	assert(!bs_channel_get(h->store[0]->dev, &h->ch[1]));
	assert(!bs_channel_get(h->store[1]->dev, &h->ch[2]));
}

static void put_channels(void *arg)
{
	struct hold *h = arg;

	for (size_t i = 0; i < ARRAY_SIZE(h->ch); i++)
		bs_channel_put(h->ch[i]);
}

static void a_turn_flushes_once(void **state)
{
	struct hold h = { .store = { open_store("ram", "", 0), open_store("ram", "", 0) } };
	unsigned int before;

	(void)state;
	call_on(reactor_group_get(0), hold_channels, &h);	/* so the group stays */
	before = atomic_load(&ram->batches);
	run_batch(h.store[0], 0);
	call_on(reactor_group_get(0), nothing, NULL);
	assert_int_equal(atomic_load(&ram->batches) - before, 1);
	call_on(reactor_group_get(0), put_channels, &h);
	close_store(h.store[0]);
	close_store(h.store[1]);
}

static void one_group_and_one_channel_each(void **state)
{
	struct hold a = { .store = { open_store("ram", "", 0), open_store("ram", "", 0) } };
	struct hold b = a;

	(void)state;
	call_on(reactor_group_get(0), hold_channels, &a);
	call_on(reactor_group_get(1), hold_channels, &b);
	assert_ptr_equal(a.ch[0], a.ch[1]);
	assert_ptr_not_equal(a.ch[0], a.ch[2]);
	assert_ptr_not_equal(a.ch[0], b.ch[0]);
	assert_int_equal(atomic_load(&ram->groups), 2);
	assert_int_equal(atomic_load(&ram->channels), 4);
	call_on(reactor_group_get(0), put_channels, &a);
	assert_int_equal(atomic_load(&ram->groups), 1);
	call_on(reactor_group_get(1), put_channels, &b);
	assert_int_equal(atomic_load(&ram->groups), 0);
	close_store(a.store[0]);
	close_store(a.store[1]);
}

/* --- requests that are another process's work --- */

static struct {
	atomic_bool closed;
	atomic_uint held;
	void (*open)(int err);
} *gate;

static void ask_away(void *arg)
{
	*(unsigned int *)arg = reactor_current()->nr_away;
}

static unsigned int away(void)
{
	unsigned int n;

	call_on(reactor_group_get(0), ask_away, &n);
	return n;
}

static void what_is_away_is_known_until_it_is_answered(void **state)
{
	struct opening *o = open_store("gate", "", 0), *local = open_store("ram", "foreign", 0);
	struct batch *b = calloc(1, sizeof(*b));

	(void)state;
	assert_non_null(b);
	b->store = o;
	b->reactor = reactor_group_get(0);
	sem_init(&b->over, 0, 0);
	atomic_store(&gate->closed, true);
	call_on(b->reactor, batch_start, b);
	assert_int_equal(away(), NR_IOS);
	run_batch(local, 0);
	assert_int_equal(away(), NR_IOS);
	gate->open(0);
	wait_for(&b->over, "requests");
	assert_int_equal(away(), 0);
	run_batch(o, 0);		/* completed within submit() */
	assert_int_equal(away(), 0);
	sem_destroy(&b->over);
	free(b);
	close_store(local);
	close_store(o);
}

static void *symbol_of(const char *module, const char *name)
{
	void *so = dlopen(build_path(module), RTLD_NOW | RTLD_NOLOAD);
	void *symbol;

	assert_non_null(so);
	symbol = dlsym(so, name);
	assert_non_null(symbol);
	dlclose(so);
	return symbol;
}

static int setup(void **state)
{
	if (modules_up(state))
		return -1;
	ram = symbol_of("tests/modules/bs_ram.so", "bs_ram_counters");
	gate = symbol_of("tests/modules/bs_gate.so", "bs_gate_control");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_opened_is_said),
		cmocka_unit_test(a_new_size_reaches_control),
		cmocka_unit_test(completions_come_later_and_on_the_same_reactor),
		cmocka_unit_test(what_is_to_be_in_order_is),
		cmocka_unit_test(a_turn_flushes_once),
		cmocka_unit_test(one_group_and_one_channel_each),
		cmocka_unit_test(what_is_away_is_known_until_it_is_answered),
	};

	return cmocka_run_group_tests_name("bs/channel", tests, setup, modules_down);
}
