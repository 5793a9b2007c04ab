#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Every command of a disk x every reservation x holder, registrant and stranger, against
the standards' tables (reservation_rules.py)."""

import struct
import sys

import pr
import scsi
from expect import good
from harness import Suite, check, equal
from reservation_rules import ROWS

suite = Suite(args=("--reactors", "2"))

NACA = 0x04     # of CONTROL: refused, but only after the reservation was looked at


def disk(b):
    """A target whose disk has all the commands that a disk may have."""
    t = b.d.target(disks=0)
    t.lun(1, b.d.disk(4), "--params", "atomic_write=64k")
    b.d.adm("--mode", "logicalunit", "--op", "update", "--tid", str(t.tid), "--lun", "1",
            "--params", "thin_provisioning=1,removable=1")
    return t.name


def commands(s):
    """What the disk says that it has: (opcode, service action or None, CDB bytes)."""
    raw = bytes(good(s.scsi(scsi.report_opcodes(alloc=16384), read=16384)).datain)
    out = []
    for at in range(4, len(raw), 8):
        opcode, sa, flags, size = struct.unpack(">BxHxBH", raw[at:at + 8])
        out.append((opcode, sa if flags & 1 else None, size))
    return out


def control_byte(opcode, size):
    return 1 if opcode == 0x7F else size - 1


def cdb_of(opcode, sa, size, fixed):
    """Nothing of it is done: where the command may run, its CONTROL byte is wrong."""
    raw = bytearray(size)
    raw[0] = opcode
    if opcode == 0x7F:
        raw[7] = size - 8
        raw[8:10] = struct.pack(">H", sa)
    elif sa is not None:
        raw[1] = sa
    for at, value in fixed.items():
        raw[at] = value
    raw[control_byte(opcode, size)] |= NACA
    return bytes(raw)


def send(s, row, size):
    opcode, sa, name, *_ = row
    fixed = row[5] if len(row) > 5 else {}
    cdb = cdb_of(opcode, sa, size, fixed)
    if opcode in (0x16, 0x17, 0x56, 0x57):      # decided by their handlers
        cdb = bytes([opcode]) + bytes(size - 1)
    ahs = b""
    if len(cdb) > 16:                           # extended CDB, RFC 7143 11.2.2.3
        rest = cdb[16:]
        ahs = struct.pack(">HBx", len(rest) + 1, 1) + rest
        cdb = cdb[:16]
    t = s.scsi(cdb, ahs=ahs)
    check(t.status != scsi.CHECK_CONDITION or t.sense.key != scsi.UNIT_ATTENTION, f"{name}: {t}")
    return t.status == scsi.RESERVATION_CONFLICT


def rows_for(s):
    have = commands(s)
    for opcode, sa, size in have:
        if opcode == 0x5F:                      # its own rules: test_reservations.py
            continue
        rows = [r for r in ROWS if r[:2] == (opcode, sa)]
        check(rows, f"the table has no row for command {opcode:#x}/{sa}")
        for r in rows:
            yield r, size


def judge(s, rows, column, who):
    """@column(row) -> 'A' or 'C'."""
    wrong = []
    for row, size in rows:
        conflict = send(s, row, size)
        if conflict != (column(row) == "C"):
            wrong.append(f"{row[2]}: {'conflict' if conflict else 'allowed'}")
    equal(wrong, [], f"what {who} may not or may do otherwise")


# The columns of a row's last word by type: others, registered others, strangers
COLUMNS = {"WE": (0, 0), "EA": (1, 1), "WE_RO": (2, 3), "EA_RO": (2, 4), "WE_AR": (2, 3),
           "EA_AR": (2, 4)}


@suite.cases([(name, name) for name in pr.TYPES])
def persistent(b, name):
    iqn, (registered, stranger) = disk(b), COLUMNS[name]
    with pr.Node(b, 1, target=iqn) as holder, pr.Node(b, 2, target=iqn) as other, \
            pr.Node(b, 3, target=iqn) as nobody:
        rows = list(rows_for(nobody))
        check(len(rows) > 40, f"only {len(rows)} commands")
        holder.register().reserve(pr.TYPES[name])
        other.register()
        judge(holder, rows, lambda row: "A", "the holder")
        judge(other, rows, lambda row: row[4][registered], "a registrant")
        judge(nobody, rows, lambda row: row[4][stranger], "a stranger")
        equal(holder.held()[1], pr.TYPES[name], "the type, at the end")


@suite.case
def registered_but_not_reserved(b):
    """Keys alone keep nobody out, but RESERVE and RELEASE conflict (SPC-2 5.5.1)."""
    iqn = disk(b)
    with pr.Node(b, 1, target=iqn) as one, pr.Node(b, 2, target=iqn) as nobody:
        rows = list(rows_for(nobody))
        one.register()
        for s in one, nobody:
            judge(s, rows, lambda row: "C" if row[0] in (0x16, 0x17, 0x56, 0x57) else "A", "anybody")


@suite.cases([("6", scsi.reserve6), ("10", scsi.reserve10)])
def reserve(b, how):
    iqn = disk(b)
    with pr.Node(b, 1, target=iqn) as holder, pr.Node(b, 2, target=iqn) as nobody:
        rows = [r for r in rows_for(nobody) if r[0][0] not in (0x17, 0x57)]
        good(holder.scsi(how()))
        judge(nobody, rows, lambda row: row[3], "another initiator")
        # RELEASE by others does nothing, and says so with GOOD.
        good(nobody.scsi(scsi.release6()))
        good(nobody.scsi(scsi.release10()))
        judge(nobody, rows, lambda row: row[3], "another initiator, still")
        judge(holder, [r for r in rows if r[0][0] != 0x5E], lambda row: "A", "the holder")
        # SPC-2 5.5.1: "regardless of initiator"
        for action in range(4):
            equal(holder.scsi(pr.pr_in(action), read=4096).status, scsi.RESERVATION_CONFLICT,
                  f"PERSISTENT RESERVE IN {action} of the holder")
        equal(holder.out(pr.REGISTER, key=0, new=1).status, scsi.RESERVATION_CONFLICT,
              "REGISTER of the holder")
        good(holder.scsi(scsi.release10()))
        judge(nobody, rows, lambda row: "A", "anybody afterwards")


if __name__ == "__main__":
    sys.exit(suite.run())
