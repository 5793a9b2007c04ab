# SPDX-License-Identifier: BSD-3-Clause
"""iSCSI PDUs: the layouts of RFC 7143 chapter 11 as one table, and their bytes.

A Pdu is a 48-byte header that may hold anything: every field has a name for
legal tests, and `bhs` is a plain bytearray for hostile ones.
"""

import struct

NOP_OUT, SCSI_CMD, TMF_REQ, LOGIN_REQ, TEXT_REQ = 0x00, 0x01, 0x02, 0x03, 0x04
DATA_OUT, LOGOUT_REQ, SNACK_REQ = 0x05, 0x06, 0x10
NOP_IN, SCSI_RSP, TMF_RSP, LOGIN_RSP, TEXT_RSP = 0x20, 0x21, 0x22, 0x23, 0x24
DATA_IN, LOGOUT_RSP, R2T, ASYNC, REJECT = 0x25, 0x26, 0x31, 0x32, 0x3F

NO_TAG = 0xFFFFFFFF     # the reserved ITT and TTT, 11.2.1.8
IMMEDIATE = 0x40        # byte 0
FINAL = 0x80            # byte 1 of most PDUs; T of login
CONTINUE = 0x40         # byte 1 of text and login

NAMES = {
    NOP_OUT: "NOP-Out", SCSI_CMD: "SCSI Command", TMF_REQ: "Task Management Request",
    LOGIN_REQ: "Login Request", TEXT_REQ: "Text Request", DATA_OUT: "Data-Out",
    LOGOUT_REQ: "Logout Request", SNACK_REQ: "SNACK", NOP_IN: "NOP-In",
    SCSI_RSP: "SCSI Response", TMF_RSP: "Task Management Response",
    LOGIN_RSP: "Login Response", TEXT_RSP: "Text Response", DATA_IN: "Data-In",
    LOGOUT_RSP: "Logout Response", R2T: "R2T", ASYNC: "Async Message", REJECT: "Reject",
}

# name -> (first byte, bytes), RFC 7143 11.3 to 11.19.  All PDUs share the first row.
_COMMON = {"flags": (1, 1), "ahs_words": (4, 1), "data_bytes": (5, 3), "itt": (16, 4)}
_REPLY = {"statsn": (24, 4), "exp_cmdsn": (28, 4), "max_cmdsn": (32, 4)}
_REQUEST = {"cmdsn": (24, 4), "exp_statsn": (28, 4)}
_LOGIN = {"isid": (8, 6), "tsih": (14, 2)}
LAYOUT = {
    SCSI_CMD: {**_REQUEST, "lun": (8, 8), "edtl": (20, 4), "cdb": (32, 16)},
    SCSI_RSP: {**_REPLY, "response": (2, 1), "status": (3, 1), "snack_tag": (20, 4),
               "exp_datasn": (36, 4), "bidi_residual": (40, 4), "residual": (44, 4)},
    TMF_REQ: {**_REQUEST, "lun": (8, 8), "rtt": (20, 4), "ref_cmdsn": (32, 4),
              "exp_datasn": (36, 4)},
    TMF_RSP: {**_REPLY, "response": (2, 1)},
    DATA_OUT: {"lun": (8, 8), "ttt": (20, 4), "exp_statsn": (28, 4), "datasn": (36, 4),
               "offset": (40, 4)},
    DATA_IN: {**_REPLY, "status": (3, 1), "lun": (8, 8), "ttt": (20, 4), "datasn": (36, 4),
              "offset": (40, 4), "residual": (44, 4)},
    R2T: {**_REPLY, "lun": (8, 8), "ttt": (20, 4), "r2tsn": (36, 4), "offset": (40, 4),
          "length": (44, 4)},
    ASYNC: {**_REPLY, "lun": (8, 8), "event": (36, 1), "vcode": (37, 1), "param1": (38, 2),
            "param2": (40, 2), "param3": (42, 2)},
    TEXT_REQ: {**_REQUEST, "lun": (8, 8), "ttt": (20, 4)},
    TEXT_RSP: {**_REPLY, "lun": (8, 8), "ttt": (20, 4)},
    LOGIN_REQ: {**_REQUEST, **_LOGIN, "version_max": (2, 1), "version_min": (3, 1),
                "cid": (20, 2)},
    LOGIN_RSP: {**_REPLY, **_LOGIN, "version_max": (2, 1), "version_active": (3, 1),
                "status_class": (36, 1), "status_detail": (37, 1)},
    LOGOUT_REQ: {**_REQUEST, "cid": (20, 2)},
    LOGOUT_RSP: {**_REPLY, "response": (2, 1), "time2wait": (40, 2), "time2retain": (42, 2)},
    SNACK_REQ: {"lun": (8, 8), "ttt": (20, 4), "exp_statsn": (28, 4), "beg_run": (40, 4),
                "run_length": (44, 4)},
    REJECT: {**_REPLY, "reason": (2, 1), "datasn": (36, 4)},
    NOP_OUT: {**_REQUEST, "lun": (8, 8), "ttt": (20, 4)},
    NOP_IN: {**_REPLY, "lun": (8, 8), "ttt": (20, 4)},
}


def _crc32c_table():
    """Castagnoli, reflected; one step takes 16 bits, so 65,536 entries."""
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    once = [table[n & 255] ^ n >> 8 for n in range(65536)]
    return [table[n & 255] ^ n >> 8 for n in once], table


_WIDE, _NARROW = _crc32c_table()


def crc32c(data):
    """The digest of RFC 7143 13.1: 0x8a9136aa for 32 zeroes, little-endian on the wire."""
    crc, wide = 0xFFFFFFFF, _WIDE
    even = len(data) & ~1
    for (pair,) in struct.iter_unpack("<H", memoryview(data)[:even]):
        crc = crc >> 16 ^ wide[(crc ^ pair) & 0xFFFF]
    if even != len(data):
        crc = crc >> 8 ^ _NARROW[(crc ^ data[-1]) & 255]
    return crc ^ 0xFFFFFFFF


def pad(data):
    """Segments end on a 4-byte boundary, 11.1."""
    return bytes(-len(data) % 4)


def lun_field(lun):
    """SAM-5 4.7: peripheral addressing below 256, flat space above."""
    return (lun if lun < 256 else 0x4000 | lun) << 48


class Pdu:
    """One PDU: bhs, ahs and data; its fields are attributes by the names of LAYOUT."""

    def __init__(self, opcode, data=b"", ahs=b"", immediate=False, **fields):
        self.__dict__.update(bhs=bytearray(48), data=bytes(data), ahs=bytes(ahs))
        self.bhs[0] = opcode | (IMMEDIATE if immediate else 0)
        self.data_bytes = len(self.data)
        self.ahs_words = len(self.ahs) // 4
        for name, value in fields.items():
            setattr(self, name, value)

    @classmethod
    def from_bytes(cls, bhs, ahs=b"", data=b""):
        p = cls(0)
        p.__dict__.update(bhs=bytearray(bhs), ahs=bytes(ahs), data=bytes(data))
        return p

    @property
    def opcode(self):
        return self.bhs[0] & 0x3F

    def _place(self, name):
        place = _COMMON.get(name) or LAYOUT.get(self.opcode, {}).get(name)
        if not place:
            raise AttributeError(f"{self.name} has no field {name}")
        return place

    def __getattr__(self, name):
        at, size = self._place(name)
        raw = bytes(self.bhs[at:at + size])
        return raw if size == 16 else int.from_bytes(raw, "big")

    def __setattr__(self, name, value):
        if name in ("data", "ahs", "bhs"):
            self.__dict__[name] = value
            return
        at, size = self._place(name)
        if isinstance(value, (bytes, bytearray)):
            value = bytes(value).ljust(size, b"\0")
            if len(value) != size:
                raise ValueError(f"{name} is {len(value)} bytes long, not {size}")
            self.bhs[at:at + size] = value
        else:
            self.bhs[at:at + size] = (value % (1 << 8 * size)).to_bytes(size, "big")

    @property
    def name(self):
        return NAMES.get(self.opcode, f"opcode 0x{self.opcode:02x}")

    @property
    def final(self):
        return bool(self.bhs[1] & FINAL)

    def header(self):
        return bytes(self.bhs) + self.ahs + pad(self.ahs)

    def encode(self, header_digest=False, data_digest=False, flip_header=0, flip_data=0):
        """The wire bytes.  flip_* spoil a digest by that XOR; a digest covers padding, 11.2.3."""
        out = self.header()
        if header_digest:
            out += struct.pack("<I", crc32c(out) ^ flip_header)
        if self.data:
            body = self.data + pad(self.data)
            out += body
            if data_digest:
                out += struct.pack("<I", crc32c(body) ^ flip_data)
        return out

    def __repr__(self):
        fields = {**_COMMON, **LAYOUT.get(self.opcode, {})}
        shown = " ".join(f"{n}={self.bhs[a:a + s].hex()}" for n, (a, s) in fields.items())
        return f"<{self.name} {shown} data={bytes(self.data[:64])!r}>"


def text(keys):
    """key=value pairs, each ended by a NUL (6.1).  Takes a dict or a list of pairs."""
    pairs = keys.items() if isinstance(keys, dict) else keys
    return b"".join(f"{k}={v}".encode("utf-8", "surrogateescape") + b"\0" for k, v in pairs)


def parse_text(data):
    """The pairs of a text segment, in order; raises ValueError on what is no key=value text."""
    if data and not data.endswith(b"\0"):
        raise ValueError(f"text does not end with NUL: {data[-32:]!r}")
    pairs = []
    for item in data.split(b"\0"):
        if not item:
            continue
        key, eq, value = item.partition(b"=")
        if not eq or not key:
            raise ValueError(f"no key=value: {item[:64]!r}")
        pairs.append((key.decode("utf-8", "surrogateescape"),
                      value.decode("utf-8", "surrogateescape")))
    return pairs
