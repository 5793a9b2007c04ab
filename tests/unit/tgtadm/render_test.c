/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtadm/render: results become the texts that other programs take apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "tgtadm/render.h"

static void check(void (*render)(FILE *to, const json_t *result), const char *json,
		  const char *want)
{
	json_error_t where;
	json_t *result = json_loads(json, 0, &where);
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!result)
		fail_msg("%s at %d", where.text, where.position);
	assert_non_null(f);
	render(f, result);
	fclose(f);
	assert_string_equal(text, want);
	free(text);
	json_decref(result);
}

static void targets_with_a_session(void **state)
{
	(void)state;
	check(tgtadm_render_targets,
	      "{\"targets\":[{\"tid\":1,\"name\":\"iqn.2001-04.com.example:t1\","
	      "\"driver\":\"iscsi\",\"state\":\"ready\",\"nop_interval\":5,\"nop_count\":3,"
	      "\"sessions\":[{\"sid\":2,\"initiator\":\"iqn.1994-05.com.example:init\","
	      "\"alias\":\"\",\"connections\":[{\"cid\":0,\"address\":\"127.0.0.1\"}]}],"
	      "\"luns\":[{\"lun\":0,\"type\":\"controller\",\"scsi_id\":\"IET     00010000\","
	      "\"scsi_sn\":\"beaf10\",\"size_bytes\":0,\"block_bytes\":1,\"online\":true,"
	      "\"removable\":false,\"prevent_removal\":false,\"readonly\":false,\"swp\":false,"
	      "\"thin_provisioning\":false,\"bstype\":\"null\",\"path\":null,\"bsoflags\":\"\"},"
	      "{\"lun\":1,\"type\":\"disk\",\"scsi_id\":\"ID0001\",\"scsi_sn\":\"SN0001\","
	      "\"size_bytes\":67108864,\"block_bytes\":512,\"online\":true,\"removable\":false,"
	      "\"prevent_removal\":false,\"readonly\":false,\"swp\":false,"
	      "\"thin_provisioning\":true,\"bstype\":\"rdwr\",\"path\":\"/srv/d1.img\","
	      "\"bsoflags\":\"sync:direct\"}],"
	      "\"accounts\":[{\"user\":\"a\",\"outgoing\":false},{\"user\":\"b\",\"outgoing\":true}],"
	      "\"acl\":[{\"kind\":\"address\",\"rule\":\"ALL\"},"
	      "{\"kind\":\"address\",\"rule\":\"127.0.0.0/8\"},"
	      "{\"kind\":\"initiator\",\"rule\":\"iqn.1994-05.com.example:init\"}]}]}",
	      "Target 1: iqn.2001-04.com.example:t1\n"
	      "    System information:\n"
	      "        Driver: iscsi\n"
	      "        State: ready\n"
	      "        Nop interval: 5\n"
	      "        Nop count: 3\n"
	      "    I_T nexus information:\n"
	      "        I_T nexus: 2\n"
	      "            Initiator: iqn.1994-05.com.example:init alias: none\n"
	      "            Connection: 0\n"
	      "                IP Address: 127.0.0.1\n"
	      "    LUN information:\n"
	      "        LUN: 0\n"
	      "            Type: controller\n"
	      "            SCSI ID: IET     00010000\n"
	      "            SCSI SN: beaf10\n"
	      "            Size: 0 MB, Block size: 1\n"
	      "            Online: Yes\n"
	      "            Removable media: No\n"
	      "            Prevent removal: No\n"
	      "            Readonly: No\n"
	      "            SWP: No\n"
	      "            Thin-provisioning: No\n"
	      "            Backing store type: null\n"
	      "            Backing store path: None\n"
	      "            Backing store flags: \n"
	      "        LUN: 1\n"
	      "            Type: disk\n"
	      "            SCSI ID: ID0001\n"
	      "            SCSI SN: SN0001\n"
	      "            Size: 67 MB, Block size: 512\n"
	      "            Online: Yes\n"
	      "            Removable media: No\n"
	      "            Prevent removal: No\n"
	      "            Readonly: No\n"
	      "            SWP: No\n"
	      "            Thin-provisioning: Yes\n"
	      "            Backing store type: rdwr\n"
	      "            Backing store path: /srv/d1.img\n"
	      "            Backing store flags: sync:direct\n"
	      "    Account information:\n"
	      "        a\n"
	      "        b (outgoing)\n"
	      "    ACL information:\n"
	      "        ALL\n"
	      "        127.0.0.0/8\n"
	      "        iqn.1994-05.com.example:init\n");
}

static void nothing_is_no_output(void **state)
{
	(void)state;
	check(tgtadm_render_targets, "{\"targets\":[]}", "");
	check(tgtadm_render_connections, "{\"sessions\":[]}", "");
	check(tgtadm_render_accounts, "{\"accounts\":[]}", "");
	check(tgtadm_render_portals, "{\"portals\":[]}", "");
}

static void parameters(void **state)
{
	(void)state;
	check(tgtadm_render_target_params,
	      "{\"params\":[[\"nop_interval\",\"5\"],[\"HeaderDigest\",\"None\"]]}",
	      "nop_interval=5\nHeaderDigest=None\n");
}

static void connections(void **state)
{
	(void)state;
	check(tgtadm_render_connections,
	      "{\"sessions\":[{\"sid\":2,\"initiator\":\"iqn.1994-05.com.example:init\","
	      "\"alias\":\"x\",\"connections\":[{\"cid\":0,\"address\":\"127.0.0.1\"}]},"
	      "{\"sid\":7,\"initiator\":\"iqn.b\",\"alias\":\"\","
	      "\"connections\":[{\"cid\":1,\"address\":\"::1\"}]}]}",
	      "Session: 7\n"
	      "    Connection: 1\n"
	      "        Initiator: iqn.b\n"
	      "        IP Address: ::1\n"
	      "Session: 2\n"
	      "    Connection: 0\n"
	      "        Initiator: iqn.1994-05.com.example:init\n"
	      "        IP Address: 127.0.0.1\n");
}

static void the_system(void **state)
{
	(void)state;
	check(tgtadm_render_system,
	      "{\"state\":\"ready\",\"debug\":false,"
	      "\"drivers\":[{\"name\":\"iscsi\",\"state\":\"ready\"}],"
	      "\"stores\":[{\"name\":\"aio\",\"bsoflags\":[],\"error\":null},"
	      "{\"name\":\"rbd\",\"bsoflags\":[],\"error\":\"librbd.so.1 is missing\"},"
	      "{\"name\":\"rdwr\",\"bsoflags\":[\"sync\",\"direct\"],\"error\":null}],"
	      "\"device_types\":[\"disk\",\"controller\"],"
	      "\"accounts\":[{\"user\":\"inuser\",\"outgoing\":false},"
	      "{\"user\":\"outuser\",\"outgoing\":true}]}",
	      "System:\n"
	      "    State: ready\n"
	      "    debug: off\n"
	      "LLDs:\n"
	      "    iscsi: ready\n"
	      "Backing stores:\n"
	      "    aio\n"
	      "    (rbd: librbd.so.1 is missing)\n"
	      "    rdwr (bsoflags sync:direct)\n"
	      "Device types:\n"
	      "    disk\n"
	      "    controller\n"
	      "    Account information:\n"
	      "\n"
	      "    inuser\n"
	      "    outuser (outgoing)\n"
	      "iSNS:\n"
	      "    iSNS=Off\n"
	      "    iSNSServerIP=\n"
	      "    iSNSServerPort=3205\n"
	      "    iSNSAccessControl=Off\n");
}

static void drivers_portals_accounts(void **state)
{
	(void)state;
	check(tgtadm_render_drivers,
	      "{\"drivers\":[{\"name\":\"iscsi\",\"state\":\"ready\",\"targets\":["
	      "{\"tid\":2,\"name\":\"iqn.b\"},{\"tid\":1,\"name\":\"iqn.a\"}]}]}",
	      "LLDs:\n"
	      "    iscsi: ready\n"
	      "        Target 2: iqn.b\n"
	      "        Target 1: iqn.a\n");
	check(tgtadm_render_portals,
	      "{\"portals\":[{\"portal\":\"[::1]:3268\",\"tpgt\":1},"
	      "{\"portal\":\"127.0.0.1:3265\",\"tpgt\":1}]}",
	      "Portal: [::1]:3268,1\nPortal: 127.0.0.1:3265,1\n");
	check(tgtadm_render_accounts, "{\"accounts\":[\"outuser\",\"inuser\"]}",
	      "Account list:\n    outuser\n    inuser\n");
}

#define ROW(tid, lun, sid, n, bytes)                                                         \
	"{\"tid\":" #tid ",\"lun\":" #lun ",\"sid\":" #sid                                    \
	",\"rd_subm_bytes\":" #bytes ",\"rd_subm_cmds\":" #n ",\"rd_done_bytes\":" #bytes      \
	",\"rd_done_cmds\":" #n ",\"wr_subm_bytes\":0,\"wr_subm_cmds\":0,\"wr_done_bytes\":0," \
	"\"wr_done_cmds\":0,\"errs\":1}"
#define LUN_HEADER "tgt lun sid rd_subm(bytes,cmds) rd_done(bytes,cmds) " \
		   "wr_subm(bytes,cmds) wr_done(bytes,cmds) errs\n"
#define CONN_HEADER "sid cid rxdata_octets txdata_octets dataout_pdus datain_pdus " \
		    "cmd_pdus rsp_pdus\n"
#define CONN_ROW                                                                       \
	"{\"sid\":4,\"cid\":0,\"rxdata_octets\":506528,\"txdata_octets\":43670016,"     \
	"\"dataout_pdus\":0,\"datain_pdus\":0,\"cmd_pdus\":10543,\"rsp_pdus\":0}"
#define CONN_TEXT \
	"  4   0        506528      43670016            0           0    10543        0\n"

static void counters(void **state)
{
	(void)state;
	check(tgtadm_render_lun_stats,
	      "{\"luns\":[" ROW(1, 0, 2, 0, 0) "," ROW(1, 1, 2, 29813, 122109984) "]}",
	      LUN_HEADER
	      "  1   0   2            0      0            0      0            0      0            0      0    1\n"
	      "  1   1   2    122109984  29813    122109984  29813            0      0            0      0    1\n");
	check(tgtadm_render_conn_stats, "{\"connections\":[" CONN_ROW "]}",
	      CONN_HEADER CONN_TEXT);
	/* A session's LUNs descend, an empty line, its connections. */
	check(tgtadm_render_session_stats,
	      "{\"luns\":[" ROW(1, 0, 4, 0, 0) "," ROW(1, 1, 4, 1, 512)
	      "],\"connections\":[" CONN_ROW "]}",
	      LUN_HEADER
	      "  1   1   4          512      1          512      1            0      0            0      0    1\n"
	      "  1   0   4            0      0            0      0            0      0            0      0    1\n"
	      "\n" CONN_HEADER CONN_TEXT);
}

/* Sizes of which tgt 1.0.85 printed the first four. */
static void megabytes(void **state)
{
	(void)state;
	assert_int_equal(tgtadm_render_megabytes(0), 0);
	assert_int_equal(tgtadm_render_megabytes(10ULL << 20), 10);
	assert_int_equal(tgtadm_render_megabytes(64ULL << 20), 67);
	assert_int_equal(tgtadm_render_megabytes(6ULL << 30), 6442);
	/* 16 EiB - 1: no overflow. */
	assert_int_equal(tgtadm_render_megabytes(UINT64_MAX), 18446744073710);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_with_a_session),
		cmocka_unit_test(nothing_is_no_output),
		cmocka_unit_test(parameters),
		cmocka_unit_test(connections),
		cmocka_unit_test(the_system),
		cmocka_unit_test(drivers_portals_accounts),
		cmocka_unit_test(counters),
		cmocka_unit_test(megabytes),
	};

	return cmocka_run_group_tests_name("tgtadm/render", tests, NULL, NULL);
}
