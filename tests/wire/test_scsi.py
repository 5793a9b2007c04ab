#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""The SCSI disk as an initiator meets it (SAM-5, SPC-4, SBC-3): what it says of itself."""

import struct
import sys

import pdu
import scsi
from expect import condition, good
from harness import Suite, among, check, equal
from session import (HEAD, ORDERED, READ_FLAG, SIMPLE, UNTAGGED, Session, Task)

suite = Suite()

DISK_MB = 16
BLOCKS = DISK_MB << 11


def opened(b, target=None):
    return Session(b.addr, target or b.iqn).clear_ua()


def fetch(s, cdb, size=4096, **how):
    return bytes(good(s.scsi(cdb, read=size, **how)).datain)


# -- INQUIRY and VPD ----------------------------------------------------------

@suite.case
def inquiry_standard(b):
    """SPC-4 6.6.2."""
    with opened(b) as s:
        raw = fetch(s, scsi.inquiry())
        check(len(raw) >= 36, f"{len(raw)} bytes")
        equal(raw[0], 0, "qualifier and type of a disk")
        equal(raw[1] & 0x80, 0, "RMB")
        among(raw[2], (5, 6, 7), "VERSION")
        equal(raw[3] & 0x0F, 2, "RESPONSE DATA FORMAT")
        equal(raw[4], len(raw) - 5, "ADDITIONAL LENGTH")
        check(raw[7] & 0x02, "CMDQUE: the target queues commands")
        for what, text in (("vendor", raw[8:16]), ("product", raw[16:32]),
                           ("revision", raw[32:36])):
            check(all(0x20 <= c < 0x7F for c in text), f"{what} {text} is no ASCII")


@suite.case
def inquiry_ignores_unit_attention(b):
    """SAM-5 5.14: INQUIRY, REPORT LUNS and REQUEST SENSE are processed nevertheless."""
    with Session(b.addr, b.iqn) as s:
        fetch(s, scsi.inquiry())
        fetch(s, scsi.report_luns(), lun=0)


@suite.case
def unit_attention_first(b):
    """A new nexus is told once (29h), then the unit is ready."""
    with Session(b.addr, b.iqn) as s:
        t = condition(s.scsi(scsi.tur()), scsi.UNIT_ATTENTION)
        equal(t.sense.code >> 8, 0x29, "the additional sense code")
        good(s.scsi(scsi.tur()))


@suite.cases([(str(n), n) for n in (0, 1, 4, 5, 35, 36, 37, 255, 4096, 65535)])
def inquiry_allocation_length(b, alloc):
    with opened(b) as s:
        whole = fetch(s, scsi.inquiry(alloc=1024))
        t = good(s.scsi(scsi.inquiry(alloc=alloc), read=65536))
        equal(bytes(t.datain), whole[:alloc], "the clipped data")


@suite.case
def vpd_supported_pages(b):
    """SPC-4 7.8.14: ascending, and each page that is listed exists."""
    with opened(b) as s:
        raw = fetch(s, scsi.inquiry(1, 0x00))
        pages = list(raw[4:4 + raw[3]])
        equal(pages, sorted(set(pages)), "the pages")
        for page in (0x00, 0x80, 0x83, 0x86, 0x87, 0x88, 0xB0, 0xB1, 0xB2):
            among(page, pages, "the pages")
        for page in pages:
            got = fetch(s, scsi.inquiry(1, page, alloc=4096))
            equal((got[0], got[1]), (0, page), "type and page code")
            equal(struct.unpack(">H", got[2:4])[0], len(got) - 4, f"PAGE LENGTH of {page:#x}")


@suite.case
def vpd_unknown_page(b):
    with opened(b) as s:
        pages = fetch(s, scsi.inquiry(1, 0x00))[4:]
        for page in range(256):
            if page not in pages:
                condition(s.scsi(scsi.inquiry(1, page), read=255), scsi.ILLEGAL_REQUEST,
                          scsi.INVALID_FIELD_IN_CDB, (True, 2))


@suite.case
def page_code_without_evpd(b):
    """SPC-4 6.6.1: PAGE CODE must be zero when EVPD is."""
    with opened(b) as s:
        condition(s.scsi(scsi.inquiry(0, 0x80), read=255), scsi.ILLEGAL_REQUEST,
                  scsi.INVALID_FIELD_IN_CDB, (True, 2))


def designators(s, lun=1):
    raw = fetch(s, scsi.inquiry(1, 0x83, alloc=4096), lun=lun)
    out, at = [], 4
    while at < len(raw):
        code, kind, _, size = struct.unpack(">BBBB", raw[at:at + 4])
        out.append((kind >> 4 & 3, kind & 0xF, code & 0xF, raw[at + 4:at + 4 + size]))
        at += 4 + size
    equal(at, len(raw), "the end of the last designator")
    return out


@suite.case
def vpd_identification(b):
    """SPC-4 7.8.6: a name of the logical unit that is NAA, EUI-64 or SCSI name."""
    with opened(b) as s:
        unit = [(kind, value) for assoc, kind, _, value in designators(s) if assoc == 0]
        check(any(kind in (2, 3, 8) for kind, _ in unit), f"no world-wide name: {unit}")
        for kind, value in unit:
            if kind == 3:
                equal(len(value), {2: 8, 3: 8, 5: 8, 6: 16}.get(value[0] >> 4), "the length of NAA")


@suite.case
def identities_differ(b):
    """Every LUN of every target has a name and a serial number of its own."""
    t = b.d.target(disks=12, mb=1)
    seen = set()
    for name, luns in ((b.iqn, (1,)), (t.name, range(1, 13))):
        with Session(b.addr, name) as s:
            for lun in luns:
                names = tuple(v for a, k, _, v in designators(s, lun) if a == 0 and k in (2, 3))
                serial = fetch(s, scsi.inquiry(1, 0x80), lun=lun)[4:]
                check(serial.strip(), "an empty serial number")
                check(names not in seen and serial not in seen, f"LUN {lun}: {names} {serial}")
                seen |= {names, serial}


@suite.case
def identity_is_the_same_on_every_path(b):
    with Session(b.addr, b.iqn) as one, Session(b.addr, b.iqn) as two:
        equal([d for d in designators(one) if d[0] == 0],
              [d for d in designators(two) if d[0] == 0], "the designators of the unit")


@suite.case
def identity_can_be_set(b):
    t = b.d.target(mb=1)
    t.lun_params(1, "scsi_sn=MYSERIAL7")
    t.lun_params(1, "vendor_id=ACME,product_id=SPINNER,product_rev=0042")
    with Session(b.addr, t.name) as s:
        check(b"MYSERIAL7" in fetch(s, scsi.inquiry(1, 0x80)), "the serial number is not ours")
        raw = fetch(s, scsi.inquiry())
        equal((raw[8:16], raw[16:32], raw[32:36]),
              (b"ACME    ", b"SPINNER         ", b"0042"), "the strings")


@suite.case
def vpd_block_limits(b):
    """SBC-3 6.6.3: what is advertised for UNMAP and WRITE SAME is done; see test_scsi_data."""
    with opened(b) as s:
        raw = fetch(s, scsi.inquiry(1, 0xB0))
        equal(len(raw), 64, "the page")
        most, best = struct.unpack(">II", raw[8:16])
        check(not most or not best or best <= most, f"optimal {best} above maximum {most}")


@suite.case
def vpd_characteristics(b):
    with opened(b) as s:
        raw = fetch(s, scsi.inquiry(1, 0xB1))
        equal(len(raw), 64, "the page")
        rate = struct.unpack(">H", raw[4:6])[0]
        check(rate in (0, 1) or 0x401 <= rate <= 0xFFFE, f"MEDIUM ROTATION RATE {rate:#x}")


@suite.case
def vpd_provisioning_agrees(b):
    """SBC-3 6.6.4 and 5.16.2: LBPU, LBPWS and LBPME tell one story."""
    with opened(b) as s:
        raw = fetch(s, scsi.inquiry(1, 0xB2))
        lbpme = fetch(s, scsi.read_capacity16())[14] & 0x80
        if raw[5] & 0xE0:
            check(lbpme, "UNMAP or WRITE SAME unmaps, but LBPME is 0")


# -- LUNs ---------------------------------------------------------------------

@suite.case
def report_luns(b):
    """SPC-4 6.33: LUN 0 and the disks, 8 bytes each."""
    t = b.d.target(disks=3, mb=1)
    t.lun(300, b.d.disk(1))
    with Session(b.addr, t.name) as s:
        raw = fetch(s, scsi.report_luns(), lun=0)
        size = struct.unpack(">I", raw[:4])[0]
        equal(size, len(raw) - 8, "LUN LIST LENGTH")
        got = sorted(raw[8 + n:16 + n] for n in range(0, size, 8))
        want = sorted([bytes([0, n]) + bytes(6) for n in range(4)] +
                      [struct.pack(">H", 0x4000 | 300) + bytes(6)])
        equal(got, want, "the LUNs")
        s.clear_ua(300)
        s.read(0, 1, lun=300)


@suite.cases([(hex(n), n) for n in (0x00, 0x01, 0x02, 0x10, 0x11)])
def report_luns_select(b, select):
    """01h and 10h name well-known and administrative logical units: none here."""
    with opened(b) as s:
        raw = fetch(s, scsi.report_luns(select), lun=0)
        check(struct.unpack(">I", raw[:4])[0] == (0 if select in (1, 0x10) else 16),
              f"{raw.hex()}")


@suite.case
def report_luns_unknown_select(b):
    with opened(b) as s:
        for select in (0x03, 0x0F, 0x12, 0x13, 0xFF):
            condition(s.scsi(scsi.report_luns(select), read=4096, lun=0), scsi.ILLEGAL_REQUEST,
                      scsi.INVALID_FIELD_IN_CDB, (True, 2))


@suite.case
def report_luns_clipped(b):
    """The length tells of all, however little fits."""
    with opened(b) as s:
        raw = fetch(s, scsi.report_luns(alloc=16), lun=0)
        equal((len(raw), struct.unpack(">I", raw[:4])[0]), (16, 16), "bytes and list length")


@suite.case
def lun_0_is_a_controller(b):
    """Type 0Ch; it says what it is and has no blocks."""
    with Session(b.addr, b.iqn) as s:
        raw = fetch(s, scsi.inquiry(), lun=0)
        equal(raw[0], 0x0C, "qualifier and type")
        s.clear_ua(0)
        t = s.scsi(scsi.read(0, 1), lun=0, read=512)
        condition(t, scsi.ILLEGAL_REQUEST, scsi.INVALID_OPCODE)


@suite.cases([("small", 42 << 48), ("flat", (0x4000 | 5000) << 48), ("format_10b", 0x8001 << 48),
              ("extended", 0xD200 << 48), ("second_level", 0x0001000100000000),
              ("all_ones", 0xFFFFFFFFFFFFFFFF)])
def wrong_lun(b, raw):
    """SPC-4 6.6.2: qualifier 3 and type 1Fh; SAM-5 5.11: other commands end with 05/25/00."""
    with opened(b) as s:
        t = _at(s, raw, scsi.inquiry(), 255)
        if t.status == scsi.GOOD:
            equal(t.datain[0], 0x7F, "qualifier and type")
        else:
            condition(t, scsi.ILLEGAL_REQUEST, scsi.LUN_NOT_SUPPORTED)
        condition(_at(s, raw, scsi.tur(), 0), scsi.ILLEGAL_REQUEST, scsi.LUN_NOT_SUPPORTED)
        condition(_at(s, raw, scsi.read(0, 1), 512), scsi.ILLEGAL_REQUEST, scsi.LUN_NOT_SUPPORTED)


def _at(s, raw_lun, cdb, size):
    """A command for any 64-bit LUN."""
    p = s.stamp(pdu.Pdu(pdu.SCSI_CMD, flags=pdu.FINAL | 1 | (READ_FLAG if size else 0), cdb=cdb,
                        edtl=size, lun=raw_lun))
    t = s.tasks[p.itt] = Task(p.itt, size, bool(size), b"", False)
    s.conn.send(p)
    return s.finish(t)


@suite.case
def request_sense_at_wrong_lun(b):
    """SPC-4 6.39: GOOD, with "logical unit not supported" as its data."""
    with opened(b) as s:
        sense = scsi.parse_sense(fetch(s, scsi.request_sense(), 252, lun=99))
        equal((sense.key, sense.code), (scsi.ILLEGAL_REQUEST, scsi.LUN_NOT_SUPPORTED), "the sense")


# -- sense --------------------------------------------------------------------

@suite.case
def request_sense_when_nothing_is_wrong(b):
    with opened(b) as s:
        for desc, code in ((0, 0x70), (1, 0x72)):
            sense = scsi.parse_sense(fetch(s, scsi.request_sense(desc), 252))
            equal((sense.response_code, sense.key, sense.code), (code, 0, 0), "the sense")


@suite.case
def request_sense_clips(b):
    with opened(b) as s:
        for alloc in (0, 1, 4, 8, 17, 18):
            equal(len(fetch(s, scsi.request_sense(alloc=alloc), 252)), alloc, "bytes")


@suite.case
def request_sense_tells_unit_attention(b):
    """SPC-4 6.39: a pending unit attention is the data, and is then cleared."""
    with Session(b.addr, b.iqn) as s:
        sense = scsi.parse_sense(fetch(s, scsi.request_sense(), 252))
        equal((sense.key, sense.code >> 8), (scsi.UNIT_ATTENTION, 0x29), "the sense")
        good(s.scsi(scsi.tur()))


# -- MODE SENSE ---------------------------------------------------------------

PAGES = {0x01: 0x0A, 0x02: 0x0E, 0x08: 0x12, 0x0A: 0x0A, 0x1C: 0x0A}
PC = {"current": 0, "changeable": 1, "default": 2}


def mode(s, page, pc=0, ten=False, dbd=0, subpage=0, alloc=None):
    """-> (header, block descriptor, pages)"""
    build = scsi.mode_sense10 if ten else scsi.mode_sense6
    raw = fetch(s, build(page, alloc or (4096 if ten else 255), pc, subpage, dbd))
    size, head = (2, 8) if ten else (1, 4)
    equal(int.from_bytes(raw[:size], "big"), len(raw) - size, "MODE DATA LENGTH")
    desc = int.from_bytes(raw[6:8], "big") if ten else raw[3]
    return raw[:head], raw[head:head + desc], raw[head + desc:]


@suite.cases([(f"{page:02x}_{name}_{size}", page, pc, size == 10)
              for page in PAGES for name, pc in PC.items() for size in (6, 10)])
def mode_page(b, page, pc, ten):
    """SPC-4 7.5, SBC-3 6.5."""
    with opened(b) as s:
        _, _, raw = mode(s, page, pc, ten)
        equal((raw[0] & 0x3F, raw[1]), (page, PAGES[page]), "page and length")
        equal(len(raw), PAGES[page] + 2, "bytes")


@suite.cases([("6", False), ("10", True)])
def mode_all_pages(b, ten):
    """3Fh: every page once, ascending, the same as asked for alone."""
    with opened(b) as s:
        _, _, raw = mode(s, 0x3F, ten=ten)
        at, found = 0, {}
        while at < len(raw):
            check(not raw[at] & 0x40, "a subpage, though none was asked for")
            found[raw[at] & 0x3F] = raw[at:at + 2 + raw[at + 1]]
            at += 2 + raw[at + 1]
        equal(list(found), sorted(found), "the order")
        for page in PAGES:
            among(page, list(found), "the pages")
            equal(found[page], mode(s, page, ten=ten)[2], f"page {page:#x}")


@suite.case
def mode_block_descriptor(b):
    with opened(b) as s:
        for ten in (False, True):
            _, desc, _ = mode(s, 0x08, ten=ten)
            if desc:
                equal(int.from_bytes(desc[5:8], "big"), 512, "BLOCK LENGTH")
            equal(mode(s, 0x08, ten=ten, dbd=1)[1], b"", "the descriptor with DBD")


@suite.case
def mode_saved_values(b):
    """SPC-4 6.11: PC 11b without saved pages is 05/39/00."""
    with opened(b) as s:
        t = s.scsi(scsi.mode_sense6(0x08, pc=3), read=255)
        if t.status != scsi.GOOD:
            condition(t, scsi.ILLEGAL_REQUEST, 0x3900)


@suite.case
def mode_unknown_pages(b):
    with opened(b) as s:
        _, _, raw = mode(s, 0x3F)
        known, at = set(), 0
        while at < len(raw):
            known.add(raw[at] & 0x3F)
            at += 2 + raw[at + 1]
        for page in range(0x3F):
            if page not in known:
                condition(s.scsi(scsi.mode_sense6(page), read=255), scsi.ILLEGAL_REQUEST,
                          scsi.INVALID_FIELD_IN_CDB, (True, 2))
        condition(s.scsi(scsi.mode_sense6(0x08, subpage=0x55), read=255), scsi.ILLEGAL_REQUEST,
                  scsi.INVALID_FIELD_IN_CDB)


@suite.case
def mode_changeable_is_a_mask(b):
    """What cannot be changed is zero in the changeable values; PS and lengths stay."""
    with opened(b) as s:
        caching = mode(s, 0x08, PC["changeable"])[2]
        check(not caching[2] & ~0x04, f"byte 2 of the caching page: only WCE may change: {caching}")


@suite.case
def mode_clipped(b):
    with opened(b) as s:
        whole = fetch(s, scsi.mode_sense6(0x3F))
        for alloc in (0, 1, 4, 12, 20):
            got = fetch(s, scsi.mode_sense6(0x3F, alloc))
            equal(got, whole[:alloc], f"the first {alloc} bytes")


@suite.case
def dpofua_is_true(b):
    """SBC-3 6.5.1: DPOFUA says that READ and WRITE take DPO and FUA."""
    with opened(b) as s:
        head, _, _ = mode(s, 0x3F)
        if head[2] & 0x10:
            s.write(4096, bytes(512), flags=0x18)
            fetch(s, scsi.read(4096, 1, flags=0x18), 512)


@suite.case
def readonly_is_told(b):
    t = b.d.target(mb=1)
    t.lun_params(1, "readonly=1")
    with Session(b.addr, t.name) as s:
        s.clear_ua()
        check(mode(s, 0x3F)[0][2] & 0x80, "WP is clear")
        condition(s.scsi(scsi.write(0, 1), out=bytes(512)), scsi.DATA_PROTECT, 0x2700)
        s.read(0, 1)


# -- capacity -----------------------------------------------------------------

@suite.case
def capacity(b):
    with opened(b) as s:
        equal(struct.unpack(">II", fetch(s, scsi.read_capacity10())), (BLOCKS - 1, 512), "(10)")
        raw = fetch(s, scsi.read_capacity16())
        equal(len(raw), 32, "bytes of (16)")
        equal(struct.unpack(">QI", raw[:12]), (BLOCKS - 1, 512), "(16)")
        equal(len(fetch(s, scsi.read_capacity16(alloc=12))), 12, "bytes when clipped")


@suite.case
def capacity_beyond_32_bits(b):
    """SBC-3 5.15.2: what does not fit is FFFFFFFFh; 3 TiB, thin."""
    t = b.d.target(mb=3 << 20)
    with opened(b, t.name) as s:
        equal(struct.unpack(">II", fetch(s, scsi.read_capacity10())), (0xFFFFFFFF, 512), "(10)")
        blocks = 3 << 31
        equal(struct.unpack(">Q", fetch(s, scsi.read_capacity16())[:8])[0], blocks - 1, "(16)")
        s.write(blocks - 1, b"\x77" * 512, size=16)
        equal(s.read(blocks - 1, 1, size=16), b"\x77" * 512, "the last block")
        condition(s.scsi(scsi.read(blocks, 1, 16), read=512), scsi.ILLEGAL_REQUEST,
                  scsi.LBA_OUT_OF_RANGE)


@suite.cases([("512", 512), ("4096", 4096)])
def block_size(b, size):
    t = b.d.target(disks=0)
    t.lun(1, b.d.disk(4), "--blocksize", str(size))
    with opened(b, t.name) as s:
        equal(struct.unpack(">II", fetch(s, scsi.read_capacity10())), ((4 << 20) // size - 1, size),
              "the capacity")
        s.write(100, bytes(range(256)) * (size // 256), bs=size)
        equal(s.read(100, 1, bs=size), bytes(range(256)) * (size // 256), "the block")


# -- the task attribute, and the table ----------------------------------------

@suite.cases([("untagged", UNTAGGED), ("simple", SIMPLE), ("ordered", ORDERED), ("head", HEAD)])
def attribute(b, attr):
    with opened(b) as s:
        good(s.scsi(scsi.tur(), attr=attr))


@suite.case
def head_of_queue_without_memory(b):
    """It waits for the memory of writes that would have to wait for it: they go first."""
    with opened(b) as s:
        writes = [s.start(scsi.write(0, BLOCKS, 16), out=bytes(BLOCKS * 512), manual=True)
                  for _ in range(2)]
        s.wait(lambda: writes[0].r2ts)
        head = s.start(scsi.read(0, BLOCKS, 16), read=BLOCKS * 512, attr=HEAD)
        s.nop()
        for t in writes:
            t.manual = False
            for r2t in list(t.r2ts):
                s.answer_r2t(t, r2t)
        for t in (*writes, head):
            good(s.finish(t))


@suite.cases([("aca", 4), ("5", 5), ("6", 6), ("7", 7)])
def attribute_not_supported(b, attr):
    """SAM-5 8.6: there is no ACA condition that an ACA task could belong to; RFC 7143 11.3.1: 5 to
    7 are reserved.  INVALID MESSAGE ERROR, and nothing is done."""
    with opened(b) as s:
        before = s.read(4096, 1)
        condition(s.scsi(scsi.write(4096, 1), out=b"\x5c" * 512, attr=attr), scsi.ILLEGAL_REQUEST,
                  0x4900)
        condition(s.scsi(scsi.inquiry(), read=255, attr=attr), scsi.ILLEGAL_REQUEST, 0x4900)
        equal(s.read(4096, 1), before, "the block")


@suite.case
def naca_is_refused(b):
    """SAM-5 5.2: CONTROL with NACA while NORMACA is 0 in INQUIRY: 05/24/00."""
    with opened(b) as s:
        check(not fetch(s, scsi.inquiry())[3] & 0x20, "NORMACA is set")
        condition(s.scsi(scsi.cdb(0x00, 6, (5, 1, 0x04))), scsi.ILLEGAL_REQUEST,
                  scsi.INVALID_FIELD_IN_CDB, (True, 5))


if __name__ == "__main__":
    sys.exit(suite.run())
