#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# conf/examples/sheepdog.conf: it is loaded, a second time changes nothing, it is told
# again without a loss, and what is wrong with a VDI has file and line.
. "$(dirname "$0")/lib/admin.sh"
. "$SRC/tests/lib/sheep.sh"
sheep_need_own 'names of its own'
sheep_need_module

sheep_start --listen tcp:127.0.0.1:0 --listen tcp:127.0.0.1:0
addresses=$(sheep_tcp 1),$(sheep_tcp 2)
addresses=tcp:${addresses//tcp:/}
for vdi in disk1 disk2 golden; do
	sheep new "$vdi" 16M >/dev/null
done
sheep snapshot golden monday >/dev/null
tgtd_start

sed "s|unix:/var/lib/sheepdog/sock|$sheep_address|; s|tcp:192.*7000:|$addresses:|; s|192.0.2.0/24|ALL|" \
	"$SRC/conf/examples/sheepdog.conf" >"$conf"
admin -e -c "$conf"
show=$(adm --mode target --op show)
for path in "$sheep_address:disk1" "$sheep_address:golden:monday" "$addresses:disk2"; do
	has "$show" "            Backing store path: $path"
done
expect 'changes by a second time' '' "$(admin --update ALL -v -c "$conf")"
lossless
iqn=iqn.2001-04.org.example:sheepdog
io "$(url 1)" 'write -P 7 0 1M' 'read -P 7 0 1M'
io "$(url 3)" 'write -P 8 0 1M' 'read -P 8 0 1M'

note 'a snapshot that is not there'
sed -i 's/:monday/:friday/' "$conf"
line=$(grep -n :friday "$conf" | cut -d: -f1)
unchanged admin_fails 22 "$conf:$line: backing-store: " --update ALL -c "$conf"
admin_fails 22 'the VDI has no such snapshot' --update ALL -c "$conf"
