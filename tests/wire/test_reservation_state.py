#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Reservations that outlive the daemon (APTPL, SPC-4 5.12.5): restarts, kill -9 at any moment,
files that are damaged or cannot be written; and fencing while the fenced node writes."""

import os
import random
import shutil
import sys
import threading

import pr
import scsi
from durable import Durable, damage
from expect import condition, good
from harness import Suite, check, equal

suite = Suite(alone=True)


def conflict(t):
    equal(t.status, scsi.RESERVATION_CONFLICT, f"the status ({t})")


@suite.cases([(f"{name}/{how}", kind, how) for name, kind in pr.TYPES.items()
              for how in ("stop", "kill")])
def restart(_b, kind, how):
    with Durable() as s:
        s.start()
        with s.node(1) as one, s.node(2) as two:
            two.register(pr.APTPL)
            one.register(pr.APTPL).reserve(kind)
            before = one.full()
        getattr(s, how)()
        s.start()
        with s.node(3) as three, s.node(1) as one:
            equal(three.full(), before, "the full status")
            equal(three.keys()[0], 0, "the generation")     # 6.15.2: by power on
            equal(three.pr(pr.REPORT_CAPABILITIES)[3] & 1, 1, "PTPL_A")
            conflict(three.scsi(scsi.write(0, 1), out=bytes(512)))
            one.write(0, bytes(512))
            good(one.out(pr.CLEAR))
            equal(s.files(), [], "files")


@suite.case
def not_durable(_b):
    """The latest APTPL counts, for all that is registered."""
    with Durable() as s:
        s.start()
        with s.node(1) as one, s.node(2) as two:
            one.register(pr.APTPL).reserve(pr.EA)
            equal(len(s.files()), 1, "files")
            two.register()
            equal(s.files(), [], "files")
        s.kill()
        s.start()
        with s.node(2) as two:
            equal(two.keys(), (0, []), "generation and keys")
            two.write(0, bytes(512))


@suite.case
def killed_at_any_moment(_b):
    """What was answered is there; what was not is there, or not, but nothing else."""
    rng = random.Random(20)
    with Durable() as s:
        key = 0
        for _ in range(12):
            s.start()
            with s.node(1) as one:
                keys = one.keys()[1]
                check(keys in ([key], [key + 1]) if key else keys in ([], [1]),
                      f"{keys} after {key} was answered")
                key = keys[0] if keys else 0
                killer = threading.Timer(rng.uniform(0, 0.05), s.d.proc.kill)
                killer.start()
                try:
                    while True:
                        good(one.out(pr.REGISTER, key=key, new=key + 1, flags=pr.APTPL))
                        key += 1
                except Exception as e:
                    check(s.d.proc.wait(10) is not None, f"tgtd lives, but {e}")
                killer.join()
            s.kill()
        check(key > 3, "it was killed before anything happened")


@suite.case
def identity_set_later(_b):
    """A disk has the reservations of its identity, when it gets that as well."""
    with Durable() as s:
        s.start()
        s.target.lun_params(1, "scsi_id=my/disk 1")
        with s.node(1) as one:
            one.register(pr.APTPL).reserve(pr.EA)
            equal([os.path.basename(f) for f in s.files()], ["reservation-my%2fdisk%201"], "files")
        s.kill()
        s.start()
        with s.node(2) as two:
            equal(two.keys()[1], [], "the keys under another identity")
            s.target.lun_params(1, "scsi_id=my/disk 1")
            two.attentions()
            equal(two.held(), (0x1001, pr.EA), "the reservation")
            conflict(two.scsi(scsi.read(0, 1), read=512))
            s.target.lun_params(1, "pr_clear=1")
            equal(s.files(), [], "files")
            two.read(0, 1)


DAMAGES = [
    ("empty", lambda raw: b""),
    ("cut", lambda raw: raw[:-7]),
    ("cut_line", lambda raw: raw[:raw.rindex(b"sum")]),
    ("bit", lambda raw: raw.replace(b"holder", b"hoLder")),
    ("more", lambda raw: raw + b"x"),
    ("zeroes", lambda raw: bytes(len(raw))),
    ("other_unit", lambda raw: raw.replace(b"unit IET", b"unit TEI")),
]


@suite.cases(DAMAGES)
def damaged(_b, how):
    """Nobody knows who may write: the disk is not served, and why is said."""
    with Durable() as s:
        s.start()
        with s.node(1) as one:
            one.register(pr.APTPL).reserve(pr.EA)
        path, = s.files()
        s.kill()
        damage(path, how)
        s.start(lun=False)
        r = s.d.adm("--mode", "logicalunit", "--op", "new", "--tid", "1", "--lun", "1",
                    "-b", s.disk, check=False)
        check(r.returncode != 0 and path in r.stderr, f"exit {r.returncode}: {r.stderr}")
        # The identity cannot be had in another way.
        s.target.lun(2, s.disk)
        shutil.copy(path, os.path.join(s.state, "reservation-other"))
        r = s.d.adm("--mode", "logicalunit", "--op", "update", "--tid", "1", "--lun", "2",
                    "--params", "scsi_id=other", check=False)
        check(r.returncode != 0 and "reservation-other" in r.stderr, r.stderr)
        os.unlink(path)
        s.target.lun(1, s.disk)
        with s.node(2) as two:
            two.write(0, bytes(512))


@suite.case
def unwritable(_b):
    """What cannot be kept is not answered with GOOD, and has not happened."""
    with Durable() as s:
        s.start()
        with s.node(1) as one, s.node(2) as two:
            one.register(pr.APTPL).reserve(pr.WE_RO)
            os.rename(s.state, s.state + ".away")
            for action, kind, new, flags in ((pr.REGISTER, 0, 0, pr.APTPL), (pr.CLEAR, 0, 0, 0),
                                             (pr.RELEASE, pr.WE_RO, 0, 0),
                                             (pr.PREEMPT, pr.EA, one.key, 0)):
                condition(one.out(action, kind, new=new, flags=flags), scsi.HARDWARE_ERROR)
            condition(two.out(pr.REGISTER, key=0, new=5, flags=pr.APTPL), scsi.HARDWARE_ERROR)
            r = s.d.adm("--mode", "logicalunit", "--op", "update", "--tid", "1", "--lun", "1",
                        "--params", "pr_clear=1", check=False)
            check(r.returncode != 0 and "state directory" in r.stderr, r.stderr)
            equal(two.full(), [pr.Full(one.key, 1, pr.WE_RO, 1, pr.port_name(one))], "the status")
            equal(two.attentions(), [], "what the other is told")
            os.rename(s.state + ".away", s.state)
            good(one.out(pr.RELEASE, pr.WE_RO))
            check("cannot be kept" in s.d.log(), "the log says nothing")


@suite.case
def no_state_directory(_b):
    """One that is asked for and cannot be: the daemon does not start."""
    with Durable() as s:
        with open(os.path.join(s.dir, "a"), "w"):
            pass
        try:
            s.start()
        except Exception as e:
            check("state directory" in str(e), str(e))
        else:
            check(False, "tgtd started")


# -- fencing ----------------------------------------------------------------------

BLOCKS, DEPTH = 8, 16


def write_until_fenced(node, fenced):
    """Always DEPTH writes under way, until one is refused; @fenced gets how all ended."""
    tasks, lba, ended = [], 0, []
    while True:
        while len(tasks) < DEPTH:
            tasks.append(node.start(scsi.write(lba % 4096, BLOCKS), out=b"\xee" * 512 * BLOCKS))
            lba += BLOCKS
        t = node.finish(tasks.pop(0))
        ended.append(t)
        if t.status != scsi.GOOD:
            break
    fenced.extend([*ended, *[node.finish(t) for t in tasks]])


@suite.case
def fence_while_writing(_b):
    """As fence_scsi does: WERO, and the survivor preempts and aborts the other, who has writes
    in the store.  After GOOD none of them lands."""
    with Durable() as s:
        s.start()
        with s.node(1) as one, s.node(2) as two:
            one.register(pr.APTPL).reserve(pr.WE_RO)
            for _ in range(5):
                two.register(pr.APTPL)
                ended = []
                writer = threading.Thread(target=write_until_fenced, args=(two, ended))
                writer.start()
                while one.read(0, 1) != b"\xee" * 512:
                    pass
                good(one.out(pr.PREEMPT_ABORT, pr.WE_RO, new=two.key))
                mine = b"\x11" * (64 << 10)
                for lba in range(0, 4096, 128):
                    one.write(lba, mine)
                writer.join(30)
                check(not writer.is_alive(), "the writer hangs")
                for t in ended:
                    check(t.status in (scsi.GOOD, scsi.TASK_ABORTED, scsi.RESERVATION_CONFLICT) or
                          t.status == scsi.CHECK_CONDITION and
                          t.sense.code == pr.REGISTRATIONS_PREEMPTED, f"a write ended in {t}")
                check(any(t.status != scsi.GOOD for t in ended), "nothing was refused")
                for lba in range(0, 4096, 128):
                    equal(one.read(lba, 128), mine, f"block {lba} and on")
                equal(one.keys()[1], [one.key], "the keys")
                two.attentions()
                conflict(two.scsi(scsi.write(0, 1), out=bytes(512)))


@suite.cases([("session_lives", False), ("session_is_gone", True)])
def fence_waits_for_the_store(_b, gone):
    """A write that the store has is waited for, even if its session is gone.  What the survivor
    then writes, by another way to the same blocks, is not overwritten."""
    with Durable() as s:
        s.start(lun=False)
        s.target.lun(1, "rdwr:" + s.disk, "--bstype", "error", "--bsopts",
                     "op=write;at=0;delay=1500")
        s.target.lun(2, s.disk)
        with s.node(1) as one, s.node(2) as two:
            one.register().reserve(pr.WE_RO)
            two.register()
            one.clear_ua(2)
            slow = two.start(scsi.write(0, 8), out=b"\xee" * 4096)
            two.write(64, b"\xee" * 512)        # so the store has the first as well
            if gone:
                two.close()
            good(one.out(pr.PREEMPT_ABORT, pr.WE_RO, new=two.key))
            equal(one.read(0, 8, lun=2), b"\xee" * 4096, "what the store had at the answer")
            one.write(0, b"\x11" * 4096, lun=2)
            one.write(0, b"\x11" * 512)         # takes as long, and so ends later
            equal(one.read(0, 8, lun=2), b"\x11" * 4096, "the data in the end")
            if not gone:
                equal(two.finish(slow).status, scsi.TASK_ABORTED, "the status of the write")


if __name__ == "__main__":
    sys.exit(suite.run())
