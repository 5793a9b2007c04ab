#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A store whose writes hang longer than the initiator waits, twice: that they are aborted
# cannot be said, for they may still be done, and so the kernel, after aborts and resets,
# ends the session and logs in again; then all goes on: no error, no byte lost.
. "$(dirname "$0")/lib/initiator.sh"
. "$(dirname "$0")/lib/slow.sh"

slow_start write
for _ in 1 2; do
	logins=$(said "logged in to $iqn")
	slow_hang
	says_more "$logins" "logged in to $iqn"
	slow_go_on
done
# RFC 7143 11.5.1: 5 is LOGICAL UNIT RESET; 11.6.1: 255 is that it was not done.
for function in 1 5; do
	says_more 0 "task management function $function answered 255"
done
writes_end 2
guest_end
