/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * util.h - the few things every file may use: cleanup attributes, sizes, bits, time units.
 */
#ifndef NETLOG_UTIL_H
#define NETLOG_UTIL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1ULL << (n))

#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_USEC 1000ULL
#define USEC_PER_SEC 1000000ULL
#define USEC_PER_MSEC 1000ULL

/* Run `function` on the variable when it goes out of scope. */
#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _printf_(text, first) __attribute__((format(printf, text, first)))

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* For `_cleanup_(type_freep)`: the function that frees what a pointer variable points to. */
#define DEFINE_CLEANUP(type, function)                 \
	static inline void function##p(type **pointer) \
	{                                              \
		if (*pointer)                          \
			function(*pointer);            \
	}

#endif
