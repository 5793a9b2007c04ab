/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gateway.h - what clients connect to: a listening socket that stands for one
 * node of the cluster.  All share the store; each can go down, hang and come
 * back on its own.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "loop.h"

struct gateway {
	struct source source;
	struct list_head list;
	struct list_head conns;
	char address[160]; /* as clients write it: unix:PATH, tcp:HOST:PORT */
	int fd;		   /* -1: it is down */
	unsigned int node;
	bool lax;  /* its clients may break rules: tools of the tests */
	bool hung; /* takes connections, as a backlog does, and is silent */
};

extern struct list_head gateways;

/* @spec: ADDRESS[,node=N][,lax].  Port 0 is any, which stays the same.  False,
 * and a sentence on stderr: it cannot be had. */
bool gateway_new(const char *spec);

/* All that stand for @node; false: none does. */
bool gateway_down(unsigned int node);
bool gateway_up(unsigned int node);
bool gateway_hang(unsigned int node, bool hung);

void gateway_close_all(void);
