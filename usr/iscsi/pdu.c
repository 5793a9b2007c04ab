/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/pdu.c - PDUs come from a pool of the thread; a data segment that they
 * own from malloc (login, text and NOP: never on the path of a READ or WRITE). */
#include "iscsi/pdu.h"

#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "iscsi/command.h"
#include "reactor/reactor.h"

#define PDUS_PER_SLAB	128
#define PDUS_MAX	(1U << 20)

static __thread struct pool *pool;

static void free_pool(void)
{
	pool_free(pool);
	pool = NULL;
}

static struct pool *get_pool(void)
{
	if (likely(pool))
		return pool;
	pool = pool_new(sizeof(struct iscsi_pdu), 64, PDUS_PER_SLAB, PDUS_MAX);
	if (pool)
		reactor_on_exit(reactor_current(), free_pool);
	return pool;
}

struct iscsi_pdu *iscsi_pdu_new(enum iscsi_opcode op)
{
	struct pool *p = get_pool();
	struct iscsi_pdu *pdu = p ? pool_get(p) : NULL;

	if (unlikely(!pdu))
		return NULL;
	memset(pdu, 0, sizeof(*pdu));
	list_init(&pdu->node);
	pdu->bhs.opcode = (uint8_t)op;
	pdu->bhs.flags = ISCSI_FINAL;
	pdu->bhs.itt = be32_make(ISCSI_TAG_NONE);
	return pdu;
}

void iscsi_pdu_free(struct iscsi_pdu *pdu)
{
	if (!pdu)
		return;
	if (pdu->cmd)
		scsi_task_put(&pdu->cmd->task);
	free(pdu->owned);
	pool_put(pool, pdu);
}

void iscsi_pdu_take_data(struct iscsi_pdu *pdu, void *data, uint32_t bytes)
{
	free(pdu->owned);
	pdu->owned = data;
	pdu->data[0] = (struct iovec){ data, bytes };
	pdu->nr_data = bytes ? 1 : 0;
	pdu->data_bytes = bytes;
}

void iscsi_pdu_move_data(struct iscsi_pdu *to, struct iscsi_pdu *from)
{
	iscsi_pdu_take_data(to, from->owned, from->data_bytes);
	from->owned = NULL;
	from->nr_data = 0;
	from->data_bytes = 0;
}
