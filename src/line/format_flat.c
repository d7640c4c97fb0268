// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * format_flat.c - netlog's own format: each field by its own name. It is what most lines are
 * written in, so the rows are compiled to code; the walk of writer.c would write the same.
 */
#include "line/format.h"

#define KEY(shape, name, doc) static const char key_##name[] = #name;
ENVELOPE(KEY)

_Static_assert(envelope_timestamp < envelope_event_type && envelope_event_type < envelope_seq &&
		       envelope_seq < envelope_hostname && envelope_keys == 4,
	       "a line has these, in this order");

/* The rows of the event with the longest line add up to that; writer_line_max() has all formats'. */
#define ENVELOPE_ROOM(shape, name, doc) +sizeof(",\"" #name "\":\"\"") - 1
#define EVENT_LINE(name, FIELDS, hooks, message_id, doc)                            \
	char name[sizeof("{}\n") - 1 ENVELOPE(ENVELOPE_ROOM) + TIMESTAMP_TEXT_MAX + \
		  sizeof(#name) - 1 + U64_TEXT_MAX +                                \
		  JSON_TEXT_MAX(HOST_NAME_MAX) COMMON_FIELDS(FIELD_ROOM) FIELDS(FIELD_ROOM)];
union event_lines {
	EVENTS(EVENT_LINE)
};
_Static_assert(sizeof(union event_lines) + LINE_SLACK <= LINE_MAX_BYTES, "lines are too long");

/*
 * A key and its value, and what its names make. `literal` is `,"name":"`. Each row of the schema
 * becomes a call with constants, of which the compiler leaves what the kind needs: no loop over
 * fields, and literals that are stored from registers.
 */
static __always_inline char *put_field(const struct writer *writer, char *p, enum kind kind,
				       const char *literal, size_t length, const void *value,
				       uint8_t ip_version)
{
	const struct name_text *name = NULL;
	char *end;

	if (KIND_HAS_NAMES(kind) && writer->names)
		name = names_text(writer->names, KIND_NAMES(kind), number_of_named(kind, value));
	if (kind_written(kind) == kind_named)
		value = name ? name->text : "";
	length -= kind_is_number(kind); /* no quote */
	memcpy(p, literal, length);
	end = kind_put(p + length, kind, value, ip_version);
	if (end) /* else what comes next is written over the key */
		p = end;
	return name ? put_name_keys(writer, p, KIND_NAMES(kind), name) : p;
}

/* Most fields are known in most events. */
#define PUT_FIELD(index, kind, name)                                       \
	if (__builtin_expect(!!(has & BIT(index)), true))                  \
		p = put_field(writer, p, kind_##kind, ",\"" #name "\":\"", \
			      sizeof(",\"" #name "\":\"") - 1, &record->name, record->ip_version);
#define PUT_COMMON(kind, name, doc) PUT_FIELD(offsetof(struct event_index, name), kind, name)
#define PUT_OWN(kind, name, doc) PUT_FIELD(offsetof(INDEX, name), kind, name)

/* For each event, what is not its flow's: weight, and its own fields. */
#define DEFINE_PUT_EVENT(name, FIELDS, hooks, message_id, doc)               \
	static inline char *put_##name(const struct writer *writer, char *p, \
				       const struct event *event)            \
	{                                                                    \
		typedef struct name##_index INDEX;                           \
		const struct name *record = (const struct name *)event;      \
		const uint64_t has = event->header.has & ~FLOW_MASK;         \
                                                                             \
		COMMON_FIELDS(PUT_COMMON)                                    \
		FIELDS(PUT_OWN)                                              \
		return p;                                                    \
	}
EVENTS(DEFINE_PUT_EVENT)

static char *flat_flow(const struct writer *writer, char *p, const struct event *record)
{
	const uint64_t has = record->header.has & FLOW_MASK;

	COMMON_FIELDS(PUT_COMMON)
	return p;
}

static __always_inline char *flat_own(const struct writer *writer, char *p,
				      const struct event *event)
{
#define PUT_EVENT(name, FIELDS, hooks, message_id, doc) \
	case event_##name:                              \
		return put_##name(writer, p, event);
	switch ((enum event_type)event->header.type) {
		EVENTS(PUT_EVENT)
	default:
		return p; /* event_check() knows no other */
	}
}

static size_t flat_line(struct writer *writer, const struct item *item, char *p)
{
	return line_put(writer, item, p, flat_flow, flat_own);
}

static void flat_constants(const char *name, struct constants *constants)
{
	constant_add(constants, key_event_type, "\"%s\"", name);
}

const struct format format_flat_rows = {
	.timestamp = key_timestamp,
	.seq = key_seq,
	.hostname = key_hostname,
	.prefix = "",
	.constants = flat_constants,
	.line = flat_line,
};
