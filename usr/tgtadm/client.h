/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtadm/client.h - one call to a tgtd. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

struct tgtadm_call {
	unsigned int control_port;
	const char *method;
	json_t *params;		/* borrowed */
	bool debug;		/* print what is sent and received to stderr */
	bool wait_for_end;	/* after an answer without error: until it is gone */
};

/*
 * Returns -1 with the answer (an object with "result" or "error", the caller's),
 * or the exit code after a message.
 */
int tgtadm_client_call(const struct tgtadm_call *call, json_t **ret_answer);
