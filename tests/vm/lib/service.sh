# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# A guest that boots systemd, with this build in it as `make install` puts it there,
# after lib/initiator.sh, which see for guest():
#
#	$tree			what will lie over the guest's root; add to it, change it:
#				$tree/usr/local/etc/tgt/targets.conf, $tree/etc/default/tgt
#	service_enable UNIT	as systemctl does, before the guest boots
#	service_start		boot, and wait until systemd has started all there is
#
# A disk's file is best made in the guest.  From here, tgtd in the guest is at $there_1,
# and in the guest iscsiadm has 127.0.0.1.

# shellcheck disable=SC2034,SC2154

tree=$dir/tree
service_units=$tree/usr/local/lib/systemd/system

service_tree()
{
	local file

	[ -d "$BUILD/vm-installed" ] || fail "$BUILD/vm-installed: make check-vm makes it"
	cp -a "$BUILD/vm-installed" "$tree"
	# Found by the guest if it has no such library itself.  A module for which that is not
	# enough is not loaded.
	mkdir -p "$tree/usr/lib"
	ldd "$tree"/usr/local/sbin/tgt{d,adm,img} "$tree"/usr/local/lib/tgt/*/bs_{aio,uring}.so |
		awk '$2 == "=>" && $3 ~ "^/" { print $3 }' | sort -u |
		while read -r file; do
			cp -L "$file" "$tree/usr/lib/"
		done
	# systemd's patience is for machines that are not emulated.
	install -d "$tree/etc/systemd/system/tgt.service.d"
	printf '[Service]\nTimeoutStartSec=600\nWatchdogSec=300\n' \
		>"$tree/etc/systemd/system/tgt.service.d/emulated.conf"
}

service_enable()
{
	install -d "$tree/etc/systemd/system/multi-user.target.wants"
	ln -s "/${service_units#"$tree/"}/$1" "$tree/etc/systemd/system/multi-user.target.wants/$1"
}

service_start()
{
	truncate -s "$(($(du -sm "$tree" | cut -f1) * 3 / 2 + 16))M" "$dir/over.img"
	mke2fs -q -F -t ext4 -d "$tree" "$dir/over.img"
	guest_append="first=/usr/lib/systemd/systemd systemd.getty_auto=no" guest_start \
		-drive "file=$dir/over.img,format=raw,if=none,id=over,readonly=on" \
		-device virtio-blk-pci,drive=over,serial=over
	guest <<'END'
state=$(systemctl is-system-running --wait) || fail "systemd is $state: $(systemctl --failed --no-legend)"
END
}

service_tree
