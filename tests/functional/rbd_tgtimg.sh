#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtimg with images of a Ceph cluster: what it makes is what rbd sees; what cannot be
# done ends with 22, one sentence, and nothing changed.
# timeout: 300
# slow
. "$(dirname "$0")/../lib/common.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start STORE=memstore

img()
{
	"$BUILD/tgtimg" --bstype rbd --bsopts "$ceph_opts${opts:+;$opts}" --op "$@"
}
opts=

# refuses TEXT OP OPTION... - exactly this sentence.
refuses()
{
	local code=0 err

	err=$(img "${@:2}" 2>&1 >/dev/null) || code=$?
	expect "exit of tgtimg --op ${*:2}" 22 "$code"
	expect "words of tgtimg --op ${*:2}" "tgtimg: $1" "$err"
}

# of IMAGE KEY - as `rbd info` has it.
of()
{
	rbd info --format json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2"
}

note "new: with Ceph's defaults, and with options"
img new --backing-store rbd/plain --size 20G
expect size $((20 << 30)) "$(of plain size)"
expect "size of objects" $((4 << 20)) "$(of plain object_size)"
opts='object_size=1M;stripe_unit=64k;stripe_count=4;features=layering,exclusive-lock,striping' \
	img new --file striped --size 64
expect size $((64 << 20)) "$(of striped size)"
expect "size of objects" $((1 << 20)) "$(of striped object_size)"
expect "unit and count" "65536 4" "$(of striped stripe_unit) $(of striped stripe_count)"
expect features "['layering', 'striping', 'exclusive-lock']" "$(of striped features)"
ceph osd pool create forbidden 2>/dev/null
ceph_opts="conf=$ceph_conf;data_pool=forbidden" img new --file elsewhere --size 64
expect "pool of the data" forbidden "$(of elsewhere data_pool)"
rbd -n client.admin rm elsewhere 2>/dev/null
refuses "plain: cannot make 'plain': it exists already" new --file plain --size 1G
opts=object_size=3000000 refuses "x: object_size=3000000 is not a power of two" \
	new --file x --size 1G
opts='object_size=1M;stripe_unit=3k' \
	refuses "x: stripe_unit=3072 does not divide object_size=1048576" new --file x --size 1G
opts=features=layering,shiny \
	refuses "x: features=layering,shiny: not all of these are features of this librbd" \
	new --file x --size 1G
opts=features=layering,fast-diff refuses "x: features=: fast-diff needs object-map" \
	new --file x --size 1G
opts=features=layering,migrating \
	refuses "x: features=: one of these is set by Ceph itself only" new --file x --size 1G
opts=stripe_unit=1M \
	refuses "x: cannot make 'x': Ceph refuses this size or these options of the image" \
	new --file x --size 1G
opts=data_pool=nowhere refuses "x: cannot make 'x': no such pool 'nowhere' for its data" \
	new --file x --size 1G
refuses "x@y: 'x@y' is a snapshot, which stays as it is" new --file x@y --size 1G
refuses "nowhere/x: no such pool 'nowhere'" new --file nowhere/x --size 1G
refuses "rbd/nowhere/x: no such namespace 'nowhere' in pool 'rbd'" \
	new --file rbd/nowhere/x --size 1G
refuses "forbidden/x: cannot make 'x': no permission for client.tgt in pool 'forbidden'" \
	new --file forbidden/x --size 1G
expect images "plain striped" "$(rbd ls | xargs)"

note "show and list"
head -c 10M /dev/urandom >"$dir/data"
rbd import --object-size 256K --image-feature layering,exclusive-lock,object-map,fast-diff \
	"$dir/data" full 2>/dev/null
expect json '{"name": "full", "size": 10485760, "allocated": 10485760}' \
	"$(img show --json --file full | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)))')"
expect "without a map" "striped Size: 67108864 bytes" "$(img show --file striped | xargs)"
refuses "nosuch: no such image 'nosuch' in pool 'rbd'" show --file nosuch
refuses "full@nosuch: no such snapshot 'nosuch' of image 'full' in pool 'rbd'" \
	show --file full@nosuch
expect list "10485760 full 21474836480 plain 67108864 striped" "$(img list --file rbd | xargs)"
rbd -n client.admin namespace create rbd/space
expect "an empty namespace" '' "$(img list --file rbd/space)"
img new --file rbd/space/inner --size 8
expect "a namespace" "8388608 inner" "$(img list --file rbd/space | xargs)"
expect "of rbd" inner "$(rbd ls rbd/space)"
refuses "a/b/c: images are in pool[/namespace], not in 'a/b/c'" list --file a/b/c
refuses "forbidden: cannot list pool 'forbidden' as client.tgt: Operation not permitted" \
	list --file forbidden

note "resize"
img resize --file full --size +6M
expect size $((16 << 20)) "$(of full size)"
refuses "full: it would become smaller and lose the data at its end: only if forced" \
	resize --file full --size 8M
expect size $((16 << 20)) "$(of full size)"
img resize --file full --size 10M --force
rbd export full - 2>/dev/null | cmp - "$dir/data"

note "snapshots"
img snapshot --file full --to first
expect snapshots first "$(rbd snap ls --format json full | python3 -c 'import json, sys; print(*(s["name"] for s in json.load(sys.stdin)))')"
refuses "full: 'full' has a snapshot 'first' already" snapshot --file full --to first
for name in '' a@b a/b; do
	refuses "full: '$name' cannot be the name of a snapshot: it is not empty, and has neither @ nor /" \
		snapshot --file full --to "$name"
done
refuses "full@first: 'full@first' is a snapshot, which stays as it is" \
	resize --file full@first --size 1G
expect list "10485760 full 10485760 full@first" "$(img list --file rbd | grep full | xargs)"

note "clones of both kinds: read from their parent, full copies share nothing"
refuses "full: a clone is of a snapshot, which does not change: name one as full@NAME; --op snapshot makes it" \
	clone --file full --to clone
img clone --file full@first --to clone
expect parent "{'pool': 'rbd', 'pool_namespace': '', 'image': 'full', 'id': '$(of full id)', 'snapshot': 'first', 'trash': False, 'overlap': 10485760}" \
	"$(of clone parent)"
expect protected true "$(of full@first protected)"
rbd export clone - 2>/dev/null | cmp - "$dir/data"
refuses "full@first: cannot make 'clone': it exists already" clone --file full@first --to clone
refuses "full@first: snapshot 'first' has clones: remove them first" \
	delete --file full@first --force
img delete --file clone
refuses "full@first: snapshot 'first' is protected: only if forced" delete --file full@first
img delete --file full@first --force
img snapshot --file full --to second
opts='full_copy=yes;object_size=1M' img clone --file full@second --to copy
rbd info copy | grep -q parent && fail "it has a parent"
expect "size of objects" $((1 << 20)) "$(of copy object_size)"
expect protected false "$(of full@second protected)"
rbd export copy - 2>/dev/null | cmp - "$dir/data"
img delete --file copy
refuses "full@second: cannot make 'copy': in this cluster clones are in the namespace of their parent; 'ceph osd set-require-min-compat-client mimic' changes that" \
	clone --file full@second --to rbd/space/copy
expect protected false "$(of full@second protected)"
ceph osd set-require-min-compat-client mimic 2>/dev/null
img clone --file full@second --to rbd/space/copy
expect protected false "$(of full@second protected)"
rbd export rbd/space/copy - 2>/dev/null | cmp - "$dir/data"

note "a full copy that is broken off is gone"
ceph_signal STOP osd.0
"$BUILD/tgtimg" --bstype rbd --bsopts "$ceph_opts;full_copy=yes" --op clone \
	--file full@second --to half 2>"$dir/err" &
pid=$!
# Handlers are there before the cluster is asked for anything.
catches_int() { (($(sed -n 's/^SigCgt:\s*/0x/p' "/proc/$pid/status") & 2)); }
wait_for 10 catches_int
kill -INT $pid
ceph_signal CONT osd.0
code=0
wait $pid || code=$?
expect exit 22 "$code"
expect words "tgtimg: full@second: broken off; nothing is changed" "$(cat "$dir/err")"
expect images "full plain striped" "$(rbd ls | xargs)"

note "delete: not what is in use, or has snapshots"
refuses "full: 'full' has a snapshot, 'second': remove it first" delete --file full
img delete --file full@second
refuses "full: 'full' has a snapshot that was removed, but clones of it are still there" \
	delete --file full
img delete --file rbd/space/copy
command rbd -c "$ceph_conf" --id tgt bench --io-type read --io-total 100G plain >/dev/null 2>&1 &
pid=$!
wait_for 10 eval 'rbd status plain | grep -q watcher='
code=0
err=$(img delete --file plain 2>&1) || code=$?
kill -KILL $pid
expect exit 22 "$code"
[[ $err == "tgtimg: plain: 'plain' is in use by 1 client, one at 127.0.0.1:"* ]] || fail "$err"
img delete --file full
img delete --file striped
expect images plain "$(rbd ls)"
refuses "full: no such image 'full' in pool 'rbd'" delete --file full
