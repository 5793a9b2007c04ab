/* SPDX-License-Identifier: BSD-3-Clause */
/* base/macros.h - small things that C lacks. */
#pragma once
#include <assert.h>
#include <stddef.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BIT(n)		(1U << (n))
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* Each argument is evaluated once; the names are unique so that they nest. */
#define MACRO_PASTE_(a, b)	a##b
#define MACRO_NAME_(a, b)	MACRO_PASTE_(a, b)
#define PICK_(a, op, b, x, y) ({ __typeof__(a) x = (a); __typeof__(b) y = (b); \
				 x op y ? x : y; })
#define MIN(a, b) PICK_(a, <, b, MACRO_NAME_(x_, __COUNTER__), \
			MACRO_NAME_(y_, __COUNTER__))
#define MAX(a, b) PICK_(a, >, b, MACRO_NAME_(x_, __COUNTER__), \
			MACRO_NAME_(y_, __COUNTER__))

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define ROUND_UP(n, align)	(DIV_ROUND_UP(n, align) * (align))

#define PRINTF_LIKE(fmt, args)	__attribute__((format(printf, fmt, args)))
