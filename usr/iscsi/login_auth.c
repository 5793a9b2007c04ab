/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/login_auth.c - the security stage: AuthMethod=None or CHAP.
 *
 * CHAP is required if any incoming account is bound: to the target for normal
 * sessions, to discovery for discovery sessions.  The accounts are read afresh at
 * each step, so a login under way cannot use one that was unbound meanwhile.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include "base/macros.h"
#include "base/text.h"
#include "iscsi/account.h"
#include "iscsi/login_state.h"
#include "iscsi/target.h"

/* Valid for this turn. */
static const struct iscsi_accounts *accounts(const struct iscsi_login *l)
{
	return l->discovery ? iscsi_account_discovery()
			    : iscsi_target_config(l->target)->accounts;
}

bool iscsi_login_auth_satisfied(const struct iscsi_login *l)
{
	if (l->method == ISCSI_AUTH_CHAP)
		return l->authenticated;
	return !iscsi_account_required(accounts(l));
}

static enum iscsi_login_status denied(struct iscsi_login *l, const char *why)
{
	return iscsi_login_fail(l, ISCSI_LOGIN_AUTH_FAILED, why);
}

static enum iscsi_login_status malformed(struct iscsi_login *l, const char *why)
{
	return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR, why);
}

static bool list_has(const char *list, const char *word)
{
	for (;;) {
		const size_t n = strcspn(list, ",");

		if (n == strlen(word) && !memcmp(list, word, n))
			return true;
		if (!list[n])
			return false;
		list += n + 1;
	}
}

/* 6.3.2: the first of the list that we can use, and there is only ever one. */
static enum iscsi_login_status choose_method(struct iscsi_login *l, const char *list)
{
	if (iscsi_account_required(accounts(l))) {
		if (!list_has(list, "CHAP"))
			return denied(l, "CHAP is required, but not offered");
		l->method = ISCSI_AUTH_CHAP;
		return iscsi_login_say(l, "AuthMethod", "CHAP");
	}
	if (!list_has(list, "None"))
		return denied(l, "insists on authentication, but no account is bound");
	l->method = ISCSI_AUTH_NONE;
	return iscsi_login_say(l, "AuthMethod", "None");
}

static enum iscsi_login_status challenge(struct iscsi_login *l, const char *list)
{
	char text[ISCSI_CHAP_TEXT_MAX], number[8];
	enum iscsi_login_status status;

	if (l->method != ISCSI_AUTH_CHAP)
		return malformed(l, "CHAP_A without AuthMethod=CHAP");
	if (iscsi_chap_offer(&l->chap, list) < 0)
		return denied(l, "no CHAP algorithm in common");
	snprintf(number, sizeof(number), "%u", l->chap.algorithm);
	status = iscsi_login_say(l, "CHAP_A", number);
	snprintf(number, sizeof(number), "%u", l->chap.id);
	if (status == ISCSI_LOGIN_OK)
		status = iscsi_login_say(l, "CHAP_I", number);
	iscsi_chap_encode(l->chap.challenge, l->chap.challenge_bytes, text);
	if (status == ISCSI_LOGIN_OK)
		status = iscsi_login_say(l, "CHAP_C", text);
	return status;
}

/* The initiator wants to know that we are who we say. */
static enum iscsi_login_status prove(struct iscsi_login *l, const char *their_secret)
{
	const char *id = l->given[ISCSI_LOGIN_KEY_CHAP_I];
	const char *theirs = l->given[ISCSI_LOGIN_KEY_CHAP_C];
	const char *user, *secret;
	char response[ISCSI_CHAP_TEXT_MAX];
	enum iscsi_login_status status;

	if (!id || !theirs)
		return malformed(l, "CHAP_I and CHAP_C come together");
	if (!iscsi_account_outgoing(accounts(l), &user, &secret))
		return denied(l, "asks for the target's proof, but no outgoing "
				 "account is bound");
	/* 9.2.1: then our response to his challenge would do for his to ours. */
	if (strlen(secret) == strlen(their_secret) &&
	    !CRYPTO_memcmp(secret, their_secret, strlen(secret)))
		return denied(l, "both directions have the same password");
	switch (iscsi_chap_respond(&l->chap, secret, id, theirs, response)) {
	case 0:
		break;
	case -EACCES:
		return denied(l, "our challenge was reflected");
	case -EINVAL:
		return malformed(l, "CHAP_I or CHAP_C has no valid value");
	default:
		return denied(l, "the CHAP algorithm fails");
	}
	status = iscsi_login_say(l, "CHAP_N", user);
	if (status == ISCSI_LOGIN_OK)
		status = iscsi_login_say(l, "CHAP_R", response);
	return status;
}

/* An unknown user costs as much time as a wrong password. */
static enum iscsi_login_status verify(struct iscsi_login *l)
{
	const char *user = l->given[ISCSI_LOGIN_KEY_CHAP_N];
	const char *response = l->given[ISCSI_LOGIN_KEY_CHAP_R];
	const char *secret;
	int err;

	if (!user || !response)
		return malformed(l, "CHAP_N and CHAP_R come together");
	if (!l->chap.algorithm || l->given[ISCSI_LOGIN_KEY_CHAP_A])
		return malformed(l, "CHAP_R before the challenge");
	secret = iscsi_account_secret(accounts(l), user);
	err = iscsi_chap_verify(&l->chap, secret ? secret : "nobody", response);
	if (err == -EINVAL)
		return malformed(l, "CHAP_R has no valid value");
	if (err < 0 || !secret)
		return denied(l, "wrong CHAP user or password");
	if (l->given[ISCSI_LOGIN_KEY_CHAP_I] || l->given[ISCSI_LOGIN_KEY_CHAP_C]) {
		const enum iscsi_login_status status = prove(l, secret);

		if (status != ISCSI_LOGIN_OK)
			return status;
	}
	l->authenticated = true;
	text_copy(l->user, sizeof(l->user), user);
	return ISCSI_LOGIN_OK;
}

enum iscsi_login_status iscsi_login_auth_step(struct iscsi_login *l)
{
	const char *const *given = l->given;
	enum iscsi_login_status status = ISCSI_LOGIN_OK;

	if (given[ISCSI_LOGIN_KEY_AUTH_METHOD])
		status = choose_method(l, given[ISCSI_LOGIN_KEY_AUTH_METHOD]);
	if (status == ISCSI_LOGIN_OK && given[ISCSI_LOGIN_KEY_CHAP_A])
		status = challenge(l, given[ISCSI_LOGIN_KEY_CHAP_A]);
	if (status != ISCSI_LOGIN_OK)
		return status;
	if (given[ISCSI_LOGIN_KEY_CHAP_N] || given[ISCSI_LOGIN_KEY_CHAP_R])
		return verify(l);
	if (given[ISCSI_LOGIN_KEY_CHAP_I] || given[ISCSI_LOGIN_KEY_CHAP_C])
		return malformed(l, "a challenge without a response to ours");
	return ISCSI_LOGIN_OK;
}
