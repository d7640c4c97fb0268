// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * file.c - reading configuration files. json-c parses names and values. The text between them,
 * where lines are counted and comments may be, is walked here: json-c skips comments too, but then
 * nobody knows where in the text a value was.
 */
#include "settings/file.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "base/util.h"

struct reader {
	const char *path;
	const char *text;
	size_t length;
	size_t at;
	struct json_tokener *tokener;
	config_take take;
	void *context;
	struct name {
		char *text;
		unsigned int line;
	} * names; /* of members read so far */
	unsigned int name_count;
	char *message;
};

static unsigned int line_of(const struct reader *reader, size_t at)
{
	unsigned int line = 1;

	for (size_t i = 0; i < at && i < reader->length; i++)
		line += reader->text[i] == '\n';
	return line;
}

/* Say what is wrong at that place. Only the first complaint is kept. */
static int complain(struct reader *reader, size_t at, const char *format, ...) _printf_(3, 4);
static int complain(struct reader *reader, size_t at, const char *format, ...)
{
	_cleanup_free_ char *what = NULL;
	va_list arguments;

	if (reader->message)
		return -EBADMSG;
	va_start(arguments, format);
	if (vasprintf(&what, format, arguments) < 0)
		what = NULL;
	va_end(arguments);
	if (!what ||
	    asprintf(&reader->message, "%s:%u: %s", reader->path, line_of(reader, at), what) < 0)
		reader->message = NULL;
	return -EBADMSG;
}

/* Which is no fault of the file's: another time it may go well. */
static int memory_is_short(struct reader *reader)
{
	complain(reader, reader->at, "memory is short");
	return -ENOMEM;
}

static char peek(const struct reader *reader)
{
	if (reader->at >= reader->length)
		return 0;
	return reader->text[reader->at];
}

static bool take_text(struct reader *reader, const char *text)
{
	size_t length = strlen(text);

	if (reader->length - reader->at < length ||
	    memcmp(reader->text + reader->at, text, length) != 0)
		return false;
	reader->at += length;
	return true;
}

/* Skip white space and comments. */
static int skip(struct reader *reader)
{
	size_t begin;

	for (;;) {
		while (peek(reader) && strchr(" \t\r\n", peek(reader)))
			reader->at++;
		begin = reader->at;
		if (take_text(reader, "//")) {
			while (reader->at < reader->length && peek(reader) != '\n')
				reader->at++;
		} else if (take_text(reader, "/*")) {
			while (reader->at < reader->length && !take_text(reader, "*/"))
				reader->at++;
			if (memcmp(reader->text + reader->at - 2, "*/", 2) != 0 ||
			    reader->at - begin < 4)
				return complain(reader, begin, "a comment begins that never ends");
		} else {
			return 0;
		}
	}
}

/* What is at this place, for a message: `x`, or the end of the file. */
static const char *found(const struct reader *reader)
{
	static char text[24];

	if (reader->at >= reader->length)
		return "the end of the file";
	if ((unsigned char)peek(reader) <= ' ' || (unsigned char)peek(reader) >= 0x7f)
		return "a strange character";
	snprintf(text, sizeof(text), "'%c'", peek(reader));
	return text;
}

/* Is the string shorter than its text, though that has no escapes? json-c does not say so. */
static bool cut(const char *text, struct json_object *object)
{
	const size_t length =
		json_object_is_type(object, json_type_string) ? strcspn(text + 1, "\"\\") : 0;

	return length && text[1 + length] == '"' &&
	       length != (size_t)json_object_get_string_len(object);
}

/* Bytes up to the end of a string, or to what may follow another scalar. */
static size_t scalar_length(const char *text)
{
	size_t length = 1;

	if (*text != '"')
		return strcspn(text, " \t\r\n,:]}/");
	while (text[length] && text[length] != '"')
		length += text[length] == '\\' && text[length + 1] ? 2 : 1;
	return length + (text[length] == '"');
}

/* The number of the escape \uXXXX at `p`; 0: there is none. */
static unsigned int escape_number(const char *p)
{
	char digits[5] = "";

	if (p[0] != '\\' || p[1] != 'u')
		return 0;
	strncpy(digits, p + strlen("\\u"), 4);
	return (unsigned int)strtoul(digits, NULL, 16);
}

/* Has it half of a pair of escapes (UTF-16) for one character? To json-c that is U+FFFD. */
static bool has_half_character(const char *p, const char *end)
{
	while (p < end) {
		const unsigned int number = escape_number(p);

		if (number >> 10 == 0xd800 >> 10) {
			if (escape_number(p + strlen("\\uXXXX")) >> 10 != 0xdc00 >> 10)
				return true;
			p += 2 * strlen("\\uXXXX");
		} else if (number >> 10 == 0xdc00 >> 10) {
			return true;
		} else {
			p += *p == '\\' ? 2 : 1;
		}
	}
	return false;
}

/*
 * A name, or a value that is no array. The caller puts it.
 *
 * json-c gets nothing of what follows: it would read on up to the next token, but does not see the
 * end of a comment that has two stars.
 */
static int read_scalar(struct reader *reader, struct json_object **ret_object)
{
	size_t begin = reader->at, length = scalar_length(reader->text + begin), end;
	_cleanup_free_ char *text = strndup(reader->text + begin, length + 1);
	struct json_object *object;

	if (!text)
		return memory_is_short(reader);
	/* a number ends only at another character; at a NUL, short memory would be an end too soon */
	text[length] = *text == '"' ? 0 : ' ';
	json_tokener_reset(reader->tokener);
	object = json_tokener_parse_ex(reader->tokener, text, (int)length + 1);
	end = json_tokener_get_parse_end(reader->tokener);
	reader->at += end < length ? end : length; /* before 5x's x, which no JSON has there */
	if (json_tokener_get_error(reader->tokener) != json_tokener_success) {
		json_object_put(object);
		return complain(reader, begin, "this is no JSON: %s",
				json_tokener_error_desc(json_tokener_get_error(reader->tokener)));
	}
	if (has_half_character(reader->text + begin, reader->text + reader->at)) {
		json_object_put(object);
		return complain(reader, begin,
				"expected whole characters, found half of a pair \\u");
	}
	/* it says of a value for which memory is short that it went well; null is no value here */
	if (!object || cut(text, object)) {
		json_object_put(object);
		return memory_is_short(reader);
	}
	*ret_object = object;
	return 0;
}

/* Can a value begin with this character? json-c would accept more. */
static bool begins_scalar(char c)
{
	return c == '"' || c == '-' || c == 't' || c == 'f' || (c >= '0' && c <= '9');
}

static int read_value(struct reader *reader, struct config_value *value)
{
	struct json_object *object = NULL;
	size_t begin = reader->at;
	char *wrong;
	_cleanup_free_ char *source = NULL;
	int r;

	if (!begins_scalar(peek(reader)))
		return complain(reader, begin,
				"\"%s\": expected a string, a number, true, false%s, found %s",
				value->name, value->in_array ? "" : " or an array of these",
				found(reader));
	r = read_scalar(reader, &object);
	if (r < 0)
		return r;
	/* the text as it was written: json-c accepts tRuE, and rounds numbers that are too large */
	source = strndup(reader->text + begin, reader->at - begin);
	if (!source) {
		json_object_put(object);
		return memory_is_short(reader);
	}
	value->text = json_object_is_type(object, json_type_string) ?
			      json_object_get_string(object) :
			      source;
	switch (json_object_get_type(object)) {
	case json_type_boolean:
		value->type = config_boolean;
		break;
	case json_type_string:
		value->type = config_string;
		break;
	default:
		value->type = config_number;
	}
	if (value->type == config_boolean && strcmp(value->text, "true") != 0 &&
	    strcmp(value->text, "false") != 0)
		wrong = setting_wrong("expected true or false, in lower case");
	else if (value->type == config_string &&
		 strlen(value->text) != (size_t)json_object_get_string_len(object))
		wrong = setting_wrong("expected a string without a NUL");
	else
		wrong = reader->take(reader->context, value);
	json_object_put(object);
	if (!wrong)
		return 0;
	r = complain(reader, begin, "\"%s\": %s", value->name, wrong);
	if (wrong_is_memory(wrong))
		r = -ENOMEM;
	free(wrong);
	return r;
}

/* Read what follows a value: does another one? `closing` ends them. */
static int read_separator(struct reader *reader, char closing, bool *ret_more)
{
	int r = skip(reader);

	if (r < 0)
		return r;
	*ret_more = peek(reader) == ',';
	if (!*ret_more && peek(reader) != closing)
		return complain(reader, reader->at, "expected ',' or '%c', found %s", closing,
				found(reader));
	reader->at++;
	return skip(reader);
}

static int read_array(struct reader *reader, struct config_value *value)
{
	bool more = true;
	int r;

	reader->at++;
	value->in_array = true;
	r = skip(reader);
	if (!r && peek(reader) == ']')
		return complain(reader, reader->at, "\"%s\": expected at least one value in []",
				value->name);
	while (!r && more) {
		r = read_value(reader, value) ?: read_separator(reader, ']', &more);
		value->more = true;
	}
	return r;
}

/* Remember a name, which may only occur once. */
static int name_note(struct reader *reader, size_t at, const char *text)
{
	struct name *names, *name;

	for (unsigned int i = 0; i < reader->name_count; i++)
		if (!strcmp(reader->names[i].text, text))
			return complain(reader, at, "\"%s\" is given twice; first in line %u", text,
					reader->names[i].line);
	names = reallocarray(reader->names, reader->name_count + 1, sizeof(*names));
	if (!names)
		return memory_is_short(reader);
	reader->names = names;
	name = &names[reader->name_count];
	name->line = line_of(reader, at);
	name->text = strdup(text);
	if (!name->text)
		return memory_is_short(reader);
	reader->name_count++;
	return 0;
}

static int read_member(struct reader *reader)
{
	struct config_value value = {};
	struct json_object *name = NULL;
	size_t begin = reader->at;
	int r;

	if (peek(reader) != '"')
		return complain(reader, begin, "expected a name in quotes, found %s%s",
				found(reader), peek(reader) == '}' ? "; no comma before it" : "");
	r = read_scalar(reader, &name);
	if (r < 0)
		return r;
	if (strlen(json_object_get_string(name)) != (size_t)json_object_get_string_len(name))
		r = complain(reader, begin, "expected a name without a NUL");
	else
		r = name_note(reader, begin, json_object_get_string(name));
	json_object_put(name);
	if (r < 0)
		return r;
	value.name = reader->names[reader->name_count - 1].text;
	r = skip(reader);
	if (!r && !take_text(reader, ":"))
		r = complain(reader, reader->at, "expected ':' after \"%s\", found %s", value.name,
			     found(reader));
	if (!r)
		r = skip(reader);
	if (r < 0)
		return r;
	return peek(reader) == '[' ? read_array(reader, &value) : read_value(reader, &value);
}

static int read_object(struct reader *reader)
{
	bool more;
	int r = skip(reader);

	if (r < 0)
		return r;
	if (!take_text(reader, "{"))
		return complain(reader, reader->at, "expected '{' at the beginning, found %s",
				found(reader));
	r = skip(reader);
	more = peek(reader) != '}';
	if (!more)
		reader->at++;
	while (!r && more)
		r = read_member(reader) ?: read_separator(reader, '}', &more);
	if (!r)
		r = skip(reader);
	if (!r && reader->at < reader->length)
		r = complain(reader, reader->at, "expected nothing after the last '}', found %s",
			     found(reader));
	return r;
}

/* ---- the file ---- */

static int load(const char *path, char **ret_text, size_t *ret_length)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	struct stat status;
	size_t length = 0;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (fcntl(fd, F_SETFL, 0) < 0) /* only opening must not wait; a pipe's writer may be slow */
		return -errno;
	text = malloc(CONFIG_BYTES_MAX + 1);
	if (!text)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, text + length, CONFIG_BYTES_MAX + 1 - length);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
		if (length > CONFIG_BYTES_MAX)
			return -EFBIG;
	}
	text[length] = 0;
	*ret_text = text;
	text = NULL;
	*ret_length = length;
	return 0;
}

int config_read(const char *path, config_take take, void *context, char **ret_message)
{
	_cleanup_free_ char *text = NULL;
	struct reader reader = { .path = path, .take = take, .context = context };
	int r;

	*ret_message = NULL;
	r = load(path, &text, &reader.length);
	if (r < 0) {
		if (asprintf(ret_message, "cannot read the configuration %s: %s", path,
			     strerror(-r)) < 0)
			*ret_message = NULL;
		return r;
	}
	reader.text = text;
	reader.tokener = json_tokener_new();
	if (!reader.tokener)
		return -ENOMEM;
	json_tokener_set_flags(reader.tokener, JSON_TOKENER_VALIDATE_UTF8);
	r = read_object(&reader);
	json_tokener_free(reader.tokener);
	for (unsigned int i = 0; i < reader.name_count; i++)
		free(reader.names[i].text);
	free(reader.names);
	*ret_message = reader.message;
	return r;
}
