#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Delays of a store do not add up: what waits, waits together.
. "$(dirname "$0")/lib/initiators.sh"

error_disk 8M 'op=read;delay=2000'
touch "$rules_on"
python "$(url 1)" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    start = time.monotonic()
    for p in [s.submit(read16(8 * i, 8), read=4096) for i in range(16)]:
        s.ok(p.wait())
    took = time.monotonic() - start
    check(took >= 2, "the delay was not there:", took)
    check(took < 16, "16 reads with a delay of 2 s each took", took, "s")
END
