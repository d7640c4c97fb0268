// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * json_schema.c - the JSON Schema of the lines, from the same rows as the lines themselves.
 */
#include "line/json_schema.h"

#include "line/format.h"

/* A JSON text as an object. The texts are constants, so only memory can be missing. */
static struct json_object *json(const char *text)
{
	return json_tokener_parse(text);
}

static void set(struct json_object *object, const char *name, struct json_object *value)
{
	json_object_object_add(object, name, value);
}

static void set_string(struct json_object *object, const char *name, const char *value)
{
	set(object, name, json_object_new_string(value));
}

static void set_property(struct json_object *properties, const char *name, const char *doc,
			 struct json_object *schema)
{
	set_string(schema, "description", doc);
	set(properties, name, schema);
}

/* The texts of an enumeration, each once, in the order of their numbers. */
static struct json_object *enum_schema(enum kind kind)
{
	struct json_object *object = json("{\"type\":\"string\"}");
	struct json_object *texts = json_object_new_array();

	for (unsigned int i = 0; i < kind_descs[kind].numbers; i++) {
		const char *text = enum_text(kind, i);

		if (text && enum_by_text(kind, text) == (int)i)
			json_object_array_add(texts, json_object_new_string(text));
	}
	set(object, "enum", texts);
	return object;
}

static struct json_object *kind_schema(enum kind kind)
{
	const char *text = kind_descs[kind].json_schema;

	return text ? json(text) : enum_schema(kind);
}

/* Describe the names of a number, if its kind has names. */
static void set_names(const struct format *format, struct json_object *properties, enum kind kind)
{
	const struct name_source_desc *desc;
	char key[LEAD_BYTES];

	if (!KIND_HAS_NAMES(kind))
		return;
	desc = &name_source_descs[KIND_NAMES(kind)];
	for (unsigned int i = 0; i < desc->key_count; i++)
		set_property(properties, format_key(format, desc->keys[i].name, key),
			     desc->keys[i].doc, json("{\"type\":\"string\",\"minLength\":1}"));
}

/* Describe a field, under each key that it may have. */
static void set_event_field(const struct format *format, struct json_object *properties,
			    const struct event_desc *event, const struct field_desc *field)
{
	bool renamed = false;
	char key[LEAD_BYTES];

	for (unsigned int i = 0; i < format->rename_count; i++) {
		const struct rename *rename = &format->renames[i];

		if (!rename_concerns(rename, event, field))
			continue;
		set_property(properties, rename->key, field->doc,
			     rename->put ? json(rename->json_schema) : kind_schema(field->kind));
		renamed = true;
	}
	if (!renamed)
		set_property(properties, format_key(format, field->name, key), field->doc,
			     kind_schema(field->kind));
	set_names(format, properties, field->kind);
}

static struct json_object *event_names_schema(void)
{
	struct json_object *object = json("{\"type\":\"string\"}");
	struct json_object *names = json_object_new_array();

	for_each_event_type(type)
		json_object_array_add(names, json_object_new_string(event_desc(type)->name));
	set(object, "enum", names);
	return object;
}

static struct json_object *figures_schema(void)
{
	struct json_object *object = json("{\"type\":\"object\",\"additionalProperties\":false}");
	struct json_object *properties = json_object_new_object();

	for_each_event_type(type)
		set(properties, event_desc(type)->name, kind_schema(kind_u64));
	set(object, "properties", properties);
	return object;
}

static struct json_object *outputs_schema(void)
{
	struct json_object *array = json("{\"type\":\"array\"}");
	struct json_object *object = json("{\"type\":\"object\",\"additionalProperties\":false,"
					  "\"required\":[\"output\",\"emitted\",\"lost\"]}");
	struct json_object *properties = json_object_new_object();

	set(properties, "output", json("{\"type\":\"string\"}"));
	set(properties, "emitted", figures_schema());
	set(properties, "lost", figures_schema());
	set(object, "properties", properties);
	set(array, "items", object);
	return array;
}

static struct json_object *shape_schema(enum control_shape shape)
{
	struct json_object *object;

	switch (shape) {
	case shape_timestamp:
		return json("{\"type\":\"string\",\"pattern\":\"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
			    "T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z$\"}");
	case shape_line_type:
		return NULL; /* written as a constant of the format */
	case shape_any_string:
		return json("{\"type\":\"string\"}");
	case shape_string:
	case shape_string_or_none:
		return json("{\"type\":\"string\",\"minLength\":1}");
	case shape_hex32:
	case shape_hex32_or_none:
		return json("{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{32}$\"}");
	case shape_count:
		return kind_schema(kind_u64);
	case shape_lost_name:
		object = event_names_schema();
		json_object_array_add(json_object_object_get(object, "enum"),
				      json_object_new_string(LOST_OTHER));
		return object;
	case shape_event_names:
		object = json("{\"type\":\"array\",\"uniqueItems\":true}");
		set(object, "items", event_names_schema());
		return object;
	case shape_figures:
		return figures_schema();
	case shape_outputs:
		return outputs_schema();
	case shape_hooks:
		return json("{\"type\":\"array\",\"items\":{\"type\":\"object\","
			    "\"additionalProperties\":false,"
			    "\"required\":[\"event\",\"part\",\"hook\"],\"properties\":{"
			    "\"event\":{\"type\":\"string\"},\"part\":{\"type\":\"string\"},"
			    "\"hook\":{\"type\":\"string\"},\"blind\":{\"type\":\"string\"},"
			    "\"error\":{\"type\":\"string\"}}}}");
	case shape_filters:
		return json("{\"type\":\"object\",\"additionalProperties\":{\"type\":\"array\","
			    "\"items\":{\"type\":\"string\"}}}");
	}
	return NULL;
}

static void require(struct json_object *required, const char *key)
{
	json_object_array_add(required, json_object_new_string(key));
}

static void set_required(struct json_object *properties, struct json_object *required,
			 const char *key, const struct control_field *field)
{
	set_property(properties, key, field->doc, shape_schema(field->shape));
	require(required, key);
}

/* Describe a control line's field. Each is required, except those that may be absent. */
static void set_control_field(const struct format *format, struct json_object *properties,
			      struct json_object *required, const struct control_desc *line,
			      const struct control_field *field)
{
	const struct control_rename *rename =
		format_control_rename(format, line->name, field->name);
	_cleanup_free_ char *key = format_control_key(format, line->name, field->name);

	if (!key)
		return;
	set_property(properties, key, field->doc,
		     rename && rename->text ? json(rename->json_schema) :
					      shape_schema(field->shape));
	if (field->shape != shape_hex32_or_none && field->shape != shape_string_or_none)
		require(required, key);
}

/* Describe the keys that all lines have. */
static void set_envelope(const struct format *format, const char *name,
			 struct json_object *properties, struct json_object *required)
{
	struct constants constants = {};

	format->constants(name, &constants);
	set_required(properties, required, format->timestamp, &envelope_fields[envelope_timestamp]);
	for (unsigned int i = 0; i < constants.count; i++) {
		struct json_object *schema = json_object_new_object();

		set(schema, "const", json(constants.of[i].json));
		if (constants.count == 1)
			set_string(schema, "description", envelope_fields[envelope_event_type].doc);
		set(properties, constants.of[i].key, schema);
		require(required, constants.of[i].key);
	}
	set_required(properties, required, format->seq, &envelope_fields[envelope_seq]);
	set_required(properties, required, format->hostname, &envelope_fields[envelope_hostname]);
}

/* The schema of one type of line, envelope included. */
static struct json_object *line_schema(const struct format *format, const char *name,
				       const char *doc, struct json_object **ret_properties,
				       struct json_object **ret_required)
{
	struct json_object *object = json("{\"type\":\"object\",\"additionalProperties\":false}");
	struct json_object *properties = json_object_new_object();
	struct json_object *required = json_object_new_array();

	set_string(object, "title", name);
	set_string(object, "description", doc);
	set_envelope(format, name, properties, required);
	set(object, "properties", properties);
	set(object, "required", required);
	*ret_properties = properties;
	*ret_required = required;
	return object;
}

struct json_object *schema_json(enum format_id id)
{
	const struct format *format = format_of(id);
	struct json_object *schema, *lines, *properties, *required;

	schema = json("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
		      "\"title\":\"netlog\",\"description\":\"One line of netlog's output.\"}");
	lines = json_object_new_array();
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);

		json_object_array_add(lines, line_schema(format, desc->name, desc->doc, &properties,
							 &required));
		for (unsigned int i = 0; i < desc->field_count; i++)
			set_event_field(format, properties, desc, &desc->fields[i]);
	}
	for (enum control_type type = 0; type < control_types; type++) {
		const struct control_desc *desc = &control_descs[type];

		json_object_array_add(lines, line_schema(format, desc->name, desc->doc, &properties,
							 &required));
		for (unsigned int i = 0; i < desc->field_count; i++)
			set_control_field(format, properties, required, desc, &desc->fields[i]);
	}
	set(schema, "oneOf", lines);
	return schema;
}
