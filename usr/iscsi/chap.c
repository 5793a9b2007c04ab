/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/chap.c - OpenSSL hashes; a provider may lack some (FIPS has no MD5), so
 * what we have is asked for each time. */
#include "iscsi/chap.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/macros.h"
#include "base/parse.h"

DEFINE_CLEANUP(EVP_MD *, EVP_MD_free)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)

static const struct {
	uint8_t algorithm;
	uint8_t hash_bytes;
	const char *name;		/* OpenSSL's */
} hashes[] = {
	{ ISCSI_CHAP_SHA3_256, 32, "SHA3-256" },
	{ ISCSI_CHAP_SHA256, 32, "SHA2-256" },
	{ ISCSI_CHAP_SHA1, 20, "SHA1" },
	{ ISCSI_CHAP_MD5, 16, "MD5" },
};

static int find(uint8_t algorithm)
{
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
		if (hashes[i].algorithm == algorithm)
			return (int)i;
	return -ENOTSUP;
}

static bool provided(int h)
{
	_cleanup_(EVP_MD_freep) EVP_MD *md = EVP_MD_fetch(NULL, hashes[h].name, NULL);

	return md;
}

/* The first of @list that we can use: "in order of preference" (12.1.3), of which the
 * responder takes "the first value that it supports" (6.2.1).  -EINVAL: one of them is
 * no number. */
static int first_usable(const char *list, int *ret_h)
{
	int found = -ENOTSUP;

	for (;;) {
		const size_t n = strcspn(list, ",");
		char item[12];
		uint64_t v;

		if (n >= sizeof(item))
			return -EINVAL;
		memcpy(item, list, n);
		item[n] = '\0';
		if (parse_u64(item, 0, UINT32_MAX, &v) < 0)
			return -EINVAL;
		if (found < 0 && v <= UINT8_MAX) {
			found = find((uint8_t)v);
			if (found >= 0 && !provided(found))
				found = -ENOTSUP;
		}
		if (!list[n])
			break;
		list += n + 1;
	}
	*ret_h = found;
	return found < 0 ? found : 0;
}

int iscsi_chap_offer(struct iscsi_chap *c, const char *list)
{
	int h;
	const int err = first_usable(list, &h);

	if (err < 0)
		return err;
	c->challenge_bytes = hashes[h].hash_bytes;
	if (RAND_bytes(&c->id, 1) != 1 || RAND_bytes(c->challenge, c->challenge_bytes) != 1)
		return -EIO;
	c->algorithm = hashes[h].algorithm;
	return 0;
}

int iscsi_chap_hash(uint8_t algorithm, uint8_t id, const char *secret,
		    const uint8_t *challenge, size_t challenge_bytes,
		    uint8_t hash[ISCSI_CHAP_HASH_MAX], unsigned int *ret_bytes)
{
	_cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	_cleanup_(EVP_MD_freep) EVP_MD *md = NULL;
	const int h = find(algorithm);

	if (h < 0)
		return h;
	md = EVP_MD_fetch(NULL, hashes[h].name, NULL);
	if (!md)
		return -ENOTSUP;
	if (!ctx || EVP_MD_get_size(md) != hashes[h].hash_bytes ||
	    !EVP_DigestInit_ex(ctx, md, NULL) ||
	    !EVP_DigestUpdate(ctx, &id, 1) ||
	    !EVP_DigestUpdate(ctx, secret, strlen(secret)) ||
	    !EVP_DigestUpdate(ctx, challenge, challenge_bytes) ||
	    !EVP_DigestFinal_ex(ctx, hash, ret_bytes))
		return -EIO;
	return 0;
}

int iscsi_chap_verify(const struct iscsi_chap *c, const char *secret,
		      const char *response)
{
	uint8_t want[ISCSI_CHAP_HASH_MAX], got[ISCSI_CHAP_HASH_MAX];
	unsigned int want_bytes;
	size_t got_bytes;
	int err;

	err = iscsi_chap_decode(response, got, sizeof(got), &got_bytes);
	if (err < 0)
		return -EINVAL;
	err = iscsi_chap_hash(c->algorithm, c->id, secret, c->challenge,
			      c->challenge_bytes, want, &want_bytes);
	if (err < 0)
		return -EACCES;
	err = got_bytes != want_bytes || CRYPTO_memcmp(got, want, want_bytes);
	OPENSSL_cleanse(want, sizeof(want));
	return err ? -EACCES : 0;
}

int iscsi_chap_respond(const struct iscsi_chap *c, const char *secret,
		       const char *id, const char *challenge,
		       char response[ISCSI_CHAP_TEXT_MAX])
{
	uint8_t theirs[ISCSI_CHAP_CHALLENGE_MAX], hash[ISCSI_CHAP_HASH_MAX];
	unsigned int hash_bytes;
	size_t bytes;
	uint64_t v;
	int err;

	if (parse_u64(id, 0, UINT8_MAX, &v) < 0 ||
	    iscsi_chap_decode(challenge, theirs, sizeof(theirs), &bytes) < 0 ||
	    !bytes)
		return -EINVAL;
	/* 12.1.3: one who sends our challenge back wants us to compute the
	 * response that it cannot. */
	if (bytes == c->challenge_bytes && !memcmp(theirs, c->challenge, bytes))
		return -EACCES;
	err = iscsi_chap_hash(c->algorithm, (uint8_t)v, secret, theirs, bytes,
			      hash, &hash_bytes);
	if (err < 0)
		return err;
	iscsi_chap_encode(hash, hash_bytes, response);
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* An odd number of digits: the first byte has one, as in a number. */
static int decode_hex(const char *text, uint8_t *buf, size_t max, size_t *ret_bytes)
{
	const size_t digits = strlen(text), bytes = DIV_ROUND_UP(digits, 2);
	size_t at = digits % 2;		/* counts nibbles of buf */

	if (bytes > max)
		return -EMSGSIZE;
	memset(buf, 0, bytes);
	for (; *text; text++, at++) {
		const int d = hex_digit(*text);

		if (d < 0)
			return -EINVAL;
		buf[at / 2] |= (uint8_t)(at % 2 ? d : d << 4);
	}
	*ret_bytes = bytes;
	return 0;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 4, padded; some initiators leave the padding away. */
static int decode_base64(const char *text, uint8_t *buf, size_t max,
			 size_t *ret_bytes)
{
	size_t digits = strlen(text), bytes = 0;
	uint32_t bits = 0;

	for (int pad = 0; pad < 2 && digits && digits % 4 == (size_t)(pad ? 3 : 0) &&
			  text[digits - 1] == '='; pad++)
		digits--;
	if (digits % 4 == 1)
		return -EINVAL;
	if (digits * 3 / 4 > max)
		return -EMSGSIZE;
	for (size_t i = 0; i < digits; i++) {
		const int d = base64_digit(text[i]);

		if (d < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)d;
		if (i % 4)
			buf[bytes++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	*ret_bytes = bytes;
	return 0;
}

int iscsi_chap_decode(const char *text, uint8_t *buf, size_t max, size_t *ret_bytes)
{
	if (text[0] != '0' || !text[1] || !text[2])
		return -EINVAL;
	switch (text[1]) {
	case 'x':
	case 'X':
		return decode_hex(text + 2, buf, max, ret_bytes);
	case 'b':
	case 'B':
		return decode_base64(text + 2, buf, max, ret_bytes);
	default:
		return -EINVAL;
	}
}

void iscsi_chap_encode(const uint8_t *data, size_t bytes, char *text)
{
	static const char digits[] = "0123456789abcdef";

	*text++ = '0';
	*text++ = 'x';
	for (size_t i = 0; i < bytes; i++) {
		*text++ = digits[data[i] >> 4];
		*text++ = digits[data[i] & 15];
	}
	*text = '\0';
}
