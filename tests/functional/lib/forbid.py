#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""forbid.py ERRNO SYSCALL[,SYSCALL...] COMMAND... - run it where these system
calls (numbers) fail, as under a container's seccomp filter.  Exit 77 where the
kernel has no filters."""
import ctypes
import errno
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
RET_ERRNO, RET_ALLOW = 0x50000, 0x7fff0000


def op(code, jt, jf, k):
    return struct.pack("=HBBI", code, jt, jf, k)


def main():
    error, calls, command = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
    prog = op(LOAD, 0, 0, 0)    # the number of the call
    for i, nr in enumerate(calls):
        prog += op(JUMP_EQUAL, len(calls) - i, 0, int(nr))
    prog += op(RETURN, 0, 0, RET_ALLOW)
    prog += op(RETURN, 0, 0, RET_ERRNO | getattr(errno, error))
    code = ctypes.create_string_buffer(prog)
    fprog = ctypes.create_string_buffer(struct.pack("@HP", len(prog) // 8,
                                                    ctypes.addressof(code)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int] + [ctypes.c_void_p] * 4
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or \
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(fprog), 0, 0):
        print("no seccomp filters:", os.strerror(ctypes.get_errno()))
        sys.exit(77)
    os.execvp(command[0], command)


main()
