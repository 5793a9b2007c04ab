#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Tokens: POPULATE TOKEN, WRITE USING TOKEN, and what ends a token."""

import random
import struct
import sys
import time

import scsi
from copying import *
from expect import condition, good
from harness import Suite, check, equal
from session import Session

suite = Suite()

MB = 64
BLOCKS = MB << 11
BAD = scsi.ILLEGAL_REQUEST


def disks(b):
    """Disks 1 and 2: 512; 3: 4096 byte blocks; another target with one disk."""
    if not hasattr(b, "disks"):
        t = b.disks = b.d.target(disks=2, mb=MB)
        t.lun(3, b.d.disk(MB), "--blocksize", "4096")
        t.lun_params(1, "thin_provisioning=1")
        b.other = b.d.target(mb=MB)
    return b.disks


def opened(b):
    s = Session(b.addr, disks(b).name)
    for lun in (1, 2, 3):
        s.clear_ua(lun)
    return s


def data_of(blocks, seed):
    return random.Random(seed).randbytes(blocks * 512)


@suite.cases([("this_disk", 1, 0), ("another_disk", 2, 0), ("in_the_background", 2, 1)])
def a_round(b, dst, immed):
    with opened(b) as s:
        data = data_of(5000, dst)
        s.write(100, data)
        token = token_of(s, [(100, 5000)], 0x11223344)
        equal(struct.unpack(">IHH", token[:8]), (0x00800001, 0, 504), "the token's header")
        equal(struct.unpack(">QQ", token[48:64]), (0, 5000 * 512), "the bytes it represents")
        st = rod(s, 0x11223344)
        equal((st.sa, st.state, st.units, st.count, st.whole), (POPULATE, DONE, 0xF1, 5000, True),
              "what RECEIVE ROD TOKEN INFORMATION says")
        good(send(s, WRITE_TOKEN, write_list(token, [(60000, 5000)], immed=immed), dst, 77))
        while rod(s, 77, dst).state == BACKGROUND:
            pass
        st = rod(s, 77, dst)
        equal((st.sa, st.state, st.status, st.units, st.count, st.token),
              (WRITE_TOKEN, DONE, 0, 0xF1, 5000, None), "the copy's end")
        check(s.read(60000, 5000, lun=dst) == data, "the copy differs")


@suite.case
def a_prefetch_is_no_write(b):
    """What only reads the source leaves its tokens alone."""
    with opened(b) as s:
        data = data_of(64, 3)
        s.write(200, data)
        token = token_of(s, [(200, 64)], 0x77)
        equal(s.scsi(scsi.cdb(0x34, 10, (2, 4, 200), (7, 2, 64))).status, 0x04, "CONDITION MET")
        s.read(200, 64)
        good(send(s, WRITE_TOKEN, write_list(token, [(300, 64)]), 1, 0x78))
        check(s.read(300, 64) == data, "the copy differs")


@suite.case
def ranges_and_offsets(b):
    """Ranges of both sides need not match; each block comes from where the token says."""
    rnd = random.Random(9)
    with opened(b) as s:
        data = data_of(8192, 9)
        s.write(0, data)
        for round_ in range(20):
            cuts = sorted(rnd.sample(range(0, 8192), 12))
            src = [(a, n - a) for a, n in zip(cuts[::2], cuts[1::2])]
            rnd.shuffle(src)
            content = b"".join(data[a * 512:(a + n) * 512] for a, n in src)
            token = token_of(s, src, round_)
            total = len(content) // 512
            offset = rnd.randrange(total)
            left, at, dst = rnd.randrange(total - offset + 1), 10000, []
            want = content[offset * 512:(offset + left) * 512]
            while left:
                n = rnd.randint(1, min(left, 2000))
                dst.append((at, n))
                at, left = at + n + rnd.randrange(5), left - n
            dst = dst[:64] or [(10000, 0)]
            want = want[:sum(n for _, n in dst) * 512]
            good(send(s, WRITE_TOKEN, write_list(token, dst, offset), 2, 100))
            got = b"".join(s.read(a, n, lun=2) for a, n in dst if n)
            check(got == want, f"round {round_}: the copy differs")


@suite.case
def zeroes(b):
    with opened(b) as s:
        for lun in (1, 2):
            s.write(500, b"\xaa" * 100 * 512, lun=lun)
            good(send(s, WRITE_TOKEN, write_list(ZERO_TOKEN, [(510, 40), (560, 30)]), lun, 5))
            got = s.read(500, 100, lun=lun)
            want = bytearray(b"\xaa" * 100 * 512)
            want[10 * 512:50 * 512] = bytes(40 * 512)
            want[60 * 512:90 * 512] = bytes(30 * 512)
            check(got == bytes(want), f"LUN {lun} has something else than zeroes")
            equal((rod(s, 5, lun).state, rod(s, 5, lun).count), (DONE, 70), "the end")


@suite.case
def eight_gigabytes(b):
    spots = 1, 700, 4096, 8191
    t = b.d.target(disks=0)
    for lun in (1, 2):
        t.lun(lun, sparse_disk(b.d, 8, lun, spots if lun == 1 else ()), "--blocksize", "4096")
        t.lun_params(lun, "thin_provisioning=1")
    with Session(b.addr, t.name) as s:
        s.clear_ua(1)
        s.clear_ua(2)
        n = (8 << 30) // 4096
        token = token_of(s, [(0, n)], 1)
        good(send(s, WRITE_TOKEN, write_list(token, [(0, n)], immed=1), 2, 2))
        while rod(s, 2, 2).state == BACKGROUND:
            pass
        equal((rod(s, 2, 2).state, rod(s, 2, 2).count), (DONE, n), "the end")
        good(s.scsi(scsi.sync_cache(), lun=2))
    check(same(t.paths[1], t.paths[2]), "the copy differs")


@suite.cases([("by_the_store", 1, 2), ("by_reading", 3, 4)])
def never_a_mixture(b, src, dst):
    """Somebody writes the source while it is copied: either the copy is what was there when the
    token was made, or it fails, and what it says that it copied is."""
    t = b.d.target(disks=2, mb=16)
    for lun in (3, 4):
        t.lun(lun, f"rdwr:{b.d.disk(16)}", "--bstype", "error")
    blocks, rnd, outcomes = 16 << 10, random.Random(7), set()
    with Session(b.addr, t.name) as s, Session(b.addr, t.name) as o:
        for lun in (src, dst):
            s.clear_ua(lun)
            o.clear_ua(lun)
        for round_ in range(60):
            old = bytes([round_]) * (blocks * 512)
            for at in range(0, blocks, 2048):
                s.write(at, old[:2048 * 512], lun=src)
            token = token_of(s, [(0, blocks)], 1, src)
            data = write_list(token, [(0, blocks)])
            t1 = s.start(out_cdb(WRITE_TOKEN, len(data), 2), lun=dst, out=data)
            for _ in range(rnd.randrange(6)):
                o.nop()
            if round_ % 5:
                o.write(rnd.randrange(blocks - 8), b"\xff" * 4096, lun=src)
            s.finish(t1)
            n = blocks
            if t1.status:
                condition(t1, BAD, REVOKED)
                known = ask(s, ROD, 2, dst)     # not if it was refused at once
                n = 0 if known.status else Status(bytes(known.datain)).count
            outcomes.add(t1.status)
            got = b"".join(s.read(at, 2048, lun=dst) for at in range(0, blocks, 2048))
            check(got[:n * 512] == old[:n * 512], f"round {round_}: a mixture")
    check(0 in outcomes, f"no copy ended well: {outcomes}")


# -- what ends a token ------------------------------------------------------------

CHANGES = [("write", lambda s: s.write(119, bytes(512))),
           ("write_same", lambda s: good(s.scsi(scsi.write_same(110, 5), out=bytes(512)))),
           ("unmap", lambda s: unmapped(s)),
           ("copy", lambda s: good(send(s, LID1, list1([cscd(naa(s, 1))],
                                                       [segment(0, 0, 1, 5, 112)])))),
           ("compare_and_write", lambda s: compared(s))]


def unmapped(s):
    d = scsi.unmap_list([(104, 8)])
    good(s.scsi(scsi.unmap(len(d)), out=d))


def compared(s):
    old = s.read(113, 1)
    good(s.scsi(scsi.cdb(0x89, 16, (2, 8, 113), (13, 1, 1)), out=old + old))


@suite.cases(CHANGES)
def a_change_ends_it(b, change):
    with opened(b) as s:
        token = token_of(s, [(100, 20)])
        s.write(99, bytes(512))
        s.write(120, bytes(512))
        good(send(s, WRITE_TOKEN, write_list(token, [(9000, 20)]), 2, 6))
        before = s.read(9000, 20, lun=2)
        change(s)
        condition(send(s, WRITE_TOKEN, write_list(token, [(9000, 20)]), 2, 6), BAD, REVOKED)
        equal(s.read(9000, 20, lun=2), before, "the destination")


@suite.case
def a_change_by_another_session_ends_it(b):
    with opened(b) as s, opened(b) as o:
        token = token_of(s, [(100, 20)])
        o.write(105, bytes(512))
        condition(send(s, WRITE_TOKEN, write_list(token, [(9000, 20)]), 2, 6), BAD, REVOKED)


@suite.case
def time_ends_it(b):
    with opened(b) as s:
        token = token_of(s, [(100, 20)], timeout=1)
        end = time.monotonic() + 60
        t = send(s, WRITE_TOKEN, write_list(token, [(9000, 1)]), 2, 6)
        check(t.status == 0 or t.sense.code == EXPIRED, f"{t}")
        time.sleep(1.1)                 # its inactivity timeout; what is waited for is below
        while True:
            t = send(s, WRITE_TOKEN, write_list(token, [(9000, 20)]), 2, 6)
            if t.status:
                break
            check(time.monotonic() < end, "the token does not expire")
            time.sleep(1.1)
        condition(t, BAD, EXPIRED)


@suite.case
def deletion_ends_it(b):
    with opened(b) as s:
        token = token_of(s, [(100, 20)])
        good(send(s, WRITE_TOKEN, write_list(token, [(9000, 20)], delete=1), 2, 6))
        condition(send(s, WRITE_TOKEN, write_list(token, [(9000, 20)]), 2, 6), BAD, DELETED)


@suite.case
def removal_of_the_lun_ends_it(b):
    t = b.d.target(disks=2, mb=16)
    with Session(b.addr, t.name) as s:
        s.clear_ua(1)
        s.clear_ua(2)
        token = token_of(s, [(100, 20)])
        b.d.adm("--mode", "logicalunit", "--op", "delete", "--tid", str(t.tid), "--lun", "1",
                "--force")
        s.clear_ua(2)
        condition(send(s, WRITE_TOKEN, write_list(token, [(900, 20)]), 2, 6), BAD, REVOKED)


@suite.case
def it_serves_other_targets(b):
    """A token is of use through another target too: who has it may have the data."""
    with opened(b) as s, Session(b.addr, b.other.name) as o:
        o.clear_ua()
        s.write(100, data_of(20, 5))
        token = token_of(s, [(100, 20)])
        good(send(o, WRITE_TOKEN, write_list(token, [(900, 20)]), 1, 6))
        check(o.read(900, 20) == data_of(20, 5), "the copy differs")


# -- what is refused ---------------------------------------------------------------

@suite.case
def forged_tokens(b):
    with opened(b) as s:
        token = token_of(s, [(100, 20)])

        def refused(t, code):
            condition(send(s, WRITE_TOKEN, write_list(bytes(t), [(900, 20)]), 2, 6), BAD, code)
        for at, code in ((0, TYPE_UNSUPPORTED), (7, TOKEN_LENGTH), (15, UNKNOWN), (40, CORRUPT),
                         (63, CORRUPT), (128, CORRUPT), (159, CORRUPT), (511, CORRUPT)):
            forged = bytearray(token)
            forged[at] ^= 1
            refused(forged, code)
        refused(token[:128] + bytes(384), CORRUPT)
        good(send(s, WRITE_TOKEN, write_list(token, [(900, 20)]), 2, 6))


@suite.case
def reports_have_no_secret(b):
    with opened(b) as s, opened(b) as o:
        token = token_of(s, [(100, 20)])
        d = bytes(good(ask(o, ALL_RODS)).datain)
        equal(struct.unpack(">I", d[:4])[0] + 4, len(d), "the length")
        equal((len(d) - 8) % 96, 0, "what is more than whole management tokens")
        check(token[:96] in d, "the token is not reported")
        check(token[128:160] not in d and any(token[128:160]), "the secret is told")
        equal(bytes(good(ask(o, ALL_RODS, lun=3)).datain), b"\0\0\0\x04" + bytes(4),
              "what another disk tells")


@suite.case
def malformed_lists(b):
    with opened(b) as s:
        right = populate_list([(0, 8)])
        long_ = populate_list([(i * 10, 1) for i in range(65)])
        for name, data, key, code in (
                ("short", right[:15], BAD, 0x1A00),
                ("cut", right[:-1], BAD, 0x1A00),
                ("no_ranges", populate_list([]), BAD, 0x2600),
                ("nothing", populate_list([(5, 0)]), BAD, 0x2600),
                ("data_length", b"\0\x1d" + right[2:], BAD, 0x2600),
                ("overlap", populate_list([(0, 8), (7, 1)]), BAD, 0x2600),
                ("behind_the_end", populate_list([(BLOCKS - 1, 2)]), BAD, 0x2100),
                ("wraps", populate_list([(2**64 - 1, 2)]), BAD, 0x2100),
                ("timeout", populate_list([(0, 8)], timeout=601), BAD, 0x2600),
                ("type", populate_list([(0, 8)], rod_type=0x00800002), BAD, 0x2600),
                ("65_ranges", long_, BAD, 0x2600)):
            try:
                condition(send(s, POPULATE, data), key, code)
            except Exception as e:
                raise type(e)(f"{name}: {e}") from e
        for kind in (0x00800000, 0x00800001, 0x0080FFFF):
            token_of(s, [(0, 8)], rod_type=kind)
        token = token_of(s, [(0, 8)])
        right = write_list(token, [(0, 8)])
        for name, data, key, code in (
                ("short", right[:535], BAD, 0x1A00),
                ("cut", right[:-1], BAD, 0x1A00),
                ("no_ranges", write_list(token, []), BAD, 0x2600),
                ("more_than_there_is", write_list(token, [(100, 9)]), BAD, 0x2600),
                ("offset", write_list(token, [(100, 8)], 1), BAD, 0x2600),
                ("offset_wraps", write_list(token, [(100, 8)], 2**64 - 1), BAD, 0x2600),
                ("behind_the_end", write_list(token, [(BLOCKS - 1, 2)]), BAD, 0x2100),
                ("overlap", write_list(token, [(9, 4), (12, 4)]), BAD, 0x2600)):
            try:
                condition(send(s, WRITE_TOKEN, data, 2), key, code)
            except Exception as e:
                raise type(e)(f"{name}: {e}") from e
        condition(send(s, WRITE_TOKEN, write_list(token, [(0, 1)]), 3), BAD, INVALID_TOKEN)
        good(send(s, POPULATE, b""))
        good(send(s, WRITE_TOKEN, b""))


@suite.case
def random_lists(b):
    rnd = random.Random(8)
    with opened(b) as s:
        token = token_of(s, [(0, 8)], 1000)
        seeds = [(POPULATE, populate_list([(0, 8), (16, 8)])),
                 (WRITE_TOKEN, write_list(token, [(0, 4), (90, 4)])),
                 (WRITE_TOKEN, write_list(ZERO_TOKEN, [(0, 4), (90, 4)]))]
        for _ in range(1500):
            sa, data = rnd.choice(seeds)
            data = bytearray(data)
            for _ in range(rnd.randint(1, 4)):
                data[rnd.randrange(len(data))] = rnd.choice((0, 1, 2, 0xFF, rnd.randrange(256)))
            n = rnd.choice((len(data), rnd.randrange(1, len(data))))
            check(send(s, sa, bytes(data[:n]), 2).status in (0, 2, 8), "a status")
            ask(s, ROD, 0, 2)


@suite.case
def tokens_are_bounded(b):
    """Above 64 of an initiator: INSUFFICIENT RESOURCES TO CREATE ROD TOKEN; room comes with the
    end of others.  Another initiator has its own share."""
    with opened(b) as s, Session(b.addr, disks(b).name,
                                 initiator="iqn.1994-05.com.example:other") as o:
        o.clear_ua(1)
        for i in range(65):
            t = send(s, POPULATE, populate_list([(2000 + 8 * i, 8)]), 1, 1)
            if t.status:
                break
        condition(t, BAD, 0x550D)
        with opened(b) as again:
            condition(send(again, POPULATE, populate_list([(2000, 8)]), 1, 1), BAD, 0x550D)
        token_of(o, [(2000, 8)])
        s.write(2000, bytes(2100 * 512))
        token_of(s, [(2000, 8)])


@suite.case
def reservations_hold(b):
    with opened(b) as s, Session(b.addr, disks(b).name,
                                 initiator="iqn.1994-05.com.example:other") as o:
        o.clear_ua(2)
        token = token_of(s, [(100, 20)])
        good(o.scsi(scsi.reserve6(), lun=2))
        equal(send(s, WRITE_TOKEN, write_list(token, [(0, 20)]), 2, 6).status,
              scsi.RESERVATION_CONFLICT, "WRITE USING TOKEN")
        equal(send(s, POPULATE, populate_list([(0, 20)]), 2, 6).status,
              scsi.RESERVATION_CONFLICT, "POPULATE TOKEN")


if __name__ == "__main__":
    sys.exit(suite.run())
