/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/chap.h - the target's half of CHAP, RFC 7143 12.1.3 and RFC 1994.
 *
 *	initiator: CHAP_A=<list>           iscsi_chap_offer()
 *	target:    CHAP_A CHAP_I CHAP_C
 *	initiator: CHAP_N CHAP_R           iscsi_chap_verify()
 *	           [CHAP_I CHAP_C]         asks the target to prove itself, too
 *	target:    [CHAP_N CHAP_R]
 *
 * Knows secrets for the duration of a call; keeps and logs none.  One thread
 * at a time.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISCSI_CHAP_HASH_MAX		32U	/* bytes of the longest hash */
#define ISCSI_CHAP_CHALLENGE_MAX	1024U	/* 12.1.3 */
#define ISCSI_CHAP_TEXT_MAX	(2 + 2 * ISCSI_CHAP_HASH_MAX + 1) /* 0x, NUL */
#define ISCSI_CHAP_NAME_MAX		255U

/* The IANA registry "PPP Authentication Algorithms". */
enum iscsi_chap_algorithm {
	ISCSI_CHAP_MD5 = 5,
	ISCSI_CHAP_SHA1 = 6,
	ISCSI_CHAP_SHA256 = 7,
	ISCSI_CHAP_SHA3_256 = 8,
};

struct iscsi_chap {
	uint8_t algorithm;		/* 0: none agreed on yet */
	uint8_t id;
	uint8_t challenge_bytes;
	uint8_t challenge[ISCSI_CHAP_HASH_MAX];
};

/*
 * Choose the first of @list ("7,6,5") that this machine has, and make a
 * challenge.  Errors: -ENOTSUP (none in common), -EINVAL (not a list), -EIO (no
 * random bytes).
 */
int iscsi_chap_offer(struct iscsi_chap *c, const char *list);

/* H(id, secret, challenge), RFC 1994 4.1.  Errors: -ENOTSUP, -EIO. */
int iscsi_chap_hash(uint8_t algorithm, uint8_t id, const char *secret,
		    const uint8_t *challenge, size_t challenge_bytes,
		    uint8_t hash[ISCSI_CHAP_HASH_MAX], unsigned int *ret_bytes);

/* Is @response (CHAP_R as it came) the answer of one who knows @secret?
 * Takes the same time whatever differs.  Errors: -EACCES, -EINVAL (form). */
int iscsi_chap_verify(const struct iscsi_chap *c, const char *secret,
		      const char *response);

/*
 * The initiator's own challenge (CHAP_I, CHAP_C as they came): CHAP_R for it.
 * Errors: -EINVAL (form), -EACCES (it is ours, reflected), -EIO, -ENOTSUP.
 */
int iscsi_chap_respond(const struct iscsi_chap *c, const char *secret,
		       const char *id, const char *challenge,
		       char response[ISCSI_CHAP_TEXT_MAX]);

/* Binary values, 6.1: 0x and hexadecimal or 0b and base64.  Errors: -EINVAL,
 * -EMSGSIZE (longer than @max). */
int iscsi_chap_decode(const char *text, uint8_t *buf, size_t max,
		      size_t *ret_bytes);
/* Hexadecimal, with 0x; @text has room for 2 * bytes + 3. */
void iscsi_chap_encode(const uint8_t *data, size_t bytes, char *text);
