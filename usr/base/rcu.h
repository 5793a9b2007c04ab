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

/*
 * liburcu does this in functions and in assembly that ThreadSanitizer does not look
 * into: what is written before a pointer is published would be a race with whoever
 * reads it.  The same, as it sees it.
 */
#ifdef __has_feature
#define RCU_TSAN	__has_feature(thread_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define RCU_TSAN	1
#else
#define RCU_TSAN	0
#endif
#if RCU_TSAN
#undef rcu_dereference
#undef rcu_assign_pointer
#undef rcu_xchg_pointer
#define rcu_dereference(p)		__atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_assign_pointer(p, v)	__atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define rcu_xchg_pointer(p, v)		__atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#endif
