/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * type.h - the types that settings have: from a text to a value, and from the value to the texts
 * that make it again.
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
	 * Put a text into the value, besides what is there. NULL if it is well, else what is wrong
	 * with it and what would do, which the caller frees. NULL: nobody can give it.
	 */
	char *(*take)(const struct place *place, const char *text);
	/* Take all out, before the first text. NULL: each text takes the place of the last. */
	void (*clear)(const struct place *place);
	/*
	 * The text of this number, from 0, by which the value can be given again; it may be in the
	 * buffer. NULL: there are no more. NULL for none ever.
	 */
	const char *(*text)(const struct place *place, unsigned int number,
			    char buffer[SETTING_TEXT_MAX]);
	unsigned int json; /* enum config_type in a file, as bits; the lowest is the one printed */
	size_t size;	   /* of the value, where it can be copied; 0: it cannot */
};

/* bool: not given, or given. */
extern const struct setting_type type_flag;

/* uint64_t. The form is a struct measure; 0 is nothing given, if that allows no 0. */
extern const struct setting_type type_count, type_measure, type_ring;

/* struct threshold. The form is a struct measure; of several given any will do. */
extern const struct setting_type type_threshold;

/* struct word_choice. The form is a struct vocabulary. */
extern const struct setting_type type_words;

/* struct figures: EVENT=N. The form is a struct rate_form. */
extern const struct setting_type type_rates;

/* struct filter_set. The number is an enum filter_kind. */
extern const struct setting_type type_filter;

/* The outputs of struct options, as a whole. */
extern const struct setting_type type_outputs;

/* const char *: in argv. The form is the complaint where it is given twice; NULL: the last counts. */
extern const struct setting_type type_path;
extern const struct setting_type type_hostname; /* HOST_NAME_MAX bytes; "": none */

/* struct action. The number is the action; the form a struct vocabulary of its forms, if it has
 * any. */
extern const struct setting_type type_action;

/* struct options: the connection that is left out. It is found, not given. */
extern const struct setting_type type_ssh;

#endif
