/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * value.h - the values of settings, one kind after the other: from text, and to JSON.
 *
 * Those that return a text: NULL if the value is well; else what is wrong and what would do, which
 * the caller frees. show_() of a value is always true, as setting.show() wants it.
 */
#ifndef NETLOG_SETTING_VALUE_H
#define NETLOG_SETTING_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/words.h"

#define SETTING_LIMIT_MAX 4000000000ULL

/* Seconds, with up to six decimals. -EINVAL: it is none. */
int parse_seconds(const char *text, uint64_t *ret_us);
bool show_seconds(uint64_t us, FILE *file);

bool show_number(uint64_t number, FILE *file);
void show_string(const char *text, FILE *file);

/*
 * Limits in microseconds. Of several given any will do: the least counts. So it does for the upper
 * one, which leaves out what any of them lets through. `more`: one has been given.
 */
char *parse_least(const char *text, bool more, uint64_t *limit);
char *parse_below(const char *text, bool more, uint64_t *limit);

/*
 * A comma-separated list of words to bits by the words' numbers; `all` stands for all that can be
 * had, which is less than to name each: `named` is false then. `more`: it goes on with the list.
 */
char *parse_words(const char *text, const struct vocabulary *words, bool more, uint64_t *bits,
		  bool *named);
bool show_words(const struct vocabulary *words, uint64_t bits, bool named, FILE *file);

#endif
