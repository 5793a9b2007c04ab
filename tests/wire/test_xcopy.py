#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""EXTENDED COPY and RECEIVE COPY RESULTS: between disks, within one, what is refused.  What ends
a copy before its time: test_copy_ends.py."""

import os
import random
import shutil
import subprocess
import struct
import sys
import tempfile

import scsi
from copying import *
from daemon import pattern
from expect import condition, good
from harness import Skip, Suite, check, equal
from chap import Chap
from session import Session

suite = Suite()

MB = 64
BLOCKS = MB << 11


def disks(b):
    """Disk 1 and 2: 512; 3: 4096 byte blocks; 4: write-protected."""
    if not hasattr(b, "disks"):
        t = b.disks = b.d.target(disks=2, mb=MB)
        t.lun(3, b.d.disk(MB), "--blocksize", "4096")
        t.lun(4, b.d.disk(MB))
        t.lun_params(4, "readonly=1")
    return b.disks


def opened(b, target=None):
    s = Session(b.addr, (target or disks(b)).name)
    for lun in range(1, 5 if not target else 2):
        s.clear_ua(lun)
    return s


def random_data(blocks, seed, bs=512):
    return random.Random(seed).randbytes(blocks * bs)


@suite.cases([("two_disks_lid1", LID1, list1, 2), ("two_disks_lid4", LID4, list4, 2),
              ("one_disk_lid1", LID1, list1, 1), ("one_disk_lid4", LID4, list4, 1)])
def copies(b, sa, make, dst):
    with opened(b) as s:
        data = random_data(2049, dst)
        s.write(100, data)
        s.write(30000 - 1, b"\xaa" * 2051 * 512, lun=dst)
        good(send(s, sa, make([cscd(naa(s, 1)), cscd(naa(s, dst))],
                              [segment(0, 1, 2000, 100, 30000),
                               segment(0, 1, 49, 2100, 32000)], list_id=7)))
        got = s.read(30000 - 1, 2051, lun=dst)
        equal(got[:512] + got[-512:], b"\xaa" * 1024, "what is around the destination")
        check(got[512:-512] == data, "the copy differs")
        st = bytes(good(ask(s, STATUS1, 7)).datain)
        equal(struct.unpack(">IBHBI", st), (8, 1, 2, 0, 2049 * 512), "the copy's status")
        st = Status(bytes(good(ask(s, STATUS4, 7)).datain))
        equal((st.state, st.status, st.count, st.segments, st.whole),
              (DONE, 0, 2049 * 512, 2, True), "the copy's status(LID4)")
        equal(bytes(good(ask(s, DATA1, 7)).datain), bytes(4), "held data")
        equal(bytes(good(ask(s, FAILURE, 7)).datain), bytes(4), "failure details")


@suite.cases([("up", 5000, 5000 + 700, 3000), ("down", 5000 + 700, 5000, 3000),
              ("by_one", 5000, 5001, 3000), ("down_by_one", 5001, 5000, 3000),
              ("onto_itself", 5000, 5000, 3000)])
def overlap(b, src, dst, n):
    """The destination has what the source had before."""
    with opened(b) as s:
        data = random_data(n, src)
        s.write(src, data)
        good(send(s, LID1, list1([cscd(naa(s, 1))], [segment(0, 0, n, src, dst)])))
        check(s.read(dst, n) == data, "the copy differs")


@suite.case
def this_logical_unit_by_f800h(b):
    with opened(b) as s:
        good(send(s, LID1, list1([cscd(naa(s, 2))], [segment(SELF, 0, 16, 0, 64)])))
        check(s.read(64, 16, lun=2) == s.read(0, 16), "the copy differs")


@suite.case
def a_copy_manager_copies_for_other_disks(b):
    with opened(b) as s:
        s.write(500, random_data(64, 3), lun=2)
        good(send(s, LID1, list1([cscd(naa(s, 2)), cscd(naa(s, 1))],
                                 [segment(0, 1, 64, 500, 900)]), lun=4))
        check(s.read(900, 64) == random_data(64, 3), "the copy differs")


# -- block sizes ----------------------------------------------------------------

@suite.cases([
    # name, source LUN, destination LUN, DC, CAT, PAD of both, blocks, bytes copied and written
    ("512_to_4096", 1, 3, 0, 0, 0, 0, 16, 8192, 8192),
    ("4096_to_512", 3, 1, 0, 0, 0, 0, 2, 8192, 8192),
    ("counted_there", 1, 3, 1, 0, 0, 0, 2, 8192, 8192),
    ("destination_padded", 1, 3, 0, 0, 0, 1, 9, 4608, 8192),
    ("source_discarded", 3, 1, 1, 0, 1, 0, 9, 4608, 4608),
    ("exact_with_cat", 1, 3, 0, 1, 0, 0, 8, 4096, 4096),
])
def sizes(b, src, dst, dc, cat, src_pad, dst_pad, n, copied, written):
    bs = {1: 512, 3: 4096}
    with opened(b) as s:
        data = random_data(128, n)
        s.write(1024 * 512 // bs[src], data, lun=src, bs=bs[src])
        s.write(2048 * 512 // bs[dst], b"\xaa" * 65536, lun=dst, bs=bs[dst])
        good(send(s, LID1, list1([cscd(naa(s, src), bs[src], src_pad),
                                  cscd(naa(s, dst), bs[dst], dst_pad)],
                                 [segment(0, 1, n, 1024 * 512 // bs[src],
                                          2048 * 512 // bs[dst], dc, cat)])))
        got = s.read(2048 * 512 // bs[dst], 65536 // bs[dst], lun=dst, bs=bs[dst])
        want = data[:copied] + bytes(written - copied) + b"\xaa" * (65536 - written)
        check(got == want, "the copy differs")


@suite.cases([("destination", 1, 3, 0, 0, 0, 0, 9), ("source", 3, 1, 1, 0, 0, 0, 9),
              ("kept_for_the_next", 1, 3, 0, 1, 0, 1, 9), ("source_kept", 3, 1, 1, 0, 0, 1, 9)])
def inexact(b, src, dst, dc, cat, src_pad, dst_pad, n):
    bs = {1: 512, 3: 4096}
    with opened(b) as s:
        before = s.read(0, 16, lun=dst, bs=bs[dst])
        condition(send(s, LID1, list1([cscd(naa(s, src), bs[src], src_pad),
                                       cscd(naa(s, dst), bs[dst], dst_pad)],
                                      [segment(0, 1, n, 0, 0, dc, cat)])),
                  COPY_ABORTED, INEXACT)
        check(s.read(0, 16, lun=dst, bs=bs[dst]) == before, "something was written")


@suite.case
def byte_offsets(b):
    """Segment descriptor 0Ah: whole blocks on both sides, or COPY SEGMENT GRANULARITY VIOLATION."""
    with opened(b) as s:
        s.write(1000, random_data(64, 5))
        s.write(2000, b"\xaa" * 64 * 512, lun=2)
        cscds = [cscd(naa(s, 1)), cscd(naa(s, 2)), cscd(naa(s, 3), 4096)]
        good(send(s, LID1, list1(cscds, [segment(0, 1, 1, 1008, 2016),
                                         byte_segment(0, 1, 8192, 992, 2000, 8 * 512, 1024)])))
        got = s.read(2000, 32, lun=2)
        want = bytearray(b"\xaa" * 32 * 512)
        want[16 * 512:17 * 512] = random_data(64, 5)[8 * 512:9 * 512]
        want[2 * 512:18 * 512] = random_data(64, 5)[:8192]
        check(got == bytes(want), "the copy differs")
        for dst, n, src_off, dst_off in ((1, 511, 0, 0), (1, 512, 1, 0), (1, 512, 0, 511),
                                         (2, 512, 0, 0)):
            condition(send(s, LID1, list1(cscds, [byte_segment(0, dst, n, 0, 0, src_off,
                                                               dst_off)])),
                      COPY_ABORTED, GRANULARITY)
        condition(send(s, LID1, list1(cscds, [byte_segment(0, 1, 512, 2**64 - 1, 0, 1024, 0)])),
                  COPY_ABORTED, 0)


# -- large --------------------------------------------------------------------------

SPOTS = 0, 511, 1000, 4095, 4096, 8191

@suite.cases([("thin", 1), ("not_thin", 0)])
def eight_gigabytes(b, thin):
    """A sparse disk as a whole, in 32 segments: the copy has the same bytes, and where it may
    the same holes, also where there was something else before."""
    t = b.d.target(disks=0)
    for lun, spots in ((1, SPOTS), (2, (5, 1000, 5000))):
        t.lun(lun, sparse_disk(b.d, 8, lun, spots), "--blocksize", "4096")
        if thin:
            t.lun_params(lun, "thin_provisioning=1")
    with Session(b.addr, t.name) as s:
        s.clear_ua(1)
        s.clear_ua(2)
        n = (256 << 20) // 4096 - 1         # a segment has at most 65,535 blocks
        segments = [segment(0, 1, min(n, (8 << 30) // 4096 - at), at, at)
                    for at in range(0, (8 << 30) // 4096, n)]
        good(send(s, LID4, list4([cscd(naa(s, 1), 4096), cscd(naa(s, 2), 4096)], segments,
                                 list_id=1)))
        equal(Status(bytes(good(ask(s, STATUS4, 1)).datain)).count, 8 << 30, "what was copied")
        good(s.scsi(scsi.sync_cache(), lun=2))
    check(same(t.paths[1], t.paths[2]), "the copy differs")
    if thin:
        used = os.stat(t.paths[2]).st_blocks * 512
        check(used < (len(SPOTS) + 4) << 20, f"{used} bytes are allocated")


# -- what is refused --------------------------------------------------------------

def bad_lists(s):
    me, two = cscd(naa(s, 1)), cscd(naa(s, 2))
    seg = segment(0, 1, 8, 0, 8)
    odd = bytearray(list1([me, two], [seg]))
    odd[16 + 64 + 2:16 + 64 + 4] = b"\0\x14"
    bad = scsi.ILLEGAL_REQUEST
    nobody = (naa(s, 1)[0], b"\x3f" + bytes(7))
    port = (b"\x01\x13" + naa(s, 1)[0][2:], naa(s, 1)[1])
    return [
        ("short", bytes(15), bad, 0x1A00),
        ("cut", list1([me, two], [seg])[:-1], bad, 0x1A00),
        ("no_such_usage", list1([me, two], [seg], usage=1), bad, 0x2600),
        ("id_of_none", list1([me, two], [seg], usage=3, list_id=1), bad, 0x2600),
        ("inline", list1([me, two], [seg], inline=4) + bytes(4), bad, INLINE),
        ("fc_name", list1([cscd(naa(s, 1), kind=0xE0), two], [seg]), bad, CSCD_TYPE),
        ("half_a_cscd", list1([me, two[:16]], [seg]) + bytes(16), bad, 0x1A00),
        ("nine_cscds", list1([me] * 9, [segment(0, 0, 8, 0, 8)]), bad, TOO_MANY_CSCDS),
        ("stream", list1([me, two], [segment(0, 1, 8, 0, 8, kind=3)]), bad, SEGMENT_TYPE),
        ("65_segments", list1([me, two], [seg] * 65), bad, TOO_MANY_SEGMENTS),
        ("long_list", list1([me, two], [seg] * 150), bad, 0x1A00),
        ("segment_length", bytes(odd), bad, 0x2600),
        ("block_length", list1([cscd(naa(s, 1), 4096), two], [seg]), bad, 0x2600),
        ("index", list1([me, two], [segment(0, 2, 8, 0, 8)]), COPY_ABORTED, NOT_REACHABLE),
        ("stranger", list1([cscd(nobody), two], [seg]), COPY_ABORTED, NOT_REACHABLE),
        ("a_port", list1([cscd(port), two], [seg]), COPY_ABORTED, NOT_REACHABLE),
        ("tape", list1([cscd(naa(s, 1), pdt=1), two], [seg]), COPY_ABORTED, WRONG_TYPE),
        ("behind_the_end", list1([me, two], [segment(0, 1, 2, 0, BLOCKS - 1)]), COPY_ABORTED, 0),
        ("source_end", list1([me, two], [segment(0, 1, 2, BLOCKS - 1, 0)]), COPY_ABORTED, 0),
        ("lba_wraps", list1([me, two], [segment(0, 1, 2, 2**64 - 1, 0)]), COPY_ABORTED, 0),
        ("protected", list1([me, cscd(naa(s, 4))], [seg]), COPY_ABORTED, DEVICE_FAILURE),
    ]


@suite.case
def malformed_lists(b):
    """Refused with the right sense; nothing is copied, even by segments before the bad one."""
    with opened(b) as s:
        s.write(8, b"\x55" * 4096, lun=2)
        for name, data, key, code in bad_lists(s):
            try:
                condition(send(s, LID1, data), key, code)
            except Exception as e:
                raise type(e)(f"{name}: {e}") from e
        two_good = list1([cscd(naa(s, 1)), cscd(naa(s, 2))],
                         [segment(0, 1, 8, 0, 8), segment(0, 9, 8, 0, 8)])
        condition(send(s, LID1, two_good), COPY_ABORTED, NOT_REACHABLE)
        equal(s.read(8, 8, lun=2), b"\x55" * 4096, "the destination")
        good(send(s, LID1, b""))
        good(send(s, LID1, list1([], [])))


@suite.case
def lid4_headers(b):
    with opened(b) as s:
        right = list4([cscd(naa(s, 1)), cscd(naa(s, 2))], [segment(0, 1, 8, 0, 8)])
        for at, value in ((0, 2), (3, 0x1F), (16, 0xFE)):
            wrong = bytearray(right)
            wrong[at] = value
            condition(send(s, LID4, bytes(wrong)), scsi.ILLEGAL_REQUEST, 0x2600)
        condition(send(s, LID4, right[:47]), scsi.ILLEGAL_REQUEST, 0x1A00)
        good(send(s, LID4, right))


@suite.case
def random_lists(b):
    """Whatever comes: an answer, and a daemon that lives."""
    rnd = random.Random(4)
    with opened(b) as s:
        seeds = [(sa, make([cscd(naa(s, 1)), cscd(naa(s, 2))],
                           [segment(0, 1, 8, 0, 8), segment(1, 0, 8, 8, 16)]))
                 for sa, make in ((LID1, list1), (LID4, list4))]
        for _ in range(1500):
            sa, data = rnd.choice(seeds)
            data = bytearray(data)
            for _ in range(rnd.randint(1, 4)):
                data[rnd.randrange(len(data))] = rnd.choice((0, 1, 2, 0xFF, rnd.randrange(256)))
            check(send(s, sa, bytes(data[:rnd.choice((len(data), rnd.randrange(1, len(data)))
                                                     )])).status in (0, 2, 8), "a status")


STRANGER = "iqn.1994-05.com.example:stranger"


@suite.case
def another_target_is_out_of_reach(b):
    """Access is granted per target: who reaches one does not copy from others, not even if
    somebody else reaches them."""
    other = b.d.target(acl=None)
    open_one = b.d.target()
    with opened(b) as s, Session(b.addr, open_one.name, initiator=STRANGER) as third:
        third.clear_ua(1)
        # The NAA of a LUN that nobody may reach: told by the daemon itself.
        shown = b.d.adm("--mode", "target", "--op", "show").stdout
        at = shown.index(other.name)
        ident = shown[at:].split("LUN: 1", 1)[1].split("SCSI SN: ")[1].split()[0]
        secret = bytearray(int(ident, 16).to_bytes(8, "big"))
        secret[0] = secret[0] & 0x0F | 0x30
        for designator in ((naa(s, 1)[0], bytes(secret)), naa(third, 1)):
            condition(send(s, LID1, list1([cscd(designator), cscd(naa(s, 1))],
                                          [segment(0, 1, 8, 0, 8)])),
                      COPY_ABORTED, NOT_REACHABLE)


def between(s, o, src, dst, **how):
    """A copy between disk 1 of the targets of two sessions, by the first."""
    both = [cscd(naa(s, 1)), cscd(naa(o, 1))]
    return send(s, LID1, list1(both, [segment(src, dst, 100, 64, 4000)], **how))


@suite.case
def another_target_with_a_session(b):
    """The initiator has a session with both: to and fro, until that one ends."""
    other = b.d.target()
    with opened(b) as s:
        with opened(b, other) as o:
            mine, theirs = random_data(100, 21), random_data(100, 22)
            s.write(64, mine)
            o.write(64, theirs)
            good(between(s, o, 0, 1))
            check(o.read(4000, 100) == mine, "the copy to the other target differs")
            good(between(s, o, 1, 0))
            check(s.read(4000, 100) == theirs, "the copy from the other target differs")
            named = [cscd(naa(s, 1)), cscd(naa(o, 1))]
        condition(send(s, LID1, list1(named, [segment(0, 1, 8, 0, 8)])), COPY_ABORTED,
                  NOT_REACHABLE)


@suite.case
def another_target_that_asks_for_more(b):
    """With CHAP there and without here, whoever says the name would be let in."""
    other = b.d.target()
    both = b.d.target()
    b.d.account("copier", "a secret of copies")
    for t in (other, both):
        t.account("copier")
    chap = Chap("copier", "a secret of copies")
    with opened(b) as s, Session(b.addr, other.name, chap=chap) as o, \
            Session(b.addr, both.name, chap=chap) as authenticated:
        for one in (o, authenticated):
            one.clear_ua(1)
        for src, dst in ((0, 1), (1, 0)):
            condition(between(s, o, src, dst), COPY_ABORTED, NOT_REACHABLE)
            good(between(authenticated, o, src, dst))


@suite.case
def another_target_has_its_own_rules(b):
    """Reservations and access states count as for the session with that target."""
    other = b.d.target()
    with opened(b) as s, opened(b, other) as o, \
            Session(b.addr, other.name, initiator=STRANGER) as stranger:
        stranger.clear_ua(1)
        good(stranger.scsi(scsi.reserve6()))
        for src, dst in ((0, 1), (1, 0)):
            condition(between(s, o, src, dst), COPY_ABORTED, DEVICE_FAILURE)
        good(stranger.scsi(scsi.release6()))
        good(o.scsi(scsi.reserve6()))
        good(between(s, o, 0, 1))
        good(o.scsi(scsi.release6()))
        other.update(state="offline")
        condition(between(s, o, 0, 1), COPY_ABORTED, NOT_REACHABLE)
        other.update(state="ready")
        good(between(s, o, 0, 1))


@suite.case
def reservations_hold(b):
    """RESERVE of the source or the destination by another nexus."""
    with opened(b) as s, Session(b.addr, disks(b).name,
                                 initiator="iqn.1994-05.com.example:other") as o:
        o.clear_ua(2)
        good(o.scsi(scsi.reserve6(), lun=2))
        for src, dst in ((0, 1), (1, 0)):
            condition(send(s, LID1, list1([cscd(naa(s, 1)), cscd(naa(s, 2))],
                                          [segment(src, dst, 8, 0, 8)])),
                      COPY_ABORTED, DEVICE_FAILURE)
        good(o.scsi(scsi.release6(), lun=2))
        good(send(s, LID1, list1([cscd(naa(s, 1)), cscd(naa(s, 2))],
                                 [segment(0, 1, 8, 0, 8)])))


@suite.case
def access_states_hold(b):
    """A disk in standby through this port is no source and no destination (SPC-4 5.15.2)."""
    t = b.d.target(disks=2)

    def tpg(op, params, *more):
        b.d.adm("--mode", "tpg", "--op", op, "--tid", str(t.tid), "--tpg", "1", "--params",
                params, *more)
    tpg("new", "port=1")
    with Session(b.addr, t.name) as s:
        s.clear_ua(1)
        s.clear_ua(2)
        cscds = [cscd(naa(s, 1)), cscd(naa(s, 2))]
        good(send(s, LID1, list1(cscds, [segment(0, 1, 8, 0, 8)])))
        tpg("update", "state=standby", "--lun", "2")
        s.clear_ua(1)
        for src, dst in ((0, 1), (1, 0)):
            condition(send(s, LID1, list1(cscds, [segment(src, dst, 8, 0, 8)])),
                      COPY_ABORTED, NOT_REACHABLE)
        tpg("update", "state=active_optimized", "--lun", "2")
        s.clear_ua(1)
        good(send(s, LID1, list1(cscds, [segment(0, 1, 8, 0, 8)])))


# -- list identifiers and results -------------------------------------------------

@suite.case
def results_of_strangers(b):
    with opened(b) as s, opened(b) as o:
        good(send(s, LID1, list1([cscd(naa(s, 1))], [segment(0, 0, 8, 0, 8)], list_id=9)))
        for sa in (STATUS1, DATA1, FAILURE, STATUS4, ROD):
            condition(ask(s, sa, 10), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB)
            condition(ask(o, sa, 9), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB)
        good(send(s, LID1, list1([cscd(naa(s, 1))], [segment(0, 0, 8, 0, 8)], list_id=0,
                                 usage=3)))
        condition(ask(s, STATUS1, 0), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB)
        # A command that is refused leaves nothing of an older one of its identifier.
        condition(send(s, LID1, list1([cscd(naa(s, 1))], [segment(0, 5, 8, 0, 8)], list_id=9)),
                  COPY_ABORTED)
        condition(ask(s, STATUS1, 9), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB)


@suite.case
def records_are_bounded(b):
    with opened(b) as s:
        for i in range(100):
            good(send(s, LID1, list1([cscd(naa(s, 1))], [segment(0, 0, 8, 0, 8)], list_id=i)))
        good(ask(s, STATUS1, 99))
        condition(ask(s, STATUS1, 50), scsi.ILLEGAL_REQUEST)


@suite.case
def failure_details(b):
    with opened(b) as s:
        condition(send(s, LID1, list1([cscd(naa(s, 1)), cscd(naa(s, 4))],
                                      [segment(0, 0, 8, 0, 8), segment(0, 1, 8, 0, 8)],
                                      list_id=3)), COPY_ABORTED, DEVICE_FAILURE)
        d = bytes(good(ask(s, FAILURE, 3)).datain)
        equal((struct.unpack(">I", d[:4])[0], d[56]), (len(d) - 4, 2), "failure details")
        sense = scsi.parse_sense(d[60:])
        equal((sense.key, sense.code), (COPY_ABORTED, DEVICE_FAILURE), "their sense")
        equal(d[60 + 10:60 + 12], b"\0\1", "the segment that failed")
        condition(ask(s, FAILURE, 3), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB)


@suite.case
def limits_agree(b):
    """Operating parameters, VPD page 8Fh, INQUIRY's 3PC, and the table of commands."""
    with opened(b) as s:
        d = bytes(good(ask(s, PARAMETERS)).datain)
        equal((struct.unpack(">I", d[:4])[0] + 4, d[44:44 + d[43]]), (len(d), b"\x02\x0a\xe4"),
              "operating parameters")
        check(good(s.scsi(scsi.inquiry(), read=255)).datain[5] & 0x08, "3PC is 0")
        page = bytes(good(s.scsi(scsi.inquiry(1, 0x8F, 1024), read=1024)).datain)
        equal(struct.unpack(">H", page[2:4])[0] + 4, len(page), "the page's length")
        found, at = {}, 4
        while at < len(page):
            kind, n = struct.unpack(">HH", page[at:at + 4])
            equal(n % 4, 0, f"the length of {kind:04x}, in words")
            found[kind] = page[at + 4:at + 4 + n]
            at += 4 + n
        equal(sorted(found), [0, 1, 4, 8, 0xC, 0x106, 0x108, 0x8001, 0xC001], "descriptors")
        equal(found[4][4:12], d[8:16], "the limits in both")
        commands, body = {}, found[1][1:1 + found[1][0]]
        while body:
            commands[body[0]] = list(body[2:2 + body[1]])
            body = body[2 + body[1]:]
        equal(commands, {0x83: [0, 1, 0x10, 0x11, 0x1C], 0x84: [0, 1, 3, 4, 5, 7, 8]},
              "supported commands")


@suite.case
def sg_vpd_reads_the_page(b):
    if not shutil.which("sg_vpd"):
        raise Skip("no sg_vpd")
    with opened(b) as s, tempfile.NamedTemporaryFile() as f:
        f.write(bytes(good(s.scsi(scsi.inquiry(1, 0x8F, 1024), read=1024)).datain))
        f.flush()
        r = subprocess.run(["sg_vpd", "--raw", f"--inhex={f.name}", "--page=0x8f"],
                           capture_output=True, text=True)
        equal((r.returncode, r.stderr), (0, ""), "sg_vpd")
        for text in ("Maximum range descriptors: 64", "Populate token", "Write using token",
                     "Point in time copy - change vulnerable", "Block device zero",
                     "Maximum segment descriptor count: 64"):
            check(text.lower() in r.stdout.lower(), f"sg_vpd does not say {text!r}: {r.stdout}")


if __name__ == "__main__":
    sys.exit(suite.run())
