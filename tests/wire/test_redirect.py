#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Login redirection, RFC 7143 11.13.5 and 13.8: a fixed address, or a program's answer."""

import os
import sys
import tempfile
import threading
import time

import pdu
from daemon import Daemon
from expect import good
from harness import Failed, Suite, check, equal
from iscsi import FULL, NORMAL_KEYS, OPERATIONAL, Conn, Login, login_keys
from session import Session

suite = Suite()

TEMPORARILY, PERMANENTLY = 0x0101, 0x0102
UNAVAILABLE = 0x0301
LIMIT_S = 0.1                   # for a program to answer
SOON_S = 10                     # far more than any wait here needs
TRIES = 10
TOO_LATE = "has not ended within 100 ms"


def go(b, t):
    """Logs in to @t -> (status, the text of the answer); (0, None) when it succeeds."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        login.request(OPERATIONAL, FULL, {**login_keys(t.name), **NORMAL_KEYS})
        rsp = login.reply()
        status = rsp.status_class << 8 | rsp.status_detail
        if not status:
            if not rsp.final:
                login.operational({})
            return 0, None
        check(not conn.drain(), "something follows the redirection")
        check(rsp.tsih == 0 and not rsp.final, "a session begins, though it is redirected")
        return status, dict(pdu.parse_text(rsp.data))


def moved(b, t, status, address):
    """11.13.5: exactly TargetAddress; 13.8: without a portal group tag."""
    got, text = go(b, t)
    equal(f"0x{got:04x}", f"0x{status:04x}", "the status")
    equal(text, {"TargetAddress": address}, "the text of the redirection")


def stays(b, t):
    equal(go(b, t), (0, None), "the outcome of the login")


def show(b, t):
    return b.d.adm("--mode", "target", "--op", "show", "--tid", str(t.tid)).stdout.split()


def refused(b, t, name, value):
    r = b.d.adm("--mode", "target", "--op", "update", "--tid", str(t.tid), "-n", name,
                "-v", value, check=False)
    check(r.returncode != 0, f"{name}={value} is accepted")
    check(name in r.stderr, f"the sentence does not name {name}: {r.stderr}")


def program(b, body):
    """An executable script in the daemon's directory."""
    fd, path = tempfile.mkstemp(prefix="redirect-", dir=b.d.dir)
    with os.fdopen(fd, "w") as f:
        f.write("#!/bin/sh\n" + body + "\n")
    os.chmod(path, 0o755)
    return path


def log_count(b, t, sentence):
    return sum(t.name + ":" in line and sentence in line for line in b.d.log().splitlines())


def in_time(b, t, ask):
    """Runs ask() again while the program of @t was too late, as on a machine under load."""
    for _ in range(TRIES):
        late = log_count(b, t, TOO_LATE)
        try:
            got = ask()
        except Failed:
            if log_count(b, t, TOO_LATE) == late:
                raise
            continue
        if log_count(b, t, TOO_LATE) == late:
            return got
    raise Failed(f"{TRIES} times later than {LIMIT_S} s")


# -- the fixed address --------------------------------------------------------

@suite.cases([
    ("port_and_reason_default", {}, TEMPORARILY, "192.0.2.7:3260"),
    ("temporary", {"RedirectPort": 3261, "RedirectReason": "Temporary"}, TEMPORARILY,
     "192.0.2.7:3261"),
    ("permanent", {"RedirectPort": 65535, "RedirectReason": "Permanent"}, PERMANENTLY,
     "192.0.2.7:65535"),
    ("ipv6_in_brackets", {"RedirectAddress": "2001:db8::7", "RedirectPort": 1}, TEMPORARILY,
     "[2001:db8::7]:1"),
])
def fixed(b, params, status, address):
    t = b.d.target(disks=0)
    t.update(**{"RedirectAddress": "192.0.2.7", **params})
    moved(b, t, status, address)
    t.update(RedirectAddress="")
    stays(b, t)


@suite.case
def without_address_nothing_happens(b):
    t = b.d.target(disks=0, RedirectPort=3261, RedirectReason="Permanent")
    stays(b, t)
    check("MaxQueueCmd=128" in show(b, t), "the keys are not shown")


@suite.case
def show_prints_only_the_redirection(b):
    t = b.d.target(disks=0, RedirectAddress="192.0.2.7", RedirectPort=3261,
                   RedirectReason="Permanent")
    equal(show(b, t), ["RedirectAddress=192.0.2.7", "RedirectPort=3261",
                       "RedirectReason=Permanent"], "target show")
    t.update(RedirectCallback="/bin/true")
    equal(show(b, t), ["RedirectCallback=/bin/true"], "target show with a callback")
    t.update(RedirectCallback="", RedirectAddress="")
    check("MaxQueueCmd=128" in show(b, t) and len(show(b, t)) > 10, "cleared, but not shown")


@suite.cases([("whole", "RedirectAddress", "RedirectReason"),
              ("short", "RedirectAddr", "RedirectRe"),
              ("long", "RedirectAddressOfTarget", "RedirectReasons")])
def names_match_by_prefix(b, address, reason):
    t = b.d.target(disks=0, **{address: "192.0.2.7", reason: "Permanent"})
    moved(b, t, PERMANENTLY, "192.0.2.7:3260")


@suite.cases([
    ("name", "RedirectAddress", "example.org"),
    ("address_with_port", "RedirectAddress", "192.0.2.7:3260"),
    ("address_with_port_0", "RedirectAddress", "192.0.2.7:0"),
    ("wildcard", "RedirectAddress", "0.0.0.0"),
    ("scope", "RedirectAddress", "fe80::1%lo"),
    ("port_0", "RedirectPort", "0"),
    ("port_too_large", "RedirectPort", "65536"),
    ("port_text", "RedirectPort", "iscsi"),
    ("reason", "RedirectReason", "Never"),
    ("relative_path", "RedirectCallback", "redirect.sh"),
    ("unknown", "RedirectUser", "x"),
    ("nothing_but_the_prefix", "Redirect", "192.0.2.7"),
])
def wrong_values_change_nothing(b, name, value):
    t = b.d.target(disks=0, RedirectAddress="192.0.2.7", RedirectPort=3261,
                   RedirectReason="Permanent")
    refused(b, t, name, value)
    moved(b, t, PERMANENTLY, "192.0.2.7:3261")


@suite.case
def discovery_is_not_redirected(b):
    t = b.d.target(disks=0, RedirectAddress="192.0.2.7")
    with Session(b.addr, None) as s:
        check(("TargetName", t.name) in s.text({"SendTargets": "All"}), "it is not discovered")


@suite.case
def sessions_that_exist_stay(b):
    t = b.d.target(disks=1)
    with Session(b.addr, t.name) as s:
        t.update(RedirectAddress="192.0.2.7")
        moved(b, t, TEMPORARILY, "192.0.2.7:3260")
        s.clear_ua()
        good(s.scsi(bytes(6)))      # TEST UNIT READY


@suite.case
def access_rules_come_first(b):
    """Whom the ACL shuts out does not learn where the target went."""
    t = b.d.target(disks=0, acl=None, RedirectAddress="192.0.2.7")
    status, text = go(b, t)
    equal((f"0x{status:04x}", text), ("0x0202", {}), "the outcome of the login")


@suite.case
def offline_is_not_redirected(b):
    t = b.d.target(disks=0, RedirectAddress="192.0.2.7", state="offline")
    equal(go(b, t)[0], UNAVAILABLE, "the status")


# -- a program ----------------------------------------------------------------

@suite.cases([
    ("temporary", "192.0.2.8:3262:Temporary", TEMPORARILY, "192.0.2.8:3262"),
    ("permanent", "192.0.2.8:3262:Permanent", PERMANENTLY, "192.0.2.8:3262"),
    ("ipv6", "2001:db8::8:3262:Temporary", TEMPORARILY, "[2001:db8::8]:3262"),
    ("ipv6_in_brackets", "[2001:db8::8]:3262:Temporary", TEMPORARILY, "[2001:db8::8]:3262"),
])
def program_answers(b, answer, status, address):
    t = b.d.target(disks=0, RedirectAddress="192.0.2.7")
    t.update(RedirectCallback=program(b, f"echo '{answer}'"))
    in_time(b, t, lambda: moved(b, t, status, address))
    t.update(RedirectCallback="")
    moved(b, t, TEMPORARILY, "192.0.2.7:3260")


@suite.case
def program_is_told_target_and_initiator(b):
    t = b.d.target(disks=0)
    path = program(b, f'[ $# = 2 ] && [ "$1" = {t.name} ] && [ "$2" = 127.0.0.1 ] && '
                      'echo 192.0.2.8:3262:Temporary')
    t.update(RedirectCallback=path)
    in_time(b, t, lambda: moved(b, t, TEMPORARILY, "192.0.2.8:3262"))


FAILURES = [
    ("fails", "echo 192.0.2.8:3262:Temporary; exit 1", "RedirectCallback failed"),
    ("killed", "kill -9 $$", "RedirectCallback failed"),
    ("nonsense", "echo over there", "RedirectCallback answered 'over there'"),
    ("no_reason", "echo 192.0.2.8:3262", "is not address:port:reason"),
    ("bad_port", "echo 192.0.2.8:0:Temporary", "is not address:port:reason"),
    ("flood", "exec yes", TOO_LATE),
    ("hangs", "echo 192.0.2.8:3262:Temporary; sleep 60", TOO_LATE),
    ("silent", "exit 0", None),
]


@suite.cases(FAILURES)
def program_without_an_answer(b, body, sentence):
    """The fixed address counts; without one, the login goes on here."""
    t = b.d.target(disks=0, RedirectCallback=program(b, body))

    def ask():
        t.update(RedirectAddress="192.0.2.7")
        moved(b, t, TEMPORARILY, "192.0.2.7:3260")
        t.update(RedirectAddress="")
        stays(b, t)

    if sentence == TOO_LATE:
        ask()
    else:
        in_time(b, t, ask)
    if sentence:
        check(log_count(b, t, sentence), f"the log does not say: {sentence}")
    else:
        equal(log_count(b, t, "RedirectCallback"), log_count(b, t, TOO_LATE),
              "the warnings about a silent program")


@suite.case
def program_that_is_not_there(b):
    t = b.d.target(disks=0, RedirectCallback="/nonexistent/redirect")
    stays(b, t)
    check(log_count(b, t, "No such file"), "the log does not say why")


def children(b):
    with open(f"/proc/{b.d.pid}/task/{b.d.pid}/children") as f:
        return f.read().split()


def none_left(b, fds):
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        if not children(b) and b.d.nr_fds() <= fds:
            return
        time.sleep(0.02)        # the pace of asking
    check(False, f"left behind: children {children(b)}, {b.d.nr_fds()} files, not {fds}")


@suite.case
def programs_that_hang_hold_up_nobody_else(b):
    """More logins than programs may run: all are answered, and every child is reaped."""
    t = b.d.target(disks=0, RedirectAddress="192.0.2.7")
    fds = b.d.nr_fds()
    t.update(RedirectCallback=program(b, "sleep 60 & sleep 60"))
    results = []
    threads = [threading.Thread(target=lambda: results.append(go(b, t))) for _ in range(12)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    other = b.d.target(disks=0)
    stays(b, other)                             # management and other targets go on
    for thread in threads:
        thread.join(SOON_S)
    took = time.monotonic() - began
    equal(results, [(TEMPORARILY, {"TargetAddress": "192.0.2.7:3260"})] * 12, "the outcomes")
    check(took > 2 * LIMIT_S, f"12 logins in {took:.3f} s: more than four programs at once")
    none_left(b, fds)


@suite.case
def target_goes_while_its_program_runs(b):
    """Its logins are turned away, not kept waiting, and not opened."""
    t = b.d.target(disks=0)
    mark = os.path.join(b.d.dir, "runs")
    t.update(RedirectCallback=program(b, f"echo x >>{mark}; sleep 60"))
    results = []
    thread = threading.Thread(target=lambda: results.append(go(b, t)))
    thread.start()
    deadline = time.monotonic() + SOON_S
    while not os.path.exists(mark) and time.monotonic() < deadline:
        time.sleep(0.002)       # the pace of asking
    b.d.adm("--mode", "target", "--op", "delete", "--tid", str(t.tid), "--force")
    thread.join(SOON_S)
    check(results and results[0][0] in (0, UNAVAILABLE), f"the outcome is {results}")


@suite.case
def initiator_goes_while_the_program_runs(b):
    t = b.d.target(disks=0, RedirectCallback=program(b, "sleep 60"))
    fds = b.d.nr_fds()
    with Conn(b.addr) as conn:
        Login(conn).request(OPERATIONAL, FULL, {**login_keys(t.name), **NORMAL_KEYS})
    none_left(b, fds)
    t.update(RedirectCallback="")
    stays(b, t)


@suite.case
def daemon_ends_while_the_program_runs(b):
    with Daemon() as d:
        t = d.target(disks=0)
        mark = os.path.join(d.dir, "runs")
        fd, path = tempfile.mkstemp(prefix="redirect-", dir=b.d.dir)
        with os.fdopen(fd, "w") as f:
            f.write(f"#!/bin/sh\necho $$ >{mark}.new; mv {mark}.new {mark}; sleep 60\n")
        os.chmod(path, 0o755)
        t.update(RedirectCallback=path)
        with Conn(d.addr) as conn:
            Login(conn).request(OPERATIONAL, FULL, {**login_keys(t.name), **NORMAL_KEYS})
            deadline = time.monotonic() + SOON_S
            while not os.path.exists(mark) and time.monotonic() < deadline:
                time.sleep(0.002)       # the pace of asking
            with open(mark) as f:
                pid = int(f.read())
            d.terminate()
            d.proc.wait(SOON_S)         # leaving the block judges how it ended
    deadline = time.monotonic() + SOON_S
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        with open(f"/proc/{pid}/stat") as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                return                  # dead; whoever adopted it may be slow to reap
        time.sleep(0.02)
    check(not os.path.exists(f"/proc/{pid}"), "the program outlives the daemon")


if __name__ == "__main__":
    sys.exit(suite.run())
