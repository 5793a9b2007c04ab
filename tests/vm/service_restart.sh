#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timeout: 600
# The service under systemd has its targets from the boot on; reloaded, restarted and
# killed, each during verified writes, it is back with them by itself: no error, no byte
# lost.
. "$(dirname "$0")/lib/initiator.sh"
. "$(dirname "$0")/lib/outage.sh"
. "$(dirname "$0")/lib/service.sh"

iqn=iqn.2001-04.org.example:service
install -d "$tree/var/lib"
truncate -s 64M "$tree/var/lib/disk"
cat >"$tree/usr/local/etc/tgt/targets.conf" <<END
<target $iqn>
	backing-store /var/lib/disk
</target>
END
service_enable tgt.service
service_start
expect "the service after a boot" active "$(guest <<<'systemctl is-active tgt')"
writes_start 127.0.0.1:3260

guest <<'END'
pid=$(systemctl show -P MainPID tgt)
systemctl reload tgt
expect "the process after a reload" "$pid" "$(systemctl show -P MainPID tgt)"
expect "sessions after a reload" LOGGED_IN "$(cat /sys/class/iscsi_session/*/state)"
END
writes_go_on
guest <<<'systemctl restart tgt'
writes_go_on
guest <<'END'
pid=$(systemctl show -P MainPID tgt)
systemctl kill --kill-whom=main --signal=KILL tgt
wait_for 60 eval '! systemctl is-active --quiet tgt || [ "$(systemctl show -P MainPID tgt)" != "$pid" ]'
wait_for 60 systemctl is-active --quiet tgt || fail "$(systemctl status tgt)"
END
writes_go_on
writes_end 2
guest_end
