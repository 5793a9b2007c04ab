#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""SendTargets, RFC 7143 13.3 and appendix C, and what a discovery session may do (4.3)."""

import socket
import sys

import pdu
import scsi
from daemon import IQN, Daemon
from expect import rejected_or_closed
from harness import Skip, Suite, among, check, equal
from iscsi import INITIATOR, Closed, LoginFailed
from pdu import Pdu
from session import Rejected, Session, healthy

suite = Suite()

OTHER = "iqn.2001-04.org.example:other"


def records(pairs):
    """[(name, [address, …])] of a SendTargets answer, in order."""
    out = []
    for key, value in pairs:
        if key == "TargetName":
            out.append((value, []))
        elif key == "TargetAddress" and out:
            out[-1][1].append(value)
        else:
            check(key == "TargetAlias" and out, f"{key}={value} in a SendTargets answer")
    return out


def ask(addr, value, target=None, initiator=INITIATOR, **keys):
    with Session(addr, target, keys, initiator=initiator) as s:
        return records(s.text({"SendTargets": value}))


def names(found):
    return [name for name, _ in found]


def parse_address(text):
    """13.8: domainname[:port][,portal-group-tag], IPv6 in brackets -> (host, port)."""
    where, comma, tag = text.rpartition(",")
    check(comma and tag.isdigit(), f"no portal group in {text}")
    host, _, port = where.rpartition(":")
    check(port.isdigit(), f"no port in {text}")
    return host.strip("[]"), int(port)


# -- who sees what ------------------------------------------------------------

@suite.case
def all_lists_what_the_acl_allows(b):
    seen = [b.d.target(disks=0, name=f"{IQN}seen.{n}").name for n in range(2)]
    mine = b.d.target(disks=0, name=IQN + "mine", acl=("-Q", INITIATOR)).name
    b.d.target(disks=0, name=IQN + "nobody", acl=None)
    b.d.target(disks=0, name=IQN + "of.other", acl=("-Q", OTHER))
    b.d.target(disks=0, name=IQN + "elsewhere", acl=("-I", "192.0.2.0/24"))
    found = ask(b.addr, "All")
    equal(sorted(names(found)), sorted([b.iqn, *seen, mine]), "the list")
    for name, addresses in found:
        check(addresses, f"{name} has no address")
        equal(len(set(addresses)), len(addresses), f"distinct addresses of {name}")
    among(IQN + "of.other", names(ask(b.addr, "All", initiator=OTHER)), "the list of the other")


@suite.case
def one_name(b):
    """A name lists that target only."""
    found = ask(b.addr, b.iqn)
    equal(names(found), [b.iqn], "the list")
    among(b.d.addr, [parse_address(a) for a in found[0][1]], "the portal we came by")


@suite.cases([("unknown", IQN + "unknown"), ("forbidden", IQN + "forbidden"),
              ("overlong", "iqn." + "x" * 250), ("case_of_all", "all")])
def name_without_target(b, name):
    """Nothing to tell; whether it exists is not told either."""
    if name.endswith("forbidden"):
        b.d.target(disks=0, name=name, acl=None)
    try:
        with Session(b.addr) as s:
            pairs = s.text({"SendTargets": name})
    except (Rejected, Closed):
        return
    check(not any(k == "TargetName" for k, _ in pairs), f"an answer: {pairs}")


@suite.case
def empty_in_discovery(b):
    """Empty means "the target of this session": a discovery session has none."""
    b.d.target(disks=0, name=IQN + "hidden", acl=None)
    try:
        with Session(b.addr) as s:
            pairs = s.text({"SendTargets": ""})
    except (Rejected, Closed):
        return
    check((("TargetName", IQN + "hidden")) not in pairs, "a hidden target is shown")


@suite.cases([("empty", ""), ("own_name", None)])
def own_target_in_normal_session(b, value):
    """Appendix C: must work in a normal session and names its own target only."""
    b.d.target(disks=0)
    found = ask(b.addr, b.iqn if value is None else value, target=b.iqn)
    equal(names(found), [b.iqn], "the list")
    check(found[0][1], "no address")


@suite.cases([("all", "All"), ("other_name", None)])
def others_in_normal_session(b, value):
    """Appendix C: All "MUST NOT be supported" in a normal session, nor may others be named."""
    other = b.d.target(disks=0)
    with Session(b.addr, b.iqn) as s:
        try:
            pairs = s.text({"SendTargets": value or other.name})
        except (Rejected, Closed):
            return
        check(not [v for k, v in pairs if k == "TargetName" and v != b.iqn], f"answered {pairs}")
        if value:
            equal(dict(pairs).get("SendTargets"), "Reject", "the answer to All")


@suite.case
def appears_and_vanishes(b):
    """What tgtadm does is seen by the next question of the same session."""
    with Session(b.addr) as s:
        t = b.d.target(disks=0)
        among(t.name, names(records(s.text({"SendTargets": "All"}))), "the list")
        b.d.adm("--mode", "target", "--op", "delete", "--tid", str(t.tid))
        check(t.name not in names(records(s.text({"SendTargets": "All"}))), "a deleted target")


# -- portals ------------------------------------------------------------------

def _check_portals(d, addr):
    """Every address that is told works, and ours is among them."""
    t = d.target(mb=1)
    found = dict(ask(addr, "All"))
    addresses = [parse_address(a) for a in found[t.name]]
    among(addr, addresses, "the portal we came by")
    for a in addresses:
        check(a[0] not in ("0.0.0.0", "::", "*", ""), f"a wildcard is no address: {a}")
        healthy(a, t.name)
    return addresses


@suite.case
def several_portals(b):
    with Daemon("portal=127.0.0.1:0,portal=127.0.0.2:0") as d:
        equal(len(d.portals), 2, "portals")
        for addr in d.portals:
            equal(sorted(_check_portals(d, addr)), sorted(d.portals), "the addresses")


@suite.case
def wildcard_portal(b):
    """A portal on all addresses is told as the address that the initiator uses."""
    with Daemon("portal=0.0.0.0:0") as d:
        _check_portals(d, ("127.0.0.1", d.portals[0][1]))


@suite.case
def ipv6_portal(b):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as e:
        raise Skip(f"no IPv6 here: {e}") from e
    with Daemon("portal=[::1]:0,portal=127.0.0.1:0") as d:
        for addr in d.portals:
            _check_portals(d, addr)


# -- long answers -------------------------------------------------------------

MANY = 200


def _many(b):
    b.many = getattr(b, "many", [])
    while len(b.many) < MANY:
        b.many.append(b.d.target(disks=0, name=f"{IQN}many.{b.d.tids:03}.{'x' * 60}"))


def _all_there(b, found):
    missing = {t.name for t in b.many} - set(names(found))
    check(not missing, f"{len(missing)} of {MANY} targets are missing")


@suite.cases([("512", 512), ("1024", 1024), ("8192", 8192), ("262144", 262144)])
def long_answer(b, size):
    """11.11: an answer longer than our MaxRecvDataSegmentLength comes in pieces (C bit)."""
    _many(b)
    with Session(b.addr, None, {"MaxRecvDataSegmentLength": str(size)}) as s:
        s.log = []
        found = records(s.text({"SendTargets": "All"}))
        for p in s.log:
            check(len(p.data) <= size, f"13.12: {len(p.data)} bytes, we declared {size}")
    _all_there(b, found)
    equal(len(set(names(found))), len(found), "distinct names")
    check(all(a for _, a in found), "a target without address")


def _begin_long(s):
    rsp = s.request(Pdu(pdu.TEXT_REQ, data=pdu.text({"SendTargets": "All"}), flags=pdu.FINAL,
                        ttt=pdu.NO_TAG))
    check(not rsp.final and rsp.ttt != pdu.NO_TAG, f"not in pieces: {rsp}")
    return rsp


@suite.case
def long_answer_abandoned(b):
    """A new Text Request with the reserved TTT begins anew (11.10.4)."""
    _many(b)
    with Session(b.addr, None, {"MaxRecvDataSegmentLength": "512"}) as s:
        for _ in range(5):
            _begin_long(s)
        _all_there(b, records(s.text({"SendTargets": "All"})))
        _begin_long(s)
        s.logout()


@suite.case
def long_answer_wrong_tag(b):
    """A tag that we never got: a Reject, or the end."""
    _many(b)
    with Session(b.addr, None, {"MaxRecvDataSegmentLength": "512"}) as s:
        rsp = _begin_long(s)
        p = Pdu(pdu.TEXT_REQ, flags=pdu.FINAL, ttt=rsp.ttt ^ 0x5A5A, itt=rsp.itt, lun=rsp.lun)
        rejected_or_closed(lambda: s.request(p), (0x04, 0x09))


@suite.case
def target_deleted_between_pieces(b):
    _many(b)
    with Session(b.addr, None, {"MaxRecvDataSegmentLength": "512"}) as s:
        rsp = _begin_long(s)
        b.d.adm("--mode", "target", "--op", "delete", "--tid", str(b.many.pop().tid))
        data = rsp.data
        while not rsp.final:
            rsp = s.request(Pdu(pdu.TEXT_REQ, flags=pdu.FINAL, ttt=rsp.ttt, itt=rsp.itt,
                                lun=rsp.lun))
            data += rsp.data
        records(pdu.parse_text(data))


# -- a discovery session does nothing else ------------------------------------

@suite.case
def scsi_command_in_discovery(b):
    with Session(b.addr) as s:
        rejected_or_closed(lambda: s.scsi(scsi.tur(), lun=0), (0x04, 0x05, 0x09))


@suite.case
def task_management_in_discovery(b):
    with Session(b.addr) as s:
        rejected_or_closed(lambda: s.tmf(6, lun=0), (0x04, 0x05, 0x09))


@suite.case
def ping_in_discovery(b):
    """4.3 says reject; open-iscsi's discovery daemon relies on the echo: both are accepted."""
    with Session(b.addr) as s:
        try:
            equal(s.nop(b"echo").data, b"echo", "the echo")
        except Rejected as e:
            among(e.reason, (0x04, 0x05, 0x09), "the reason")


@suite.case
def other_keys_in_discovery(b):
    with Session(b.addr) as s:
        try:
            equal(dict(s.text({"X-org.example.a": "1"})), {"X-org.example.a": "NotUnderstood"},
                  "the answer")
        except Rejected as e:
            among(e.reason, (0x04, 0x05, 0x09), "the reason")


@suite.case
def logout_of_discovery(b):
    with Session(b.addr) as s:
        equal(s.logout(0).response, 0, "the logout response")
        equal(s.expect_closed(), [], "what follows")


@suite.case
def logout_of_connection_in_discovery(b):
    """4.3: "only the reason 'close the session'"; with one connection, both end it."""
    with Session(b.addr) as s:
        try:
            among(s.logout(1).response, (0, 2, 3), "the response")
        except (Rejected, Closed):
            pass


@suite.case
def discovery_is_no_way_in(b):
    """A discovery session cannot be joined or turned into a normal one."""
    with Session(b.addr) as s:
        try:
            Session(b.addr, b.iqn, isid=s.isid, tsih=s.tsih, cid=1).close()
            check(False, "a normal connection joined a discovery session")
        except (LoginFailed, Closed):
            pass


if __name__ == "__main__":
    sys.exit(suite.run())
