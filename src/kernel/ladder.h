/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ladder.h - which hooks serve which part, and so which events can be served.
 */
#ifndef NETLOG_LADDER_H
#define NETLOG_LADDER_H

#include "kernel/hook.h"

struct bpf_link;
struct bpf_program;
struct netlog_bpf;

struct ladder {
	struct probe_config config;
	struct netlog_bpf *skeleton; /* NULL until something has been opened */
	struct probe_hook hooks[hooks_all];
	struct bpf_link *links[hooks_all]; /* of the hooks that are attached */
	unsigned int hook_count;
	uint64_t events; /* those that can be served, as bits */
	uint64_t stages; /* of latency, those wanted at the start: they make lines */
	bool ways_tried; /* refusals of a whole way into the kernel have been looked for */
	bool no_sk_storage, no_cookie, no_task_btf; /* see struct config */
	/* why programs may not load through pointers (no_loads), a static text; NULL: they may */
	const char *caution;
};

/* A ladder with the hooks that the settings want; nothing is loaded yet. */
void ladder_init(struct ladder *ladder, const struct probe_config *config);

/*
 * The hook is refused, or is not there. `words`: what the kernel or libbpf said beyond the error's
 * own text; NULL or "" for nothing.
 */
void hook_fail(struct probe_hook *hook, int error, const char *words);

/* Choose anew, of the hooks that have no error, and say of each event whether it is served. */
void events_settle(struct ladder *ladder);

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
