#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A write that was given up while it hangs in the store does not land upon one that came
# after it: neither in the session that aborts it, nor in one that takes its place.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"

# The first write hangs, the others pass.
error_disk 8M 'op=write;count=1;hang=yes'
touch "$rules_on"

python "$(url 1)" "$rules_on" <<'END'
url, rules = sys.argv[1:]
OLD, NEW = b"\1" * 512, b"\2" * 512

first = Session(url, "iqn.2001-04.org.example:one").ready()
old = first.submit(write16(0, 16), write=OLD * 16)
first.command(bytes(6))     # the write is there by now
second = Session(url, "iqn.2001-04.org.example:two").ready()
check(first.abort(old).wait().status == TMF_REJECTED, "ABORT TASK claims that the write is gone")
new = [first.submit(write16(0, 4), write=NEW * 4), second.submit(write16(4, 4), write=NEW * 4)]
os.unlink(rules)
for n in new:
    check(n.wait().good, "a later write:", n.answer)
while second.read(8, 8) != OLD * 8:
    pass                    # until the old one has landed
check(second.read(0, 8) == NEW * 8, "an old write has landed upon a new one")
END
