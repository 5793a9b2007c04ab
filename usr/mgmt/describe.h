/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/describe.h - the table of methods, for programs and for people. */
#pragma once
#include <stdio.h>

struct mgmt_call;
struct mgmt_method;

/* system.describe */
void mgmt_describe_call(struct mgmt_call *call);

/* The reference part of doc/rpc.md. */
void mgmt_describe_write(FILE *to, const struct mgmt_method *methods);
