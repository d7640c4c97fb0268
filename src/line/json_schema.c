// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * json_schema.c - the JSON Schema of the lines, from the same rows as the lines themselves.
 */
#include "line/json_schema.h"

#include "line/format.h"

struct schema {
	const struct format *format;
	bool failed; /* memory was short for some part of it */
};

/* A JSON text as a value. The texts are constants, so only memory can be missing. */
static struct json_object *json(const char *text)
{
	struct json_object *value = NULL;

	json_parse(text, &value);
	return value;
}

static void set(struct schema *schema, struct json_object *object, const char *name,
		struct json_object *value)
{
	json_put(&schema->failed, object, name, value);
}

static void set_string(struct schema *schema, struct json_object *object, const char *name,
		       const char *value)
{
	set(schema, object, name, json_object_new_string(value));
}

static void append(struct schema *schema, struct json_object *array, struct json_object *value)
{
	json_append(&schema->failed, array, value);
}

static void set_property(struct schema *schema, struct json_object *properties, const char *name,
			 const char *doc, struct json_object *value)
{
	set_string(schema, value, "description", doc);
	set(schema, properties, name, value);
}

/* The texts of an enumeration, each once, in the order of their numbers. */
static struct json_object *enum_schema(struct schema *schema, enum kind kind)
{
	struct json_object *object = json("{\"type\":\"string\"}");
	struct json_object *texts = json_object_new_array();

	for (unsigned int i = 0; i < kind_descs[kind].numbers; i++) {
		const char *text = enum_text(kind, i);

		if (text && enum_by_text(kind, text) == (int)i)
			append(schema, texts, json_object_new_string(text));
	}
	set(schema, object, "enum", texts);
	return object;
}

static struct json_object *kind_schema(struct schema *schema, enum kind kind)
{
	const char *text = kind_descs[kind].json_schema;

	return text ? json(text) : enum_schema(schema, kind);
}

/* Describe the names of a number, if its kind has names. */
static void set_names(struct schema *schema, struct json_object *properties, enum kind kind)
{
	const struct name_source_desc *desc;
	char key[LEAD_BYTES];

	if (!KIND_HAS_NAMES(kind))
		return;
	desc = &name_source_descs[KIND_NAMES(kind)];
	for (unsigned int i = 0; i < desc->key_count; i++)
		set_property(schema, properties,
			     format_key(schema->format, desc->keys[i].name, key), desc->keys[i].doc,
			     json("{\"type\":\"string\",\"minLength\":1}"));
}

/* Describe a field, under each key that it may have. */
static void set_event_field(struct schema *schema, struct json_object *properties,
			    const struct event_desc *event, const struct field_desc *field)
{
	bool renamed = false;
	char key[LEAD_BYTES];

	for (unsigned int i = 0; i < schema->format->rename_count; i++) {
		const struct rename *rename = &schema->format->renames[i];

		if (!rename_concerns(rename, event, field))
			continue;
		set_property(schema, properties, rename->key, field->doc,
			     rename->put ? json(rename->json_schema) :
					   kind_schema(schema, field->kind));
		renamed = true;
	}
	if (!renamed)
		set_property(schema, properties, format_key(schema->format, field->name, key),
			     field->doc, kind_schema(schema, field->kind));
	set_names(schema, properties, field->kind);
}

static struct json_object *event_names_schema(struct schema *schema)
{
	struct json_object *object = json("{\"type\":\"string\"}");
	struct json_object *names = json_object_new_array();

	for_each_event_type(type)
		append(schema, names, json_object_new_string(event_desc(type)->name));
	set(schema, object, "enum", names);
	return object;
}

static struct json_object *figures_schema(struct schema *schema)
{
	struct json_object *object = json("{\"type\":\"object\",\"additionalProperties\":false}");
	struct json_object *properties = json_object_new_object();

	for_each_event_type(type)
		set(schema, properties, event_desc(type)->name, kind_schema(schema, kind_u64));
	set(schema, object, "properties", properties);
	return object;
}

static struct json_object *outputs_schema(struct schema *schema)
{
	struct json_object *array = json("{\"type\":\"array\"}");
	struct json_object *object = json("{\"type\":\"object\",\"additionalProperties\":false,"
					  "\"required\":[\"output\",\"emitted\",\"lost\"]}");
	struct json_object *properties = json_object_new_object();

	set(schema, properties, "output", json("{\"type\":\"string\"}"));
	set(schema, properties, "emitted", figures_schema(schema));
	set(schema, properties, "lost", figures_schema(schema));
	set(schema, object, "properties", properties);
	set(schema, array, "items", object);
	return array;
}

static struct json_object *shape_schema(struct schema *schema, enum control_shape shape)
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
		return kind_schema(schema, kind_u64);
	case shape_lost_name:
		object = event_names_schema(schema);
		append(schema, json_object_object_get(object, "enum"),
		       json_object_new_string(LOST_OTHER));
		return object;
	case shape_event_names:
		object = json("{\"type\":\"array\",\"uniqueItems\":true}");
		set(schema, object, "items", event_names_schema(schema));
		return object;
	case shape_figures:
		return figures_schema(schema);
	case shape_outputs:
		return outputs_schema(schema);
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

static void require(struct schema *schema, struct json_object *required, const char *key)
{
	append(schema, required, json_object_new_string(key));
}

static void set_required(struct schema *schema, struct json_object *properties,
			 struct json_object *required, const char *key,
			 const struct control_field *field)
{
	set_property(schema, properties, key, field->doc, shape_schema(schema, field->shape));
	require(schema, required, key);
}

/* Describe a control line's field. Each is required, except those that may be absent. */
static void set_control_field(struct schema *schema, struct json_object *properties,
			      struct json_object *required, const struct control_desc *line,
			      const struct control_field *field)
{
	const struct control_rename *rename =
		format_control_rename(schema->format, line->name, field->name);
	_cleanup_free_ char *key = format_control_key(schema->format, line->name, field->name);

	schema->failed |= !key;
	if (!key)
		return;
	set_property(schema, properties, key, field->doc,
		     rename && rename->text ? json(rename->json_schema) :
					      shape_schema(schema, field->shape));
	if (field->shape != shape_hex32_or_none && field->shape != shape_string_or_none)
		require(schema, required, key);
}

/* Describe the keys that all lines have. */
static void set_envelope(struct schema *schema, const char *name, struct json_object *properties,
			 struct json_object *required)
{
	struct constants constants = {};

	schema->format->constants(name, &constants);
	set_required(schema, properties, required, schema->format->timestamp,
		     &envelope_fields[envelope_timestamp]);
	for (unsigned int i = 0; i < constants.count; i++) {
		struct json_object *value = json_object_new_object();

		set(schema, value, "const", json(constants.of[i].json));
		if (constants.count == 1)
			set_string(schema, value, "description",
				   envelope_fields[envelope_event_type].doc);
		set(schema, properties, constants.of[i].key, value);
		require(schema, required, constants.of[i].key);
	}
	set_required(schema, properties, required, schema->format->seq,
		     &envelope_fields[envelope_seq]);
	set_required(schema, properties, required, schema->format->hostname,
		     &envelope_fields[envelope_hostname]);
}

/*
 * The schema of one type of line, envelope included. The line owns its properties, and what is
 * required: if it has failed, they may be gone.
 */
static struct json_object *line_schema(struct schema *schema, const char *name, const char *doc,
				       struct json_object **ret_properties,
				       struct json_object **ret_required)
{
	struct json_object *object = json("{\"type\":\"object\",\"additionalProperties\":false}");
	struct json_object *properties = json_object_new_object();
	struct json_object *required = json_object_new_array();

	set_string(schema, object, "title", name);
	set_string(schema, object, "description", doc);
	set_envelope(schema, name, properties, required);
	set(schema, object, "properties", properties);
	set(schema, object, "required", required);
	*ret_properties = properties;
	*ret_required = required;
	return object;
}

static void add_event(struct schema *schema, struct json_object *lines,
		      const struct event_desc *desc)
{
	struct json_object *properties, *required;

	append(schema, lines, line_schema(schema, desc->name, desc->doc, &properties, &required));
	for (unsigned int i = 0; i < desc->field_count && !schema->failed; i++)
		set_event_field(schema, properties, desc, &desc->fields[i]);
}

static void add_control_line(struct schema *schema, struct json_object *lines,
			     const struct control_desc *desc)
{
	struct json_object *properties, *required;

	append(schema, lines, line_schema(schema, desc->name, desc->doc, &properties, &required));
	for (unsigned int i = 0; i < desc->field_count && !schema->failed; i++)
		set_control_field(schema, properties, required, desc, &desc->fields[i]);
}

struct json_object *schema_json(enum format_id id)
{
	struct schema schema = { .format = format_of(id) };
	struct json_object *whole, *lines = json_object_new_array();

	whole = json("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
		     "\"title\":\"netlog\",\"description\":\"One line of netlog's output.\"}");
	for_each_event_type(type)
		add_event(&schema, lines, event_desc(type));
	for (enum control_type type = 0; type < control_types; type++)
		add_control_line(&schema, lines, &control_descs[type]);
	set(&schema, whole, "oneOf", lines);
	if (!schema.failed)
		return whole;
	json_object_put(whole);
	return NULL;
}
