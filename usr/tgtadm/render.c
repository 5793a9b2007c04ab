/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgtadm/render.c - other programs take these texts apart with expressions of
 * their own, so nothing here may move.  An indent is four spaces.
 */
#include "tgtadm/render.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const char *text(const json_t *v, const char *name)
{
	const char *s = json_string_value(json_object_get(v, name));

	return s ? s : "";
}

static const char *text_or(const json_t *v, const char *name, const char *fallback)
{
	const char *s = text(v, name);

	return *s ? s : fallback;
}

static json_int_t number(const json_t *v, const char *name)
{
	return json_integer_value(json_object_get(v, name));
}

static const char *yes_no(const json_t *v, const char *name)
{
	return json_is_true(json_object_get(v, name)) ? "Yes" : "No";
}

static const json_t *list(const json_t *v, const char *name)
{
	return json_object_get(v, name);
}

/*
 * tgt's way from sectors to megabytes of 1000000 bytes: each 1950 sectors one,
 * and of every 625 sectors one does not count.
 */
uint64_t tgtadm_render_megabytes(uint64_t bytes)
{
	const uint64_t s = bytes / 512;

	return (s - (s / 625 - 974)) / 1950;
}

/* --- targets ---------------------------------------------------------- */

static void render_session(FILE *to, const json_t *s)
{
	const json_t *c;
	size_t i;

	fprintf(to, "        I_T nexus: %" JSON_INTEGER_FORMAT "\n", number(s, "sid"));
	fprintf(to, "            Initiator: %s alias: %s\n", text(s, "initiator"),
		text_or(s, "alias", "none"));
	json_array_foreach(list(s, "connections"), i, c) {
		fprintf(to, "            Connection: %" JSON_INTEGER_FORMAT "\n",
			number(c, "cid"));
		fprintf(to, "                IP Address: %s\n", text(c, "address"));
	}
}

static void render_lun(FILE *to, const json_t *l)
{
	fprintf(to, "        LUN: %" JSON_INTEGER_FORMAT "\n", number(l, "lun"));
	fprintf(to, "            Type: %s\n", text(l, "type"));
	fprintf(to, "            SCSI ID: %s\n", text(l, "scsi_id"));
	fprintf(to, "            SCSI SN: %s\n", text(l, "scsi_sn"));
	fprintf(to,
		"            Size: %" PRIu64 " MB, Block size: %" JSON_INTEGER_FORMAT "\n",
		tgtadm_render_megabytes((uint64_t)number(l, "size_bytes")),
		number(l, "block_bytes"));
	fprintf(to, "            Online: %s\n", yes_no(l, "online"));
	fprintf(to, "            Removable media: %s\n", yes_no(l, "removable"));
	fprintf(to, "            Prevent removal: %s\n", yes_no(l, "prevent_removal"));
	fprintf(to, "            Readonly: %s\n", yes_no(l, "readonly"));
	fprintf(to, "            SWP: %s\n", yes_no(l, "swp"));
	fprintf(to, "            Thin-provisioning: %s\n", yes_no(l, "thin_provisioning"));
	fprintf(to, "            Backing store type: %s\n", text_or(l, "bstype", "Unknown"));
	fprintf(to, "            Backing store path: %s\n", text_or(l, "path", "None"));
	fprintf(to, "            Backing store flags: %s\n", text(l, "bsoflags"));
}

static void render_accounts_of(FILE *to, const json_t *accounts, const char *indent)
{
	const json_t *a;
	size_t i;

	json_array_foreach(accounts, i, a) {
		fprintf(to, "%s%s%s\n", indent, text(a, "user"),
			json_is_true(json_object_get(a, "outgoing")) ? " (outgoing)" : "");
	}
}

static void render_target(FILE *to, const json_t *t)
{
	const json_t *v;
	size_t i;

	fprintf(to, "Target %" JSON_INTEGER_FORMAT ": %s\n", number(t, "tid"),
		text(t, "name"));
	fprintf(to, "    System information:\n");
	fprintf(to, "        Driver: %s\n", text(t, "driver"));
	fprintf(to, "        State: %s\n", text(t, "state"));
	if (number(t, "nop_interval")) {
		fprintf(to, "        Nop interval: %" JSON_INTEGER_FORMAT "\n",
			number(t, "nop_interval"));
		fprintf(to, "        Nop count: %" JSON_INTEGER_FORMAT "\n",
			number(t, "nop_count"));
	}
	fprintf(to, "    I_T nexus information:\n");
	json_array_foreach(list(t, "sessions"), i, v) {
		render_session(to, v);
	}
	fprintf(to, "    LUN information:\n");
	json_array_foreach(list(t, "luns"), i, v) {
		render_lun(to, v);
	}
	fprintf(to, "    Account information:\n");
	render_accounts_of(to, list(t, "accounts"), "        ");
	fprintf(to, "    ACL information:\n");
	json_array_foreach(list(t, "acl"), i, v) {
		fprintf(to, "        %s\n", text(v, "rule"));
	}
}

void tgtadm_render_targets(FILE *to, const json_t *result)
{
	const json_t *t;
	size_t i;

	json_array_foreach(list(result, "targets"), i, t) {
		render_target(to, t);
	}
}

void tgtadm_render_target_params(FILE *to, const json_t *result)
{
	const json_t *pair;
	size_t i;

	json_array_foreach(list(result, "params"), i, pair) {
		fprintf(to, "%s=%s\n", json_string_value(json_array_get(pair, 0)),
			json_string_value(json_array_get(pair, 1)));
	}
}

/* The newest first, as tgt has them here and only here. */
void tgtadm_render_connections(FILE *to, const json_t *result)
{
	const json_t *sessions = list(result, "sessions"), *s, *c;
	size_t k;

	for (size_t i = json_array_size(sessions); i--;) {
		s = json_array_get(sessions, i);
		fprintf(to, "Session: %" JSON_INTEGER_FORMAT "\n", number(s, "sid"));
		json_array_foreach(list(s, "connections"), k, c) {
			fprintf(to, "    Connection: %" JSON_INTEGER_FORMAT "\n",
				number(c, "cid"));
			fprintf(to, "        Initiator: %s\n", text(s, "initiator"));
			fprintf(to, "        IP Address: %s\n", text(c, "address"));
		}
	}
}

/* --- the system ------------------------------------------------------- */

/* Programs look for " <name>" to know that a store is there: what did not load
 * must not look like that. */
static void render_store(FILE *to, const json_t *s)
{
	const json_t *flags = list(s, "bsoflags"), *f;
	const char *error = json_string_value(json_object_get(s, "error"));
	size_t i;

	if (error) {
		fprintf(to, "    (%s: %s)\n", text(s, "name"), error);
		return;
	}
	fprintf(to, "    %s", text(s, "name"));
	json_array_foreach(flags, i, f) {
		fprintf(to, "%s%s", i ? ":" : " (bsoflags ", json_string_value(f));
	}
	fprintf(to, "%s\n", json_array_size(flags) ? ")" : "");
}

void tgtadm_render_system(FILE *to, const json_t *result)
{
	const json_t *v;
	size_t i;

	fprintf(to, "System:\n    State: %s\n    debug: %s\n", text(result, "state"),
		json_is_true(json_object_get(result, "debug")) ? "on" : "off");
	fprintf(to, "LLDs:\n");
	json_array_foreach(list(result, "drivers"), i, v) {
		fprintf(to, "    %s: %s\n", text(v, "name"), text(v, "state"));
	}
	fprintf(to, "Backing stores:\n");
	json_array_foreach(list(result, "stores"), i, v) {
		render_store(to, v);
	}
	fprintf(to, "Device types:\n");
	json_array_foreach(list(result, "device_types"), i, v) {
		fprintf(to, "    %s\n", json_string_value(v));
	}
	if (json_array_size(list(result, "accounts"))) {
		fprintf(to, "    Account information:\n\n");
		render_accounts_of(to, list(result, "accounts"), "    ");
	}
	/* There is no iSNS client; scripts look for the lines. */
	fprintf(to, "iSNS:\n    iSNS=Off\n    iSNSServerIP=\n    iSNSServerPort=3205\n"
		    "    iSNSAccessControl=Off\n");
}

void tgtadm_render_drivers(FILE *to, const json_t *result)
{
	const json_t *d, *t;
	size_t i, k;

	fprintf(to, "LLDs:\n");
	json_array_foreach(list(result, "drivers"), i, d) {
		fprintf(to, "    %s: %s\n", text(d, "name"), text(d, "state"));
		json_array_foreach(list(d, "targets"), k, t) {
			fprintf(to, "        Target %" JSON_INTEGER_FORMAT ": %s\n",
				number(t, "tid"), text(t, "name"));
		}
	}
}

void tgtadm_render_portals(FILE *to, const json_t *result)
{
	const json_t *p;
	size_t i;

	json_array_foreach(list(result, "portals"), i, p) {
		fprintf(to, "Portal: %s,%" JSON_INTEGER_FORMAT "\n", text(p, "portal"),
			number(p, "tpgt"));
	}
}

static void render_group(FILE *to, const json_t *g)
{
	const json_t *v;
	size_t i;

	fprintf(to, "Target port group: %" JSON_INTEGER_FORMAT "\n", number(g, "tpg"));
	fprintf(to, "    State: %s\n    Changed by: %s\n", text(g, "state"),
		text(g, "changed_by"));
	fprintf(to, "    Preferred: %s\n    ALUA: %s\n",
		json_is_true(json_object_get(g, "preferred")) ? "Yes" : "No",
		text(g, "alua"));
	fprintf(to, "    Transition time: %" JSON_INTEGER_FORMAT "\n",
		number(g, "transition_time"));
	json_array_foreach(list(g, "ports"), i, v) {
		fprintf(to, "    Port: %" JSON_INTEGER_FORMAT "\n", json_integer_value(v));
	}
	json_array_foreach(list(g, "luns"), i, v) {
		fprintf(to, "    LUN: %" JSON_INTEGER_FORMAT "\n        State: %s\n"
			    "        Changed by: %s\n",
			number(v, "lun"), text(v, "state"), text(v, "changed_by"));
	}
}

void tgtadm_render_groups(FILE *to, const json_t *result)
{
	const json_t *g;
	size_t i;

	json_array_foreach(list(result, "groups"), i, g) {
		render_group(to, g);
	}
}

void tgtadm_render_state(FILE *to, const json_t *result)
{
	json_dumpf(json_object_get(result, "state"), to, JSON_INDENT(1));
	fputc('\n', to);
}

void tgtadm_render_changes(FILE *to, const json_t *result)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list(result, "changes"), i, v) {
		fprintf(to, "%s\n", json_string_value(v));
	}
}

int tgtadm_render_in_use(const json_t *result)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list(result, "in_use"), i, v) {
		fprintf(stderr, "tgtadm: target %" JSON_INTEGER_FORMAT " (%s) is in use, it was left as it is; --force changes it\n",
			number(v, "tid"), text(v, "name"));
	}
	return json_array_size(list(result, "in_use")) ? EINVAL : 0;
}

void tgtadm_render_accounts(FILE *to, const json_t *result)
{
	const json_t *accounts = list(result, "accounts"), *a;
	size_t i;

	if (json_array_size(accounts))
		fprintf(to, "Account list:\n");
	json_array_foreach(accounts, i, a) {
		fprintf(to, "    %s\n", json_string_value(a));
	}
}

/* --- counters --------------------------------------------------------- */

static void render_counters(FILE *to, const json_t *r, const char *bytes,
			    const char *cmds)
{
	fprintf(to, " %12" JSON_INTEGER_FORMAT " %6" JSON_INTEGER_FORMAT,
		number(r, bytes), number(r, cmds));
}

static void render_lun_row(FILE *to, const json_t *r)
{
	fprintf(to,
		"%3" JSON_INTEGER_FORMAT " %3" JSON_INTEGER_FORMAT
		" %3" JSON_INTEGER_FORMAT,
		number(r, "tid"), number(r, "lun"), number(r, "sid"));
	render_counters(to, r, "rd_subm_bytes", "rd_subm_cmds");
	render_counters(to, r, "rd_done_bytes", "rd_done_cmds");
	render_counters(to, r, "wr_subm_bytes", "wr_subm_cmds");
	render_counters(to, r, "wr_done_bytes", "wr_done_cmds");
	fprintf(to, " %4" JSON_INTEGER_FORMAT "\n", number(r, "errs"));
}

static void render_lun_header(FILE *to)
{
	fprintf(to, "tgt lun sid rd_subm(bytes,cmds) rd_done(bytes,cmds) "
		    "wr_subm(bytes,cmds) wr_done(bytes,cmds) errs\n");
}

void tgtadm_render_lun_stats(FILE *to, const json_t *result)
{
	const json_t *r;
	size_t i;

	render_lun_header(to);
	json_array_foreach(list(result, "luns"), i, r) {
		render_lun_row(to, r);
	}
}

void tgtadm_render_conn_stats(FILE *to, const json_t *result)
{
	const json_t *r;
	size_t i;

	fprintf(to, "sid cid rxdata_octets txdata_octets dataout_pdus datain_pdus "
		    "cmd_pdus rsp_pdus\n");
	json_array_foreach(list(result, "connections"), i, r) {
		fprintf(to,
			"%3" JSON_INTEGER_FORMAT " %3" JSON_INTEGER_FORMAT
			" %13" JSON_INTEGER_FORMAT " %13" JSON_INTEGER_FORMAT
			" %12" JSON_INTEGER_FORMAT " %11" JSON_INTEGER_FORMAT
			" %8" JSON_INTEGER_FORMAT " %8" JSON_INTEGER_FORMAT "\n",
			number(r, "sid"), number(r, "cid"), number(r, "rxdata_octets"),
			number(r, "txdata_octets"), number(r, "dataout_pdus"),
			number(r, "datain_pdus"), number(r, "cmd_pdus"),
			number(r, "rsp_pdus"));
	}
}

/* The highest LUN first, as tgt has them here and only here. */
void tgtadm_render_session_stats(FILE *to, const json_t *result)
{
	const json_t *luns = list(result, "luns");

	render_lun_header(to);
	for (size_t i = json_array_size(luns); i--;)
		render_lun_row(to, json_array_get(luns, i));
	fprintf(to, "\n");
	tgtadm_render_conn_stats(to, result);
}
