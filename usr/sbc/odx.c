/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/odx.c - offloaded data transfer: POPULATE TOKEN (SBC-3 r36 5.7), WRITE USING
 * TOKEN (5.45), and REPORT ALL ROD TOKENS (SPC-4 r37 6.31).
 *
 * A token stands for data that has not changed since; a copy that finds it changed
 * fails, and what it wrote of the last piece is not counted.  Initiators copy by
 * themselves then.
 */
#include "sbc/odx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/be.h"
#include "lu/lu.h"
#include "scsi/copy.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "scsi/rod.h"
#include "sbc/handlers.h"
#include "spc/xcopy.h"

#define RANGE_BYTES	16U		/* block device range descriptor, 5.7.3 */
#define IMMED		0x01

/* Where the two parameter lists have what both have. */
struct layout {
	unsigned int header_bytes;	/* up to the first range descriptor */
	unsigned int ranges_length_at;
};

static const struct layout populate = { 16, 14 }, write_using = { 536, 534 };

struct ranges {
	unsigned int n;
	uint64_t bytes;
	struct lu_watch_range r[SCSI_ROD_RANGES_MAX];
};

static uint32_t list_id(const struct scsi_task *t)
{
	return (uint32_t)be_load(t->cdb + 6, 4);
}

/* --- range descriptors --- */

enum scsi_status sbc_odx_parse(struct scsi_task *t)
{
	if (t->nr > write_using.header_bytes + SCSI_ROD_RANGES_MAX * RANGE_BYTES)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	return SCSI_GOOD;
}

static enum scsi_status check_lengths(struct scsi_task *t, const struct layout *l,
				      const uint8_t *p)
{
	unsigned int length;

	if (t->out_bytes < l->header_bytes)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	length = (unsigned int)be_load(p + l->ranges_length_at, 2);
	if (length < RANGE_BYTES || length / RANGE_BYTES > SCSI_ROD_RANGES_MAX)
		return scsi_task_fail_param(t, l->ranges_length_at, -1);
	if (be_load(p, 2) + 2 < l->header_bytes + length)
		return scsi_task_fail_param(t, 0, -1);
	if (l->header_bytes + length > t->out_bytes)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	return SCSI_GOOD;
}

static bool overlaps(const struct ranges *rs, const struct lu_watch_range *r)
{
	for (unsigned int i = 0; i < rs->n; i++)
		if (rs->r[i].off_bytes < r->off_bytes + r->len_bytes &&
		    r->off_bytes < rs->r[i].off_bytes + rs->r[i].len_bytes)
			return true;
	return false;
}

static enum scsi_status get_ranges(struct scsi_task *t, const struct layout *l,
				   const uint8_t *p, struct ranges *rs)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	enum scsi_status status = scsi_copy_claim(t, list_id(t));
	unsigned int n;

	if (status == SCSI_GOOD)
		status = check_lengths(t, l, p);
	if (status != SCSI_GOOD)
		return status;
	n = (unsigned int)be_load(p + l->ranges_length_at, 2) / RANGE_BYTES;
	rs->n = 0;
	rs->bytes = 0;
	for (unsigned int i = 0; i < n; i++) {
		const unsigned int at = l->header_bytes + i * RANGE_BYTES;
		const uint64_t lba = be_load(p + at, 8), nr = be_load(p + at + 8, 4);
		struct lu_watch_range r = { 0 };

		if (!lu_geometry_contains(g, lba, nr))
			return scsi_task_fail_info(t, SCSI_SENSE_LBA_OUT_OF_RANGE,
						   MAX(lba, g->nr_blocks));
		if (!nr)
			continue;
		r.off_bytes = lu_geometry_bytes(g, lba);
		r.len_bytes = lu_geometry_bytes(g, nr);
		if (overlaps(rs, &r))
			return scsi_task_fail_param(t, at, -1);
		rs->r[rs->n++] = r;
		rs->bytes += r.len_bytes;
		if (rs->bytes > SBC_ODX_BYTES_MAX)
			return scsi_task_fail_param(t, at + 8, -1);
	}
	return SCSI_GOOD;
}

/* --- POPULATE TOKEN --- */

struct making {
	struct scsi_task *task;		/* holds a reference */
	struct scsi_copy *copy;
	struct scsi_rod *rod;		/* holds a reference */
};

static enum scsi_status made(const struct making *m, int err)
{
	struct scsi_task *t = m->task;
	uint8_t *token = malloc(SCSI_ROD_TOKEN_BYTES);

	if (!token || err == -ENOMEM)
		err = -ENOMEM;
	else if (atomic_load(&t->dev->ejected))
		err = -ENOMEDIUM;
	else
		err = scsi_rod_publish(m->rod);
	if (!err) {
		scsi_rod_token(m->rod, token);
		scsi_copy_succeed(m->copy, scsi_rod_bytes(m->rod), token,
				  SCSI_ROD_TOKEN_BYTES);
		return SCSI_GOOD;
	}
	free(token);
	scsi_copy_drop(m->copy);
	if (err == -ENOMEM)
		return SCSI_BUSY;
	return scsi_task_fail(t, err == -ENOMEDIUM ?
					 SCSI_SENSE_MEDIUM_NOT_PRESENT :
					 SCSI_SENSE_INSUFFICIENT_RESOURCES_FOR_TOKEN);
}

static void armed(void *arg, int err)
{
	struct making *m = arg;
	struct scsi_task *t = m->task;

	if (t->aborted || t->state == SCSI_TASK_DONE)
		scsi_copy_drop(m->copy);
	else
		scsi_task_complete(t, made(m, err));
	scsi_rod_put(m->rod);
	scsi_task_put(t);
	free(m);
}

static bool is_type_ours(uint32_t type)
{
	return type == SCSI_ROD_PIT_CHANGE_VULNERABLE || type == SCSI_ROD_PIT_DEFAULT ||
	       type == SCSI_ROD_PIT_ANY;
}

#define RTV	0x02

static enum scsi_status make(struct scsi_task *t, const struct ranges *rs,
			     uint32_t timeout_s)
{
	uint8_t creator[SCSI_ROD_CREATOR_BYTES];
	struct making *m = calloc(1, sizeof(*m));

	spc_xcopy_describe(t, creator);
	if (!m)
		return SCSI_BUSY;
	m->task = t;
	m->rod = scsi_rod_new(t->dev->lu, rs->r, rs->n, timeout_s,
			      scsi_nexus_initiator(t->nexus), creator);
	if (m->rod)
		m->copy = scsi_copy_new(t, list_id(t), true, 0, NULL, NULL);
	if (m->copy && !scsi_rod_arm(m->rod, armed, m)) {
		scsi_task_get(t);
		return SCSI_PENDING;
	}
	if (m->copy)
		scsi_copy_drop(m->copy);
	scsi_rod_put(m->rod);
	free(m);
	return SCSI_BUSY;
}

enum scsi_status sbc_odx_populate(struct scsi_task *t)
{
	enum scsi_status status;
	uint32_t timeout_s;
	struct ranges rs;
	const uint8_t *p;

	if (!t->out_bytes)
		return SCSI_GOOD;
	p = t->data.iov[0].iov_base;		/* one chunk */
	status = get_ranges(t, &populate, p, &rs);
	if (status != SCSI_GOOD)
		return status;
	timeout_s = (uint32_t)be_load(p + 4, 4);
	if (timeout_s > SCSI_ROD_TIMEOUT_MAX_S)
		return scsi_task_fail_param(t, 4, -1);
	if (p[2] & RTV && !is_type_ours((uint32_t)be_load(p + 8, 4)))
		return scsi_task_fail_param(t, 8, -1);
	if (!rs.bytes)				/* a token for nothing */
		return scsi_task_fail_param(t, populate.header_bytes + 8, -1);
	return make(t, &rs, timeout_s);
}

/* --- WRITE USING TOKEN --- */

#define DEL_TKN		0x02
#define OFFSET_AT	8U
#define TOKEN_AT	16U

struct using {			/* of a copy from a token */
	struct scsi_rod *rod;	/* holds a reference */
	bool delete;
};

static int check_source(void *arg)
{
	const struct using *u = arg;

	return scsi_rod_changed(u->rod) ? -ESTALE : 0;
}

static enum scsi_status explain(struct scsi_task *t, int err, bool reading)
{
	switch (err) {
	case -ESTALE:
		return scsi_task_fail(t, SCSI_SENSE_TOKEN_REVOKED);
	case -ECANCELED:
		return scsi_task_fail(t, SCSI_SENSE_COPY_ABORTED);
	case -EBUSY:
		return SCSI_RESERVATION_CONFLICT;
	case -ENOMEM:
	case -EAGAIN:
		return SCSI_BUSY;
	case -ENOMEDIUM:
		return scsi_task_fail(t, SCSI_SENSE_MEDIUM_NOT_PRESENT);
	default:
		return scsi_task_fail(t, reading ? SCSI_SENSE_THIRD_PARTY_DEVICE_FAILURE :
						   scsi_sense_of_errno(err, true));
	}
}

static void over(void *arg)
{
	struct using *u = arg;

	if (u->delete)
		scsi_rod_delete(u->rod);
	scsi_rod_put(u->rod);
	free(u);
}

static const struct scsi_copy_ops from_token = {
	.check = check_source, .sense = explain, .over = over,
};
static const struct scsi_copy_ops from_zeroes = { .sense = explain };

/* This disk is end 0.  NULL: no room or memory; @arg is given up then. */
static struct scsi_copy *begin(struct scsi_task *t, const struct scsi_copy_ops *ops,
			       void *arg)
{
	struct scsi_copy *c = scsi_copy_new(t, list_id(t), true, 2 * SCSI_ROD_RANGES_MAX,
					    ops, arg);

	if (!c) {
		if (ops->over)
			ops->over(arg);
		return NULL;
	}
	if (scsi_copy_add_device(c, scsi_device_get(t->dev), t->itl->lun, NULL) == 0)
		return c;
	scsi_copy_drop(c);
	return NULL;
}

/* Block device zero ROD token, SBC-3 r36 4.28.4. */
static enum scsi_status write_zeroes(struct scsi_task *t, const struct ranges *rs,
				     bool immediate)
{
	struct scsi_copy *c = begin(t, &from_zeroes, NULL);

	if (!c)
		return SCSI_BUSY;
	for (unsigned int i = 0; i < rs->n; i++)
		scsi_copy_add_segment(c, &(struct scsi_copy_segment){
			.src = SCSI_COPY_ZEROES, .dst_bytes = rs->r[i].off_bytes,
			.len_bytes = rs->r[i].len_bytes });
	return scsi_copy_start(c, immediate);
}

/* Each piece that is in one range on both sides. */
static void add_segments(struct scsi_copy *c, const struct scsi_rod *rod, int src,
			 const struct ranges *rs, uint64_t from)
{
	for (unsigned int i = 0; i < rs->n; i++)
		for (uint64_t done = 0, n; done < rs->r[i].len_bytes; done += n) {
			const uint64_t at = scsi_rod_locate(rod, from, &n);

			n = MIN(n, rs->r[i].len_bytes - done);
			scsi_copy_add_segment(c, &(struct scsi_copy_segment){
				.src = (uint8_t)src, .src_bytes = at,
				.dst_bytes = rs->r[i].off_bytes + done, .len_bytes = n });
			from += n;
		}
}

/* Takes the reference on @rod. */
static enum scsi_status write_data(struct scsi_task *t, const struct ranges *rs,
				   struct scsi_rod *rod, uint64_t from, uint8_t flags)
{
	struct using *u = calloc(1, sizeof(*u));
	struct scsi_copy *c;
	struct lu *lu;
	int src;

	if (!u) {
		scsi_rod_put(rod);
		return SCSI_BUSY;
	}
	u->rod = rod;
	c = begin(t, &from_token, u);
	if (!c)
		return SCSI_BUSY;
	lu = scsi_rod_lu(rod);
	if (!lu) {
		scsi_copy_drop(c);
		return scsi_task_fail(t, SCSI_SENSE_TOKEN_REVOKED);
	}
	/* Source blocks of another size may be cut by this disk's. */
	if (lu_geometry(lu)->block_bytes != lu_geometry(t->dev->lu)->block_bytes) {
		lu_put(lu);
		scsi_copy_drop(c);
		return scsi_task_fail(t, SCSI_SENSE_INVALID_TOKEN_OPERATION);
	}
	src = scsi_copy_add_source(c, lu);
	if (src < 0) {
		scsi_copy_drop(c);
		return SCSI_BUSY;
	}
	add_segments(c, rod, src, rs, from);
	u->delete = flags & DEL_TKN;
	return scsi_copy_start(c, flags & IMMED);
}

enum scsi_status sbc_odx_write(struct scsi_task *t)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	enum scsi_sense_code why = SCSI_SENSE_TOKEN_UNKNOWN;
	enum scsi_status status;
	struct scsi_rod *rod;
	struct ranges rs;
	const uint8_t *p;
	uint64_t from;

	if (!t->out_bytes)
		return SCSI_GOOD;
	p = t->data.iov[0].iov_base;
	status = get_ranges(t, &write_using, p, &rs);
	if (status != SCSI_GOOD)
		return status;
	if (be_load(p + TOKEN_AT + 6, 2) != SCSI_ROD_TOKEN_BYTES - 8)
		return scsi_task_fail(t, SCSI_SENSE_INVALID_TOKEN_LENGTH);
	if (be_load(p + TOKEN_AT, 4) == SCSI_ROD_ZERO)
		return write_zeroes(t, &rs, p[2] & IMMED);
	if (be_load(p + TOKEN_AT, 4) != SCSI_ROD_PIT_CHANGE_VULNERABLE)
		return scsi_task_fail(t, SCSI_SENSE_UNSUPPORTED_TOKEN_TYPE);
	rod = scsi_rod_find(p + TOKEN_AT, &why);
	if (!rod)
		return scsi_task_fail(t, why);
	from = be_load(p + OFFSET_AT, 8);
	if (from > scsi_rod_bytes(rod) >> g->block_exp ||
	    rs.bytes > scsi_rod_bytes(rod) - lu_geometry_bytes(g, from)) {
		scsi_rod_put(rod);
		return scsi_task_fail_param(t, OFFSET_AT, -1);
	}
	return write_data(t, &rs, rod, lu_geometry_bytes(g, from), p[2]);
}

/* --- REPORT ALL ROD TOKENS --- */

#define LIST_HEADER_BYTES 8U

/* Those of this logical unit; without what would make them of use. */
enum scsi_status sbc_odx_report_all(struct scsi_task *t)
{
	const size_t max = LIST_HEADER_BYTES +
			   (size_t)SCSI_ROD_MAX * SCSI_ROD_MANAGEMENT_BYTES;
	uint8_t *d = calloc(1, max);
	enum scsi_status status;
	size_t n;

	if (!d)
		return SCSI_BUSY;
	n = LIST_HEADER_BYTES +
	    SCSI_ROD_MANAGEMENT_BYTES *
		    (size_t)scsi_rod_list(t->dev->lu, d + LIST_HEADER_BYTES, SCSI_ROD_MAX);
	be_store(d, 4, n - 4);
	status = scsi_task_reply(t, d, n);
	free(d);
	return status;
}
