/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * clock.h - from the kernel's time since boot to the wall clock.
 *
 * Records are stamped with CLOCK_BOOTTIME, which counts suspend and never jumps. What has to be
 * added for the wall clock changes when the latter is set or slewed, so it is measured again and
 * again.
 */
#ifndef NETLOG_CLOCK_H
#define NETLOG_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct wall_clock {
	int64_t offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	bool known;
};

/*
 * Measure the offset, and take it over if it differs by more than the measurement's uncertainty:
 * what a preemption between the readings makes seem a change is none. Cheap: no system call.
 */
void wall_clock_measure(struct wall_clock *clock);

/* Nanoseconds since 1970 of a time since boot. */
static inline uint64_t wall_clock_of(const struct wall_clock *clock, uint64_t boot_ns)
{
	return boot_ns + (uint64_t)clock->offset_ns;
}

/* Now, nanoseconds since boot. */
uint64_t clock_boot_ns(void);

/* Length of the kernel's tick (1/HZ), ns: posix_get_coarse_res(), kernel/time/posix-timers.c */
uint64_t clock_tick_ns(void);

#endif
