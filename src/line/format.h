/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * format.h - formats as data, for those who write them and who describe them.
 *
 * A format says what keys are called. The walk of writer.c goes over an event's rows and writes
 * what the format makes of each; one that is used most, flat, has code that the rows are compiled
 * to, and the walk is what tests hold that against.
 */
#ifndef NETLOG_LINE_FORMAT_H
#define NETLOG_LINE_FORMAT_H

#include <limits.h>

#include "base/text.h"
#include "line/flow_cache.h"
#include "line/writer.h"

/* Literals are copied by steps of constant length, whatever their own: cheaper than a call. */
#define LEAD_BYTES 48
#define LINE_SLACK LEAD_BYTES /* so much may be written over behind a line's end */

/* A field that has other keys than its own behind the format's prefix. */
struct rename {
	const char *field;
	const char *key;
	const char *event;	/* of this event only; NULL: of all that have the field */
	const char *where, *is; /* only where the enumeration `where` has the text `is` */
	const char *lacks;	/* only where this field is not known */
	/* The value; `put` as kind_put() has it. NULL: as its kind is written. */
	char *(*put)(char *p, const void *value);
	const char *json_schema; /* of the value, with `put` */
	uint16_t text_max;	 /* the same, bytes; without quotes */
	bool number;		 /* the same; else a string */
	bool otherwise;		 /* only where no row of this field before it is */
};

/* What stands in front of a value: `,"key":`, and the quote of a string. */
struct lead {
	char text[LEAD_BYTES];
	size_t length;
};

/* A control line's value that has another key than its own behind the prefix. */
struct control_rename {
	const char *line; /* of this line only */
	const char *name, *key;
	/* The value's text at `to`, which has room for LEAD_BYTES; NULL: the value as it is. */
	void (*text)(const char *value, char *to);
	const char *json_schema; /* of the value, with `text` */
};

/* Keys whose values are the same in all lines of a type, and these values: JSON. */
struct constants {
	unsigned int count;
	bool full; /* one had no room: there can be no such format */
	struct constant {
		const char *key;
		char json[64];
	} of[12];
};

/* One more; `json` is a format of printf(3). */
void constant_add(struct constants *constants, const char *key, const char *json, ...)
	_printf_(3, 4);

struct format {
	/* keys of the envelope, but for the event's type */
	const char *timestamp, *seq, *hostname;
	const char *prefix; /* of keys that no row names otherwise */
	const struct rename *renames;
	unsigned int rename_count;
	/* The keys that tell what line it is; `name`: an event's or a control line's. */
	void (*constants)(const char *name, struct constants *constants);
	/* Keys of control lines' values that are not as those of events. */
	const struct control_rename *control_renames;
	unsigned int control_rename_count;
	/* An event's line; NULL: as writer_walk() makes it. */
	size_t (*line)(struct writer *writer, const struct item *item, char *p);
};

#define FORMAT_ROWS(name, doc) extern const struct format format_##name##_rows;
FORMATS(FORMAT_ROWS)
const struct format *format_of(enum format_id id);

#define HEAD_BYTES 16
#define PROLOGUE_BYTES 512 /* a power of two: one is found by a shift */

/* What stands between the timestamp and the seq's number. */
struct prologue {
	char text[PROLOGUE_BYTES - sizeof(size_t)];
	size_t length;
};

/* How a step's value is made. */
enum step_how {
	STEP_KIND,  /* by kind_put() */
	STEP_PUT,   /* by the row's own function */
	STEP_NAMED, /* the same, and behind it the keys of its name */
	STEP_AGAIN, /* it is the text of the step before, where that has one, else by kind_put() */
};

/* A field to be written, and when. */
struct step {
	uint64_t has;	    /* fields that must be known, as bits; this one is */
	uint64_t looked_at; /* these, and those that must not be known */
	uint64_t own;	    /* its field */
	char *(*put)(char *p, const void *value);
	struct lead lead;
	uint16_t offset;       /* of the value in the record */
	uint16_t where_offset; /* of a byte that must be `is`; 0: none */
	uint16_t text_max;     /* of the value, bytes; without quotes */
	uint8_t is;
	uint8_t kind;
	uint8_t how;
	bool conditional; /* there is more to be asked than what is known: */
	bool otherwise;	  /* its field must not have been written yet */
	bool number;	  /* the value, in JSON */
};

/* Of an event: what its lines are made by. */
struct steps {
	struct step *of;
	unsigned int flow; /* how many are the flow's */
	unsigned int count;
};

struct writer {
	const struct format *format;
	struct lead head; /* `{"timestamp":"` */
	struct prologue prologues[event_types];
	struct timestamp_cache timestamps;
	struct count_cache seqs;
	char hostname[2 * LEAD_BYTES + JSON_TEXT_MAX(HOST_NAME_MAX)];
	size_t hostname_length;
	struct names *names; /* not owned; may be NULL */
	struct steps steps[event_types];
	struct lead names_leads[name_sources][NAME_KEYS_MAX];
	struct flow_cache flows;
};

/* The key of a name, as CGROUP_NAMES has them, or of a field with one; `key` may be where it is
 * made. */
const char *format_key(const struct format *format, const char *name, char key[LEAD_BYTES]);

/* Is the row of this field of this event? Not asked: what the record must have for it. */
bool rename_concerns(const struct rename *rename, const struct event_desc *event,
		     const struct field_desc *field);

/* What there is for that value of that control line; NULL: nothing. */
const struct control_rename *format_control_rename(const struct format *format, const char *line,
						   const char *name);

/* The key of a control line's value, which the caller frees. NULL: memory is short. */
char *format_control_key(const struct format *format, const char *line, const char *name);

/* A control line at `p`, newline included; its length. 0: it has not so much room, or memory is
 * short. */
size_t control_line_put(const struct format *format, struct json_object *control, char *p,
			size_t room);

/* The longest line that the rows allow, in bytes. */
size_t writer_line_max(const struct writer *writer);

/* An event's line by the walk, whatever code the format has. */
size_t writer_walk(struct writer *writer, const struct item *item, char *p);

/* The keys that a name makes behind its number. */
char *put_name_keys(const struct writer *writer, char *p, enum name_source source,
		    const struct name_text *name);

/* The number of a kind that has names. */
static __always_inline uint64_t number_of_named(enum kind kind, const void *value)
{
#define NAMED_NUMBER(name, type, ...) \
	case kind_##name:             \
		return *(const type *)value;
	switch (kind) {
		NAMED_KINDS(NAMED_NUMBER)
	default:
		return 0;
	}
}

/* ---- what all lines have, with the fields of an event put by such functions ---- */

typedef char *put_function(const struct writer *writer, char *p, const struct event *event);

/* The hostname and the fields of the flow, to the line and to what is remembered. */
char *flow_render(struct writer *writer, char *line, const struct event *event, uint64_t mixed,
		  put_function *put);

static __always_inline char *put_flow(struct writer *writer, char *p, const struct event *event,
				      put_function *put)
{
	const uint64_t mixed = flow_mix(event);
	const struct flow_text *flow = flow_find(&writer->flows, event, mixed);

	return flow ? mempcpy(p, flow->text, flow->length) :
		      flow_render(writer, p, event, mixed, put);
}

/* The quote and what follows, to the seq's number. Short ones are copied without a call. */
static __always_inline char *put_prologue(char *p, const struct prologue *prologue)
{
	memcpy(p, prologue->text, LEAD_BYTES);
	if (prologue->length > LEAD_BYTES)
		memcpy(p + LEAD_BYTES, prologue->text + LEAD_BYTES, prologue->length - LEAD_BYTES);
	return p + prologue->length;
}

static __always_inline size_t line_put(struct writer *writer, const struct item *item, char *line,
				       put_function *flow, put_function *own)
{
	const struct event *event = item->event;
	char *p = line;

	memcpy(p, writer->head.text, HEAD_BYTES);
	p += writer->head.length;
	p = put_timestamp(p, &writer->timestamps,
			  event->header.time_ns + (uint64_t)item->offset_ns);
	p = put_prologue(p, &writer->prologues[event->header.type]);
	p = put_count(p, &writer->seqs, item->seq);
	p = put_flow(writer, p, event, flow);
	p = own(writer, p, event);
	memcpy(p, "}\n", 2);
	return (size_t)(p + 2 - line);
}

#endif
