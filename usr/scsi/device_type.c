/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/device_type.c - device types and their opcode index.
 *
 * The index is an array by opcode; where an opcode has service actions its rows
 * are chained in their order.  Written before reactors run, read by anyone.
 */
#include "scsi/device_type.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/be.h"
#include "base/macros.h"
#include "scsi/command.h"

#define TYPES_MAX	16
#define VARIABLE_LENGTH	0x7f	/* opcode: the service action is in bytes 8-9 */

struct row {
	const struct scsi_command *cmd;
	struct row *next;	/* same opcode, next service action */
};

struct index {
	const struct scsi_device_type *type;
	struct row first[256];
};

static struct index *indexes[TYPES_MAX];
static unsigned int nr_indexes;

static void index_free(struct index *ix)
{
	for (unsigned int op = 0; op < ARRAY_SIZE(ix->first); op++) {
		struct row *r = ix->first[op].next;

		while (r) {
			struct row *next = r->next;

			free(r);
			r = next;
		}
	}
	free(ix);
}

static int index_add(struct index *ix, const struct scsi_command *cmd)
{
	struct row *r = &ix->first[cmd->opcode], *prev = NULL, *new;

	if (!r->cmd) {
		r->cmd = cmd;
		return 0;
	}
	/* Rows of one opcode must all have a service action, each another. */
	for (; r; prev = r, r = r->next) {
		if (!cmd->has_sa || !r->cmd->has_sa || r->cmd->sa == cmd->sa)
			return -EINVAL;
		if (r->cmd->sa > cmd->sa)
			break;
	}
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	if (prev) {
		*new = (struct row){ .cmd = cmd, .next = r };
		prev->next = new;
	} else {		/* before the first, which lives in the array */
		r = &ix->first[cmd->opcode];
		*new = *r;
		*r = (struct row){ .cmd = cmd, .next = new };
	}
	return 0;
}

int scsi_device_type_register(const struct scsi_device_type *type)
{
	struct index *ix;
	int err = 0;

	for (unsigned int i = 0; i < nr_indexes; i++)
		if (indexes[i]->type == type)
			return 0;
	if (nr_indexes == TYPES_MAX)
		return -ENOSPC;
	ix = calloc(1, sizeof(*ix));
	if (!ix)
		return -ENOMEM;
	ix->type = type;
	for (size_t t = 0; type->commands[t] && !err; t++)
		for (size_t i = 0; i < type->nr_commands[t] && !err; i++)
			err = index_add(ix, &type->commands[t][i]);
	if (err < 0) {
		index_free(ix);
		return err;
	}
	indexes[nr_indexes++] = ix;
	return 0;
}

const struct scsi_device_type *scsi_device_type_find(const char *option)
{
	for (unsigned int i = 0; i < nr_indexes; i++) {
		const struct scsi_device_type *type = indexes[i]->type;

		if (type->option && !strcmp(type->option, option))
			return type;
	}
	return NULL;
}

const struct scsi_device_type *scsi_device_type_nth(unsigned int n)
{
	return n < nr_indexes ? indexes[n]->type : NULL;
}

static const struct index *index_of(const struct scsi_device_type *type)
{
	for (unsigned int i = 0; i < nr_indexes; i++)
		if (indexes[i]->type == type)
			return indexes[i];
	return NULL;
}

void scsi_device_type_each_command(const struct scsi_device_type *type,
				   void (*visit)(const struct scsi_command *cmd, void *arg),
				   void *arg)
{
	const struct index *ix = index_of(type);

	if (!ix)
		return;
	for (unsigned int op = 0; op < ARRAY_SIZE(ix->first); op++)
		for (const struct row *r = &ix->first[op]; r && r->cmd; r = r->next)
			visit(r->cmd, arg);
}

const struct scsi_command *scsi_device_type_command(const struct scsi_device_type *type,
						    const uint8_t *cdb,
						    bool *ret_opcode_known)
{
	const struct index *ix = index_of(type);
	const struct row *r = ix ? &ix->first[cdb[0]] : NULL;
	uint16_t sa;

	*ret_opcode_known = r && r->cmd;
	if (!*ret_opcode_known)
		return NULL;
	if (likely(!r->cmd->has_sa))
		return r->cmd;
	sa = cdb[0] == VARIABLE_LENGTH ? (uint16_t)be_load(cdb + 8, 2) :
					 cdb[1] & 0x1f;
	while (r && r->cmd->sa != sa)
		r = r->next;
	return r ? r->cmd : NULL;
}
