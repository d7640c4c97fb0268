// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "line/encode.h"

#include <errno.h>
#include <limits.h>

#include "base/text.h"
#include "line/flow_cache.h"

#define PROLOGUE_BYTES ENCODE_SLACK /* copied whole, whatever the length: cheaper than a call */

/* What stands before an envelope's value, but for the quote of a string: lead_seq and so on. */
#define LEAD(shape, name, doc) static const char lead_##name[] = ",\"" #name "\":";
ENVELOPE(LEAD)

_Static_assert(envelope_timestamp < envelope_event_type && envelope_event_type < envelope_seq &&
		       envelope_seq < envelope_hostname && envelope_keys == 4,
	       "encode_event() writes these, in this order");

/* What stands between the timestamp and the seq's number. */
struct prologue {
	char text[PROLOGUE_BYTES];
	size_t length;
	size_t reserved; /* makes it a power of two, which is found by a shift */
};

#define PROLOGUE_FITS(name, FIELDS, hooks, message_id, doc)                              \
	_Static_assert(sizeof(lead_event_type) + sizeof(#name) + sizeof(lead_seq) + 3 <= \
			       PROLOGUE_BYTES,                                           \
		       "too long a name: " #name);
EVENTS(PROLOGUE_FITS)

struct encoder {
	struct prologue prologues[event_types];
	struct timestamp_cache timestamps;
	struct count_cache seqs;
	char hostname[sizeof(lead_hostname) + 2 + JSON_TEXT_MAX(HOST_NAME_MAX)];
	size_t hostname_length;
	struct names *names; /* not owned; may be NULL */
	struct flow_cache flows;
};

int encoder_new(const char *hostname, struct encoder **ret_encoder)
{
	_cleanup_(encoder_freep) struct encoder *encoder = calloc(1, sizeof(*encoder));
	char *p;

	if (!encoder)
		return -ENOMEM;
	if (strlen(hostname) > HOST_NAME_MAX)
		return -E2BIG;
	for_each_event_type(type) {
		struct prologue *prologue = &encoder->prologues[type];

		prologue->length = (size_t)sprintf(prologue->text, "\"%s\"%s\"%s", lead_event_type,
						   event_desc(type)->name, lead_seq);
	}
	p = stpcpy(encoder->hostname, lead_hostname);
	*p++ = '"';
	p = put_json_string(p, hostname, HOST_NAME_MAX);
	*p++ = '"';
	encoder->hostname_length = (size_t)(p - encoder->hostname);
	*ret_encoder = encoder;
	encoder = NULL;
	return 0;
}

void encoder_free(struct encoder *encoder)
{
	free(encoder);
}

void encoder_set_names(struct encoder *encoder, struct names *names)
{
	encoder->names = names;
	encoder_forget(encoder);
}

void encoder_forget(struct encoder *encoder)
{
	flow_forget(&encoder->flows);
}

/* ---- fields ---- */

static __always_inline char *put_name_part(char *p, const char *literal, size_t length,
					   const struct name_text *name, unsigned int i)
{
	const struct text_part *part = &name->parts[i];

	if (!part->length)
		return p;
	p = mempcpy(p, literal, length);
	p = name->plain ? mempcpy(p, part->start, part->length) :
			  put_json_string(p, part->start, part->length);
	*p++ = '"';
	return p;
}

/* The keys that a name makes behind its number. */
static __attribute__((noinline)) char *put_name_keys(char *p, enum name_source source,
						     const struct name_text *name)
{
	unsigned int i = 0;

#define PUT_NAME_KEY(key, text_max, doc) \
	p = put_name_part(p, ",\"" #key "\":\"", sizeof(",\"" #key "\":\"") - 1, name, i++);
#define PUT_NAME_KEYS(kind, type, written, text_max, NAMES) \
	case names_of_##kind:                               \
		NAMES(PUT_NAME_KEY)                         \
		break;
	switch (source) {
		NAMED_KINDS(PUT_NAME_KEYS)
	default:
		break;
	}
	return p;
}

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

/*
 * A key and its value, and what its names make. `literal` is `,"name":"`. Each row of the schema
 * becomes a call with constants, of which the compiler leaves what the kind needs: no loop over
 * fields, and literals that are stored from registers.
 */
static __always_inline char *put_field(const struct encoder *encoder, char *p, enum kind kind,
				       const char *literal, size_t length, const void *value,
				       uint8_t ip_version)
{
	const struct name_text *name = NULL;
	char *end;

	if (KIND_HAS_NAMES(kind) && encoder->names)
		name = names_text(encoder->names, KIND_NAMES(kind), number_of_named(kind, value));
	if (kind_written(kind) == kind_named)
		value = name ? name->text : "";
	length -= kind_is_number(kind); /* no quote */
	memcpy(p, literal, length);
	end = kind_put(p + length, kind, value, ip_version);
	if (end) /* else what comes next is written over the key */
		p = end;
	return name ? put_name_keys(p, KIND_NAMES(kind), name) : p;
}

/* Most fields are known in most events. */
#define PUT_FIELD(index, kind, name)                                        \
	if (__builtin_expect(!!(has & BIT(index)), true))                   \
		p = put_field(encoder, p, kind_##kind, ",\"" #name "\":\"", \
			      sizeof(",\"" #name "\":\"") - 1, &record->name, record->ip_version);
#define PUT_COMMON(kind, name, doc) PUT_FIELD(offsetof(struct event_index, name), kind, name)
#define PUT_OWN(kind, name, doc) PUT_FIELD(offsetof(INDEX, name), kind, name)

/* The hostname and the fields of the flow, to the line and to what is remembered. */
static __attribute__((noinline)) char *flow_render(struct encoder *encoder, char *line,
						   const struct event *record, uint64_t mixed)
{
	const uint64_t has = record->header.has & FLOW_MASK;
	char *p = mempcpy(line, encoder->hostname, encoder->hostname_length);

	COMMON_FIELDS(PUT_COMMON)
	flow_keep(&encoder->flows, record, mixed, line, (size_t)(p - line));
	return p;
}

static __always_inline char *put_flow(struct encoder *encoder, char *p, const struct event *record)
{
	const uint64_t mixed = flow_mix(record);
	const struct flow_text *flow = flow_find(&encoder->flows, record, mixed);

	return flow ? mempcpy(p, flow->text, flow->length) : flow_render(encoder, p, record, mixed);
}

/* For each event, what is not its flow's: weight, and its own fields. */
#define DEFINE_PUT_EVENT(name, FIELDS, hooks, message_id, doc)                 \
	static inline char *put_##name(const struct encoder *encoder, char *p, \
				       const struct event *event)              \
	{                                                                      \
		typedef struct name##_index INDEX;                             \
		const struct name *record = (const struct name *)event;        \
		const uint64_t has = event->header.has & ~FLOW_MASK;           \
                                                                               \
		COMMON_FIELDS(PUT_COMMON)                                      \
		FIELDS(PUT_OWN)                                                \
		return p;                                                      \
	}
EVENTS(DEFINE_PUT_EVENT)

size_t encode_event(struct encoder *encoder, const struct event *record, uint64_t seq,
		    uint64_t wall_ns, char *line)
{
	const struct prologue *prologue = &encoder->prologues[record->header.type];
	char *p = line;

	memcpy(p, lead_timestamp, sizeof(lead_timestamp) - 1);
	*p = '{'; /* not a comma: it is the first */
	p += sizeof(lead_timestamp) - 1;
	*p++ = '"';
	p = put_timestamp(p, &encoder->timestamps, wall_ns);
	memcpy(p, prologue->text, PROLOGUE_BYTES);
	p = put_count(p + prologue->length, &encoder->seqs, seq);
	p = put_flow(encoder, p, record);
#define PUT_EVENT(name, FIELDS, hooks, message_id, doc) \
	case event_##name:                              \
		p = put_##name(encoder, p, record);     \
		break;
	switch ((enum event_type)record->header.type) {
		EVENTS(PUT_EVENT)
	default:
		break; /* event_check() knows no other */
	}
	memcpy(p, "}\n", 2);
	return (size_t)(p + 2 - line);
}
