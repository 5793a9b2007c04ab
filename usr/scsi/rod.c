/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/rod.c - see rod.h.
 *
 * The table is under a mutex, never held across I/O.  What left it is remembered
 * by its number for a while, so that who comes with the token learns why.
 */
#include "scsi/rod.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/be.h"
#include "base/clock.h"
#include "base/refcount.h"
#include "lu/lu.h"
#include "reactor/reactor.h"
#include "reactor/timer.h"

#define SECRET_BYTES	32U
#define SECRET_AT	128U		/* behind what management tokens show */
#define SWEEP_MS	5000U
#define GONE_MAX	256U

struct scsi_rod {
	/* Constant. */
	uint64_t id;			/* COPY MANAGER ROD TOKEN IDENTIFIER */
	uint8_t secret[SECRET_BYTES];
	uint8_t creator[SCSI_ROD_CREATOR_BYTES];
	uint64_t bytes, born_ns, timeout_ns, owner;
	struct lu_watch *watch;

	refcount refs;

	/* Under table.mutex. */
	struct list_head node;		/* the table has a reference */
	uint64_t used_ns;

	/* Constant. */
	unsigned int n;
	struct lu_watch_range r[];
};

static struct {
	pthread_mutex_t mutex;
	struct list_head list;
	unsigned int n;
	struct {
		uint64_t id;
		enum scsi_sense_code why;
	} gone[GONE_MAX];
	unsigned int next_gone;
} table = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.list = LIST_HEAD_INIT(table.list),
};

/* --- one --- */

struct scsi_rod *scsi_rod_get(struct scsi_rod *rod)
{
	refcount_get(&rod->refs);
	return rod;
}

void scsi_rod_put(struct scsi_rod *rod)
{
	if (!rod || !refcount_put(&rod->refs))
		return;
	lu_watch_free(rod->watch);
	explicit_bzero(rod->secret, sizeof(rod->secret));
	free(rod);
}

struct scsi_rod *scsi_rod_new(struct lu *lu, const struct lu_watch_range *r,
			      unsigned int n, uint32_t timeout_s, uint64_t owner,
			      const uint8_t *creator)
{
	struct scsi_rod *rod = calloc(1, sizeof(*rod) + n * sizeof(rod->r[0]));

	if (!rod)
		return NULL;
	refcount_init(&rod->refs, 1);
	list_init(&rod->node);
	rod->n = n;
	memcpy(rod->r, r, n * sizeof(*r));
	rod->owner = owner;
	memcpy(rod->creator, creator, sizeof(rod->creator));
	for (unsigned int i = 0; i < n; i++)
		rod->bytes += r[i].len_bytes;
	rod->timeout_ns = (timeout_s ? timeout_s : SCSI_ROD_TIMEOUT_S) * NS_PER_SEC;
	rod->watch = lu_watch_new(lu, r, n);
	if (!rod->watch ||
	    getrandom(&rod->id, sizeof(rod->id), 0) != (ssize_t)sizeof(rod->id) ||
	    getrandom(rod->secret, SECRET_BYTES, 0) != (ssize_t)SECRET_BYTES) {
		scsi_rod_put(rod);
		return NULL;
	}
	return rod;
}

int scsi_rod_arm(struct scsi_rod *rod, void (*armed)(void *arg, int err), void *arg)
{
	return lu_watch_arm(rod->watch, armed, arg);
}

bool scsi_rod_changed(const struct scsi_rod *rod)
{
	return lu_watch_changed(rod->watch);
}

struct lu *scsi_rod_lu(const struct scsi_rod *rod)
{
	return lu_watch_lu(rod->watch);
}

uint64_t scsi_rod_bytes(const struct scsi_rod *rod)
{
	return rod->bytes;
}

uint64_t scsi_rod_locate(const struct scsi_rod *rod, uint64_t off, uint64_t *ret_bytes)
{
	unsigned int i = 0;

	while (off >= rod->r[i].len_bytes)
		off -= rod->r[i++].len_bytes;
	*ret_bytes = rod->r[i].len_bytes - off;
	return rod->r[i].off_bytes + off;
}

/* --- tokens, SPC-4 r37 5.17.6.5 --- */

static void put_management(const struct scsi_rod *rod, uint8_t *p)
{
	memset(p, 0, SCSI_ROD_MANAGEMENT_BYTES);
	be_store(p, 4, SCSI_ROD_PIT_CHANGE_VULNERABLE);
	be_store(p + 6, 2, SCSI_ROD_TOKEN_BYTES - 8);
	be_store(p + 8, 8, rod->id);
	memcpy(p + 16, rod->creator, sizeof(rod->creator));
	be_store(p + 56, 8, rod->bytes);	/* of 16 bytes */
}

void scsi_rod_token(const struct scsi_rod *rod, uint8_t *token)
{
	memset(token, 0, SCSI_ROD_TOKEN_BYTES);
	put_management(rod, token);
	memcpy(token + SECRET_AT, rod->secret, SECRET_BYTES);
}

/* In a time that does not tell how much of it is right. */
static bool is_token_of(const struct scsi_rod *rod, const uint8_t *token)
{
	uint8_t want[SCSI_ROD_TOKEN_BYTES], differs = 0;

	scsi_rod_token(rod, want);
	for (size_t i = 0; i < sizeof(want); i++)
		differs |= want[i] ^ token[i];
	explicit_bzero(want, sizeof(want));
	return !differs;
}

/* --- the table; under its mutex --- */

static void take_out(struct scsi_rod *rod, enum scsi_sense_code why)
{
	table.gone[table.next_gone].id = rod->id;
	table.gone[table.next_gone].why = why;
	table.next_gone = (table.next_gone + 1) % GONE_MAX;
	list_del(&rod->node);
	table.n--;
	scsi_rod_put(rod);
}

/* Out with it if it is over.  A copy that runs keeps it from expiring. */
static bool judge(struct scsi_rod *rod, uint64_t now_ns)
{
	if (scsi_rod_changed(rod)) {
		take_out(rod, SCSI_SENSE_TOKEN_REVOKED);
		return true;
	}
	if (atomic_load(&rod->refs.n) > 1)
		rod->used_ns = now_ns;
	if (now_ns - rod->used_ns < rod->timeout_ns &&
	    now_ns - rod->born_ns < SCSI_ROD_LIFETIME_S * NS_PER_SEC)
		return false;
	take_out(rod, SCSI_SENSE_TOKEN_EXPIRED);
	return true;
}

static void sweep(void)
{
	const uint64_t now_ns = clock_now_ns();
	struct scsi_rod *rod, *tmp;

	list_for_each_safe(rod, tmp, &table.list, node)
		judge(rod, now_ns);
}

/* So that writers need not look at what nobody will use. */
static void swept(struct timer *t)
{
	pthread_mutex_lock(&table.mutex);
	sweep();
	if (table.n)
		(void)reactor_timer_arm(reactor_current(), t, SWEEP_MS);
	pthread_mutex_unlock(&table.mutex);
}

/* Of those that @owner may have. */
static bool is_room(uint64_t owner)
{
	const struct scsi_rod *rod;
	unsigned int n = 0;

	list_for_each(rod, &table.list, node)
		n += rod->owner == owner;
	return table.n < SCSI_ROD_MAX && n < SCSI_ROD_SHARE;
}

int scsi_rod_publish(struct scsi_rod *rod)
{
	static __thread struct timer timer;
	int err = -ENOSPC;

	pthread_mutex_lock(&table.mutex);
	if (!is_room(rod->owner))
		sweep();
	if (is_room(rod->owner)) {
		rod->born_ns = rod->used_ns = clock_now_ns();
		list_add_tail(&table.list, &scsi_rod_get(rod)->node);
		table.n++;
		err = 0;
	}
	timer.expired = swept;
	/* Without a timer it ends when it is asked for, or makes room. */
	if (!err && !reactor_timer_armed(&timer))
		(void)reactor_timer_arm(reactor_current(), &timer, SWEEP_MS);
	pthread_mutex_unlock(&table.mutex);
	return err;
}

static enum scsi_sense_code why_gone(uint64_t id)
{
	for (unsigned int i = 0; i < GONE_MAX; i++)
		if (table.gone[i].id == id && table.gone[i].why)
			return table.gone[i].why;
	return SCSI_SENSE_TOKEN_UNKNOWN;
}

static struct scsi_rod *find(uint64_t id)
{
	struct scsi_rod *rod;

	list_for_each(rod, &table.list, node)
		if (rod->id == id)
			return rod;
	return NULL;
}

struct scsi_rod *scsi_rod_find(const uint8_t *token, enum scsi_sense_code *ret_why)
{
	const uint64_t id = be_load(token + 8, 8);
	struct scsi_rod *rod;

	pthread_mutex_lock(&table.mutex);
	rod = find(id);
	if (rod && judge(rod, clock_now_ns()))
		rod = NULL;
	if (!rod) {
		*ret_why = why_gone(id);
	} else if (!is_token_of(rod, token)) {
		*ret_why = SCSI_SENSE_TOKEN_CORRUPT;
		rod = NULL;
	} else {
		rod->used_ns = clock_now_ns();
		scsi_rod_get(rod);
	}
	pthread_mutex_unlock(&table.mutex);
	return rod;
}

void scsi_rod_delete(struct scsi_rod *rod)
{
	pthread_mutex_lock(&table.mutex);
	if (list_is_linked(&rod->node))
		take_out(rod, SCSI_SENSE_TOKEN_DELETED);
	pthread_mutex_unlock(&table.mutex);
}

unsigned int scsi_rod_list(const struct lu *lu, uint8_t *to, unsigned int max)
{
	const struct scsi_rod *rod;
	unsigned int n = 0;

	pthread_mutex_lock(&table.mutex);
	sweep();
	list_for_each(rod, &table.list, node) {
		if (!lu_watch_is_of(rod->watch, lu))
			continue;
		if (n++ < max)
			put_management(rod, to + (n - 1) * (size_t)SCSI_ROD_MANAGEMENT_BYTES);
	}
	pthread_mutex_unlock(&table.mutex);
	return n;
}
