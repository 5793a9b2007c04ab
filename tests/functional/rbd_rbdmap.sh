#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgt-rbdmap with a real cluster: images of a file become targets, again changes nothing,
# what is not listed any more goes, others are left alone; mistakes are told with file
# and line, and change nothing.
# slow
. "$(dirname "$0")/lib/admin.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start STORE=memstore
list=$dir/rbdmap
prefix=iqn.2001-04.org.example:rbd
as="id=tgt,conf=$ceph_conf"
names=$TGT_IPC_SOCKET.0.rbdmap

rbdmap()
{
	"$SRC/scripts/tgt-rbdmap" "$1" --rbdmap "$list" --target-prefix $prefix "${@:2}"
}

# rbdmap_fails EXIT WORDS ARG... - exactly these words.
rbdmap_fails()
{
	local code=0 err

	err=$(rbdmap "${@:3}" 2>&1 >/dev/null) || code=$?
	expect "exit of tgt-rbdmap ${*:3}" "$1" "$code"
	expect "words of tgt-rbdmap ${*:3}" "$2" "$err"
}

# targets_are NAME...
targets_are()
{
	expect targets "$(printf '%s\n' "$@" | sort)" \
		"$(adm --mode target --op show | sed -n 's/^Target [0-9]*: //p' | sort)"
}

for image in one two three; do
	rbd create --size 16M $image
done
rbd snap create one@then 2>/dev/null
tgtd_start
target_new				# somebody else's
lun_new "$tid" 1 "$(disk_file 8M)"
other=$iqn

note "map: a target for each, for everybody; a snapshot can only be read"
cat >"$list" <<END
# images
rbd/one $as

  two   $as,keyring=$ceph_dir/client.tgt.keyring  # of the pool rbd
rbd/one@then --$as,target=iqn.2001-04.org.example:then,lun=3
END
rbdmap map
targets_are $prefix:rbd:one $prefix:rbd:two iqn.2001-04.org.example:then "$other"
iqn=$prefix:rbd:one
io "$(url 1)" 'write -P 0x31 0 1M' 'read -P 0x31 0 1M'
rbd export one "$dir/one" 2>/dev/null
head -c 1M /dev/zero | tr '\0' 1 | cmp -n $((1 << 20)) - "$dir/one"
iqn=iqn.2001-04.org.example:then
qemu-io -r -f raw -c 'read -P 0 0 1M' "$(url 3)" >"$dir/io.out" || fail "$(cat "$dir/io.out")"
io_fails "$(url 3)" 'write 0 512'

note "again: nothing changes"
before=$(all_of_it)
expect "changes" '' "$(rbdmap map -v)"
expect "the daemon" "$before" "$(all_of_it)"

note "tgt-admin leaves them alone"
conf <<END
<target $other>
	backing-store $(disk_file 8M)
</target>
END
admin --update ALL -c "$conf"
admin -e -c "$conf"
targets_are $prefix:rbd:one $prefix:rbd:two iqn.2001-04.org.example:then "$other"

note "another list: what is not in it goes, not what is in use"
echo "rbd/three $as" >"$list"
[[ $(rbdmap map -p) == *"$prefix:rbd:three"* ]] || fail 'a dry run does not tell what it would do'
targets_are $prefix:rbd:one $prefix:rbd:two iqn.2001-04.org.example:then "$other"
iqn=$prefix:rbd:one
session_open s "$(url 1)"
tid=$(adm --mode target --op show | sed -n "s/^Target \(.*\): $prefix:rbd:one\$/\1/p")
rbdmap_fails 22 "tgt-rbdmap: Target with tid $tid ($prefix:rbd:one) is in use, it won't be updated." map
targets_are $prefix:rbd:one $prefix:rbd:three "$other"
session_close s
rbdmap map
targets_are $prefix:rbd:three "$other"

note "options: who may come"
echo 'user rbdmap a-long-secret' | { read -r _ user password
	adm --mode account --op new --user "$user" --password "$password"; }
rbdmap map -I 192.0.2.0/24 -I 192.0.2.9 -Q iqn.1994-05.com.example:me --account rbdmap
show=$(adm --mode target --op show)
for line in '        192.0.2.0/24' '        192.0.2.9' '        iqn.1994-05.com.example:me' '        rbdmap'; do
	has "$show" "$line"
done

note "mistakes"
before=$(all_of_it)
wrong()
{
	printf '%s\n' '# a comment' '' "$1" >"$list"
	rbdmap_fails 1 "tgt-rbdmap: $list:3: $2
tgt-rbdmap: nothing was changed" map
	expect "the daemon" "$before" "$(all_of_it)"
}
wrong 'a/b/c/d' "an image is [pool/[namespace/]]image[@snapshot], not 'a/b/c/d'"
wrong 'rbd/' "an image is [pool/[namespace/]]image[@snapshot], not 'rbd/'"
wrong 'one id=tgt more' "after the image and its options there is 'more'"
wrong 'one id=tgt,keyrin=/x' "there is no option 'keyrin'"
wrong 'one id=' "id needs a value: id=..."
wrong 'one ro=yes' "ro takes no value"
wrong 'one name=tgt' "name=tgt: a user of Ceph is client.NAME"
wrong 'one lun=0' "lun= must be a number from 1 to 16383, not '0'"
wrong 'one id=a;b' "id= cannot have ';' in its value"
wrong "one $as,target=$other" "there is a target $other already, which tgt-rbdmap has not made"
printf '%s\n' "one $as" "a/a_b $as" "a/a-b $as" >"$list"
rbdmap_fails 1 "tgt-rbdmap: $list:3: LUN 1 of $prefix:a:a-b is that of $list:2, too; target= or lun= make another
tgt-rbdmap: nothing was changed" map
printf '%s\n' "one $as" "rbd/nosuch $as" "two $as" >"$list"
code=0
err=$(rbdmap map 2>&1) || code=$?
expect exit 22 "$code"
[[ $err == "tgt-rbdmap: $list:2: "*"no such image 'nosuch'"*$'\n'"tgt-rbdmap: nothing was changed" ]] ||
	fail "$err"
expect "the daemon" "$before" "$(all_of_it)"
rm "$list"
rbdmap_fails 2 "tgt-rbdmap: cannot read $list: No such file or directory" map
"$SRC/scripts/tgt-rbdmap" 2>/dev/null && fail 'without a word it does something'
"$SRC/scripts/tgt-rbdmap" map unmap 2>/dev/null && fail 'it does two things'

note "as the service has it: what cannot be had is left out"
printf '%s\n' "one $as,options=queue_depth=128" "rbd/nosuch $as" "two $as,options=ro" >"$list"
err=$(rbdmap map --ignore-errors 2>&1)
[[ $err == "tgt-rbdmap: $list:1: warning: options=queue_depth=128 is for the kernel's driver, and not used here
tgt-rbdmap: warning: $list:2: left out: "*"no such image 'nosuch'"* ]] || fail "$err"
targets_are $prefix:rbd:nosuch $prefix:rbd:one $prefix:rbd:two "$other"
iqn=$prefix:rbd:two
io_fails "$(url 1)" 'write 0 512'

note "unmap: only its own, whatever the file says now, and once"
iqn=$prefix:rbd:one
session_open s "$(url 1)"
rm "$list"
tid=$(adm --mode target --op show | sed -n "s/^Target \(.*\): $prefix:rbd:one\$/\1/p")
rbdmap_fails 22 "tgt-rbdmap: Target with tid $tid ($prefix:rbd:one) is in use, it won't be deleted." unmap
targets_are $prefix:rbd:one "$other"
rbdmap unmap --force
targets_are "$other"
session_kill s
[ ! -e "$names" ] || fail "there are names left: $(cat "$names")"
rbdmap unmap

note "without a daemon"
echo "one $as" >"$list"
rbdmap map
tgtd_stop
rbdmap_fails 0 "tgt-rbdmap: cannot reach tgtd at $TGT_IPC_SOCKET.0: No such file or directory" unmap
[ ! -e "$names" ] || fail "there are names left"
rbdmap_fails 107 "tgt-rbdmap: cannot reach tgtd at $TGT_IPC_SOCKET.0: No such file or directory" map
