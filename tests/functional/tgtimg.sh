#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtimg: volumes are made, shown, resized, copied, listed and removed; wrong calls
# and failures end with 22, one sentence, and nothing changed.
. "$(dirname "$0")/../lib/common.sh"

img()
{
	"$BUILD/tgtimg" "$@"
}

# refuses TEXT OPTION...
refuses()
{
	local code=0 err

	err=$(img "${@:2}" 2>&1 >/dev/null) || code=$?
	expect "exit of tgtimg ${*:2}" 22 "$code"
	[[ $err == *"$1"* ]] || fail "tgtimg ${*:2}: said '$err', expected '$1'"
}

size_of() { stat -c %s "$1"; }
space_of() { echo $(($(stat -c '%b * %B' "$1"))); }

cd "$dir"
mkdir v

note "new: tgt's options, where a size without suffix is MiB"
img --op new --device-type disk --type disk --size 8 --file v/full
expect size $((8 << 20)) "$(size_of v/full)"
[ "$(space_of v/full)" -ge $((8 << 20)) ] || fail "not preallocated: $(space_of v/full)"
expect mode 600 "$(stat -c %a v/full)"
img -o new -Y disk -t disk -s 64M --backing-store v/thin -T
expect size $((64 << 20)) "$(size_of v/thin)"
[ "$(space_of v/thin)" -lt $((1 << 20)) ] || fail "not thin: $(space_of v/thin)"

note "what is there is never written over"
echo precious >v/there
refuses "v/there exists already" --op new --file v/there --size 1
refuses "v/there exists already" --op clone --file v/full --to v/there
expect "the file" precious "$(cat v/there)"
rm v/there

note "show and list"
[[ $(img --op show --file v/thin) == *"Size: 67108864 bytes"*"Thin-provisioning: Yes" ]] ||
	fail "$(img --op show --file v/thin)"
expect list "8388608 full 67108864 thin" "$(img --op list --file v | xargs)"
python3 -c '
import json, sys
assert json.loads(sys.argv[1]) == [{"name": "full", "size": 8 << 20}, {"name": "thin", "size": 64 << 20}]
assert json.loads(sys.argv[2])["size"] == 8 << 20' \
	"$(img --op list --json --file v)" "$(img --op show --json --file v/full)"

note "resize"
printf 'data at the start' | dd of=v/full conv=notrunc status=none
img --op resize --file v/full --size +4M
expect size $((12 << 20)) "$(size_of v/full)"
[ "$(space_of v/full)" -ge $((12 << 20)) ] || fail "the new part is not preallocated"
img --op resize --file v/thin --size 256M --thin-provisioning
expect size $((256 << 20)) "$(size_of v/thin)"
[ "$(space_of v/thin)" -lt $((1 << 20)) ] || fail "no longer thin"
refuses "only if forced" --op resize --file v/full --size 4M
expect size $((12 << 20)) "$(size_of v/full)"
img --op resize --file v/full --size 4M --force
expect size $((4 << 20)) "$(size_of v/full)"
expect data 'data at the start' "$(head -c 17 v/full)"

note "clone: the same bytes, and holes stay holes"
for at in 0 5000000 150000000 268434856; do
	head -c 600 /dev/urandom | dd of=v/thin bs=1 seek=$at conv=notrunc status=none
done
img --op clone --file v/thin --to v/copy
cmp v/thin v/copy
[ "$(space_of v/copy)" -lt $((4 << 20)) ] || fail "the copy is not thin: $(space_of v/copy)"
: >v/empty
img --op clone --file v/empty --to v/empty2
expect size 0 "$(size_of v/empty2)"

note "a volume that a LUN uses is not removed, made smaller or copied while it is written to"
mv v/full v/lun
tgtd_start
target_new
lun_new "$tid" 1 "$dir/v/lun"
refuses "in use" --op delete --file v/lun
refuses "in use" --op resize --file v/lun --size 1M
reflinks=
if ! cp --reflink=always v/empty v/try 2>/dev/null; then
	refuses "open for writing" --op clone --file v/lun --to v/lun2
	[ ! -e v/lun2 ] || fail "half a copy is left behind"
else
	reflinks=yes
fi
img --op resize --file v/lun --size 6M
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params size=auto
[[ $(adm --mode target --op show) == *"Size: 6 MB, Block size: 512"* ]] || fail "the LUN has its old size"
adm --mode target --op delete --tid "$tid"
img --op clone --file v/lun --to v/lun2 ${reflinks:+--force}
cmp v/lun v/lun2
img --op delete --file v/lun
[ ! -e v/lun ] || fail "not removed"

note "wrong calls"
refuses "specify the operation" --file v/x
refuses "unknown operation: make" --op make
refuses "needs --file" --op new --size 1
refuses "needs --size" --op new --file v/x
refuses "needs --to" --op clone --file v/thin
refuses "needs --to" --op snapshot --file v/thin
refuses "does not take --force" --op snapshot --file v/thin --to x --force
refuses "bstype rdwr does not have this operation" --op snapshot --file v/thin --to x
refuses "does not take --to" --op delete --file v/thin --to v/x
refuses "does not take --size" --op show --file v/thin --size 1
refuses "does not take a --size with +" --op new --file v/x --size +1M
refuses "does not take --force" --op new --file v/x --size 1M --force
for wrong in 0 -1 1X 9223372036854775808 8796093022208 ++1 ''; do
	refuses "--size $wrong:" --op new --file v/x --size "$wrong"
done
refuses "disks only" --op new --device-type tape --file v/x --size 1
refuses "type disk only" --op new --type dvd+r --file v/x --size 1
refuses "unrecognized option 'extra'" --op list --file v extra
refuses "bstype nosuch: there is no such module" --op new --bstype nosuch --file v/x --size 1
refuses "bstype null does not have this operation" --op new --bstype null --file v/x --size 1
refuses "rdwr has no option 'a'" --op new --bsopts a=b --file v/x --size 1
refuses "No such file" --op show --file v/nosuch
refuses "No such file" --op delete --file v/nosuch
refuses "No such file" --op new --file nosuch/x --size 1
refuses "not a regular file" --op delete --file v
ln -s thin v/link
refuses "symbolic link" --op delete --file v/link
[ ! -e v/x ] || fail "a wrong call made a file"

note "no space: nothing is left behind"
refuses "no space" --op new --file v/x --size 8000G
[ ! -e v/x ] || fail "half a volume is left behind"
before=$(size_of v/thin)
refuses "no space" --op resize --file v/thin --size 8000G
expect size "$before" "$(size_of v/thin)"

note "a bar on a terminal, and only there"
expect "words to a file" '' "$(img --op new --file v/quiet --size 1 2>&1)"
other=$(mktemp -d /dev/shm/tgtd-test.XXXXXX)	# another file system: the bytes must be copied
at_end+=(remove_other)
remove_other() { rm -rf "$other"; }
head -c 64M /dev/urandom >"$other/source"
python3 - "$BUILD/tgtimg" "$other/source" <<'END'
import os, pty, signal, sys

tgtimg, source = sys.argv[1:]

def on_a_terminal(*args, break_off=False):
    """Exit code and output; with break_off, Ctrl-C as soon as the bar is seen."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(tgtimg, [tgtimg, *args])
    out = b""
    while True:
        try:
            piece = os.read(fd, 4096)
        except OSError:             # the other end is closed
            break
        if break_off and not out:
            os.kill(pid, signal.SIGSTOP)
            os.write(fd, b"\x03")
            os.kill(pid, signal.SIGCONT)
        out += piece
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out.decode()

code, said = on_a_terminal("--op", "new", "--file", "v/bar", "--size", "4")
assert code == 0 and said.endswith("] 100 %  4 of 4 MiB\r\n"), (code, said)
code, said = on_a_terminal("--op", "clone", "--file", source, "--to", "v/copied")
drawn = said.split("\r")
assert code == 0 and drawn[-2:] == ["[" + "#" * 40 + "] 100 %  64 of 64 MiB", "\n"], (code, said)
percents = [int(line.split("]")[1].split("%")[0]) for line in drawn if "]" in line]
assert percents == sorted(percents) and percents[0] < 100, said
code, said = on_a_terminal("--op", "clone", "--file", source, "--to", "v/broken", break_off=True)
assert code == 22 and "nothing is changed" in said, (code, said)
assert not os.path.exists("v/broken"), "half a volume"
END
cmp "$other/source" v/copied
