# SPDX-License-Identifier: BSD-3-Clause
"""libiscsi from Python: for tests that need to see a command's sense data, or
to hold a session while something else happens.

  with Session("iscsi://127.0.0.1:3260/iqn.x:y/1") as s:
      s.write(0, b"\\1" * 512)
      assert s.read(0, 1) == b"\\1" * 512
      a = s.command(bytes(6))         # TEST UNIT READY
      assert a.good, a

A session logs in without probing the LUN, so that unit attentions are still
there, and does not come back by itself when the connection is lost.
"""
import ctypes as c
import os
import select
import socket
import sys
import time

GOOD, CHECK_CONDITION, BUSY, RESERVATION_CONFLICT = 0x00, 0x02, 0x08, 0x18
CANCELLED, LOST, TIMEOUT = 0x0F000000, 0x0F000001, 0x0F000002   # libiscsi's own
UNIT_ATTENTION, ABORTED_COMMAND, MEDIUM_ERROR = 0x6, 0xB, 0x3
TMF_COMPLETE, TMF_REJECTED = 0, 255

MAX_STRING = 255        # of libiscsi
COMMAND_SECONDS = 20
XFER_NONE, XFER_READ, XFER_WRITE = 0, 1, 2


class Url(c.Structure):
    _fields_ = [("portal", c.c_char * (MAX_STRING + 1)), ("target", c.c_char * (MAX_STRING + 1)),
                ("user", c.c_char * (MAX_STRING + 1)), ("passwd", c.c_char * (MAX_STRING + 1)),
                ("target_user", c.c_char * (MAX_STRING + 1)),
                ("target_passwd", c.c_char * (MAX_STRING + 1)), ("lun", c.c_int)]


class Sense(c.Structure):
    _fields_ = [("error_type", c.c_ubyte), ("key", c.c_int), ("ascq", c.c_int),
                ("flags", c.c_ubyte), ("bit_pointer", c.c_ubyte), ("field_pointer", c.c_uint16)]


class ScsiData(c.Structure):
    _fields_ = [("size", c.c_int), ("data", c.c_void_p)]


class Task(c.Structure):
    _fields_ = [("status", c.c_int), ("cdb_size", c.c_int), ("xfer_dir", c.c_int),
                ("expxferlen", c.c_int), ("cdb", c.c_ubyte * 16), ("residual_status", c.c_int),
                ("residual", c.c_size_t), ("sense", Sense), ("datain", ScsiData)]


class IscsiData(c.Structure):
    _fields_ = [("size", c.c_size_t), ("data", c.c_char_p)]


CALLBACK = c.CFUNCTYPE(None, c.c_void_p, c.c_int, c.c_void_p, c.c_void_p)

lib = c.CDLL("libiscsi.so.7")
lib.iscsi_create_context.restype = c.c_void_p
lib.iscsi_get_error.restype = c.c_char_p
lib.iscsi_get_target_address.restype = c.c_char_p
lib.iscsi_parse_full_url.restype = c.POINTER(Url)
lib.scsi_create_task.restype = c.POINTER(Task)


class IscsiError(Exception):
    pass


class Lost(IscsiError):
    """The connection is gone."""


class Answer:
    """Of a command: status, sense key, additional sense code and qualifier as
    one number (0x2900), the data that came, the residual count."""

    def __init__(self, status, key=0, asc=0, data=b"", residual=0):
        self.status, self.key, self.asc = status, key, asc
        self.data, self.residual = data, residual
        self.good = status == GOOD

    def __repr__(self):
        return f"status {self.status:#x}, sense {self.key:#x}/{self.asc:#06x}"

    def is_sense(self, key, asc):
        return self.status == CHECK_CONDITION and (self.key, self.asc) == (key, asc)


class Pending:
    """A command, or a task management function, on its way."""

    def __init__(self, session, task=None):
        self.session, self.task, self.answer = session, task, None
        self.started = time.monotonic()

    def done(self, _iscsi, status, _data, _private):
        t = self.task
        if t is None:
            self.answer = Answer(status)
        else:
            d = t.contents
            data = c.string_at(d.datain.data, d.datain.size) if d.datain.data else b""
            self.answer = Answer(status, d.sense.key, d.sense.ascq, data, d.residual)
        self.seconds = time.monotonic() - self.started

    def wait(self, seconds=COMMAND_SECONDS):
        deadline = time.monotonic() + seconds
        while self.answer is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise IscsiError(f"no answer after {seconds} s")
            self.session.serve(left)
        if self.task:
            lib.scsi_free_scsi_task(self.task)
            self.task = None
        return self.answer


class Session:
    def __init__(self, url, initiator="iqn.2001-04.org.example:functional", alias=None,
                 unsolicited=True):
        self.pending = []
        self.ctx = c.c_void_p(lib.iscsi_create_context(initiator.encode()))
        u = lib.iscsi_parse_full_url(self.ctx, url.encode())
        if not u:
            raise IscsiError(self.error())
        self.lun = u.contents.lun
        lib.iscsi_set_session_type(self.ctx, 2)         # normal
        lib.iscsi_set_targetname(self.ctx, c.c_char_p(u.contents.target))
        if alias:
            lib.iscsi_set_alias(self.ctx, alias.encode())
        if not unsolicited:     # then the window does not depend on the target's memory
            lib.iscsi_set_initial_r2t(self.ctx, 1)
            lib.iscsi_set_immediate_data(self.ctx, 0)
        lib.iscsi_set_noautoreconnect(self.ctx, 1)
        lib.iscsi_set_timeout(self.ctx, COMMAND_SECONDS)
        ok = lib.iscsi_connect_sync(self.ctx, c.c_char_p(u.contents.portal)) == 0 and \
            lib.iscsi_login_sync(self.ctx) == 0
        lib.iscsi_destroy_url(u)
        if not ok:
            message = self.error()
            self.destroy()
            raise IscsiError(message)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def error(self):
        return lib.iscsi_get_error(self.ctx).decode(errors="replace")

    def destroy(self):
        if self.ctx:
            lib.iscsi_destroy_context(self.ctx)
            self.ctx = None

    def close(self):
        """Logs out, if the session still lives."""
        if self.ctx and lib.iscsi_is_logged_in(self.ctx):
            lib.iscsi_logout_sync(self.ctx)
        self.destroy()

    def drop(self):
        """Closes the connection without a word."""
        lib.iscsi_disconnect(self.ctx)
        self.destroy()

    def ended(self):
        """The other side has closed.  libiscsi, told not to come back, does not
        always notice."""
        fd = lib.iscsi_get_fd(self.ctx) if self.ctx else -1
        if fd < 0:
            return True
        with socket.socket(fileno=os.dup(fd)) as s:
            try:
                return s.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
            except BlockingIOError:
                return False
            except OSError:
                return True

    def service(self, revents):
        if lib.iscsi_service(self.ctx, revents) < 0:
            raise Lost(self.error() or "the connection is lost")

    def serve(self, seconds):
        """Let libiscsi send and receive, for at most that long."""
        answered = sum(x.answer is not None for x in self.pending)
        try:
            if self.ended():
                raise Lost("the connection is closed")
            p = select.poll()
            fd = lib.iscsi_get_fd(self.ctx)
            p.register(fd, lib.iscsi_which_events(self.ctx))
            for _, revents in p.poll(min(seconds, 1) * 1000) or [(fd, 0)]:
                self.service(revents)
        except Lost:
            # What was answered before counts.
            if sum(x.answer is not None for x in self.pending) == answered:
                raise
        self.pending = [x for x in self.pending if x.answer is None]

    def submit(self, cdb, read=0, write=b"", lun=None):
        raw = (c.c_ubyte * 16)(*cdb)
        way = XFER_READ if read else XFER_WRITE if write else XFER_NONE
        task = lib.scsi_create_task(len(cdb), raw, way, read or len(write))
        p = Pending(self, task)
        p.callback, p.write = CALLBACK(p.done), bytes(write)    # kept alive
        data = IscsiData(len(write), p.write)
        if lib.iscsi_scsi_command_async(self.ctx, self.lun if lun is None else lun, task,
                                        p.callback, c.byref(data) if write else None, None):
            raise IscsiError(self.error())
        self.pending.append(p)
        return p

    def command(self, cdb, read=0, write=b"", lun=None, seconds=COMMAND_SECONDS):
        return self.submit(cdb, read, write, lun).wait(seconds)

    def reset_lun(self):
        p = Pending(self)
        p.callback = CALLBACK(self._tmf_done(p))
        if lib.iscsi_task_mgmt_lun_reset_async(self.ctx, self.lun, p.callback, None):
            raise IscsiError(self.error())
        self.pending.append(p)
        return p

    def abort(self, command):
        p = Pending(self)
        p.callback = CALLBACK(self._tmf_done(p))
        if lib.iscsi_task_mgmt_abort_task_async(self.ctx, command.task, p.callback, None):
            raise IscsiError(self.error())
        self.pending.append(p)
        return p

    @staticmethod
    def _tmf_done(p):
        def done(_iscsi, status, data, _private):
            # The response code of the function, where there is one.
            code = c.cast(data, c.POINTER(c.c_uint32))[0] if status == GOOD and data else status
            p.answer = Answer(code)
            p.seconds = time.monotonic() - p.started
        return done

    # --- the commands that tests use most; all fail loudly ---

    def ok(self, answer):
        if not answer.good:
            raise IscsiError(repr(answer))
        return answer

    def ready(self):
        """TEST UNIT READY until the unit attentions of the login are told."""
        for _ in range(8):
            a = self.command(bytes(6))
            if a.key != UNIT_ATTENTION:
                break
        self.ok(a)
        return self

    def read(self, lba, blocks, block_bytes=512):
        return self.ok(self.command(read16(lba, blocks), blocks * block_bytes)).data

    def write(self, lba, data, fua=False, block_bytes=512):
        self.ok(self.command(write16(lba, len(data) // block_bytes, fua), write=data))

    def sync(self):
        self.ok(self.command(SYNCHRONIZE_CACHE))


SYNCHRONIZE_CACHE = bytes([0x35] + [0] * 9)


def rw16(opcode, lba, blocks, fua):
    return bytes([opcode, 8 if fua else 0]) + lba.to_bytes(8, "big") + \
        blocks.to_bytes(4, "big") + bytes(2)


def read16(lba, blocks, fua=False):
    return rw16(0x88, lba, blocks, fua)


def write16(lba, blocks, fua=False):
    return rw16(0x8A, lba, blocks, fua)


def inquiry(page=None, alloc=255):
    return bytes([0x12, page is not None, page or 0]) + alloc.to_bytes(2, "big") + bytes(1)


QUICK_SECONDS = 30


def quick(what, call):
    """call(), where something else waits for ever: it has not waited for that."""
    start = time.monotonic()
    result = call()
    took = time.monotonic() - start
    check(took < QUICK_SECONDS, what, "took", took, "s")
    return result


def check(condition, *what):
    if not condition:
        print("FAIL:", *what)
        sys.exit(1)
