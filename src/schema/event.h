/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.h - the schema as data: what bpf/events.h says, for those who walk it at run time; and the
 * check that every record passes before anybody reads it.
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
	role_lines,    /* makes lines; an event needs one of these */
	role_required, /* makes none; the event cannot do without */
	role_extra,    /* makes none; the event's lines are better with it */
};

struct hook_desc {
	enum event_type event; /* event_none: it serves all */
	const char *part;
	unsigned int rung; /* of the part's ladder, from 1, the best first */
	enum hook_role role;
	const char *program; /* name of the BPF program */
	const char *blind;   /* what it cannot see; "" = nothing known */
	unsigned int value;  /* of the event's choice, that the part serves; 0: all */
	bool counted;	     /* its program finds calls that the kernel skipped */
	uint64_t needed_by;  /* further values that need it, as bits */
};

struct event_desc {
	const char *name;
	const char *message_id; /* journald's, 32 hexadecimal digits */
	const char *doc;
	uint16_t size; /* of the record, bytes */
	unsigned int field_count;
	const struct field_desc *fields; /* in the order of the bits of `has` */
	uint64_t named;			 /* those whose numbers have names, as bits of `has` */
	unsigned int hook_count;
	const struct hook_desc *hooks;
};

/* All hooks there are, of all events and of none. */
#define HOOK_ONE(...) +1
#define EVENT_HOOKS_COUNT(name, FIELDS, HOOKS, message_id, doc) HOOKS(HOOK_ONE)
enum { hooks_all = 0 EVENTS(EVENT_HOOKS_COUNT) COMMON_HOOKS(HOOK_ONE) };

/* Room for a list of all parts, or of all events, as list_add() makes them. */
#define PART_TEXT(event, part, ...) +sizeof(", " #part)
#define EVENT_PARTS_TEXT(name, FIELDS, HOOKS, message_id, doc) HOOKS(PART_TEXT)
#define EVENT_TEXT(name, ...) +sizeof(", " #name)
enum {
	parts_text_max = sizeof(", ...") EVENTS(EVENT_PARTS_TEXT) COMMON_HOOKS(PART_TEXT),
	events_text_max = sizeof(", ...") EVENTS(EVENT_TEXT),
};

/* The hooks that serve all events. */
const struct hook_desc *hooks_common(unsigned int *ret_count);

/* The name of the hook's event, for people; "all" of one that serves them all. */
const char *hook_event_name(const struct hook_desc *hook);

/* Figures for each event type; [event_none] is for what is no event. */
struct figures {
	uint64_t of[event_types];
};

/* The description of an event; `type` is one of enum event_type, but not event_none. */
const struct event_desc *event_desc(enum event_type type);

#define for_each_event_type(type) \
	for (enum event_type type = event_none + 1; type < event_types; type++)

/* Names of events by their type. */
extern const struct vocabulary event_words;

/* Of each event the values of its choice, by their number. `what` is NULL where there is none. */
extern const struct vocabulary choice_words[event_types];

/* Of each event the unit of what it measures, in nanoseconds. 0: it measures nothing. */
extern const uint32_t measure_units_ns[event_types];

/* The type by its name; 0 if there is none. */
enum event_type event_by_name(const char *name);

/* A number that has a name. */
struct named_number {
	enum name_source source;
	uint64_t id;
};

/* Most of them in one event: counted over the rows, event by event. */
#define EVENT_NAMED_ONE(kind, name, doc) +KIND_HAS_NAMES(kind_##kind)
#define EVENT_NAMED_COUNT(name, FIELDS, hooks, message_id, doc) \
	char name[1 COMMON_FIELDS(EVENT_NAMED_ONE) FIELDS(EVENT_NAMED_ONE)];
union event_named_counts {
	EVENTS(EVENT_NAMED_COUNT)
};
#define NAMED_NUMBERS_MAX (sizeof(union event_named_counts) - 1)

/*
 * Those that a record has, in the order of its fields; returns how many. For records of any
 * alignment that have passed event_check().
 */
unsigned int event_named_numbers(const struct event *event,
				 struct named_number ret_numbers[NAMED_NUMBERS_MAX]);

/* The keys that every line begins with, in this order. */
#define ENVELOPE_ID(shape, name, doc) envelope_##name,
enum { ENVELOPE(ENVELOPE_ID) envelope_keys };

/*
 * A number that is another one as soon as a record is laid out or told in another way: over the
 * names, kinds, places and sizes of all fields of all events, over the texts of enumerations, and
 * over the kinds that have names and the keys of these.
 */
uint64_t event_fingerprint(void);

/* What the check asks of each event's records. */
struct event_check {
	uint64_t fields; /* as bits of `has` */
	uint64_t size;
};

extern const struct event_check event_checks[event_types];

/*
 * Is this a record as the kernel side makes them? Returns its type, or
 * -EBADMSG when it is too short, of no known type, not of that type's size, says it has fields that
 * the type does not, or has addresses of no IP version.
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
	/* event_none has a size that no record has */
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
