/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kind.h - kinds of fields: how the bytes of a value become text.
 *
 * A kind is a row in bpf/events.h and a case in kind_put(). Code that knows the kind at compile
 * time calls that; code that walks rows at run time calls `put` in the kind's description, which is
 * made from it.
 */
#ifndef NETLOG_KIND_H
#define NETLOG_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "bpf/events.h"

/* Kinds with names come last, in the order of enum name_source. */
#define KIND_ID(kind, ...) kind_##kind,
enum kind { KINDS(KIND_ID) ENUMS(KIND_ID) NAMED_KINDS(KIND_ID) kinds };

#define NAME_SOURCE_ID(kind, ...) names_of_##kind,
enum name_source { NAMED_KINDS(NAME_SOURCE_ID) name_sources };

#define KIND_HAS_NAMES(kind) ((kind) >= kinds - name_sources)
#define KIND_NAMES(kind) ((enum name_source)((kind) - (kinds - name_sources)))

#define NAME_KEYS_MAX 4	  /* of one source, at most */
#define NAME_TEXT_MAX 512 /* bytes of a name, at most, of any source */

struct kind_desc {
	const char *name;
	enum kind written;	  /* the kind of its text: itself, unless it has names */
	uint16_t size;		  /* of the value, bytes */
	uint16_t text_max;	  /* bytes of the text, without quotes */
	bool number;		  /* in JSON; otherwise a string */
	uint16_t numbers;	  /* of an enumeration, all are below this; 0 for other kinds */
	const char *const *texts; /* of an enumeration, by number; NULL: no text */
	const char *json_schema;  /* NULL for enumerations, whose texts it lists */
	/* kind_put() for this kind */
	char *(*put)(char *p, const void *value, uint8_t ip_version);
};

extern const struct kind_desc kind_descs[kinds];

struct name_source_desc {
	const char *kind;
	uint16_t text_max; /* bytes of a name; a longer one is ignored */
	unsigned int key_count;
	struct {
		const char *name;
		const char *doc;
		uint16_t text_max; /* bytes; a longer part is ignored */
	} keys[NAME_KEYS_MAX];
};

extern const struct name_source_desc name_source_descs[name_sources];

/* The text of an enumeration's number; NULL if it has none. */
static inline const char *enum_text(enum kind kind, unsigned int number)
{
	return number < kind_descs[kind].numbers ? kind_descs[kind].texts[number] : NULL;
}

/* The number of an enumeration's text; -ENOENT if there is none. */
int enum_by_text(enum kind kind, const char *text);

/* ---- enumerations ---- */

#define ENUM_TEXT_MAX 31 /* bytes, the closing quote included */

/* A text and its closing quote, always copied as a whole. Length 0: no text. */
struct enum_literal {
	char text[ENUM_TEXT_MAX];
	uint8_t length;
};

#define ENUM_NUMBER(number, text) [number] = 0,
#define ENUM_LITERALS(kind, VALUES)                                                             \
	enum { kind##_numbers = sizeof((const char[]){ VALUES(ENUM_NUMBER) }) };                \
	_Static_assert((int)kind##_numbers <= UINT8_MAX + 1, "fields of " #kind " are a byte"); \
	extern const struct enum_literal kind##_literals[kind##_numbers];
ENUMS(ENUM_LITERALS)

static __always_inline char *put_enum(char *p, const struct enum_literal *literals,
				      unsigned int numbers, uint8_t number)
{
	if (number >= numbers || !literals[number].length)
		return NULL;
	memcpy(p, &literals[number], sizeof(*literals)); /* writes the length after the text, too */
	return p + literals[number].length;
}

/* ---- all kinds ---- */

/* The kind that this one's text is written as. */
static __always_inline enum kind kind_written(enum kind kind)
{
#define KIND_WRITTEN(name, type, written, ...) \
	case kind_##name:                      \
		return kind_##written;
	switch (kind) {
		NAMED_KINDS(KIND_WRITTEN)
	default:
		return kind;
	}
}

enum { nature_string, nature_number }; /* in JSON */

static __always_inline bool kind_is_number(enum kind kind)
{
#define KIND_NATURE(name, type, nature, ...) \
	case kind_##name:                    \
		return nature_##nature;
	switch (kind_written(kind)) {
		KINDS(KIND_NATURE)
	default:
		return nature_string;
	}
}

char *put_string(char *p, const char *bytes, size_t size);
char *put_ip(char *p, const uint8_t bytes[16], uint8_t ip_version);
char *put_xmit_error(char *p, int32_t error);

/*
 * Write the text of a value in its record, and the closing quote of a string. For kind `named`,
 * `value` is the name instead of the number. Returns the end, or NULL if the value has no text,
 * such as a number that an enumeration does not know.
 */
static __always_inline char *kind_put(char *p, enum kind kind, const void *value,
				      uint8_t ip_version)
{
	switch (kind_written(kind)) {
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
		return put_ip(p, value, ip_version);
	case kind_comm:
		return put_string(p, value, COMM_BYTES);
	case kind_ifname:
		return put_string(p, value, IFNAME_BYTES);
	case kind_xmit_error:
		return put_xmit_error(p, *(const int32_t *)value);
	case kind_named:
		return put_string(p, value, NAME_TEXT_MAX);
#define PUT_ENUM(name, VALUES) \
	case kind_##name:      \
		return put_enum(p, name##_literals, name##_numbers, *(const uint8_t *)value);
		ENUMS(PUT_ENUM)
	default:
		return NULL;
	}
}

/* ---- the room that a field may need in a line, as constants ---- */

#define NAME_KEY_ROOM(name, text_max, doc) \
	+sizeof(",\"" #name "\":\"\"") - 1 + JSON_TEXT_MAX(text_max)
#define KIND_ROOM(kind, type, nature, text_max, ...) room_##kind = text_max,
#define ENUM_ROOM(kind, VALUES) room_##kind = ENUM_TEXT_MAX,
#define WRITTEN_ROOM(written, text_max) \
	((int)kind_##written == (int)kind_named ? JSON_TEXT_MAX(text_max) : (size_t)room_##written)
#define NAMED_ROOM(kind, type, written, text_max, NAMES) \
	room_##kind = WRITTEN_ROOM(written, text_max) NAMES(NAME_KEY_ROOM),
enum { KINDS(KIND_ROOM) ENUMS(ENUM_ROOM) NAMED_KINDS(NAMED_ROOM) };

/* To be added up over rows of fields: key, quotes, value, and the keys of its names. */
#define FIELD_ROOM(kind, name, doc) +sizeof(",\"" #name "\":\"\"") - 1 + room_##kind

#endif
