/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * names.h - what the host calls the numbers in a record: cgroups and network namespaces.
 *
 * Which fields have names, and which keys these make in a line, is in bpf/events.h: NAMED_FIELDS.
 * A name is kept once it is known, also when the thing itself is gone: lines come late. Looking
 * for unknown ones takes a bounded part of the time, and no single look long.
 *
 * The host is one place names come from; names_feed() is another, for who replays a recording. A
 * recorder compares names_of() of the host with those that it has written down, and writes the
 * difference before each event: fed with that at the same places, other names put the same bytes.
 */
#ifndef NETLOG_NAMES_H
#define NETLOG_NAMES_H

#include "base/text.h"
#include "base/util.h"
#include "schema/event.h"

#define NAMES_JSON_MAX (JSON_TEXT_MAX(NAME_TEXT_MAX + 2 * 256) + 64) /* of one field's names */

#define NETNS_DIRECTORY "/run/netns" /* ip-netns(8) */

struct names;

/* Where to look. "" or NULL: nowhere. The pointers need not outlive the call. */
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
 * The names of a record that has passed event_check(), by source: the cgroup's path, the
 * namespace's name; NULL: none is known, or the record lacks the field. They are good until the
 * next call of anything here but names_changed(). As names_put() does, it looks for what is new:
 * what names_put() puts for this record afterwards is made of just these texts.
 */
void names_of(struct names *names, const struct event *event, const char *ret_texts[name_sources]);

/* What names_refresh() returns, without a look: names_put() and the others may have found more. */
bool names_changed(struct names *names);

/*
 * A name from elsewhere; any bytes; NULL or "": it has none any more. names_changed() says whether
 * that changed something. -ENOMEM; -E2BIG when it is longer than NAME_TEXT_MAX.
 */
int names_feed(struct names *names, enum name_source source, uint64_t id, const char *text);

/* Forget all. */
void names_clear(struct names *names);

#endif
