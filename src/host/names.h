/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * names.h - the host's names for the numbers in a record: cgroups and network namespaces.
 *
 * NAMED_KINDS in bpf/events.h says which numbers have names, and which keys these make in a line.
 * Each kind is a source here: its names are looked up on the host (struct names_source) or given to
 * names_feed(). A known name is kept even when its cgroup or namespace is gone, since lines come
 * later. A thread looks, with a limited share of the time, and its caller waits for a moment at
 * most.
 *
 * A replay has the names in the recording. The recorder keeps a table of the names that a reader
 * knows so far. Before each event it writes the names that have changed. A reader that feeds them
 * in that order gets byte-identical lines.
 */
#ifndef NETLOG_NAMES_H
#define NETLOG_NAMES_H

#include "base/text.h"
#include "base/util.h"
#include "schema/event.h"

#define NETNS_DIRECTORY "/run/netns" /* ip-netns(8) */

struct names;
struct look;

/*
 * A name and its parts, in the order of its source's keys; the first part is the whole. Length 0:
 * none.
 */
struct name_text {
	char *text;
	bool plain; /* text_is_plain(), asked once: most names are */
	struct text_part parts[NAME_KEYS_MAX];
};

/* ---- sources ---- */

/* Called for each name that a look finds. */
typedef void names_found(void *context, uint64_t id, const char *text);

/* A source of names of one kind. Members that are NULL are not needed. */
struct names_source {
	/*
	 * If it is time to, have a thread look (look.h), and call `found` for each name that one
	 * has found. Only the very first look, before events come, may take its time.
	 * Called now and then without an `id`, and with one for a number that is met for the first
	 * time, or again after its name was replaced. Returns true when everything there is has
	 * been reported since it last returned true.
	 */
	bool (*look)(struct names_source *source, uint64_t now_ns, const uint64_t *id,
		     names_found *found, void *context);
	/*
	 * The name's other parts; the first is there, and the rest is zeroed. One that is written
	 * otherwise than the text is put into `room`, which has as many bytes as the text.
	 */
	void (*parts)(const char *text, char *room, struct text_part parts[NAME_KEYS_MAX]);
	void (*free)(struct names_source *source);

	unsigned int tries; /* complete looks after which a number not found is given up */
	bool lasting;	    /* a name is kept even if a complete look does not find it again */
	bool midway;	    /* set by look(): a complete look has begun and is not over */
	/* Numbers that are awaited, and how many; kept by names.c. */
	const uint64_t *awaited;
	unsigned int wanted;
};

/* The parts of a cgroup's name: its path, and what lies in there. */
#define CGROUP_PART(key, text_max, doc) cgroup_##key,
enum cgroup_part { CGROUP_NAMES(CGROUP_PART) };

/*
 * For look() of a source whose looks find what is awaited: `work`, whose context is the source,
 * begins if it is time to, and what it has found is handed over. Returns as look().
 */
bool names_look(struct names_source *source, struct look *look, void (*work)(struct look *look),
		uint64_t now_ns, const uint64_t *id, names_found *found, void *context);

/*
 * Names of cgroups, with their units and containers. `root`: the mount point of version 2; "": not
 * mounted, so its names come from names_feed() only. -ENOMEM.
 */
int names_cgroup_new(const char *root, struct names_source **ret_source);

/* Names of network namespaces, by the files in this directory, such as /run/netns. -ENOMEM. */
int names_netns_new(const char *directory, struct names_source **ret_source);

/*
 * Cgroups of processes by PROCESS_OF(), where this is /proc; "": from names_feed() only. -ENOMEM.
 */
int names_process_new(const char *root, struct names_source **ret_source);

/* ---- names ---- */

/* Where to look; "" or NULL: nowhere. The strings are not needed after the call. */
struct names_config {
	const char *cgroup_root;
	const char *netns_directory;
	const char *processes; /* /proc, where version 1 tells whose a process is */
};

/* An object that looks up names as they are asked for. The caller frees it. -ENOMEM. */
int names_new(const struct names_config *config, struct names **ret_names);
void names_free(struct names *names);
DEFINE_CLEANUP(struct names, names_free)

/* Take this kind's names from that source from now on. The names own the source then. */
void names_set_source(struct names *names, enum name_source kind, struct names_source *source);

/*
 * The name of a number; NULL if none is known. It is valid until the next call of a function here
 * other than names_changed(). A number met for the first time is looked up.
 */
const struct name_text *names_text(struct names *names, enum name_source source, uint64_t id);

/*
 * Go on looking for unknown names, if it is time. To be called now and then, such as before records
 * are drained. Returns whether names_text() would now answer differently for a number that it was
 * asked for before.
 */
bool names_refresh(struct names *names, uint64_t now_ns);

/*
 * The names of a record that has passed event_check(), in the order of event_named_numbers(); NULL
 * for unknown ones. They are valid as long as those of names_text(), which gives the same answers
 * afterwards.
 */
void names_of(struct names *names, const struct event *event,
	      const char *ret_texts[NAMED_NUMBERS_MAX]);

/*
 * As names_refresh(), without looking: names_text() and the others may have found or changed names.
 */
bool names_changed(struct names *names);

/*
 * Set a name that comes from elsewhere; any bytes. NULL or "": it has no name any more.
 * names_changed() says whether an answer has changed. -ENOMEM; -E2BIG: longer than the source
 * allows.
 */
int names_feed(struct names *names, enum name_source source, uint64_t id, const char *text);

/* Forget all. */
void names_clear(struct names *names);

#endif
