// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "schema/control.h"

#include <errno.h>
#include <limits.h>

#include "base/text.h"

#define CONTROL_FIELD(shape, name, doc) { #name, doc, shape_##shape },
#define CONTROL_FIELD_TABLE(name, FIELDS, message_id, doc) \
	static const struct control_field name##_fields[] = { FIELDS(CONTROL_FIELD) };
CONTROL_LINES(CONTROL_FIELD_TABLE)

const struct control_field envelope_fields[envelope_keys] = { ENVELOPE(CONTROL_FIELD) };

#define CONTROL_DESC(name, FIELDS, message_id, doc) \
	[control_##name] = { #name, message_id, doc, ARRAY_SIZE(name##_fields), name##_fields },
const struct control_desc control_descs[control_types] = { CONTROL_LINES(CONTROL_DESC) };

/* Add a new value to the object, which then owns it. NULL: it could not be allocated. */
static void put(struct control *control, struct json_object *to, const char *name,
		struct json_object *value)
{
	if (to && value && json_object_object_add(to, name, value) == 0)
		return;
	json_object_put(value);
	control->failed = true;
}

static void append(struct control *control, struct json_object *to, struct json_object *value)
{
	if (to && value && json_object_array_add(to, value) == 0)
		return;
	json_object_put(value);
	control->failed = true;
}

/*
 * Have a json-c string written as strings are in event lines: json-c itself would let invalid UTF-8
 * and some control characters through. -ENOMEM.
 */
static int string_mend(struct json_object *string)
{
	const char *bytes = json_object_get_string(string);
	char *quoted = malloc(JSON_TEXT_MAX(strlen(bytes)) + 3);
	char *p = quoted;

	if (!quoted)
		return -ENOMEM;
	*p++ = '"';
	p = put_json_string(p, bytes, strlen(bytes));
	*p++ = '"';
	*p = 0;
	json_object_set_serializer(string, json_object_userdata_to_json_string, quoted,
				   json_object_free_userdata);
	return 0;
}

/* A json-c string of any bytes, mended. */
static struct json_object *clean_string(const char *bytes)
{
	struct json_object *string = json_object_new_string(bytes);

	if (!string || string_mend(string) == 0)
		return string;
	json_object_put(string);
	return NULL;
}

/* The array or object of that name, which is made if there is none. */
static struct json_object *child_of(struct control *control, struct json_object *parent,
				    const char *name, struct json_object *(*make)(void))
{
	struct json_object *found;

	if (json_object_object_get_ex(parent, name, &found))
		return found;
	put(control, parent, name, make());
	json_object_object_get_ex(parent, name, &found);
	return found;
}

static struct json_object *child(struct control *control, const char *name,
				 struct json_object *(*make)(void))
{
	return child_of(control, control->line, name, make);
}

static struct json_object *make_array(void)
{
	return json_object_new_array();
}

void control_begin(struct control *control, enum control_type type, const char *hostname,
		   uint64_t seq, uint64_t wall_ns)
{
	struct timestamp_cache cache = {};
	char timestamp[TIMESTAMP_TEXT_MAX + 1];
	const char *const texts[envelope_keys] = {
		[envelope_timestamp] = timestamp,
		[envelope_event_type] = control_descs[type].name,
		[envelope_hostname] = hostname,
	};

	_Static_assert(envelope_keys == 4, "seq, and these");
	*put_timestamp(timestamp, &cache, wall_ns) = 0;
	*control = (struct control){ .line = json_object_new_object() };
	for (unsigned int i = 0; i < envelope_keys; i++) {
		if (i == envelope_seq)
			control_add_count(control, envelope_fields[i].name, seq);
		else
			control_add_string(control, envelope_fields[i].name, texts[i]);
	}
}

void control_add_string(struct control *control, const char *name, const char *value)
{
	put(control, control->line, name, clean_string(value));
}

void control_add_count(struct control *control, const char *name, uint64_t value)
{
	put(control, control->line, name, json_object_new_uint64(value));
}

void control_add_event_names(struct control *control, const char *name, uint64_t events)
{
	struct json_object *array = child(control, name, make_array);

	for_each_event_type(type)
		if (events & BIT(type))
			append(control, array, json_object_new_string(event_desc(type)->name));
}

static void put_figures(struct control *control, struct json_object *object,
			const struct figures *figures, uint64_t events)
{
	for_each_event_type(type)
		if (events & BIT(type))
			put(control, object, event_desc(type)->name,
			    json_object_new_uint64(figures->of[type]));
}

void control_add_figures(struct control *control, const char *name, const struct figures *figures,
			 uint64_t events)
{
	put_figures(control, child(control, name, json_object_new_object), figures, events);
}

void control_add_output(struct control *control, const char *name, const char *output,
			const struct figures *emitted, const struct figures *lost, uint64_t events)
{
	struct json_object *array = child(control, name, make_array);
	struct json_object *object = json_object_new_object();
	struct json_object *part;

	put(control, object, "output", clean_string(output));
	part = json_object_new_object();
	put_figures(control, part, emitted, events);
	put(control, object, "emitted", part);
	part = json_object_new_object();
	put_figures(control, part, lost, events);
	put(control, object, "lost", part);
	append(control, array, object);
}

void control_add_hook(struct control *control, const char *name, const struct control_hook *hook)
{
	struct json_object *array = child(control, name, make_array);
	struct json_object *object = json_object_new_object();

	put(control, object, "event", json_object_new_string(hook->event));
	put(control, object, "part", json_object_new_string(hook->part));
	put(control, object, "hook", json_object_new_string(hook->hook));
	if (hook->error)
		put(control, object, "error", clean_string(hook->error));
	else if (hook->blind[0])
		put(control, object, "blind", json_object_new_string(hook->blind));
	append(control, array, object);
}

void control_add_filter(struct control *control, const char *name, const char *filter,
			const char *text)
{
	struct json_object *object = child(control, name, json_object_new_object);

	if (filter)
		append(control, child_of(control, object, filter, make_array), clean_string(text));
}

const char *control_text(struct json_object *line, size_t *ret_length)
{
	return json_object_to_json_string_length(line, JSON_C_TO_STRING_NOSLASHESCAPE, ret_length);
}

int control_end(struct control *control, size_t most, struct json_object **ret_line)
{
	size_t length = 0;
	int r = -ENOMEM;

	if (!control->failed && control_text(control->line, &length))
		r = length + 1 > most ? -E2BIG : 0;
	if (r == 0)
		*ret_line = control->line;
	else
		json_object_put(control->line);
	control->line = NULL;
	return r;
}

const char *control_type_name(struct json_object *line)
{
	return json_object_get_string(
		json_object_object_get(line, envelope_fields[envelope_event_type].name));
}

/* Would put_json_string() change nothing but quotes and backslashes? */
static int text_check(const char *line, size_t length)
{
	_cleanup_free_ char *plain = malloc(length), *put = malloc(JSON_TEXT_MAX(length));

	if (!plain || !put)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++)
		plain[i] = (char)(line[i] == '"' || line[i] == '\\' ? ' ' : line[i]);
	if ((size_t)(put_json_string(put, plain, length) - put) != length)
		return -EBADMSG;
	return memcmp(put, plain, length) ? -EBADMSG : 0;
}

/*
 * Are all keys of the form that ours have (journald accepts no others), and is the type a known
 * one?
 */
static int keys_check(struct json_object *line)
{
	bool typed = false;

	json_object_object_foreach(line, key, value)
	{
		if (!key[0] || key[strspn(key, "abcdefghijklmnopqrstuvwxyz_0123456789")])
			return -EBADMSG;
		if (strcmp(key, envelope_fields[envelope_event_type].name) != 0)
			continue;
		for (enum control_type type = 0; type < control_types; type++)
			typed |= json_object_is_type(value, json_type_string) &&
				 !strcmp(json_object_get_string(value), control_descs[type].name);
	}
	return typed ? 0 : -EBADMSG;
}

static int values_mend(struct json_object *value);

static int members_mend(struct json_object *object)
{
	int r = 0;

	json_object_object_foreach(object, key, value)
	{
		(void)key;
		r = r ?: values_mend(value);
	}
	return r;
}

/* Have all strings in the value written as ours are. We have no fractions; NaN would be one. */
static int values_mend(struct json_object *value)
{
	int r = 0;

	switch (json_object_get_type(value)) {
	case json_type_string:
		return string_mend(value);
	case json_type_double:
		return -EBADMSG;
	case json_type_array:
		for (size_t i = 0; !r && i < json_object_array_length(value); i++)
			r = values_mend(json_object_array_get_idx(value, i));
		return r;
	case json_type_object:
		return members_mend(value);
	default:
		return 0;
	}
}

/*
 * json-c accepts more than JSON: even its strict mode does, which in 0.18 also refuses UTF-8. But
 * it never writes such things. So write what it has parsed, and require the bytes that were read.
 */
static int written_alike(struct json_object *object, const char *line, size_t length)
{
	int r = values_mend(object);
	size_t written = 0;
	const char *text = r < 0 ? NULL : control_text(object, &written);

	if (r < 0)
		return r;
	if (!text)
		return -ENOMEM;
	return written == length && !memcmp(text, line, length) ? 0 : -EBADMSG;
}

int control_parse(const char *line, size_t length, struct json_object **ret_line)
{
	struct json_tokener *tokener;
	struct json_object *object;
	int r;

	if (length < 3 || length > INT_MAX || line[0] != '{' || line[length - 2] != '}' ||
	    line[length - 1] != '\n')
		return -EBADMSG;
	r = text_check(line, --length);
	if (r < 0)
		return r;
	tokener = json_tokener_new();
	if (!tokener)
		return -ENOMEM;
	object = json_tokener_parse_ex(tokener, line, (int)length);
	r = -EBADMSG;
	if (json_object_is_type(object, json_type_object) &&
	    json_tokener_get_parse_end(tokener) == length)
		r = keys_check(object) ?: written_alike(object, line, length);
	json_tokener_free(tokener);
	if (r == 0)
		*ret_line = object;
	else
		json_object_put(object);
	return r;
}
