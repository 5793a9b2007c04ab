#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A LUN goes under sessions that are idle, and they are told; while commands are under
# way to it, it goes by force only.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

delete=(--mode logicalunit --op delete)
error_disk 8M 'op=write;hang=yes'
lun_new "$tid" 2 "$(disk_file 8M)"
session_open one "$(url 1)"
session_open two "$(url 2)"
tells one good check
tells two good check

note 'a command is under way'
touch "$rules_on"
printf 'write 0 8 7\n' >&"${session_in[one]}"
# Writes submitted and not done (columns 9 and 11).
on_its_way()
{
	show_lun=$("$TGTADM" --op stat --mode lu --tid "$tid" --lun 1)
	awk 'NR > 1 && $9 > $11 {yes = 1} END {exit !yes}' <<<"$show_lun"
}
wait_for 20 on_its_way || fail "no write is on its way"
for _ in 1 2 3; do
	adm_fails 22 'this logical unit is still active' "${delete[@]}" --tid "$tid" --lun 1
done
has "$(show target)" '        LUN: 1'
tells two good check
rm "$rules_on"
session_reply one
expect 'the write' good "$reply"
tells one 'good 7' read 0 8

note 'sessions, and nothing under way'
adm "${delete[@]}" --tid "$tid" --lun 1
has_not "$(show target)" '        LUN: 1'
tells one 'sense 5/2500' tur
tells one 'sense 5/2500' write 0 8 9
tells one alive alive
# The other LUN: its list has changed (SPC-4 6.33), nothing else has.
tells two 'sense 6/3f0e' tur
tells two good tur
tells two good check

note 'the same number again is another disk, and it works'
lun_new "$tid" 1 "$(disk_file 8M)"
tells two 'sense 6/3f0e' tur
tells one 'sense 6/2900' tur
tells one good check
io "$(url 1)" "read -P 0 0 4M" "write -P 1 0 4M" "read -P 1 0 4M"

note 'a medium that is locked stays'
tells one good cdb 1e0000000100
adm_fails 22 'this device has Prevent Removal set' "${delete[@]}" --tid "$tid" --lun 1
tells one good check
adm "${delete[@]}" --tid "$tid" --lun 1 --force
tells one 'sense 5/2500' tur
session_close one
session_close two
adm "${delete[@]}" --tid "$tid" --lun 2
adm_fails 22 "can't find the logical unit" "${delete[@]}" --tid "$tid" --lun 2
adm_fails 22 'invalid request' "${delete[@]}" --tid "$tid" --lun 0

note 'in the midst of writes: what was said to be written is'
python "$portal" "$iqn" "$tid" "$TGTADM" "$dir" "${BSTYPE:-rdwr}" "${BSOFLAGS:-}" <<'END'
import itertools
portal, iqn, tid, tgtadm, dir, bstype, bsoflags = sys.argv[1:]
SIZE, BLOCKS, DEPTH = 16 << 20, 8, 6

def adm(*args):
    return subprocess.run([tgtadm, *args, "--tid", tid, "--lun", "1"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

for n in range(12):
    path = f"{dir}/busy.{n}"
    with open(path, "wb") as f:
        f.truncate(SIZE)
    flags = ["--bsoflags", bsoflags] if bsoflags else []
    check(adm("--op", "new", "--mode", "lu", "-b", path, "--bstype", bstype, *flags) == 0, "no LUN")
    done, ended = {}, False
    with Session(f"iscsi://{portal}/{iqn}/1") as s:
        s.ready()
        deleter = None
        for i in itertools.count():
            at = [DEPTH * i + k for k in range(DEPTH)]
            at = [a % (SIZE // 4096) for a in at]
            fill = 1 + i % 255
            sent = [(a, s.submit(write16(a * BLOCKS, BLOCKS), write=bytes([fill]) * 4096)) for a in at]
            if i == n:
                # Refused while a write is under way: until it finds none.
                deleter = subprocess.Popen(["sh", "-c", 'until "$@" 2>/dev/null; do :; done', "sh", tgtadm,
                                            "--op", "delete", "--mode", "lu", "--tid", tid, "--lun", "1"])
            for a, p in sent:
                answer = p.wait()
                if answer.good:
                    done[a] = fill
                else:
                    check((answer.key, answer.asc) == (5, 0x2500), "a write:", answer)
                    done.pop(a, None)   # a part of it may be there
                    ended = True
            if ended:
                break
        check(deleter.wait(60) == 0, "the delete does not end")
    with open(path, "rb") as f:
        data = f.read()
    for a, fill in done.items():
        check(data[a * 4096:(a + 1) * 4096] == bytes([fill]) * 4096, "round", n, "block", a, "is lost")
END
