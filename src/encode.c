// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "encode.h"

#include <errno.h>
#include <limits.h>

#include "text.h"

#define LITERAL_BYTES 32	     /* copied whole, whatever the length: cheaper than a call */
#define FIELDS_MAX 64		     /* bits of `has` */
#define TAIL_MAX (2 + LITERAL_BYTES) /* "}\n", and what the last wide copy may overrun */

/* What stands in front of a value, `,"name":`, and how to write the value. */
struct field_op {
	char literal[LITERAL_BYTES];
	uint8_t length;
	uint8_t kind;
	uint16_t offset;
};

/* An enumeration's text in quotes, ready to be copied; length 0: this number has none. */
struct enum_literal {
	char literal[LITERAL_BYTES];
	uint8_t length;
};

struct event_program {
	char *prologue; /* from the timestamp's closing quote up to the seq */
	size_t prologue_length;
	struct field_op fields[FIELDS_MAX];
};

struct encoder {
	struct event_program programs[event_types];
	struct enum_literal enums[kinds][ENUM_NUMBERS];
	struct timestamp_cache timestamps;
	char hostname[sizeof(",\"hostname\":\"\"") + JSON_TEXT_MAX(HOST_NAME_MAX)];
	size_t hostname_length;
	size_t line_max;
};

/* Most bytes a value of the kind may take, its quotes included. */
static size_t kind_text_max(enum kind kind)
{
	switch (kind) {
	case kind_ip:
		return IPV6_TEXT_MAX + 2;
	case kind_comm:
		return JSON_TEXT_MAX(COMM_BYTES) + 2;
	case kind_ifname:
		return JSON_TEXT_MAX(IFNAME_BYTES) + 2;
	default: /* numbers, names of errors and of enumerations */
		return LITERAL_BYTES;
	}
}

static int program_compile(struct event_program *program, const struct event_desc *desc)
{
	int length = asprintf(&program->prologue, "\",\"event_type\":\"%s\",\"seq\":", desc->name);

	if (length < 0) {
		program->prologue = NULL;
		return -ENOMEM;
	}
	program->prologue_length = (size_t)length;
	for (unsigned int i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];
		struct field_op *op = &program->fields[i];

		length = snprintf(op->literal, sizeof(op->literal), ",\"%s\":", field->name);
		if (length >= LITERAL_BYTES)
			return -E2BIG; /* a test compiles all there are */
		op->length = (uint8_t)length;
		op->kind = (uint8_t)field->kind;
		op->offset = field->offset;
	}
	return 0;
}

static int enums_compile(struct encoder *encoder)
{
	for (enum kind kind = 0; kind < kinds; kind++) {
		for (int i = 0; i < ENUM_NUMBERS; i++) {
			struct enum_literal *e = &encoder->enums[kind][i];
			const char *text = kind_descs[kind].texts[i];
			int length;

			if (!text)
				continue;
			length = snprintf(e->literal, sizeof(e->literal), "\"%s\"", text);
			if (length >= LITERAL_BYTES)
				return -E2BIG;
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
		size_t length = strlen("{\"timestamp\":\"") + TIMESTAMP_TEXT_MAX + U64_TEXT_MAX +
				encoder->programs[type].prologue_length + encoder->hostname_length;

		for (unsigned int i = 0; i < desc->field_count; i++)
			length += encoder->programs[type].fields[i].length +
				  kind_text_max(desc->fields[i].kind);
		if (length > max)
			max = length;
	}
	return max + TAIL_MAX;
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
	p = stpcpy(encoder->hostname, ",\"hostname\":\"");
	p = put_json_string(p, hostname, HOST_NAME_MAX);
	*p++ = '"';
	encoder->hostname_length = (size_t)(p - encoder->hostname);
	for_each_event_type(type) {
		r = program_compile(&encoder->programs[type], event_desc(type));
		if (r < 0)
			return r;
	}
	r = enums_compile(encoder);
	if (r < 0)
		return r;
	encoder->line_max = line_max(encoder);
	*ret_encoder = encoder;
	encoder = NULL;
	return 0;
}

void encoder_free(struct encoder *encoder)
{
	if (!encoder)
		return;
	for_each_event_type(type)
		free(encoder->programs[type].prologue);
	free(encoder);
}

size_t encoder_line_max(const struct encoder *encoder)
{
	return encoder->line_max;
}

static char *put_quoted(char *p, const char *bytes, size_t size)
{
	if (!bytes[0])
		return NULL;
	*p++ = '"';
	p = put_json_string(p, bytes, size);
	*p++ = '"';
	return p;
}

static char *put_ip(char *p, const struct ip_address *address, uint8_t ip_version)
{
	*p++ = '"';
	p = ip_version == 4 ? put_ipv4(p, address->bytes) : put_ipv6(p, address->bytes);
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

	if (!name || strlen(name) + 2 > LITERAL_BYTES)
		return NULL;
	*p++ = '"';
	p = stpcpy(p, name);
	*p++ = '"';
	return p;
}

/* The value at `p`; NULL where there is nothing to say of it, as of a number without a text. */
static char *put_value(const struct encoder *encoder, char *p, const struct field_op *op,
		       const struct event *record)
{
	const void *value = (const char *)record + op->offset;

	switch ((enum kind)op->kind) {
	case kind_u8:
		return put_u32_small(p, *(const uint8_t *)value);
	case kind_u16:
		return put_u64(p, *(const uint16_t *)value);
	case kind_u32:
		return put_u64(p, *(const uint32_t *)value);
	case kind_u64:
		return put_u64(p, *(const uint64_t *)value);
	case kind_id:
		*p++ = '"';
		p = put_u64(p, *(const uint64_t *)value);
		*p++ = '"';
		return p;
	case kind_ip:
		return put_ip(p, value, record->ip_version);
	case kind_comm:
		return put_quoted(p, value, COMM_BYTES);
	case kind_ifname:
		return put_quoted(p, value, IFNAME_BYTES);
	case kind_xmit_error:
		return put_xmit_error(p, *(const int32_t *)value);
	default: { /* an enumeration */
		uint8_t number = *(const uint8_t *)value;
		const struct enum_literal *e;

		if (number >= ENUM_NUMBERS || !encoder->enums[op->kind][number].length)
			return NULL;
		e = &encoder->enums[op->kind][number];
		memcpy(p, e->literal, LITERAL_BYTES);
		return p + e->length;
	}
	}
}

size_t encode_event(struct encoder *encoder, const struct event *record, uint64_t seq,
		    uint64_t wall_ns, char *line)
{
	static const char head[] = "{\"timestamp\":\"";
	const struct event_program *program = &encoder->programs[record->header.type];
	char *p = line;

	memcpy(p, head, sizeof(head) - 1);
	p = put_timestamp(p + sizeof(head) - 1, &encoder->timestamps, wall_ns);
	memcpy(p, program->prologue, program->prologue_length);
	p = put_u64(p + program->prologue_length, seq);
	memcpy(p, encoder->hostname, encoder->hostname_length);
	p += encoder->hostname_length;
	for (uint64_t has = record->header.has; has; has &= has - 1) {
		const struct field_op *op = &program->fields[__builtin_ctzll(has)];
		char *end;

		memcpy(p, op->literal, LITERAL_BYTES);
		end = put_value(encoder, p + op->length, op, record);
		if (end)
			p = end;
	}
	*p++ = '}';
	*p++ = '\n';
	return (size_t)(p - line);
}
