/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * clock.h - from the kernel's time since boot to the wall clock.
 *
 * Records are stamped with CLOCK_BOOTTIME, which counts suspend and never jumps. The offset between
 * it and the wall clock changes whenever the wall clock is set or slewed, so it is measured
 * repeatedly.
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
 * Measure the offset, and adopt it if it differs by more than the measurement's uncertainty: being
 * preempted between the readings must not look like a change. Cheap: no system call.
 */
void wall_clock_measure(struct wall_clock *clock);

/* A time since boot, as nanoseconds since 1970. */
static inline uint64_t wall_clock_of(const struct wall_clock *clock, uint64_t boot_ns)
{
	return boot_ns + (uint64_t)clock->offset_ns;
}

/* The time since boot, in nanoseconds. */
uint64_t clock_boot_ns(void);

/* Length of the kernel's tick (1/HZ), ns: posix_get_coarse_res(), kernel/time/posix-timers.c */
uint64_t clock_tick_ns(void);

#endif
