// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "schema/kind.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

/* ---- enumerations ---- */

#define ENUM_TEXT(number, text) [number] = #text,
#define ENUM_LITERAL(number, text) [number] = { #text "\"", sizeof(#text "\"") - 1 },
#define ENUM_FITS(number, text) \
	_Static_assert(sizeof(#text) <= ENUM_TEXT_MAX, #text " and its quote have too many bytes");
#define ENUM_TABLES(kind, VALUES)                                                      \
	VALUES(ENUM_FITS)                                                              \
	static const char *const kind##_texts[kind##_numbers] = { VALUES(ENUM_TEXT) }; \
	const struct enum_literal kind##_literals[kind##_numbers] = { VALUES(ENUM_LITERAL) };
ENUMS(ENUM_TABLES)

int enum_by_text(enum kind kind, const char *text)
{
	for (int i = 0; i < kind_descs[kind].numbers; i++)
		if (kind_descs[kind].texts[i] && !strcmp(kind_descs[kind].texts[i], text))
			return i;
	return -ENOENT;
}

/* ---- values with their closing quotes ---- */

char *put_string(char *p, const char *bytes, size_t size)
{
	if (!bytes[0])
		return NULL;
	p = put_json_string(p, bytes, size);
	*p++ = '"';
	return p;
}

char *put_ip(char *p, const uint8_t bytes[16], uint8_t ip_version)
{
	p = ip_version == 4 ? put_ipv4(p, bytes) : put_ipv6(p, bytes);
	*p++ = '"';
	return p;
}

/*
 * tcp_transmit_skb()'s result: a negative errno by its name, or a positive NET_XMIT_* code
 * (include/linux/netdevice.h), of which only a drop by the queueing discipline is an error.
 */
char *put_xmit_error(char *p, int32_t error)
{
	const char *name = error == 1		      ? "NET_XMIT_DROP" :
			   error > -4096 && error < 0 ? strerrorname_np(-error) :
							NULL;

	if (!name || strlen(name) + 1 > ENUM_TEXT_MAX)
		return NULL;
	p = stpcpy(p, name);
	*p++ = '"';
	return p;
}

#define DEFINE_PUT(kind, ...)                                                           \
	static char *put_##kind##_value(char *p, const void *value, uint8_t ip_version) \
	{                                                                               \
		return kind_put(p, kind_##kind, value, ip_version);                     \
	}
KINDS(DEFINE_PUT)
ENUMS(DEFINE_PUT)
NAMED_KINDS(DEFINE_PUT)

/* ---- the rows ---- */

#define SCHEMA_number "{\"type\":\"integer\",\"minimum\":0,"
#define SCHEMA_string "{\"type\":\"string\","
#define KIND_CONSTANTS(kind, type, nature, room, schema) \
	enum { number_##kind = nature_##nature };        \
	static const char schema_##kind[] = SCHEMA_##nature schema "}";
KINDS(KIND_CONSTANTS)

#define KIND_DESC(own, type, nature, room, schema) \
	[kind_##own] = {                           \
		.name = #own,                      \
		.written = kind_##own,             \
		.size = sizeof(type),              \
		.text_max = room,                  \
		.number = number_##own,            \
		.json_schema = schema_##own,       \
		.put = put_##own##_value,          \
	},
#define ENUM_DESC(own, VALUES)             \
	[kind_##own] = {                   \
		.name = #own,              \
		.written = kind_##own,     \
		.size = sizeof(uint8_t),   \
		.text_max = ENUM_TEXT_MAX, \
		.numbers = own##_numbers,  \
		.texts = own##_texts,      \
		.put = put_##own##_value,  \
	},
#define NAMED_DESC(own, type, written_, most, NAMES)      \
	[kind_##own] = {                                  \
		.name = #own,                             \
		.written = kind_##written_,               \
		.size = sizeof(type),                     \
		.text_max = WRITTEN_ROOM(written_, most), \
		.number = number_##written_,              \
		.json_schema = schema_##written_,         \
		.put = put_##own##_value,                 \
	},
const struct kind_desc kind_descs[kinds] = { KINDS(KIND_DESC) ENUMS(ENUM_DESC)
						     NAMED_KINDS(NAMED_DESC) };

/* ---- names ---- */

#define NAME_KEY(name, most, doc) { #name, doc, most },
#define NAME_ONE(name, most, doc) +1
#define NAME_SOURCE_DESC(named, type, written, most, NAMES) \
	[names_of_##named] = {                              \
		.kind = #named,                             \
		.text_max = most,                           \
		.key_count = 0 NAMES(NAME_ONE),             \
		.keys = { NAMES(NAME_KEY) },                \
	},
const struct name_source_desc name_source_descs[name_sources] = { NAMED_KINDS(NAME_SOURCE_DESC) };

#define NAMED_CHECK(named, type, written, most, NAMES)                                        \
	_Static_assert(sizeof(type) == sizeof(uint32_t) || sizeof(type) == sizeof(uint64_t),  \
		       #named ": event_named_numbers() reads no others");                     \
	_Static_assert((most) <= NAME_TEXT_MAX, #named ": recordings have room for no more"); \
	_Static_assert((int)kind_##written != (int)kind_named || !(0 NAMES(NAME_ONE)),        \
		       #named ": keys behind a field that is not there");
NAMED_KINDS(NAMED_CHECK)
