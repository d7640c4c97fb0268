// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/clock.h"

#include <time.h>

#include "base/util.h"

#define MEASURE_TRIES 3

static uint64_t now_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_boot_ns(void)
{
	return now_ns(CLOCK_BOOTTIME);
}

uint64_t clock_tick_ns(void)
{
	struct timespec ts;

	clock_getres(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

void wall_clock_measure(struct wall_clock *clock)
{
	uint64_t best = UINT64_MAX;
	int64_t offset = 0, change;

	for (int i = 0; i < MEASURE_TRIES; i++) {
		uint64_t before = clock_boot_ns();
		uint64_t wall = now_ns(CLOCK_REALTIME);
		uint64_t window = clock_boot_ns() - before;

		if (window >= best)
			continue;
		best = window;
		offset = (int64_t)(wall - before - window / 2);
	}
	change = offset - clock->offset_ns;
	if (clock->known && llabs(change) <= (int64_t)best)
		return;
	clock->offset_ns = offset;
	clock->known = true;
}
