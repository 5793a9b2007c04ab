#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Persistent reservations as a cluster uses them, SPC-4 5.12, 6.15, 6.16: nodes on several
reactors, and each is told what concerns it, and nothing else."""

import json
import re
import sys

import pr
import scsi
from expect import condition, good
from harness import Suite, check, equal
from pr import Node
from session import Session

suite = Suite(args=("--reactors", "2"))

RELEASED, PREEMPTED, UNREGISTERED = (pr.RESERVATIONS_RELEASED, pr.RESERVATIONS_PREEMPTED,
                                     pr.REGISTRATIONS_PREEMPTED)
SHARED = (pr.WE_RO, pr.EA_RO, pr.WE_AR, pr.EA_AR)
ALL_HOLD = (pr.WE_AR, pr.EA_AR)
EACH_TYPE = [(name, kind) for name, kind in pr.TYPES.items()]


def conflict(t):
    equal(t.status, scsi.RESERVATION_CONFLICT, f"the status ({t})")


def bad_parameter(t, byte, bit=None):
    condition(t, scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_PARAMETERS, (False, byte, bit)
              if bit is not None else (False, byte))


class Cluster:
    """Nodes 1 to 4 of a new target; 1 to 3 are registered, 4 is not."""

    def __init__(self, b):
        self.b, self.target = b, b.d.target(mb=1)
        self.nodes = [Node(b, n, target=self.target.name) for n in (1, 2, 3, 4)]
        self.one, self.two, self.three, self.four = self.nodes

    def __enter__(self):
        for n in self.nodes[:3]:
            n.register()
        return self.nodes

    def __exit__(self, *exc):
        for n in self.nodes:
            n.close()


def told(nodes, *codes):
    """Each node's pending unit attention is the one of @codes, or there is none."""
    equal([n.attentions() for n in nodes], [[c] if c else [] for c in codes],
          "the unit attentions")


# -- registering ----------------------------------------------------------------

@suite.case
def nothing_at_first(b):
    with Node(b, 1, target=b.d.target(mb=1).name) as s:
        equal(s.keys(), (0, []), "generation and keys")
        equal(s.held(), None, "the reservation")
        equal(s.full(), [], "the full status")


@suite.case
def keys_and_generation(b):
    """5.12.7 table 54; the generation counts what succeeds and changes registrations."""
    with Node(b, 1, target=b.d.target(mb=1).name) as s:
        conflict(s.out(pr.REGISTER, key=5, new=1))      # not registered: its key is 0
        good(s.out(pr.REGISTER, key=0, new=0))          # nothing to do
        equal(s.keys(), (0, []), "generation and keys")
        good(s.out(pr.REGISTER, key=0, new=1))
        equal(s.keys(), (1, [1]), "generation and keys")
        conflict(s.out(pr.REGISTER, key=0, new=2))
        conflict(s.out(pr.REGISTER, key=2, new=2))
        good(s.out(pr.REGISTER, key=1, new=2))
        good(s.out(pr.REGISTER_IGNORE, key=77, new=3))
        equal(s.keys(), (3, [3]), "generation and keys")
        good(s.out(pr.RESERVE, pr.WE, key=3))
        good(s.out(pr.RELEASE, pr.WE, key=3))
        equal(s.keys(), (3, [3]), "generation and keys")
        good(s.out(pr.REGISTER, key=3, new=0))
        equal(s.keys(), (4, []), "generation and keys")
        good(s.out(pr.REGISTER_IGNORE, key=0, new=0))
        equal(s.keys(), (4, []), "generation and keys")


@suite.case
def two_nodes_may_have_one_key(b):
    with Node(b, 1, 0xAA, b.iqn) as one, Node(b, 2, 0xAA, b.iqn) as two:
        one.register()
        two.register()
        equal(one.keys()[1], [0xAA, 0xAA], "the keys")
        good(one.out(pr.CLEAR))
        equal(two.attentions(), [PREEMPTED], "what the other is told")


@suite.case
def names_and_ports(b):
    """READ FULL STATUS names each initiator port, 7.6.4.6."""
    with Cluster(b) as (one, two, three, four):
        two.reserve(pr.WE_RO)
        equal(four.full(), [pr.Full(n.key, int(n is two), pr.WE_RO if n is two else None, 1,
                                    pr.port_name(n)) for n in (one, two, three)], "the status")
        good(two.out(pr.RELEASE, pr.WE_RO))
        three.attentions()
        three.reserve(pr.EA_AR)
        equal([(f.holder, f.type) for f in four.full()], [(1, pr.EA_AR)] * 3, "the holders")
        equal(four.held(), (0, pr.EA_AR), "the reservation")


@suite.case
def a_session_ends_and_comes_back(b):
    """A registration is the nexus': its names, not its session."""
    iqn = b.d.target(mb=1).name
    with Node(b, 2, target=iqn) as other:
        with Node(b, 1, target=iqn) as s:
            s.register().reserve(pr.EA)
        conflict(other.scsi(scsi.read(0, 1), read=512))
        with Node(b, 1, target=iqn) as s:               # the same ISID
            equal(s.attentions(), [], "what it is told")
            s.read(0, 1)
            good(s.out(pr.RELEASE, pr.EA))
            good(s.out(pr.REGISTER, new=0))
        with Node(b, 3, target=iqn) as s:
            equal(s.keys()[1], [], "the keys")


@suite.case
def another_port_of_the_same_initiator(b):
    """Another ISID is another initiator port: it is not registered."""
    iqn = b.d.target(mb=1).name
    with Node(b, 1, target=iqn) as s:
        s.register().reserve(pr.WE_RO)
        with Session(b.addr, iqn, initiator=s.name, isid=bytes([0x80, 0, 0, 0, 0, 9])) as t:
            t.clear_ua()
            conflict(t.scsi(scsi.write(0, 1), out=bytes(512)))


# -- reserving, releasing ---------------------------------------------------------

@suite.cases(EACH_TYPE)
def reserve(b, kind):
    """5.12.10"""
    with Cluster(b) as (one, two, three, four):
        one.reserve(kind)
        equal(four.held(), (0 if kind in ALL_HOLD else one.key, kind), "the reservation")
        good(one.out(pr.RESERVE, kind))                     # once more
        for other in pr.TYPES.values():
            if other != kind:
                conflict(one.out(pr.RESERVE, other))
        t = two.out(pr.RESERVE, kind)
        equal(t.status, scsi.GOOD if kind in ALL_HOLD else scsi.RESERVATION_CONFLICT,
              "RESERVE by another registrant")
        conflict(four.out(pr.RESERVE, kind, key=0))
        conflict(four.out(pr.RESERVE, kind, key=one.key))
        conflict(one.out(pr.RESERVE, kind, key=9))
        told((one, two, three, four), None, None, None, None)


@suite.cases(EACH_TYPE)
def release(b, kind):
    """5.12.11.2.2"""
    with Cluster(b) as (one, two, three, four):
        good(one.out(pr.RELEASE, kind))                     # of nothing
        one.reserve(kind)
        conflict(one.out(pr.RELEASE, kind, key=9))
        conflict(four.out(pr.RELEASE, kind, key=0))
        for other in (0, 2, 4, 9, *pr.TYPES.values()):
            if other != kind:
                condition(one.out(pr.RELEASE, other), scsi.ILLEGAL_REQUEST, pr.INVALID_RELEASE)
        condition(one.out(pr.RELEASE, kind, scope=1), scsi.ILLEGAL_REQUEST, pr.INVALID_RELEASE)
        if kind not in ALL_HOLD:
            good(two.out(pr.RELEASE, kind))                 # not its own: nothing happens
            equal(four.held(), (one.key, kind), "the reservation")
        good(one.out(pr.RELEASE, kind))
        equal(four.held(), None, "the reservation")
        told((one, two, three, four), None, *[RELEASED if kind in SHARED else None] * 2, None)


@suite.cases(EACH_TYPE)
def holder_unregisters(b, kind):
    """5.12.11.2.3"""
    with Cluster(b) as (one, two, three, four):
        one.reserve(kind)
        good(one.out(pr.REGISTER, new=0))
        if kind in ALL_HOLD:                                # the others hold it
            equal(four.held(), (0, kind), "the reservation")
            told((two, three), None, None)
            good(two.out(pr.REGISTER, new=0))
            good(three.out(pr.REGISTER, new=0))
        else:
            told((two, three), *[RELEASED if kind in SHARED else None] * 2)
        equal(four.held(), None, "the reservation")
        told((one, four), None, None)


@suite.cases([(f"{t:x}", t) for t in (0, 2, 4, 9, 0xF)])
def types_that_do_not_exist(b, kind):
    with Cluster(b) as (one, *_):
        condition(one.out(pr.RESERVE, kind), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB,
                  (True, 2))
        condition(one.out(pr.RESERVE, pr.WE, scope=2), scsi.ILLEGAL_REQUEST,
                  scsi.INVALID_FIELD_IN_CDB, (True, 2))


@suite.cases(EACH_TYPE)
def clear(b, kind):
    """5.12.11.2.8"""
    with Cluster(b) as (one, two, three, four):
        one.reserve(kind)
        conflict(four.out(pr.CLEAR, key=one.key))
        good(two.out(pr.CLEAR))                             # any registrant may
        equal(four.held(), None, "the reservation")
        equal(four.keys(), (4, []), "generation and keys")
        told((one, two, three, four), PREEMPTED, None, PREEMPTED, None)


# -- preempting -----------------------------------------------------------------

BOTH = [(f"{name}/{word}", kind, action) for name, kind in pr.TYPES.items()
        for word, action in (("preempt", pr.PREEMPT), ("and_abort", pr.PREEMPT_ABORT))]


@suite.cases(BOTH)
def preempt_a_registrant(b, kind, action):
    """5.12.11.2.4: the reservation stays."""
    with Cluster(b) as (one, two, three, four):
        one.reserve(kind)
        conflict(four.out(action, kind, key=0, new=one.key))
        conflict(two.out(action, kind, new=0x9999))         # nobody's key
        good(two.out(action, 0xF, new=three.key))           # TYPE does not count
        equal(four.keys(), (4, [one.key, two.key]), "generation and keys")
        equal(four.held(), (0 if kind in ALL_HOLD else one.key, kind), "the reservation")
        told((one, two, three, four), None, None, UNREGISTERED, None)
        conflict(three.out(pr.CLEAR))


@suite.cases(BOTH)
def preempt_the_holder(b, kind, action):
    """5.12.11.2.5: for all registrants by key 0."""
    with Cluster(b) as (one, two, three, four):
        one.reserve(kind)
        target = 0 if kind in ALL_HOLD else one.key
        if kind not in ALL_HOLD:
            bad_parameter(two.out(action, kind, new=0), 8)
        condition(two.out(action, 4, new=target), scsi.ILLEGAL_REQUEST,
                  scsi.INVALID_FIELD_IN_CDB, (True, 2))
        good(two.out(action, pr.WE, new=target))
        equal(four.held(), (two.key, pr.WE), "the reservation")
        if kind in ALL_HOLD:
            equal(four.keys()[1], [two.key], "the keys")
            told((one, two, three, four), UNREGISTERED, None, UNREGISTERED, None)
        else:
            equal(four.keys()[1], [two.key, three.key], "the keys")
            told((one, two, three, four), UNREGISTERED, None,
                 RELEASED if kind != pr.WE else None, None)
        conflict(one.scsi(scsi.write(0, 1), out=bytes(512)))
        two.write(0, bytes(512))


@suite.case
def preempt_without_reservation(b):
    with Cluster(b) as (one, two, three, four):
        good(one.out(pr.PREEMPT, new=two.key))
        bad_parameter(one.out(pr.PREEMPT, pr.WE, new=0), 8)
        equal(four.keys()[1], [one.key, three.key], "the keys")
        told((one, two, three), None, UNREGISTERED, None)
        good(one.out(pr.PREEMPT, new=one.key))              # itself
        equal(four.keys()[1], [three.key], "the keys")
        told((one, three), None, None)


@suite.case
def preempt_oneself(b):
    """5.12.11.2.5: the holder preempts its own key to change the type."""
    with Cluster(b) as (one, two, three, four):
        one.reserve(pr.WE)
        good(one.out(pr.PREEMPT, pr.EA_RO, new=one.key))
        equal(four.held(), (one.key, pr.EA_RO), "the reservation")
        equal(len(four.keys()[1]), 3, "registrations")
        told((one, two, three), None, RELEASED, RELEASED)


# -- moving, others, flags ----------------------------------------------------------

@suite.cases([("stay", 0), ("unreg", 1)])
def move(b, unreg):
    """5.12.8"""
    with Cluster(b) as (one, two, three, four):
        name = pr.port_name(four)
        plain = pr.move_list(one.key, 0x77, name, unreg=unreg)

        def moved(raw=plain, who=one):
            return who.out(pr.MOVE, raw=raw)
        condition(moved(), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB, (True, 1))
        one.reserve(pr.WE)
        condition(moved(pr.move_list(two.key, 0x77, name), two), scsi.ILLEGAL_REQUEST,
                  scsi.INVALID_FIELD_IN_CDB, (True, 1))
        conflict(moved(pr.move_list(9, 0x77, name)))
        bad_parameter(moved(pr.move_list(one.key, 0, name)), 8)
        bad_parameter(moved(pr.move_list(one.key, 7, pr.port_name(one))), 24)
        bad_parameter(moved(pr.move_list(one.key, 7, name, port=99)), 18)
        bad_parameter(moved(pr.move_list(one.key, 7, four.name, form=0)), 24)
        condition(moved(plain[:-4]), scsi.ILLEGAL_REQUEST, scsi.PARAMETER_LIST_LENGTH)
        generation = four.keys()[0]
        good(moved(pr.move_list(one.key, 0x77, name.upper().replace("IQN", "iqn"), unreg=unreg)))
        equal(four.held(), (0x77, pr.WE), "the reservation")
        equal(four.keys()[0], generation + 1, "the generation")
        equal(sorted(four.keys()[1]), sorted([0x77, two.key, three.key] +
                                             ([] if unreg else [one.key])), "the keys")
        four.write(0, bytes(512))
        conflict(one.scsi(scsi.write(0, 1), out=bytes(512)))
        told((one, two, three, four), None, None, None, None)
        four.key = 0x77
        good(four.out(pr.RELEASE, pr.WE))
        three.reserve(pr.WE_AR)
        conflict(three.out(pr.MOVE, raw=pr.move_list(three.key, 9, name)))


@suite.case
def specified_initiator_ports(b):
    """SPEC_I_PT: others are registered, whether they are there or not; all or none."""
    iqn = b.d.target(mb=1).name
    with Node(b, 1, target=iqn) as one, Node(b, 2, target=iqn) as two:
        absent = "iqn.2001-04.org.example:absent,i,0x00023D000001"
        ids = pr.id_list(pr.transport_id(pr.port_name(two)), pr.transport_id(absent))

        def spec(more, action=pr.REGISTER):
            return one.out(action, key=0, new=5, flags=pr.SPEC_I_PT, more=more)
        for wrong in (pr.transport_id("iqn.x", 0), pr.transport_id("no isid"), bytes(24),
                      pr.transport_id(absent)[:4] + b"x" * 48):
            bad_parameter(spec(pr.id_list(pr.transport_id(absent), wrong)),
                          28 + len(pr.transport_id(absent)))
        condition(spec(ids[:-1]), scsi.ILLEGAL_REQUEST, scsi.PARAMETER_LIST_LENGTH)
        condition(spec(b""), scsi.ILLEGAL_REQUEST, scsi.PARAMETER_LIST_LENGTH)
        bad_parameter(spec(ids, pr.REGISTER_IGNORE), 20, 3)
        equal(one.keys(), (0, []), "generation and keys")
        good(spec(ids))
        equal([f.name for f in one.full()], [pr.port_name(one), pr.port_name(two), absent],
              "who is registered")
        equal(one.keys(), (1, [5, 5, 5]), "generation and keys")
        two.key = 5
        two.reserve(pr.EA)
        bad_parameter(one.out(pr.REGISTER, key=5, new=6, flags=pr.SPEC_I_PT, more=ids), 20, 3)
        with Node(b, 3, target=iqn) as three:
            name3 = pr.transport_id(pr.port_name(two))
            good(three.out(pr.REGISTER, key=0, new=8, flags=pr.SPEC_I_PT, more=pr.id_list(name3)))
            equal(sorted(one.keys()[1]), [5, 5, 5, 8], "the keys: who had one keeps it")


class Port:
    """The daemon as it is seen through another of its ports."""

    def __init__(self, b, addr):
        self.d, self.addr, self.iqn = b.d, addr, b.iqn


@suite.case
def all_target_ports(b):
    """ALL_TG_PT: as if it were asked for through each port; a registration is of one."""
    b.d.adm("--mode", "portal", "--op", "new", "--params", "portal=127.0.0.1:0,tpgt=7")
    shown = b.d.adm("--mode", "portal", "--op", "show").stdout
    port = int(re.search(r"Portal: 127.0.0.1:(\d+),7", shown)[1])
    iqn = b.d.target(mb=1).name
    with Node(b, 1, target=iqn) as s, Node(Port(b, ("127.0.0.1", port)), 1, target=iqn) as t:
        def ports():
            return [(f.port, f.key) for f in s.full()]
        equal(s.name, t.name, "the initiator")
        good(s.out(pr.REGISTER, key=0, new=5))
        equal(ports(), [(1, 5)], "the registrations")
        conflict(t.out(pr.REGISTER, key=5, new=6))
        good(s.out(pr.REGISTER, key=5, new=5, flags=pr.ALL_TG_PT))
        equal(ports(), [(1, 5), (7, 5)], "the registrations")
        good(t.out(pr.REGISTER, key=5, new=6))
        conflict(s.out(pr.REGISTER, key=5, new=8, flags=pr.ALL_TG_PT))
        equal(ports(), [(1, 5), (7, 6)], "the registrations")
        good(s.out(pr.REGISTER_IGNORE, new=8, flags=pr.ALL_TG_PT))
        good(t.out(pr.RESERVE, pr.EA, key=8))
        conflict(s.scsi(scsi.read(0, 1), read=512))
        bad_parameter(t.out(pr.MOVE, raw=pr.move_list(8, 9, pr.port_name(s), port=2)), 18)
        good(t.out(pr.MOVE, raw=pr.move_list(8, 9, pr.port_name(s), port=1, unreg=1)))
        equal(ports(), [(1, 9)], "the registrations")
        s.read(0, 1)
        good(s.out(pr.REGISTER, key=9, new=0, flags=pr.ALL_TG_PT))
        equal(ports(), [], "the registrations")
    b.d.adm("--mode", "portal", "--op", "delete", "--params", f"portal=127.0.0.1:{port}")


@suite.case
def too_many_registrations(b):
    """Bounded, and refused as a whole: INSUFFICIENT REGISTRATION RESOURCES."""
    with Node(b, 1, target=b.d.target(mb=1).name) as s:
        def ids(first, n):
            return pr.id_list(*[pr.transport_id(f"iqn.2001-04.x:{first + i},i,0x000000000001")
                                for i in range(n)])
        good(s.out(pr.REGISTER, key=0, new=7, flags=pr.SPEC_I_PT, more=ids(0, 1023)))
        equal(len(s.pr(pr.READ_KEYS, 65535)), 8 + 8 * 1024, "bytes of 1024 keys")
        good(s.out(pr.CLEAR, key=7))
        condition(s.out(pr.REGISTER, key=0, new=7, flags=pr.SPEC_I_PT, more=ids(0, 1024)),
                  scsi.ILLEGAL_REQUEST, 0x5504)
        equal(s.keys()[1], [], "the keys")


@suite.case
def parameter_list_lengths(b):
    with Node(b, 1, target=b.d.target(mb=1).name) as s:
        for size in (0, 1, 8, 23, 25, 32):
            condition(s.out(pr.REGISTER, raw=pr.basic_list(0, 5).ljust(size, b"\0")[:size])
                      if size else s.scsi(pr.pr_out_cdb(pr.REGISTER, size=0)),
                      scsi.ILLEGAL_REQUEST, scsi.PARAMETER_LIST_LENGTH)
        # The CDB says 24, the initiator sends less.
        t = s.scsi(pr.pr_out_cdb(pr.REGISTER), out=pr.basic_list(0, 5)[:16])
        equal(t.status, scsi.CHECK_CONDITION, "the status")
        equal(s.keys()[1], [], "the keys")


@suite.case
def service_actions_that_do_not_exist(b):
    """REPLACE LOST RESERVATION is not there where no reservation can get lost (6.16.2)."""
    with Node(b, 1, target=b.iqn) as s:
        for action in range(8, 32):
            condition(s.out(action), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB, (True, 1))
        for action in range(4, 32):
            condition(s.scsi(pr.pr_in(action), read=4096), scsi.ILLEGAL_REQUEST,
                      scsi.INVALID_FIELD_IN_CDB, (True, 1))


@suite.case
def capabilities(b):
    with Node(b, 1, target=b.d.target(mb=1).name) as s:
        raw = s.pr(pr.REPORT_CAPABILITIES)
        equal(raw, bytes([0, 8, 0x1D, 0xC0, 0xEA, 0x01, 0, 0]), "the capabilities")
        s.register(pr.APTPL)
        equal(s.pr(pr.REPORT_CAPABILITIES)[3], 0xC1, "TMV, ALLOW COMMANDS 100b and PTPL_A")
        s.register()
        equal(s.pr(pr.REPORT_CAPABILITIES)[3], 0xC0, "TMV, ALLOW COMMANDS and no PTPL_A")


@suite.case
def truncation(b):
    """ALLOCATION LENGTH cuts the data and changes nothing in it."""
    with Cluster(b) as (one, *_):
        one.reserve(pr.WE)
        for action in range(4):
            whole = one.pr(action, 65535)
            for n in (0, 1, 4, 7, 8, 12, 16, 23, len(whole) - 1, len(whole), len(whole) + 1):
                equal(one.pr(action, n), whole[:n], f"{n} bytes of service action {action}")


# -- with others -------------------------------------------------------------------

@suite.case
def compatible_reservations(b):
    """RESERVE and RELEASE with CRH=1, 5.12.3: GOOD for who may, and without effect."""
    with Cluster(b) as (one, two, _three, four):
        for kind in pr.TYPES.values():
            one.reserve(kind)
            for cdb in (scsi.reserve6(), scsi.release6(), scsi.reserve10(), scsi.release10()):
                good(one.scsi(cdb))
                t = two.scsi(cdb)
                equal(t.status, scsi.GOOD if kind in SHARED else scsi.RESERVATION_CONFLICT,
                      "the status of a registrant")
                conflict(four.scsi(cdb))
            equal(four.held(), (0 if kind in ALL_HOLD else one.key, kind), "the reservation")
            good(one.out(pr.RELEASE, kind))
            two.attentions()


@suite.case
def resets_and_persistent_reservations(b):
    """A reset does not touch them, 5.12.1."""
    with Cluster(b) as (one, two, three, four):
        one.reserve(pr.EA)
        equal(two.tmf(5).response, 0, "LOGICAL UNIT RESET")
        for n in (one, two, three, four):
            n.clear_ua()
        equal(four.held(), (one.key, pr.EA), "the reservation")
        equal(len(four.keys()[1]), 3, "registrations")


@suite.case
def one_disk_in_two_targets(b):
    """Where scsi_id makes two targets' units one disk, they have one reservation."""
    t, u = b.d.target(mb=1), b.d.target(mb=1)
    for x in t, u:
        x.lun_params(1, "scsi_id=shared-disk")
    with Node(b, 1, target=t.name) as one, Node(b, 2, target=u.name) as two:
        one.register().reserve(pr.WE_RO)
        conflict(two.scsi(scsi.write(0, 1), out=bytes(512)))
        two.register()
        two.write(0, bytes(512))
        good(one.out(pr.PREEMPT_ABORT, pr.WE_RO, new=two.key))
        equal(two.attentions(), [UNREGISTERED], "what the other is told")
        conflict(two.scsi(scsi.write(0, 1), out=bytes(512)))
        u.lun_params(1, "scsi_id=another-disk")
        two.attentions()
        equal(two.keys(), (0, []), "what another disk has")
        two.write(0, bytes(512))
        conflict(two.out(pr.PREEMPT, pr.WE_RO, key=0, new=one.key))


def lun_json(b, tid):
    targets = json.loads(b.d.adm("--mode", "target", "--op", "show", "--json").stdout)
    while isinstance(targets, dict):
        targets = targets.get("targets") or targets.get("result")
    return next(lun for t in targets if t["tid"] == tid for lun in t["luns"] if lun["lun"] == 1)


@suite.case
def administrators(b):
    """They see who is registered, and may clear it all."""
    c = Cluster(b)
    with c as (one, two, three, four):
        one.reserve(pr.WE_AR)
        r = lun_json(b, c.target.tid)["reservation"]
        equal(r["type"], "write-exclusive-all-registrants", "the type")
        equal([(x["initiator"], x["target"], x["port"], x["key"], x["holder"])
               for x in r["registrations"]],
              [(pr.port_name(n), c.target.name, 1, f"0x{n.key:016x}", True)
               for n in (one, two, three)], "the registrations")
        c.target.lun_params(1, "pr_clear=1")
        told((one, two, three, four), PREEMPTED, PREEMPTED, PREEMPTED, None)
        equal(four.keys(), (4, []), "generation and keys")
        four.write(0, bytes(512))
        equal(lun_json(b, c.target.tid)["reservation"]["registrations"], [], "registrations")
        good(four.scsi(scsi.reserve6()))
        equal(lun_json(b, c.target.tid)["reservation"]["reserve6"], True, "RESERVE")
        c.target.lun_params(1, "pr_clear=1")
        one.write(0, bytes(512))


@suite.case
def lun_is_removed_while_reserved(b):
    t = b.d.target(mb=1)
    with Node(b, 1, target=t.name) as one:
        one.register().reserve(pr.EA)
        b.d.adm("--mode", "logicalunit", "--op", "delete", "--tid", str(t.tid), "--lun", "1",
                "--force")
        t.lun(1, t.paths[1])
        with Node(b, 2, target=t.name) as two:
            equal(two.keys(), (0, []), "what the new LUN has")
            two.write(0, bytes(512))


@suite.case
def waiting_write_is_fenced(b):
    """A write that waits for its data when its nexus is fenced off does not happen."""
    with Cluster(b) as (one, two, *_):
        one.reserve(pr.WE_RO)
        before = one.read(0, 8)
        slow = two.start(scsi.write(0, 8), out=b"\xee" * 4096, immediate_data=0, unsolicited=0,
                         manual=True)
        two.wait(lambda: slow.r2ts)
        good(one.out(pr.PREEMPT, pr.WE_RO, new=two.key))
        two.answer_r2t(slow, slow.r2ts[0])
        conflict(two.finish(slow))
        conflict(two.scsi(scsi.write(0, 8), out=b"\xee" * 4096))
        equal(two.attentions(), [UNREGISTERED], "what it is told")
        equal(one.read(0, 8), before, "the data")


@suite.case
def preempt_and_abort_ends_tasks(b):
    """The tasks of the preempted end in TASK ABORTED; those of others go on."""
    with Cluster(b) as (one, two, three, _four):
        one.reserve(pr.WE_RO)
        slow = [n.start(scsi.write(0, 8), out=b"\xee" * 4096, immediate_data=0, unsolicited=0,
                        manual=True) for n in (two, three)]
        for n, t in zip((two, three), slow):
            n.wait(lambda: t.r2ts)
        good(one.out(pr.PREEMPT_ABORT, pr.WE_RO, new=two.key))
        two.answer_r2t(slow[0], slow[0].r2ts[0])    # RFC 7143 4.2.3.3: it is waited for
        equal(two.finish(slow[0]).status, scsi.TASK_ABORTED, "the status")
        three.answer_r2t(slow[1], slow[1].r2ts[0])
        good(three.finish(slow[1]))
        told((two, three), UNREGISTERED, None)


if __name__ == "__main__":
    sys.exit(suite.run())
