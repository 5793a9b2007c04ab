#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the disk says of itself, as sg3_utils and sdparm read it: every VPD, log and
# mode page is decoded, without a complaint and without bytes that stay bytes.
. "$(dirname "$0")/lib/initiators.sh"
need sg_inq sg_vpd sg_logs sdparm

disk 64M
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params thin_provisioning=1

# One file of hexadecimal digits per page: what the disk answered.
python "$(url 1)" "$dir" >"$dir/modes" <<'END'
def save(name, data):
    with open(f"{sys.argv[2]}/{name}.hex", "w") as f:
        f.write("\n".join(data[i:i + 16].hex(" ") for i in range(0, len(data), 16)) + "\n")

with Session(sys.argv[1]) as s:
    s.ready()
    save("inq", s.ok(s.command(inquiry(), 255)).data)
    for page in s.ok(s.command(inquiry(0), 255)).data[4:]:
        save(f"vpd.{page:02x}", s.ok(s.command(inquiry(page), 255)).data)
    def log(page, sub):
        return s.ok(s.command(bytes([0x4d, 0, 0x40 | page, sub, 0, 0, 0, 16, 0, 0]), 4096)).data
    save("log.00.ff", log(0, 0xff))
    for page in log(0, 0)[4:]:
        save(f"log.{page:02x}.00", log(page, 0))
    def mode(page, sub):
        return s.ok(s.command(bytes([0x5a, 0x08, page, sub, 0, 0, 0, 16, 0, 0]), 4096)).data
    every = mode(0x3f, 0xff)
    save("mode", every)
    save("mode.saved", mode(0xff, 0xff))
    check(len(mode(0xff, 0xff)) == len(every))
    at = 8
    while at < len(every):
        sub = every[at] & 0x40
        print(f"mode page {every[at] & 0x3f:#x}{f',{every[at + 1]:#x}' if sub else ''}")
        at += 4 + int.from_bytes(every[at + 2:at + 4], "big") if sub else 2 + every[at + 1]
    check(at == len(every), "the last mode page ends at", at, "of", len(every))
END

# decoded NAME COMMAND... - it succeeds, and says nothing that shows it is at a loss.
decoded()
{
	local out

	out=$("${@:2}" 2>&1) || fail "$1: ${*:2}: $out"
	if grep -nEi "unable|unknown|not decoded|malformed|invalid|truncat|too short|warning:|unexpected|>>|<<no |in hex|hex:" <<<"$out"; then
		fail "$1: ${*:2}: $out"
	fi
	# A dump: an offset, then sixteen bytes.
	! grep -E "^ *[0-9a-f]{2,8}  *([0-9a-f]{2} +){8}" <<<"$out" || fail "$1 is dumped: $out"
	[ -n "$out" ] || fail "$1: ${*:2} says nothing"
}

decoded "INQUIRY data" sg_inq --descriptors --inhex="$dir/inq.hex"
out=$(sg_inq --descriptors --inhex="$dir/inq.hex")
for standard in SAM-5 iSCSI SPC-4 SBC-3 SBC-4; do
	grep -qF "$standard (no version claimed)" <<<"$out" || fail "$standard is not named: $out"
done

nr=0
for f in "$dir"/vpd.*.hex; do
	page=${f##*/vpd.}
	decoded "VPD page ${page%.hex}" sg_vpd --long --page="0x${page%.hex}" --inhex="$f"
	decoded "VPD page ${page%.hex}" sg_vpd --inhex="$f"
	nr=$((nr + 1))
done
[ "$nr" -ge 9 ] || fail "only $nr VPD pages"
for f in "$dir"/log.*.hex; do
	decoded "log page ${f##*/}" sg_logs --in="$f"
	nr=$((nr + 1))
done
[ "$nr" -ge 14 ] || fail "only $nr pages"

decoded "mode pages" sdparm --all --long --inhex="$dir/mode.hex"
expect "decoded mode pages" "$(wc -l <"$dir/modes")" \
	"$(sdparm --all --inhex="$dir/mode.hex" | grep -c '^[^ ].* mode page')"
decoded "saved mode pages" sdparm --all --long --inhex="$dir/mode.saved.hex"
expect "general statistics" 1 \
	"$(sg_logs --in="$dir/log.19.00.hex" | grep -ci '^ *number of read commands')"
note "$nr pages"
