/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reactor/mailbox.c - liburcu's wait-free queue plus an eventfd.  A reactor looks
 * into its mailbox in every turn, so the eventfd is for one that sleeps: only the
 * sender that finds it so, and the queue empty, writes to it.  The reader says that
 * it sleeps before it looks a last time, and the sender looks whether it sleeps
 * after it has sent: one of them sees the other.
 */
#include "reactor/mailbox.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/log.h"
#include "reactor/internal.h"

/* liburcu's barriers are invisible to ThreadSanitizer: say what they order. */
#if defined(__SANITIZE_THREAD__)
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#else
#define __tsan_acquire(addr)	((void)(addr))
#define __tsan_release(addr)	((void)(addr))
#endif

void reactor_mailbox_wake(struct reactor *r)
{
	const uint64_t one = 1;

	if (write(r->mailbox.watch.fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_err("reactor %d: eventfd: errno %d", r->id, errno);
}

void reactor_mailbox_send(struct reactor *to, struct mail *m,
			  void (*run)(struct mail *m))
{
	m->run = run;
	cds_wfcq_node_init(&m->node);
	__tsan_release(m);
	/* The exchange within is a full barrier. */
	if (!cds_wfcq_enqueue(&to->mailbox.head, &to->mailbox.tail, &m->node) &&
	    atomic_load(&to->mailbox.asleep))
		reactor_mailbox_wake(to);
}

bool reactor_mailbox_any(struct reactor *r)
{
	return !cds_wfcq_empty(cds_wfcq_head_cast(&r->mailbox.head), &r->mailbox.tail);
}

bool reactor_mailbox_sleep(struct reactor *r)
{
	atomic_store(&r->mailbox.asleep, true);
	if (likely(!reactor_mailbox_any(r)))
		return true;
	reactor_mailbox_awake(r);
	return false;
}

void reactor_mailbox_awake(struct reactor *r)
{
	atomic_store_explicit(&r->mailbox.asleep, false, memory_order_relaxed);
}

void reactor_mailbox_drain(struct reactor *r)
{
	struct cds_wfcq_head head;
	struct cds_wfcq_tail tail;
	struct cds_wfcq_node *n, *next;

	cds_wfcq_init(&head, &tail);
	if (__cds_wfcq_splice_blocking(&head, &tail, &r->mailbox.head,
				       &r->mailbox.tail) ==
	    CDS_WFCQ_RET_SRC_EMPTY)
		return;
	__cds_wfcq_for_each_blocking_safe(&head, &tail, n, next) {
		struct mail *m = caa_container_of(n, struct mail, node);

		__tsan_acquire(m);
		m->run(m);
	}
}

static void ready(struct watch *w, uint32_t events)
{
	uint64_t count;

	(void)events;
	if (read(w->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_err("mailbox: eventfd: errno %d", errno);
}

int reactor_mailbox_init(struct reactor *r)
{
	struct mailbox *box = &r->mailbox;
	int err;

	cds_wfcq_init(&box->head, &box->tail);
	box->watch = (struct watch){
		.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.events = EPOLLIN,
		.ready = ready,
	};
	if (box->watch.fd == -1)
		return -errno;
	err = reactor_watch_add(r, &box->watch);
	if (err < 0)
		reactor_mailbox_fini(r);
	return err;
}

void reactor_mailbox_fini(struct reactor *r)
{
	if (r->mailbox.watch.fd != -1)
		close(r->mailbox.watch.fd);
	r->mailbox.watch.fd = -1;
}
