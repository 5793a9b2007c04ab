/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/portal.c - control's list of listeners, and its published shadow. */
#include "iscsi/portal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/list.h"
#include "base/log.h"
#include "base/rcu.h"
#include "iscsi/conn.h"
#include "net/addr.h"
#include "net/listener.h"
#include "reactor/group.h"
#include "scsi/port.h"

#define PORT_TRIES	16	/* to find a port that is free in both families */

struct portal {
	struct list_head node;		/* newest first */
	struct net_listener *listener;
	uint16_t tpgt;
};

struct published {
	struct rcu_head rcu;
	struct iscsi_portal_list list;
};

static struct list_head portals = LIST_HEAD_INIT(portals);
static unsigned int nr_portals;
static bool closed;
static struct published *published;	/* RCU; NULL: none */

static const struct sockaddr_storage *addr_of(const struct portal *p)
{
	return net_listener_local(p->listener);
}

static void portal_free(struct portal *p)
{
	net_listener_close(p->listener);
	list_del(&p->node);
	free(p);
}
DEFINE_CLEANUP(struct portal *, portal_free)

static void accepted(void *arg, int fd)
{
	const struct portal *p = arg;

	iscsi_conn_accept(fd, p->tpgt);
}

const struct iscsi_portal_list *iscsi_portal_list(void)
{
	const struct published *p = rcu_dereference(published);

	return p ? &p->list : NULL;
}

static void list_free_rcu(struct rcu_head *head)
{
	free(caa_container_of(head, struct published, rcu));
}

/* The portal groups are the target ports that SCSI describes. */
static void publish_ports(void)
{
	uint16_t ids[ISCSI_PORTALS_MAX];
	const struct portal *p;
	unsigned int n = 0;

	list_for_each(p, &portals, node)
		ids[n++] = p->tpgt;
	if (scsi_port_publish(ids, n) < 0)
		log_err("no memory for the list of target ports");
}

/* The list of portals that reactors see; oldest first, as SendTargets tells
 * them.  Out of memory: they go on seeing the old one. */
static void publish(void)
{
	struct published *old, *new;
	struct portal *p;
	unsigned int i = nr_portals;

	new = calloc(1, sizeof(*new) + nr_portals * sizeof(new->list.e[0]));
	if (!new) {
		log_err("no memory for the list of portals");
		return;
	}
	new->list.n = nr_portals;
	list_for_each(p, &portals, node) {
		i--;
		new->list.e[i].addr = *addr_of(p);
		new->list.e[i].tpgt = p->tpgt;
	}
	old = rcu_xchg_pointer(&published, new);
	if (old)
		call_rcu(&old->rcu, list_free_rcu);
	publish_ports();
}

static struct portal *find(const struct sockaddr_storage *addr)
{
	struct portal *p;

	list_for_each(p, &portals, node)
		if (net_addr_same_host(addr_of(p), addr) &&
		    net_addr_port(addr_of(p)) == net_addr_port(addr))
			return p;
	return NULL;
}

/* Listen, without adding it to the list. */
static int open_one(const struct sockaddr_storage *addr, uint16_t tpgt,
		    struct portal **ret_p)
{
	_cleanup_(portal_freep) struct portal *p = NULL;
	int err;

	if (net_addr_port(addr) && find(addr))
		return -EEXIST;
	if (nr_portals >= ISCSI_PORTALS_MAX)
		return -ENOSPC;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	list_init(&p->node);
	p->tpgt = tpgt;
	err = net_listener_open(reactor_group_control(), addr, accepted, p,
				&p->listener);
	if (err < 0)
		return err;
	net_listener_set_accepting(p->listener, !closed);
	*ret_p = TAKE_PTR(p);
	return 0;
}

static void add(struct portal *p)
{
	char text[NET_ADDR_TEXT_MAX];

	list_add(&portals, &p->node);
	nr_portals++;
	log_info("portal %s is open",
		 net_addr_format_endpoint(addr_of(p), text, sizeof(text)));
}

/* Does this host have no IPv6 at all? */
static bool no_ipv6(int err)
{
	return err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL;
}

/* All addresses of both families, on the same port. */
static int open_both(uint16_t port, uint16_t tpgt)
{
	struct sockaddr_storage v4, v6;
	int err = 0;

	for (int i = 0; i < PORT_TRIES; i++) {
		_cleanup_(portal_freep) struct portal *p4 = NULL, *p6 = NULL;

		net_addr_wildcard(AF_INET, port, &v4);
		err = open_one(&v4, tpgt, &p4);
		if (err < 0)
			return err;
		net_addr_wildcard(AF_INET6, net_addr_port(addr_of(p4)), &v6);
		err = open_one(&v6, tpgt, &p6);
		if (err == -EADDRINUSE && !port)
			continue;	/* the system picked one that is half free */
		if (err < 0 && !no_ipv6(err))
			return err;
		add(TAKE_PTR(p4));
		if (p6)
			add(TAKE_PTR(p6));
		return 0;
	}
	return err;
}

static void explain(int err, const char *text, char *why, size_t why_bytes)
{
	static const struct {
		int err;
		const char *what;
	} reasons[] = {
		{ -EEXIST, "is a portal already" },
		{ -ENOSPC, "is one portal too many" },
		{ -EADDRINUSE, "is in use by another program" },
		{ -EADDRNOTAVAIL, "is not an address of this host" },
		{ -EACCES, "needs privileges to listen on" },
	};
	const char *what = strerror(-err);

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].err == err)
			what = reasons[i].what;
	if (why)
		snprintf(why, why_bytes, "\"%.64s\" %s%s.", text,
			 what == strerror(-err) ? "cannot be opened: " : "", what);
}

int iscsi_portal_new(const char *text, uint16_t tpgt, char *why, size_t why_bytes)
{
	struct sockaddr_storage addr;
	struct portal *p;
	int err;

	err = net_addr_parse(text, ISCSI_DEFAULT_PORT, &addr, why, why_bytes);
	if (err < 0)
		return err;
	if (addr.ss_family == AF_UNSPEC) {
		err = open_both(net_addr_port(&addr), tpgt);
	} else {
		err = open_one(&addr, tpgt, &p);
		if (!err)
			add(p);
	}
	if (err < 0) {
		explain(err, text, why, why_bytes);
		return err;
	}
	publish();
	return 0;
}

static void remove_one(struct portal *p)
{
	char text[NET_ADDR_TEXT_MAX];

	log_info("portal %s is closed",
		 net_addr_format_endpoint(addr_of(p), text, sizeof(text)));
	portal_free(p);
	nr_portals--;
}

int iscsi_portal_delete(const char *text, char *why, size_t why_bytes)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct sockaddr_storage addr;
	struct portal *p;
	bool found = false;
	int err;

	err = net_addr_parse(text, ISCSI_DEFAULT_PORT, &addr, why, why_bytes);
	if (err < 0)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct sockaddr_storage one = addr;

		if (addr.ss_family == AF_UNSPEC)
			net_addr_wildcard(families[i], net_addr_port(&addr), &one);
		p = find(&one);
		if (p) {
			remove_one(p);
			found = true;
		}
	}
	if (!found) {
		if (why)
			snprintf(why, why_bytes, "\"%.64s\" is not a portal.", text);
		return -ENOENT;
	}
	publish();
	return 0;
}

void iscsi_portal_each(void (*visit)(const struct sockaddr_storage *addr,
				     uint16_t tpgt, void *arg),
		       void *arg)
{
	struct portal *p;

	list_for_each(p, &portals, node)
		visit(addr_of(p), p->tpgt, arg);
}

void iscsi_portal_set_open(bool open)
{
	struct portal *p;

	closed = !open;
	list_for_each(p, &portals, node)
		net_listener_set_accepting(p->listener, open);
}

void iscsi_portal_close_all(void)
{
	struct published *old;
	struct portal *p, *tmp;

	list_for_each_safe(p, tmp, &portals, node)
		remove_one(p);
	old = rcu_xchg_pointer(&published, NULL);
	if (old)
		call_rcu(&old->rcu, list_free_rcu);
	publish_ports();
}

bool iscsi_portal_reachable(const struct iscsi_portal_addr *portal,
			    const struct sockaddr_storage *local,
			    struct sockaddr_storage *ret_addr)
{
	const struct sockaddr_storage *addr = &portal->addr;

	if (addr->ss_family != local->ss_family)
		return false;
	if (net_addr_is_wildcard(addr)) {
		*ret_addr = *local;
		net_addr_set_port(ret_addr, net_addr_port(addr));
		return true;
	}
	if (net_addr_is_loopback(addr) && !net_addr_is_loopback(local))
		return false;
	/* Of another link, perhaps; of this one if it is what he used. */
	if (net_addr_is_link_local(addr) && !net_addr_same_host(addr, local))
		return false;
	*ret_addr = *addr;
	return true;
}
