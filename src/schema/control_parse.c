// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * control_parse.c - a control line of a recording, from its text back to its values. Only what
 * netlog itself writes is read, in the one way that it is written.
 */
#include <errno.h>

#include "schema/control.h"

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
	_cleanup_free_ char *text = json_text(object, &written);

	if (!text)
		return -ENOMEM;
	return written == length && !memcmp(text, line, length) ? 0 : -EBADMSG;
}

int control_parse(const char *line, size_t length, struct json_object **ret_line)
{
	_cleanup_free_ char *text = length ? strndup(line, length - 1) : NULL;
	struct json_object *object = NULL;
	int r;

	if (!length || line[0] != '{' || line[length - 1] != '\n')
		return -EBADMSG;
	if (!text)
		return -ENOMEM;
	length--;
	r = json_parse(text, &object);
	if (r < 0)
		return r;
	r = keys_check(object) ?: written_alike(object, line, length);
	if (r == 0)
		*ret_line = object;
	else
		json_object_put(object);
	return r;
}
