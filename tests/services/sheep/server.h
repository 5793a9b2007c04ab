/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server.h - requests on their way through the server, one turn after another:
 * all that has arrived is executed, in an order of the server's choice.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct conn;
struct request;

#define SERVER_DIED 9 /* exit status of a death that a rule ordered */

/* Not 0: requests are executed and answered in an order that depends on it. */
void server_init(uint64_t reorder_seed);

/* Takes @r. */
void server_arrived(struct request *r);
void server_free_later(struct conn *c);

/* Do what is due, and send; returns when something is due again (UINT64_MAX:
 * nothing waits). */
uint64_t server_turn(void);

/* Let go what rules hold. */
void server_let_go(void);

/* Requests of each kind that arrived, and those that wait, a line each. */
void server_stat(char *text, unsigned int bytes);

/* At the end: all requests are dropped. */
void server_fini(void);
