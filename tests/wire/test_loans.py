#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Reads that are answered from mapped memory of the store, without a copy: after many reads of one
place (lu/loan.h).  What the initiator sees must be what a read would have given."""

import os
import random
import sys

import scsi
from daemon import pattern
from expect import condition, good
from harness import Suite, check, equal, until
from iscsi import Closed
from session import HEAD, ORDERED, Session

suite = Suite()

EXTENT = 4096                   # blocks: what is mapped at a time
READS = 200                     # and more than it takes


def mapped(d, path):
    """Bytes of that file that the daemon has mapped."""
    with open(f"/proc/{d.pid}/maps", encoding="utf-8") as f:
        ranges = [line.split()[0].split("-") for line in f if line.rstrip().endswith(path)]
    return sum(int(end, 16) - int(start, 16) for start, end in ranges)


def warm(b, s, path, lba=0):
    """Reads there until that part of the disk is mapped."""
    before = mapped(b.d, path)

    def more():
        for _ in range(READS):
            s.read(lba, 8)
        return mapped(b.d, path) > before
    until("the disk is mapped", more)


class Warm:
    """A session to a disk of 4 MiB whose first extent is mapped."""

    def __init__(self, b, keys=None, options=(), warmed=True):
        self.target = b.d.target(disks=0)
        self.path = b.d.disk(4)
        self.target.lun(1, self.path, *options)
        self.s = Session(b.addr, self.target.name, keys).clear_ua()
        if warmed:
            warm(b, self.s, self.path)

    def __enter__(self):
        return self.s, self

    def __exit__(self, *exc):
        self.s.close()

    def contents(self):
        with open(self.path, "rb") as f:
            return f.read()


@suite.case
def reads_of_every_length(b):
    """To the end of an extent, across it, and to the last block."""
    with Warm(b) as (s, w):
        warm(b, s, w.path, EXTENT)
        disk = w.contents()
        for lba, n in ((0, 1), (0, 2048), (1, 127), (7, EXTENT - 7), (EXTENT - 1, 1),
                       (EXTENT - 1, 2), (EXTENT - 100, 200), (2 * EXTENT - 1, 1), (0, 2 * EXTENT)):
            equal(s.read(lba, n), disk[lba * 512:(lba + n) * 512], f"{n} blocks at {lba}")
        condition(s.scsi(scsi.read(2 * EXTENT - 1, 2), read=1024), scsi.ILLEGAL_REQUEST,
                  scsi.LBA_OUT_OF_RANGE)


@suite.cases([("none", {}), ("header", {"HeaderDigest": "CRC32C"}),
              ("both", {"HeaderDigest": "CRC32C", "DataDigest": "CRC32C"})])
def what_is_written_shows(b, digests):
    rand = random.Random(1)
    with Warm(b, digests) as (s, w):
        disk = bytearray(w.contents())
        for _ in range(300):
            lba, n = rand.randrange(EXTENT - 64), rand.randrange(1, 64)
            if rand.random() < 0.3:
                data = rand.randbytes(n * 512)
                s.write(lba, data)
                disk[lba * 512:(lba + n) * 512] = data
            else:
                equal(s.read(lba, n), bytes(disk[lba * 512:(lba + n) * 512]), f"{n} blocks at {lba}")


@suite.case
def an_ordered_write_does_not_show_in_an_older_read(b):
    """SAM-5 8.6: what is lent is read when it is sent, and that may be long after."""
    with Warm(b) as (s, _w):
        s.write(0, b"\x11" * 65536)
        reads = [s.start(scsi.read(0, 128), read=65536) for _ in range(100)]
        write = s.start(scsi.write(0, 128), out=b"\x22" * 65536, attr=ORDERED)
        for n, t in enumerate(reads):
            check(bytes(good(s.finish(t)).datain) == b"\x11" * 65536, f"read {n} of 100")
        good(s.finish(write))
        check(s.read(0, 128) == b"\x22" * 65536, "what was written")


@suite.cases([("ordered", ORDERED), ("head_of_queue", HEAD)])
def a_write_does_not_show_in_a_read_it_waits_for(b, attr):
    """SAM-5 8.6: a SIMPLE task starts when older ORDERED and HEAD OF QUEUE ones are over."""
    with Warm(b) as (s, w):
        s.write(0, b"\x11" * 131072)
        reads = [s.start(scsi.read(0, 256), read=131072, attr=attr) for _ in range(50)]
        write = s.start(scsi.write(248, 8), out=b"\x22" * 4096)
        for n, t in enumerate(reads):
            check(bytes(good(s.finish(t)).datain) == b"\x11" * 131072, f"read {n} of 50")
        good(s.finish(write))
        check(s.read(248, 8) == b"\x22" * 4096, "what was written")


@suite.case
def what_is_unmapped_reads_as_zeroes(b):
    with Warm(b) as (s, w):
        w.target.lun_params(1, "thin_provisioning=1")
        s.clear_ua()
        blocks = os.stat(w.path).st_blocks
        good(s.scsi(scsi.unmap(24), out=scsi.unmap_list([(8, 1024)])))
        check(s.read(8, 1024) == bytes(1024 * 512), "unmapped blocks")
        equal(s.read(0, 8), pattern(0, 8), "the blocks before")
        equal(s.read(1032, 8), pattern(1032, 8), "the blocks behind")
        check(os.stat(w.path).st_blocks < blocks, "no space was given back")


@suite.case
def a_file_that_was_cut(b):
    """What is lent is gone: that ends the connection, and the next try is a medium error."""
    with Warm(b) as (s, w):
        size = os.path.getsize(w.path)
        os.truncate(w.path, 0)
        try:
            t = s.scsi(scsi.read(64, 8), read=4096)
            check(t.status != scsi.GOOD, "GOOD for what is not there")
        except Closed:
            pass
        with Session(b.addr, w.target.name) as again:
            again.clear_ua()
            condition(again.scsi(scsi.read(64, 8), read=4096), scsi.MEDIUM_ERROR, 0x1100)
            os.truncate(w.path, size)
            check(again.read(64, 8) == bytes(4096), "zeroes of the file that grew again")


@suite.case
def nothing_is_mapped_with_map_0(b):
    with Warm(b, options=("--bsopts", "map=0"), warmed=False) as (s, w):
        for _ in range(5 * READS):
            s.read(0, 8)
        equal(mapped(b.d, w.path), 0, "what is mapped")


@suite.case
def the_limit_holds(b):
    """map=2M: one extent at a time, and the disk is all right all the same."""
    with Warm(b, options=("--bsopts", "map=2M")) as (s, w):
        disk = w.contents()
        rand = random.Random(2)
        for _ in range(3000):
            lba = rand.randrange(2 * EXTENT - 8)
            equal(s.read(lba, 8), disk[lba * 512:(lba + 8) * 512], f"8 blocks at {lba}")
        check(mapped(b.d, w.path) <= 2 << 20, "more is mapped than was allowed")


@suite.case
def what_is_mapped_goes_with_the_unit(b):
    with Warm(b) as (_s, w):
        check(mapped(b.d, w.path) > 0, "nothing is mapped")
    b.d.adm("--mode", "target", "--op", "delete", "--tid", str(w.target.tid), "--force")
    until("it is unmapped", lambda: not mapped(b.d, w.path))


if __name__ == "__main__":
    sys.exit(suite.run())
