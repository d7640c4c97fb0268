// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * control_line.c - netlog's own lines, in any format. They are rare, so their values are json-c's.
 */
#include "schema/control.h"

#include "line/format.h"

/* Add a value to the line, which then owns it. */
static bool add(struct json_object *line, const char *key, struct json_object *value)
{
	if (value && json_object_object_add(line, key, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static bool add_constants(struct json_object *line, const struct format *format, const char *name)
{
	struct constants constants = {};
	struct json_object *value;

	format->constants(name, &constants);
	for (unsigned int i = 0; i < constants.count; i++)
		if (json_parse(constants.of[i].json, &value) < 0 ||
		    !add(line, constants.of[i].key, value))
			return false;
	return true;
}

const struct control_rename *format_control_rename(const struct format *format, const char *line,
						   const char *name)
{
	for (unsigned int i = 0; i < format->control_rename_count; i++) {
		const struct control_rename *rename = &format->control_renames[i];

		if (!strcmp(rename->line, line) && !strcmp(rename->name, name))
			return rename;
	}
	return NULL;
}

char *format_control_key(const struct format *format, const char *line, const char *name)
{
	const struct control_rename *rename = format_control_rename(format, line, name);
	char *key;

	if (rename)
		return strdup(rename->key);
	return asprintf(&key, "%s%s", format->prefix, name) < 0 ? NULL : key;
}

/* The value as the format has it: one more reference, or another one. NULL: memory is short. */
static struct json_object *value_of(const struct format *format, const char *line, const char *name,
				    struct json_object *value)
{
	const struct control_rename *rename = format_control_rename(format, line, name);
	char text[LEAD_BYTES];

	/* one that is not as long as it must be comes from a recording that somebody has made */
	if (!rename || !rename->text || json_object_get_string_len(value) != 32)
		return json_object_get(value);
	rename->text(json_object_get_string(value), text);
	return json_object_new_string(text);
}

/* One of the control line's own keys and its value, as the format has them. */
static bool add_key(struct json_object *line, const struct format *format, const char *type,
		    const char *name, struct json_object *value)
{
	_cleanup_free_ char *key = NULL;

	if (!strcmp(name, envelope_fields[envelope_event_type].name))
		return add_constants(line, format, type);
	if (!strcmp(name, envelope_fields[envelope_timestamp].name))
		return add(line, format->timestamp, json_object_get(value));
	if (!strcmp(name, envelope_fields[envelope_seq].name))
		return add(line, format->seq, json_object_get(value));
	if (!strcmp(name, envelope_fields[envelope_hostname].name))
		return add(line, format->hostname, json_object_get(value));
	key = format_control_key(format, type, name);
	return key && add(line, key, value_of(format, type, name, value));
}

size_t control_line_put(const struct format *format, struct json_object *control, char *p,
			size_t room)
{
	struct json_object *line = json_object_new_object();
	const char *type = control_type_name(control);
	_cleanup_free_ char *text = NULL;
	bool whole = line;
	size_t length = 0;

	json_object_object_foreach(control, name, value) whole =
		whole && add_key(line, format, type, name, value);
	text = whole ? json_text(line, &length) : NULL;
	if (text && length + 1 <= room) {
		memcpy(p, text, length);
		p[length++] = '\n';
	} else {
		length = 0;
	}
	json_object_put(line);
	return length;
}
