/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Login, RFC 7143 6: the security stage with AuthMethod=None, then the
 * operational stage.  The socket blocks here; it is one request, one answer.
 */
#include "common_login.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common_util.h"

#define STAGE_SECURITY	   0
#define STAGE_OPERATIONAL  1
#define STAGE_FULL_FEATURE 3
#define TRANSIT		   0x80
#define TEXT_MAX	   8192
#define ROUNDS_MAX	   8

struct text {
	char buf[TEXT_MAX];
	uint32_t len;
};

static void text_add(struct text *t, const char *key, const char *value)
{
	const int n = snprintf(t->buf + t->len, sizeof(t->buf) - t->len,
			       "%s=%s", key, value);

	if (n < 0 || (size_t)n + 1 > sizeof(t->buf) - t->len)
		bench_util_die(BENCH_USAGE, "login text is too long");
	t->len += (uint32_t)n + 1; /* the NUL ends the pair */
}

static void text_add_number(struct text *t, const char *key, uint64_t value)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, value);
	text_add(t, key, number);
}

static void text_add_bool(struct text *t, const char *key, bool value)
{
	text_add(t, key, value ? "Yes" : "No");
}

static const char *text_get(const struct text *t, const char *key)
{
	const size_t n = strlen(key);

	for (uint32_t at = 0; at < t->len;
	     at += (uint32_t)strlen(t->buf + at) + 1)
		if (!strncmp(t->buf + at, key, n) && t->buf[at + n] == '=')
			return t->buf + at + n + 1;
	return NULL;
}

static void read_all(struct bench_conn *c, void *buf, size_t n)
{
	uint8_t *p = buf;

	while (n) {
		const ssize_t got = recv(c->fd, p, n, 0);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			bench_util_die(BENCH_FAILED, "connection %u: login: %s",
				       c->index,
				       got ? strerror(errno) :
					     "the target closed it");
		p += got;
		n -= (size_t)got;
	}
}

static void write_all(struct bench_conn *c, const void *buf, size_t n)
{
	const uint8_t *p = buf;

	while (n) {
		const ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL);

		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1)
			bench_util_die(BENCH_FAILED, "connection %u: login: %s",
				       c->index, strerror(errno));
		p += sent;
		n -= (size_t)sent;
	}
}

/* One request and its answer.  @ask becomes the answer's text. */
static struct iscsi_bhs exchange(struct bench_conn *c, uint8_t stages,
				 struct text *ask, uint16_t *tsih)
{
	struct iscsi_bhs h = {
		.opcode = ISCSI_LOGIN | ISCSI_IMMEDIATE,
		.flags = (uint8_t)(TRANSIT | stages),
		.data_bytes = be24_make(ask->len),
		.itt = be32_make(0),
		.w24 = be32_make(c->cmdsn),
		.w28 = be32_make(c->exp_statsn),
	};
	const uint32_t padded = (ask->len + 3) & ~3u;

	memcpy(h.lun.b, c->isid, sizeof(c->isid));
	h.lun.b[6] = (uint8_t)(*tsih >> 8);
	h.lun.b[7] = (uint8_t)*tsih;
	memset(ask->buf + ask->len, 0, padded - ask->len);
	write_all(c, &h, sizeof(h));
	write_all(c, ask->buf, padded);

	read_all(c, &h, sizeof(h));
	ask->len = be24_get(h.data_bytes);
	if (h.opcode != ISCSI_LOGIN_RSP || h.ahs_words ||
	    ask->len > TEXT_MAX - 8)
		bench_util_die(BENCH_FAILED,
			       "connection %u: PDU 0x%02x in answer to a login",
			       c->index, h.opcode);
	read_all(c, ask->buf, (ask->len + 3) & ~3u);
	ask->buf[ask->len] = '\0';
	if (h.w36.b[0]) /* status class, detail: 11.13.5 */
		bench_util_die(BENCH_FAILED,
			       "connection %u: login refused, status %02x%02x",
			       c->index, h.w36.b[0], h.w36.b[1]);
	c->exp_statsn = be32_get(h.w24) + 1;
	c->max_cmdsn = be32_get(h.w32);
	*tsih = (uint16_t)(h.lun.b[6] << 8 | h.lun.b[7]);
	return h;
}

static uint32_t agreed_number(const struct text *t, const char *key,
			      uint32_t otherwise)
{
	const char *v = text_get(t, key);

	return v ? (uint32_t)strtoul(v, NULL, 0) : otherwise;
}

static bool agreed_bool(const struct text *t, const char *key, bool otherwise)
{
	const char *v = text_get(t, key);

	return v ? !strcmp(v, "Yes") : otherwise;
}

static bool agreed_digest(const struct text *t, const char *key)
{
	const char *v = text_get(t, key);

	return v && !strcmp(v, "CRC32C");
}

static void offer(struct text *t, const struct bench_login *l)
{
	text_add(t, "HeaderDigest", l->header_digest ? "CRC32C" : "None");
	text_add(t, "DataDigest", l->data_digest ? "CRC32C" : "None");
	text_add(t, "ErrorRecoveryLevel", "0");
	text_add_bool(t, "InitialR2T", l->initial_r2t);
	text_add_bool(t, "ImmediateData", l->immediate_data);
	text_add_number(t, "MaxRecvDataSegmentLength", l->max_recv_bytes);
	text_add_number(t, "MaxBurstLength", l->max_burst_bytes);
	text_add_number(t, "FirstBurstLength", l->first_burst_bytes);
	text_add_number(t, "MaxOutstandingR2T", l->max_r2t);
	text_add(t, "MaxConnections", "1");
	text_add(t, "DataPDUInOrder", "Yes");
	text_add(t, "DataSequenceInOrder", "Yes");
	text_add(t, "DefaultTime2Wait", "2");
	text_add(t, "DefaultTime2Retain", "0");
}

/* A key that the target leaves unanswered keeps its default, RFC 7143 13. */
static void note_terms(struct bench_terms *terms, const struct text *t)
{
	terms->max_send_bytes = agreed_number(t, "MaxRecvDataSegmentLength",
					      terms->max_send_bytes);
	terms->first_burst_bytes =
		agreed_number(t, "FirstBurstLength", terms->first_burst_bytes);
	terms->max_burst_bytes =
		agreed_number(t, "MaxBurstLength", terms->max_burst_bytes);
	terms->immediate_data =
		agreed_bool(t, "ImmediateData", terms->immediate_data);
	terms->initial_r2t = agreed_bool(t, "InitialR2T", terms->initial_r2t);
	terms->header_digest |= agreed_digest(t, "HeaderDigest");
	terms->data_digest |= agreed_digest(t, "DataDigest");
}

/* Ask for @stages until the target agrees to move on. */
static void stage(struct bench_conn *c, uint8_t stages, struct text *t,
		  uint16_t *tsih, struct bench_terms *terms)
{
	for (int i = 0; i < ROUNDS_MAX; i++) {
		const struct iscsi_bhs h = exchange(c, stages, t, tsih);

		note_terms(terms, t);
		if ((h.flags & TRANSIT) && (h.flags & 3) == (stages & 3))
			return;
		t->len = 0;
	}
	bench_util_die(BENCH_FAILED, "connection %u: login does not end",
		       c->index);
}

void bench_login_run(struct bench_conn *c, const struct bench_login *l)
{
	const struct timeval limit = { .tv_sec = 30 };
	struct bench_terms terms = {
		.max_send_bytes = 8192,
		.first_burst_bytes = 65536,
		.max_burst_bytes = 262144,
		.immediate_data = true,
		.initial_r2t = true,
	};
	struct text t = { .len = 0 };
	uint16_t tsih = 0;

	/* ISID of type "random", unique per process and connection: 11.12.5 */
	c->isid[0] = 0x80;
	c->isid[1] = (uint8_t)(getpid() >> 16);
	c->isid[2] = (uint8_t)(getpid() >> 8);
	c->isid[3] = (uint8_t)getpid();
	c->isid[4] = (uint8_t)(c->index >> 8);
	c->isid[5] = (uint8_t)c->index;
	c->cmdsn = 1;
	c->exp_statsn = 0;
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));

	text_add(&t, "InitiatorName", l->initiator);
	text_add(&t, "TargetName", l->target);
	text_add(&t, "SessionType", "Normal");
	text_add(&t, "AuthMethod", "None");
	stage(c, STAGE_SECURITY << 2 | STAGE_OPERATIONAL, &t, &tsih, &terms);
	t.len = 0;
	offer(&t, l);
	stage(c, STAGE_OPERATIONAL << 2 | STAGE_FULL_FEATURE, &t, &tsih,
	      &terms);
	/* Digests only now: the login itself has none, 13.1. */
	c->terms = terms;
}
