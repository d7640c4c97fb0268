// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "line/json_schema.h"
#include "strict.h"
#include "writing.h"

static struct json_object *end(struct control *control)
{
	struct json_object *ended, *again, *object;
	char *line = malloc(LINE_MAX_BYTES);
	size_t length;

	CHECK_EQUAL(control_end(control, LINE_MAX_BYTES, &ended), 0);
	length = control_line_put(format_of(format_flat), ended, line, LINE_MAX_BYTES);
	CHECK(length > 0);
	CHECK_EQUAL(control_parse(line, length, &again), 0); /* from a recording it comes back */
	CHECK_TEXT(control_type_name(again), control_type_name(ended));
	json_object_put(again);
	json_object_put(ended);
	CHECK(line[length - 1] == '\n' && !memchr(line, '\n', length - 1));
	for (size_t i = 0; i < length - 1; i++)
		CHECK((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
	object = strict_parse(line, length - 1);
	CHECK_SAYING(object, "%s", line);
	free(line);
	return object;
}

static struct json_object *get(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	CHECK_SAYING(json_object_object_get_ex(object, name, &value), "%s", name);
	return value;
}

TEST(a_control_line_has_the_envelope_first)
{
	static const char *const keys[] = { "timestamp", "event_type", "seq", "hostname",
					    "reason" };
	struct control control;
	struct json_object *object;
	unsigned int i = 0;

	control_begin(&control, control_stop, "web1", 7, 1795227753123456789ULL);
	control_add_string(&control, "reason", "count");
	object = end(&control);
	json_object_object_foreach(object, key, value)
	{
		(void)value;
		CHECK_TEXT(key, keys[i++]);
	}
	CHECK_TEXT(json_object_get_string(get(object, "timestamp")), "2026-11-21T02:22:33.123456Z");
	CHECK_TEXT(json_object_get_string(get(object, "event_type")), "stop");
	CHECK_EQUAL(json_object_get_uint64(get(object, "seq")), 7);
	json_object_put(object);
}

TEST(strings_from_outside_are_mended_in_control_lines_too)
{
	struct control control;
	struct json_object *object;

	control_begin(&control, control_stop, "w\xff\x7f\xc2\x9b\"\\", 1, 0);
	control_add_string(&control, "reason", "\x1b]0;x\x07");
	object = end(&control);
	CHECK_TEXT(json_object_get_string(get(object, "hostname")),
		   "w\xef\xbf\xbd\x7f\xc2\x9b\"\\");
	CHECK_TEXT(json_object_get_string(get(object, "reason")), "\x1b]0;x\x07");
	json_object_put(object);
}

TEST(figures_are_given_for_the_logged_events_and_exact)
{
	struct figures figures = {};
	struct json_object *object, *produced;
	struct control control;

	figures.of[event_rtt] = UINT64_MAX;
	figures.of[event_latency] = 5;
	control_begin(&control, control_stats, "web1", 1, 0);
	control_add_figures(&control, "produced", &figures, BIT(event_rtt) | BIT(event_retransmit));
	object = end(&control);
	produced = get(object, "produced");
	CHECK_EQUAL(json_object_object_length(produced), 2);
	CHECK(json_object_get_uint64(get(produced, "rtt")) == UINT64_MAX);
	CHECK_EQUAL(json_object_get_uint64(get(produced, "retransmit")), 0);
	json_object_put(object);
}

TEST(a_refused_hook_says_why_and_an_attached_one_what_it_cannot_see)
{
	const struct control_hook good = { "rtt", "sample", "tp_btf/tcp_probe", "backlog", NULL };
	const struct control_hook bad = { "rtt", "birth", "tp_btf/x", "",
					  "Operation not permitted" };
	struct json_object *object, *hooks, *first, *second;
	struct control control;

	control_begin(&control, control_start, "web1", 1, 0);
	control_add_hook(&control, "hooks", &good);
	control_add_hook(&control, "hooks", &bad);
	object = end(&control);
	hooks = get(object, "hooks");
	CHECK_EQUAL(json_object_array_length(hooks), 2);
	first = json_object_array_get_idx(hooks, 0);
	second = json_object_array_get_idx(hooks, 1);
	CHECK_TEXT(json_object_get_string(get(first, "blind")), "backlog");
	CHECK(!json_object_object_get(first, "error"));
	CHECK_TEXT(json_object_get_string(get(second, "error")), "Operation not permitted");
	json_object_put(object);
}

/* The schema's description of one line type. */
static struct json_object *schema_of(struct json_object *schema, const char *name)
{
	struct json_object *lines = get(schema, "oneOf");

	for (size_t i = 0; i < json_object_array_length(lines); i++) {
		struct json_object *line = json_object_array_get_idx(lines, i);

		if (!strcmp(json_object_get_string(get(line, "title")), name))
			return line;
	}
	CHECK_SAYING(false, "%s is not in the schema", name);
	return NULL;
}

static const char *expected_type(const struct field_desc *field)
{
	switch (kind_descs[field->kind].written) {
	case kind_u8:
	case kind_u16:
	case kind_u32:
	case kind_u64:
		return "integer";
	default:
		return "string";
	}
}

TEST(the_schema_has_every_field_of_every_event)
{
	struct json_object *schema = schema_json(format_flat);
	unsigned int names_count = 0;

	CHECK(schema);
	for (enum name_source source = 0; source < name_sources; source++)
		names_count += name_source_descs[source].key_count;
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);
		struct json_object *line = schema_of(schema, desc->name);
		struct json_object *properties = get(line, "properties");

		CHECK(!json_object_get_boolean(get(line, "additionalProperties")));
		CHECK_EQUAL(json_object_object_length(properties),
			    desc->field_count + envelope_keys + names_count);
		for (unsigned int i = 0; i < desc->field_count; i++) {
			const struct field_desc *field = &desc->fields[i];
			struct json_object *property = get(properties, field->name);

			CHECK_TEXT(json_object_get_string(get(property, "type")),
				   expected_type(field));
			CHECK_TEXT(json_object_get_string(get(property, "description")),
				   field->doc);
			CHECK_EQUAL(json_object_object_get_ex(property, "enum", NULL),
				    kind_descs[field->kind].numbers > 0);
		}
		for (enum name_source source = 0; source < name_sources; source++)
			for (unsigned int i = 0; i < name_source_descs[source].key_count; i++)
				get(properties, name_source_descs[source].keys[i].name);
	}
	json_object_put(schema);
}

/* `boot_id` is not always known, and there is not always a reason for caution. */
TEST(the_schema_has_every_control_line_and_all_its_fields_are_required_but_two_of_start)
{
	struct json_object *schema = schema_json(format_flat);

	for (enum control_type type = 0; type < control_types; type++) {
		const struct control_desc *desc = &control_descs[type];
		struct json_object *line = schema_of(schema, desc->name);

		for (unsigned int i = 0; i < desc->field_count; i++)
			get(get(line, "properties"), desc->fields[i].name);
		CHECK_EQUAL(json_object_array_length(get(line, "required")),
			    desc->field_count + envelope_keys - (type == control_start ? 2 : 0));
	}
	json_object_put(schema);
}
