# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# A guest: QEMU with what tests/vm/build made.  Its state is in a directory:
#
#	guest_boot DIR [QEMU-OPTION...]		start it, or go on from what guest_freeze kept
#	guest_ready DIR				wait until it answers
#	guest_job DIR SECONDS <SCRIPT		run bash there; what it writes, its status
#	guest_off DIR				as a power cut does
#	guest_freeze DIR			keep a guest as it is when it has booted
#
# DIR/console has the kernel's messages, DIR/pid QEMU's process id.  For guest_boot:
#
#	guest_net	"user", or tap devices: "TAP=ADDRESS/BITS,ADDRESS/BITS TAP=..."
#	guest_append	more for the kernel's command line
#	guest_initrd	another initramfs
#	guest_root	another disk, as options of -drive
#	VM_ACCEL	kvm or tcg; by default, kvm if that works
#	VM_MEMORY	MiB (1024)

VM_DIR=${VM_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)/build/vm}
GUEST_READY_SECONDS=180

# --- QEMU -------------------------------------------------------------------

guest_accelerator()
{
	local known

	if [ -n "${VM_ACCEL:-}" ]; then
		echo "$VM_ACCEL"
		return
	fi
	known=$VM_DIR/accel.$(</proc/sys/kernel/random/boot_id)
	cat "$known" 2>/dev/null || echo tcg
}

# A /dev/kvm may be there and not work (nested virtualisation), which shows only
# in a guest that does not come up.  Tried once per boot of this machine.
guest_try_kvm()
{
	local known dir

	known=$VM_DIR/accel.$(</proc/sys/kernel/random/boot_id)
	[ -z "${VM_ACCEL:-}" ] && [ ! -e "$known" ] || return 0
	dir=$(mktemp -d)
	echo tcg >"$dir/answer"
	if [ -w /dev/kvm ]; then
		VM_ACCEL=kvm guest_net=user guest_boot "$dir"
		if GUEST_READY_SECONDS=20 guest_ready "$dir" >/dev/null 2>&1; then
			echo kvm >"$dir/answer"
		fi
		guest_off "$dir"
	fi
	rm -f "$VM_DIR"/accel.*
	mv "$dir/answer" "$known"
	rm -rf "$dir"
}

# -M q35: microvm has neither HPET nor PM timer, without which a boot now and then
# hangs in the calibration of the TSC.
guest_boot()
{
	local dir=$1 n=0 tap net='' options=() append root
	local acc=(-accel "tcg,thread=multi" -cpu max)

	[ "$(guest_accelerator)" = tcg ] || acc=(-accel kvm -cpu host)
	root=${guest_root:-file=$VM_DIR/root.img,format=raw,snapshot=on}
	if [ $# -eq 1 ] && guest_is_frozen; then
		root="file=$VM_DIR/frozen/disk,format=qcow2,snapshot=on"
		options+=(-incoming "exec:cat '$VM_DIR/frozen/state'")
	fi
	mkdir -p "$dir"
	rm -f "$dir"/ctl.*
	mkfifo "$dir/ctl.in" "$dir/ctl.out"
	if [ "$guest_net" = user ]; then
		net=user
		options+=(-netdev "user,id=n0,ipv6=off" -device "virtio-net-pci,romfile=,netdev=n0")
	else
		for tap in $guest_net; do
			net+=${net:++}${tap#*=}
			options+=(-netdev "tap,id=n$n,ifname=${tap%%=*},script=no,downscript=no"
				-device "virtio-net-pci,romfile=,netdev=n$n,mac=52:54:00:77:00:0$n")
			n=$((n + 1))
		done
	fi
	append="console=ttyS0 quiet panic=-1 reboot=t mitigations=off nokaslr tsc=reliable"
	append+=" audit=0 apparmor=0 net.ifnames=0 cryptomgr.notests random.trust_cpu=on"
	setpriv --pdeathsig KILL qemu-system-x86_64 -M q35 -bios qboot.rom "${acc[@]}" \
		-smp 1 -m "${VM_MEMORY:-1024}" -nodefaults -no-user-config -display none -no-reboot \
		-serial "file:$dir/console" -kernel "$VM_DIR/vmlinuz" \
		-initrd "${guest_initrd:-$VM_DIR/initrd}" \
		-append "$append net=$net ${guest_append:-}" "${options[@]}" "${@:2}" \
		-device virtio-rng-pci -device virtio-serial-pci \
		-chardev "pipe,id=ctl,path=$dir/ctl" -device virtserialport,chardev=ctl,name=agent \
		-drive "$root,if=none,id=root,cache=unsafe" \
		-device virtio-blk-pci,drive=root,serial=root \
		</dev/null >"$dir/qemu" 2>&1 &
	echo $! >"$dir/pid"
}

guest_alive()
{
	local stat

	{ read -r stat <"/proc/$(<"$1/pid")/stat"; } 2>/dev/null || return 1
	stat=${stat##*) }
	[[ ${stat%% *} != [ZX] ]]
}

guest_off()
{
	if guest_alive "$1"; then
		kill -KILL "$(<"$1/pid")" 2>/dev/null || :
		wait "$(<"$1/pid")" 2>/dev/null || :
	fi
}

# --- the agent --------------------------------------------------------------

# guest_answer DIR DEADLINE TOKEN - from descriptor 4.  A line's end goes out with the
# line that follows, as the one before TOKEN is not the script's.
guest_answer()
{
	local line end='' part=''

	while :; do
		if IFS= read -t 2 -r -u 4 line; then
			line=$part$line part=
			if [[ $line == "$3 "* ]]; then
				return "${line#* }"
			fi
			printf '%s%s' "$end" "$line"
			end=$'\n'
			continue
		fi
		part+=$line
		if ! guest_alive "$1"; then
			printf '\nthe guest is gone; its console:\n'
			tail -n 30 "$1/console"
			return 125
		elif [ "$SECONDS" -ge "$2" ]; then
			printf '%s%s\nno answer from the guest in time\n' "$end" "$part"
			return 124
		fi
	done
}

guest_job()
{
	local script token="vm-job-$RANDOM$RANDOM" code=0

	script=$(cat; echo .)
	script=${script%.}
	exec 3<>"$1/ctl.in" 4<>"$1/ctl.out"
	printf '%s %d\n%s' "$token" "$(printf '%s' "$script" | wc -c)" "$script" >&3
	guest_answer "$1" $((SECONDS + $2)) "$token" || code=$?
	exec 3>&- 4>&-
	return "$code"
}

# With the time of now: one that was frozen knows only that of then.
guest_ready()
{
	guest_job "$1" "$GUEST_READY_SECONDS" <<<"date -s @$(date +%s) >/dev/null"
}

# --- a guest that has booted ------------------------------------------------
#
# Emulated, a boot is 6 s of a CPU, and to go on from its end is half a second.  It is
# the end of the same boot only with the same command line, and with QEMU as it was.

guest_frozen_key()
{
	printf '%s\n' "$(<"$VM_DIR/stamp")" "$(guest_accelerator)" "$(qemu-system-x86_64 --version)" \
		"$guest_net ${VM_MEMORY:-} ${guest_append:-} ${guest_initrd:-} ${guest_root:-}" \
		"$(declare -f guest_boot)"
}

guest_is_frozen()
{
	[ "$(cat "$VM_DIR/frozen/key" 2>/dev/null)" = "$(guest_frozen_key)" ]
}

guest_freeze()
{
	local line kept=$VM_DIR/frozen

	! guest_is_frozen || return 0
	rm -rf "$kept"
	mkdir "$kept"
	qemu-img create -q -f qcow2 -b ../root.img -F raw "$kept/disk" || return 1
	mkdir -p "$1"
	mkfifo "$1/qmp.in" "$1/qmp.out"
	guest_root="file=$kept/disk,format=qcow2" guest_boot "$1" \
		-chardev "pipe,id=qmp,path=$1/qmp" -mon chardev=qmp,mode=control
	guest_ready "$1" || return 1
	exec 5<>"$1/qmp.in" 6<>"$1/qmp.out"
	cat >&5 <<-END
	{"execute": "qmp_capabilities"}
	{"execute": "migrate-set-capabilities", "arguments":
		{"capabilities": [{"capability": "events", "state": true}]}}
	{"execute": "migrate-set-parameters", "arguments": {"max-bandwidth": $((1 << 40))}}
	{"execute": "migrate", "arguments": {"uri": "exec:cat >'$kept/state'"}}
	END
	while read -t "$GUEST_READY_SECONDS" -r line <&6; do
		case $line in
		*'"error"'* | *'"status": "failed"'*) break ;;
		*'"status": "completed"'*)
			guest_off "$1"
			guest_frozen_key >"$kept/key"
			break ;;
		esac
	done
	exec 5>&- 6>&-
	guest_is_frozen
}
