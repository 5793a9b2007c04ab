#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# conf/examples/rbd.conf with a real cluster: it is loaded, a second time changes nothing,
# it is told again without a loss, and what is wrong with an image has file and line.
# slow
. "$(dirname "$0")/lib/admin.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start STORE=memstore
ceph osd pool create vms 2>/dev/null
rbd -n client.admin pool init vms
rbd -n client.admin namespace create vms/prod
ceph auth caps client.tgt mon 'profile rbd' osd 'profile rbd pool=rbd, profile rbd pool=vms' 2>/dev/null
rbd create --size 16M disk1
rbd create --size 16M vms/prod/web
rbd create --size 16M golden
rbd snap create golden@monday 2>/dev/null
tgtd_start

sed "s|/etc/ceph/ceph.conf|$ceph_conf|; s|192.0.2.0/24|ALL|" "$SRC/conf/examples/rbd.conf" >"$conf"
admin -e -c "$conf"
show=$(adm --mode target --op show)
for path in rbd/disk1 rbd/golden@monday vms/prod/web; do
	has "$show" "            Backing store path: $path"
done
expect "changes by a second time" '' "$(admin --update ALL -v -c "$conf")"
lossless
iqn=iqn.2001-04.org.example:ceph
io "$(url 1)" 'write -P 7 0 1M' 'read -P 7 0 1M'
io "$(url 3)" 'write -P 8 0 1M' 'read -P 8 0 1M'

note "a snapshot that is not there"
sed -i 's/@monday/@friday/' "$conf"
line=$(grep -n @friday "$conf" | cut -d: -f1)
unchanged admin_fails 22 "$conf:$line: backing-store: " --update ALL -c "$conf"
admin_fails 22 "no such snapshot 'friday' of image 'golden' in pool 'rbd'" --update ALL -c "$conf"
