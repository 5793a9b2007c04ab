#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# libvirt's own daemon, private to this test: a pool of type iscsi-direct on our target
# starts, lists every LUN with its size, and writes one.
. "$(dirname "$0")/lib/initiators.sh"
need libvirtd virsh
[ -n "$(find /usr/lib -name 'libvirt_storage_backend_iscsi-direct.so' 2>/dev/null)" ] ||
	skip "libvirt here has no iscsi-direct pools"

# A daemon of root's would be the system's: ours is somebody else's.
as=()
if [ "$(id -u)" -eq 0 ]; then
	need setpriv
	as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	chmod 755 "$dir"
fi
mkdir -m 777 "$dir/home" "$dir/run"
export HOME=$dir/home XDG_RUNTIME_DIR=$dir/run XDG_CONFIG_HOME=$dir/home
export XDG_CACHE_HOME=$dir/home XDG_DATA_HOME=$dir/home

virsh()
{
	"${as[@]}" virsh -q -c storage:///session "$@"
}

end_libvirt()
{
	kill -TERM "$libvirt_pid" 2>/dev/null || :
	wait "$libvirt_pid" 2>/dev/null || :
}

"${as[@]}" libvirtd >"$dir/libvirt.log" 2>&1 </dev/null &
libvirt_pid=$!
at_end+=(end_libvirt)
ready() { ! running "$libvirt_pid" || virsh pool-list >"$dir/said" 2>&1; }
wait_for 30 ready || fail "libvirtd: $(cat "$dir/libvirt.log" "$dir/said")"
running "$libvirt_pid" || skip "libvirtd does not run here: $(tail -n 1 "$dir/libvirt.log")"

disk 16M
file2=$(disk_file 40M)
lun_new "$tid" 2 "$file2"
lun_new "$tid" 9 "$(disk_file 8M)" --blocksize 4096

cat >"$dir/pool.xml" <<END
<pool type='iscsi-direct'>
  <name>tgt</name>
  <source>
    <host name='127.0.0.1' port='$port'/>
    <device path='$iqn'/>
    <initiator><iqn name='iqn.2001-04.org.example:libvirt'/></initiator>
  </source>
</pool>
END
chmod 644 "$dir/pool.xml"
virsh pool-define "$dir/pool.xml"
virsh pool-start tgt
expect "volumes, with the controller" "unit:0:0:0 unit:0:0:1 unit:0:0:2 unit:0:0:9" \
	"$(virsh vol-list tgt | awk '{ print $1 }' | sort | xargs)"
for volume in 1:16 2:40 9:8; do
	expect "capacity of LUN ${volume%:*}" "${volume#*:}.00 MiB" \
		"$(virsh vol-info --pool tgt "unit:0:0:${volume%:*}" | sed -n 's/^Capacity: *//p')"
done
expect "path" "ip-127.0.0.1:$port-iscsi-$iqn-lun-2" "$(virsh vol-path --pool tgt unit:0:0:2)"

note "what libvirt writes arrives, and only there"
head -c 40M /dev/urandom >"$file2"
virsh vol-wipe --pool tgt unit:0:0:2
cmp -n $((40 << 20)) "$file2" /dev/zero

note "a LUN that comes and goes"
lun_new "$tid" 3 "$(disk_file 8M)"
virsh pool-refresh tgt
[[ $(virsh vol-list tgt) == *unit:0:0:3* ]] || fail "the new LUN is not listed"
adm --mode logicalunit --op delete --tid "$tid" --lun 3
virsh pool-refresh tgt
[[ $(virsh vol-list tgt) != *unit:0:0:3* ]] || fail "the LUN that went is listed"
virsh pool-destroy tgt
