// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "line/entry.h"

#include <ctype.h>
#include <syslog.h>

#include "base/entry.h"
#include "line/format.h"
#include "schema/control.h"

#define PREFIX "NETLOG_"
/* Of a field's name, behind the prefix: journald takes 64 in all, journal_field_valid() */
#define NAME_MAX_BYTES (64 - (sizeof(PREFIX) - 1))

/* An entry being made, and its limit. */
struct maker_of_entry {
	char *p;
	const char *end;
	unsigned int fields;
	bool full;
};

/* Room for one more field, with so many bytes of value; else the entry cannot be made. */
static bool field_fits(struct maker_of_entry *entry, size_t value)
{
	entry->full |= entry->fields == ENTRY_FIELDS_MAX;
	entry->full |=
		sizeof(entry_length) + sizeof(PREFIX) + NAME_MAX_BYTES + 1 + value + LINE_SLACK >
		(size_t)(entry->end - entry->p);
	entry->fields += !entry->full;
	return !entry->full;
}

/* The prefix, the name in capitals (the journal accepts no others), and `=`. */
static char *put_name(char *p, const char *prefix, const char *name)
{
	const size_t length = strnlen(name, NAME_MAX_BYTES);

	p = stpcpy(p, prefix);
	for (size_t i = 0; i < length; i++)
		*p++ = (char)toupper((unsigned char)name[i]);
	*p++ = '=';
	return p;
}

static void add_bytes(struct maker_of_entry *entry, const char *prefix, const char *name,
		      const char *value, size_t length)
{
	char *begin = entry_field_begin(entry->p), *p;

	if (!field_fits(entry, length))
		return;
	p = put_name(begin, prefix, name);
	p = mempcpy(p, value, length);
	entry->p = entry_field_end(begin, p);
}

static void add_text(struct maker_of_entry *entry, const char *prefix, const char *name,
		     const char *value)
{
	add_bytes(entry, prefix, name, value, strlen(value));
}

/*
 * Undo put_json_string() from `from` to `end`, in place; returns the new end. The journal accepts
 * any bytes.
 */
static char *unescape(char *from, const char *end)
{
	char *p = from;

	for (const char *q = from; q < end; q++) {
		char digits[5] = "";
		unsigned int code;

		if (*q != '\\') {
			*p++ = *q;
			continue;
		}
		switch (*++q) {
		case 'u': /* of a control character: C0, DEL or C1 */
			memcpy(digits, q + 1, 4);
			code = (unsigned int)strtoul(digits, NULL, 16);
			q += 4;
			if (code >= 0x80)
				*p++ = (char)(0xc0 | code >> 6);
			*p++ = (char)(code >= 0x80 ? 0x80 | (code & 0x3f) : code);
			break;
		case 'b':
			*p++ = '\b';
			break;
		case 'f':
			*p++ = '\f';
			break;
		case 'n':
			*p++ = '\n';
			break;
		case 'r':
			*p++ = '\r';
			break;
		case 't':
			*p++ = '\t';
			break;
		default:
			*p++ = *q;
		}
	}
	return p;
}

/* Add a string that may be invalid UTF-8 as it would be in the line. */
static void add_mended(struct maker_of_entry *entry, const char *name, const char *bytes,
		       size_t size)
{
	_cleanup_free_ char *value = malloc(JSON_TEXT_MAX(size) + LINE_SLACK);
	char *end;

	if (!value) {
		entry->full = true;
		return;
	}
	end = unescape(value, put_json_string(value, bytes, size));
	add_bytes(entry, PREFIX, name, value, (size_t)(end - value));
}

/* Add the fields that depend on the line's type. A loss has the priority of a warning. */
static void add_type(struct maker_of_entry *entry, const char *name, const char *message_id,
		     int priority)
{
	const char digit[] = { (char)('0' + priority), 0 };

	add_text(entry, "", "PRIORITY", digit);
	add_text(entry, "", "MESSAGE_ID", message_id);
	add_text(entry, PREFIX, "EVENT", name);
}

/* ---- events ---- */

static void add_names(struct maker_of_entry *entry, enum name_source source,
		      const struct name_text *name)
{
	const struct name_source_desc *desc = &name_source_descs[source];

	for (unsigned int i = 0; i < desc->key_count; i++)
		if (name->parts[i].length)
			add_mended(entry, desc->keys[i].name, name->parts[i].start,
				   name->parts[i].length);
}

static void add_field(struct maker_of_entry *entry, struct names *names,
		      const struct field_desc *field, const struct event *event)
{
	const void *value = (const char *)event + field->offset;
	const struct kind_desc *kind = &kind_descs[field->kind];
	const struct name_text *name = name_of_value(names, field->kind, value);
	char *begin = entry_field_begin(entry->p), *text, *end;

	if (kind->written == kind_named) {
		if (!name)
			return;
		value = name->text;
	}
	if (!field_fits(entry, (size_t)kind->text_max + 1))
		return;
	text = put_name(begin, PREFIX, field->name);
	end = kind->put(text, value, event->ip_version);
	if (end) /* without the closing quote of a string */
		entry->p = entry_field_end(begin, unescape(text, end - !kind->number));
	if (name)
		add_names(entry, KIND_NAMES(field->kind), name);
}

static void add_event(struct maker_of_entry *entry, struct writer *writer, const struct item *item)
{
	const struct event_desc *desc = event_desc(item->type);
	char text[TIMESTAMP_TEXT_MAX + TEXT_SLACK], *end;

	end = put_timestamp(text, &writer->timestamps,
			    item->event->header.time_ns + (uint64_t)item->offset_ns);
	add_bytes(entry, PREFIX, "TIMESTAMP", text, (size_t)(end - text));
	add_type(entry, desc->name, desc->message_id, LOG_INFO);
	end = put_u64(text, item->seq);
	add_bytes(entry, PREFIX, "SEQ", text, (size_t)(end - text));
	for (uint64_t bits = item->event->header.has; bits; bits &= bits - 1)
		add_field(entry, writer->names, &desc->fields[__builtin_ctzll(bits)], item->event);
}

/* ---- control lines ---- */

/* Add the line's single values, except the host, which journald knows. */
static void add_control(struct maker_of_entry *entry, struct json_object *control)
{
	/* there is one: control_parse() takes no other line */
	const struct control_desc *desc = control_by_name(control_type_name(control));
	char count[U64_TEXT_MAX + 1];

	json_object_object_foreach(control, key, value)
	{
		if (!strcmp(key, envelope_fields[envelope_event_type].name))
			add_type(entry, desc->name, desc->message_id,
				 desc == &control_descs[control_lost] ? LOG_WARNING : LOG_INFO);
		else if (!strcmp(key, envelope_fields[envelope_hostname].name))
			continue; /* the journal has its own */
		else if (json_object_is_type(value, json_type_string))
			add_mended(entry, key, json_object_get_string(value),
				   (size_t)json_object_get_string_len(value));
		else if (json_object_is_type(value, json_type_int))
			add_mended(entry, key, count,
				   (size_t)(put_u64(count, json_object_get_uint64(value)) - count));
	}
}

size_t entry_put(struct writer *writer, const struct item *item, char *p, size_t room)
{
	struct maker_of_entry entry = { .p = entry_begin(p), .end = p + room };
	char *begin = entry_field_begin(entry.p), *message;
	size_t length;

	if (!field_fits(&entry, LINE_MAX_BYTES))
		return 0;
	message = put_name(begin, "", "MESSAGE");
	length = writer_line(writer, item, message);
	if (!length)
		return 0;
	entry.p = entry_field_end(begin, message + length - 1); /* without the newline */
	add_text(&entry, "", "SYSLOG_IDENTIFIER", "netlog");
	if (item->event)
		add_event(&entry, writer, item);
	else
		add_control(&entry, item->control);
	return entry.full ? 0 : entry_end(p, entry.p);
}
