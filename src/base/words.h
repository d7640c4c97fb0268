/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * words.h - words that stand for numbers: finding them, and helping whoever has mistyped one.
 */
#ifndef NETLOG_WORDS_H
#define NETLOG_WORDS_H

#include <stdbool.h>
#include <stdint.h>

struct vocabulary {
	const char *what;			  /* the kind of thing they name, such as "event" */
	const char *(*word)(unsigned int number); /* NULL: this number has no word */
	unsigned int count;			  /* numbers are below this */
	const struct vocabulary *more;		  /* words whose numbers follow these; NULL: none */
};

/* A selection of words. */
struct word_choice {
	uint64_t bits; /* by their numbers */
	bool named;    /* given one by one, rather than by `all` */
};

/* The word's number; -ENOENT if there is no such word. */
int word_number(const struct vocabulary *vocabulary, const char *text);

/* The numbers of all words, as bits. */
uint64_t word_bits(const struct vocabulary *vocabulary);

/* All words as "a, b, c"; the caller frees. NULL when memory is short. */
char *word_list(const struct vocabulary *vocabulary);

/*
 * The word that was probably meant: one that the text is the beginning of, or that differs in at
 * most a third of its letters, where two swapped neighbours count once. NULL: there is none.
 */
const char *word_nearest(const struct vocabulary *vocabulary, const char *text);

/* "did you mean a? known are: a, b, c", or without the question; the caller frees. */
char *word_hint(const struct vocabulary *vocabulary, const char *text);

#endif
