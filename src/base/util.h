/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * util.h - the few things every file may use: cleanup attributes, sizes, bits, time units.
 */
#ifndef NETLOG_UTIL_H
#define NETLOG_UTIL_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1ULL << (n))

#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL
#define USEC_PER_SEC 1000000ULL
#define USEC_PER_MSEC 1000ULL

/* Run `function` on the variable when it goes out of scope. */
#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _unused_ __attribute__((unused))
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

/* A negative errno: did something run short here, so that another time it may do? */
static inline bool error_is_shortage(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

/*
 * Parse a text that is one decimal number. -EINVAL for signs, blanks and numbers that do not fit.
 */
static inline int parse_u64(const char *text, uint64_t *ret_value)
{
	unsigned long long value;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL; /* strtoull() would accept signs and blanks */
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

/*
 * Append to a list "a, b, c". If a word does not fit, the list ends with "...", for which room is
 * kept.
 */
static inline void list_add(char *list, size_t size, const char *word)
{
	static const char more[] = ", ...";
	const size_t length = strlen(list), end = strlen(more);
	const char *separator = length ? ", " : "";

	if (length >= end && !strcmp(list + length - end, more))
		return;
	if (length + strlen(separator) + strlen(word) + end < size)
		sprintf(list + length, "%s%s", separator, word);
	else
		strcpy(list + length, more);
}

/*
 * A text that says what is wrong with a setting's value and what would do; the caller frees. Never
 * NULL: where memory is short it is cut.
 */
_printf_(1, 2) char *setting_wrong(const char *format, ...);

/*
 * Nothing is wrong with the value but that memory is short, so that another time it may do; also
 * with the names of what has it before that text.
 */
char *setting_wrong_memory(void);
bool wrong_is_memory(const char *wrong);

/* Of several such texts the first is kept; the others are freed. */
static inline void wrong_keep_first(char **wrong, char *more)
{
	if (*wrong)
		free(more);
	else
		*wrong = more;
}

/* For `_cleanup_(type_freep)`: the function that frees what a pointer variable points to. */
#define DEFINE_CLEANUP(type, function)                 \
	static inline void function##p(type **pointer) \
	{                                              \
		if (*pointer)                          \
			function(*pointer);            \
	}

#endif
