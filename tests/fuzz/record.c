// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * record.c - fuzz target: records, with any bytes. What the check accepts makes a line of valid
 * JSON in each format, within the length that was promised, and an entry of the journal; the flat
 * line is the same as that of the walk over the rows, and says what the record does. The input is
 * the names' lengths, the bit in which another record differs, the item, and the record with its
 * faults.
 *
 * options: -max_len=1400
 */
#include <arpa/inet.h>

#include "base/entry.h"
#include "line/entry.h"
#include "line/format.h"
#include "records.h"
#include "tests/unit/strict.h"

#define ROOM (LINE_MAX_BYTES + 8192)

static struct writer *writers[formats];
static struct names *names;

/* A hostname as long as it gets when it is written, or one with which flows are remembered. */
static void writers_make(bool longest)
{
	const struct names_config nowhere = {};
	char hostname[HOST_NAME_MAX + 1] = "web1";

	if (!names)
		CHECK_EQUAL(names_new(&nowhere, &names), 0);
	if (longest)
		memset(hostname, '\x01', HOST_NAME_MAX);
	for (unsigned int i = 0; i < formats; i++) {
		if (!writers[i]) {
			CHECK_EQUAL(writer_new(i, &writers[i]), 0);
			writer_set_names(writers[i], names);
		}
		writer_set_hostname(writers[i], hostname);
	}
}

/* ---- the model of the check ---- */

static bool has(const struct event *event, const char *name)
{
	const struct event_desc *desc = event_desc(event->header.type);

	return event->header.has & BIT(field_by_name(desc, name) - desc->fields);
}

static bool is_good(const struct event *event, size_t size)
{
	const struct event_desc *desc;

	if (size < sizeof(event->header) || event->header.type == event_none ||
	    event->header.type >= event_types)
		return false;
	desc = event_desc(event->header.type);
	if (size != desc->size || event->header.size != size ||
	    event->header.has >> desc->field_count)
		return false;
	if (!has(event, "src_ip") && !has(event, "dest_ip"))
		return true;
	return has(event, "ip_version") && (event->ip_version == 4 || event->ip_version == 6);
}

/* ---- lines ---- */

/* Members of the outermost object, by the colons outside of strings: json-c keeps one of a name. */
static unsigned int members_of(const char *line, size_t length)
{
	unsigned int members = 0, depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < length; i++) {
		if (quoted && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			quoted = !quoted;
		else if (!quoted && strchr("{[", line[i]))
			depth++;
		else if (!quoted && strchr("}]", line[i]))
			depth--;
		else if (!quoted && line[i] == ':' && depth == 1)
			members++;
	}
	return members;
}

static struct json_object *parsed(const char *line, size_t length)
{
	struct json_object *object;

	CHECK(length && line[length - 1] == '\n' && !memchr(line, '\n', length - 1));
	for (size_t i = 0; i < length - 1; i++)
		CHECK((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
	object = strict_parse(line, length - 1);
	CHECK_SAYING(object, "%.*s", (int)length, line);
	CHECK_SAYING(members_of(line, length) == (unsigned int)json_object_object_length(object),
		     "%.*s", (int)length, line);
	return object;
}

/* A record that differs in a bit, or in what it has: of its flow, the writer remembers a text. */
static void neighbour_write(struct writer *writer, const struct item *item, unsigned int bit)
{
	const struct event *event = item->event;
	_cleanup_free_ struct event *other = malloc(event->header.size);
	_cleanup_free_ char *line = malloc(LINE_MAX_BYTES);
	struct item changed = *item;

	memcpy(other, event, event->header.size);
	if (bit < 32)
		other->header.has ^= BIT(bit % offsetof(struct event_index, end));
	else
		((uint8_t *)&other->header)[sizeof(other->header) + bit / 8] ^= 1U << bit % 8;
	changed.event = other;
	if (event_check(other, other->header.size) > 0)
		writer_line(writer, &changed, line);
}

/* The line, in memory of just the length that is promised: once more, it is the same. */
static char *line_of(struct writer *writer, const struct item *item, unsigned int bit,
		     size_t *ret_length)
{
	const size_t most = writer_line_max(writer);
	char *line = malloc(most + LINE_SLACK), *again = malloc(most + LINE_SLACK);
	size_t length;

	neighbour_write(writer, item, bit);
	length = writer_line(writer, item, line);
	CHECK(most <= LINE_MAX_BYTES && length && length <= most);
	CHECK_EQUAL(writer_line(writer, item, again), length);
	CHECK(!memcmp(line, again, length));
	writer_forget(writer);
	CHECK_EQUAL(writer_walk(writer, item, again), length);
	CHECK_SAYING(!memcmp(line, again, length), "%.*s\n#   %.*s", (int)length, line, (int)length,
		     again);
	free(again);
	*ret_length = length;
	return line;
}

/* ---- what a flat line says ---- */

static uint64_t number_of(const void *value, size_t size)
{
	uint64_t number = 0;

	memcpy(&number, value, size); /* little endian, as all the machines we test on */
	return number;
}

static void check_text(struct json_object *value, const char *text)
{
	CHECK_SAYING(!value == !text, "%s", text ?: json_object_get_string(value));
	if (text)
		CHECK_TEXT(json_object_get_string(value), text);
}

/* Bytes up to a NUL. Those that are no ASCII may be mended. */
static void check_bytes(struct json_object *value, const char *bytes, size_t size)
{
	const size_t length = strnlen(bytes, size);

	CHECK_EQUAL(!value, !length);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)bytes[i] >= 0x80)
			return;
	CHECK(!value || ((size_t)json_object_get_string_len(value) == length &&
			 !memcmp(json_object_get_string(value), bytes, length)));
}

static void check_value(const struct event *event, const struct field_desc *field,
			struct json_object *value)
{
	const struct kind_desc *kind = &kind_descs[field->kind];
	const void *bytes = (const char *)event + field->offset;
	const uint64_t number = number_of(bytes, kind->size < 8 ? kind->size : 8);
	char text[64];

	if (kind->numbers) {
		check_text(value, enum_text(field->kind, (unsigned int)number));
		return;
	}
	switch (kind->written) {
	case kind_id:
		snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
		check_text(value, text);
		break;
	case kind_ip:
		inet_ntop(event->ip_version == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
		check_text(value, text);
		break;
	case kind_comm:
	case kind_ifname:
		check_bytes(value, bytes, kind->size);
		break;
	case kind_xmit_error:
	case kind_named:
		break; /* see tests/unit/writer_test.c */
	default:
		CHECK(kind->number && value);
		CHECK_EQUAL(json_object_get_uint64(value), number);
	}
}

static void check_flat(const struct event *event, struct json_object *object)
{
	const struct event_desc *desc = event_desc(event->header.type);
	struct json_object *value;

	CHECK(json_object_object_get_ex(object, "event_type", &value));
	CHECK_TEXT(json_object_get_string(value), desc->name);
	for (unsigned int i = 0; i < desc->field_count; i++) {
		const bool found = json_object_object_get_ex(object, desc->fields[i].name, &value);

		if (event->header.has & BIT(i))
			check_value(event, &desc->fields[i], found ? value : NULL);
		else
			CHECK_SAYING(!found, "%s", desc->fields[i].name);
	}
}

/* ---- entries of the journal ---- */

/* Fields follow one another up to the end, by names that journald takes; one is the line. */
static void check_entry(struct writer *writer, const struct item *item, const char *line,
			size_t length)
{
	char *entry = malloc(ROOM);
	const size_t size = entry_put(writer, item, entry, ROOM);
	unsigned int fields = 0, messages = 0;
	size_t at = 0, field_length;
	const char *field;

	CHECK(size && size <= ROOM && size == entry_size(entry));
	while ((field = entry_field(entry, &at, &field_length))) {
		const char *equals = memchr(field, '=', field_length);

		CHECK(at <= size && equals && equals > field && equals - field <= 64);
		for (const char *p = field; p < equals; p++)
			CHECK((*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '_');
		fields++;
		if (strncmp(field, "MESSAGE=", strlen("MESSAGE=")) != 0)
			continue;
		messages++;
		CHECK_EQUAL(field_length - strlen("MESSAGE="), length - 1);
		CHECK(!memcmp(equals + 1, line, length - 1));
	}
	CHECK_EQUAL(at, size);
	CHECK_EQUAL(messages, 1);
	CHECK(fields > 4 && fields <= ENTRY_FIELDS_MAX);
	free(entry);
}

/* ---- the whole ---- */

/* Of the input's bytes, repeated up to this length, NULs left out. */
static void name_feed(enum name_source source, uint64_t id, struct input input, size_t length)
{
	const size_t most = name_source_descs[source].text_max;
	char text[NAME_TEXT_MAX + 1] = "";

	length = length * 4 < most ? length * 4 : most;
	for (size_t i = 0; i < length && input.left; i++)
		text[i] = (char)(input.at[i % input.left] ?: '/');
	CHECK_EQUAL(names_feed(names, source, id, text), 0);
}

static void names_feed_all(const struct event *event, struct input input, size_t length)
{
	struct named_number numbers[NAMED_NUMBERS_MAX];
	const unsigned int count = event_named_numbers(event, numbers);

	names_clear(names);
	for (unsigned int i = 0; i < count; i++)
		name_feed(numbers[i].source, numbers[i].id, input, length);
}

static void check_lines(const struct item *item, unsigned int bit)
{
	for (unsigned int i = 0; i < formats; i++) {
		size_t length;
		char *line;
		struct json_object *object;

		writer_forget(writers[i]);
		line = line_of(writers[i], item, bit, &length);
		object = parsed(line, length);
		if (i == format_flat)
			check_flat(item->event, object);
		check_entry(writers[i], item, line, length);
		json_object_put(object);
		free(line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size };
	const size_t length = input_byte(&input);
	_cleanup_free_ struct event *event = NULL;
	const unsigned int bit = (unsigned int)input_number(&input, 2) %
				 (8 * (sizeof(struct event) - sizeof(struct event_header)));
	struct item item = { .seq = input_number(&input, 8) };
	int type;

	writers_make(length & 1);
	item.offset_ns = (int64_t)input_number(&input, 8);
	size = record_make(&input, &event);
	type = event_check(event, size);
	CHECK_EQUAL(type > 0, is_good(event, size));
	if (type < 0)
		return 0;
	CHECK_EQUAL(type, event->header.type);
	item.type = (enum event_type)type;
	item.event = event;
	names_feed_all(event, input, length);
	check_lines(&item, bit);
	return 0;
}
