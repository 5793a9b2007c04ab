/* SPDX-License-Identifier: BSD-3-Clause */
#include "common_session.h"

#include <stdio.h>
#include <string.h>

#include "common_floor.h"
#include "common_iscsi.h"
#include "common_login.h"
#include "common_util.h"

static struct bench_disk read_capacity(struct bench_conn *c)
{
	/* READ CAPACITY (16), SBC-3 5.16 */
	const uint8_t cdb[16] = { 0x9e, 0x10, [13] = 32 };
	struct {
		be64 last_lba;
		be32 block_bytes;
		uint8_t more[20];
	} data;
	const uint32_t got = bench_iscsi_exec(c, cdb, &data, sizeof(data));
	struct bench_disk disk;

	if (got < 12)
		bench_util_die(BENCH_FAILED,
			       "connection %u: READ CAPACITY: %u bytes",
			       c->index, got);
	disk.nr_blocks = be64_get(data.last_lba) + 1;
	disk.block_bytes = be32_get(data.block_bytes);
	if (disk.block_bytes < 512 || disk.block_bytes > 65536 ||
	    disk.block_bytes % 512)
		bench_util_die(BENCH_FAILED,
			       "connection %u: blocks of %u bytes?", c->index,
			       disk.block_bytes);
	return disk;
}

void bench_session_open(struct bench_conn *c, const struct bench_opts *o,
			unsigned int index, unsigned int depth,
			struct bench_disk *disk)
{
	static const uint8_t test_unit_ready[16];
	char target[256], initiator[256];
	const struct bench_login login = {
		.initiator = initiator,
		.target = target,
		.max_recv_bytes = o->max_recv_bytes,
		.first_burst_bytes = o->first_burst_bytes < o->max_burst_bytes ?
					     o->first_burst_bytes :
					     o->max_burst_bytes,
		.max_burst_bytes = o->max_burst_bytes,
		.max_r2t = o->max_r2t,
		.immediate_data = !o->no_immediate,
		.initial_r2t = o->initial_r2t,
		.header_digest = o->header_digest,
		.data_digest = o->data_digest,
	};

	c->index = index;
	bench_conn_open(c, o->portal,
			o->floor ? &bench_floor_proto : &bench_iscsi_proto,
			depth);
	if (o->floor) {
		*disk = (struct bench_disk){
			.nr_blocks = (o->offset_bytes + o->region_bytes) /
				     BENCH_FLOOR_BYTES,
			.block_bytes = BENCH_FLOOR_BYTES,
		};
		return;
	}
	bench_opts_target(o, index, target, sizeof(target));
	snprintf(initiator, sizeof(initiator), "%s-%u", o->initiator, index);
	bench_login_run(c, &login);
	for (uint64_t i = o->each_lun ? o->nr_luns : 1; i--;) {
		c->lun = bench_iscsi_lun(bench_opts_lun(o, index) +
					 (unsigned int)i);
		bench_iscsi_exec(c, test_unit_ready, NULL, 0);
	}
	*disk = read_capacity(c);
}
