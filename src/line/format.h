/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * format.h - formats as data, for the code that writes lines and the code that describes them.
 *
 * A format says what keys are called. The walk in writer.c goes over an event's rows and writes
 * each as the format says. The format used most, flat, also has code that is compiled from the
 * rows; tests compare its lines with the walk's.
 */
#ifndef NETLOG_LINE_FORMAT_H
#define NETLOG_LINE_FORMAT_H

#include <limits.h>

#include "base/text.h"
#include "line/flow_cache.h"
#include "line/writer.h"

/*
 * Literals are copied in steps of constant length, whatever their own length: cheaper than a call.
 */
#define LEAD_BYTES 48
#define LINE_SLACK LEAD_BYTES /* bytes after a line's end that may be overwritten */

/* A field whose key is not the prefix and its own name. */
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

/* The text before a value: `,"key":`, and the quote of a string. */
struct lead {
	char text[LEAD_BYTES];
	size_t length;
};

/* A control line's value whose key is not the prefix and its own name. */
struct control_rename {
	const char *line; /* in this line only */
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
	/* keys of the envelope, other than the event's type */
	const char *timestamp, *seq, *hostname;
	const char *prefix; /* of all keys without a row */
	const struct rename *renames;
	unsigned int rename_count;
	/* The keys that tell what line it is; `name`: an event's or a control line's. */
	void (*constants)(const char *name, struct constants *constants);
	/* Keys of control lines' values that are not as those of events. */
	const struct control_rename *control_renames;
	unsigned int control_rename_count;
	/* Writes an event's line; NULL: writer_walk() does. */
	size_t (*line)(struct writer *writer, const struct item *item, char *p);
};

#define FORMAT_ROWS(name, doc) extern const struct format format_##name##_rows;
FORMATS(FORMAT_ROWS)
const struct format *format_of(enum format_id id);

#define HEAD_BYTES 16
#define PROLOGUE_BYTES 512 /* a power of two: one is found by a shift */

/* The text between the timestamp and the seq's number. */
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

/* All steps of an event's line. */
struct steps {
	struct step *of;
	unsigned int flow; /* the first of them, which belong to the flow */
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

/* The key of a name (see CGROUP_NAMES), or of a field with one. It may be stored in `key`. */
const char *format_key(const struct format *format, const char *name, char key[LEAD_BYTES]);

/* Is this row about this field of this event? Its conditions on the record are not checked. */
bool rename_concerns(const struct rename *rename, const struct event_desc *event,
		     const struct field_desc *field);

/* What there is for that value of that control line; NULL: nothing. */
const struct control_rename *format_control_rename(const struct format *format, const char *line,
						   const char *name);

/* The key of a control line's value, which the caller frees. NULL: memory is short. */
char *format_control_key(const struct format *format, const char *line, const char *name);

/*
 * Write a control line with its newline at `p`; returns its length. 0: no room, or memory is short.
 */
size_t control_line_put(const struct format *format, struct json_object *control, char *p,
			size_t room);

/* The longest line that the rows allow, in bytes. */
size_t writer_line_max(const struct writer *writer);

/* Write an event's line by the walk, even if the format has code of its own. */
size_t writer_walk(struct writer *writer, const struct item *item, char *p);

/* Write keys of this source with parts of a name: those from `first` on, before `last`. */
char *put_name_keys(const struct writer *writer, char *p, enum name_source source,
		    const struct name_text *name, unsigned int first, unsigned int last);

/* The number in a field of a kind that has names. */
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

/*
 * The name of a value, if its kind has names; NULL: it has none, or none is known. Valid as long as
 * that of names_text().
 */
static __always_inline const struct name_text *name_of_value(struct names *names, enum kind kind,
							     const void *value)
{
	if (!KIND_HAS_NAMES(kind) || !names)
		return NULL;
	return names_text(names, KIND_NAMES(kind), number_of_named(kind, value));
}

/*
 * The keys of a name. Where a process tells whose an event is, its unit and container take the
 * place of those of the socket's cgroup. `has`: the event's fields, as bits.
 */
static __always_inline char *put_keys_of(const struct writer *writer, char *p, enum kind kind,
					 const struct name_text *name, uint64_t has)
{
	const unsigned int all = name_source_descs[names_of_cgroup_id].key_count;

	if (kind == kind_process)
		return put_name_keys(writer, p, names_of_cgroup_id, name, 1, all);
	if (kind == kind_cgroup_id && has & BIT(offsetof(struct event_index, cgroup_v1)))
		return put_name_keys(writer, p, names_of_cgroup_id, name, 0, 1);
	return put_name_keys(writer, p, KIND_NAMES(kind), name, 0, NAME_KEYS_MAX);
}

/*
 * Write a value behind its key, which is at `p` and has that length, and the keys of its name. What
 * comes next is written over the key of a value without a text.
 */
static __always_inline char *put_value(const struct writer *writer, char *p, size_t key,
				       enum kind kind, const void *value, uint8_t ip_version,
				       uint64_t has)
{
	const struct name_text *name = name_of_value(writer->names, kind, value);
	char *end;

	if (kind_written(kind) == kind_named)
		value = name ? name->text : "";
	end = kind_put(p + key, kind, value, ip_version);
	if (end)
		p = end;
	return name ? put_keys_of(writer, p, kind, name, has) : p;
}

/* ---- what all lines have, with the fields of an event put by such functions ---- */

typedef char *put_function(const struct writer *writer, char *p, const struct event *event);

/* Write the hostname and the flow's fields, and remember the text. */
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

/*
 * Write the quote and what follows, up to the seq's number. A short text is copied without a call.
 */
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
