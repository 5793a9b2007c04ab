#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What tgtadm says to calls that are wrong in themselves, byte for byte.
. "$(dirname "$0")/lib/initiators.sh"
# shellcheck disable=SC2016	# those are quotes of the message

try='Try `tgtadm --help'"'"' for more information.'

tgtd_start
target_new
says 22 'tgtadm: specify the operation type'
says 22 'tgtadm: specify the operation type' --mode target
says 22 'tgtadm: specify the mode' --op show
says 1 'tgtadm: unknown mode: foo' --mode foo --op show
says 1 'tgtadm: unknown operation: foo' --mode target --op foo
says 22 "tgtadm: 'tid' option is necessary" --mode target --op new
says 22 "tgtadm: 'tid' option is necessary" --mode target --op delete
says 22 "tgtadm: 'tid' cannot be 0" --mode target --op new --tid 0 -T iqn.x:y
says 22 'tgtadm: creating new target requires a name, use --targetname' \
	--mode target --op new --tid 5
says 22 "-t argument value 'abc' invalid
$try" --mode target --op show --tid abc
says 22 "-t argument value '-1' invalid
$try" --mode target --op show --tid -1
says 22 "-l argument value 'abc' invalid
$try" --mode logicalunit --op new --tid 1 --lun abc
says 22 'tgtadm: bind operation requires initiator-address, initiator-nameor bus' \
	--mode target --op bind --tid 1
says 22 'tgtadm: unbind operation requires initiator-address, initiator-nameor bus' \
	--mode target --op unbind --tid 1
says 22 "tgtadm: update operation requires 'name' and 'value' options" \
	--mode target --op update --tid 1 --name MaxBurstLength
says 22 "tgtadm: 'lun' option is necessary" --mode logicalunit --op new --tid 1
says 22 "tgtadm: 'tid' option is necessary" --mode logicalunit --op new --lun 1
says 22 'tgtadm: unknown target type: foo' \
	--mode logicalunit --op new --tid 1 --lun 1 --device-type foo -b /dev/null
says 22 "tgtadm: 'backing-store' option is necessary" \
	--mode logicalunit --op new --tid 1 --lun 1 --device-type changer
says 0 '' --mode logicalunit --op update --tid 1 --lun 0
says 22 'tgtadm: operation show not supported in logicalunit mode' \
	--mode logicalunit --op show --tid 1 --lun 1
says 22 "tgtadm: 'user' and 'password' options are required" --mode account --op new --user u
says 22 "tgtadm: 'user' option is necessary" --mode account --op bind --tid 1
says 22 'tgtadm: you must specify --param portal=<portal>' --mode portal --op new
says 22 'tgtadm: you must specify --param portal=<portal>' --mode portal --op delete
says 22 'tgtadm: operation new not supported in system mode' --mode sys --op new
says 22 'tgtadm: operation bind not supported in portal mode' --mode portal --op bind
says 22 "tgtadm: logicalunit mode: option '-s' is not allowed/supported" \
	--mode logicalunit --op new --tid 1 --lun 1 --sid 3
says 22 "tgtadm: account mode: option '-p' is not allowed/supported" \
	--mode account --op show --password x
says 22 "tgtadm: target mode: option '-l' is not allowed/supported" \
	--mode target --op new --tid 7 -T iqn.x:y --lun 1
says 22 "tgtadm: unrecognized option 'extra'
$try" --mode target --op show extra
# These two are getopt's own, which names the program as it was called.
says 22 "$TGTADM: unrecognized option '--bogus'
$try" --bogus
says 22 "$TGTADM: option '--mode' requires an argument
$try" --mode

# Nothing of it had an effect.
expect "targets" "Target $tid: $iqn" "$(show target | grep ^Target)"
