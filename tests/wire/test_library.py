#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""The library itself, against published vectors: a wrong yardstick would prove nothing."""

import hashlib
import sys

import chap
import pdu
import scsi
from harness import Failed, Skip, Suite, check, equal
from iscsi import login_request
from session import serial_lt

suite = Suite(alone=True)


@suite.cases([
    ("zeroes", bytes(32), 0x8A9136AA), ("ones", b"\xff" * 32, 0x62A8AB43),
    ("ascending", bytes(range(32)), 0x46DD794E),
    ("descending", bytes(range(31, -1, -1)), 0x113FDB5C),
    ("digits", b"123456789", 0xE3069283), ("nothing", b"", 0),
    ("read_pdu", bytes.fromhex("01c00000" "00000000" "00000000" "00000000" "14000000" "00000400"
                               "00000014" "00000018" "28000000" "00000000" "02000000" "00000000"),
     0xD9963A56),
])
def crc32c(b, data, want):
    """RFC 7143 appendix A.4."""
    equal(pdu.crc32c(data), want, "the CRC")


@suite.case
def fields_have_their_places(b):
    for opcode, layout in pdu.LAYOUT.items():
        taken = {0, 1, 4, 5, 6, 7, 16, 17, 18, 19}
        if opcode in (pdu.LOGIN_REQ, pdu.LOGIN_RSP):
            check(layout["isid"] == (8, 6) and layout["tsih"] == (14, 2), "ISID and TSIH")
        for name, (at, size) in layout.items():
            mine = set(range(at, at + size))
            check(not mine & taken and at + size <= 48, f"{pdu.NAMES[opcode]}: {name} overlaps")
            taken |= mine


@suite.case
def bytes_and_back(b):
    p = pdu.Pdu(pdu.SCSI_CMD, data=b"12345", ahs=b"\0\5\2\0\0\0\0\1", flags=0xC1,
                lun=pdu.lun_field(3), itt=0x01020304, edtl=5, cmdsn=7, exp_statsn=8,
                cdb=scsi.read(9, 1))
    raw = p.encode(True, True)
    equal(len(raw), 48 + 8 + 4 + 8 + 4, "the length")
    equal(raw[:8].hex(), "01c1000002000005", "the first word pair")
    equal(raw[8:16].hex(), "0003000000000000", "the LUN")
    equal(raw[16:32].hex(), "01020304000000050000000700000008", "the numbers")
    equal(raw[60:68], b"12345\0\0\0", "data and padding")
    q = pdu.Pdu.from_bytes(raw[:48], raw[48:56], raw[60:65])
    equal((q.lun, q.itt, q.cdb, q.data), (p.lun, p.itt, p.cdb, p.data), "what comes back")


@suite.case
def login_bits(b):
    p = login_request(1, 3, {"a": "b"})
    equal((p.bhs[0], p.bhs[1], bytes(p.data)), (0x43, 0x87, b"a=b\0"), "opcode, flags and text")


@suite.cases([("1_2", 1, 2, True), ("2_1", 2, 1, False), ("equal", 5, 5, False),
              ("wrap", 0xFFFFFFFF, 0, True), ("far", 0, 0x7FFFFFFF, True),
              ("opposite", 0, 0x80000000, False)])
def serial_numbers(b, x, y, want):
    """RFC 1982 3.2."""
    equal(serial_lt(x, y), want, f"{x} < {y}")


@suite.case
def chap_vector(b):
    """RFC 1994: MD5 over identifier, secret, challenge."""
    want = hashlib.md5(b"\x07secret" + b"challenge").digest()
    equal(chap.response(5, 7, "secret", b"challenge"), want, "the response")
    for raw in (b"", b"\0", bytes(range(256))):
        for encode in (chap.to_hex, chap.to_base64):
            equal(chap.from_text(encode(raw)), raw, "the binary value")
    equal([len(chap.response(a, 0, "", b"")) for a in (5, 6, 7, 8)], [16, 20, 32, 32], "lengths")


@suite.case
def sense_formats(b):
    fixed = bytes.fromhex("f000050000000a0a00000000240000c80002")
    equal(scsi.parse_sense(fixed), scsi.Sense(5, 0x2400, 0x70, 10, (True, 2, 0), bytes(4)), "fixed")
    desc = bytes.fromhex("72052400000000140206" "0000c9000100" "000a8000" "0000000000001000")
    equal(scsi.parse_sense(desc), scsi.Sense(5, 0x2400, 0x72, 0x1000, (True, 1, 1), bytes(8)), "descriptor")
    equal(scsi.parse_sense(b""), None, "no sense")


@suite.case
def cdbs(b):
    equal(scsi.read(0x1FFFFF, 256 & 255, 6).hex(), "081fffff0000", "READ(6)")
    equal(scsi.write(0x01020304, 0x0506, 10, 0x08).hex(), "2a080102030400050600", "WRITE(10)")
    equal(scsi.read(1, 2, 12).hex(), "a80000000001000000020000", "READ(12)")
    equal(scsi.verify(1, 2, 16, 1).hex(), "8f020000000000000001000000020000", "VERIFY(16)")
    equal(scsi.unmap_list([(1, 2)]).hex(), "0016001000000000" "0000000000000001" "0000000200000000",
          "the UNMAP list")


@suite.case
def a_failure_is_counted(b):
    """The harness reports what it must: this is the guard against tests that cannot fail."""
    inner = Suite(alone=True, quiet=True)

    def failing(_):
        raise Failed("as intended")

    def erring(_):
        return {}["missing"]

    def skipping(_):
        raise Skip("as intended")
    for fn in (failing, erring, skipping):
        inner.case(fn)
    equal(inner.run([]), 1, "the exit code")
    equal(inner.count, {"ok": 0, "FAIL": 2, "SKIP": 1}, "the verdicts")


if __name__ == "__main__":
    sys.exit(suite.run())
