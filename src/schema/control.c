// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "schema/control.h"

#include <errno.h>

#include "base/text.h"

#define CONTROL_FIELD(shape, name, doc) { #name, doc, shape_##shape },
#define CONTROL_FIELD_TABLE(name, FIELDS, message_id, doc) \
	static const struct control_field name##_fields[] = { FIELDS(CONTROL_FIELD) };
CONTROL_LINES(CONTROL_FIELD_TABLE)

const struct control_field envelope_fields[envelope_keys] = { ENVELOPE(CONTROL_FIELD) };

#define CONTROL_DESC(name, FIELDS, message_id, doc) \
	[control_##name] = { #name, message_id, doc, ARRAY_SIZE(name##_fields), name##_fields },
const struct control_desc control_descs[control_types] = { CONTROL_LINES(CONTROL_DESC) };

static void put(struct control *control, struct json_object *to, const char *name,
		struct json_object *value)
{
	json_put(&control->failed, to, name, value);
}

static void append(struct control *control, struct json_object *to, struct json_object *value)
{
	json_append(&control->failed, to, value);
}

/* The array or object of that name, made when there is none. */
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
	put(control, control->line, name, json_object_new_string(value));
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

	put(control, object, "output", json_object_new_string(output));
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
		put(control, object, "error", json_object_new_string(hook->error));
	else if (hook->blind[0])
		put(control, object, "blind", json_object_new_string(hook->blind));
	append(control, array, object);
}

void control_add_filter(struct control *control, const char *name, const char *filter,
			const char *text)
{
	struct json_object *object = child(control, name, json_object_new_object);

	if (filter)
		append(control, child_of(control, object, filter, make_array),
		       json_object_new_string(text));
}

int control_end(struct control *control, size_t most, struct json_object **ret_line)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	int r = -ENOMEM;

	text = control->failed ? NULL : json_text(control->line, &length);
	if (text)
		r = length + 1 > most ? -E2BIG : 0;
	if (r == 0)
		*ret_line = control->line;
	else
		json_object_put(control->line);
	control->line = NULL;
	return r;
}

const struct control_desc *control_by_name(const char *name)
{
	for (enum control_type type = 0; type < control_types; type++)
		if (!strcmp(control_descs[type].name, name))
			return &control_descs[type];
	return NULL;
}

const char *control_type_name(struct json_object *line)
{
	return json_object_get_string(
		json_object_object_get(line, envelope_fields[envelope_event_type].name));
}
