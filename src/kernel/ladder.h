/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ladder.h - which hooks serve which part: choosing them, finding out what the kernel refuses, and
 * loading and attaching the best that is left.
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
void ladder_done(struct ladder *ladder);

/*
 * Load the best hooks that the kernel takes; those it refuses have their error. With no event left
 * to serve, nothing is loaded, and `events` is 0. May be called again after ladder_attach().
 * -ENODATA: the kernel has no BTF; -EBADMSG: none that libbpf understands. -ENOMEM, and any other
 * error of bpf(2) that is no hook's own.
 */
int ladder_load(struct ladder *ladder);

/*
 * Attach what has been loaded. Returns whether all could be: if not, those that could not have
 * their error now, and everything is detached, to be loaded again with what takes their place.
 */
bool ladder_attach(struct ladder *ladder);
/* Learn once what was there before, by the attached hooks that are iterators. */
void ladder_iterate(struct ladder *ladder);
void ladder_detach(struct ladder *ladder);

/* Is it loaded, or attached? */
static inline bool hook_at_work(const struct probe_hook *hook)
{
	return !hook->error && !hook->standby;
}

/* Does it make lines, of those that were wanted at the start? */
bool ladder_makes_lines(const struct ladder *ladder, const struct probe_hook *hook);

/* The hook's program in the ladder's skeleton. */
struct bpf_program *ladder_program(const struct ladder *ladder, const struct probe_hook *hook);

/* What libbpf says is kept for the reason of a refusal instead of printed; but see NETLOG_DEBUG. */
void ladder_keep_words(void);

#endif
