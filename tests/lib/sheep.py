#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A client of a Sheepdog cluster for tests: prepares and looks at VDIs without
the code under test.

  sheep.py ADDRESS COMMAND ...       ADDRESS: unix:PATH or tcp:HOST:PORT

    new NAME SIZE [--copies N] [--shift N] [--policy N] [--hyper]
    info NAME[:SNAPSHOT]             "vid 2a0b08", then the inode's fields
    list                             name, tag, snap_id, vid, size of each VDI
    map NAME[:SNAPSHOT]              "INDEX VID" of each slot in use
    read NAME[:SNAPSHOT] OFF BYTES   to stdout
    write NAME OFF                   from stdin, as a client has to
    fill NAME OFF BYTES BYTE
    export NAME[:SNAPSHOT] [FILE]    the whole disk
    compare NAME[:SNAPSHOT] FILE     exit 1 and where, if they differ
    discard NAME INDEX
    resize NAME SIZE
    snapshot NAME [TAG]
    clone NAME:SNAPSHOT NEW
    rollback NAME:SNAPSHOT
    delete NAME[:SNAPSHOT]
    wipe PREFIX                      all VDIs whose names begin so
    lock NAME [shared]
    unlock NAME [shared]
    raw HEX                          one request, its answer as hex

  sheep.py CONTROL-SOCKET control COMMAND ...   (the server of the tests only)

SNAPSHOT is a tag, or a number.  As a module: Sheep, Vdi, and request() for what
is deliberately wrong.
"""
import argparse
import os
import re
import socket
import struct
import sys

CREATE, READ, WRITE, REMOVE, DISCARD = 1, 2, 3, 4, 5
NEW_VDI, LOCK_VDI, RELEASE_VDI, VDI_INFO = 0x11, 0x12, 0x13, 0x14
READ_VDIS, FLUSH_VDI, DEL_VDI, DEFAULTS = 0x15, 0x16, 0x17, 0x18
F_WRITE, F_COW, F_TGT = 1, 2, 0x20

SUCCESS, NO_OBJ, EIO, VDI_EXIST, INVALID_PARMS = 0, 2, 3, 4, 5
VDI_LOCKED, NO_VDI, NO_TAG, VER_MISMATCH, NO_SPACE = 7, 8, 0x0e, 0x14, 0x15
READONLY, INODE_INVALIDATED = 0x1a, 0x1d

SLOTS_AT, REFS_AT, INODE_BYTES, NR_SLOTS = 4664, 4198968, 12587576, 1 << 20
NORMAL, SHARED = 0, 1
SECONDS = 60


class SheepError(Exception):
    def __init__(self, result, what):
        super().__init__(f"{what}: result 0x{result:02x}")
        self.result = result


class Lost(Exception):
    pass


def inode_oid(vid):
    return 1 << 63 | vid << 32


def data_oid(vid, index):
    return vid << 32 | index


def name_bytes(name):
    raw = name.encode() if isinstance(name, str) else name
    return raw.ljust(256, b"\0")


# --- requests, as bytes -------------------------------------------------------

def request(op, part, ident=0, flags=0, payload=b"", length=None, version=1):
    """length: of the answer's payload, if there is no payload."""
    n = len(payload) if length is None else length
    return struct.pack("<BBHIII", version, op, flags, 0, ident, n) + part + payload


def object_part(oid, offset=0, cow=0, copies=0):
    return struct.pack("<QQB3xIII", oid, cow, copies, 0, offset, 0)


def vdi_part(size=0, base=0, copies=0, policy=0, store=0, shift=0, snapid=0, lock=0):
    return struct.pack("<QIBBBBIIQ", size, base, copies, policy, store, shift, snapid, lock, 0)


def object_request(op, oid, offset=0, data=b"", length=0, ident=0, flags=0, cow=0, copies=0):
    if op in (CREATE, WRITE):
        return request(op, object_part(oid, offset, cow, copies), ident, flags | F_WRITE, data)
    return request(op, object_part(oid, offset, cow, copies), ident, flags, length=length)


def name_request(op, name, tag="", snapid=0, lock=0, ident=0):
    return request(op, vdi_part(snapid=snapid, lock=lock), ident, F_WRITE,
                   name_bytes(name) + name_bytes(tag))


def new_request(name, ident=0, **fields):
    return request(NEW_VDI, vdi_part(**fields), ident, F_WRITE, name_bytes(name))


def release_request(vid, lock=0, ident=0):
    return request(RELEASE_VDI, vdi_part(base=vid, lock=lock), ident)


class Reply:
    def __init__(self, head, data):
        self.raw = head + data
        (self.version, self.op, self.flags, self.epoch, self.id, self.length,
         self.result) = struct.unpack_from("<BBHIIII", head)
        self.vid, = struct.unpack_from("<I", head, 24)
        self.copies, self.shift = head[32], head[33]
        self.data = data


class Inode:
    def __init__(self, raw):
        self.name = raw[:256].rstrip(b"\0").decode(errors="replace")
        self.tag = raw[256:512].rstrip(b"\0").decode(errors="replace")
        (self.ctime, self.snap_time, self.vm_clock, self.size,
         self.vm_state) = struct.unpack_from("<5Q", raw, 512)
        self.policy, self.store, self.copies, self.shift = raw[552:556]
        self.snap_id, self.vid, self.parent = struct.unpack_from("<3I", raw, 556)
        self.slots = list(struct.unpack_from(f"<{(len(raw) - SLOTS_AT) // 4}I", raw, SLOTS_AT))

    @property
    def object_bytes(self):
        return 1 << self.shift

    @property
    def nr_objects(self):
        return -(-self.size // self.object_bytes)


# --- a connection ---------------------------------------------------------------

def connect(address, seconds=SECONDS):
    kind, _, rest = address.partition(":")
    if kind == "unix":
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(seconds)
        s.connect(rest)
        return s
    host, _, port = rest.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), seconds)


class Sheep:
    """One connection; requests may be pipelined with send() and receive()."""

    def __init__(self, address):
        self.s = connect(address)
        self.next_id = 0

    def close(self):
        self.s.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _exactly(self, n):
        parts = []
        while n:
            try:
                part = self.s.recv(min(n, 1 << 20))
            except ConnectionError as e:
                raise Lost(str(e)) from e
            if not part:
                raise Lost("end of the connection")
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    def send(self, raw):
        self.s.sendall(raw)

    def receive(self):
        head = self._exactly(48)
        return Reply(head, self._exactly(struct.unpack_from("<I", head, 12)[0]))

    def ident(self):
        self.next_id += 1
        return self.next_id

    def ask(self, raw):
        self.send(raw)
        return self.receive()

    def _good(self, raw, what):
        r = self.ask(raw)
        if r.result:
            raise SheepError(r.result, what)
        return r

    # VDIs

    def lookup(self, name, snapshot="", op=VDI_INFO, lock=0):
        tag, snapid = (("", int(snapshot)) if re.fullmatch(r"[0-9]+", snapshot)
                       else (snapshot, 0))
        return self._good(name_request(op, name, tag, snapid, lock, self.ident()),
                          f"lookup of {name}:{snapshot}").vid

    def new(self, name, size, **fields):
        return self._good(new_request(name, self.ident(), size=size, **fields),
                          f"new VDI {name}").vid

    def inode(self, vid, whole=True):
        raw = self.read(inode_oid(vid), 0, SLOTS_AT)
        size, = struct.unpack_from("<Q", raw, 536)
        nr = min(-(-size // (1 << raw[555])), NR_SLOTS) if whole else 0
        if nr:
            raw += self.read(inode_oid(vid), SLOTS_AT, 4 * nr)
        return Inode(raw)

    def vids(self):
        bits = self._good(request(READ_VDIS, bytes(32), self.ident(), length=2097152),
                          "list").data
        return [8 * i + b for i, byte in enumerate(bits) if byte
                for b in range(8) if byte & 1 << b]

    def lock(self, name, kind=NORMAL):
        return self.lookup(name, op=LOCK_VDI, lock=kind)

    def release(self, vid, kind=NORMAL):
        self._good(release_request(vid, kind, self.ident()), "release")

    def snapshot(self, name, tag=""):
        """Returns the new working vid."""
        vid = self.lookup(name)
        i = self.inode(vid, whole=False)
        self.write(inode_oid(vid), 256, name_bytes(tag))
        return self.new(name, i.size, base=vid, snapid=1, copies=i.copies, policy=i.policy,
                        store=i.store, shift=i.shift)

    def clone(self, name, snapshot, new):
        vid = self.lookup(name, snapshot)
        i = self.inode(vid, whole=False)
        return self.new(new, i.size, base=vid, copies=i.copies, policy=i.policy,
                        store=i.store, shift=i.shift)

    def rollback(self, name, snapshot):
        self.lookup(name, snapshot)
        self.delete(name)
        return self.clone(name, snapshot, name)

    def delete(self, name, snapshot=""):
        vid = self.lookup(name, snapshot)
        i = self.inode(vid)
        for at in range(0, len(i.slots), 65536):
            part = i.slots[at:at + 65536]
            if any(part):
                self.write(inode_oid(vid), SLOTS_AT + 4 * at, bytes(4 * len(part)))
        tag, snapid = (("", int(snapshot)) if re.fullmatch(r"[0-9]+", snapshot)
                       else (snapshot, 0))
        self._good(name_request(DEL_VDI, name, tag, snapid, 0, self.ident()),
                   f"delete {name}")

    def resize(self, name, size):
        self.write(inode_oid(self.lookup(name)), 536, struct.pack("<Q", size))

    # objects

    def read(self, oid, offset, length, flags=0):
        return self._good(object_request(READ, oid, offset, length=length, ident=self.ident(),
                                         flags=flags), f"read of {oid:016x}").data

    def write(self, oid, offset, data, flags=0):
        self._good(object_request(WRITE, oid, offset, data, ident=self.ident(), flags=flags),
                   f"write of {oid:016x}")

    def create(self, oid, offset, data, cow=0, flags=0):
        self._good(object_request(CREATE, oid, offset, data, ident=self.ident(), cow=cow,
                                  flags=flags | (F_COW if cow else 0)), f"create of {oid:016x}")

    def discard(self, oid):
        self._good(object_request(DISCARD, oid, ident=self.ident()), f"discard of {oid:016x}")

    def set_slot(self, vid, index, value):
        self.write(inode_oid(vid), SLOTS_AT + 4 * index, struct.pack("<I", value))


class Vdi:
    """A disk: bytes at offsets, with the map read afresh when it is opened."""

    def __init__(self, sheep, name, snapshot=""):
        self.sheep = sheep
        self.vid = sheep.lookup(name, snapshot)
        self.inode = sheep.inode(self.vid)
        self.flags = 0

    @property
    def size(self):
        return self.inode.size

    def _pieces(self, off, n):
        whole = self.inode.object_bytes
        while n:
            index, at = divmod(off, whole)
            part = min(n, whole - at)
            yield index, at, part
            off += part
            n -= part

    def read(self, off, n):
        parts = []
        for index, at, part in self._pieces(off, n):
            slot = self.inode.slots[index]
            parts.append(self.sheep.read(data_oid(slot, index), at, part, self.flags)
                         if slot else bytes(part))
        return b"".join(parts)

    def write(self, off, data):
        done = 0
        for index, at, part in self._pieces(off, len(data)):
            self._write_one(index, at, data[done:done + part])
            done += part

    def _write_one(self, index, at, data):
        slot, oid = self.inode.slots[index], data_oid(self.vid, index)
        if slot == self.vid:
            self.sheep.write(oid, at, data, self.flags)
            return
        self.sheep.create(oid, at, data, data_oid(slot, index) if slot else 0, self.flags)
        self.sheep.set_slot(self.vid, index, self.vid)
        self.inode.slots[index] = self.vid


# --- the server of the tests ------------------------------------------------------

def control(path, command):
    """The answer without its "ok"."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(SECONDS)
        s.connect(path)
        s.send(command.encode())
        said, _, rest = s.recv(65536).decode().partition("\n")
    if said != "ok":
        raise SystemExit(f"sheep: {command}: {said}")
    return rest


def stat(path):
    return {k: int(v) for k, v in (line.split() for line in
                                   control(path, "stat").splitlines())}


# --- command line -------------------------------------------------------------------

SIZE = {"": 1, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def size_of(text):
    m = re.fullmatch(r"([0-9]+)([kMGT]?)", text)
    if not m:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size")
    return int(m[1]) * SIZE[m[2]]


def split(name):
    name, _, snapshot = name.partition(":")
    return name, snapshot


class Commands:
    def __init__(self, sheep):
        self.sheep = sheep

    def vdi(self, name):
        return Vdi(self.sheep, *split(name))

    def new(self, name, size, *options):
        ap = argparse.ArgumentParser()
        for o in ("copies", "shift", "policy"):
            ap.add_argument("--" + o, type=int, default=0)
        ap.add_argument("--hyper", action="store_true")
        a = ap.parse_args(options)
        print(f"{self.sheep.new(name, size_of(size), copies=a.copies, policy=a.policy, shift=a.shift, store=int(a.hyper)):06x}")

    def info(self, name):
        i = self.vdi(name).inode
        for field in ("vid", "parent"):
            print(field, f"{getattr(i, field):06x}")
        for field in ("name", "tag", "snap_id", "size", "copies", "policy", "store", "shift"):
            print(field, getattr(i, field))
        print("snapshot", int(i.snap_time != 0))

    def list(self):
        for vid in self.sheep.vids():
            i = self.sheep.inode(vid, whole=False)
            if i.name:
                print(i.name, i.tag if i.snap_time else "-", i.snap_id, f"{vid:06x}", i.size)

    def map(self, name):
        for index, slot in enumerate(self.vdi(name).inode.slots):
            if slot:
                print(index, f"{slot:06x}")

    def read(self, name, off, n):
        sys.stdout.buffer.write(self.vdi(name).read(size_of(off), size_of(n)))

    def write(self, name, off):
        self.vdi(name).write(size_of(off), sys.stdin.buffer.read())

    def fill(self, name, off, n, byte):
        self.vdi(name).write(size_of(off), bytes([int(byte, 0)]) * size_of(n))

    def _blocks(self, v):
        for index in range(v.inode.nr_objects):
            at = index * v.inode.object_bytes
            n = min(v.inode.object_bytes, v.size - at)
            yield at, n, v.read(at, n) if v.inode.slots[index] else None

    def export(self, name, path="/dev/stdout"):
        v = self.vdi(name)
        with open(path, "wb") as f:
            for at, n, data in self._blocks(v):
                if data is not None or path == "/dev/stdout":
                    if path != "/dev/stdout":
                        f.seek(at)
                    f.write(bytes(n) if data is None else data)
            if path != "/dev/stdout":
                f.truncate(v.size)

    def compare(self, name, path):
        v = self.vdi(name)
        if os.path.getsize(path) != v.size:
            raise SystemExit(f"{name} has {v.size} bytes, {path} {os.path.getsize(path)}")
        with open(path, "rb") as f:
            for at, n, data in self._blocks(v):
                theirs, ours = f.read(n), bytes(n) if data is None else data
                if theirs == ours:
                    continue
                first = next(i for i in range(n) if theirs[i] != ours[i])
                wrong = sum(a != b for a, b in zip(theirs, ours))
                raise SystemExit(
                    f"{name} differs from {path} at {at + first} (object {at // v.inode.object_bytes}"
                    f" of vid {v.inode.slots[at // v.inode.object_bytes]:06x}, {wrong} bytes of it):"
                    f" {ours[first:first + 8].hex()} instead of {theirs[first:first + 8].hex()}")

    def discard(self, name, index):
        self.sheep.discard(data_oid(self.vdi(name).vid, int(index)))

    def resize(self, name, size):
        self.sheep.resize(name, size_of(size))

    def snapshot(self, name, tag=""):
        print(f"{self.sheep.snapshot(name, tag):06x}")

    def clone(self, name, new):
        print(f"{self.sheep.clone(*split(name), new):06x}")

    def rollback(self, name):
        print(f"{self.sheep.rollback(*split(name)):06x}")

    def delete(self, name):
        self.sheep.delete(*split(name))

    def wipe(self, prefix):
        for vid in self.sheep.vids():
            i = self.sheep.inode(vid, whole=False)
            if i.name.startswith(prefix):
                for kind in (NORMAL, SHARED):
                    self.sheep.release(vid, kind)
                self.sheep.delete(i.name, str(i.snap_id) if i.snap_time else "")

    def lock(self, name, kind="normal"):
        print(f"{self.sheep.lock(name, SHARED if kind == 'shared' else NORMAL):06x}")

    def unlock(self, name, kind="normal"):
        self.sheep.release(self.sheep.lookup(name), SHARED if kind == "shared" else NORMAL)

    def raw(self, text):
        print(self.sheep.ask(bytes.fromhex(text)).raw.hex())


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 1
    address, command, *args = sys.argv[1:]
    if command == "control":
        print(control(address, " ".join(args)), end="")
        return 0
    try:
        with Sheep(address) as sheep:
            getattr(Commands(sheep), command)(*args)
    except (SheepError, Lost, OSError) as e:
        print(f"sheep.py: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
