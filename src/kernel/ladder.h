/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ladder.h - which hooks serve which part, and so which events can be served.
 *
 * It only compares what is wanted with what has been refused, and calls neither kernel nor libbpf.
 */
#ifndef NETLOG_LADDER_H
#define NETLOG_LADDER_H

#include "kernel/hook.h"

struct ladder {
	struct probe_hook hooks[hooks_all];
	unsigned int hook_count;
	uint64_t events;	       /* that can be served, as bits */
	uint64_t choices[event_types]; /* values wanted at the start, as bits */
};

/* A ladder without hooks. End it with ladder_done(). */
void ladder_init(struct ladder *ladder, const struct probe_settings *settings);
void ladder_done(struct ladder *ladder);

/*
 * Add the hooks that the settings want to a ladder with room for them. ladder_add_all() adds all
 * that the schema has, for which there always is room. None has been refused yet.
 */
void ladder_add(struct ladder *ladder, const struct probe_settings *settings,
		const struct hook_desc *hooks, unsigned int count);
void ladder_add_all(struct ladder *ladder, const struct probe_settings *settings);

/*
 * Record that the hook is refused or missing. `words`: what the kernel or libbpf said beyond the
 * error's own text; NULL or "" for nothing.
 */
void hook_fail(struct probe_hook *hook, int error, const char *words);

/* Choose again among the hooks without an error, and find out which events are served. */
void ladder_settle(struct ladder *ladder);

/* Does the hook belong to the rung that serves its part? */
bool hook_in_use(const struct ladder *ladder, const struct probe_hook *hook);

/* Is the hook loaded or attached? */
static inline bool hook_at_work(const struct probe_hook *hook)
{
	return !hook->error && !hook->standby;
}

/* Does the hook make lines of the values that were wanted at the start? */
bool ladder_makes_lines(const struct ladder *ladder, const struct probe_hook *hook);

#endif
