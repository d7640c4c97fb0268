/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * count.h - sums of what others count, who may not always count upwards.
 */
#ifndef NETLOG_COUNT_H
#define NETLOG_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Add to the sum what the count has grown by since it was looked at last. One that has gone
 * backwards has grown by nobody knows what: false, the sum stays, and the count is followed from
 * where it is now.
 */
static inline bool count_follow(uint64_t *sum, uint64_t *last, uint64_t now)
{
	const bool forwards = now >= *last;

	if (forwards)
		*sum += now - *last;
	*last = now;
	return forwards;
}

#endif
