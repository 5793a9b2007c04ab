/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/proto.h - PDU formats and codes of RFC 7143 clause 11. */
#pragma once
#include <assert.h>
#include <stdint.h>
#include "base/be.h"

#define ISCSI_VERSION		0x00
#define ISCSI_TAG_NONE		0xffffffffU
#define ISCSI_BHS_BYTES		48
#define ISCSI_DIGEST_BYTES	4
#define ISCSI_PAD(n)		((4 - ((n) & 3)) & 3)
#define ISCSI_NAME_MAX		223	/* RFC 7143 4.2.7.2, bytes */
#define ISCSI_DEFAULT_PORT	3260

enum iscsi_opcode {		/* 11.2.1.2 */
	ISCSI_OP_NOP_OUT = 0x00,
	ISCSI_OP_COMMAND = 0x01,
	ISCSI_OP_TASK_REQ = 0x02,
	ISCSI_OP_LOGIN_REQ = 0x03,
	ISCSI_OP_TEXT_REQ = 0x04,
	ISCSI_OP_DATA_OUT = 0x05,
	ISCSI_OP_LOGOUT_REQ = 0x06,
	ISCSI_OP_SNACK = 0x10,
	ISCSI_OP_NOP_IN = 0x20,
	ISCSI_OP_RESPONSE = 0x21,
	ISCSI_OP_TASK_RSP = 0x22,
	ISCSI_OP_LOGIN_RSP = 0x23,
	ISCSI_OP_TEXT_RSP = 0x24,
	ISCSI_OP_DATA_IN = 0x25,
	ISCSI_OP_LOGOUT_RSP = 0x26,
	ISCSI_OP_R2T = 0x31,
	ISCSI_OP_ASYNC = 0x32,
	ISCSI_OP_REJECT = 0x3f,
};

#define ISCSI_OPCODE_MASK	0x3f
#define ISCSI_IMMEDIATE		0x40	/* in the opcode byte */
#define ISCSI_FINAL		0x80	/* in the flags byte */

/* What all headers have in common, 11.2.1 */
struct iscsi_bhs {
	uint8_t opcode;
	uint8_t flags;
	uint8_t specific[2];
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun;
	be32 itt;
	uint8_t rest[28];
};

struct iscsi_bhs_command {	/* 11.3 */
	uint8_t opcode;
	uint8_t flags;			/* F R W - - ATTR(3) */
	uint8_t rsvd2[2];
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun;
	be32 itt;
	be32 expected_bytes;
	be32 cmdsn;
	be32 exp_statsn;
	uint8_t cdb[16];
};
#define ISCSI_CMD_READ		0x40
#define ISCSI_CMD_WRITE		0x20
#define ISCSI_CMD_ATTR		0x07

#define ISCSI_AHS_EXTENDED_CDB	1	/* 11.2.2 */
#define ISCSI_AHS_BIDI_READ	2

struct iscsi_bhs_response {	/* 11.4 */
	uint8_t opcode;
	uint8_t flags;			/* 1 - - o u O U - */
	uint8_t response;
	uint8_t status;
	uint8_t ahs_words;
	be24 data_bytes;
	uint8_t rsvd8[8];
	be32 itt;
	be32 snack_tag;
	be32 statsn;
	be32 exp_cmdsn;
	be32 max_cmdsn;
	be32 exp_datasn;
	be32 bidi_residual;
	be32 residual;
};
#define ISCSI_RSP_OVERFLOW	0x04
#define ISCSI_RSP_UNDERFLOW	0x02
#define ISCSI_RSP_COMPLETED	0x00
#define ISCSI_RSP_TARGET_FAILURE 0x01

struct iscsi_bhs_task_req {	/* 11.5 */
	uint8_t opcode;
	uint8_t function;		/* 1 FUNCTION(7) */
	uint8_t rsvd2[2];
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun;
	be32 itt;
	be32 ref_itt;
	be32 cmdsn;
	be32 exp_statsn;
	be32 ref_cmdsn;
	be32 exp_datasn;
	uint8_t rsvd40[8];
};
enum iscsi_task_function {
	ISCSI_TMF_ABORT_TASK = 1,
	ISCSI_TMF_ABORT_TASK_SET,
	ISCSI_TMF_CLEAR_ACA,
	ISCSI_TMF_CLEAR_TASK_SET,
	ISCSI_TMF_LUN_RESET,
	ISCSI_TMF_TARGET_WARM_RESET,
	ISCSI_TMF_TARGET_COLD_RESET,
	ISCSI_TMF_TASK_REASSIGN,
};

struct iscsi_bhs_task_rsp {	/* 11.6 */
	uint8_t opcode;
	uint8_t flags;
	uint8_t response;
	uint8_t rsvd3;
	uint8_t ahs_words;
	be24 data_bytes;
	uint8_t rsvd8[8];
	be32 itt;
	uint8_t rsvd20[4];
	be32 statsn;
	be32 exp_cmdsn;
	be32 max_cmdsn;
	uint8_t rsvd36[12];
};
enum iscsi_task_response {
	ISCSI_TMF_RSP_COMPLETE = 0,
	ISCSI_TMF_RSP_NO_TASK = 1,
	ISCSI_TMF_RSP_NO_LUN = 2,
	ISCSI_TMF_RSP_STILL_ALLEGIANT = 3,
	ISCSI_TMF_RSP_NO_REASSIGN = 4,
	ISCSI_TMF_RSP_NOT_SUPPORTED = 5,
	ISCSI_TMF_RSP_NOT_AUTHORIZED = 6,
	ISCSI_TMF_RSP_REJECTED = 255,
};

struct iscsi_bhs_data_out {	/* 11.7 */
	uint8_t opcode;
	uint8_t flags;
	uint8_t rsvd2[2];
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun;
	be32 itt;
	be32 ttt;
	uint8_t rsvd24[4];
	be32 exp_statsn;
	uint8_t rsvd32[4];
	be32 datasn;
	be32 offset_bytes;
	uint8_t rsvd44[4];
};

struct iscsi_bhs_data_in {	/* 11.7 */
	uint8_t opcode;
	uint8_t flags;			/* F A - - - O U S */
	uint8_t rsvd2;
	uint8_t status;
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun;
	be32 itt;
	be32 ttt;
	be32 statsn;
	be32 exp_cmdsn;
	be32 max_cmdsn;
	be32 datasn;
	be32 offset_bytes;
	be32 residual;
};
#define ISCSI_DATA_STATUS	0x01

struct iscsi_bhs_r2t {		/* 11.8 */
	uint8_t opcode;
	uint8_t flags;
	uint8_t rsvd2[2];
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun;
	be32 itt;
	be32 ttt;
	be32 statsn;
	be32 exp_cmdsn;
	be32 max_cmdsn;
	be32 r2tsn;
	be32 offset_bytes;
	be32 desired_bytes;
};

struct iscsi_bhs_async {	/* 11.9 */
	uint8_t opcode;
	uint8_t flags;
	uint8_t rsvd2[2];
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun;
	be32 tag;			/* FFFFFFFFh */
	uint8_t rsvd20[4];
	be32 statsn;
	be32 exp_cmdsn;
	be32 max_cmdsn;
	uint8_t event;
	uint8_t vcode;
	be16 parameter1, parameter2, parameter3;
	uint8_t rsvd44[4];
};
enum iscsi_async_event { ISCSI_ASYNC_SCSI, ISCSI_ASYNC_LOGOUT, ISCSI_ASYNC_DROP_CONN,
			 ISCSI_ASYNC_DROP_SESSION, ISCSI_ASYNC_NEGOTIATE };

struct iscsi_bhs_text_req {	/* 11.10 */
	uint8_t opcode;
	uint8_t flags;			/* F C */
	uint8_t rsvd2[2];
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun;
	be32 itt;
	be32 ttt;
	be32 cmdsn;
	be32 exp_statsn;
	uint8_t rsvd32[16];
};
#define ISCSI_TEXT_CONTINUE	0x40

struct iscsi_bhs_text_rsp {	/* 11.11 */
	uint8_t opcode;
	uint8_t flags;
	uint8_t rsvd2[2];
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun;
	be32 itt;
	be32 ttt;
	be32 statsn;
	be32 exp_cmdsn;
	be32 max_cmdsn;
	uint8_t rsvd36[12];
};

struct iscsi_bhs_login_req {	/* 11.12 */
	uint8_t opcode;
	uint8_t flags;			/* T C - - CSG(2) NSG(2) */
	uint8_t version_max;
	uint8_t version_min;
	uint8_t ahs_words;
	be24 data_bytes;
	uint8_t isid[6];
	be16 tsih;
	be32 itt;
	be16 cid;
	uint8_t rsvd22[2];
	be32 cmdsn;
	be32 exp_statsn;
	uint8_t rsvd32[16];
};
#define ISCSI_LOGIN_TRANSIT	0x80
#define ISCSI_LOGIN_CONTINUE	0x40
#define ISCSI_LOGIN_CSG(flags)	(((flags) >> 2) & 3)
#define ISCSI_LOGIN_NSG(flags)	((flags) & 3)
enum iscsi_stage { ISCSI_STAGE_SECURITY, ISCSI_STAGE_OPERATIONAL,
		   ISCSI_STAGE_RESERVED, ISCSI_STAGE_FULL_FEATURE };

struct iscsi_bhs_login_rsp {	/* 11.13 */
	uint8_t opcode;
	uint8_t flags;
	uint8_t version_max;
	uint8_t version_active;
	uint8_t ahs_words;
	be24 data_bytes;
	uint8_t isid[6];
	be16 tsih;
	be32 itt;
	uint8_t rsvd20[4];
	be32 statsn;
	be32 exp_cmdsn;
	be32 max_cmdsn;
	uint8_t status_class;
	uint8_t status_detail;
	uint8_t rsvd38[10];
};
enum iscsi_login_status {	/* class << 8 | detail, 11.13.5 */
	ISCSI_LOGIN_OK = 0x0000,
	ISCSI_LOGIN_MOVED_TEMPORARILY = 0x0101,
	ISCSI_LOGIN_MOVED_PERMANENTLY = 0x0102,
	ISCSI_LOGIN_INITIATOR_ERROR = 0x0200,
	ISCSI_LOGIN_AUTH_FAILED = 0x0201,
	ISCSI_LOGIN_FORBIDDEN = 0x0202,
	ISCSI_LOGIN_NOT_FOUND = 0x0203,
	ISCSI_LOGIN_TARGET_REMOVED = 0x0204,
	ISCSI_LOGIN_BAD_VERSION = 0x0205,
	ISCSI_LOGIN_TOO_MANY_CONNS = 0x0206,
	ISCSI_LOGIN_MISSING_PARAMETER = 0x0207,
	ISCSI_LOGIN_CANNOT_INCLUDE = 0x0208,
	ISCSI_LOGIN_SESSION_TYPE = 0x0209,
	ISCSI_LOGIN_NO_SESSION = 0x020a,
	ISCSI_LOGIN_INVALID_REQUEST = 0x020b,
	ISCSI_LOGIN_TARGET_ERROR = 0x0300,
	ISCSI_LOGIN_UNAVAILABLE = 0x0301,
	ISCSI_LOGIN_OUT_OF_RESOURCES = 0x0302,
};

struct iscsi_bhs_logout_req {	/* 11.14 */
	uint8_t opcode;
	uint8_t reason;			/* 1 REASON(7) */
	uint8_t rsvd2[2];
	uint8_t ahs_words;
	be24 data_bytes;
	uint8_t rsvd8[8];
	be32 itt;
	be16 cid;
	uint8_t rsvd22[2];
	be32 cmdsn;
	be32 exp_statsn;
	uint8_t rsvd32[16];
};
enum { ISCSI_LOGOUT_SESSION, ISCSI_LOGOUT_CONN, ISCSI_LOGOUT_RECOVERY };

struct iscsi_bhs_logout_rsp {	/* 11.15 */
	uint8_t opcode;
	uint8_t flags;
	uint8_t response;
	uint8_t rsvd3;
	uint8_t ahs_words;
	be24 data_bytes;
	uint8_t rsvd8[8];
	be32 itt;
	uint8_t rsvd20[4];
	be32 statsn;
	be32 exp_cmdsn;
	be32 max_cmdsn;
	uint8_t rsvd36[4];
	be16 time2wait;
	be16 time2retain;
	uint8_t rsvd44[4];
};
enum { ISCSI_LOGOUT_RSP_OK, ISCSI_LOGOUT_RSP_NO_CID, ISCSI_LOGOUT_RSP_NO_RECOVERY,
       ISCSI_LOGOUT_RSP_CLEANUP_FAILED };

struct iscsi_bhs_reject {	/* 11.17 */
	uint8_t opcode;
	uint8_t flags;
	uint8_t reason;
	uint8_t rsvd3;
	uint8_t ahs_words;
	be24 data_bytes;
	uint8_t rsvd8[8];
	be32 tag;			/* FFFFFFFFh */
	uint8_t rsvd20[4];
	be32 statsn;
	be32 exp_cmdsn;
	be32 max_cmdsn;
	be32 datasn_r2tsn;
	uint8_t rsvd40[8];
};
enum iscsi_reject_reason {
	ISCSI_REJECT_DATA_DIGEST = 0x02,
	ISCSI_REJECT_SNACK = 0x03,
	ISCSI_REJECT_PROTOCOL_ERROR = 0x04,
	ISCSI_REJECT_NOT_SUPPORTED = 0x05,
	ISCSI_REJECT_IMMEDIATE = 0x06,
	ISCSI_REJECT_TASK_IN_PROGRESS = 0x07,
	ISCSI_REJECT_INVALID_DATA_ACK = 0x08,
	ISCSI_REJECT_INVALID_FIELD = 0x09,
	ISCSI_REJECT_LONG_OPERATION = 0x0a,
	ISCSI_REJECT_WAITING_LOGOUT = 0x0c,
};

struct iscsi_bhs_nop_out {	/* 11.18 */
	uint8_t opcode;
	uint8_t flags;
	uint8_t rsvd2[2];
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun;
	be32 itt;
	be32 ttt;
	be32 cmdsn;
	be32 exp_statsn;
	uint8_t rsvd32[16];
};

struct iscsi_bhs_nop_in {	/* 11.19 */
	uint8_t opcode;
	uint8_t flags;
	uint8_t rsvd2[2];
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun;
	be32 itt;
	be32 ttt;
	be32 statsn;
	be32 exp_cmdsn;
	be32 max_cmdsn;
	uint8_t rsvd36[12];
};

#define ISCSI_BHS_IS_48(type) static_assert(sizeof(struct type) == ISCSI_BHS_BYTES, #type)
ISCSI_BHS_IS_48(iscsi_bhs);
ISCSI_BHS_IS_48(iscsi_bhs_command);
ISCSI_BHS_IS_48(iscsi_bhs_response);
ISCSI_BHS_IS_48(iscsi_bhs_task_req);
ISCSI_BHS_IS_48(iscsi_bhs_task_rsp);
ISCSI_BHS_IS_48(iscsi_bhs_data_out);
ISCSI_BHS_IS_48(iscsi_bhs_data_in);
ISCSI_BHS_IS_48(iscsi_bhs_r2t);
ISCSI_BHS_IS_48(iscsi_bhs_async);
ISCSI_BHS_IS_48(iscsi_bhs_text_req);
ISCSI_BHS_IS_48(iscsi_bhs_text_rsp);
ISCSI_BHS_IS_48(iscsi_bhs_login_req);
ISCSI_BHS_IS_48(iscsi_bhs_login_rsp);
ISCSI_BHS_IS_48(iscsi_bhs_logout_req);
ISCSI_BHS_IS_48(iscsi_bhs_logout_rsp);
ISCSI_BHS_IS_48(iscsi_bhs_reject);
ISCSI_BHS_IS_48(iscsi_bhs_nop_out);
ISCSI_BHS_IS_48(iscsi_bhs_nop_in);
