/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/system.h - the daemon as a whole.  Threads: control. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

struct mgmt_call;
struct mgmt_fault;

/* Change a setting; not @really: only check it.  -EINVAL: *ret_fault says why. */
int mgmt_system_set(const char *name, const char *value, bool really,
		    struct mgmt_fault *ret_fault);
/* An object of settings and values. */
json_t *mgmt_system_config(void);

/* What system.shutdown does after its answer: the program's way to end. */
void mgmt_system_on_shutdown(void (*shutdown)(void));

/*
 * Close all sessions (asking their initiators to log out if @polite_ms is not
 * 0), remove every target, close every store, then @done on control.  A store
 * that hangs delays it for ever: the caller keeps the time.
 */
void mgmt_system_close_all(unsigned int polite_ms, void (*done)(void *arg), void *arg);

/* False after it has begun, when nothing new is made: the call was failed. */
bool mgmt_system_accepts(struct mgmt_call *call);
bool mgmt_system_ends(void);		/* it has begun */
/* A target or a store is gone: was it the last? */
void mgmt_system_settled(void);

void mgmt_system_show(struct mgmt_call *call);
void mgmt_system_update(struct mgmt_call *call);
void mgmt_system_shutdown(struct mgmt_call *call);
