/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * type.h - types of settings: reading a value from a text, and the texts that give the same value
 * again.
 */
#ifndef NETLOG_SETTING_TYPE_H
#define NETLOG_SETTING_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/measure.h"
#include "base/words.h"

#define SETTING_TEXT_MAX 128

struct place;

struct setting_type {
	/*
	 * Add a text to the value. Returns NULL on success, otherwise what is wrong with it and
	 * what would do, which the caller frees. NULL: it cannot be given.
	 */
	char *(*take)(const struct place *place, const char *text);
	/* Empty the value before its first text. NULL: each text replaces the one before. */
	void (*clear)(const struct place *place);
	/*
	 * The text of this number, from 0, by which the value can be given again; it may use the
	 * buffer. NULL: there are no more. The member is NULL if there never are any.
	 */
	const char *(*text)(const struct place *place, unsigned int number,
			    char buffer[SETTING_TEXT_MAX]);
	unsigned int json; /* enum config_type in a file, as bits; the lowest one is printed */
	size_t size;	   /* of a value that can be copied; 0: it cannot */
};

/* bool: given or not. */
extern const struct setting_type type_flag;

/* uint64_t. The form is a struct measure; 0 means not given, unless the measure allows 0. */
extern const struct setting_type type_count, type_measure, type_ring;

/* struct threshold. The form is a struct measure; several that are given are alternatives. */
extern const struct setting_type type_threshold;

/* struct word_choice. The form is a struct vocabulary. */
extern const struct setting_type type_words;

/* struct figures: EVENT=N. The form is a struct rate_form. */
extern const struct setting_type type_rates;

/* struct filter_set. The number is an enum filter_kind. */
extern const struct setting_type type_filter;

/* All outputs of struct options. */
extern const struct setting_type type_outputs;

/*
 * const char *, in argv. The form is the complaint about a second one; NULL: the last one counts.
 */
extern const struct setting_type type_path;

/* struct action. The number is the action; the form is a struct vocabulary of its forms, if any. */
extern const struct setting_type type_action;

/* struct options: the excluded connection. Found by netlog, not given. */
extern const struct setting_type type_ssh;

#endif
