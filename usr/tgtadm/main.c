/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgtadm - tgt's command, over the management socket: options become one call,
 * the answer becomes tgt's text, tgt's words on stderr and its exit code.
 */
#include <errno.h>
#include <stdio.h>
#include "tgtadm/client.h"
#include "mgmt/wire.h"
#include "tgtadm/operation.h"
#include "tgtadm/options.h"
#include "tgtadm/render.h"

/* The error that scripts know first, then what tgtd has to say about it. */
static int report_error(const json_t *error, bool as_json)
{
	const json_t *data = json_object_get(error, "data");
	const json_int_t code = json_integer_value(json_object_get(error, "code"));
	const int number = (int)json_integer_value(json_object_get(data, "tgt"));
	const char *message = json_string_value(json_object_get(error, "message"));

	if (as_json) {
		json_dumpf(error, stdout, JSON_INDENT(2));
		printf("\n");
	}
	if (code == MGMT_RPC_REFUSED) {
		fprintf(stderr, "tgtadm: %s\n", message ? message : "refused");
		return EACCES;
	}
	fprintf(stderr, "tgtadm: %s\n", mgmt_error_text(number));
	if (message)
		fprintf(stderr, "tgtadm: %s\n", message);
	return EINVAL;
}

static void report_warnings(const json_t *result)
{
	const json_t *warnings = json_object_get(result, "warnings"), *w;
	size_t i;

	json_array_foreach(warnings, i, w) {
		fprintf(stderr, "tgtadm: warning: %s\n", json_string_value(w));
	}
}

static int report(const struct tgtadm_operation *row, const struct tgtadm_options *o,
		  const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	const json_t *result = json_object_get(answer, "result");
	const bool with_tid = row->print_with_tid && o->given['t'];

	if (error)
		return report_error(error, o->given[OPTION_JSON]);
	report_warnings(result);
	if (o->given[OPTION_JSON]) {
		json_dumpf(result, stdout, JSON_INDENT(2));
		printf("\n");
	} else if (with_tid) {
		row->print_with_tid(stdout, result);
	} else if (row->print) {
		row->print(stdout, result);
	}
	if (fflush(stdout) == EOF) {
		perror("tgtadm: stdout");
		return EIO;
	}
	return row->code ? row->code(result) : 0;
}

int main(int argc, char **argv)
{
	const struct tgtadm_operation *row = NULL;
	struct tgtadm_options o;
	struct tgtadm_call call;
	json_t *answer;
	int code;

	code = tgtadm_options_parse(argc, argv, &o);
	if (code < 0)
		code = tgtadm_operation_find(&o, &row);
	if (code >= 0)
		return code;
	call = (struct tgtadm_call){
		.control_port = (unsigned int)o.number['C'],
		.method = row->method_with_tid && o.given['t'] ? row->method_with_tid :
								 row->method,
		.params = tgtadm_operation_params(row, &o),
		.debug = o.given['d'],
		.wait_for_end = row->wait_for_end,
	};
	if (!call.params)
		return EINVAL;
	code = tgtadm_client_call(&call, &answer);
	json_decref(call.params);
	if (code >= 0)
		return code;
	code = report(row, &o, answer);
	json_decref(answer);
	return code;
}
