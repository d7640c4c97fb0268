/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * measure.h - numbers that people write with a unit: 50ms, 1.5s, 64MiB.
 *
 * Nothing is rounded: 1.5s is a whole number of microseconds, 1.5us is none and refused.
 */
#ifndef NETLOG_MEASURE_H
#define NETLOG_MEASURE_H

#include <stdint.h>

#define MEASURE_TEXT_MAX 32

enum measure_kind {
	measure_count, /* has no units */
	measure_time,
	measure_size,
};

struct measure {
	enum measure_kind kind;
	uint64_t grain; /* the value counts so many nanoseconds, or bytes */
	uint64_t plain; /* and a number without a unit so many, or bytes; a multiple of the grain */
	uint64_t least, most; /* values */
	const char *refusal;  /* of what cannot be used: "is no time" */
	const char *would_do; /* "seconds, as 10 or 0.5" */
};

/*
 * Take a text: digits, perhaps with decimals, and perhaps a unit. NULL if it is well; else what is
 * wrong with it and what would do, which the caller frees.
 */
char *measure_take(const struct measure *measure, const char *text, uint64_t *ret_value);

/* What is wrong with a text, NULL if it can be seen, and what would do; the caller frees. */
char *measure_refuse(const struct measure *measure, const char *text, const char *wrong);

/* The value as a number without a unit, as it can be taken again. Returns `text`. */
const char *measure_text(const struct measure *measure, uint64_t value,
			 char text[MEASURE_TEXT_MAX]);

#endif
