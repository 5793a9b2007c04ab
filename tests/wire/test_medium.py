#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Another medium for a removable LUN (params path=): the LUN stays the same, and nothing that was
meant for one medium gets to another."""

import os
import struct
import sys
import threading

import scsi
from daemon import pattern
from expect import condition, good
from harness import Suite, check, equal, until
from session import Session

suite = Suite()

NOT_READY, UNIT_ATTENTION = 2, 6
NO_MEDIUM, MAY_HAVE_CHANGED = 0x3A00, 0x2800
START, LOEJ = 1, 2


class Drive:
    """A removable LUN with a disk of 4 MiB, and sessions to it."""

    def __init__(self, b, sessions=1, options=(), mb=4):
        self.b = b
        self.target = b.d.target(disks=0)
        self.path = b.d.disk(mb)
        self.target.lun(1, self.path, *options)
        self.target.lun_params(1, "removable=1")
        self.s = [Session(b.addr, self.target.name,
                          isid=bytes([0x80, 0, 0, 0, 0, n])).clear_ua() for n in range(sessions)]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for s in self.s:
            s.close()

    def insert(self, path, more=""):
        self.target.lun_params(1, f"path={path}{more}")

    def refused(self, params):
        r = self.b.d.adm("--mode", "logicalunit", "--op", "update", "--tid", str(self.target.tid),
                         "--lun", "1", "--params", params, check=False)
        check(r.returncode != 0, f"{params} was accepted")
        return r.stderr

    def shown(self):
        return self.b.d.adm("--mode", "target", "--op", "show").stdout


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def other_disk(b, mb, byte):
    path = b.d.disk(mb)
    with open(path, "r+b") as f:
        f.write(bytes([byte]) * (mb << 20))
    return path


@suite.case
def it_is_the_same_unit_with_other_data(b):
    with Drive(b, 3) as d:
        before = [bytes(good(s.scsi(scsi.inquiry(1, page), read=255)).datain)
                  for page in (0x80, 0x83) for s in d.s]
        d.s[0].write(0, b"\x11" * 4096)
        new = other_disk(b, 2, 0x77)
        d.insert(new)
        for s in d.s:
            condition(s.scsi(scsi.read(0, 8), read=4096), UNIT_ATTENTION, MAY_HAVE_CHANGED)
            check(s.read(0, 8) == b"\x77" * 4096, "data of the new medium")
            capacity = bytes(good(s.scsi(scsi.read_capacity16(), read=32)).datain)
            equal(struct.unpack(">Q", capacity[:8])[0], 4095, "the last block")
            condition(s.scsi(scsi.read(4096, 1), read=512), scsi.ILLEGAL_REQUEST,
                      scsi.LBA_OUT_OF_RANGE)
        equal([bytes(good(s.scsi(scsi.inquiry(1, page), read=255)).datain)
               for page in (0x80, 0x83) for s in d.s], before, "identity")
        check(f"Backing store path: {new}" in d.shown(), d.shown())
        d.s[1].write(8, b"\x22" * 4096)
        d.insert(d.path)
        check(contents(new)[4096:8192] == b"\x22" * 4096, "the new one was written")
        d.s[2].clear_ua()
        check(d.s[2].read(0, 8) == b"\x11" * 4096, "the first one again")
        equal(d.s[2].read(8, 8), pattern(8, 8), "its other blocks")


@suite.case
def reservations_stay(b):
    """The registration is the LUN's, not the medium's."""
    with Drive(b, 2) as d:
        register = bytes(8) + struct.pack(">Q", 7) + bytes(8)
        reserve = struct.pack(">Q", 7) + bytes(16)
        good(d.s[0].scsi(bytes([0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0]), out=register))
        good(d.s[0].scsi(bytes([0x5F, 1, 3, 0, 0, 0, 0, 0, 24, 0]), out=reserve))
        d.insert(other_disk(b, 2, 1))
        equal(d.s[1].scsi(scsi.read(0, 1), read=512).status, 0x18, "status of a stranger")
        d.s[0].clear_ua()
        d.s[0].read(0, 1)


@suite.case
def a_write_that_waits_for_its_data_ends(b):
    """It must not land on the medium that came meanwhile."""
    with Drive(b) as d:
        s, old = d.s[0], contents(d.path)
        t = s.start(scsi.write(0, 1024), out=b"\xee" * 524288, manual=True)
        s.wait(lambda: t.r2ts)
        new = other_disk(b, 4, 0x77)
        d.insert(new)
        for p in list(t.r2ts):          # asked for before: it is still to be sent
            s.answer_r2t(t, p)
        condition(s.finish(t), NOT_READY, NO_MEDIUM)
        s.clear_ua()
        check(contents(d.path) == old, "the old medium was written")
        check(contents(new) == b"\x77" * (4 << 20), "the new medium was written")


@suite.case
def what_the_old_store_still_does_stays_there(b):
    """A store that takes long: the new medium serves at once, the old write is the old one's."""
    on = os.path.join(b.d.dir, "slow")
    target = b.d.target(disks=0)
    old, new = other_disk(b, 4, 0), other_disk(b, 4, 0x77)
    target.lun(1, f"rdwr:{old}", "--bstype", "error",
               "--bsopts", f"control={on};op=write;delay=1500")
    target.lun_params(1, "removable=1")
    with Session(b.addr, target.name).clear_ua() as s:
        open(on, "w", encoding="ascii").close()
        t = s.start(scsi.write(0, 8), out=b"\x11" * 4096)
        s.nop()
        target.lun_params(1, f"path=rdwr:{new}")
        condition(s.finish(t), NOT_READY, NO_MEDIUM)
        os.unlink(on)
        s.clear_ua()
        check(s.read(0, 8) == b"\x77" * 4096, "data of the new medium")
        check(contents(old)[:4096] == b"\x11" * 4096, "it is answered when the old one is closed")
    check(contents(new) == b"\x77" * (4 << 20), "the new medium was written")


def is_empty(s):
    for cdb, n in ((scsi.read(0, 1), 512), (scsi.tur(), 0), (scsi.read_capacity10(), 8),
                   (scsi.start_stop(START, LOEJ), 0)):
        condition(s.scsi(cdb, read=n), NOT_READY, NO_MEDIUM)
    condition(s.scsi(scsi.write(0, 1), out=bytes(512)), NOT_READY, NO_MEDIUM)
    good(s.scsi(scsi.inquiry(), read=255))
    good(s.scsi(scsi.inquiry(1, 0xB0), read=255))
    good(s.scsi(scsi.mode_sense10(0x3F), read=255))
    sense = bytes(good(s.scsi(scsi.request_sense(), read=252)).datain)
    equal((sense[2] & 15, sense[12] << 8 | sense[13]), (NOT_READY, NO_MEDIUM), "REQUEST SENSE")


@suite.case
def made_without_a_medium(b):
    """Without a backing store, as tgt has it, the LUN is a drive that is empty."""
    target = b.d.target(disks=0)
    target.lun(1, "")
    with Session(b.addr, target.name) as s:
        condition(s.scsi(scsi.tur()), UNIT_ATTENTION)
        is_empty(s)
        target.lun_params(1, f"path={other_disk(b, 1, 9)}")
        condition(s.scsi(scsi.tur()), UNIT_ATTENTION, MAY_HAVE_CHANGED)
        check(s.read(0, 1) == b"\x09" * 512, "data of the first medium")
        s.write(8, b"\x22" * 512)
        equal(s.read(8, 1), b"\x22" * 512, "it can be written")


@suite.case
def without_a_medium(b):
    with Drive(b, 2) as d:
        s = d.s[0]
        d.insert("")
        is_empty(s)
        check("Online: No" in d.shown() and "Backing store path: None" in d.shown().split("LUN: 1")[1],
              d.shown())
        late = Session(b.addr, d.target.name, isid=bytes([0x80, 0, 0, 0, 1, 0]))
        condition(late.scsi(scsi.tur()), UNIT_ATTENTION)
        condition(late.scsi(scsi.tur()), NOT_READY, NO_MEDIUM)
        d.insert("")                    # again: nothing to take out
        check("there is no medium" in d.refused("size=auto"), "a size of nothing")
        d.insert(d.path)
        for t in (*d.s, late):
            condition(t.scsi(scsi.tur()), UNIT_ATTENTION, MAY_HAVE_CHANGED)
            equal(t.read(0, 8), pattern(0, 8), "its data")
        late.close()
        d.insert("")
    d.b.d.adm("--mode", "logicalunit", "--op", "delete", "--tid", str(d.target.tid), "--lun", "1")


@suite.case
def ejected_by_the_initiator(b):
    """A medium that comes is loaded; and what is offline comes back with it, as in tgt."""
    with Drive(b) as d:
        s = d.s[0]
        good(s.scsi(scsi.start_stop(0, LOEJ)))
        condition(s.scsi(scsi.tur()), NOT_READY, NO_MEDIUM)
        good(s.scsi(scsi.start_stop(START, LOEJ)))
        equal(s.read(0, 8), pattern(0, 8), "the medium that was ejected")
        good(s.scsi(scsi.start_stop(0, LOEJ)))
        d.insert(other_disk(b, 1, 9))
        condition(s.scsi(scsi.tur()), UNIT_ATTENTION, MAY_HAVE_CHANGED)
        check(s.read(0, 1) == b"\x09" * 512, "the new medium")
        d.target.lun_params(1, "online=0")
        condition(s.scsi(scsi.tur()), UNIT_ATTENTION, MAY_HAVE_CHANGED)
        condition(s.scsi(scsi.tur()), NOT_READY)
        d.insert(d.path)
        s.clear_ua()
        equal(s.read(0, 8), pattern(0, 8), "online again")
        d.insert(d.path, ",online=0")
        condition(s.scsi(scsi.tur()), UNIT_ATTENTION, MAY_HAVE_CHANGED)
        condition(s.scsi(scsi.tur()), NOT_READY)


@suite.case
def refusals_change_nothing(b):
    fixed = b.d.target(disks=1)
    r = b.d.adm("--mode", "logicalunit", "--op", "update", "--tid", str(fixed.tid), "--lun", "1",
                "--params", "path=/nowhere", check=False)
    check(r.returncode and "not removable" in r.stderr, r.stderr)
    with Drive(b) as d:
        s = d.s[0]
        check("/nowhere" in d.refused("path=/nowhere,vendor_id=X"), "no such file")
        small = os.path.join(b.d.dir, "small")
        with open(small, "wb") as f:
            f.write(b"x" * 100)
        check("less than one block" in d.refused(f"path={small}"), "too small")
        check("size" in d.refused(f"path={d.path},size=auto"), "with a size")
        good(s.scsi(bytes([0x1E, 0, 0, 0, 1, 0])))
        check("locked" in d.refused(f"path={d.path}"), "locked in")
        check("locked" in d.refused("online=0"), "locked in, offline")
        good(s.scsi(bytes([0x1E, 0, 0, 0, 0, 0])))
        good(s.scsi(scsi.tur()))        # no unit attention: nothing has changed
        equal(s.read(0, 8), pattern(0, 8), "the old medium")


@suite.case
def not_while_it_is_formatted(b):
    target = b.d.target(disks=0)
    target.lun(1, f"rdwr:{b.d.disk(64)}", "--bstype", "error", "--bsopts", "op=write;delay=300")
    target.lun_params(1, "removable=1")
    with Session(b.addr, target.name).clear_ua() as s:
        overwrite = bytes([1, 0, 0, 4]) + b"\xc3" * 4
        good(s.scsi(bytes([0x48, 0x81, 0, 0, 0, 0, 0, 0, 8, 0]), out=overwrite))
        r = b.d.adm("--mode", "logicalunit", "--op", "update", "--tid", str(target.tid), "--lun",
                    "1", "--params", "path=rdwr:/dev/null", check=False)
        check(r.returncode and "sanitized" in r.stderr, r.stderr)
    b.d.adm("--mode", "logicalunit", "--op", "delete", "--tid", str(target.tid), "--lun", "1",
            "--force")


@suite.case
def loans_end_with_their_medium(b):
    """What is read often is sent from mapped memory (lu/loan.h)."""
    with Drive(b) as d:
        s = d.s[0]

        def mapped():
            for _ in range(200):
                s.read(0, 8)
            with open(f"/proc/{b.d.pid}/maps", encoding="utf-8") as f:
                return d.path in f.read()
        until("the disk is mapped", mapped)
        reads = [s.start(scsi.read(0, 2048), read=1 << 20) for _ in range(16)]
        new = other_disk(b, 4, 0x77)
        changing = threading.Thread(target=d.insert, args=(new,))
        changing.start()
        for t in reads:
            s.finish(t)
            if t.status == scsi.GOOD:
                equal(bytes(t.datain), pattern(0, 2048), "the old medium")
        changing.join()
        s.clear_ua()
        check(s.read(0, 8) == b"\x77" * 4096, "the new medium")


@suite.case
def under_load(b):
    """Sessions that write what they believe to be in the drive: each medium has its own only."""
    sessions, changes, blocks = 6, 30, 64
    with Drive(b, sessions) as d:
        media = [other_disk(b, 4, 0) for _ in range(3)]
        current = {"n": 0}
        order = [d.path] + [media[i % 3] for i in range(changes)]
        done = threading.Event()

        seen = [0] * sessions           # changes that the session was told of

        def exchange():
            try:
                for n, path in enumerate(order[1:], 1):
                    d.insert(path)
                    current["n"] = n
                    # Two changes that nobody was told of in between are one attention.
                    until("everybody knows of it", lambda n=n: min(seen) >= n)
            finally:
                done.set()

        wrote = {}                      # by session: (changes seen, stamp), answered with GOOD
        thread = threading.Thread(target=exchange)
        thread.start()
        count = 0
        while not done.is_set() or count < 50:
            count += 1
            tasks = []
            for i, s in enumerate(d.s):
                stamp = struct.pack(">QQ", i + 1, seen[i] << 32 | count) * (blocks * 32)
                tasks.append((i, s, stamp,
                              s.start(scsi.write(i * blocks, blocks), out=stamp) if count % 2 else
                              s.start(scsi.read(i * blocks, blocks), read=blocks * 512)))
            for i, s, stamp, t in tasks:
                s.finish(t)
                if t.status == scsi.GOOD:
                    if count % 2:
                        wrote.setdefault(i, []).append((seen[i], stamp[:16]))
                    else:
                        data = bytes(t.datain)
                        last = [w for w in wrote.get(i, []) if w[0] == seen[i]]
                        if last:
                            equal(data[:16].hex(), last[-1][1].hex(), "read after write")
                            check(data == data[:16] * (blocks * 32), "torn")
                elif t.sense.key == UNIT_ATTENTION:
                    equal(t.sense.code, MAY_HAVE_CHANGED, "attention")
                    seen[i] += 1
                else:
                    equal(t.sense.code, NO_MEDIUM, "sense")
        thread.join()
        equal(current["n"], changes, "changes")
        d.insert("")
        for path in (d.path, *media):
            data = contents(path)
            for i in range(sessions):
                at = i * blocks * 512
                who, stamp = struct.unpack(">QQ", data[at:at + 16])
                if who != i + 1:
                    continue            # as it was made
                check(data[at:at + blocks * 512] == data[at:at + 16] * (blocks * 32), "torn on disk")
                epoch = stamp >> 32
                check(order[epoch] == path, f"session {i} wrote in epoch {epoch}: not this medium")


if __name__ == "__main__":
    sys.exit(suite.run())
