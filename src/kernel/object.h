/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * object.h - the BPF object: opening it for the hooks in use, and attaching what has been loaded.
 */
#ifndef NETLOG_OBJECT_H
#define NETLOG_OBJECT_H

#include "kernel/ladder.h"

struct bpf_link;
struct bpf_program;
struct netlog_bpf;

struct object {
	struct ladder ladder;
	struct probe_config config;
	struct netlog_bpf *skeleton;	   /* NULL until it has been opened */
	struct bpf_link *links[hooks_all]; /* of attached hooks */
	bool ways_tried; /* ways into the kernel that are refused as a whole have been looked for */
	uint64_t lacks;	 /* features that this kernel does not have, as bits: feature.h */
	/* why there is no feature `loads`, a static text; NULL: there is */
	const char *caution;
};

/* An object with the hooks that the settings want; nothing has been opened yet. */
void object_init(struct object *object, const struct probe_config *config);
void object_done(struct object *object);

/*
 * A skeleton that will load the hooks in use, or, if `only` is not NULL, that hook alone. NULL,
 * with errno, on failure.
 */
struct netlog_bpf *object_open(const struct object *object, const struct probe_hook *only,
			       size_t ring_bytes);

/* The hook's program in a skeleton, or in the object's own. */
struct bpf_program *program_of(const struct netlog_bpf *skeleton, const struct probe_hook *hook);
struct bpf_program *object_program(const struct object *object, const struct probe_hook *hook);

/*
 * Attach what has been loaded. Returns whether all could be attached. If not, the hooks that could
 * not have their error, and everything is detached, to be loaded again with replacements.
 */
bool object_attach(struct object *object);
/* Run the attached iterators once, to learn about what existed before. */
void object_iterate(struct object *object);
void object_detach(struct object *object);

/* libbpf's first warning since this was last emptied. */
extern char libbpf_words[512];

/*
 * Keep libbpf's messages for the reason of a refusal instead of printing them; but see
 * NETLOG_DEBUG.
 */
void libbpf_keep_words(void);

#endif
