#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Asymmetric logical unit access, SPC-4 5.15.2: target port groups over two portals."""

import re
import struct
import sys

import scsi
from daemon import Daemon
from expect import condition, good
from harness import Suite, check, equal
from session import Session

suite = Suite(iscsi="portal=127.0.0.1:0,tpgt=1,portal=127.0.0.1:0,tpgt=2",
              args=("--reactors", "3"))

OPTIMIZED, NON_OPTIMIZED, STANDBY, UNAVAILABLE, OFFLINE, TRANSITION = 0, 1, 2, 3, 0xE, 0xF
NAMES = {OPTIMIZED: "active_optimized", NON_OPTIMIZED: "active_nonoptimized", STANDBY: "standby",
         UNAVAILABLE: "unavailable", OFFLINE: "offline", TRANSITION: "transitioning"}
SENSE = {STANDBY: 0x040B, UNAVAILABLE: 0x040C, OFFLINE: 0x0412, TRANSITION: 0x040A}
CHANGED, FAILED, INQUIRY_CHANGED = 0x2A06, 0x2A07, 0x3F03
SUPPORTED = 0xCF                # T, O, U, S, AN, AO
NONE, BY_INITIATOR, BY_TARGET = 0, 1, 2
LBA = 4096


def portal(b, tpgt):
    text = b.d.adm("--mode", "portal", "--op", "show").stdout
    addr, port = re.search(rf"Portal: ([\d.]+):(\d+),{tpgt}\n", text).groups()
    return addr, int(port)


def opened(b, t, tpgt, luns=(1,), **how):
    s = Session(portal(b, tpgt), t.name, **how)
    for lun in luns:
        s.clear_ua(lun)
    return s


def tpg(b, t, op, *args, check_it=True):
    return b.d.adm("--mode", "tpg", "--op", op, "--tid", str(t.tid), *map(str, args),
                   check=check_it)


def new(b, t, group, params):
    tpg(b, t, "new", "--tpg", group, "--params", params)


def update(b, t, group, params, lun=None):
    tpg(b, t, "update", "--tpg", group, "--params", params,
        *(("--lun", lun) if lun is not None else ()))


def refused(b, t, op, sentence, *args):
    r = tpg(b, t, op, *args, check_it=False)
    check(r.returncode != 0, f"{op} {args}: accepted")
    check(sentence in r.stderr, f"{op} {args}: says {r.stderr!r}")


def two_groups(b, first="", second="", disks=1):
    """A target whose two portal groups are two target port groups."""
    t = b.d.target(disks=disks)
    new(b, t, 1, "alua=both" + first)
    new(b, t, 2, "alua=both" + second)
    return t


def rtpg(alloc=4096, extended=0):
    return scsi.cdb(0xA3, 12, (1, 1, extended << 5 | 0x0A), (6, 4, alloc))


def parse_groups(raw):
    out, at = {}, 0
    while at < len(raw):
        flags, support, group, status, n = struct.unpack(">BBHxBxB", raw[at:at + 8])
        ports = [struct.unpack(">HH", raw[i:i + 4])[1] for i in range(at + 8, at + 8 + 4 * n, 4)]
        equal(support, SUPPORTED, "the supported states")
        out[group] = (flags & 0xF, bool(flags & 0x80), status, ports)
        at += 8 + 4 * n
    equal(at, len(raw), "the length of the descriptors")
    return out


def groups(s, lun=1):
    raw = bytes(good(s.scsi(rtpg(), read=4096, lun=lun)).datain)
    equal(struct.unpack(">I", raw[:4])[0], len(raw) - 4, "RETURN DATA LENGTH")
    return parse_groups(raw[4:])


def states(s, lun=1):
    return {g: v[0] for g, v in groups(s, lun).items()}


def stpg(s, *wishes, lun=1, raw=None):
    """SET TARGET PORT GROUPS, (group, state)..."""
    data = raw if raw is not None else bytes(4) + b"".join(
        struct.pack(">BxH", state, group) for group, state in wishes)
    return s.scsi(scsi.cdb(0xA4, 12, (1, 1, 0x0A), (6, 4, len(data))), out=data, lun=lun)


def attention(s, code, lun=1):
    condition(s.scsi(scsi.tur(), lun=lun), scsi.UNIT_ATTENTION, code)


def settle(*sessions, lun=1):
    """Hears of the change, and of nothing else."""
    for s in sessions:
        attention(s, CHANGED, lun)


def port_designators(s):
    """{type: value} of VPD 83 that belong to the target port."""
    raw = bytes(good(s.scsi(scsi.inquiry(1, 0x83, 1024), read=1024)).datain)
    out, at = {}, 4
    while at < len(raw):
        if raw[at + 1] & 0x30 == 0x10:
            out[raw[at + 1] & 0xF] = raw[at + 4:at + 4 + raw[at + 3]]
        at += 4 + raw[at + 3]
    return out


def tpgs(s, lun=1):
    return good(s.scsi(scsi.inquiry(), read=255, lun=lun)).datain[5] >> 4 & 3


# -- reporting ----------------------------------------------------------------

@suite.case
def without_groups_access_is_symmetric(b):
    with opened(b, b.target, 1) as s:
        equal(tpgs(s), 0, "TPGS")
        check(5 not in port_designators(s), "a port group is named")
        condition(s.scsi(rtpg(), read=4096), scsi.ILLEGAL_REQUEST, scsi.INVALID_OPCODE)
        t = s.scsi(scsi.cdb(0xA4, 12, (1, 1, 0x0A)))
        condition(t, scsi.ILLEGAL_REQUEST, scsi.INVALID_OPCODE)


@suite.case
def reported_over_each_path(b):
    t = b.d.target()
    new(b, t, 10, "port=1,alua=implicit,preferred=1,transition_time=7")
    new(b, t, 5, "port=2,port=77,alua=both,state=active_nonoptimized,transition_time=3")
    for path, group in ((1, 10), (2, 5)):
        with opened(b, t, path) as s:
            equal(groups(s), {5: (NON_OPTIMIZED, False, NONE, [2, 77]),
                              10: (OPTIMIZED, True, NONE, [1])}, "the groups")
            equal(tpgs(s), 3, "TPGS")
            equal(tpgs(s, 0), 0, "TPGS of the controller")
            equal(good(s.scsi(scsi.inquiry(), read=255)).datain[6], 0x10, "MULTIP")
            d = port_designators(s)
            equal(d[4], struct.pack(">I", path), "the relative target port identifier")
            equal(d[5], struct.pack(">I", group), "the target port group designator")
            check(d[8].startswith(f"{t.name},t,0x{path:04x}\0".encode()), f"port name {d[8]}")
            plain = bytes(good(s.scsi(rtpg(), read=4096)).datain)
            ext = bytes(good(s.scsi(rtpg(extended=1), read=4096)).datain)
            equal(ext[:8], struct.pack(">I", len(ext) - 4) + b"\x10\x07\0\0", "the header")
            equal(ext[8:], plain[4:], "the descriptors after the extended header")
            cut = s.scsi(rtpg(alloc=10), read=10)
            equal(bytes(good(cut).datain), plain[:10], "what ALLOCATION LENGTH leaves")
            ports = bytes(good(s.scsi(scsi.inquiry(1, 0x88, 1024), read=1024)).datain)[4:]
            listed = []
            while ports:
                listed.append(struct.unpack(">H", ports[2:4])[0])
                check(f"{t.name},t,0x{listed[-1]:04x}".encode() in ports, "no name of the port")
                ports = ports[12 + struct.unpack(">H", ports[10:12])[0]:]
            equal(listed, [path, 3 - path], "the ports of VPD 88")
            condition(s.scsi(rtpg(extended=2), read=4096), scsi.ILLEGAL_REQUEST,
                      scsi.INVALID_FIELD_IN_CDB, (True, 1))


@suite.case
def ports_in_no_group_are_group_0(b):
    """They are active/optimized whatever the others are."""
    t = b.d.target()
    new(b, t, 2, "state=standby")
    with opened(b, t, 1) as s:
        equal(groups(s), {0: (OPTIMIZED, False, NONE, [1]), 2: (STANDBY, False, NONE, [2])},
              "the groups")
        equal(port_designators(s)[5], bytes(4), "the target port group designator")
        s.read(0, 8)


@suite.case
def becoming_asymmetric_is_announced(b):
    t = b.d.target()
    with opened(b, t, 1) as s:
        for op in (lambda: new(b, t, 1, "alua=both"), lambda: update(b, t, 1, "alua=implicit"),
                   lambda: tpg(b, t, "delete", "--tpg", 1)):
            op()
            attention(s, INQUIRY_CHANGED)
            settle(s)
            good(s.scsi(scsi.tur()))
        equal(tpgs(s), 0, "TPGS")


# -- states -------------------------------------------------------------------

def commands(s):
    raw = bytes(good(s.scsi(scsi.report_opcodes(alloc=65536), read=65536)).datain)
    out = []
    for at in range(4, len(raw), 8):
        op, sa, flags, length = struct.unpack(">BxHxBH", raw[at:at + 8])
        out.append((op, sa if flags & 1 else None, length))
    return out


# SPC-4 r37 5.16.2.4.4, .5 and 5.16.2.5, by opcode and service action; those that the device has.
# READ CAPACITY and REPORT SUPPORTED ... are ours to add: hosts look at a standby path with them.
ALWAYS = {(0x12, None), (0xA0, None), (0x03, None), (0xA3, 0x0A), (0xA4, 0x0A)}
ECHO = {(0x3B, None), (0x3C, None), (0x9B, None)}                     # in their echo modes
IN_STANDBY = ALWAYS | ECHO | {(0x4C, None), (0x4D, None), (0x15, None), (0x55, None), (0x1A, None),
                              (0x5A, None), (0x1C, None), (0x1D, None),
                              (0x25, None), (0x9E, 0x10), (0xA3, 0x0C), (0xA3, 0x0D)}
RESERVATIONS = {0x5E, 0x5F}                             # PERSISTENT RESERVE IN, OUT: standby


def is_not_accessible(t, state):
    return (t.status == scsi.CHECK_CONDITION and t.sense.key == scsi.NOT_READY and
            t.sense.code == SENSE[state])


@suite.cases([(NAMES[s], s) for s in SENSE])
def commands_of_a_state(b, state):
    """Every command of the table, over the path in that state: refused with the state's sense
    code, or let through to its other checks, as the standard lists it."""
    t = two_groups(b)
    with opened(b, t, 1) as s, opened(b, t, 2) as good_path:
        every = commands(s)
        check(len(every) > 30, "few commands")
        update(b, t, 1, f"state={NAMES[state]}")
        settle(s, good_path)
        for op, sa, length in every:
            runs = (op, sa) in ALWAYS or state == STANDBY and (
                (op, sa) in IN_STANDBY or op in RESERVATIONS)
            cdb = bytearray(length)
            cdb[0] = op
            if sa is not None and op != 0x7F:
                cdb[1] = sa
            if (op, sa) in ECHO or op == 0x7F:      # have checks of their own
                continue
            r = s.scsi(bytes(cdb))
            check(is_not_accessible(r, state) != runs,
                  f"opcode {op:#x}/{sa}: {r}, allowed: {runs}")
        r = s.scsi(b"\xFE" + bytes(15))
        condition(r, scsi.ILLEGAL_REQUEST, scsi.INVALID_OPCODE)
        equal(states(s), {1: state, 2: OPTIMIZED}, "the states, by the path that is not active")
        # 5.16.2.4.5 would have 001b while unavailable, and hosts throw the path away: doc/alua.md.
        equal(good(s.scsi(scsi.inquiry(), read=255)).datain[0] >> 5, 0, "PERIPHERAL QUALIFIER")
        sense = scsi.parse_sense(bytes(good(s.scsi(scsi.request_sense(), read=252)).datain))
        equal((sense.key, sense.code), (scsi.NOT_READY, SENSE[state]), "REQUEST SENSE")
        good(s.scsi(scsi.report_luns(), read=4096, lun=0))
        good(good_path.scsi(scsi.tur()))
        good_path.read(0, 8)
        update(b, t, 1, "state=active_nonoptimized")
        settle(s, good_path)
        s.read(0, 8)


@suite.case
def status_code_tells_who_changed_it(b):
    t = two_groups(b)
    with opened(b, t, 1) as s:
        equal({g: v[2] for g, v in groups(s).items()}, {1: NONE, 2: NONE}, "at first")
        update(b, t, 2, "state=standby")
        settle(s)
        good(stpg(s, (1, NON_OPTIMIZED)))
        equal({g: v[2] for g, v in groups(s).items()}, {1: BY_INITIATOR, 2: BY_TARGET}, "then")


@suite.case
def change_is_told_to_every_nexus_once(b):
    """On all reactors, before tgtadm returns; nobody of another target."""
    t, other = two_groups(b, disks=2), two_groups(b)
    with opened(b, other, 1) as stranger:
        sessions = [opened(b, t, 1 + i % 2, (1, 2)) for i in range(8)]
        try:
            update(b, t, 1, "state=standby")
            update(b, t, 1, "state=unavailable")        # coalesced with the first
            for i, s in enumerate(sessions):
                for lun in (1, 2):
                    attention(s, CHANGED, lun)
                    r = s.scsi(scsi.tur(), lun=lun)
                    if i % 2:
                        good(r)
                    else:
                        condition(r, scsi.NOT_READY, SENSE[UNAVAILABLE])
            good(stranger.scsi(scsi.tur()))
            update(b, t, 1, "state=unavailable")        # no change, no news
            good(sessions[1].scsi(scsi.tur()))
            update(b, t, 1, "state=active_optimized,failed=1")
            attention(sessions[0], FAILED)
            good(sessions[0].scsi(scsi.tur()))
            update(b, t, 2, "preferred=1")
            settle(sessions[0])
        finally:
            for s in sessions:
                s.close()


@suite.case
def a_logical_unit_of_its_own(b):
    t = two_groups(b, disks=2)
    with opened(b, t, 1, (1, 2)) as s:
        update(b, t, 1, "state=standby", lun=2)
        attention(s, CHANGED, 2)
        condition(s.scsi(scsi.tur(), lun=2), scsi.NOT_READY, SENSE[STANDBY])
        good(s.scsi(scsi.tur()))
        equal((states(s, 1), states(s, 2)), ({1: OPTIMIZED, 2: OPTIMIZED},
                                             {1: STANDBY, 2: OPTIMIZED}), "the states")
        text = tpg(b, t, "show").stdout
        check("    LUN: 2\n        State: standby\n        Changed by: implicit\n" in text, text)
        # A LUN that goes takes its state along.
        b.d.adm("--mode", "lu", "--op", "delete", "--tid", str(t.tid), "--lun", "2", "--force")
        t.lun(2, b.d.disk(1))
        s.clear_ua(2)
        s.clear_ua(1)
        equal(states(s, 2), {1: OPTIMIZED, 2: OPTIMIZED}, "the states of a new LUN 2")
        # What is set for the group is set for all.
        update(b, t, 1, "state=standby", lun=2)
        update(b, t, 1, "state=active_nonoptimized")
        settle(s, lun=2)
        equal(states(s, 2), {1: NON_OPTIMIZED, 2: OPTIMIZED}, "the states of LUN 2")


# -- SET TARGET PORT GROUPS ---------------------------------------------------

@suite.case
def set_by_an_initiator(b):
    """The addressed logical unit changes; every nexus but the one that asked is told."""
    t = two_groups(b, second=",state=standby", disks=2)
    with opened(b, t, 1, (1, 2)) as one, Session(portal(b, 2), t.name) as two:
        two.scsi(scsi.tur())                            # power on
        condition(two.scsi(scsi.tur()), scsi.NOT_READY, SENSE[STANDBY])
        good(stpg(two, (1, STANDBY), (2, OPTIMIZED)))
        good(two.scsi(scsi.tur()))
        attention(one, CHANGED)
        condition(one.scsi(scsi.tur()), scsi.NOT_READY, SENSE[STANDBY])
        good(one.scsi(scsi.tur(), lun=2))
        equal(states(two, 1), {1: STANDBY, 2: OPTIMIZED}, "LUN 1")
        two.scsi(scsi.tur(), lun=2)                     # power on
        equal(states(two, 2), {1: OPTIMIZED, 2: STANDBY}, "LUN 2")
        good(stpg(two, (2, OPTIMIZED)))                 # as it is: no news
        good(two.scsi(scsi.tur()))
        for state in (NON_OPTIMIZED, STANDBY, UNAVAILABLE, OPTIMIZED):
            good(stpg(two, (2, state)))
            equal(states(two)[2], state, "the state")


@suite.case
def set_is_all_or_nothing(b):
    t = two_groups(b)
    new(b, t, 9, "port=500,alua=implicit,state=standby")

    def bad(at, *wishes):
        condition(stpg(s, *wishes), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_PARAMETERS,
                  (False, at))

    with opened(b, t, 1) as s, opened(b, t, 2) as other:
        bad(10, (1, STANDBY), (3, STANDBY))             # no such group
        bad(10, (1, STANDBY), (9, OPTIMIZED))           # of another daemon: not for us to change
        bad(6, (0, STANDBY))
        bad(10, (1, STANDBY), (1, OPTIMIZED))           # twice
        for state in (4, 5, 0xD, OFFLINE, TRANSITION):
            bad(8, (1, STANDBY), (2, state))
        good(stpg(s, raw=b""))
        good(stpg(s, raw=bytes(4)))
        for size in (1, 3, 5, 7, 9, 1028):
            condition(stpg(s, raw=bytes(size)), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB)
        equal(states(s), {1: OPTIMIZED, 2: OPTIMIZED, 9: STANDBY}, "the states")
        good(other.scsi(scsi.tur()))
        # The initiator sends less than the CDB says.
        r = s.scsi(scsi.cdb(0xA4, 12, (1, 1, 0x0A), (6, 4, 12)), out=bytes(8))
        condition(r, scsi.ILLEGAL_REQUEST, scsi.PARAMETER_LIST_LENGTH)
        # Under management's hands.
        update(b, t, 2, "state=transitioning")
        settle(s)
        condition(stpg(s, (1, STANDBY), (2, OPTIMIZED)), scsi.NOT_READY, SENSE[TRANSITION])
        equal(states(s)[1], OPTIMIZED, "the state")


@suite.case
def who_may_change(b):
    t = b.d.target()
    new(b, t, 1, "alua=implicit")
    with opened(b, t, 1) as s:
        equal(tpgs(s), 1, "TPGS")
        condition(stpg(s, (1, STANDBY)), scsi.ILLEGAL_REQUEST, scsi.INVALID_OPCODE)
        update(b, t, 1, "alua=explicit")
        s.clear_ua()
        equal(tpgs(s), 2, "TPGS")
        refused(b, t, "update", "alua=both", "--tpg", 1, "--params", "state=standby")
        good(stpg(s, (1, NON_OPTIMIZED)))


# -- paths --------------------------------------------------------------------

@suite.case
def failover(b):
    """Written by one path, read by the other, and back."""
    t = two_groups(b, second=",state=standby")
    with opened(b, t, 1) as one, Session(portal(b, 2), t.name) as two:
        two.scsi(scsi.tur())
        for turn in range(20):
            here, there, mine, theirs = (one, two, 1, 2) if turn % 2 == 0 else (two, one, 2, 1)
            data = bytes([turn]) * 8192
            here.write(LBA, data)
            update(b, t, mine, "state=standby")
            update(b, t, theirs, "state=active_optimized")
            settle(here, there)
            condition(here.scsi(scsi.write(LBA, 16), out=bytes(8192)), scsi.NOT_READY,
                      SENSE[STANDBY])
            equal(there.read(LBA, 16), data, "what the other path wrote")


@suite.case
def two_daemons_one_disk(b):
    """Both describe the same logical unit with the same groups, each by a port of its own."""
    with Daemon(iscsi="portal=127.0.0.1:0,tpgt=2") as second:
        told = []
        path = second.disk(1)
        for d, addr, mine in ((b.d, portal(b, 1), 1), (second, second.addr, 2)):
            t = d.target(disks=0, name=b.iqn + ".shared")
            t.lun(1, path, "--params", "scsi_id=SHARED,scsi_sn=SHARED1")
            for op in (("--tpg", "1"), ("--tpg", "2", "--params", "state=standby")):
                d.adm("--mode", "tpg", "--op", "new", "--tid", str(t.tid), *op)
            with Session(addr, t.name) as s:
                s.scsi(scsi.tur())
                equal(struct.unpack(">I", port_designators(s)[5])[0], mine, "the group")
                told.append((bytes(good(s.scsi(scsi.inquiry(1, 0x80), read=255)).datain),
                             groups(s)))
        equal(told[0], told[1], "what the daemons tell")
        equal(told[0][1], {1: (OPTIMIZED, False, NONE, [1]), 2: (STANDBY, False, NONE, [2])},
              "the groups")


@suite.case
def portal_groups_are_nexuses_of_their_own(b):
    """RFC 7143 4.4.3: the same ISID on two portal groups makes two sessions; on one of them a
    session takes the other's place."""
    t = two_groups(b)
    isid = bytes.fromhex("40000b0c0001")
    with opened(b, t, 1, isid=isid) as one, opened(b, t, 2, isid=isid) as two:
        good(one.scsi(scsi.tur()))
        good(two.scsi(scsi.tur()))
        with opened(b, t, 2, isid=isid) as three:
            good(three.scsi(scsi.tur()))
            good(one.scsi(scsi.tur()))
            two.expect_closed()


@suite.case
def discovery_tells_the_groups(b):
    with Session(b.addr) as s:
        pairs = s.text({"SendTargets": b.iqn})
        tags = sorted(v.rsplit(",", 1)[1] for k, v in pairs if k == "TargetAddress")
        equal(tags, ["1", "2"], "the portal group tags")


# -- management ---------------------------------------------------------------

@suite.case
def refusals_tell_why(b):
    t = two_groups(b)
    two = ("--tpg", 2, "--params")
    refused(b, t, "new", "exists already", *two, "port=7")
    refused(b, t, "new", "port 1 is in group 1 already", "--tpg", 3, "--params", "port=1")
    refused(b, t, "update", "port 1 is in group 1 already", *two, "port=1")
    refused(b, t, "update", "parameter 'state' must be one of", *two, "state=on")
    refused(b, t, "update", "no parameter", *two, "color=red")
    refused(b, t, "update", "'failed' goes with 'state'", *two, "failed=1")
    refused(b, t, "update", "no target port group 4", "--tpg", 4, "--params", "state=standby")
    refused(b, t, "update", "no logical unit 5", *two, "state=standby", "--lun", 5)
    refused(b, t, "update", "no parameter", *two, "preferred=1", "--lun", 1)
    refused(b, t, "delete", "no target port group 4", "--tpg", 4)
    refused(b, t, "new", "'tpg' option is necessary")
    update(b, t, 2, "port=2,port=9")
    text = tpg(b, t, "show").stdout
    equal(text, "".join(f"Target port group: {g}\n    State: active_optimized\n"
                        "    Changed by: none\n    Preferred: No\n    ALUA: both\n"
                        f"    Transition time: 0\n{p}" for g, p in
                        ((1, "    Port: 1\n"), (2, "    Port: 2\n    Port: 9\n"))), "show")
    for bad in ("portal=127.0.0.1:0,tpgt=0", "portal=127.0.0.1:0,tpgt=65536",
                "portal=127.0.0.1:0,tpgt=x"):
        r = b.d.adm("--mode", "portal", "--op", "new", "--params", bad, check=False)
        check(r.returncode != 0 and "tpgt" in r.stderr, f"{bad}: {r.stderr!r}")
    for n in range(3, 33):
        new(b, t, n, f"port={n + 100}")
    refused(b, t, "new", "one too many", "--tpg", 40)


if __name__ == "__main__":
    sys.exit(suite.run())
