// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "line/encode.h"

#include <errno.h>
#include <limits.h>

#include "base/text.h"
#include "line/flow_cache.h"

#define LITERAL_BYTES 32	      /* copied whole, whatever the length: cheaper than a call */
#define PROLOGUE_BYTES 48	      /* the same */
#define TAIL_MAX (2 + PROLOGUE_BYTES) /* "}\n", and what the last wide copy may overrun */

/* What stands before an envelope's value, but for the quote of a string: lead_seq and so on. */
#define LEAD(shape, name, doc) static const char lead_##name[] = ",\"" #name "\":";
ENVELOPE(LEAD)

_Static_assert(envelope_timestamp < envelope_event_type && envelope_event_type < envelope_seq &&
		       envelope_seq < envelope_hostname && envelope_keys == 4,
	       "encode_event() writes these, in this order");

/* An enumeration's text and its closing quote; length 0: this number has none. */
struct enum_literal {
	char text[LITERAL_BYTES - 1];
	uint8_t length;
};

/* What stands between the timestamp and the seq's number. */
struct prologue {
	char text[PROLOGUE_BYTES];
	size_t length;
	size_t reserved; /* makes it a power of two, which is found by a shift */
};

struct encoder {
	struct prologue prologues[event_types];
	struct enum_literal enums[kinds][ENUM_NUMBERS];
	struct timestamp_cache timestamps;
	struct count_cache seqs;
	char hostname[sizeof(lead_hostname) + 2 + JSON_TEXT_MAX(HOST_NAME_MAX)];
	size_t hostname_length;
	size_t line_max;
	struct names *names; /* not owned; may be NULL */
	struct flow_cache flows;
};

/* Is its value a number in the line? All others are strings. */
static __always_inline bool kind_is_number(enum kind kind)
{
	return kind == kind_u8 || kind == kind_u16 || kind == kind_u32 || kind == kind_u64;
}

/* Most bytes a value of the kind may take, its closing quote included. */
static size_t kind_text_max(enum kind kind)
{
	switch (kind) {
	case kind_ip:
		return IPV6_TEXT_MAX + 1;
	case kind_comm:
		return JSON_TEXT_MAX(COMM_BYTES) + 1;
	case kind_ifname:
		return JSON_TEXT_MAX(IFNAME_BYTES) + 1;
	default: /* numbers, names of errors and of enumerations */
		return LITERAL_BYTES;
	}
}

/* Does what snprintf() `printed` fit the bytes of a wide copy? A test makes all there are. */
static int literal_length(int printed, size_t size)
{
	return (size_t)printed < size ? printed : -E2BIG;
}

static int prologues_make(struct encoder *encoder)
{
	for_each_event_type(type) {
		struct prologue *prologue = &encoder->prologues[type];
		int length = snprintf(prologue->text, sizeof(prologue->text), "\"%s\"%s\"%s",
				      lead_event_type, event_desc(type)->name, lead_seq);

		length = literal_length(length, sizeof(prologue->text));
		if (length < 0)
			return length;
		prologue->length = (size_t)length;
	}
	return 0;
}

static int enums_make(struct encoder *encoder)
{
	for (enum kind kind = 0; kind < kinds; kind++) {
		for (int i = 0; i < ENUM_NUMBERS; i++) {
			struct enum_literal *e = &encoder->enums[kind][i];
			const char *text = kind_descs[kind].texts[i];
			int length;

			if (!text)
				continue;
			length = snprintf(e->text, sizeof(e->text), "%s\"", text);
			length = literal_length(length, sizeof(e->text));
			if (length < 0)
				return length;
			e->length = (uint8_t)length;
		}
	}
	return 0;
}

static size_t line_max(const struct encoder *encoder)
{
	size_t max = 0;

	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);
		size_t length = strlen(lead_timestamp) + 1 + TIMESTAMP_TEXT_MAX + U64_TEXT_MAX +
				encoder->prologues[type].length + encoder->hostname_length;

		for (unsigned int i = 0; i < desc->field_count; i++)
			length += strlen(",\"\":\"") + strlen(desc->fields[i].name) +
				  kind_text_max(desc->fields[i].kind);
		if (length > max)
			max = length;
	}
	return max + name_sources * NAMES_JSON_MAX + TAIL_MAX;
}

int encoder_new(const char *hostname, struct encoder **ret_encoder)
{
	_cleanup_(encoder_freep) struct encoder *encoder = calloc(1, sizeof(*encoder));
	char *p;
	int r;

	if (!encoder)
		return -ENOMEM;
	if (strlen(hostname) > HOST_NAME_MAX)
		return -E2BIG;
	p = stpcpy(encoder->hostname, lead_hostname);
	*p++ = '"';
	p = put_json_string(p, hostname, HOST_NAME_MAX);
	*p++ = '"';
	encoder->hostname_length = (size_t)(p - encoder->hostname);
	r = prologues_make(encoder);
	if (r < 0)
		return r;
	r = enums_make(encoder);
	if (r < 0)
		return r;
	encoder->line_max = line_max(encoder);
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

size_t encoder_line_max(const struct encoder *encoder)
{
	return encoder->line_max;
}

/* ---- values, and their closing quotes ---- */

static __attribute__((noinline)) char *put_string(char *p, const char *bytes, size_t size)
{
	if (!bytes[0])
		return NULL;
	p = put_json_string(p, bytes, size);
	*p++ = '"';
	return p;
}

static __attribute__((noinline)) char *put_ip(char *p, const uint8_t bytes[16], uint8_t ip_version)
{
	p = ip_version == 4 ? put_ipv4(p, bytes) : put_ipv6(p, bytes);
	*p++ = '"';
	return p;
}

/*
 * What tcp_transmit_skb() returned: a negative errno by its name, or a positive NET_XMIT_* code
 * (include/linux/netdevice.h), of which only the queueing discipline's drop is an error.
 */
static char *put_xmit_error(char *p, int32_t error)
{
	const char *name = error == 1		      ? "NET_XMIT_DROP" :
			   error > -4096 && error < 0 ? strerrorname_np(-error) :
							NULL;

	if (!name || strlen(name) + 1 > LITERAL_BYTES)
		return NULL;
	p = stpcpy(p, name);
	*p++ = '"';
	return p;
}

static inline char *put_enum(char *p, const struct enum_literal literals[ENUM_NUMBERS],
			     uint8_t number)
{
	if (number >= ENUM_NUMBERS || !literals[number].length)
		return NULL;
	memcpy(p, &literals[number], sizeof(*literals)); /* the length behind the text, too */
	return p + literals[number].length;
}

/* The value, NULL where there is nothing to say of it, as of a number without a text. */
static __always_inline char *put_text(const struct encoder *encoder, char *p, enum kind kind,
				      const void *value, uint8_t ip_version)
{
	switch (kind) {
	case kind_id:
		p = put_u64(p, *(const uint64_t *)value);
		*p++ = '"';
		return p;
	case kind_ip:
		return put_ip(p, value, ip_version);
	case kind_comm:
		return put_string(p, value, COMM_BYTES);
	case kind_ifname:
		return put_string(p, value, IFNAME_BYTES);
	case kind_xmit_error:
		return put_xmit_error(p, *(const int32_t *)value);
	default: /* an enumeration */
		return put_enum(p, encoder->enums[kind], *(const uint8_t *)value);
	}
}

static __always_inline uint64_t number_read(enum kind kind, const void *value)
{
	switch (kind) {
	case kind_u8:
		return *(const uint8_t *)value;
	case kind_u16:
		return *(const uint16_t *)value;
	case kind_u32:
		return *(const uint32_t *)value;
	default:
		return *(const uint64_t *)value;
	}
}

/* ---- fields ---- */

/*
 * A key and its value. `literal` is `,"name":"`. Each row of the schema becomes a call with
 * constants, of which the compiler leaves what the kind needs: no loop over fields, and literals
 * that are stored from registers.
 */
static __always_inline char *put_field(const struct encoder *encoder, char *p, enum kind kind,
				       const char *literal, size_t length, const void *value,
				       uint8_t ip_version)
{
	char *end;

	if (kind_is_number(kind)) {
		memcpy(p, literal, length - 1); /* no quote */
		return put_u64(p + length - 1, number_read(kind, value));
	}
	memcpy(p, literal, length);
	end = put_text(encoder, p + length, kind, value, ip_version);
	return end ?: p; /* what comes next is written over the key */
}

/* Behind a common field: the names of its number, if it is one that has names. */
static __always_inline char *put_names(const struct encoder *encoder, char *p, size_t index,
				       const struct event *record)
{
#define PUT_NAMES(field, keys)                                              \
	if (index == offsetof(struct event_index, field) && encoder->names) \
		p = names_put(encoder->names, names_of_##field, record->field, p);
	NAMED_FIELDS(PUT_NAMES)
	return p;
}

/* Most fields are known in most events. */
#define PUT_FIELD(index, kind, name)                                        \
	if (__builtin_expect(!!(has & BIT(index)), true))                   \
		p = put_field(encoder, p, kind_##kind, ",\"" #name "\":\"", \
			      sizeof(",\"" #name "\":\"") - 1, &record->name, record->ip_version);
#define PUT_COMMON(kind, name, doc)                                           \
	PUT_FIELD(offsetof(struct event_index, name), kind, name)             \
	if (has & BIT(offsetof(struct event_index, name)))                    \
		p = put_names(encoder, p, offsetof(struct event_index, name), \
			      (const struct event *)record);
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
