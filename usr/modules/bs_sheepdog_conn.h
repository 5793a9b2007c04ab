/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_conn.h - a reactor's connection to a cluster, shared by its disks.
 *
 * Requests are pipelined and matched by id; those of a turn go out in one
 * sendmsg().  A connection that is lost gives every request on it back with
 * -ECONNRESET and connects again by itself, to the next gateway, unless the old one
 * may do later what it was sent: bs_sheepdog_conn.c.
 *
 * Threads: the reactor of the group.
 */
#pragma once
#include "bs_sheepdog_cluster.h"
#include "bs_sheepdog_cursor.h"
#include "bs_sheepdog_note.h"

#define SHEEP_IDS      1536U /* requests with the sheep at most */
#define SHEEP_RX_BYTES (64U << 10)

struct sheep_group { /* of a reactor */
	struct bs_group *g;
	struct sheep_notes notes;
	struct list_head conns;
	int out_epoll; /* sockets that are to become writable */
	struct bs_watch *out_watch;
};

/* One request and its answer. */
struct sheep_xfer {
	struct list_head node; /* to be sent */
	struct sheep_header h;
	struct sheep_cursor
		data;	  /* what is sent, or where the answer goes (iov NULL:
				 * nowhere) */
	struct iovec own; /* for data of a few bytes */
	uint32_t out_bytes, in_bytes;
	/* @result: of the sheep, or -errno: -ECONNRESET, the connection was lost. */
	void (*done)(struct sheep_xfer *x, int result);
	struct sheep_reply reply;
	uint16_t index;
	bool at_sheep; /* it is in the table of ids */
};

enum sheep_conn_state { SHEEP_CONN_DOWN, SHEEP_CONN_CONNECTING, SHEEP_CONN_UP };

struct sheep_conn {
	struct list_head node; /* of the group's */
	struct sheep_group *group;
	struct sheep_cluster *cluster;
	unsigned int refs;
	struct list_head channels; /* struct sheep_channel.node */
	struct sheep_pool *pool;   /* bs_sheepdog_io.c */

	enum sheep_conn_state state;
	int fd;
	unsigned int at; /* the address */
	unsigned int backoff_ms;
	uint64_t since_ns; /* connecting; or the sheep's last sign of life */
	uint64_t stall_ns; /* without one: it hangs */
	bool was_up, said_down, said_hung;
	bool is_eager;	  /* all disks on it want a gateway that hangs left */
	bool must_return; /* to this gateway, which may do changes yet */
	struct bs_watch *watch;
	bool waits_writable;
	struct bs_timer *retry, *tick;

	struct list_head tx; /* struct sheep_xfer.node */
	size_t tx_done;	     /* bytes of the first */
	void *tx_copy;	     /* its data, or NULL: they are where they were */

	struct sheep_xfer *ids[SHEEP_IDS];
	uint16_t generation[SHEEP_IDS];
	uint16_t free_ids[SHEEP_IDS];
	unsigned int nr_free_ids;

	struct sheep_xfer *rx; /* whose data come */
	size_t rx_left;	       /* bytes of that; of nobody's if rx is NULL */
	struct sheep_cursor rx_to;
	size_t rx_begin, rx_end;
	uint8_t rx_buf[SHEEP_RX_BYTES];
};

int bs_sheepdog_conn_group_open(struct bs_group *g);
void bs_sheepdog_conn_group_close(struct bs_group *g);

/* The group's connection to @cluster, which it keeps; it is made if there is none.
 * NULL: no memory. */
struct sheep_conn *bs_sheepdog_conn_get(struct sheep_group *g,
					struct sheep_cluster *cluster);
void bs_sheepdog_conn_put(struct sheep_conn *c);

/*
 * Queue @x: h, data, out_bytes, in_bytes and done() are filled in.  done() runs once,
 * later, never within this.  -ENOTCONN; -EAGAIN: too many; then it does not run.
 */
int bs_sheepdog_conn_send(struct sheep_conn *c, struct sheep_xfer *x);
/* Take back what was queued and has not begun to leave. */
bool bs_sheepdog_conn_unsend(struct sheep_conn *c, struct sheep_xfer *x);
/* If it has begun, what it sends is copied, and may go away.  0 or -ENOMEM. */
int bs_sheepdog_conn_copy_rest(struct sheep_conn *c, struct sheep_xfer *x);
/* It reads: throw away what it answers.  done() runs all the same. */
void bs_sheepdog_conn_disown(struct sheep_conn *c, struct sheep_xfer *x);
void bs_sheepdog_conn_flush(struct sheep_conn *c);

/* Can the gateway do yet what it was sent? */
enum sheep_gateway_is { SHEEP_ENDED, SHEEP_ALIVE };

/* The connection is of no use any more: connect again. */
void bs_sheepdog_conn_drop(struct sheep_conn *c, const char *why,
			   enum sheep_gateway_is is);
/* The socket said so; 0: it was closed from there. */
void bs_sheepdog_conn_failed(struct sheep_conn *c, int err);
void bs_sheepdog_conn_want_writable(struct sheep_conn *c, bool want);
/* The tick is wanted, bs_sheepdog_io_tick() each SHEEP_TICK_MS, while something waits. */
void bs_sheepdog_conn_want_tick(struct sheep_conn *c);

#define SHEEP_TICK_MS 200
