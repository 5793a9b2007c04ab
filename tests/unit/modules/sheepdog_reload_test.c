/* SPDX-License-Identifier: BSD-3-Clause */
/* A map is loaded again: what the sheep is asked, step by step, and what is known then.
 * Above all the repair of slots that a snapshot has lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* The host's part is ours, too. */
#define bs_log	       test_log
#define bs_dev_resized test_dev_resized
#define bs_timer_new   test_timer_new
#define bs_timer_free  test_timer_free
#include "../../../usr/modules/bs_sheepdog_reload.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../usr/modules/bs_sheepdog_wire.c" /* NOLINT(bugprone-suspicious-include) */

#define OLD    0x2a0b08U
#define NEW    0x2a0b09U
#define BASE   0x111111U
#define EXP    22
#define NR     6U
#define OBJECT (1ULL << EXP)

/* --- a connection of ours --- */

static struct sheep_xfer *asked; /* not yet answered */
static unsigned int wakes;
static void (*timer)(void *ctx);
static void *timer_ctx;
static bool orphaned;
static uint64_t resized;

int bs_sheepdog_conn_send(struct sheep_conn *c, struct sheep_xfer *x)
{
	if (c->state != SHEEP_CONN_UP)
		return -ENOTCONN;
	assert_null(asked);
	asked = x;
	x->at_sheep = true;
	return 0;
}

bool bs_sheepdog_conn_unsend(struct sheep_conn *c, struct sheep_xfer *x)
{
	(void)c;
	(void)x;
	return false;
}

int bs_sheepdog_conn_copy_rest(struct sheep_conn *c, struct sheep_xfer *x)
{
	(void)c;
	(void)x;
	return 0;
}

void bs_sheepdog_conn_disown(struct sheep_conn *c, struct sheep_xfer *x)
{
	(void)c;
	x->data.iov = NULL;
	orphaned = true;
}

void bs_sheepdog_conn_drop(struct sheep_conn *c, const char *why,
			   enum sheep_gateway_is is)
{
	(void)c;
	(void)is;
	fail_msg("dropped: %s", why);
}

void bs_sheepdog_note_post(struct sheep_notes *ns, struct sheep_note *n)
{
	(void)ns;
	(void)n;
	wakes++;
}

void bs_sheepdog_io_run(struct sheep_conn *c)
{
	(void)c;
}

struct bs_timer *bs_timer_new(struct bs_group *g, uint64_t ms,
			      void (*expired)(void *ctx), void *ctx)
{
	(void)g;
	(void)ms;
	timer = expired;
	timer_ctx = ctx;
	return (void *)&timer;
}

void bs_timer_free(struct bs_timer *t)
{
	if (t)
		timer = NULL;
}

void bs_log(const char *fmt, ...)
{
	(void)fmt;
}

void bs_dev_resized(struct bs_dev *dev, uint64_t size_bytes)
{
	(void)dev;
	resized = size_bytes;
}

/* --- a disk, as the sheep has it and as we do --- */

static struct {
	struct sheep_dev d;
	struct sheep_conn conn;
	struct sheep_group group;
	struct sheep_channel ch, other;
	_Atomic uint32_t slots[NR];
	atomic_bool unsure[NR];
	struct {
		struct sheep_inode head;
		le32 slots[NR];
	} inode; /* that the name has now */
} t;

static void set_slots(const uint32_t ours[NR], const uint32_t theirs[NR])
{
	for (unsigned int i = 0; i < NR; i++) {
		atomic_store(&t.slots[i], ours[i]);
		t.inode.slots[i] = le32_make(theirs[i]);
	}
}

static void check_slots(const uint32_t wanted[NR])
{
	for (unsigned int i = 0; i < NR; i++)
		if (atomic_load(&t.slots[i]) != wanted[i])
			fail_msg("slot %u is %06x", i, atomic_load(&t.slots[i]));
}

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	asked = NULL;
	wakes = 0;
	orphaned = false;
	resized = 0;
	pthread_mutex_init(&t.d.mutex, NULL);
	list_init(&t.d.channels);
	t.d.slots = t.slots;
	t.d.unsure = t.unsure;
	t.d.object_exp = EXP;
	t.d.locking = SHEEP_EXCLUSIVE;
	strcpy(t.d.spec.names.name, "disk");
	atomic_store(&t.d.vid, OLD);
	atomic_store(&t.d.size_bytes, NR * OBJECT);
	t.conn.state = SHEEP_CONN_UP;
	t.conn.group = &t.group;
	t.ch.d = t.other.d = &t.d;
	t.ch.conn = t.other.conn = &t.conn;
	list_add_tail(&t.d.channels, &t.ch.dev_node);
	list_add_tail(&t.d.channels, &t.other.dev_node);
	strcpy(t.inode.head.name, "disk");
	t.inode.head.vid = le32_make(NEW);
	t.inode.head.parent_vid = le32_make(OLD);
	t.inode.head.object_exp = EXP;
	t.inode.head.size_bytes = le64_make(NR * OBJECT);
	return 0;
}

/* --- the sheep's part --- */

static void answer(int result)
{
	struct sheep_xfer *x = asked;

	assert_non_null(x);
	asked = NULL;
	x->at_sheep = false;
	x->done(x, result);
}

static void answer_data(const void *data, size_t bytes)
{
	assert_int_equal(asked->in_bytes, bytes);
	sheep_cursor_put(&asked->data, data, bytes);
	answer(SHEEP_SUCCESS);
}

static void is_asked_to(enum sheep_op op)
{
	assert_non_null(asked);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): asserted */
	assert_int_equal(asked->h.op, op);
}

static void is_asked(enum sheep_op op, uint64_t oid)
{
	is_asked_to(op);
	assert_int_equal(le64_get(asked->h.obj.oid), oid);
}

static void locks_to(uint32_t vid)
{
	is_asked_to(SHEEP_LOCK_VDI);
	asked->reply.vid = le32_make(vid);
	answer(SHEEP_SUCCESS);
}

static void reads_inode(uint32_t vid)
{
	is_asked(SHEEP_READ, sheep_inode_oid(vid));
	assert_int_equal(le32_get(asked->h.obj.off_bytes), 0);
	answer_data(&t.inode, sizeof(t.inode));
}

static void copies(uint32_t i, int result)
{
	is_asked(SHEEP_CREATE, sheep_data_oid(NEW, i));
	assert_int_equal(le64_get(asked->h.obj.cow_oid), sheep_data_oid(OLD, i));
	assert_int_equal(le16_get(asked->h.flags),
			 SHEEP_FLAG_WRITE | SHEEP_FLAG_COW);
	assert_int_equal(asked->out_bytes, 0);
	answer(result);
}

static void maps(uint32_t i)
{
	le32 word;

	is_asked(SHEEP_WRITE, sheep_inode_oid(NEW));
	assert_int_equal(le32_get(asked->h.obj.off_bytes), sheep_slot_off(i));
	assert_int_equal(asked->out_bytes, sizeof(word));
	memcpy(&word, asked->data.iov->iov_base, sizeof(word));
	assert_int_equal(le32_get(word), NEW);
	answer(SHEEP_SUCCESS);
}

static void releases(uint32_t vid)
{
	is_asked_to(SHEEP_RELEASE_VDI);
	assert_int_equal(le32_get(asked->h.vdi.base_vid), vid);
	answer(SHEEP_SUCCESS);
}

static void is_over(void)
{
	assert_null(asked);
	assert_null(t.d.reload.owner);
	assert_null(t.d.reload.ask);
	assert_null(t.d.reload.inode);
	assert_false(atomic_load(&t.d.frozen));
	assert_int_equal(wakes, 2);
}

static void is_done(uint32_t vid)
{
	is_over();
	assert_int_equal(atomic_load(&t.d.vid), vid);
	assert_false(atomic_load(&t.d.dead));
	assert_false(sheep_channel_is_stale(&t.ch));
}

/* --- tests --- */

static void the_same_vdi_has_its_slots_and_its_size(void **state)
{
	(void)state;
	set_slots((uint32_t[NR]){ OLD, 0, 0, BASE, 0, 0 },
		  (uint32_t[NR]){ OLD, OLD, 0, BASE, OLD, 0 });
	t.inode.head.vid = le32_make(OLD);
	bs_sheepdog_reload_need(&t.ch);
	assert_true(atomic_load(&t.d.frozen));
	locks_to(OLD);
	reads_inode(OLD);
	is_done(OLD);
	check_slots((uint32_t[NR]){ OLD, OLD, 0, BASE, OLD, 0 });
	assert_int_equal(resized, 0);
}

static void slots_that_a_snapshot_lost_are_repaired(void **state)
{
	(void)state;
	/* 1 and 4 were written after the sheep had read the old inode. */
	set_slots((uint32_t[NR]){ OLD, OLD, 0, BASE, OLD, BASE },
		  (uint32_t[NR]){ OLD, 0, 0, BASE, BASE, BASE });
	bs_sheepdog_reload_need(&t.ch);
	locks_to(NEW);
	reads_inode(NEW);
	copies(1, SHEEP_SUCCESS);
	maps(1);
	copies(4, SHEEP_SUCCESS);
	assert_true(atomic_load(&t.d.frozen));
	assert_int_equal(atomic_load(&t.d.vid), OLD); /* until all of it is repaired */
	maps(4);
	releases(OLD);
	is_done(NEW);
	check_slots((uint32_t[NR]){ OLD, NEW, 0, BASE, NEW, BASE });
}

static void what_is_right_is_not_repaired(void **state)
{
	(void)state;
	/* 2: another one has written it; 5: it was discarded before. */
	set_slots((uint32_t[NR]){ OLD, BASE, 0, 0, OLD, 0 },
		  (uint32_t[NR]){ OLD, BASE, NEW, 0, OLD, BASE });
	bs_sheepdog_reload_need(&t.ch);
	locks_to(NEW);
	reads_inode(NEW);
	releases(OLD);
	is_done(NEW);
	check_slots((uint32_t[NR]){ OLD, BASE, NEW, 0, OLD, BASE });
}

static void an_object_that_is_not_there_needs_no_slot(void **state)
{
	(void)state;
	set_slots((uint32_t[NR]){ OLD, OLD, 0, 0, 0, OLD },
		  (uint32_t[NR]){ 0, 0, 0, 0, 0, 0 });
	bs_sheepdog_reload_need(&t.ch);
	locks_to(NEW);
	reads_inode(NEW);
	copies(0, SHEEP_NO_OBJ);
	copies(1, SHEEP_SUCCESS);
	maps(1);
	copies(5, SHEEP_NO_OBJ);
	releases(OLD);
	is_done(NEW);
	check_slots((uint32_t[NR]){ 0, NEW, 0, 0, 0, 0 });
}

static void two_snapshots_are_followed(void **state)
{
	const le32 old = le32_make(OLD);

	(void)state;
	set_slots((uint32_t[NR]){ OLD }, (uint32_t[NR]){ 0 });
	t.inode.head.parent_vid = le32_make(BASE);
	bs_sheepdog_reload_need(&t.ch);
	locks_to(NEW);
	reads_inode(NEW);
	is_asked(SHEEP_READ, sheep_inode_oid(BASE));
	assert_int_equal(le32_get(asked->h.obj.off_bytes),
			 offsetof(struct sheep_inode, parent_vid));
	answer_data(&old, sizeof(old));
	copies(0, SHEEP_SUCCESS);
	maps(0);
	releases(OLD);
	is_done(NEW);
	check_slots((uint32_t[NR]){ NEW });
}

static void another_disk_of_the_name_is_not_served(void **state)
{
	(void)state;
	set_slots((uint32_t[NR]){ OLD }, (uint32_t[NR]){ BASE });
	t.inode.head.parent_vid = le32_make(0);
	bs_sheepdog_reload_need(&t.ch);
	locks_to(NEW);
	reads_inode(NEW);
	is_over();
	assert_true(atomic_load(&t.d.dead));
	check_slots((uint32_t[NR]){ OLD });
}

static void a_lost_connection_ends_a_repair(void **state)
{
	(void)state;
	set_slots((uint32_t[NR]){ OLD, OLD }, (uint32_t[NR]){ 0 });
	bs_sheepdog_reload_need(&t.ch);
	locks_to(NEW);
	reads_inode(NEW);
	copies(0, SHEEP_SUCCESS);
	is_asked(SHEEP_WRITE, sheep_inode_oid(NEW));
	answer(-ECONNRESET);
	is_over();
	assert_true(atomic_load(&t.unsure[0]));
	assert_false(atomic_load(&t.unsure[1]));
	assert_int_equal(atomic_load(&t.d.vid), OLD);
	assert_true(sheep_channel_is_stale(&t.ch));
	check_slots((uint32_t[NR]){ OLD, OLD });
}

static void what_the_cluster_is_not_ready_for_is_tried_again(void **state)
{
	(void)state;
	set_slots((uint32_t[NR]){ OLD }, (uint32_t[NR]){ 0 });
	t.inode.head.vid = le32_make(OLD);
	t.inode.head.snapped = le64_make(1); /* its successor is not there yet */
	bs_sheepdog_reload_need(&t.ch);
	locks_to(OLD);
	reads_inode(OLD);
	assert_null(asked);
	assert_non_null(timer);
	t.inode.head.vid = le32_make(NEW);
	t.inode.head.snapped = le64_make(0);
	timer(timer_ctx);
	locks_to(NEW);
	reads_inode(NEW);
	copies(0, SHEEP_HALT);
	assert_null(asked);
	assert_non_null(timer);
	timer(timer_ctx);		/* from the beginning */
	locks_to(NEW);
	reads_inode(NEW);
	copies(0, SHEEP_SUCCESS);
	maps(0);
	releases(OLD);
	is_done(NEW);
}

static void writes_end_first(void **state)
{
	(void)state;
	set_slots((uint32_t[NR]){ 0 }, (uint32_t[NR]){ 0 });
	t.inode.head.vid = le32_make(OLD);
	assert_true(bs_sheepdog_reload_write_begin(&t.other));
	bs_sheepdog_reload_need(&t.ch);
	assert_null(asked);
	assert_false(bs_sheepdog_reload_write_begin(&t.other));
	assert_int_equal(atomic_load(&t.other.nr_live), 1);
	wakes = 0;
	bs_sheepdog_reload_write_end(&t.other);
	assert_int_equal(wakes, 1);	/* of the owner */
	wakes = 0;
	bs_sheepdog_reload_go_on(&t.ch);
	locks_to(OLD);
	reads_inode(OLD);
	is_done(OLD);
}

static void an_answer_may_come_after_the_disk(void **state)
{
	struct sheep_xfer *x;

	(void)state;
	set_slots((uint32_t[NR]){ 0 }, (uint32_t[NR]){ 0 });
	bs_sheepdog_reload_need(&t.ch);
	locks_to(NEW);
	is_asked(SHEEP_READ, sheep_inode_oid(NEW));
	x = asked;
	asked = NULL;
	bs_sheepdog_reload_leave(&t.ch);
	is_over();
	assert_true(orphaned);
	memset(&t, 0xff, sizeof(t));
	x->done(x, SHEEP_SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_same_vdi_has_its_slots_and_its_size,
				       setup),
		cmocka_unit_test_setup(slots_that_a_snapshot_lost_are_repaired,
				       setup),
		cmocka_unit_test_setup(what_is_right_is_not_repaired, setup),
		cmocka_unit_test_setup(an_object_that_is_not_there_needs_no_slot,
				       setup),
		cmocka_unit_test_setup(two_snapshots_are_followed, setup),
		cmocka_unit_test_setup(another_disk_of_the_name_is_not_served,
				       setup),
		cmocka_unit_test_setup(a_lost_connection_ends_a_repair, setup),
		cmocka_unit_test_setup(
			what_the_cluster_is_not_ready_for_is_tried_again,
			setup),
		cmocka_unit_test_setup(writes_end_first, setup),
		cmocka_unit_test_setup(an_answer_may_come_after_the_disk, setup),
	};

	return cmocka_run_group_tests_name("modules/sheepdog_reload", tests,
					   NULL, NULL);
}
