/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * names.h - what the host calls the numbers in a record: cgroups and network namespaces.
 *
 * Which fields have names, and which keys these make in a line, is in bpf/events.h: NAMED_FIELDS.
 * A name is kept once it is known, also when the thing itself is gone: lines come late. Looking
 * for unknown ones takes a bounded part of the time, and no single look long.
 *
 * The host is one place names come from; names_feed() is another, for who replays a recording.
 * names_watch() tells the recorder what to write down: fed with that at the same places, other
 * names put the same bytes.
 */
#ifndef NETLOG_NAMES_H
#define NETLOG_NAMES_H

#include "event.h"
#include "text.h"
#include "util.h"

#define NAME_TEXT_MAX 512 /* bytes of a name; a longer one has no key */
#define NAMES_JSON_MAX (JSON_TEXT_MAX(NAME_TEXT_MAX + 2 * 256) + 64) /* of one field's names */

#define NETNS_DIRECTORY "/run/netns" /* ip-netns(8) */

struct names;

/* Where to look. "": nowhere. The pointers need not outlive the call. */
struct names_config {
	const char *cgroup_root;     /* where cgroup version 2 is mounted */
	const char *netns_directory; /* whose entries are network namespaces: /run/netns */
};

/* Names of what there is, looked for at once. The caller frees them. -ENOMEM. */
int names_new(const struct names_config *config, struct names **ret_names);
void names_free(struct names *names);
DEFINE_CLEANUP(struct names, names_free)

/*
 * The keys and values that the number in a named field makes, each with a comma before it, at `p`,
 * which has room for NAMES_JSON_MAX; returns the end, which is `p` when there are none.
 */
char *names_put(struct names *names, enum name_source source, uint64_t id, char *p);

/*
 * Go on looking for what is not known, if it is time. To be called now and then, such as before
 * records are drained. Returns whether names_put() would now put something else for a number that
 * it has been asked for before.
 */
bool names_refresh(struct names *names, uint64_t now_ns);

/*
 * `learned` is told each name that names_put() is about to put for the first time or anew: `text`
 * is the cgroup's path, resp. the namespace's name; NULL: it has none any more.
 */
void names_watch(struct names *names,
		 void (*learned)(void *context, enum name_source source, uint64_t id,
				 const char *text),
		 void *context);

/*
 * What names_watch() told, from elsewhere; any bytes. The next names_refresh() says whether it
 * changed something. -ENOMEM; -E2BIG when it is longer than NAME_TEXT_MAX.
 */
int names_feed(struct names *names, enum name_source source, uint64_t id, const char *text);

#endif
