/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/rcu.h - liburcu, flavour QSBR.
 *
 * Readers (reactors) pay nothing: a reactor announces a quiescent state once a
 * turn and is offline while it sleeps, so no RCU pointer may be kept past the
 * turn in which it was read, unless a reference was taken.  Writers are the
 * control thread: copy, change, rcu_assign_pointer()/rcu_xchg_pointer(), then
 * call_rcu() or synchronize_rcu() (the latter only while registered threads
 * keep turning; the caller itself goes offline inside).
 */
#pragma once
#include <urcu-qsbr.h>		/* IWYU pragma: export */
