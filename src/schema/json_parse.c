// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * json_parse.c - JSON texts of our own: no blanks, and each value in the one way that we write it.
 *
 * That is little, and json-c's own parser is of no use for it: it takes much that is no JSON, and
 * an allocation that fails in it is a crash, or a value that is cut.
 */
#include <errno.h>

#include "base/text.h"
#include "schema/json.h"

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

static int boolean_read(struct parser *parser, struct json_object **ret_value)
{
	const bool value = *parser->at == 't';
	const char *word = value ? "true" : "false";

	if (strncmp(parser->at, word, strlen(word)) != 0)
		return -EBADMSG;
	parser->at += strlen(word);
	*ret_value = json_object_new_boolean(value);
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
	if (*parser->at == 't' || *parser->at == 'f')
		return boolean_read(parser, ret_value);
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

int json_parse(const char *text, struct json_object **ret_value)
{
	struct parser parser = { .at = text };
	struct json_object *value = NULL;
	int r = value_read(&parser, &value);

	if (r < 0)
		return r;
	if (*parser.at) {
		json_object_put(value);
		return -EBADMSG;
	}
	*ret_value = value;
	return 0;
}
