/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ladder.h - which hooks serve which part, and so which events can be served.
 *
 * It knows what is wanted and what has been refused, and asks nobody: no kernel, and no libbpf.
 */
#ifndef NETLOG_LADDER_H
#define NETLOG_LADDER_H

#include "kernel/hook.h"

struct ladder {
	struct probe_hook hooks[hooks_all];
	unsigned int hook_count;
	uint64_t events;	       /* those that can be served, as bits */
	uint64_t choices[event_types]; /* values wanted at the start, as bits: they make lines */
};

/* A ladder without hooks. The caller empties it with ladder_done(). */
void ladder_init(struct ladder *ladder, const struct probe_settings *settings);
void ladder_done(struct ladder *ladder);

/*
 * Add hooks, as far as the settings want them, to a ladder that has room for them: these, or all
 * that the schema has, for which there is room. Nothing has been refused yet.
 */
void ladder_add(struct ladder *ladder, const struct probe_settings *settings,
		const struct hook_desc *hooks, unsigned int count);
void ladder_add_all(struct ladder *ladder, const struct probe_settings *settings);

/*
 * The hook is refused, or is not there. `words`: what the kernel or libbpf said beyond the error's
 * own text; NULL or "" for nothing.
 */
void hook_fail(struct probe_hook *hook, int error, const char *words);

/* Choose anew, of the hooks that have no error, and say of each event whether it is served. */
void ladder_settle(struct ladder *ladder);

/* Is it of the rung that serves its part? */
bool hook_in_use(const struct ladder *ladder, const struct probe_hook *hook);

/* Is it loaded, or attached? */
static inline bool hook_at_work(const struct probe_hook *hook)
{
	return !hook->error && !hook->standby;
}

/* Does it make lines, of those that were wanted at the start? */
bool ladder_makes_lines(const struct ladder *ladder, const struct probe_hook *hook);

#endif
