/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/alua.c - REPORT TARGET PORT GROUPS and SET TARGET PORT GROUPS, SPC-4 r37
 * 6.37 and 6.45.  A target without groups has neither command.
 */
#include "scsi/alua.h"

#include "base/be.h"
#include "base/iov.h"
#include "base/macros.h"
#include "scsi/nexus.h"
#include "scsi/port.h"
#include "scsi/task.h"
#include "spc/handlers.h"

/* PARAMETER DATA FORMAT, byte 1 bits 7 to 5. */
enum { FORMAT_LENGTH = 0, FORMAT_EXTENDED = 1 };

#define PREF		0x80
/* Byte 1 of a descriptor: T_SUP O_SUP U_SUP S_SUP AN_SUP AO_SUP. */
#define SUPPORTED	(0x80 | 0x40 | 0x08 | 0x04 | 0x02 | 0x01)

#define HEADER_MAX	8
#define GROUP_BYTES	8
#define PORT_BYTES	4
#define DATA_MAX	(HEADER_MAX + (SCSI_ALUA_GROUPS_MAX + 1) * GROUP_BYTES + \
			 PORT_BYTES * (SCSI_ALUA_GROUPS_MAX * SCSI_ALUA_PORTS_MAX + \
				       SCSI_PORTS_MAX))

#define LIST_HEADER	4
#define DESCRIPTOR	4
#define LIST_MAX	(LIST_HEADER + DESCRIPTOR * SCSI_ALUA_GROUPS_MAX)

/* --- reporting --- */

/* Target port group descriptor without its ports, table 333. */
static void put_group(uint8_t *p, uint16_t id, bool preferred, struct scsi_alua_access access,
		      uint8_t nr_ports)
{
	p[0] = (preferred ? PREF : 0) | access.state;
	p[1] = SUPPORTED;
	be_store(p + 2, 2, id);
	p[5] = access.status;
	p[7] = nr_ports;
}

/* The ports that are in no group: those of group 0. */
static uint8_t *put_others(const struct scsi_alua *a, uint8_t *p)
{
	const struct scsi_ports *ports = scsi_port_list();
	uint8_t *at = p + GROUP_BYTES;
	uint8_t n = 0;

	for (unsigned int i = 0; ports && i < ports->n && n < UINT8_MAX; i++) {
		if (scsi_alua_find_port(a, ports->id[i]))
			continue;
		be_store(at + 2, 2, ports->id[i]);
		at += PORT_BYTES;
		n++;
	}
	if (!n)
		return p;
	put_group(p, 0, false, (struct scsi_alua_access){ SCSI_ALUA_OPTIMIZED,
							  SCSI_ALUA_NO_CHANGE }, n);
	return at;
}

enum scsi_status spc_alua_report(struct scsi_task *t)
{
	const struct scsi_alua *a = scsi_alua_of(t->nexus->target);
	const unsigned int format = t->cdb[1] >> 5;
	uint8_t d[DATA_MAX] = { 0 }, *p = d + LIST_HEADER;

	if (format > FORMAT_EXTENDED)
		return scsi_task_fail_cdb(t, 1, 7);
	if (format == FORMAT_EXTENDED) {
		d[4] = FORMAT_EXTENDED << 4;
		p = d + HEADER_MAX;
	}
	p = put_others(a, p);
	for (unsigned int i = 0; a && i < a->nr_groups; i++) {
		const struct scsi_alua_group *g = &a->group[i];

		put_group(p, g->id, g->preferred, scsi_alua_access(a, g, t->itl->lun),
			  g->nr_ports);
		p += GROUP_BYTES;
		for (unsigned int k = 0; k < g->nr_ports; k++, p += PORT_BYTES)
			be_store(p + 2, 2, g->port[k]);
		if (format == FORMAT_EXTENDED)
			d[5] = MAX(d[5], g->transition_s);
	}
	be_store(d, 4, (uint64_t)(p - d) - 4);
	return scsi_task_reply(t, d, (size_t)(p - d));
}

/* --- setting --- */

/* Offline is of single ports, and transition nothing one could wish for. */
static bool may_be_set(uint8_t state)
{
	return state <= SCSI_ALUA_UNAVAILABLE;
}

/* Set target port group descriptor, table 347. */
static enum scsi_status parse_one(struct scsi_task *t, const uint8_t *d, size_t at,
				  struct scsi_alua_wish *w, unsigned int nr_before)
{
	w->state = d[at] & 0x0f;
	w->group = (uint16_t)be_load(d + at + 2, 2);
	w->at = (uint16_t)at;
	if (!may_be_set(w->state))
		return scsi_task_fail_param(t, (unsigned int)at, 3);
	for (unsigned int i = 1; i <= nr_before; i++)
		if (w[-(int)i].group == w->group)
			return scsi_task_fail_param(t, (unsigned int)at + 2, -1);
	return SCSI_GOOD;
}

enum scsi_status spc_alua_set(struct scsi_task *t)
{
	struct scsi_alua_wish wishes[SCSI_ALUA_GROUPS_MAX];
	uint8_t d[LIST_MAX];
	unsigned int n = 0;

	if (!t->nr)			/* changes nothing, and is no error */
		return SCSI_GOOD;
	if (t->nr < LIST_HEADER || t->nr > sizeof(d) || t->nr % DESCRIPTOR)
		return scsi_task_fail_cdb(t, 6, -1);
	if (iov_read(t->data.iov, t->data.iovcnt, 0, d, t->out_bytes) < t->nr)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	for (size_t at = LIST_HEADER; at < t->nr; at += DESCRIPTOR, n++) {
		const enum scsi_status status = parse_one(t, d, at, &wishes[n], n);

		if (status != SCSI_GOOD)
			return status;
	}
	return n ? scsi_alua_ask(t, wishes, n) : SCSI_GOOD;
}
