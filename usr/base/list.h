/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/list.h - intrusive, circular, doubly linked list.
 *
 * A node that is in no list points at itself (list_init), so list_del() twice
 * is harmless and list_is_linked() is a question that can be asked.
 */
#pragma once
#include <stdbool.h>
#include "base/macros.h"

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }

static inline void list_init(struct list_head *h)
{
	h->next = h->prev = h;
}

static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

static inline bool list_is_linked(const struct list_head *n)
{
	return n->next != n;
}

static inline void list_insert_(struct list_head *n, struct list_head *prev,
				struct list_head *next)
{
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}

static inline void list_add(struct list_head *h, struct list_head *n)
{
	list_insert_(n, h, h->next);
}

static inline void list_add_tail(struct list_head *h, struct list_head *n)
{
	list_insert_(n, h->prev, h);
}

static inline void list_del(struct list_head *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

/* Move all of @from to the end of @to; @from is left empty. */
static inline void list_splice_tail(struct list_head *to, struct list_head *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(n, type, member)	container_of(n, type, member)
#define list_first(h, type, member)	list_entry((h)->next, type, member)

#define list_for_each(pos, h, member)					\
	for (pos = list_first(h, __typeof__(*pos), member);		\
	     &pos->member != (h);					\
	     pos = list_first(&pos->member, __typeof__(*pos), member))

/* @pos may be deleted inside; nobody else of the list may. */
#define list_for_each_safe(pos, tmp, h, member)				\
	for (pos = list_first(h, __typeof__(*pos), member),		\
	     tmp = list_first(&pos->member, __typeof__(*pos), member);	\
	     &pos->member != (h);					\
	     pos = tmp,							\
	     tmp = list_first(&tmp->member, __typeof__(*tmp), member))

/* Take the first entry out of @h, or NULL. */
#define list_pop(h, type, member) ({					\
	struct list_head *h_ = (h), *n_ = h_->next;			\
	if (n_ != h_)							\
		list_del(n_);						\
	n_ == h_ ? NULL : list_entry(n_, type, member); })
