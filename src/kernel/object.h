/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * object.h - the BPF object: opening it for the hooks in use, and attaching what has been loaded.
 */
#ifndef NETLOG_OBJECT_H
#define NETLOG_OBJECT_H

#include "kernel/ladder.h"

/* The first warning of libbpf since this was emptied. */
extern char libbpf_words[512];

/* What libbpf says is kept for the reason of a refusal instead of printed; but see NETLOG_DEBUG. */
void ladder_keep_words(void);

/*
 * An object that will load the hooks in use, or only the one `only`, if it is not NULL. NULL, with
 * errno, when there is none to be had.
 */
struct netlog_bpf *object_open(struct ladder *ladder, const struct probe_hook *only,
			       size_t ring_bytes);

/* The hook's program in a skeleton, and in the ladder's. */
struct bpf_program *program_of(const struct netlog_bpf *skeleton, const struct probe_hook *hook);
struct bpf_program *ladder_program(const struct ladder *ladder, const struct probe_hook *hook);

/*
 * Attach what has been loaded. Returns whether all could be: if not, those that could not have
 * their error now, and everything is detached, to be loaded again with what takes their place.
 */
bool ladder_attach(struct ladder *ladder);
/* Learn once what was there before, by the attached hooks that are iterators. */
void ladder_iterate(struct ladder *ladder);
void ladder_detach(struct ladder *ladder);

void ladder_done(struct ladder *ladder);

#endif
