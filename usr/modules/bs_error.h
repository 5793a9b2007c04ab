/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_error.h - rules: which requests, and what happens to them. */
#pragma once
#include <stdatomic.h>
#include <tgt/bs_module.h>

#define ERROR_RULES_MAX	4

struct error_rule {
	uint32_t ops;		/* BS_OP_BIT() */
	uint64_t at, len;	/* len 0: anywhere */
	uint64_t after, count;
	uint64_t delay_ms;
	bool hang, cut;
	int error;		/* negative; 0: none */
	_Atomic uint64_t met;	/* by any reactor */
};

struct error_rules {
	unsigned int n;
	struct error_rule v[ERROR_RULES_MAX];
};

extern const struct bs_option bs_error_options[];

/* In open(): errors are said. */
int bs_error_rules_parse(struct error_rules *to, const struct bs_params *p);

/* The rule that @req meets, and is hit by; NULL: none. */
struct error_rule *bs_error_rules_match(struct error_rules *rules,
					const struct bs_req *req);
