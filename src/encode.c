// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "encode.h"

#include <errno.h>
#include <limits.h>

#include "text.h"

#define LITERAL_BYTES 32	      /* copied whole, whatever the length: cheaper than a call */
#define PROLOGUE_BYTES 64	      /* the same */
#define FIELDS_MAX 64		      /* bits of `has` */
#define TAIL_MAX (2 + PROLOGUE_BYTES) /* "}\n", and what the last wide copy may overrun */

/* What stands in front of a value, `,"name":` or `,"name":"`, and how to write the value. */
struct field_op {
	char literal[LITERAL_BYTES];
	uint32_t length;
	uint32_t kind;
	uint64_t offset;
	char reserved[16]; /* makes it a power of two, which is found by a shift */
};

/* An enumeration's text and its closing quote; length 0: this number has none. */
struct enum_literal {
	char literal[LITERAL_BYTES];
	uint8_t length;
};

struct event_program {
	char prologue[PROLOGUE_BYTES]; /* from the timestamp's closing quote up to the seq */
	size_t prologue_length;
	struct field_op fields[FIELDS_MAX];
};

/*
 * The common fields before weight tell whose event it is, and the next event of that flow has the
 * same ones: the hostname and they are rendered once, and copied as long as the record's bytes are
 * the same. One that is too long, or whose place another flow has taken, costs its rendering again.
 */
#define FLOW_COUNT offsetof(struct event_index, weight)
#define FLOW_MASK (BIT(FLOW_COUNT) - 1)
#define FLOW_BYTES (offsetof(struct event, weight) - sizeof(struct event_header))
#define BLOCK_BITS 11
#define BLOCK_WAYS 2	   /* flows that share a place: of a thousand, one in five would without */
#define BLOCK_TEXT_MAX 704 /* the names of a container take some 300 */

struct block {
	uint64_t has;
	uint16_t length; /* 0: none yet */
	char key[FLOW_BYTES];
	char text[BLOCK_TEXT_MAX];
};

struct encoder {
	struct event_program programs[event_types];
	struct enum_literal enums[kinds][ENUM_NUMBERS];
	struct timestamp_cache timestamps;
	char hostname[sizeof(",\"hostname\":\"\"") + JSON_TEXT_MAX(HOST_NAME_MAX)];
	size_t hostname_length;
	size_t line_max;
	struct names *names; /* not owned; may be NULL */
	struct block blocks[1 << BLOCK_BITS][BLOCK_WAYS];
	unsigned int turn; /* whose block goes next, of those in one place */
};

/* Is its value a string in the line? Its opening quote is the literal's then. */
static bool kind_is_text(enum kind kind)
{
	return kind != kind_u8 && kind != kind_u16 && kind != kind_u32 && kind != kind_u64;
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

/* Does what snprintf() `printed` fit the bytes of a wide copy? A test compiles all there are. */
static int literal_length(int printed, size_t size)
{
	return (size_t)printed < size ? printed : -E2BIG;
}

static int program_compile(struct event_program *program, const struct event_desc *desc)
{
	int length = snprintf(program->prologue, PROLOGUE_BYTES,
			      "\",\"event_type\":\"%s\",\"seq\":", desc->name);

	length = literal_length(length, PROLOGUE_BYTES);
	if (length < 0)
		return length;
	program->prologue_length = (size_t)length;
	for (unsigned int i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];
		struct field_op *op = &program->fields[i];

		length = snprintf(op->literal, LITERAL_BYTES, ",\"%s\":%s", field->name,
				  kind_is_text(field->kind) ? "\"" : "");
		length = literal_length(length, LITERAL_BYTES);
		if (length < 0)
			return length;
		op->length = (uint32_t)length;
		op->kind = field->kind;
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
			length = snprintf(e->literal, LITERAL_BYTES, "%s\"", text);
			length = literal_length(length, LITERAL_BYTES);
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
		size_t length = strlen("{\"timestamp\":\"") + TIMESTAMP_TEXT_MAX + U64_TEXT_MAX +
				encoder->programs[type].prologue_length + encoder->hostname_length;

		for (unsigned int i = 0; i < desc->field_count; i++)
			length += encoder->programs[type].fields[i].length +
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
	free(encoder);
}

void encoder_set_names(struct encoder *encoder, struct names *names)
{
	encoder->names = names;
	encoder_forget(encoder);
}

void encoder_forget(struct encoder *encoder)
{
	for (size_t i = 0; i < ARRAY_SIZE(encoder->blocks); i++)
		for (unsigned int way = 0; way < BLOCK_WAYS; way++)
			encoder->blocks[i][way].length = 0;
}

size_t encoder_line_max(const struct encoder *encoder)
{
	return encoder->line_max;
}

static char *put_string(char *p, const char *bytes, size_t size)
{
	if (!bytes[0])
		return NULL;
	p = put_json_string(p, bytes, size);
	*p++ = '"';
	return p;
}

static char *put_ip(char *p, const struct ip_address *address, uint8_t ip_version)
{
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

	if (!name || strlen(name) + 1 > LITERAL_BYTES)
		return NULL;
	p = stpcpy(p, name);
	*p++ = '"';
	return p;
}

static char *put_enum(char *p, const struct encoder *encoder, uint32_t kind, uint8_t number)
{
	const struct enum_literal *e;

	if (number >= ENUM_NUMBERS || !encoder->enums[kind][number].length)
		return NULL;
	e = &encoder->enums[kind][number];
	memcpy(p, e->literal, LITERAL_BYTES);
	return p + e->length;
}

/* The value at `p`; NULL where there is nothing to say of it, as of a number without a text. */
static char *put_value(const struct encoder *encoder, char *p, const struct field_op *op,
		       const struct event *record)
{
	const void *value = (const char *)record + op->offset;

	switch ((enum kind)op->kind) {
	case kind_u8:
		return put_u64(p, *(const uint8_t *)value);
	case kind_u16:
		return put_u64(p, *(const uint16_t *)value);
	case kind_u32:
		return put_u64(p, *(const uint32_t *)value);
	case kind_u64:
		return put_u64(p, *(const uint64_t *)value);
	case kind_id:
		p = put_u64(p, *(const uint64_t *)value);
		*p++ = '"';
		return p;
	case kind_ip:
		return put_ip(p, value, record->ip_version);
	case kind_comm:
		return put_string(p, value, COMM_BYTES);
	case kind_ifname:
		return put_string(p, value, IFNAME_BYTES);
	case kind_xmit_error:
		return put_xmit_error(p, *(const int32_t *)value);
	default: /* an enumeration */
		return put_enum(p, encoder, op->kind, *(const uint8_t *)value);
	}
}

/* The fields that `has` names, each literal with its value. */
static char *put_fields(const struct encoder *encoder, char *p, const struct event *record,
			uint64_t has)
{
	const struct field_op *fields = encoder->programs[record->header.type].fields;

	for (; has; has &= has - 1) {
		const struct field_op *op = &fields[__builtin_ctzll(has)];
		char *end;

		memcpy(p, op->literal, LITERAL_BYTES);
		if (op->kind == kind_u32) { /* most are: not by way of a jump table */
			p = put_u64(p + op->length,
				    *(const uint32_t *)((const char *)record + op->offset));
			continue;
		}
		end = put_value(encoder, p + op->length, op, record);
		if (end)
			p = end; /* else the next literal is written over this one */
	}
	return p;
}

static const void *record_key(const struct event *record)
{
	return (const char *)record + sizeof(record->header);
}

/* The place of the flow's block: spread by what tells flows apart, whether known or not. */
static struct block *blocks_of(struct encoder *encoder, const struct event *record)
{
	uint64_t mixed = ((uint64_t)record->src_port << 48 | (uint64_t)record->dest_port << 32) ^
			 record->src_ip.words[0] ^ record->dest_ip.words[0] ^ record->sock_cookie;

	return encoder->blocks[mixed * 0x9e3779b97f4a7c15 >> (64 - BLOCK_BITS)];
}

static uint64_t number_read(const struct event *record, const struct field_op *op)
{
	const void *value = (const char *)record + op->offset;

	return op->kind == kind_u32 ? *(const uint32_t *)value : *(const uint64_t *)value;
}

/* The fields, and behind those that have names, these. */
static char *put_named_fields(const struct encoder *encoder, char *p, const struct event *record,
			      uint64_t has)
{
	const struct field_op *fields = encoder->programs[record->header.type].fields;

	for (enum name_source source = 0; encoder->names && source < name_sources; source++) {
		unsigned int index = name_source_descs[source].index;
		uint64_t up_to = has & (BIT(index + 1) - 1);

		p = put_fields(encoder, p, record, up_to);
		if (has & BIT(index))
			p = names_put(encoder->names, source, number_read(record, &fields[index]),
				      p);
		has &= ~up_to;
	}
	return put_fields(encoder, p, record, has);
}

/* The hostname and the fields that `has` names, to the line and to the block. */
static __attribute__((noinline)) char *render_flow(struct encoder *encoder, char *p,
						   const struct event *record, uint64_t has,
						   struct block *blocks)
{
	struct block *block = &blocks[encoder->turn++ % BLOCK_WAYS];
	char *end = mempcpy(p, encoder->hostname, encoder->hostname_length);

	end = put_named_fields(encoder, end, record, has);
	if ((size_t)(end - p) <= sizeof(block->text)) {
		block->has = has;
		block->length = (uint16_t)(end - p);
		memcpy(block->key, record_key(record), FLOW_BYTES);
		memcpy(block->text, p, block->length);
	}
	return end;
}

static inline char *put_flow(struct encoder *encoder, char *p, const struct event *record)
{
	struct block *blocks = blocks_of(encoder, record);
	uint64_t has = record->header.has & FLOW_MASK;

	for (struct block *block = blocks; block < blocks + BLOCK_WAYS; block++)
		if (block->has == has && block->length &&
		    !memcmp(block->key, record_key(record), FLOW_BYTES))
			return mempcpy(p, block->text, block->length);
	return render_flow(encoder, p, record, has, blocks);
}

size_t encode_event(struct encoder *encoder, const struct event *record, uint64_t seq,
		    uint64_t wall_ns, char *line)
{
	static const char head[] = "{\"timestamp\":\"";
	const struct event_program *program = &encoder->programs[record->header.type];
	char *p = line;

	memcpy(p, head, sizeof(head) - 1);
	p = put_timestamp(p + sizeof(head) - 1, &encoder->timestamps, wall_ns);
	memcpy(p, program->prologue, PROLOGUE_BYTES);
	p = put_u64(p + program->prologue_length, seq);
	p = put_flow(encoder, p, record);
	p = put_fields(encoder, p, record, record->header.has & ~FLOW_MASK);
	memcpy(p, "}\n", 2);
	return (size_t)(p + 2 - line);
}
