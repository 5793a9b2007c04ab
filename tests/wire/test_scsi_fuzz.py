#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Every command of doc/supported-commands.md, nearly right, by several sessions at once, while
logical units change.

No command may stay without an answer, break its session, or be noticed by the witness on
another target.  FUZZ_SECONDS and FUZZ_SEED run more of it.
"""

import os
import random
import re
import struct
import sys
import threading
import time
from collections import Counter

import copying
import pr
import scsi
from expect import good
from harness import Failed, Suite, check
from hostile import Witness
from iscsi import Timeout
from plausible import Generator, Shape
from session import ABORT_TASK, ABORT_TASK_SET, LUN_RESET, Session

SECONDS = float(os.environ.get("FUZZ_SECONDS", "10"))
SEED = os.environ.get("FUZZ_SEED", "1")
ANSWER_S = 5            # then the target is asked whether it still has the command
DEPTH = 8

suite = Suite(iscsi="portal=127.0.0.1:0,tpgt=1,portal=127.0.0.1:0,tpgt=2",
              args=("--reactors", "2"))


def portals(b):
    text = b.d.adm("--mode", "portal", "--op", "show").stdout
    return [(a, int(p)) for a, p, _ in
            sorted(re.findall(r"Portal: ([\d.]+):(\d+),(\d+)", text), key=lambda m: m[2])]


MB = 2
REMOVABLE, STUCK = 4, 5
LUNS = {1: (512, ()), 2: (512, ("--params", "atomic_write=64k")), 3: (4096, ("--blocksize", "4096")), REMOVABLE: (512, ()),
        STUCK: (512, ())}


def make_target(b):
    t = b.d.target(disks=0)
    for lun, (_, options) in LUNS.items():
        path = b.d.disk(2 * MB)
        if lun == STUCK:
            t.control = path + ".rules"
            t.lun(lun, f"rdwr:{path}", "--bstype", "error",
                  "--bsopts", f"control={t.control};hang=yes")
        else:
            t.lun(lun, path, *options)
            t.lun_params(lun, "thin_provisioning=1" + (",removable=1" if lun == REMOVABLE else ""))
    for group in (1, 2):
        b.d.adm("--mode", "tpg", "--op", "new", "--tid", str(t.tid), "--tpg", str(group),
                "--params", "alua=both")
    return t


def learn(s, lun):
    shape = Shape(lun, LUNS[lun][0], (MB << 20) // LUNS[lun][0])
    s.clear_ua(lun)
    shape.naa = copying.naa(s, lun)
    raw = bytes(good(s.scsi(scsi.mode_sense10(0x3F, subpage=0xFF, dbd=1), lun=lun,
                            read=65535)).datain)[8:]
    while raw:
        n = 4 + struct.unpack(">H", raw[2:4])[0] if raw[0] & 0x40 else 2 + raw[1]
        shape.pages.append(bytes((raw[0] & 0x7F,)) + raw[1:n])
        raw = raw[n:]
    return shape


class Peer(threading.Thread):
    """One initiator: DEPTH commands under way, a task management function or the loss of its
    session now and then."""

    def __init__(self, b, t, number, addr, shared):
        super().__init__(daemon=True)
        self.rnd = random.Random(f"{SEED}/{number}")
        self.addr, self.t, self.shared = addr, t, shared
        self.name = f"iqn.2001-04.org.example:fuzz{number}"
        self.isid = bytes((0x80, 0, 0, 0, 0, number))
        self.keys = self.rnd.choice(({}, {"InitialR2T": "No"}, {"ImmediateData": "No"}))
        self.error, self.seen, self.recent = None, Counter(), []
        self.s = self.login()
        shapes = [learn(self.s, lun) for lun in LUNS]
        self.g = Generator(self.rnd, shapes, shared["names"], shared["tokens"])
        shared["names"].append(f"{self.name},i,0x{self.isid.hex()}")

    def login(self):
        return Session(self.addr, self.t.name, self.keys, initiator=self.name, isid=self.isid)

    def run(self):
        try:
            while not self.shared["over"].is_set():
                self.turn()
            self.s.close()
        except Exception as e:
            self.error = e
            self.shared["over"].set()

    def turn(self):
        tasks = []
        for _ in range(self.rnd.randint(1, DEPTH)):
            shape, row, cdb, out, asked = self.g.command()
            self.recent = [*self.recent[-15:], f"lun {shape.lun} {row.name} {cdb.hex()} "
                           f"out {len(out)} {out[:64].hex()} in {asked}"]
            t = self.s.start(cdb, lun=shape.lun, out=out, read=asked)
            t.row, t.shape = row, shape
            tasks.append(t)
        dice = self.rnd.random()
        if dice < 0.01:
            self.s.close()
            self.s = self.login()
            return
        if dice < 0.03:
            self.manage(tasks)
        for t in tasks:
            self.end(t)
        if dice > 0.9:
            self.repair()

    def manage(self, tasks):
        t = self.rnd.choice(tasks)
        f = self.rnd.choice((ABORT_TASK, ABORT_TASK_SET, LUN_RESET))
        self.s.tmf(f, t.shape.lun, t.itt if f == ABORT_TASK else 0xFFFFFFFF,
                   t.cmdsn if f == ABORT_TASK else 0)
        for u in tasks:
            if not u.done and (u is t or f != ABORT_TASK and u.shape.lun == t.shape.lun):
                u.gone = True

    def end(self, t):
        if getattr(t, "gone", False):
            return
        try:
            self.s.finish(t, ANSWER_S)
        except Timeout as e:
            # Another nexus' reset or PREEMPT AND ABORT may have ended it without a word.
            rsp = self.s.tmf(ABORT_TASK, t.shape.lun, t.itt, t.cmdsn)
            if not t.done and rsp.response != 1:
                raise Failed(f"no answer to {t.row.name}: {e}") from e
            self.seen[t.row.name, "gone"] += 1
            return
        if t.response:
            raise Failed(f"{t.row.name}: response {t.response}")
        if t.status == scsi.CHECK_CONDITION and not t.sense:
            raise Failed(f"{t.row.name}: no sense data")
        self.seen[t.row.name, t.status] += 1
        if t.sense:
            self.seen[t.row.name, f"{t.sense.key:x}/{t.sense.code:04x}"] += 1
        if t.row.key == (0x84, 7) and t.status == 0 and len(t.datain) >= 550:
            token = copying.Status(bytes(t.datain)).token
            if token and len(token) == 512:
                self.shared["tokens"][:] = [*self.shared["tokens"][-7:], token]

    def repair(self):
        """What commands have taken away is given back, so that others find a disk."""
        lun = self.rnd.choice(list(LUNS))
        for cdb, out in ((scsi.cdb(0xA4, 12, (1, 1, 0x0A), (6, 4, 12)),
                          struct.pack(">4xBBHBBH", 0, 0, 1, 0, 0, 2)),
                         (scsi.release6(), b""),
                         (pr.pr_out_cdb(pr.REGISTER_IGNORE), pr.basic_list(0, 1)),
                         (pr.pr_out_cdb(pr.CLEAR), pr.basic_list(1, 0)),
                         (scsi.start_stop(1, 2), b""), (scsi.start_stop(1), b""),
                         (scsi.tur(), b"")):
            t = self.s.start(cdb, lun=lun, out=out)
            t.row, t.shape = self.g.rows[0], self.g.shapes[lun - 1]
            self.end(t)


def stuck(t, on):
    """The store of that logical unit hangs until the next change."""
    if on:
        with open(t.control, "w"):
            pass
    elif os.path.exists(t.control):
        os.unlink(t.control)


def change(b, t, rnd):
    """Management at the same time: it may be refused, and harms nobody."""
    lun = str(rnd.choice([n for n in LUNS if n != STUCK]))
    what = rnd.choice(("params", "params", "params", "tpg", "lun", "size"))
    # A copy from it would hold a logical unit that goes, and tgtadm waits for that.
    stuck(t, what != "lun" and rnd.random() < 0.3)
    where = ("--tid", str(t.tid), "--lun", lun)
    if what == "params":
        b.d.adm("--mode", "logicalunit", "--op", "update", *where, "--params", rnd.choice((
            "readonly=1", "readonly=0", "readonly=0", "online=0", "online=1", "online=1",
            "thin_provisioning=0", "thin_provisioning=1", "thin_provisioning=1",
            "mode_page=8:0:18:0x14:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0",
            "mode_page=10:0:10:2:0x10:0:0:0:0:0:0:2:0", "removable=1", "removable=0")), check=False)
    elif what == "tpg":
        b.d.adm("--mode", "tpg", "--op", "update", "--tid", str(t.tid), "--tpg",
                rnd.choice("12"), "--params", "state=" + rnd.choice((
                    "active_optimized", "active_nonoptimized", "standby", "active_optimized")),
                check=False)
    elif what == "size":
        # The file stays: cut while it is lent to a reader, it would end that connection.
        b.d.adm("--mode", "logicalunit", "--op", "update", *where, "--params",
                f"size={rnd.choice((1, 2, 2, 4)) << 20}")
    else:
        b.d.adm("--mode", "logicalunit", "--op", "delete", "--force", *where)
        b.d.adm("--mode", "logicalunit", "--op", "new", *where, "-b", t.paths[int(lun)],
                *LUNS[int(lun)][1])
        b.d.adm("--mode", "logicalunit", "--op", "update", *where, "--params",
                "thin_provisioning=1")


@suite.case
def nearly_right(b):
    t = make_target(b)
    shared = {"names": [], "tokens": [], "over": threading.Event()}
    addrs = portals(b)
    peers = [Peer(b, t, i + 1, addrs[i % 2], shared) for i in range(4)]
    rnd = random.Random(f"{SEED}/changes")
    end = time.monotonic() + SECONDS
    with Witness(b) as w:
        for p in peers:
            p.start()
        while time.monotonic() < end and not shared["over"].wait(0.3):
            change(b, t, rnd)
            b.d.check_alive()
        stuck(t, False)
        shared["over"].set()
        for p in peers:
            p.join(60)
    b.d.check_alive()
    seen = Counter()
    for p in peers:
        seen.update(p.seen)
        if p.error:
            sys.stderr.write("\n".join([*p.recent, *map(repr, p.s.rejects), b.d.log()[-2000:],
                                        f"keys {p.keys}", ""]))
            raise Failed(f"{type(p.error).__name__} {p.error}") from p.error
        check(not p.is_alive(), "a session hangs")
    if "V" in os.environ:
        for row in peers[0].g.rows:
            print(row.name, {k: n for (name, k), n in seen.items() if name == row.name})
        print("worst", w.worst, "rounds", w.rounds)
    check(sum(n for (_, k), n in seen.items() if k == 0) > 0, "nothing ever went well")


if __name__ == "__main__":
    sys.exit(suite.run())
