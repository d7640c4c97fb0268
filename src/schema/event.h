/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.h - the schema as data: the rows of bpf/events.h for run time, and the check that every
 * record passes before anything else reads it.
 */
#ifndef NETLOG_EVENT_H
#define NETLOG_EVENT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"
#include "base/words.h"
#include "schema/kind.h"

struct field_desc {
	const char *name;
	const char *doc;
	enum kind kind;
	uint16_t offset; /* in the record, bytes */
};

enum hook_role {
	role_lines,    /* makes lines; an event needs at least one of these */
	role_required, /* makes no lines, but the event depends on it */
	role_extra,    /* makes no lines, but improves them */
};

struct hook_desc {
	enum event_type event; /* event_none: it serves all events */
	const char *part;
	unsigned int rung; /* of the part's ladder, from 1, best first */
	enum hook_role role;
	const char *program; /* name of the BPF program */
	const char *blind;   /* "": nothing known */
	unsigned int value;  /* of the event's choice, which the part serves; 0: all */
	bool counted;	     /* its program finds the calls that the kernel skipped */
	uint64_t needed_by;  /* further values whose lines need it, as bits */
};

struct event_desc {
	const char *name;
	const char *message_id; /* journald's, 32 hexadecimal digits */
	const char *doc;
	uint16_t size; /* of the record, bytes */
	unsigned int field_count;
	const struct field_desc *fields; /* in the order of the bits of `has` */
	uint64_t named;			 /* fields whose numbers have names, as bits of `has` */
	unsigned int hook_count;
	const struct hook_desc *hooks;
};

/* The number of all hooks, of all events and of none. */
#define HOOK_ONE(...) +1
#define EVENT_HOOKS_COUNT(name, FIELDS, HOOKS, message_id, doc) HOOKS(HOOK_ONE)
enum { hooks_all = 0 EVENTS(EVENT_HOOKS_COUNT) COMMON_HOOKS(HOOK_ONE) };

/* Room for a list of all parts, or of all events, as made by list_add(). */
#define PART_TEXT(event, part, ...) +sizeof(", " #part)
#define EVENT_PARTS_TEXT(name, FIELDS, HOOKS, message_id, doc) HOOKS(PART_TEXT)
#define EVENT_TEXT(name, ...) +sizeof(", " #name)
enum {
	parts_text_max = sizeof(", ...") EVENTS(EVENT_PARTS_TEXT) COMMON_HOOKS(PART_TEXT),
	events_text_max = sizeof(", ...") EVENTS(EVENT_TEXT),
};

/* The hooks that serve all events. */
const struct hook_desc *hooks_common(unsigned int *ret_count);

/* The name of the hook's event, for people; "all" for a hook that serves all events. */
const char *hook_event_name(const struct hook_desc *hook);

/* A number for each event type; [event_none] counts what is no event. */
struct figures {
	uint64_t of[event_types];
};

/* The description of an event. `type` must not be event_none. */
const struct event_desc *event_desc(enum event_type type);

/* The event's field of that name; NULL: it has none. */
const struct field_desc *field_by_name(const struct event_desc *event, const char *name);

#define for_each_event_type(type) \
	for (enum event_type type = event_none + 1; type < event_types; type++)

/* The names of events, by type. */
extern const struct vocabulary event_words;

/* The values of each event's choice, by number. `what` is NULL if it has no choice. */
extern const struct vocabulary choice_words[event_types];

/* The unit that each event measures in, in nanoseconds. 0: it measures nothing. */
extern const uint32_t measure_units_ns[event_types];

/* The type of that name; 0 if there is none. */
enum event_type event_by_name(const char *name);

/* A number that has a name. */
struct named_number {
	enum name_source source;
	uint64_t id;
};

/* The largest number of these in one event, found by counting each event's rows. */
#define EVENT_NAMED_ONE(kind, name, doc) +KIND_HAS_NAMES(kind_##kind)
#define EVENT_NAMED_COUNT(name, FIELDS, hooks, message_id, doc) \
	char name[1 COMMON_FIELDS(EVENT_NAMED_ONE) FIELDS(EVENT_NAMED_ONE)];
union event_named_counts {
	EVENTS(EVENT_NAMED_COUNT)
};
#define NAMED_NUMBERS_MAX (sizeof(union event_named_counts) - 1)

/*
 * The named numbers that a record has, in the order of its fields; returns how many. The record has
 * passed event_check(), and may have any alignment.
 */
unsigned int event_named_numbers(const struct event *event,
				 struct named_number ret_numbers[NAMED_NUMBERS_MAX]);

/* Indices of the keys that every line begins with. */
#define ENVELOPE_ID(shape, name, doc) envelope_##name,
enum { ENVELOPE(ENVELOPE_ID) envelope_keys };

/*
 * A hash that changes when records are laid out, or written, in another way: of the names, kinds,
 * offsets and sizes of all fields of all events, of the texts of enumerations, and of the kinds
 * that have names, with their keys.
 */
uint64_t event_fingerprint(void);

/* The check's limits for each event's records. */
struct event_check {
	uint64_t fields; /* as bits of `has` */
	uint64_t size;
};

extern const struct event_check event_checks[event_types];

/*
 * Is this a record as the kernel side makes them? Returns its type, or -EBADMSG if it is too short,
 * of an unknown type, of another size than its type, has fields that its type does not have, or
 * addresses of an unknown IP version.
 */
static inline int event_check(const void *record, size_t size)
{
	const struct event *e = (const struct event *)record;
	const uint64_t addresses = BIT(offsetof(struct event_index, src_ip)) |
				   BIT(offsetof(struct event_index, dest_ip));
	const uint64_t ip_version = BIT(offsetof(struct event_index, ip_version));
	unsigned int type;

	if (size < sizeof(struct event_header))
		return -EBADMSG;
	type = e->header.type;
	/* no record has the size of event_none */
	if (type >= event_types || size != event_checks[type].size || size != e->header.size)
		return -EBADMSG;
	if (e->header.has & ~event_checks[type].fields)
		return -EBADMSG;
	if (e->header.has & addresses &&
	    (!(e->header.has & ip_version) || (e->ip_version != 4 && e->ip_version != 6)))
		return -EBADMSG;
	return (int)type;
}

#endif
