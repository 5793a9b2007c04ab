/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reactor/buffer.c - an arena of 1 MiB slabs, each cut into chunks of one size.
 *
 * A slab knows its free chunks by a bitmap beside the arena, so that neither
 * getting nor giving back touches the memory itself.  A slab whose last chunk
 * came back may serve another size next time.  Slabs that stayed free during a
 * whole interval go back to the system, but for a few; the address space of the
 * arena is reserved once and never grows: that is the cap.
 *
 * Everything is the reactor's own: no lock, no atomic.
 */
#include "reactor/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "base/log.h"
#include "reactor/reactor.h"
#include "reactor/timer.h"

#if defined(__SANITIZE_ADDRESS__)
#define BUFFER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BUFFER_ASAN 1
#endif
#endif

#ifdef BUFFER_ASAN
#include <sanitizer/asan_interface.h>
#define poison(p, bytes)	ASAN_POISON_MEMORY_REGION(p, bytes)
#define unpoison(p, bytes)	ASAN_UNPOISON_MEMORY_REGION(p, bytes)
#else
#define poison(p, bytes)	((void)(p), (void)(bytes))
#define unpoison(p, bytes)	((void)(p), (void)(bytes))
#endif

#define SLAB_EXP	20
#define SLAB_BYTES	(1U << SLAB_EXP)
#define WORD_BITS	64U
#define WORDS_MAX	32U

#define CAP_DEFAULT	(256ULL << 20)
#define CAP_MIN		(2 * BUFFER_BYTES_MAX)
#define KEEP_SLABS	4U	/* free ones that stay populated */
#define TRIM_MS		1000U	/* a slab must be unneeded for this long */
#define TRIM_SLABS	64U	/* given back at a time, so a turn stays short */

/* log2 of the chunk sizes: 512 B for small parameter data, then by four. */
static const uint8_t class_exp[] = { 9, 12, 14, 16, 18, 20 };
#define NR_CLASSES	ARRAY_SIZE(class_exp)
#define PIECE_EXP_MIN	14	/* parameter lists are to be in one piece */

static_assert(SLAB_BYTES == BUFFER_CHUNK_MAX, "the largest chunk is a slab");
static_assert(SLAB_BYTES >> 9 == WORDS_MAX * WORD_BITS, "bitmap of the smallest class");

struct slab {
	struct list_head node;		/* in partial[class] or dirty; full: none */
	uint32_t words;			/* bit i: free[i] is not zero */
	uint16_t used;			/* chunks */
	uint8_t class;
	uint64_t free[WORDS_MAX];
};

struct arena {
	char *base;			/* aligned to SLAB_BYTES */
	void *map;
	size_t map_bytes;
	unsigned int nr_slabs;
	unsigned int nr_fresh;		/* slabs from here on were never used */
	struct list_head partial[NR_CLASSES];
	struct list_head dirty;		/* free, populated; latest first */
	struct list_head clean;		/* free, given back to the system */
	unsigned int nr_dirty, low_dirty;	/* now; least since the last trim */
	unsigned int nr_clean;
	uint64_t in_use;		/* bytes of chunks handed out */
	uint64_t promised;		/* others may not have these */
	struct timer trim;

	struct list_head waiters;
	struct reactor_hook grant;
	struct buffer_waiter *granting;	/* whose granted() runs */
	bool pass;			/* its first get may pass the queue */

	struct slab slabs[];
};

static uint64_t cap_bytes = CAP_DEFAULT;
static bool huge_pages;
static __thread struct arena *arena;

void reactor_buffer_set_cap(uint64_t bytes)
{
	cap_bytes = ROUND_UP(MAX(bytes, CAP_MIN), SLAB_BYTES);
}

void reactor_buffer_set_huge(bool huge)
{
	huge_pages = huge;
}

static unsigned int class_of(uint64_t bytes)
{
	unsigned int c = 0;

	while (bytes > 1ULL << class_exp[c])
		c++;
	return c;
}

static char *slab_memory(const struct arena *a, const struct slab *s)
{
	return a->base + ((size_t)(s - a->slabs) << SLAB_EXP);
}

/* --- slabs --- */

/* A free slab, or NULL at the cap.  Populated ones first. */
static struct slab *slab_take(struct arena *a)
{
	struct slab *s = list_pop(&a->dirty, struct slab, node);

	if (s) {
		a->nr_dirty--;
		a->low_dirty = MIN(a->low_dirty, a->nr_dirty);
		return s;
	}
	s = list_pop(&a->clean, struct slab, node);
	if (s) {
		a->nr_clean--;
		return s;
	}
	if (a->nr_fresh == a->nr_slabs)
		return NULL;
	s = &a->slabs[a->nr_fresh++];
	list_init(&s->node);
	return s;
}

static void slab_cut(struct slab *s, unsigned int class)
{
	const unsigned int chunks = SLAB_BYTES >> class_exp[class];

	s->class = (uint8_t)class;
	s->used = 0;
	for (unsigned int i = 0; i * WORD_BITS < chunks; i++)
		s->free[i] = chunks >= WORD_BITS ? UINT64_MAX : (1ULL << chunks) - 1;
	s->words = chunks == WORDS_MAX * WORD_BITS ?
			   UINT32_MAX :
			   (1U << DIV_ROUND_UP(chunks, WORD_BITS)) - 1;
}

static void slab_release(struct arena *a, struct slab *s)
{
	list_del(&s->node);
	list_add(&a->dirty, &s->node);
	a->nr_dirty++;
	if (a->nr_dirty > KEEP_SLABS && !reactor_timer_armed(&a->trim)) {
		a->low_dirty = a->nr_dirty;
		/* Without memory for a timer it is tried at the next release. */
		reactor_timer_arm(reactor_current(), &a->trim, TRIM_MS);
	}
}

/* Give back what nobody needed since the last time. */
static void trim(struct timer *t)
{
	struct arena *a = container_of(t, struct arena, trim);
	unsigned int n = a->low_dirty > KEEP_SLABS ? a->low_dirty - KEEP_SLABS : 0;

	for (n = MIN(n, TRIM_SLABS); n; n--) {
		struct slab *s = list_entry(a->dirty.prev, struct slab, node);

		madvise(slab_memory(a, s), SLAB_BYTES, MADV_DONTNEED);
		list_del(&s->node);
		list_add(&a->clean, &s->node);
		a->nr_dirty--;
		a->nr_clean++;
	}
	a->low_dirty = a->nr_dirty;
	if (a->nr_dirty > KEEP_SLABS)
		reactor_timer_arm(reactor_current(), t, TRIM_MS);
}

/* --- chunks --- */

static char *chunk_get(struct arena *a, unsigned int class)
{
	struct slab *s;
	unsigned int word, bit;

	if (list_empty(&a->partial[class])) {
		s = slab_take(a);
		if (!s)
			return NULL;
		slab_cut(s, class);
		list_add(&a->partial[class], &s->node);
	}
	s = list_first(&a->partial[class], struct slab, node);
	word = (unsigned int)__builtin_ctz(s->words);
	bit = (unsigned int)__builtin_ctzll(s->free[word]);
	s->free[word] &= s->free[word] - 1;
	if (!s->free[word]) {
		s->words &= s->words - 1;
		if (!s->words)
			list_del(&s->node);
	}
	s->used++;
	a->in_use += 1ULL << class_exp[class];
	return slab_memory(a, s) +
	       ((size_t)(word * WORD_BITS + bit) << class_exp[class]);
}

static void chunk_put(struct arena *a, char *p)
{
	const size_t off = (size_t)(p - a->base);
	struct slab *s = &a->slabs[off >> SLAB_EXP];
	const unsigned int exp = class_exp[s->class];
	const unsigned int chunk = (unsigned int)(off & (SLAB_BYTES - 1)) >> exp;
	const unsigned int word = chunk / WORD_BITS;
	const uint64_t bit = 1ULL << chunk % WORD_BITS;

	assert(p >= a->base && off >> SLAB_EXP < a->nr_fresh);
	assert(s->used && !(s->free[word] & bit));
	poison(p, (size_t)1 << exp);
	s->free[word] |= bit;
	s->words |= 1U << word;
	a->in_use -= 1ULL << exp;
	if (!--s->used)
		slab_release(a, s);
	else if (!list_is_linked(&s->node))
		list_add(&a->partial[s->class], &s->node);
}

/* --- the arena of this reactor --- */

static void arena_free(void)
{
	struct arena *a = arena;

	arena = NULL;
	if (!a)
		return;
	if (a->in_use)
		log_err("reactor %d: %llu bytes of buffers not given back",
			reactor_id(reactor_current()),
			(unsigned long long)a->in_use);
	unpoison(a->map, a->map_bytes);
	munmap(a->map, a->map_bytes);
	reactor_timer_cancel(reactor_current(), &a->trim);
	reactor_hook_disarm(&a->grant);
	free(a);
}

static void grant(struct reactor_hook *h);

static struct arena *arena_new(void)
{
	const unsigned int n = (unsigned int)(cap_bytes >> SLAB_EXP);
	struct arena *a = calloc(1, sizeof(*a) + n * sizeof(a->slabs[0]));

	if (!a)
		return NULL;
	/* One slab more than the cap, to align the first. */
	a->map_bytes = ((size_t)n + 1) << SLAB_EXP;
	a->map = mmap(NULL, a->map_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (a->map == MAP_FAILED || reactor_on_exit(reactor_current(), arena_free)) {
		if (a->map != MAP_FAILED)
			munmap(a->map, a->map_bytes);
		free(a);
		return NULL;
	}
	if (huge_pages && madvise(a->map, a->map_bytes, MADV_HUGEPAGE))
		log_warn("no huge pages for data buffers: errno %d", errno);
	a->base = (char *)ROUND_UP((uintptr_t)a->map, (uintptr_t)SLAB_BYTES);
	a->nr_slabs = n;
	for (size_t c = 0; c < NR_CLASSES; c++)
		list_init(&a->partial[c]);
	list_init(&a->dirty);
	list_init(&a->clean);
	list_init(&a->waiters);
	a->trim.expired = trim;
	reactor_hook_init(&a->grant, grant);
	poison(a->map, a->map_bytes);
	return a;
}

static struct arena *arena_get(void)
{
	assert(reactor_current());
	if (unlikely(!arena))
		arena = arena_new();
	return arena;
}

/* --- waiting --- */

static void grant_later(struct arena *a)
{
	if (!list_empty(&a->waiters))
		reactor_hook_arm(reactor_current(), &a->grant, REACTOR_COMPLETE);
}

/* In order, until one has to wait again. */
static void grant(struct reactor_hook *h)
{
	struct arena *a = container_of(h, struct arena, grant);
	struct buffer_waiter *w;

	while ((w = list_pop(&a->waiters, struct buffer_waiter, node))) {
		a->granting = w;
		a->pass = true;
		w->granted(w);
		a->pass = false;
		if (!a->granting)
			break;		/* it waits again, see below */
	}
	a->granting = NULL;
}

void reactor_buffer_wait(struct buffer_waiter *w)
{
	struct arena *a = arena_get();

	if (!a || list_is_linked(&w->node))
		return;
	if (a->granting == w) {
		list_add(&a->waiters, &w->node);	/* keeps its place */
		a->granting = NULL;
	} else {
		list_add_tail(&a->waiters, &w->node);
	}
}

void reactor_buffer_wait_cancel(struct buffer_waiter *w)
{
	if (!list_is_linked(&w->node))
		return;
	list_del(&w->node);
	/* Those behind it may want less. */
	grant_later(arena);
}

/* --- buffers --- */

static void give_back(struct arena *a, struct buffer *b)
{
	while (b->iovcnt > 0)
		chunk_put(a, b->iov[--b->iovcnt].iov_base);
}

/* What is left must do for a command of the largest size. */
static uint64_t promised(const struct arena *a)
{
	return MIN(a->promised, cap_bytes - BUFFER_BYTES_MAX);
}

/* One chunk more.  @bytes is at most its size. */
static bool add_chunk(struct arena *a, struct buffer *b, unsigned int class, uint64_t bytes)
{
	char *p = b->iovcnt < BUFFER_IOV_MAX ? chunk_get(a, class) : NULL;

	if (unlikely(!p))
		return false;
	unpoison(p, bytes);
	b->iov[b->iovcnt++] = (struct iovec){ p, bytes };
	return true;
}

static int take(struct arena *a, struct buffer *b, uint64_t bytes)
{
	while (bytes) {
		const uint64_t n = MIN(bytes, (uint64_t)BUFFER_CHUNK_MAX);

		if (unlikely(!add_chunk(a, b, class_of(n), n))) {
			give_back(a, b);
			return -EAGAIN;
		}
		bytes -= n;
	}
	return 0;
}

/*
 * The cap has room, but slabs are cut into chunks of other sizes: a larger chunk, or
 * several smaller ones, whole but for the last.
 */
static int take_pieces(struct arena *a, struct buffer *b, uint64_t bytes)
{
	unsigned int class = NR_CLASSES - 1;

	for (unsigned int c = class_of(MIN(bytes, (uint64_t)BUFFER_CHUNK_MAX)); c < NR_CLASSES; c++)
		if (bytes <= 1ULL << class_exp[c] && add_chunk(a, b, c, bytes))
			return 0;
	while (bytes) {
		const uint64_t n = MIN(bytes, 1ULL << class_exp[class]);

		if (add_chunk(a, b, class, n)) {
			bytes -= n;
		} else if (class_exp[class] > PIECE_EXP_MIN) {
			class--;
		} else {
			give_back(a, b);
			return -EAGAIN;
		}
	}
	return 0;
}

int reactor_buffer_get(struct buffer *b, uint64_t bytes)
{
	struct arena *a = arena_get();
	bool passes;

	b->iovcnt = 0;
	if (!a)
		return -ENOMEM;
	if (bytes > BUFFER_BYTES_MAX)
		return -EMSGSIZE;
	passes = a->pass || list_empty(&a->waiters);
	a->pass = false;
	if (!passes || a->in_use + bytes + promised(a) > cap_bytes)
		return -EAGAIN;
	return take(a, b, bytes);
}

int reactor_buffer_get_promised(struct buffer *b, uint64_t bytes)
{
	struct arena *a = arena_get();

	b->iovcnt = 0;
	if (!a)
		return -ENOMEM;
	if (bytes > BUFFER_BYTES_MAX)
		return -EMSGSIZE;
	return likely(!take(a, b, bytes)) ? 0 : take_pieces(a, b, bytes);
}

void reactor_buffer_promise(int64_t bytes)
{
	struct arena *a = arena_get();

	if (!a)
		return;
	a->promised = (uint64_t)((int64_t)a->promised + bytes);
	if (bytes < 0)
		grant_later(a);
}

uint64_t reactor_buffer_promised(void)
{
	return arena ? arena->promised : 0;
}

void reactor_buffer_put(struct buffer *b)
{
	struct arena *a = arena;

	if (!b->iovcnt)
		return;
	if (unlikely(!a)) {		/* the reactor has ended */
		b->iovcnt = 0;
		return;
	}
	give_back(a, b);
	grant_later(a);
}

uint64_t reactor_buffer_cap(void)
{
	return cap_bytes;
}

uint64_t reactor_buffer_in_use(void)
{
	return arena ? arena->in_use : 0;
}
