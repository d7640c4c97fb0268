// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "schema/json.h"

#include <errno.h>

#include "base/text.h"

/* ---- building ---- */

void json_put(bool *failed, struct json_object *to, const char *name, struct json_object *value)
{
	if (to && value && json_object_object_add(to, name, value) == 0)
		return;
	json_object_put(value);
	*failed = true;
}

void json_append(bool *failed, struct json_object *to, struct json_object *value)
{
	if (to && value && json_object_array_add(to, value) == 0)
		return;
	json_object_put(value);
	*failed = true;
}

/* ---- writing ---- */

/* Bytes that the value's text takes at the most; ours are strings, counts, booleans, arrays and
 * objects. */
static size_t text_most(struct json_object *value)
{
	size_t most = U64_TEXT_MAX;

	switch (json_object_get_type(value)) {
	case json_type_string:
		return JSON_TEXT_MAX(json_object_get_string_len(value)) + strlen("\"\"");
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(value); i++)
			most += text_most(json_object_array_get_idx(value, i)) + strlen(",");
		return most;
	case json_type_object: {
		json_object_object_foreach(value, key, member) most +=
			JSON_TEXT_MAX(strlen(key)) + text_most(member) + strlen("\"\":,");
		return most;
	}
	default:
		return most;
	}
}

static char *put_quoted(char *p, const char *bytes)
{
	*p++ = '"';
	p = put_json_string(p, bytes, strlen(bytes));
	*p++ = '"';
	return p;
}

static char *put_value(char *p, struct json_object *value);

static char *put_array(char *p, struct json_object *array)
{
	*p++ = '[';
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		if (i)
			*p++ = ',';
		p = put_value(p, json_object_array_get_idx(array, i));
	}
	*p++ = ']';
	return p;
}

static char *put_object(char *p, struct json_object *object)
{
	char separator = '{';

	if (!json_object_object_length(object))
		*p++ = separator;
	json_object_object_foreach(object, key, value)
	{
		*p++ = separator;
		p = put_quoted(p, key);
		*p++ = ':';
		p = put_value(p, value);
		separator = ',';
	}
	*p++ = '}';
	return p;
}

static char *put_value(char *p, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_string:
		return put_quoted(p, json_object_get_string(value));
	case json_type_array:
		return put_array(p, value);
	case json_type_object:
		return put_object(p, value);
	case json_type_boolean:
		return stpcpy(p, json_object_get_boolean(value) ? "true" : "false");
	default:
		return put_u64(p, json_object_get_uint64(value));
	}
}

char *json_text(struct json_object *value, size_t *ret_length)
{
	char *text = malloc(text_most(value) + 1), *end;

	if (!text)
		return NULL;
	end = put_value(text, value);
	*end = 0;
	*ret_length = (size_t)(end - text);
	return text;
}

#define INDENT 2

static void line_begin(FILE *file, int depth)
{
	fprintf(file, "\n%*s", INDENT * depth, "");
}

/* The string at `text`, quotes included. Returns its end. */
static const char *print_string(FILE *file, const char *text)
{
	const char *end = text + 1;

	while (*end != '"')
		end += *end == '\\' ? 2 : 1;
	end++;
	fwrite(text, 1, (size_t)(end - text), file);
	return end;
}

/* What stands between strings: signs, and the words and numbers among them. */
static void print_sign(FILE *file, char sign, int *depth)
{
	const bool opens = sign == '{' || sign == '[', closes = sign == '}' || sign == ']';

	if (closes)
		line_begin(file, --*depth);
	putc(sign, file);
	if (sign == ':')
		putc(' ', file);
	if (opens)
		++*depth;
	if (sign == ',' || opens)
		line_begin(file, *depth);
}

int json_print(FILE *file, struct json_object *value)
{
	size_t length;
	_cleanup_free_ char *text = json_text(value, &length);
	int depth = 0;

	if (!text)
		return -ENOMEM;
	for (const char *p = text; *p;)
		if (*p == '"')
			p = print_string(file, p);
		else if (!strncmp(p, "{}", 2) || !strncmp(p, "[]", 2))
			p += fwrite(p, 1, 2, file);
		else
			print_sign(file, *p++, &depth);
	putc('\n', file);
	return 0;
}
