/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/vpd.c - vital product data, SPC-4 r37 7.8: the pages of every device, and
 * those that its type adds.
 */
#include <stdio.h>
#include <string.h>
#include "base/be.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "scsi/alua.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "scsi/port.h"
#include "scsi/scsi.h"
#include "scsi/target.h"
#include "spc/handlers.h"
#include "spc/spc.h"

/* The LU's identity, or that of the controller of this target. */
static const struct lu_identity *identity(const struct scsi_task *t,
					  struct lu_identity *buf)
{
	if (t->dev->lu)
		return lu_identity(t->dev->lu);
	lu_identity_default(buf, t->nexus->target->name, t->nexus->target->tid,
			    t->itl->lun);
	return buf;
}

/* Unit serial number, 7.8.16. */
static size_t fill_serial(const struct scsi_task *t, uint8_t *p)
{
	struct lu_identity buf;
	const struct lu_identity *id = identity(t, &buf);
	const size_t n = strnlen(id->scsi_sn, LU_SN_MAX);

	memcpy(p, id->scsi_sn, n);
	return n;
}

/* --- device identification, 7.8.6 --- */

enum code_set { BINARY = 1, ASCII = 2, UTF8 = 3 };
enum association { LOGICAL_UNIT = 0x00, TARGET_PORT = 0x10, TARGET_DEVICE = 0x20 };
enum designator { T10_VENDOR = 1, NAA = 3, RELATIVE_PORT = 4, PORT_GROUP = 5,
		  SCSI_NAME = 8 };

#define TGT_T10_BYTES	36	/* tgt fills its T10 designator up with NULs */
#define PIV		0x80
#define PROTOCOL_ISCSI	0x50	/* whose port names end in ",t,0x" (7.6.4.5) */

static uint8_t *put(uint8_t *p, enum code_set set, enum association assoc,
		    enum designator type, const void *value, size_t bytes)
{
	p[0] = (uint8_t)set | (assoc == LOGICAL_UNIT ? 0 : PROTOCOL_ISCSI);
	p[1] = (uint8_t)assoc | (uint8_t)type | (assoc == LOGICAL_UNIT ? 0 : PIV);
	p[3] = (uint8_t)bytes;
	memcpy(p + 4, value, bytes);
	return p + 4 + bytes;
}

/* SCSI name string: with its NUL, filled up to a multiple of 4 bytes (7.8.6.11);
 * an iSCSI name has 223 bytes at most, so that the length fits its byte. */
static uint8_t *put_name(uint8_t *p, enum association assoc, const char *name)
{
	char text[256] = { 0 };
	const int n = snprintf(text, sizeof(text) - 4, "%s", name);

	return put(p, UTF8, assoc, SCSI_NAME, text,
		   ROUND_UP((size_t)MIN(n, 248) + 1, 4U));
}

static size_t fill_identification(const struct scsi_task *t, uint8_t *p)
{
	const struct scsi_nexus *n = t->nexus;
	struct lu_identity buf;
	const struct lu_identity *id = identity(t, &buf);
	const struct scsi_alua *alua = scsi_alua_of(n->target);
	const struct scsi_alua_group *g = scsi_alua_find_port(alua, n->target_port);
	const be32 port = be32_make(n->target_port), group = be32_make(g ? g->id : 0U);
	uint8_t *const start = p;
	char t10[TGT_T10_BYTES] = { 0 };
	char name[256];

	memcpy(t10, id->scsi_id, strlen(id->scsi_id));
	p = put(p, ASCII, LOGICAL_UNIT, T10_VENDOR, t10,
		id->tgt_compat ? sizeof(t10) : strlen(t10));
	p = put(p, BINARY, LOGICAL_UNIT, NAA, id->naa, id->naa_bytes);
	if (id->tgt_compat)
		p = put(p, BINARY, LOGICAL_UNIT, NAA, id->naa6, sizeof(id->naa6));
	p = put(p, BINARY, TARGET_PORT, RELATIVE_PORT, &port, sizeof(port));
	if (t->dev->lu && alua)
		p = put(p, BINARY, TARGET_PORT, PORT_GROUP, &group, sizeof(group));
	snprintf(name, sizeof(name), "%s,t,0x%04x", n->target->name, n->target_port);
	p = put_name(p, TARGET_PORT, name);
	p = put_name(p, TARGET_DEVICE, n->target->name);
	return (size_t)(p - start);
}

/* --- extended INQUIRY data, 7.8.7 --- */

#define TASKS		0x07	/* byte 5: HEADSUP, ORDSUP, SIMPSUP */
#define V_SUP		0x01	/* byte 6 */

static size_t fill_extended(const struct scsi_task *t, uint8_t *p)
{
	p[5 - 4] = TASKS;
	if (t->dev->lu && lu_store_info(t->dev->lu)->write_cache)
		p[6 - 4] = V_SUP;
	p[13 - 4] = SCSI_SENSE_MAX;
	return 0x3c;
}

/* --- mode page policy, 7.8.10 --- */

/* One descriptor for every page and subpage: shared by all initiators. */
static size_t fill_policy(const struct scsi_task *t, uint8_t *p)
{
	(void)t;
	p[0] = 0x3f;
	p[1] = 0xff;
	return 4;
}

/* --- SCSI ports, 7.8.14 --- */

#define PORT_BYTES_MAX	(12 + 4 + 252)

/* SCSI port designation descriptor. */
static uint8_t *put_port(const struct scsi_nexus *n, uint16_t port, uint8_t *p)
{
	char name[256];
	uint8_t *end;

	be_store(p + 2, 2, port);
	/* No initiator port. */
	snprintf(name, sizeof(name), "%s,t,0x%04x", n->target->name, port);
	end = put_name(p + 12, TARGET_PORT, name);
	be_store(p + 10, 2, (uint64_t)(end - p - 12));
	return end;
}

/* The port of this nexus first (its portals may be closed by now), then as many of
 * the others as fit. */
static size_t fill_ports(const struct scsi_task *t, uint8_t *p)
{
	const struct scsi_nexus *n = t->nexus;
	const struct scsi_ports *ports = scsi_port_list();
	uint8_t *const start = p;

	p = put_port(n, n->target_port, p);
	for (unsigned int i = 0; ports && i < ports->n; i++)
		if (ports->id[i] != n->target_port &&
		    p + PORT_BYTES_MAX <= start + SPC_VPD_BODY_MAX)
			p = put_port(n, ports->id[i], p);
	return (size_t)(p - start);
}

/* --- the table of pages --- */

static size_t fill_supported(const struct scsi_task *t, uint8_t *p);

static const struct spc_vpd_page common[] = {
	{ 0x00, fill_supported },
	{ 0x80, fill_serial },
	{ 0x83, fill_identification },
	{ 0x86, fill_extended },
	{ 0x87, fill_policy },
	{ 0x88, fill_ports },
};

/* Supported VPD pages in ascending order, 7.8.15. */
static size_t fill_supported(const struct scsi_task *t, uint8_t *p)
{
	const struct spc_device_type *type = spc_device_type(t->dev);
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		p[n++] = common[i].code;
	for (size_t i = 0; i < type->nr_vpd; i++)
		p[n++] = type->vpd[i].code;
	return n;
}

static const struct spc_vpd_page *find(const struct spc_device_type *type, uint8_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (common[i].code == code)
			return &common[i];
	for (size_t i = 0; i < type->nr_vpd; i++)
		if (type->vpd[i].code == code)
			return &type->vpd[i];
	return NULL;
}

bool spc_vpd_has(const struct scsi_device *dev, uint8_t code)
{
	return find(spc_device_type(dev), code);
}

enum scsi_status spc_vpd_run(struct scsi_task *t)
{
	const struct spc_vpd_page *page = t->dev ? find(spc_device_type(t->dev),
							t->cdb[2]) : NULL;
	uint8_t d[4 + SPC_VPD_BODY_MAX] = { 0 };
	size_t n;

	if (!page)
		return scsi_task_fail_cdb(t, 2, -1);
	n = page->fill(t, d + 4);
	d[0] = t->dev->type->code;
	d[1] = page->code;
	be_store(d + 2, 2, n);
	return scsi_task_reply(t, d, 4 + n);
}
