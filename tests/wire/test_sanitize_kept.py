#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""A SANITIZE that is cut off has failed: the disk is of no use, also after a restart, until one
succeeds or EXIT FAILURE MODE ends that (SBC-4 r22 4.11, 5.26).  Half of its data is still there."""

import os
import sys

import scsi
from durable import DISK_MB, Durable
from expect import condition, good
from harness import Suite, check, equal

suite = Suite(alone=True)

IMMED, AUSE = 0x80, 0x20
FAILED, IN_PROGRESS = 0x3103, 0x041B
PATTERN = bytes([1, 0, 0, 4]) + b"\xc3\x3c\xc3\x3c"
LONG = b"\x1f" + PATTERN[1:]            # 31 times over everything


def sanitize(s, flags=0, data=PATTERN):
    return s.scsi(bytes([0x48, flags | 1, 0, 0, 0, 0, 0, 0, len(data), 0]), out=data)


def leave(s):
    return s.scsi(bytes([0x48, 0x1F]) + bytes(8))


def sense(s):
    return scsi.parse_sense(bytes(good(s.scsi(scsi.request_sense(), read=252)).datain))


def slow(d, how="op=write;delay=300", disk=None):
    d.target.lun(1, "rdwr:" + (disk or d.disk), "--bstype", "error", "--bsopts", how, "--params",
                 "scsi_id=one")


def spoiled(d):
    """A session with the disk, of which it knows that it was reset."""
    s = d.node(1, clear=False)
    condition(s.scsi(scsi.tur()), scsi.UNIT_ATTENTION)
    return s


def is_of_no_use(s):
    for cdb, size in (scsi.tur(), 0), (scsi.read(0, 1), 512):
        condition(s.scsi(cdb, read=size), scsi.MEDIUM_ERROR, FAILED)
    condition(s.scsi(scsi.write(0, 1), out=bytes(512)), scsi.MEDIUM_ERROR, FAILED)
    equal((sense(s).key, sense(s).code), (scsi.MEDIUM_ERROR, FAILED), "REQUEST SENSE")
    good(s.scsi(scsi.inquiry(), read=255))


def begun(d, flags=IMMED):
    """One is under way, and has some seconds to go."""
    slow(d)
    with d.node(1) as s:
        good(sanitize(s, flags, LONG))
        equal(sense(s).code, IN_PROGRESS, "REQUEST SENSE")
    equal(len(d.files("kept")), 1, "files when GOOD was said")


def again(d, how):
    if how == "remove":
        d.d.adm("--mode", "logicalunit", "--op", "delete", "--tid", str(d.target.tid), "--lun", "1",
                "--force")
    else:
        getattr(d, how)()
        d.start(lun=False)


@suite.cases([(how, how) for how in ("kill", "stop", "remove")])
def cut_off(_b, how):
    with Durable() as d:
        d.start(lun=False)
        begun(d)
        again(d, how)
        slow(d, "op=flush;delay=1")
        with spoiled(d) as s:
            is_of_no_use(s)
            # It was in restricted mode: neither EXIT FAILURE MODE nor AUSE leads out.
            condition(leave(s), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB)
            condition(sanitize(s, AUSE), scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB)
            is_of_no_use(s)
        again(d, "kill")
        slow(d, "op=flush;delay=1")
        with spoiled(d) as s:
            is_of_no_use(s)
            good(sanitize(s))
            equal(s.read(0, DISK_MB << 3), PATTERN[4:] * (DISK_MB << 10), "the data")
            equal(d.files("kept"), [], "files")
        again(d, "kill")
        slow(d, "op=flush;delay=1")
        with d.node(1) as s:
            good(s.scsi(scsi.tur()))


@suite.case
def left_by_exit_failure_mode(_b):
    with Durable() as d:
        d.start(lun=False)
        begun(d, IMMED | AUSE)
        again(d, "kill")
        slow(d)
        with spoiled(d) as s:
            is_of_no_use(s)
            os.rename(d.state, d.state + ".away")
            condition(leave(s), scsi.HARDWARE_ERROR)
            is_of_no_use(s)
            os.rename(d.state + ".away", d.state)
            good(leave(s))
            good(s.scsi(scsi.tur()))
            good(leave(s))
            equal(d.files("kept"), [], "files")
        again(d, "kill")
        slow(d)
        with d.node(1) as s:
            good(s.scsi(scsi.tur()))


@suite.case
def of_the_store(_b):
    """Another store that comes by the same identity was not touched; and the mark waits for
    the one that was.  Another identity is not taken before it is over."""
    with Durable() as d:
        d.start(lun=False)
        begun(d)
        r = d.d.adm("--mode", "logicalunit", "--op", "update", "--tid", str(d.target.tid),
                    "--lun", "1", "--params", "scsi_id=other", check=False)
        check(r.returncode != 0 and "'scsi_id'" in r.stderr, r.stderr)
        again(d, "kill")
        slow(d, disk=d.d.disk(DISK_MB))
        with d.node(1) as s:
            good(s.scsi(scsi.tur()))
        d.kill()
        d.start(lun=False)
        slow(d)
        with spoiled(d) as s:
            is_of_no_use(s)
        r = d.d.adm("--mode", "logicalunit", "--op", "update", "--tid", str(d.target.tid),
                    "--lun", "1", "--params", "scsi_id=other", check=False)
        check(r.returncode != 0 and "'scsi_id'" in r.stderr, r.stderr)


@suite.case
def not_begun_when_it_cannot_be_kept(_b):
    with Durable() as d:
        d.start(lun=False)
        slow(d)
        with d.node(1) as s:
            s.write(0, b"\x77" * 512)
            os.rename(d.state, d.state + ".away")
            for flags in 0, IMMED:
                condition(sanitize(s, flags), scsi.HARDWARE_ERROR)
                equal(s.read(0, 1), b"\x77" * 512, "the data")
            os.rename(d.state + ".away", d.state)
            good(sanitize(s))
            equal(s.read(0, 1), PATTERN[4:] * 128, "the data")


if __name__ == "__main__":
    sys.exit(suite.run())
