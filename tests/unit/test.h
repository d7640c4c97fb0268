/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test.h - TEST(a_fact) { ... CHECK(...); }
 *
 * main.c runs them, each in a process of its own.
 */
#ifndef NETLOG_TEST_H
#define NETLOG_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEST_NAME_MAX 256

struct test {
	const char *file, *name;
	void (*run)(void);
	struct test *next;
};

/* In the order of the files on the linker's command line, and in a file in its order */
extern struct test *tests, **tests_end;

#define TEST(test_name)                                                     \
	static void test_name(void);                                        \
	static void __attribute__((constructor)) test_name##_register(void) \
	{                                                                   \
		static struct test test = { .file = __FILE__,               \
					    .name = #test_name,             \
					    .run = test_name };             \
		*tests_end = &test;                                         \
		tests_end = &test.next;                                     \
	}                                                                   \
	static void test_name(void)

/* If the condition is false, print what was seen (a printf format), and end the test. */
#define CHECK_SAYING(condition, ...)                                                 \
	do {                                                                         \
		if (!(condition)) {                                                  \
			printf("# %s:%d: %s\n#   ", __FILE__, __LINE__, #condition); \
			printf(__VA_ARGS__);                                         \
			putchar('\n');                                               \
			exit(EXIT_FAILURE);                                          \
		}                                                                    \
	} while (0)
#define CHECK(condition) CHECK_SAYING(condition, "is false")
#define CHECK_EQUAL(a, b)                                                       \
	do {                                                                    \
		long long a_ = (long long)(a), b_ = (long long)(b);             \
		CHECK_SAYING(a_ == b_, "%s = %lld, %s = %lld", #a, a_, #b, b_); \
	} while (0)
#define CHECK_TEXT(a, b)                                                                 \
	do {                                                                             \
		const char *a_ = (a), *b_ = (b);                                         \
		CHECK_SAYING(a_ &&b_ && !strcmp(a_, b_), "%s = \"%s\", %s = \"%s\"", #a, \
			     a_ ? a_ : "(null)", #b, b_ ? b_ : "(null)");                \
	} while (0)

/* The same numbers in every run: xorshift64. */
static inline uint64_t test_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
