#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A store whose reads hang longer than the initiator waits, twice: the kernel aborts
# commands and resets the LUN, and both is done; then all goes on: no error, no byte lost.
. "$(dirname "$0")/lib/initiator.sh"
. "$(dirname "$0")/lib/slow.sh"

slow_start read
# RFC 7143 11.5.1: 1 is ABORT TASK, 5 is LOGICAL UNIT RESET; 11.6.1: 0 is done.
aborted='task management function 1 answered 0'
reset='task management function 5 answered 0'
for _ in 1 2; do
	aborts=$(said "$aborted") resets=$(said "$reset")
	slow_hang
	says_more "$aborts" "$aborted"
	says_more "$resets" "$reset"
	slow_go_on
done
writes_end 2
guest_end
