#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Data in both directions, byte for byte, over the keys that shape it (RFC 7143 11.7, 11.8,
13.10 to 13.19).  The session object checks numbers, bursts and sizes of all that arrives;
what was written is compared with the backing file, not only with what is read back."""

import itertools
import random
import sys

import pdu
import scsi
from daemon import pattern
from expect import condition, good
from harness import Suite, among, check, equal
from session import RESIDUAL_O, RESIDUAL_U, READ_FLAG, WRITE_FLAG, Session

suite = Suite()

LIBERAL = {"InitialR2T": "No", "ImmediateData": "Yes", "MaxOutstandingR2T": 8,
           "MaxBurstLength": 16777215, "FirstBurstLength": 16777215}


def liberal(b, **more):
    """A target that agrees to whatever the initiator offers; one per set of values."""
    made = b.__dict__.setdefault("liberal", {})
    key = tuple(sorted(more.items()))
    if key not in made:
        made[key] = b.d.target(**{**LIBERAL, **more})
    return made[key]


def on_disk(target, lba, size, lun=1):
    with open(target.paths[lun], "rb") as f:
        f.seek(lba * 512)
        return f.read(size)


def write_and_compare(s, target, lba, data, **how):
    good(s.scsi(scsi.write(lba, len(data) // 512), out=data, **how))
    check(on_disk(target, lba, len(data)) == data, f"{len(data)} bytes on disk differ")
    check(s.read(lba, len(data) // 512) == data, f"{len(data)} bytes read differ")


def edges(s, target, lba, blocks, fill):
    """What surrounds lba … lba+blocks is still @fill."""
    check(on_disk(target, lba - 1, 512) == fill and on_disk(target, lba + blocks, 512) == fill,
          "a neighbour block changed")


# -- the keys -----------------------------------------------------------------

BURSTS = [("512_512", 512, 512), ("1024_4096", 1024, 4096), ("5000_10000", 5000, 10000),
          ("65536_262144", 65536, 262144), ("262144_16777215", 262144, 16777215)]


@suite.cases([(f"immediate_{imm}/initialr2t_{r2t}/burst_{name}", imm, r2t, first, burst)
              for imm, r2t in itertools.product(("Yes", "No"), repeat=2)
              for name, first, burst in BURSTS])
def keys(b, imm, r2t, first, burst):
    """Every way for write data to travel, with 1 and 4 R2Ts and several receive sizes."""
    rnd = random.Random(f"{imm}{r2t}{first}")
    t = liberal(b)
    for outstanding, recv in ((1, 512), (4, 8192), (8, 262144)):
        offer = {"ImmediateData": imm, "InitialR2T": r2t, "FirstBurstLength": str(first),
                 "MaxBurstLength": str(burst), "MaxOutstandingR2T": str(outstanding),
                 "MaxRecvDataSegmentLength": str(recv)}
        with Session(b.addr, t.name, offer) as s:
            s.clear_ua()
            for key, value in (("ImmediateData", imm), ("InitialR2T", r2t),
                               ("FirstBurstLength", first), ("MaxOutstandingR2T", outstanding)):
                equal(s.neg[key], value, key)
            for blocks in (1, 2, 3, 17, 256):
                write_and_compare(s, t, rnd.randrange(4096, 8192), rnd.randbytes(blocks * 512))


@suite.cases([(str(n), n) for n in (512, 1000, 8192, 65536)])
def target_max_recv(b, size):
    """13.12: what the target declares is what it takes; and a PDU of exactly that is fine."""
    t = liberal(b, MaxRecvDataSegmentLength=size)
    with Session(b.addr, t.name, {"InitialR2T": "No"}) as s:
        s.clear_ua()
        check(s.neg["TargetMaxRecv"] >= size, f"the target declared {s.neg['TargetMaxRecv']}")
        write_and_compare(s, t, 4096, random.Random(size).randbytes(65536))


@suite.cases([(f"{h}_{d}", h, d) for h in ("CRC32C", "None") for d in ("CRC32C", "None")])
def digests(b, header, data):
    """13.1: both ways, with and without data, and with padding."""
    t = liberal(b, HeaderDigest=header, DataDigest=data)
    with Session(b.addr, t.name, {"HeaderDigest": header, "DataDigest": data,
                                  "InitialR2T": "No"}) as s:
        equal((s.neg["HeaderDigest"], s.neg["DataDigest"]), (header, data), "the digests")
        s.clear_ua()
        write_and_compare(s, t, 4096, random.Random(1).randbytes(65536))
        write_and_compare(s, t, 4096, random.Random(2).randbytes(512))
        for n in range(1, 9):                           # 1 to 8 bytes: padding of 3 to 0
            equal(s.nop(bytes(range(n))).data, bytes(range(n)), "the echo")
            good(s.scsi(scsi.inquiry(alloc=n), read=n))


@suite.cases([(str(n), n) for n in (1, 3, 511, 513, 1000, 4095)])
def odd_pieces(b, chunk):
    """Data-Out of any length: neither a block nor a word is a unit of it."""
    t = liberal(b)
    data = random.Random(chunk).randbytes(8192)
    with Session(b.addr, t.name, {"ImmediateData": "No"}) as s:
        s.clear_ua()
        task = s.start(scsi.write(4096, 16), out=data, manual=True)
        s.wait(lambda: task.r2ts)
        while task.r2ts:
            r = task.r2ts.pop(0)
            s.send_data(task, r.offset, r.length, r.ttt, chunk=chunk)
            task.open_r2ts.discard(r.ttt)
            s.wait(lambda: task.r2ts or task.done)
        good(task)
        check(on_disk(t, 4096, 8192) == data, "the bytes on disk differ")


@suite.cases([(str(n), n) for n in (1, 100, 511, 1536, 4096)])
def odd_immediate(b, size):
    """Immediate data may be any part of the first burst; the rest comes on R2T."""
    t = liberal(b)
    data = random.Random(size).randbytes(4096)
    with Session(b.addr, t.name, {"InitialR2T": "Yes"}) as s:
        s.clear_ua()
        good(s.scsi(scsi.write(4096, 8), out=data, immediate_data=size))
        check(on_disk(t, 4096, 4096) == data, "the bytes on disk differ")


@suite.cases([(f"{i}_{u}", i, u) for i, u in ((0, 512), (0, 4096), (100, 412), (512, 3584),
                                               (1000, 1000), (512, 1))])
def partly_unsolicited(b, imm, unsol):
    """13.10: with InitialR2T=No part of the first burst may be left out."""
    t = liberal(b)
    data = random.Random(imm).randbytes(8192)
    with Session(b.addr, t.name, {"InitialR2T": "No"}) as s:
        s.clear_ua()
        good(s.scsi(scsi.write(4096, 16), out=data, immediate_data=imm, unsolicited=unsol))
        check(on_disk(t, 4096, 8192) == data, "the bytes on disk differ")


# -- R2T ----------------------------------------------------------------------

@suite.cases([("1", 1), ("2", 2), ("8", 8)])
def r2ts_outstanding(b, most):
    """13.17: as many R2Ts as agreed are asked for before the first byte is sent."""
    t = liberal(b)
    data = random.Random(most).randbytes(16 * 4096)
    offer = {"ImmediateData": "No", "MaxBurstLength": "4096", "FirstBurstLength": "4096",
             "MaxOutstandingR2T": str(most)}
    with Session(b.addr, t.name, offer) as s:
        s.clear_ua()
        task = s.start(scsi.write(4096, 128), out=data, manual=True)
        s.wait(lambda: len(task.r2ts) == most)
        s.nop()                                         # the session complains of one too many
        equal(len(task.r2ts), most, "R2Ts before any data")
        while task.r2ts:
            s.answer_r2t(task, task.r2ts.pop(0))
            s.wait(lambda: task.r2ts or task.done)
        good(task)
        check(on_disk(t, 4096, len(data)) == data, "the bytes on disk differ")


@suite.case
def interleaved_writes(b):
    """Data-Out of several tasks in turns: the tags keep them apart."""
    t = liberal(b)
    rnd = random.Random(5)
    offer = {"ImmediateData": "No", "MaxBurstLength": "8192", "FirstBurstLength": "8192"}
    with Session(b.addr, t.name, offer) as s:
        s.clear_ua()
        blobs = {n: rnd.randbytes(8192) for n in range(6)}
        tasks = {n: s.start(scsi.write(4096 + n * 16, 16), out=blobs[n], manual=True)
                 for n in blobs}
        s.wait(lambda: all(x.r2ts for x in tasks.values()))
        for at in range(0, 8192, 1024):
            for x in tasks.values():
                s.conn.send(s.data_out(x, at, 1024, x.r2ts[0].ttt, at // 1024, at == 7168))
        for x in tasks.values():
            good(s.finish(x))
        for n, blob in blobs.items():
            check(on_disk(t, 4096 + n * 16, 8192) == blob, f"write {n} differs")


@suite.case
def other_commands_during_a_write(b):
    """A write that waits for its data holds up nobody."""
    t = liberal(b)
    data = random.Random(6).randbytes(65536)
    with Session(b.addr, t.name, {"ImmediateData": "No"}) as s:
        s.clear_ua()
        task = s.start(scsi.write(4096, 128), out=data, manual=True)
        s.wait(lambda: task.r2ts)
        check(s.read(0, 64) == pattern(0, 64), "a read meanwhile differs")
        s.write(8192, data[:4096])
        s.nop(b"meanwhile")
        while not task.done:
            while task.r2ts:
                s.answer_r2t(task, task.r2ts.pop(0))
            s.pump()
        good(task)
        check(on_disk(t, 4096, 65536) == data, "the bytes on disk differ")


# -- reads --------------------------------------------------------------------

@suite.cases([(f"{recv}_{burst}", recv, burst) for recv, burst in
              ((512, 512), (512, 4096), (1000, 10000), (8192, 8192), (65536, 262144))])
def data_in_sequence(b, recv, burst):
    """11.7: DataSN, F at the end of each burst, S only in the last PDU, A never at level 0."""
    t = liberal(b)
    with Session(b.addr, t.name, {"MaxRecvDataSegmentLength": str(recv),
                                  "MaxBurstLength": str(burst), "FirstBurstLength": "512"}) as s:
        s.clear_ua()
        task = good(s.scsi(scsi.read(0, 512), read=262144))
        check(task.datain == pattern(0, 512), "the bytes differ")
        for n, p in enumerate(task.data_pdus):
            check(not p.flags & 0x40, "11.7.2: A is set at error recovery level 0")
            check(not p.flags & 1 or n == len(task.data_pdus) - 1, "11.7.3: S before the last PDU")
            check(p.ttt == pdu.NO_TAG, "11.7.4: TTT without A is reserved")
        check(task.data_pdus[-1].final, "11.7.1: the last PDU has no F")


@suite.case
def four_mib(b):
    t = liberal(b)
    data = random.Random(7).randbytes(4 << 20)
    with Session(b.addr, t.name) as s:
        s.clear_ua()
        write_and_compare(s, t, 8192, data)


@suite.case
def pipelined(b):
    """Many commands at once, within the window, answered in any order."""
    t = liberal(b)
    rnd = random.Random(8)
    with Session(b.addr, t.name) as s:
        s.clear_ua()
        blobs = [rnd.randbytes(4096) for _ in range(48)]
        for x in [s.start(scsi.write(4096 + 8 * n, 8), out=d) for n, d in enumerate(blobs)]:
            good(s.finish(x))
        reads = [s.start(scsi.read(4096 + 8 * n, 8), read=4096) for n in range(48)]
        for n, x in enumerate(reads):
            check(good(s.finish(x)).datain == blobs[n], f"read {n} differs")


@suite.cases([(f"seed_{n}", n) for n in range(4)])
def mixed(b, seed):
    """Reads and writes of any size, length of CDB and place, against a model in memory."""
    rnd = random.Random(seed)
    t = liberal(b)
    offer = {"InitialR2T": rnd.choice(["Yes", "No"]), "ImmediateData": rnd.choice(["Yes", "No"]),
             "MaxRecvDataSegmentLength": rnd.choice(["512", "4096", "65536"]),
             "MaxBurstLength": rnd.choice(["2048", "65536"]), "FirstBurstLength": "2048"}
    base, blocks = 16384, 2048
    with Session(b.addr, t.name, offer) as s:
        s.clear_ua()
        s.write(base, bytes(blocks * 512))
        model = bytearray(blocks * 512)
        for _ in range(150):
            n = rnd.choice((1, 1, 2, 8, 31, 128))
            at = rnd.randrange(blocks - n)
            size = rnd.choice((6, 10, 12, 16))
            if rnd.random() < 0.5:
                data = rnd.randbytes(n * 512)
                s.write(base + at, data, size=size)
                model[at * 512:(at + n) * 512] = data
            else:
                check(s.read(base + at, n, size=size) == model[at * 512:(at + n) * 512],
                      f"{n} blocks at {at} differ")
        check(on_disk(t, base, len(model)) == model, "the disk differs from the model")


# -- residuals, 11.4.5 --------------------------------------------------------

def residual(t, want):
    equal(t.residual, want, "the residual (over is positive)")


@suite.case
def read_expects_more(b):
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        t = good(s.scsi(scsi.read(0, 8), read=8192))
        check(t.datain == pattern(0, 8), "the bytes differ")
        residual(t, -4096)


@suite.cases([("2048", 2048), ("1", 1), ("511", 511), ("4095", 4095)])
def read_expects_less(b, edtl):
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        t = s.scsi(scsi.read(0, 8), read=edtl)
        residual(t, 4096 - edtl)
        check(t.datain == pattern(0, 8)[:len(t.datain)], "the bytes differ")
        if t.status == scsi.GOOD:
            equal(len(t.datain), edtl, "the bytes that came")


@suite.cases([("with_r", pdu.FINAL | READ_FLAG | 1), ("without_r", pdu.FINAL | 1)])
def read_expects_nothing(b, flags):
    """EDTL 0: no Data-In at all, and all of it is overflow."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        t = s.scsi(scsi.read(0, 1), flags=flags, edtl=0)
        equal(len(t.data_pdus), 0, "Data-In PDUs")
        residual(t, 512)


@suite.case
def exact_has_no_residual(b):
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        t = good(s.scsi(scsi.read(0, 8), read=4096))
        check(not t.rsp.flags & (RESIDUAL_O | RESIDUAL_U) and t.rsp.residual == 0, f"{t.rsp}")


@suite.case
def short_inquiry(b):
    """Underflow is what the device had not to say."""
    with Session(b.addr, b.iqn) as s:
        t = good(s.scsi(scsi.inquiry(alloc=255), read=255))
        residual(t, len(t.datain) - 255)
        t = good(s.scsi(scsi.inquiry(alloc=5), read=255))
        equal(len(t.datain), 5, "bytes of an ALLOCATION LENGTH of 5")
        residual(t, -250)


@suite.case
def no_data_command_with_edtl(b):
    """TEST UNIT READY with R and EDTL 512: GOOD, and 512 bytes of underflow."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        t = good(s.scsi(scsi.tur(), read=512))
        equal(len(t.datain), 0, "bytes")
        residual(t, -512)


@suite.case
def failed_read_underflows(b):
    """11.4.5: nothing was transferred, so all of EDTL is residual."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        t = s.scsi(scsi.read(0xFFFFFFF0, 8), read=4096)
        equal(t.status, scsi.CHECK_CONDITION, "the status")
        residual(t, -4096)


@suite.case
def write_brings_more(b):
    """Four blocks are asked for, eight are sent: four are written, 2048 bytes are underflow."""
    data, fill = random.Random(9).randbytes(4096), b"\x11" * 512
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        s.write(4096, fill * 16)
        t = s.scsi(scsi.write(4097, 4), out=data)
        residual(t, -2048)
        if t.status == scsi.GOOD:
            check(on_disk(b.target, 4097, 2048) == data[:2048], "the blocks differ")
        edges(s, b.target, 4097, 4, fill)


@suite.case
def write_brings_less(b):
    """Eight blocks are asked for, 2048 bytes are sent: overflow of 2048; GOOD or not, what
    was not sent is not written."""
    data, fill = random.Random(10).randbytes(2048), b"\x22" * 512
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        s.write(4096, fill * 16)
        t = s.scsi(scsi.write(4097, 8), out=data)
        residual(t, 2048)
        check(on_disk(b.target, 4101, 2048) == fill * 4, "blocks that were not sent changed")
        among(on_disk(b.target, 4097, 2048), (data, fill * 4), "the blocks that were sent")
        if t.status == scsi.GOOD:
            equal(on_disk(b.target, 4097, 2048), data, "the blocks that were sent")


@suite.case
def write_without_data(b):
    """W clear, EDTL 0, WRITE of one block: overflow of 512, nothing written."""
    fill = b"\x33" * 512
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        s.write(4096, fill)
        t = s.scsi(scsi.write(4096, 1), flags=pdu.FINAL | 1, edtl=0)
        residual(t, 512)
        equal(on_disk(b.target, 4096, 512), fill, "the block")


@suite.cases([(f"{kind}_{size}_{name}", kind, size, flags)
              for kind in ("read", "write") for size in (10, 12, 16)
              for name, flags in (("bare", 0), ("direction", 1))])
def zero_blocks(b, kind, size, flags):
    """SBC-3: a TRANSFER LENGTH of zero is no error.  (In the 6-byte CDBs it means 256.)"""
    how = {"read": (scsi.read, READ_FLAG), "write": (scsi.write, WRITE_FLAG)}[kind]
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        t = good(s.scsi(how[0](0, 0, size), edtl=0, flags=pdu.FINAL | 1 | (how[1] * flags)))
        residual(t, 0)
        equal(len(t.data_pdus) + len(t.r2ts), 0, "data PDUs")


@suite.case
def zero_means_256_in_six_bytes(b):
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        data = random.Random(11).randbytes(256 * 512)
        good(s.scsi(scsi.write(4096, 0, 6), out=data))
        check(on_disk(b.target, 4096, len(data)) == data, "the bytes on disk differ")
        check(good(s.scsi(scsi.read(4096, 0, 6), read=len(data))).datain == data, "read differs")


# -- directions that do not fit -----------------------------------------------

@suite.case
def read_with_w(b):
    """READ while the command says W: no Data-In (11.3.1), and no clean GOOD."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        t = s.scsi(scsi.read(0, 1), out=bytes(512))
        equal(len(t.data_pdus), 0, "Data-In PDUs")
        check(t.status != scsi.GOOD or t.residual, f"a clean GOOD: {t}")


@suite.case
def write_with_r(b):
    """WRITE while the command says R: nothing is asked for, nothing is written."""
    fill = b"\x44" * 512
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        s.write(4096, fill)
        t = s.scsi(scsi.write(4096, 1), read=512)
        equal(len(t.r2ts), 0, "R2Ts")
        condition(t, scsi.ILLEGAL_REQUEST, 0x0E03)
        residual(t, -512)
        equal(on_disk(b.target, 4096, 512), fill, "the block")


@suite.cases([("read", scsi.read(0, 1)), ("write", scsi.write(4096, 1)), ("tur", scsi.tur())])
def bidirectional_flag(b, cdb):
    """R and W on a command that is not bidirectional: 05/0E/03, nothing moved, nothing done."""
    with Session(b.addr, b.iqn) as s:
        before = s.clear_ua().read(4096, 1)
        t = s.scsi(cdb, out=b"\x6b" * 512, flags=pdu.FINAL | READ_FLAG | WRITE_FLAG | 1)
        condition(t, scsi.ILLEGAL_REQUEST, 0x0E03)
        residual(t, -512)
        equal(s.read(4096, 1), before, "the block")


if __name__ == "__main__":
    sys.exit(suite.run())
