#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The calls of OpenStack Cinder's tgt driver and of Longhorn's go-iscsi-helper, in their
# order, with the output taken apart as they do.
. "$(dirname "$0")/lib/initiators.sh"
need python3

export PATH=$BUILD:$SRC/scripts:$PATH
tgtd_start
python3 - "$dir" "$(disk_file 16M)" "$(disk_file 16M)" <<'END'
import subprocess, sys

directory, volume, other = sys.argv[1:]

def call(*args, ok=True, says=""):
    p = subprocess.run(args, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    if (p.returncode == 0) != ok or says not in p.stderr:
        sys.exit(f"{' '.join(args)}: exit {p.returncode}, {p.stderr}")
    return p.stdout

def adm(*args, **kw):
    return call("tgtadm", "--lld", "iscsi", *args, **kw)

# --- Cinder -----------------------------------------------------------------
iqn = "iqn.2010-10.org.openstack:volume-1"
one = f"{directory}/volumes-1"
conf = f"{directory}/targets.conf"
with open(conf, "w") as f:
    f.write(f"include {directory}/volumes-*\n")

def cinder_tid():
    """The second word of the first line that has the name, less its last character."""
    for line in adm("--op", "show", "--mode", "target").split("\n"):
        if iqn in line:
            return line.split()[1][:-1]

def cinder_export(secret):
    with open(one, "w") as f:
        f.write(f"""
<target {iqn}>
    backing-store {volume}
    driver iscsi
    incominguser user {secret}
    bsoflags direct
    write-cache on
</target>
""")
    call("tgt-admin", "--show")
    call("tgt-admin", "-c", conf, "--update", iqn)
    tid = cinder_tid()
    assert tid and int(tid) > 0, tid
    lines = adm("--op", "show", "--mode", "target").split("\n")
    assert "        LUN: 1" in lines, lines
    return tid

tid = cinder_export("secret-of-cinder")
assert cinder_export("secret-of-cinder") == tid         # once more: nothing to do
assert cinder_export("another-of-cinder") == tid
adm("--op", "new", "--mode", "logicalunit", "--tid", tid, "--lun", "1", "-b", volume, ok=False,
    says="this logical unit number already exists")
call("tgt-admin", "-c", conf, "--force", "--delete", iqn)
assert cinder_tid() is None
call("tgt-admin", "-c", conf, "--delete", iqn)          # gone already: no error

# --- Longhorn ---------------------------------------------------------------
name = "iqn.2019-10.io.longhorn:vol-1"
assert " rdwr" in call("tgtadm", "--op", "show", "--mode", "system")

def longhorn_tid():
    for line in adm("--op", "show", "--mode", "target").split("\n"):
        if line.startswith("Target ") and line.endswith(" " + name):
            return int(line.split(":")[0].split()[1])
    return -1

assert longhorn_tid() == -1
adm("--op", "new", "--mode", "target", "--tid", "1", "-T", name)
adm("--op", "new", "--mode", "target", "--tid", "2", "-T", name, ok=False, says="already exists")
assert longhorn_tid() == 1
adm("--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "-b", other, "--bstype", "rdwr")
adm("--op", "update", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "--params", "thin_provisioning=1")
adm("--op", "update", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "--params",
    "mode_page=8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0")
adm("--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL")
for line in adm("--op", "show", "--mode", "conn", "--tid", "1").split("\n"):
    if "Session:" in line or "Connection:" in line:
        int(line.split(": ")[1])
adm("--op", "unbind", "--mode", "target", "--tid", "1", "-I", "ALL")
adm("--op", "unbind", "--mode", "target", "--tid", "1", "-I", "ALL", ok=False,
    says="this access control rule does not exist")
adm("--op", "delete", "--mode", "logicalunit", "--tid", "1", "--lun", "1")
adm("--op", "delete", "--mode", "target", "--tid", "1")
assert longhorn_tid() == -1
END

# The rest of Longhorn's, with an initiator logged in: the connections are listed, and
# closed one by one, the volume grows, and the daemon is shut down.
note "sessions, growth, the end"
disk 16M
path=$(show target | sed -n 's/^ *Backing store path: \(\/.*\)/\1/p')
adm_fails 22 "this target already exists" --op new --mode target --tid "$tid" -T "$iqn"
session_open s "$(url 1)"
truncate -s 24M "$path"
adm --op update --mode logicalunit --tid "$tid" --lun 1 --params bsopts=size=$((24 << 20))
has "$(show target)" '            Size: 25 MB, Block size: 512'
adm_fails 22 "this target is still active" --op delete --mode target --tid "$tid"
python3 - "$tid" <<'END'
import subprocess, sys

tid = sys.argv[1]

def adm(*args):
    return subprocess.run(["tgtadm", "--lld", "iscsi", *args, "--tid", tid], check=True,
                          capture_output=True, text=True, timeout=60).stdout

connections, sid = {}, None
for line in map(str.strip, adm("--op", "show", "--mode", "conn").split("\n")):
    key, *value = line.split(": ")
    if key == "Session":
        assert len(value) == 1, line
        sid = int(value[0])
    elif key == "Connection":
        assert len(value) == 1, line
        connections.setdefault(sid, []).append(int(value[0]))
assert len(connections) == 1 and list(connections.values()) == [[0]], connections
for sid, cids in connections.items():
    for cid in cids:
        adm("--op", "delete", "--mode", "conn", "--sid", str(sid), "--cid", str(cid))
END
no_session() { [ "$(nr_sessions "$tid")" -eq 0 ]; }
wait_for 30 no_session || fail "the session stays"
session_forget s
adm --op delete --mode logicalunit --tid "$tid" --lun 1
adm --op delete --mode target --tid "$tid"
"$TGTADM" --op delete --mode system
gone() { ! running "$tgtd_pid"; }
wait_for 30 gone || fail "the daemon still runs"
wait "$tgtd_pid" || fail "the daemon ended with $?"
tgtd_pid=
