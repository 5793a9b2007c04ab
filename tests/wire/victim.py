# SPDX-License-Identifier: BSD-3-Clause
"""A write that a test is about to spoil, and what must hold afterwards."""

import random

import scsi
from harness import Failed, among, check
from iscsi import Closed
from session import Rejected, Session

FILL = b"\x5c" * 512
PROTOCOL_ERRORS = (0x04, 0x09)          # 11.17.1: protocol error, invalid PDU field
LBA, BLOCKS = 4096, 16
SIZE = BLOCKS * 512


def target(b, **more):
    """One target per set of values; agrees to unsolicited data."""
    made = b.__dict__.setdefault("error_targets", {})
    key = tuple(sorted(more.items()))
    if key not in made:
        made[key] = b.d.target(**{"InitialR2T": "No", "MaxOutstandingR2T": 4, **more})
    return made[key]


def data_of(seed):
    return random.Random(seed).randbytes(SIZE)


class Victim:
    """A session with one write that will go wrong, over blocks filled with a known byte."""

    def __init__(self, b, keys=None, **params):
        self.b, self.t = b, target(b, **params)
        self.s = Session(b.addr, self.t.name, {"ImmediateData": "No", **(keys or {})})
        self.s.clear_ua()
        self.s.write(LBA - 1, FILL * (BLOCKS + 2))
        self.data = data_of(1)
        self.task = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.s.close()

    def begin(self, **how):
        self.task = self.s.start(scsi.write(LBA, BLOCKS), out=self.data, manual=True, **how)
        return self.task

    def first_r2t(self):
        self.s.wait(lambda: self.task.r2ts or self.task.done)
        if self.task.done:
            raise Failed(f"no R2T, but {self.task}")
        return self.task.r2ts[0]

    def send(self, offset, length, ttt, datasn=0, final=True):
        self.s.conn.send(self.s.data_out(self.task, offset, length, ttt, datasn, final))

    def on_disk(self):
        with open(self.t.paths[1], "rb") as f:
            f.seek((LBA - 1) * 512)
            return f.read(SIZE + 1024)

    def refused(self, silence=False, reasons=PROTOCOL_ERRORS):
        """CHECK CONDITION, Reject or the end; with @silence also no answer at all.  Never
        GOOD, never a byte outside the command's range."""
        try:
            if silence:
                self.s.nop()
            else:
                self.s.wait(lambda: self.task.done or self.task.reject)
        except (Closed, Rejected):
            pass
        if self.task.reject:
            among(self.task.reject.reason, reasons, "the reason of the Reject")
        if self.task.done:
            check(self.task.status != scsi.GOOD or self.task.response != 0,
                  "GOOD for data that did not arrive as agreed")
        self.neighbours()

    def neighbours(self):
        disk = self.on_disk()
        check(disk[:512] == FILL and disk[-512:] == FILL, "a block outside the command changed")

    def untouched(self):
        check(self.on_disk() == FILL * (BLOCKS + 2), "a refused write changed the disk")
