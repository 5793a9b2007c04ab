# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# A root directory of Debian that boots, with systemd as its first process:
#
#	boot_possible		whether that can be here; says why not
#	boot_start ROOT		sets boot_pid
#	booted COMMAND...	within it
#	near COMMAND...		of this machine, with its network
#	boot_stop
#
# It has namespaces of its own for processes, mounts, network, cgroups: what it does is
# seen nowhere else, and ends with it.  The caller has a mount namespace of its own, in
# which nothing is shared, and /proc is of its own processes.

boot_pid='' boot_starter='' boot_cgroup=''

boot_hierarchy()
{
	findmnt -t cgroup2 -n -o TARGET | head -n 1
}

boot_possible()
{
	local at

	at=$(boot_hierarchy)
	if [ -z "$at" ] || ! mkdir "$at/tgtd-test.$$" 2>/dev/null; then
		echo "there is no cgroup2 to make a group in"
		return 1
	fi
	rmdir "$at/tgtd-test.$$"
}

# Becomes its first process.  Device nodes are its own; what it must not change of the
# kernel is read-only, or needs a capability that it has not.
boot_init()
{
	local root=$1 node

	mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	mount --bind "$root/proc/sys" "$root/proc/sys"
	mount -o remount,bind,ro "$root/proc/sys"
	mount -t sysfs -o ro sysfs "$root/sys"
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
	mount -t tmpfs -o mode=0755 tmpfs "$root/run"
	mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
	for node in null:3 zero:5 full:7 random:8 urandom:9; do
		mknod -m 0666 "$root/dev/${node%:*}" c 1 "${node#*:}"
	done
	mknod -m 0666 "$root/dev/tty" c 5 0
	mkdir "$root/dev/shm" "$root/dev/pts"
	mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	ip link set lo up
	cd "$root" || return
	pivot_root . .
	umount -l .
	exec /usr/bin/env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		/usr/bin/setpriv --bounding-set -sys_boot,-sys_module,-sys_time,-syslog \
		/lib/systemd/systemd --log-target=journal
}

boot_start()
{
	local n

	boot_cgroup=$(boot_hierarchy)/tgtd-test.$$
	mkdir "$boot_cgroup"
	export -f boot_init
	# It joins the group first: then that is all the cgroups that it sees.
	bash -c 'echo 0 >"$1/cgroup.procs" && exec unshare --cgroup --pid --net --ipc --uts \
		--mount --propagation private --fork --kill-child \
		bash -ec "boot_init \"\$1\"" init "$2"' boot "$boot_cgroup" "$1" \
		</dev/null >"$1.console" 2>&1 &
	boot_starter=$!
	for ((n = 0; n < 600; n++)); do
		kill -0 "$boot_starter" 2>/dev/null || return 1
		read -r boot_pid <"/proc/$boot_starter/task/$boot_starter/children" || :
		if [ -n "$boot_pid" ] && [ "$(cat "/proc/$boot_pid/comm")" = systemd ] &&
			booted systemctl show >/dev/null 2>&1; then
			return 0
		fi
		sleep 0.1
	done
	return 1
}

booted()
{
	nsenter -t "$boot_pid" -m -p -n -i -u -C -- "$@" </dev/null
}

near()
{
	nsenter -t "$boot_pid" -n -- "$@" </dev/null
}

boot_stop()
{
	[ -n "$boot_pid" ] || return 0
	kill -KILL "$boot_pid" 2>/dev/null || :
	wait "$boot_starter" 2>/dev/null || :
	boot_pid=''
	find "$boot_cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || :
}
