# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For tests with a real initiator: common.sh, and a guest of their own beside tgtd in
# a network namespace of their own.  Two links, on different subnets:
#
#	here	10.77.1.1 fd77:1::1	10.77.2.1 fd77:2::1	($here_1, $here_2)
#	guest	10.77.1.2 fd77:1::2	10.77.2.2 fd77:2::2
#
#	portals_start			tgtd on port 3260 of both
#	guest_start [QEMU-OPTION...]	boot it
#	guest [NAME=VALUE...] <<'END'	bash in the guest, with lib/in_guest.sh
#	guest_bg NAME [...] <<'END'	the same, not waited for...
#	guest_wait NAME SECONDS		...until here; it must have succeeded
#	dmesg_expect REGEX		kernel warnings that belong to this test
#	guest_complains			fail if its kernel had other complaints than those
#	guest_end			last: end the sessions; guest_complains; guest_off
#	link_cut N, link_join N		the cable of a link
#	figure N WHAT			for the sum that tests/vm/check prints
#
# The namespace, the taps and the guest end with the test, however that ends.

# shellcheck disable=SC2034,SC2119,SC2120,SC2154

# shellcheck source=../lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/common.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "${BASH_SOURCE[0]}")/guest.sh"

vm_lib=$SRC/tests/vm/lib
if [ -z "${VM_NAMESPACE:-}" ]; then
	[ -w /dev/net/tun ] && unshare --net true 2>/dev/null ||
		skip "needs root, to make a network namespace and taps"
	rm -rf "$dir"
	VM_NAMESPACE=1 exec unshare --net -- "$0" "$@"
fi

GUEST_SECONDS=${GUEST_SECONDS:-240}
here_1=10.77.1.1 here_2=10.77.2.1 there_1=10.77.1.2 there_2=10.77.2.2
guest=$dir/guest
guest_net="tap1=$there_1/24,fd77:1::2/64 tap2=$there_2/24,fd77:2::2/64"

# What the kernel says of each new disk; and, under emulation on a busy machine, of itself.
dmesg_expected=(
	'Power-on or device reset occurred'
	'clocksource|hrtimer: interrupt took|rcu.*(stall|starved)|workqueue: .* hogged CPU'
)

# One of its own when a session ends: the queue that unbinds the session waits for that
# of power management.
linux_warning='workqueue: WQ_MEM_RECLAIM iscsi_ctrl_[^\n]* is flushing !WQ_MEM_RECLAIM'

links_make()
{
	local n

	ip link set lo up
	for n in 1 2; do
		ip tuntap add dev "tap$n" mode tap
		ip address add "10.77.$n.1/24" dev "tap$n"
		ip address add "fd77:${n}::1/64" dev "tap$n" nodad
		echo 1 >"/proc/sys/net/ipv6/conf/tap$n/keep_addr_on_down"
		ip link set "tap$n" up
	done
}

link_cut()
{
	ip link set "tap$1" down
}

link_join()
{
	ip link set "tap$1" up
}

# portals_start [OPTION...]
portals_start()
{
	tgtd_start --iscsi "portal=$here_1:3260,portal=$here_2:3260" "$@"
}

# --- the guest --------------------------------------------------------------

guest_start()
{
	guest_boot "$guest" "$@"
	guest_ready "$guest" || { cat "$guest/qemu"; fail "the guest does not boot"; }
	guest_job "$guest" 60 <<<'dmesg --clear'
}

# guest_script [NAME=VALUE...] - what to send, for the script on stdin.
guest_script()
{
	local pair

	cat "$vm_lib/in_guest.sh"
	for pair; do
		printf '%s=%q\n' "${pair%%=*}" "${pair#*=}"
	done
	cat
}

guest()
{
	local code=0

	guest_script "$@" | guest_job "$guest" "$GUEST_SECONDS" || code=$?
	[ "$code" -eq 0 ] || fail "in the guest: exit $code"
}

guest_bg()
{
	{
		printf 'cat >/run/%s.job <<"END OF JOB"\n' "$1"
		guest_script "${@:2}"
		printf 'END OF JOB\nrm -f /run/%s.code\n' "$1"
		printf '{ bash /run/%s.job >/run/%s.log 2>&1; echo $? >/run/%s.code; } &\n' "$1" "$1" "$1"
	} | guest_job "$guest" 60 || fail "in the guest: job $1 does not start"
}

guest_wait()
{
	guest name="$1" seconds="$2" <<'END'
wait_for "$seconds" test -s "/run/$name.code" || { cat "/run/$name.log"; fail "$name still runs"; }
cat "/run/$name.log"
exit "$(<"/run/$name.code")"
END
}

dmesg_expect()
{
	dmesg_expected+=("$@")
}

guest_complains()
{
	local said

	said=$(guest_job "$guest" 60 <<<'dmesg --level=emerg,alert,crit,err,warn' |
		sed -E "/cut here/{:a;N;/end trace/!ba;/$linux_warning/d}" |
		grep -vE "$(IFS='|'; printf '%s' "${dmesg_expected[*]}")") || :
	[ -z "$said" ] || fail "the guest's kernel complains: $said"
}

guest_end()
{
	guest <<'END'
leave
END
	guest_complains
	guest_off "$guest"
}

# --- figures ----------------------------------------------------------------

figure()
{
	note "$*"
	[ -z "${VM_FIGURES:-}" ] || printf '%s\n' "$*" >>"$VM_FIGURES"
}

# --- the end ----------------------------------------------------------------

vm_at_exit()
{
	local code=$?

	set +e
	trap - EXIT ERR
	if [ "$code" -ne 0 ] && [ "$code" -ne 77 ] && [ -e "$guest/pid" ]; then
		printf '%s\n' "-- the guest's console and kernel:"
		tail -n 20 "$guest/console"
		guest_alive "$guest" && guest_job "$guest" 10 <<<'dmesg | tail -n 60; tail -n 20 /run/iscsid.log'
	fi
	[ ! -e "$guest/pid" ] || guest_off "$guest"
	(exit "$code")
	at_exit
}
trap vm_at_exit EXIT

links_make
