/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * measure.h - numbers that people write with a unit: 50ms, 1.5s, 64MiB.
 *
 * Nothing is rounded: 1.5s is a whole number of microseconds; 1.5us is not, and is refused.
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
	uint64_t grain;	      /* nanoseconds or bytes in one step of the value */
	uint64_t plain;	      /* the same for a number without a unit; a multiple of the grain */
	uint64_t least, most; /* values */
	const char *refusal;  /* of a text that cannot be used: "is no time" */
	const char *would_do; /* "seconds, as 10 or 0.5" */
};

/*
 * Read a text: digits, perhaps with decimals, perhaps followed by a unit. Returns NULL on success,
 * otherwise what is wrong and what would do, which the caller frees.
 */
char *measure_take(const struct measure *measure, const char *text, uint64_t *ret_value);

/*
 * Say what is wrong with a text and what would do; the caller frees. `wrong` NULL: `refusal` says
 * it.
 */
char *measure_refuse(const struct measure *measure, const char *text, const char *wrong);

/* The value as a number without a unit, in a form that measure_take() reads. Returns `text`. */
const char *measure_text(const struct measure *measure, uint64_t value,
			 char text[MEASURE_TEXT_MAX]);

#endif
