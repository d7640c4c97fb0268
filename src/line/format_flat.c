// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * format_flat.c - netlog's own format: each field under its own name. Most lines are in this
 * format, so the rows are compiled to code; the walk in writer.c would write the same.
 */
#include "line/format.h"

#define KEY(shape, name, doc) static const char key_##name[] = #name;
ENVELOPE(KEY)

_Static_assert(envelope_timestamp < envelope_event_type && envelope_event_type < envelope_seq &&
		       envelope_seq < envelope_hostname && envelope_keys == 4,
	       "a line has these, in this order");

/*
 * The longest event line, added up from the rows. writer_line_max() does the same for all formats.
 */
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
 * A key, its value, and the keys of its names. `literal` is `,"name":"`. Each row of the schema
 * becomes a call with constants, from which the compiler keeps only what the kind needs: there is
 * no loop over fields, and literals are stored from registers.
 */
static __always_inline char *put_field(const struct writer *writer, char *p, enum kind kind,
				       const char *literal, size_t length, const void *value,
				       uint8_t ip_version, uint64_t known)
{
	length -= kind_is_number(kind); /* a number has no quote */
	memcpy(p, literal, length);
	return put_value(writer, p, length, kind, value, ip_version, known);
}

/* Fields are expected to be known, as most are. */
#define PUT_FIELD(index, kind, name)                                                              \
	if (__builtin_expect(!!(has & BIT(index)), true))                                         \
		p = put_field(writer, p, kind_##kind, ",\"" #name "\":\"",                        \
			      sizeof(",\"" #name "\":\"") - 1, &record->name, record->ip_version, \
			      record->header.has);
#define PUT_COMMON(kind, name, doc) PUT_FIELD(offsetof(struct event_index, name), kind, name)
#define PUT_OWN(kind, name, doc) PUT_FIELD(offsetof(INDEX, name), kind, name)

/* For each event, the fields that do not belong to the flow: weight, and its own. */
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
		return p; /* not reached: event_check() accepts no other type */
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
