/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conn.h - one connection of the load generator: its socket, what is to be
 * sent, where the parser stands, and its commands.
 *
 * Receiving needs no buffer per connection: all share one, and a parser keeps
 * at most a header between two turns.  Data are copied only where somebody
 * wants to look at them.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common_wire.h"

struct bench_conn;

/* A command.  The engine's from start() until done(). */
struct bench_task {
	/* Filled by who starts it. */
	uint8_t cdb[16];
	uint8_t *buf;	    /* write: the data; read: where to, or NULL */
	uint32_t len_bytes; /* exactly so much is to be transferred */
	bool write;
	bool short_ok; /* a read that may return less (INQUIRY) */
	uint64_t start_ns;
	uint64_t lun;  /* as on the wire */
	uint64_t slot; /* the workload's: which block */
	uint32_t gen;  /* the workload's: which content */

	/* Filled by the engine. */
	bool active;
	uint8_t status; /* SCSI status */
	uint32_t got_bytes;
	uint8_t sense[32]; /* from byte 0 of the sense data on */
	unsigned int sense_bytes;
};

/* What is spoken on the connection: iSCSI, or the floor's protocol. */
struct bench_proto {
	/* Queue @task.  It must not be active. */
	void (*start)(struct bench_conn *c, struct bench_task *task);
	/* A header is complete: set rx.data_bytes and where they go. */
	void (*header)(struct bench_conn *c, const struct iscsi_bhs *h);
	/* The data segment of that header is complete (also if empty). */
	void (*finish)(struct bench_conn *c);
};

struct bench_tx_item {
	struct iscsi_bhs bhs;
	uint8_t header_digest[4]; /* right behind the header on the wire */
	uint8_t data_digest[4];
	const uint8_t *data;
	uint32_t data_bytes;
};

/* What the login agreed on. */
struct bench_terms {
	uint32_t max_send_bytes; /* the target's MaxRecvDataSegmentLength */
	uint32_t first_burst_bytes;
	uint32_t max_burst_bytes;
	bool immediate_data;
	bool initial_r2t;
	bool header_digest;
	bool data_digest;
};

struct bench_conn {
	int fd;
	unsigned int index;
	const struct bench_proto *proto;
	struct bench_terms terms;
	uint8_t isid[6];
	uint64_t lun; /* as on the wire */
	/*
	 * A timed run: what is sent never changes, so its digests are worked
	 * out once; those of received data are not checked (headers' are).
	 */
	bool timed;
	bool discard; /* and data are large: never copied from the kernel */
	uint32_t cmdsn;
	uint32_t max_cmdsn;
	uint32_t exp_statsn;

	struct bench_task *tasks; /* [depth]; the index is the ITT */
	unsigned int depth;
	struct bench_task **waiting; /* ring [depth]: command window closed */
	unsigned int waiting_head;
	unsigned int nr_waiting;
	unsigned int nr_active;
	void (*done)(struct bench_conn *c, struct bench_task *task);
	void *owner;	   /* done()'s */
	uint64_t cursor;   /* the workload's: sequential position */
	unsigned int turn; /* --each-lun: whose turn it is */
	uint64_t nr_done;  /* within the measured window */
	bool want_pollout; /* as epoll knows it */

	struct { /* ring of PDUs to send */
		struct bench_tx_item *item;
		size_t size;	   /* power of two */
		size_t head, tail; /* count up for ever */
		size_t sent_bytes; /* of the item at head */
	} tx;

	struct {
		uint8_t header[48 + 1020 + 4]; /* BHS, AHS, digest */
		unsigned int header_have;
		struct iscsi_bhs bhs;
		bool in_data;
		struct bench_task *task; /* whose data these are */
		uint8_t *copy_to;	 /* NULL: look away */
		uint32_t copy_bytes;	 /* room at copy_to */
		uint32_t data_bytes;	 /* of the segment, without padding */
		uint32_t offset;	 /* within data, padding and digest */
		uint32_t crc;
		uint8_t digest[4];
		uint8_t small[96]; /* for sense and text */
	} rx;
};

/* Connect and allocate; dies if it cannot.  @portal: "addr:port", "[v6]:port". */
void bench_conn_open(struct bench_conn *c, const char *portal,
		     const struct bench_proto *proto, unsigned int depth);
void bench_conn_close(struct bench_conn *c);

/* A zeroed item at the end of the send queue; valid until the next call. */
struct bench_tx_item *bench_conn_push(struct bench_conn *c);

/* Send what the socket takes now.  Returns true when nothing is left. */
bool bench_conn_flush(struct bench_conn *c);

/*
 * Receive what is there, up to a bound, and handle it.  Returns the bytes
 * received, 0 if there was nothing.  @now: set to the time just after the last
 * system call.
 */
size_t bench_conn_receive(struct bench_conn *c, uint64_t *now);

/* Send, receive and wait until no command is active; dies after 10 s. */
void bench_conn_drain(struct bench_conn *c);
