#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""CHAP, RFC 7143 12.1.3 and 9.2.1, RFC 1994: one way and mutual, targets and discovery."""

import sys

import chap
import pdu
from chap import Chap
from daemon import Daemon
from expect import CLOSED, INITIATOR_ERRORS, login_outcome, login_refused
from harness import Suite, among, check, equal
from iscsi import FULL, OPERATIONAL, SECURITY, Conn, Login, LoginFailed, login_keys
from session import Session, healthy

suite = Suite()

USER, SECRET = "initiator-user", "correct horse 12"
OUT_USER, OUT_SECRET = "target-user", "battery staple 34"
OTHER_USER, OTHER_SECRET = "second-user", "a third secret 56"
AUTH_FAILED = (0x0201,)
REFUSED = (*INITIATOR_ERRORS, CLOSED)


def guarded(b, mutual=False):
    """The target that wants CHAP; made once per daemon."""
    made = b.__dict__.setdefault("chap_targets", {})
    if not made:
        for user, secret in ((USER, SECRET), (OUT_USER, OUT_SECRET), (OTHER_USER, OTHER_SECRET)):
            b.d.account(user, secret)
    if mutual not in made:
        t = made[mutual] = b.d.target(mb=1)
        t.account(USER)
        t.account(OTHER_USER)
        if mutual:
            t.account(OUT_USER, outgoing=True)
    return made[mutual].name


def me(**how):
    return Chap(USER, SECRET, **how)


def both(**how):
    return Chap(USER, SECRET, mutual=(OUT_USER, OUT_SECRET), **how)


class Spoiled(Chap):
    """A Chap whose last message is changed: a value of None drops the key."""

    def __init__(self, change, mutual=None):
        super().__init__(USER, SECRET, mutual)
        self.change = change

    def answer(self, keys):
        out = super().answer(keys)
        out.update(self.change(out, keys) if callable(self.change) else self.change)
        return {k: v for k, v in out.items() if v is not None}


ALGORITHMS = [(name, n) for n, name in chap.HASHES.items()]


# -- it works -----------------------------------------------------------------

@suite.cases(ALGORITHMS)
def one_way(b, algorithm):
    with Session(b.addr, guarded(b), chap=me(algorithms=[algorithm])) as s:
        s.clear_ua()
        s.read(0, 8)


@suite.cases(ALGORITHMS)
def mutual(b, algorithm):
    """The Chap object checks the target's name and proof."""
    with Session(b.addr, guarded(b, True), chap=both(algorithms=[algorithm])) as s:
        s.clear_ua()
        s.read(0, 8)


@suite.case
def one_way_where_mutual_is_possible(b):
    """12.1.3: whether the target must prove itself is the initiator's choice."""
    Session(b.addr, guarded(b, True), chap=me()).close()


@suite.case
def each_account_has_its_secret(b):
    name = guarded(b)
    Session(b.addr, name, chap=Chap(OTHER_USER, OTHER_SECRET)).close()
    login_refused(b, lambda l: l.run(login_keys(name), Chap(OTHER_USER, SECRET)), AUTH_FAILED)


@suite.cases([("all_ascending", (5, 6, 7, 8), 5), ("all_descending", (8, 7, 6, 5), 8),
              ("sha256_last", (6, 5, 7), 6), ("unknown_too", (99, 200, 7, 5), 7)])
def first_is_chosen(b, offered, want):
    """12.1.3, 6.2.1: the list is "in order of preference", and the first of it that the
    responder has is taken: an initiator may name some that it only hopes to be able to use."""
    c = me(algorithms=offered)
    Session(b.addr, guarded(b), chap=c).close()
    equal(c.chosen, want, "CHAP_A")


@suite.cases([("hex", chap.to_hex), ("hex_capitals", lambda raw: "0X" + raw.hex().upper()),
              ("base64", chap.to_base64),
              ("base64_capital", lambda raw: "0B" + chap.to_base64(raw)[2:])])
def encodings(b, encode):
    """6.1: a binary value in hexadecimal or base64; ours is taken in both."""
    Session(b.addr, guarded(b, True), chap=both(encode=encode)).close()


@suite.case
def long_challenge_of_ours(b):
    """12.1.3: a challenge is up to 1024 bytes."""
    class Long(Chap):
        def pick_challenge(self):
            return 255, bytes(range(256)) * 4
    Session(b.addr, guarded(b, True),
            chap=Long(USER, SECRET, mutual=(OUT_USER, OUT_SECRET))).close()


@suite.case
def method_list(b):
    """CHAP out of a list; None is not enough here."""
    with Conn(b.addr) as conn:
        _, got = Login(conn).ask(SECURITY, None, login_keys(guarded(b), AuthMethod="None,CHAP"))
        equal(got.get("AuthMethod"), "CHAP", "AuthMethod")


@suite.cases([("first", "CHAP,None"), ("last", "None,CHAP")])
def method_list_without_accounts(b, methods):
    """6.2.1: "the first value that it supports": there is nothing that CHAP could compare with."""
    with Conn(b.addr) as conn:
        _, got = Login(conn).ask(SECURITY, None,
                                 login_keys(b.d.target().name, AuthMethod=methods))
        equal(got.get("AuthMethod"), "None", "AuthMethod")


@suite.case
def challenges_are_fresh(b):
    """RFC 1994 2.3: unique and unpredictable; 16 bytes are the least that is sane."""
    seen = set()
    for _ in range(20):
        with Conn(b.addr) as conn:
            login = Login(conn)
            login.ask(SECURITY, None, login_keys(guarded(b), AuthMethod="CHAP"))
            _, got = login.ask(SECURITY, None, {"CHAP_A": "7"})
            raw = chap.from_text(got["CHAP_C"])
            check(len(raw) >= 16, f"a challenge of {len(raw)} bytes")
            seen.add(raw)
    equal(len(seen), 20, "distinct challenges")


# -- it keeps others out ------------------------------------------------------

@suite.cases([("secret", USER, SECRET + "x"), ("secret_case", USER, SECRET.upper()),
              ("secret_empty", USER, ""), ("user", "nobody", SECRET), ("user_empty", "", SECRET),
              ("user_case", USER.upper(), SECRET), ("user_prefix", USER[:-1], SECRET),
              ("outgoing_as_incoming", OUT_USER, OUT_SECRET)])
def wrong(b, user, secret):
    """11.13.5: authentication failure."""
    name = guarded(b, True)
    for algorithm in chap.HASHES:
        c = Chap(user, secret, algorithms=[algorithm])
        login_refused(b, lambda l, c=c: l.run(login_keys(name), c),
                      AUTH_FAILED if user else REFUSED)


@suite.case
def operational_stage_at_once(b):
    name = guarded(b)
    login_refused(b, lambda l: l.ask(OPERATIONAL, FULL, login_keys(name)), AUTH_FAILED)


@suite.case
def method_none(b):
    name = guarded(b)
    login_refused(b, lambda l: l.ask(SECURITY, OPERATIONAL, login_keys(name, AuthMethod="None")),
                  AUTH_FAILED)


@suite.cases([(f"{n}_to_{m}", n, to) for n in range(3)
              for m, to in (("operational", OPERATIONAL), ("full", FULL))])
def leaves_before_the_proof(b, step, to):
    """T before CHAP is done: the target stays in the stage, or refuses; never lets in."""
    name = guarded(b)

    def dialog(login):
        says = [login_keys(name, AuthMethod="CHAP"), {"CHAP_A": "7"}, {}]
        for n in range(step + 1):
            rsp, _ = login.ask(SECURITY, to if n == step else None, says[n])
        check(not rsp.final, "the target left the security stage")
        login.ask(OPERATIONAL, FULL, {})
    login_refused(b, dialog)


@suite.case
def algorithm_without_challenge_asked(b):
    """CHAP_N and CHAP_R out of the blue."""
    def dialog(login):
        login.ask(SECURITY, None, login_keys(guarded(b), AuthMethod="CHAP"))
        rsp, _ = login.ask(SECURITY, OPERATIONAL, {"CHAP_N": USER, "CHAP_R": "0x" + "00" * 32})
        check(not rsp.final, "the target left the security stage")
        login.ask(OPERATIONAL, FULL, {})
    login_refused(b, dialog)


@suite.cases([("unknown", "9"), ("several_unknown", "0,1,99"), ("empty", ""), ("letters", "sha256"),
              ("negative", "-7"), ("huge", "4294967303"), ("commas", ",,,")])
def no_common_algorithm(b, value):
    """12.1.3: nothing in common is an authentication failure or a Reject; 4294967303 is
    7 modulo 2**32."""
    def dialog(login):
        login.ask(SECURITY, None, login_keys(guarded(b), AuthMethod="CHAP"))
        _, got = login.ask(SECURITY, None, {"CHAP_A": value})
        equal(got.get("CHAP_A"), "Reject", "the answer")
        login.ask(SECURITY, OPERATIONAL, {})
        login.ask(OPERATIONAL, FULL, {})
    login_refused(b, dialog)


@suite.case
def algorithm_twice(b):
    """6.3: no key twice; a second CHAP_A must not restart the exchange."""
    def dialog(login):
        login.ask(SECURITY, None, login_keys(guarded(b), AuthMethod="CHAP"))
        login.ask(SECURITY, None, {"CHAP_A": "7"})
        login.ask(SECURITY, None, {"CHAP_A": "7"})
    login_refused(b, dialog)


@suite.case
def old_response_is_useless(b):
    """The answer to one challenge does not fit another."""
    def begin(conn):
        login = Login(conn)
        login.ask(SECURITY, None, login_keys(guarded(b), AuthMethod="CHAP"))
        return login, login.ask(SECURITY, None, {"CHAP_A": "7"})[1]
    with Conn(b.addr) as first, Conn(b.addr) as second:
        answer = me().answer(begin(first)[1])
        login, _ = begin(second)
        try:
            login.ask(SECURITY, OPERATIONAL, answer)
            check(False, "a replayed response is taken")
        except LoginFailed as e:
            equal(e.status, 0x0201, "the status")


# -- mutual, abused -----------------------------------------------------------

@suite.cases([("same_text", lambda out, keys: {"CHAP_C": keys["CHAP_C"], "CHAP_I": keys["CHAP_I"]}),
              ("other_identifier", lambda out, keys: {"CHAP_C": keys["CHAP_C"]}),
              ("as_base64", lambda out, keys: {
                  "CHAP_C": chap.to_base64(chap.from_text(keys["CHAP_C"]))}),
              ("as_capitals", lambda out, keys: {
                  "CHAP_C": "0X" + chap.from_text(keys["CHAP_C"]).hex().upper()})])
def reflection(b, change):
    """9.2.1: our own challenge sent back: responders MUST check and close the connection."""
    name = guarded(b, True)
    login_refused(b, lambda l: l.run(login_keys(name),
                                     Spoiled(change, (OUT_USER, OUT_SECRET))))


@suite.case
def target_proof_not_configured(b):
    """11.13.5, 0x0201: "or target authentication is not supported"."""
    name = guarded(b)
    login_refused(b, lambda l: l.run(login_keys(name), both()), AUTH_FAILED)


@suite.cases([("wrong_secret", {"CHAP_R": "0x" + "00" * 32})])
def no_proof_for_strangers(b, change):
    """The target proves nothing to one who failed: its secret cannot be attacked offline."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        try:
            login.run(login_keys(guarded(b, True)), Spoiled(change, (OUT_USER, OUT_SECRET)))
            check(False, "a wrong response logs in")
        except LoginFailed as e:
            equal(e.status, 0x0201, "the status")
        check("CHAP_R" not in dict(login.got), "the target answered a stranger's challenge")


# -- fields of any shape ------------------------------------------------------

SHAPES = [
    ("no_name", {"CHAP_N": None}), ("no_response", {"CHAP_R": None}),
    ("empty_response", {"CHAP_R": ""}), ("bare_0x", {"CHAP_R": "0x"}),
    ("bare_0b", {"CHAP_R": "0b"}), ("short_response", {"CHAP_R": "0x" + "11" * 31}),
    ("long_response", {"CHAP_R": "0x" + "11" * 33}), ("longer", {"CHAP_R": "0x" + "11" * 2000}),
    ("long_base64", {"CHAP_R": "0b" + "QUJD" * 800}), ("no_hex", {"CHAP_R": "0x" + "zz" * 32}),
    ("half_byte", {"CHAP_R": "0x" + "1" * 63}), ("no_prefix", {"CHAP_R": "11" * 32}),
    ("bad_base64", {"CHAP_R": "0b!!!!" + "A" * 40}), ("odd_base64", {"CHAP_R": "0bQ"}),
    ("padding_only", {"CHAP_R": "0b===="}), ("decimal", {"CHAP_R": "1234567890"}),
    ("long_name", {"CHAP_N": "n" * 3000}), ("binary_name", {"CHAP_N": "\udcff\udcfe\x01%s%n"}),
    ("proof_and_more", lambda out, keys: {"CHAP_R": out["CHAP_R"] + "00"}),
    ("proof_cut", lambda out, keys: {"CHAP_R": out["CHAP_R"][:-2]}),
]


@suite.cases(SHAPES)
def bad_proof(b, change):
    name = guarded(b)
    login_refused(b, lambda l: l.run(login_keys(name), Spoiled(change)))


@suite.cases([
    ("identifier_256", {"CHAP_I": "256"}), ("identifier_negative", {"CHAP_I": "-1"}),
    ("identifier_word", {"CHAP_I": "one"}), ("identifier_empty", {"CHAP_I": ""}),
    ("identifier_huge", {"CHAP_I": "4294967297"}), ("identifier_missing", {"CHAP_I": None}),
    ("challenge_missing", {"CHAP_C": None}), ("challenge_empty", {"CHAP_C": ""}),
    ("challenge_bare", {"CHAP_C": "0x"}), ("challenge_1025", {"CHAP_C": "0x" + "5a" * 1025}),
    ("challenge_3000", {"CHAP_C": "0x" + "5a" * 3000}), ("challenge_no_hex", {"CHAP_C": "0xgg"}),
    ("challenge_base64_2000", {"CHAP_C": "0b" + "QUJD" * 667}),
])
def bad_challenge(b, change):
    """12.1.3: identifier of one byte, challenge of 1 to 1024 bytes; both or none."""
    name = guarded(b, True)
    login_refused(b, lambda l: l.run(login_keys(name), Spoiled(change, (OUT_USER, OUT_SECRET))))


@suite.case
def chap_keys_without_chap(b):
    """Where nobody asked for CHAP its keys are out of place: refused or not understood."""
    def dialog(login):
        _, got = login.ask(SECURITY, None, login_keys(b.iqn, AuthMethod="None", CHAP_A="7",
                                                      CHAP_N=USER, CHAP_R="0x00"))
        for key in ("CHAP_A", "CHAP_N", "CHAP_R"):
            among(got.get(key), ("NotUnderstood", "Reject", "Irrelevant"), key)
    among(login_outcome(b, dialog), (0, *REFUSED), "the outcome")


# -- discovery, and changes of accounts ---------------------------------------

@suite.case
def discovery_account(b):
    """An account bound to no target guards discovery, and discovery only."""
    with Daemon() as d:
        t = d.target(mb=1)
        d.account(USER, SECRET)
        d.account(OUT_USER, OUT_SECRET)
        d.adm("--mode", "account", "--op", "bind", "--user", USER)
        d.adm("--mode", "account", "--op", "bind", "--user", OUT_USER, "--outgoing")
        healthy(d.addr, t.name)
        try:
            Session(d.addr).close()
            check(False, "discovery without CHAP")
        except LoginFailed as e:
            equal(e.status, 0x0201, "the status")
        for algorithm in chap.HASHES:
            with Session(d.addr, chap=both(algorithms=[algorithm])) as s:
                among(("TargetName", t.name), s.text({"SendTargets": "All"}), "the list")
        try:
            Session(d.addr, chap=Chap(USER, OUT_SECRET)).close()
            check(False, "discovery with a wrong secret")
        except LoginFailed as e:
            equal(e.status, 0x0201, "the status")


@suite.case
def account_comes_and_goes(b):
    t = b.d.target(mb=1)
    b.d.account("guest", "a guest's secret")
    open_before = Session(b.addr, t.name)
    t.account("guest")
    open_before.clear_ua()                          # a session that is there stays
    login_refused(b, lambda l: l.run(login_keys(t.name)), AUTH_FAILED)
    Session(b.addr, t.name, chap=Chap("guest", "a guest's secret")).close()
    b.d.adm("--mode", "account", "--op", "unbind", "--tid", str(t.tid), "--user", "guest")
    healthy(b.addr, t.name)
    open_before.close()


@suite.case
def proof_in_pieces(b):
    """The C bit inside a CHAP message: 11.12.2 knows no exception."""
    name, c = guarded(b), me()
    with Conn(b.addr) as conn:
        login = Login(conn)
        login.ask(SECURITY, None, login_keys(name, AuthMethod="CHAP"))
        _, got = login.ask(SECURITY, None, c.offer())
        data = pdu.text(c.answer(got))
        login.request(SECURITY, None, data[:20], cont=True)
        check(not login.reply().data, "an answer to half a message")
        rsp, _ = login.ask(SECURITY, OPERATIONAL, data[20:])
        check(rsp.final, "the proof is not accepted")
        login.operational({})


if __name__ == "__main__":
    sys.exit(suite.run())
