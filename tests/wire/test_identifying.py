#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""REPORT and SET IDENTIFYING INFORMATION, SPC-4 6.32 and 6.44: what people call a disk outlives
everything, also kill -9."""

import os
import random
import struct
import sys
import threading

import scsi
from durable import Durable, damage
from expect import condition, good
from harness import Suite, check, equal
from pr import Node

suite = Suite(alone=True)

DEVICE_IDENTIFIER_CHANGED = 0x3F05
BINARY, TEXT, SUPPORTED = 0x00, 0x02, 0x7F


def report_cdb(kind, alloc=4096):
    return scsi.cdb(0xA3, 12, (1, 1, 0x05), (6, 4, alloc), (10, 1, kind << 1))


def set_cdb(kind, size):
    return scsi.cdb(0xA4, 12, (1, 1, 0x06), (6, 4, size), (10, 1, kind << 1))


def report(s, kind, alloc=4096):
    """The information, or as much of it as fits @alloc bytes of parameter data."""
    raw = bytes(good(s.scsi(report_cdb(kind, alloc), read=alloc)).datain)
    reserved, size = struct.unpack(">HH", raw[:4])
    equal(reserved, 0, "the reserved bytes")
    equal(len(raw), min(size + 4, alloc), "the length of the parameter data")
    return raw[4:]


def store(s, kind, data):
    return s.scsi(set_cdb(kind, len(data)), out=data)


def sessions(how):
    """@how(disk with a state directory, two of its nexuses)."""
    def case(_b):
        with Durable() as d:
            d.start()
            with d.node(1) as one, d.node(2) as two:
                how(d, one, two)
    case.__name__ = how.__name__
    return suite.case(case)


@sessions
def stored_and_reported(_d, one, two):
    equal((report(one, BINARY), report(one, TEXT)), (b"", b""), "what nobody has set")
    binary, text = bytes(range(256)) * 2, "Räume, 漢字 😀".encode() + b"\0"
    good(store(one, BINARY, binary))
    two.attentions()
    good(store(two, TEXT, text))
    for s in one, two:
        s.attentions()
        equal((report(s, BINARY), report(s, TEXT)), (binary, text), "the information")
    equal(report(one, BINARY, 10), binary[:6], "the beginning of it")
    good(store(one, TEXT, b"\0"))
    equal(report(one, TEXT), b"\0", "an empty text")
    good(store(one, BINARY, b""))           # 6.44: "no data shall be transferred"
    equal(report(one, BINARY), b"", "what was taken back")


@sessions
def what_there_is(_d, one, _two):
    equal(report(one, SUPPORTED), bytes([0, 0, 2, 0, TEXT << 1, 0, 1, 0]), "the types")
    ops = bytes(good(one.scsi(scsi.report_opcodes(2, 0xA4, 0x06), read=64)).datain)
    equal(ops[1] & 7, 3, "SUPPORT")
    equal(ops[4:], bytes.fromhex("a40600000000fffffffffe00"), "CDB USAGE DATA")


@sessions
def refused(_d, one, two):
    good(store(one, BINARY, b"mine"))
    two.attentions()
    for kind in 1, 3, 4, 0x7E:              # restricted and reserved
        condition(one.scsi(report_cdb(kind), read=64), scsi.ILLEGAL_REQUEST,
                  scsi.INVALID_FIELD_IN_CDB, (True, 10))
    for kind in 1, 4, SUPPORTED:
        condition(store(one, kind, b"x"), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB, (True, 10))
    for kind, size in (BINARY, 513), (TEXT, 257), (BINARY, 1 << 20):
        condition(one.scsi(set_cdb(kind, size), out=bytes(size)), scsi.ILLEGAL_REQUEST,
                  scsi.INVALID_FIELD_IN_CDB, (True, 6))
    for bad in (b"no zero at the end", b"two\0zeroes\0", b"\xff\xfe\0", b"\xc0\x80\0",
                "surrogate \ud800".encode(errors="surrogatepass") + b"\0", b"cut \xe6\xbc\0",
                b"beyond \xf4\x90\x80\x80\0"):
        condition(store(one, TEXT, bad), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_PARAMETERS,
                  (False, 0))
    condition(one.scsi(set_cdb(BINARY, 8), out=b"four"), scsi.ILLEGAL_REQUEST)
    equal((report(one, BINARY), report(one, TEXT)), (b"mine", b""), "the information")
    equal(two.attentions(), [], "what the other was told")


@sessions
def others_are_told(d, one, two):
    """Of what changes, and also those who know the disk by another target."""
    other = d.d.target(disks=0)
    other.lun(1, d.d.disk(4))
    for t in d.target, other:
        t.lun_params(1, "scsi_id=shared")
    with Node(d, 4, target=other.name) as four:
        one.attentions(), two.attentions()
        good(store(one, TEXT, b"a\0"))
        equal(one.attentions(), [], "what it is told itself")
        for s in two, four:
            equal(s.attentions(), [DEVICE_IDENTIFIER_CHANGED], "what the others are told")
            equal(report(s, TEXT), b"a\0", "the information")
        good(store(one, TEXT, b"a\0"))
        for s in one, two, four:
            equal(s.attentions(), [], "what anybody is told of no change")


@suite.cases([("stop", "stop"), ("kill", "kill")])
def kept(_b, how):
    with Durable() as d:
        d.start()
        with d.node(1) as one:
            good(store(one, BINARY, b"\x00\xff" * 256))
            good(store(one, TEXT, b"x" * 255 + b"\0"))
        equal(len(d.files("kept")), 1, "files")
        getattr(d, how)()
        d.start()
        with d.node(1) as one:
            equal(report(one, BINARY), b"\x00\xff" * 256, "the information")
            equal(report(one, TEXT), b"x" * 255 + b"\0", "the text")
            good(store(one, BINARY, b""))
            good(store(one, TEXT, b""))
        equal(d.files("kept"), [], "files")


@suite.case
def killed_at_any_moment(_b):
    """What was answered is there, or what came next: never anything else."""
    rng = random.Random(7)
    with Durable() as d:
        done = 0
        for _ in range(8):
            d.start()
            with d.node(1) as one:
                raw = report(one, BINARY)
                got = struct.unpack(">Q", raw)[0] if raw else 0
                check(got in (done, done + 1), f"{got} after {done} was answered")
                done = got
                killer = threading.Timer(rng.uniform(0, 0.05), d.d.proc.kill)
                killer.start()
                try:
                    while True:
                        good(store(one, BINARY, struct.pack(">Q", done + 1)))
                        done += 1
                except Exception as e:
                    check(d.d.proc.wait(10) is not None, f"tgtd lives, but {e}")
                killer.join()
            d.kill()
        check(done > 3, "it was killed before anything happened")


@suite.case
def two_at_once(_b):
    """The last that was answered last is what is there, before and after a restart."""
    with Durable() as d:
        d.start()
        with d.node(1) as one, d.node(2) as two:
            for i in range(20):
                tasks = [(s, s.start(set_cdb(kind, 1), out=bytes([i])))
                         for s in (one, two) for kind in (BINARY, BINARY)]
                for s, t in tasks:
                    t = s.finish(t)
                    check(t.status == 0 or t.sense.key == scsi.UNIT_ATTENTION, f"{t}")
            one.attentions()        # of what the other has stored last
            good(store(one, TEXT, b"end\0"))
            two.attentions()
            before = report(two, BINARY)
        d.kill()
        d.start()
        with d.node(1) as one:
            equal((report(one, BINARY), report(one, TEXT)), (before, b"end\0"), "the information")


@suite.cases([("cut", lambda raw: raw[:-7]), ("bit", lambda raw: raw.replace(b"text", b"teXt")),
              ("other_unit", lambda raw: raw.replace(b"unit IET", b"unit TEI"))])
def damaged(_b, how):
    with Durable() as d:
        d.start()
        with d.node(1) as one:
            good(store(one, TEXT, b"name\0"))
        path, = d.files("kept")
        d.stop()
        damage(path, how)
        d.start(lun=False)
        r = d.d.adm("--mode", "logicalunit", "--op", "new", "--tid", "1", "--lun", "1",
                    "-b", d.disk, check=False)
        check(r.returncode != 0 and path in r.stderr, f"exit {r.returncode}: {r.stderr}")
        os.unlink(path)
        d.target.lun(1, d.disk)


@sessions
def unwritable(d, one, two):
    """What cannot be kept is not answered with GOOD, and has not happened."""
    good(store(one, TEXT, b"before\0"))
    two.attentions()
    os.rename(d.state, d.state + ".away")
    condition(store(one, TEXT, b"after\0"), scsi.HARDWARE_ERROR)
    equal(report(one, TEXT), b"before\0", "the text")
    equal(two.attentions(), [], "what the other is told")
    os.rename(d.state + ".away", d.state)
    good(store(one, TEXT, b"after\0"))
    equal(report(one, TEXT), b"after\0", "the text")


if __name__ == "__main__":
    sys.exit(suite.run())
