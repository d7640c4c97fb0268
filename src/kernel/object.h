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
	struct netlog_bpf *skeleton;	   /* NULL until something has been opened */
	struct bpf_link *links[hooks_all]; /* of the hooks that are attached */
	bool ways_tried; /* refusals of a whole way into the kernel have been looked for */
	uint64_t lacks;	 /* features that this kernel has not, as bits: feature.h */
	/* why it lacks loads, a static text; NULL: it does not */
	const char *caution;
};

/* An object with the hooks that the settings want; nothing is opened yet. */
void object_init(struct object *object, const struct probe_config *config);
void object_done(struct object *object);

/*
 * A skeleton that will load the hooks in use, or only the one `only`, if it is not NULL. NULL, with
 * errno, when there is none to be had.
 */
struct netlog_bpf *object_open(const struct object *object, const struct probe_hook *only,
			       size_t ring_bytes);

/* The hook's program in a skeleton, and in the object's. */
struct bpf_program *program_of(const struct netlog_bpf *skeleton, const struct probe_hook *hook);
struct bpf_program *object_program(const struct object *object, const struct probe_hook *hook);

/*
 * Attach what has been loaded. Returns whether all could be: if not, those that could not have
 * their error now, and everything is detached, to be loaded again with what takes their place.
 */
bool object_attach(struct object *object);
/* Learn once what was there before, by the attached hooks that are iterators. */
void object_iterate(struct object *object);
void object_detach(struct object *object);

/* The first warning of libbpf since this was emptied. */
extern char libbpf_words[512];

/* What libbpf says is kept for the reason of a refusal instead of printed; but see NETLOG_DEBUG. */
void libbpf_keep_words(void);

#endif
