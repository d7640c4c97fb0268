/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * timer.h - timers of the event loop. A timer runs once each time it is set.
 */
#ifndef NETLOG_TIMER_H
#define NETLOG_TIMER_H

#include <systemd/sd-event.h>

#define TIMER_ACCURACY_US 1

static inline void timer_set(sd_event_source *timer, uint64_t us)
{
	sd_event_source_set_time_relative(timer, us);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

#endif
