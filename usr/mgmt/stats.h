/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/stats.h - counters of the I_T_L nexuses and connections, gathered from
 * all reactors.  Threads: control.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct mgmt_call;

struct mgmt_stats_itl {
	int tid;
	uint64_t lun, sid;
	uint64_t rd_subm_bytes, rd_subm_cmds, rd_done_bytes, rd_done_cmds;
	uint64_t wr_subm_bytes, wr_subm_cmds, wr_done_bytes, wr_done_cmds;
	uint64_t errs;
};

struct mgmt_stats_conn {
	int tid;
	uint64_t sid;
	uint16_t cid;
	uint64_t rx_bytes, tx_bytes;
	uint32_t data_out_pdus, data_in_pdus, cmd_pdus, rsp_pdus;
};

void mgmt_stats_system(struct mgmt_call *call);
void mgmt_stats_target(struct mgmt_call *call);
void mgmt_stats_lun(struct mgmt_call *call);
void mgmt_stats_session(struct mgmt_call *call);
void mgmt_stats_connection(struct mgmt_call *call);
