#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SIGTERM with sessions open, one of them busy: exit 0 within 5 seconds, and what was
# answered is in the store.
# alone
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

disk 64M
file=$(echo "$dir"/disk.*)
disk 8M
for i in 1 2 3 4 5; do
	session_open "s$i" "$(url 1)"
	tells "s$i" good check
done
iqn=iqn.2001-04.org.example:test.1
io "$(url 1)" "write -P 0xab 48M 16M"
python "$(url 1)" "$tgtd_pid" "$file" "$dir/killed" <<'END'
import signal
with Session(sys.argv[1]) as s:
    s.ready()
    inflight, answered, lba = [], [], 0
    started = None
    try:
        while True:
            while len(inflight) < 16 and lba < 48 * 2048:
                inflight.append((lba, s.submit(write16(lba, 128), write=b"\xcd" * 65536)))
                lba += 128
            n, p = inflight.pop(0)
            if not p.wait(10).good:
                break
            answered.append(n)
            if started is None and len(answered) == 100:
                open(sys.argv[4], "w").close()
                os.kill(int(sys.argv[2]), signal.SIGTERM)
                started = time.monotonic()
            if not inflight:
                break
    except IscsiError:
        pass
    check(len(answered) >= 100, "only", len(answered), "writes were answered")
    with open(sys.argv[3], "rb") as f:
        for n in answered:
            f.seek(512 * n)
            check(f.read(65536) == b"\xcd" * 65536, "the write at", n, "was answered and is lost")
    s.destroy()
END
ended_within 5
expect "exit code" 0 "$code"
for i in 1 2 3 4 5; do
	tells "s$i" lost tur
	session_forget "s$i"
done
