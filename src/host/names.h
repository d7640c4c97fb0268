/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * names.h - what the host calls the numbers in a record: cgroups and network namespaces.
 *
 * Which numbers have names, and which keys these make in a line, is in bpf/events.h: NAMED_KINDS.
 * Each kind is a source here; its names are looked for on the host (struct names_source) or given
 * to names_feed(). A name is kept once it is known, also when the thing
 * itself is gone: lines come late. Looking takes a bounded part of the time, and no single look is
 * long.
 *
 * A replay has the names that a recording holds. The recorder keeps names of its own, which are
 * what a reader knows so far; before each event it writes those that names_of() says otherwise of
 * the host. A reader that feeds them in that order gets the same lines, to the byte.
 */
#ifndef NETLOG_NAMES_H
#define NETLOG_NAMES_H

#include "base/text.h"
#include "base/util.h"
#include "schema/event.h"

#define NETNS_DIRECTORY "/run/netns" /* ip-netns(8) */

struct names;

/* A name and its parts, in the order of its source's keys; the first is all of it. Length 0: none. */
struct name_text {
	char *text;
	bool plain; /* text_is_plain(): what most are, and known once for all lines */
	struct text_part parts[NAME_KEYS_MAX];
};

/* ---- sources ---- */

/* To be told of a name that has been found. */
typedef void names_found(void *context, uint64_t id, const char *text);

/* Where the names of one kind come from, and what else they say. What is NULL is not done. */
struct names_source {
	/*
	 * Look, if it is time to, and tell `found` what is there; take no longer than some
	 * milliseconds. Now and then it is called with no `id`, and with one when a number is met
	 * for the first time, or again after its name had to make room for others. Returns true
	 * when, since the last time it did so, everything there is has been told.
	 */
	bool (*look)(struct names_source *source, uint64_t now_ns, const uint64_t *id,
		     names_found *found, void *context);
	/*
	 * The name's other parts; the first is there, and the rest is zeroed. One that is written
	 * otherwise than the text is put into `room`, which has as many bytes as the text.
	 */
	void (*parts)(const char *text, char *room, struct text_part parts[NAME_KEYS_MAX]);
	void (*free)(struct names_source *source);

	unsigned int tries;  /* a number that so many whole looks do not find is not waited for */
	bool lasting;	     /* a name stays when a whole look has not found it again */
	bool midway;	     /* set by look(): a whole look has begun, and is not over */
	unsigned int wanted; /* how many numbers are waited for: names.c counts */
};

/*
 * Of cgroups, with their units and containers; `root`: where version 2 is mounted, "": nowhere, so
 * that such names are only fed. -ENOMEM.
 */
int names_cgroup_new(const char *root, struct names_source **ret_source);

/* Of the network namespaces that are entries of this directory, such as /run/netns. The same. */
int names_netns_new(const char *directory, struct names_source **ret_source);

/* ---- names ---- */

/* Where to look. "" or NULL: nowhere. The pointers need not outlive the call. */
struct names_config {
	const char *cgroup_root;
	const char *netns_directory;
};

/* Names of what there is, looked for at once. The caller frees them. -ENOMEM. */
int names_new(const struct names_config *config, struct names **ret_names);
void names_free(struct names *names);
DEFINE_CLEANUP(struct names, names_free)

/* From now on this kind's names come from there; the source belongs to the names then. */
void names_set_source(struct names *names, enum name_source kind, struct names_source *source);

/*
 * The name of a number, NULL if none is known. It is good until the next call of anything here but
 * names_changed(). A number that is new is looked for.
 */
const struct name_text *names_text(struct names *names, enum name_source source, uint64_t id);

/*
 * Go on looking for what is not known, if it is time. To be called now and then, such as before
 * records are drained. Returns whether names_text() would now say something else of a number that
 * it has been asked for before.
 */
bool names_refresh(struct names *names, uint64_t now_ns);

/*
 * The names of a record that has passed event_check(), in the order of event_named_numbers(); NULL:
 * none is known. They are good as long as names_text()'s, and are just what that says of these
 * numbers afterwards.
 */
void names_of(struct names *names, const struct event *event,
	      const char *ret_texts[NAMED_NUMBERS_MAX]);

/* What names_refresh() returns, without a look: names_text() and the others may have found more. */
bool names_changed(struct names *names);

/*
 * A name from elsewhere; any bytes; NULL or "": it has none any more. names_changed() says whether
 * that changed something. -ENOMEM; -E2BIG when it is longer than the source's names may be.
 */
int names_feed(struct names *names, enum name_source source, uint64_t id, const char *text);

/* Forget all. */
void names_clear(struct names *names);

#endif
