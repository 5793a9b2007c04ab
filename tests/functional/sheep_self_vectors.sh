#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What was captured from a real cluster: the server of the tests answers the same,
# byte for byte, and the client of the tests asks the same.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_own 'it replays what another cluster has said'

vectors=$SRC/tests/lib/sheep_vectors.py
python3 "$vectors" build

# The capture reads an object that has no slot yet, and goes on with an old vid.
sheep_start --ctime 0x6b00df771e197990 --listen tcp:127.0.0.1:0
sheep_vdi tgt0 1G
python3 "$vectors" send "$sheep_tool"
sheep delete tgt0:1
sheep delete tgt0

# With locks, over TCP, where rules are checked.
sheep_kill
rm -rf "$sheep_dir"
sheep_again --locks --ctime 0x6b00df771e197990 --listen tcp:127.0.0.1:0
sheep_vdi tgt0 1G
python3 "$vectors" send "$(sheep_tcp 1)"
cut -d: -f1 "$dir/breaches" | sort | uniq -c | sed 's/^ *//' >"$dir/broken"
diff - "$dir/broken" <<'END'
4 tgt-flag
1 unlocked
1 unslotted
END
: >"$dir/breaches"
