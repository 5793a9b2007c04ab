#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SANITIZE in the background: its progress is told, other commands are refused,
# its LUN can be removed and the daemon can end in the midst of it.
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

# Every write takes a while; a hang would stop it altogether.
error_disk 64M "op=write;delay=20"
io "$(url 1)" "write -P 7 0 64M"
touch "$rules_on"

cat >"$dir/erase.py" <<'END'
import sys
from libiscsi import *

def sanitize(action, flags=0x80, data=b""):
    return bytes([0x48, flags | action]) + bytes(5) + len(data).to_bytes(2, "big") + bytes(1)

PATTERN = bytes([1, 0, 0, 4]) + b"\xc3\x3c\xc3\x3c"
REQUEST_SENSE = bytes([3, 0, 0, 0, 18, 0])
IN_PROGRESS = 0x041B

def start(s):
    s.ok(s.command(sanitize(1, data=PATTERN), write=PATTERN))

def sense(s):
    d = s.ok(s.command(REQUEST_SENSE, 18)).data
    return d[12] << 8 | d[13], int.from_bytes(d[16:18], "big") if d[15] & 0x80 else None
END

PYTHONPATH=$dir:$PYTHONPATH python "$(url 1)" <<'END'
from erase import *
with Session(sys.argv[1]) as s, Session(sys.argv[1], "iqn.2001-04.org.example:b") as other:
    s.ready()
    other.ready()
    start(s)
    seen = set()
    last = 0
    while True:
        code, progress = sense(other)
        if code != IN_PROGRESS:
            break
        check(progress is not None and progress >= last, progress, last)
        last = progress
        seen.add(progress)
        a = other.command(read16(0, 1), 512)
        check(a.good or a.is_sense(2, IN_PROGRESS), a)
    check(code == 0, hex(code))
    check(len(seen) > 4, "progress:", sorted(seen))
    check(other.read(131064, 8) == b"\xc3\x3c" * 2048)
    check(other.read(0, 8) == b"\xc3\x3c" * 2048)
    start(s)
    check(sense(other)[0] == IN_PROGRESS)
END

note "the LUN goes, if that is meant"
adm_fails 22 "commands to LUN 1 of target $tid are under way" \
	--mode logicalunit --op delete --tid "$tid" --lun 1
adm --mode logicalunit --op delete --tid "$tid" --lun 1 --force
note "the daemon goes"
lun_new "$tid" 2 "rdwr:$(disk_file 64M)" --bstype error --bsopts "op=write;delay=50"
PYTHONPATH=$dir:$PYTHONPATH python "$(url 2)" <<'END'
from erase import *
with Session(sys.argv[1]) as s:
    start(s.ready())
    check(sense(s)[0] == IN_PROGRESS)
END
tgtd_stop
