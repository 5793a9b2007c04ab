/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtadm/operation.c - the checks that need no daemon, in tgt's order, and the
 * call that the options make. */
#include "tgtadm/operation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/macros.h"
#include "base/parse.h"
#include "mgmt/wire.h"
#include "tgtadm/render.h"

#define NEEDS(...) (const struct tgtadm_need[]){ __VA_ARGS__, { NULL } }

#define SECRETS		"\2"	/* OPTION_SECRETS, as one of .letters */
#define FILE_		"\3"
#define DRY_RUN		"\4"

#define TARGET_TID	{ "t", NULL, "'tid' cannot be 0" }
#define LUN_TID		{ "t", NULL, "'tid' must not be 0" }
#define LUN_LUN		{ "l" }
#define TPG_TPG		{ "g", NULL, "'tpg' must not be 0" }
#define FIND_TID	{ "t", "can't find the target" }
#define FIND_SID	{ "s", "can't find the session" }
#define FIND_CID	{ "c", "can't find the connection" }
#define NAME_AND_VALUE	{ "n", UPDATE_NEEDS }, { "v", UPDATE_NEEDS }
#define UPDATE_NEEDS	"update operation requires 'name' and 'value' options"
#define BIND_NEEDS	"bind operation requires initiator-address, initiator-nameor bus"
#define ACCOUNT_NEEDS	"'user' and 'password' options are required"
#define PORTAL_NEEDS	"you must specify --param portal=<portal>"

const struct tgtadm_operation tgtadm_operation_table[] = {
	{ MODE_SYSTEM, OP_SHOW, .method = "system.show", .print = tgtadm_render_system },
	{ MODE_SYSTEM, OP_STAT, .method = "system.stat", .print = tgtadm_render_lun_stats },
	{ MODE_SYSTEM, OP_DELETE, .method = "system.shutdown", .wait_for_end = true },
	{ MODE_SYSTEM, OP_UPDATE, "LmonvC", .after = NEEDS(NAME_AND_VALUE),
	  .method = "system.update", .fields = "nv" },
	{ MODE_SYSTEM, OP_SAVE, "LmoC" SECRETS, .method = "config.get", .fields = SECRETS,
	  .print = tgtadm_render_state },
	{ MODE_SYSTEM, OP_RESTORE, "LmoCF" FILE_ DRY_RUN, .method = "config.apply",
	  .fields = "F" DRY_RUN, .state_from_file = true, .print = tgtadm_render_changes,
	  .code = tgtadm_render_in_use },

	{ MODE_TARGET, OP_NEW, "LmotTC", NEEDS(TARGET_TID),
	  NEEDS({ "T", "creating new target requires a name, use --targetname" }),
	  .method = "target.create", .fields = "tT" },
	{ MODE_TARGET, OP_DELETE, "LmotCF", NEEDS(TARGET_TID), .method = "target.delete",
	  .fields = "tF" },
	{ MODE_TARGET, OP_SHOW, "LmotC", .method = "target.list",
	  .method_with_tid = "target.get", .fields = "t", .print = tgtadm_render_targets,
	  .print_with_tid = tgtadm_render_target_params },
	{ MODE_TARGET, OP_STAT, "LmotC", NEEDS(TARGET_TID), .method = "target.stat",
	  .fields = "t", .print = tgtadm_render_lun_stats },
	{ MODE_TARGET, OP_BIND, "LmotIQBHC", NEEDS(TARGET_TID),
	  NEEDS({ "IQBH", BIND_NEEDS }), .method = "target.bind", .fields = "tIQ" },
	{ MODE_TARGET, OP_UNBIND, "LmotIQBHC", NEEDS(TARGET_TID),
	  NEEDS({ "IQBH", "un" BIND_NEEDS }), .method = "target.unbind",
	  .fields = "tIQ" },
	{ MODE_TARGET, OP_UPDATE, "LmotnvC", NEEDS(TARGET_TID), NEEDS(NAME_AND_VALUE),
	  .method = "target.update", .fields = "tnv" },

	{ MODE_LUN, OP_NEW, "LmofytlbEYCSP", NEEDS(LUN_TID, LUN_LUN),
	  .method = "lun.create", .fields = "tlbESfyYP" },
	{ MODE_LUN, OP_DELETE, "LmotlCF", NEEDS(LUN_TID, LUN_LUN),
	  .method = "lun.delete", .fields = "tlF" },
	{ MODE_LUN, OP_STAT, "LmotlC", NEEDS(LUN_TID, LUN_LUN), .method = "lun.stat",
	  .fields = "tl", .print = tgtadm_render_lun_stats },
	{ MODE_LUN, OP_UPDATE, "LmofytlPC", NEEDS(LUN_TID, LUN_LUN),
	  .method = "lun.update", .fields = "tlP", .params_optional = true },

	{ MODE_PORTAL, OP_NEW, "LmoCP", .after = NEEDS({ "P", PORTAL_NEEDS }),
	  .method = "portal.create", .fields = "P" },
	{ MODE_PORTAL, OP_DELETE, "LmoCP", .after = NEEDS({ "P", PORTAL_NEEDS }),
	  .method = "portal.delete", .fields = "P" },
	{ MODE_PORTAL, OP_SHOW, "LmoC", .method = "portal.list", .print = tgtadm_render_portals },

	{ MODE_SESSION, OP_STAT, .before = NEEDS(FIND_TID, FIND_SID),
	  .method = "session.stat", .fields = "ts", .print = tgtadm_render_session_stats },

	{ MODE_CONNECTION, OP_SHOW, .before = NEEDS(FIND_TID),
	  .method = "connection.list", .fields = "t", .print = tgtadm_render_connections },
	{ MODE_CONNECTION, OP_STAT, .before = NEEDS(FIND_TID, FIND_SID),
	  .method = "connection.stat", .fields = "tsc", .print = tgtadm_render_conn_stats },
	{ MODE_CONNECTION, OP_DELETE, .before = NEEDS(FIND_TID, FIND_SID, FIND_CID),
	  .method = "connection.delete", .fields = "tsc" },

	{ MODE_ACCOUNT, OP_NEW, "LmoupfC",
	  .after = NEEDS({ "u", ACCOUNT_NEEDS }, { "p", ACCOUNT_NEEDS }),
	  .method = "account.create", .fields = "up" },
	{ MODE_ACCOUNT, OP_SHOW, "LmoC", .method = "account.list",
	  .print = tgtadm_render_accounts },
	{ MODE_ACCOUNT, OP_DELETE, "LmouC", .after = NEEDS({ "u" }),
	  .method = "account.delete", .fields = "u" },
	{ MODE_ACCOUNT, OP_BIND, "LmotuOC", .after = NEEDS({ "u" }),
	  .method = "account.bind", .fields = "tuO" },
	{ MODE_ACCOUNT, OP_UNBIND, "LmotuOC", .after = NEEDS({ "u" }),
	  .method = "account.unbind", .fields = "tuO" },

	{ MODE_LLD, OP_SHOW, "LmoC", .method = "driver.list", .print = tgtadm_render_drivers },
	{ MODE_LLD, OP_START, "LmoC", .method = "driver.start" },
	{ MODE_LLD, OP_STOP, "LmoC", .method = "driver.stop" },

	{ MODE_TPG, OP_NEW, "LmotgPC", NEEDS(LUN_TID, TPG_TPG), .method = "tpg.create",
	  .fields = "tgP" },
	{ MODE_TPG, OP_DELETE, "LmotgC", NEEDS(LUN_TID, TPG_TPG), .method = "tpg.delete",
	  .fields = "tg" },
	{ MODE_TPG, OP_SHOW, "LmotC", NEEDS(LUN_TID), .method = "tpg.list", .fields = "t",
	  .print = tgtadm_render_groups },
	{ MODE_TPG, OP_UPDATE, "LmotglPC", NEEDS(LUN_TID, TPG_TPG), NEEDS({ "P" }),
	  .method = "tpg.update", .fields = "tglP" },
};

const unsigned int tgtadm_operation_rows = ARRAY_SIZE(tgtadm_operation_table);

/* How a letter's value is called in a call. */
static const struct {
	char letter;
	const char *name;
} field_names[] = {
	{ 't', "tid" },	      { 's', "sid" },	     { 'c', "cid" },
	{ 'l', "lun" },	      { 'n', "name" },	     { 'v', "value" },
	{ 'b', "path" },      { 'E', "bstype" },     { 'S', "bsopts" },
	{ 'f', "bsoflags" },  { 'y', "blocksize" },  { 'T', "name" },
	{ 'I', "address" },   { 'Q', "initiator" },  { 'u', "user" },
	{ 'p', "password" },  { 'F', "force" },	     { 'O', "outgoing" },
	{ 'P', "params" },    { 'Y', "device_type" }, { 'L', "lld" },
	{ 'g', "tpg" },	      { OPTION_SECRETS, "secrets" },
	{ OPTION_DRY_RUN, "dry_run" },
};

static int __attribute__((format(printf, 1, 2))) wrong(const char *fmt, ...)
{
	va_list ap;

	fputs("tgtadm: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EINVAL;
}

static bool any_given(const struct tgtadm_options *o, const char *letters)
{
	for (; *letters; letters++)
		if (o->given[(unsigned char)*letters])
			return true;
	return false;
}

static int check_needs(const struct tgtadm_options *o, const struct tgtadm_need *need)
{
	for (; need && need->letters; need++) {
		const unsigned char i = (unsigned char)need->letters[0];

		if (!any_given(o, need->letters)) {
			if (need->missing)
				return wrong("%s", need->missing);
			return wrong("'%s' option is necessary",
				     tgtadm_options_long_name(need->letters[0]));
		}
		if (need->zero && !o->number[i])
			return wrong("%s", need->zero);
	}
	return -1;
}

static int check_letters(const struct tgtadm_options *o,
			 const struct tgtadm_operation *row)
{
	for (const char *c = o->order; row->letters && *c; c++)
		if (*c != 'd' && *c != OPTION_JSON && !strchr(row->letters, *c))
			return *c > OPTION_DRY_RUN ?
				wrong("%s mode: option '-%c' is not allowed/supported",
				      tgtadm_options_mode_name(row->mode), *c) :
				wrong("%s mode: option '--%s' is not allowed/supported",
				      tgtadm_options_mode_name(row->mode),
				      tgtadm_options_long_name(*c));
	return -1;
}

static int unsupported(const struct tgtadm_options *o)
{
	if (o->mode == MODE_SESSION || o->mode == MODE_CONNECTION)
		return wrong("%s", mgmt_error_text(MGMT_ERR_INVALID));
	return wrong("operation %s not supported in %s mode",
		     tgtadm_options_op_name(o->op), tgtadm_options_mode_name(o->mode));
}

/* What a mode as a whole asks for, even if it has no such operation. */
static int check_row(const struct tgtadm_options *o, const struct tgtadm_operation *row)
{
	int code = check_needs(o, row->before);

	if (code < 0)
		code = check_letters(o, row);
	if (code < 0)
		code = check_needs(o, row->after);
	if (code < 0 && row->op == OP_NEW && row->mode == MODE_LUN && o->text['Y'] &&
	    !strcmp(o->text['Y'], "changer") && !o->given['b'])
		code = wrong("'backing-store' option is necessary");
	return code;
}

int tgtadm_operation_find(const struct tgtadm_options *o,
			  const struct tgtadm_operation **ret_row)
{
	if (o->op < 0)
		return wrong("specify the operation type");
	if (o->mode < 0)
		return wrong("specify the mode");
	for (size_t i = 0; i < ARRAY_SIZE(tgtadm_operation_table); i++) {
		const struct tgtadm_operation *row = &tgtadm_operation_table[i];

		if ((int)row->mode == o->mode && (int)row->op == o->op) {
			*ret_row = row;
			return check_row(o, row);
		}
	}
	return unsupported(o);
}

/* --- the call --------------------------------------------------------- */

/* -1: the name or the value is not UTF-8. */
static int add_param(json_t *params, const char *name, const char *value)
{
	json_t *old = json_object_get(params, name), *v = json_string(value);

	if (json_is_array(old))
		return json_array_append_new(old, v);
	if (old && v)
		v = json_pack("[O, o]", old, v);
	return json_object_set_new(params, name, v);
}

/* "a=1,b=2,b=3" becomes { "a": "1", "b": ["2", "3"] }.  NULL after a message. */
static json_t *parse_params(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *key, *value;
	json_t *params = json_object();

	while (copy && parse_next_pair(&rest, ',', &key, &value)) {
		if (value && add_param(params, key, value) == 0)
			continue;
		wrong("%s", mgmt_error_text(MGMT_ERR_INVALID));
		wrong("parameter '%s' %s", key, value ? "is not UTF-8" : "has no value");
		json_decref(params);
		return NULL;
	}
	return params;
}

/* Of a portal only "portal=" and "tpgt=" count: each is a field of its own. */
static int add_portal(json_t *params, json_t *given)
{
	const json_t *tpgt = json_object_get(given, "tpgt");
	json_t *portal = json_object_get(given, "portal");
	uint64_t n;

	if (!given)
		return -1;
	if (!json_is_string(portal)) {
		wrong(PORTAL_NEEDS);
		json_decref(given);
		return -1;
	}
	if (tpgt) {
		if (!json_is_string(tpgt) ||
		    parse_u64(json_string_value(tpgt), 1, UINT16_MAX, &n) < 0) {
			wrong("tpgt= must be 1 to 65535");
			json_decref(given);
			return -1;
		}
		json_object_set_new(params, "tpgt", json_integer((json_int_t)n));
	}
	json_object_set(params, "portal", portal);
	json_decref(given);
	return 0;
}

static const char *field_name(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(field_names); i++)
		if (field_names[i].letter == letter)
			return field_names[i].name;
	return NULL;
}

/* The value of a letter that was given; NULL after a message. */
static json_t *field_value(const struct tgtadm_options *o, char letter)
{
	const unsigned char i = (unsigned char)letter;
	json_t *v;

	if (letter == 'P')
		return parse_params(o->given[i] ? o->text[i] : "");
	if (letter == 'F' || letter == 'O' || letter == OPTION_SECRETS ||
	    letter == OPTION_DRY_RUN)
		return json_true();
	if (strchr("tsclygH", letter))
		return json_integer((json_int_t)o->number[i]);
	if (letter == 'Y' && !strcmp(o->text[i], "ssc"))
		return json_string("tape");
	v = json_string(o->text[i]);
	if (!v)
		wrong("the value of --%s is not UTF-8", tgtadm_options_long_name(letter));
	return v;
}

/* What --op save printed; NULL after a message. */
static json_t *load_state(const char *path)
{
	const bool is_stdin = !path || !strcmp(path, "-");
	FILE *from = is_stdin ? stdin : fopen(path, "re");
	json_error_t where;
	json_t *state;

	if (!from) {
		wrong("cannot read %s: %s", path, strerrordesc_np(errno));
		return NULL;
	}
	state = json_loadf(from, JSON_REJECT_DUPLICATES, &where);
	if (!state)
		wrong("%s, line %d: %s", is_stdin ? "standard input" : path, where.line,
		      where.text);
	if (!is_stdin)
		fclose(from);
	return state;
}

json_t *tgtadm_operation_params(const struct tgtadm_operation *row,
				const struct tgtadm_options *o)
{
	const char *fields = row->fields ? row->fields : "";
	json_t *params = json_object();

	if (o->given['L'] && *o->text['L'] &&
	    json_object_set_new(params, "lld", json_string(o->text['L'])) < 0) {
		wrong("%s", mgmt_error_text(MGMT_ERR_NO_DRIVER));
		json_decref(params);
		return NULL;
	}
	for (; *fields; fields++) {
		const char *name = field_name(*fields);
		json_t *v;

		if (!o->given[(unsigned char)*fields] &&
		    !(*fields == 'P' && row->params_optional))
			continue;
		v = field_value(o, *fields);
		if (*fields == 'P' && row->mode == MODE_PORTAL ?
			    add_portal(params, v) < 0 :
			    !v || json_object_set_new(params, name, v) < 0) {
			json_decref(params);
			return NULL;
		}
	}
	if (row->state_from_file) {
		json_t *state = load_state(o->text[OPTION_FILE]);

		if (!state || json_object_set_new(params, "state", state) < 0 ||
		    json_object_set_new(params, "tell", json_true()) < 0) {
			json_decref(params);
			return NULL;
		}
	}
	return params;
}
