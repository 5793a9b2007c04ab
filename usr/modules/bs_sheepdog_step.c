/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_sheepdog_step.c - what the sheep is asked in each step of a piece. */
#include "bs_sheepdog_piece.h"

#define ZEROES_BYTES (64U << 10)

static uint8_t zeroes[ZEROES_BYTES]; /* only read */
static const struct iovec zeroes_iov[SHEEP_PIECE_BYTES / ZEROES_BYTES] = {
	[0 ... SHEEP_PIECE_BYTES / ZEROES_BYTES - 1] = { zeroes, ZEROES_BYTES },
};

struct sheep_cursor bs_sheepdog_step_zeroes(void)
{
	return (struct sheep_cursor){ .iov = zeroes_iov };
}

static void set_own(struct sheep_piece *p, void *memory, size_t bytes)
{
	p->x.own.iov_base = memory;
	p->x.own.iov_len = bytes;
	p->x.data = (struct sheep_cursor){ .iov = &p->x.own };
}

void bs_sheepdog_step_read(struct sheep_piece *p)
{
	p->x.h = bs_sheepdog_wire_object(
		SHEEP_READ, sheep_dev_flags(p->ch->d),
		sheep_data_oid(p->slot, p->spot->index), p->off, p->len);
	p->x.data = p->data;
	p->x.in_bytes = p->len;
	p->x.out_bytes = 0;
}

static void set_payload(struct sheep_piece *p)
{
	p->x.data = p->data;
	p->x.out_bytes = p->len;
	p->x.in_bytes = 0;
}

void bs_sheepdog_step_write(struct sheep_piece *p)
{
	p->x.h = bs_sheepdog_wire_object(
		SHEEP_WRITE, SHEEP_FLAG_WRITE | sheep_dev_flags(p->ch->d),
		sheep_data_oid(p->vid, p->spot->index), p->off, p->len);
	set_payload(p);
}

void bs_sheepdog_step_create(struct sheep_piece *p)
{
	const uint16_t flags = SHEEP_FLAG_WRITE | sheep_dev_flags(p->ch->d);
	const uint32_t i = p->spot->index;

	if (p->slot)
		p->x.h = bs_sheepdog_wire_copy(flags, sheep_data_oid(p->vid, i),
					       sheep_data_oid(p->slot, i),
					       p->off, p->len);
	else
		p->x.h = bs_sheepdog_wire_object(SHEEP_CREATE, flags,
						 sheep_data_oid(p->vid, i),
						 p->off, p->len);
	set_payload(p);
}

void bs_sheepdog_step_slot(struct sheep_piece *p)
{
	const le32 vid = le32_make(p->vid);

	memcpy(p->small, &vid, sizeof(vid));
	set_own(p, p->small, sizeof(vid));
	p->x.h = bs_sheepdog_wire_object(
		SHEEP_WRITE, SHEEP_FLAG_WRITE | sheep_dev_flags(p->ch->d),
		sheep_inode_oid(p->vid), sheep_slot_off(p->spot->index),
		sizeof(vid));
	p->x.out_bytes = sizeof(vid);
	p->x.in_bytes = 0;
}

/* The time of a snapshot, and the size, which a VDI that was deleted has not. */
static_assert(offsetof(struct sheep_inode, size_bytes) + sizeof(le64) -
			      offsetof(struct sheep_inode, snapped) ==
		      sizeof(((struct sheep_piece *)NULL)->small),
	      "what the check reads");

void bs_sheepdog_step_check(struct sheep_piece *p)
{
	set_own(p, p->small, sizeof(p->small));
	p->x.h = bs_sheepdog_wire_object(SHEEP_READ, 0, sheep_inode_oid(p->vid),
					 offsetof(struct sheep_inode, snapped),
					 sizeof(p->small));
	p->x.out_bytes = 0;
	p->x.in_bytes = sizeof(p->small);
}

/* Any read of the inode tells whether another gateway has changed it. */
void bs_sheepdog_step_probe(struct sheep_piece *p)
{
	set_own(p, p->small, 1);
	p->x.h = bs_sheepdog_wire_object(SHEEP_READ, SHEEP_FLAG_TGT,
					 sheep_inode_oid(p->vid), 0, 1);
	p->x.out_bytes = 0;
	p->x.in_bytes = 1;
}

void bs_sheepdog_step_discard(struct sheep_piece *p)
{
	/* Of the VDI that is open, never of the slot's: that would hit a snapshot. */
	p->x.h = bs_sheepdog_wire_object(SHEEP_DISCARD,
					 sheep_dev_flags(p->ch->d),
					 sheep_data_oid(p->vid, p->spot->index),
					 0, 0);
	p->x.out_bytes = p->x.in_bytes = 0;
}

void bs_sheepdog_step_flush(struct sheep_piece *p)
{
	p->x.h = bs_sheepdog_wire_object(
		SHEEP_FLUSH_VDI, 0,
		sheep_inode_oid(atomic_load(&p->ch->d->vid)), 0, 0);
	p->x.out_bytes = p->x.in_bytes = 0;
}
