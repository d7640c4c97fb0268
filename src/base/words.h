/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * words.h - words that are known by a number: to find one, and to help whoever has mistyped it.
 */
#ifndef NETLOG_WORDS_H
#define NETLOG_WORDS_H

#include <stdbool.h>
#include <stdint.h>

struct vocabulary {
	const char *what;			  /* each of them is, such as "event" */
	const char *(*word)(unsigned int number); /* NULL: there is none of this number */
	unsigned int count;			  /* numbers are below this */
	const struct vocabulary *more;		  /* whose numbers go on behind these; NULL: none */
};

/* Some of them. */
struct word_choice {
	uint64_t bits; /* by their numbers */
	bool named;    /* one by one, not only as all that can be had */
};

/* The word's number; -ENOENT if it is none of them. */
int word_number(const struct vocabulary *vocabulary, const char *text);

/* The numbers of all words, as bits. */
uint64_t word_bits(const struct vocabulary *vocabulary);

/* All words as "a, b, c"; the caller frees. NULL when memory is short. */
char *word_list(const struct vocabulary *vocabulary);

/*
 * The word that this was probably meant to be: one that it begins, or that differs by a third of
 * its letters at the most, of which two may also have changed places. NULL: there is none.
 */
const char *word_nearest(const struct vocabulary *vocabulary, const char *text);

/* "did you mean a? known are: a, b, c", or without the question; the caller frees. */
char *word_hint(const struct vocabulary *vocabulary, const char *text);

#endif
