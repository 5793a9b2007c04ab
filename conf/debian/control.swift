
Package: tgtd-swift
Architecture: linux-any
Depends: tgtd (= ${binary:Version}), ${shlibs:Depends}, ${misc:Depends}
Description: OpenStack Swift backing store for tgtd
 With this module tgtd serves objects of OpenStack Swift as disks over iSCSI.
