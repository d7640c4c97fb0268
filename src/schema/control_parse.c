// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * control_parse.c - a control line of a recording, from its text back to its values.
 *
 * Only what netlog itself writes is read: no blanks, and each value in the one way that it is
 * written. That is little, and json-c's own parser is of no use for it: it takes much that is no
 * JSON, and an allocation that fails in it is a crash, or a value that is cut.
 */
#include <errno.h>

#include "base/text.h"
#include "schema/control.h"

#define DEPTH_MAX 8 /* of values in values; ours are three deep */

/* The text ends with a NUL. Functions leave `at` where they are content to go on. */
struct parser {
	const char *at;
	unsigned int depth;
};

static bool take(struct parser *parser, char c)
{
	if (*parser->at != c)
		return false;
	parser->at++;
	return true;
}

/* The character of four hexadecimal digits; 0: none of those that are written so. */
static unsigned int hex_take(struct parser *parser)
{
	char digits[5] = "", *end;
	unsigned long character;

	strncpy(digits, parser->at, 4);
	character = strtoul(digits, &end, 16);
	if (end != digits + 4 || character > 0x9f)
		return 0;
	parser->at += 4;
	return (unsigned int)character;
}

/* Put what stands behind a backslash. NULL: nothing that we write. */
static char *escape_take(struct parser *parser, char *p)
{
	static const char escapes[] = "\"\\nt", bytes[] = "\"\\\n\t";
	const char *escape = *parser->at ? strchr(escapes, *parser->at) : NULL;
	unsigned int character;

	if (escape) {
		parser->at++;
		*p++ = bytes[escape - escapes];
		return p;
	}
	character = take(parser, 'u') ? hex_take(parser) : 0;
	if (character >= 0x80)
		*p++ = (char)0xc2; /* as UTF-8 has it, up to U+00BF */
	*p++ = (char)character;
	return character ? p : NULL;
}

/* The bytes that a string stands for, which the caller frees. */
static int bytes_read(struct parser *parser, char **ret_bytes)
{
	_cleanup_free_ char *bytes = NULL;
	char *p;

	if (!take(parser, '"'))
		return -EBADMSG;
	p = bytes = malloc(strlen(parser->at) + 1);
	if (!bytes)
		return -ENOMEM;
	while (p && *parser->at && *parser->at != '"')
		if (take(parser, '\\'))
			p = escape_take(parser, p);
		else
			*p++ = *parser->at++;
	if (!p || !take(parser, '"'))
		return -EBADMSG;
	*p = 0;
	*ret_bytes = bytes;
	bytes = NULL;
	return 0;
}

static int string_read(struct parser *parser, struct json_object **ret_value)
{
	_cleanup_free_ char *bytes = NULL;
	int r = bytes_read(parser, &bytes);

	if (r < 0)
		return r;
	*ret_value = json_object_new_string(bytes);
	return *ret_value ? 0 : -ENOMEM;
}

/* Counts: we have neither signs nor fractions. */
static int count_read(struct parser *parser, struct json_object **ret_value)
{
	char digits[24] = "";
	size_t length = strspn(parser->at, "0123456789");
	uint64_t count;

	if (length >= sizeof(digits))
		return -EBADMSG;
	memcpy(digits, parser->at, length);
	if (parse_u64(digits, &count) < 0)
		return -EBADMSG;
	parser->at += length;
	*ret_value = json_object_new_uint64(count);
	return *ret_value ? 0 : -ENOMEM;
}

static int value_read(struct parser *parser, struct json_object **ret_value);

/* A value, which the array then owns. */
static int element_read(struct parser *parser, struct json_object *array)
{
	struct json_object *value = NULL;
	int r = value_read(parser, &value);

	if (r < 0)
		return r;
	if (json_object_array_add(array, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

/* A name and its value, likewise. */
static int member_read(struct parser *parser, struct json_object *object)
{
	_cleanup_free_ char *name = NULL;
	struct json_object *value = NULL;
	int r = bytes_read(parser, &name);

	if (r < 0)
		return r;
	if (!take(parser, ':'))
		return -EBADMSG;
	r = value_read(parser, &value);
	if (r < 0)
		return r;
	if (json_object_object_add(object, name, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

/* An array or object, whose first sign has been taken. */
static int several_read(struct parser *parser, struct json_object *several, char end,
			int (*read)(struct parser *parser, struct json_object *several))
{
	int r = 0;

	if (!several)
		return -ENOMEM;
	if (take(parser, end))
		return 0;
	do
		r = read(parser, several);
	while (r == 0 && take(parser, ','));
	return r ?: take(parser, end) ? 0 : -EBADMSG;
}

static int value_read(struct parser *parser, struct json_object **ret_value)
{
	struct json_object *several = NULL;
	int r;

	if (*parser->at == '"')
		return string_read(parser, ret_value);
	if (*parser->at != '{' && *parser->at != '[')
		return count_read(parser, ret_value);
	if (parser->depth == DEPTH_MAX)
		return -EBADMSG;
	parser->depth++;
	if (take(parser, '{')) {
		several = json_object_new_object();
		r = several_read(parser, several, '}', member_read);
	} else {
		parser->at++;
		several = json_object_new_array();
		r = several_read(parser, several, ']', element_read);
	}
	parser->depth--;
	if (r == 0)
		*ret_value = several;
	else
		json_object_put(several);
	return r;
}

/* ---- is it ours? ---- */

/* Keys as ours are, for journald takes no others; and a type that there is. */
static int keys_check(struct json_object *line)
{
	bool typed = false;

	json_object_object_foreach(line, key, value)
	{
		if (!key[0] || key[strspn(key, "abcdefghijklmnopqrstuvwxyz_0123456789")])
			return -EBADMSG;
		if (!strcmp(key, envelope_fields[envelope_event_type].name))
			typed = json_object_is_type(value, json_type_string) &&
				control_by_name(json_object_get_string(value));
	}
	return typed ? 0 : -EBADMSG;
}

/* What was read must be, written as we write, the same text: then nothing was in there but ours. */
static int written_alike(struct json_object *object, const char *line, size_t length)
{
	size_t written = 0;
	_cleanup_free_ char *text = control_text(object, &written);

	if (!text)
		return -ENOMEM;
	return written == length && !memcmp(text, line, length) ? 0 : -EBADMSG;
}

int control_parse(const char *line, size_t length, struct json_object **ret_line)
{
	_cleanup_free_ char *text = length ? strndup(line, length - 1) : NULL;
	struct parser parser = { .at = text };
	struct json_object *object = NULL;
	int r;

	if (!length || line[0] != '{' || line[length - 1] != '\n')
		return -EBADMSG;
	if (!text)
		return -ENOMEM;
	length--;
	r = value_read(&parser, &object);
	if (r < 0)
		return r;
	r = parser.at != text + length ? -EBADMSG : 0;
	r = r ?: keys_check(object) ?: written_alike(object, line, length);
	if (r == 0)
		*ret_line = object;
	else
		json_object_put(object);
	return r;
}
