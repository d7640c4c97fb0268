// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <ctype.h>
#include <errno.h>

#include "base/util.h"
#include "schema/event.h"
#include "test.h"

/* Elasticsearch's Common Schema has objects of these names: a scalar would clash. */
static const char *const reserved[] = { "event",   "host",    "source",	   "destination",
					"process", "network", "container", "log",
					"error",   "service", "message" };

TEST(field_names_are_snake_case_and_no_ecs_objects)
{
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);

		for (unsigned int i = 0; i < desc->field_count; i++) {
			const char *name = desc->fields[i].name;

			for (const char *p = name; *p; p++)
				CHECK_SAYING(islower(*p) || isdigit(*p) || *p == '_', "%s", name);
			for (size_t j = 0; j < sizeof(reserved) / sizeof(reserved[0]); j++)
				CHECK_SAYING(strcmp(name, reserved[j]) != 0, "%s", name);
		}
	}
}

TEST(every_field_and_event_is_named_once_and_explained)
{
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);

		CHECK_EQUAL(event_by_name(desc->name), type);
		CHECK(desc->doc[0]);
		for (unsigned int i = 0; i < desc->field_count; i++) {
			CHECK_SAYING(desc->fields[i].doc[0], "%s", desc->fields[i].name);
			for (unsigned int j = 0; j < i; j++)
				CHECK_SAYING(strcmp(desc->fields[i].name, desc->fields[j].name) !=
						     0,
					     "%s", desc->fields[i].name);
		}
	}
	CHECK_EQUAL(event_by_name("nonsense"), event_none);
}

TEST(the_same_name_has_the_same_kind_in_all_events)
{
	for_each_event_type(a) {
		for_each_event_type(b) {
			const struct event_desc *x = event_desc(a), *y = event_desc(b);

			for (unsigned int i = 0; i < x->field_count; i++)
				for (unsigned int j = 0; j < y->field_count; j++)
					if (!strcmp(x->fields[i].name, y->fields[j].name))
						CHECK_EQUAL(x->fields[i].kind, y->fields[j].kind);
		}
	}
}

TEST(names_with_a_unit_are_numbers_and_ids_are_none)
{
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);

		for (unsigned int i = 0; i < desc->field_count; i++) {
			const struct field_desc *field = &desc->fields[i];
			const char *unit = strrchr(field->name, '_');

			if (unit && (!strcmp(unit, "_us") || !strcmp(unit, "_ns") ||
				     !strcmp(unit, "_bytes")))
				CHECK_SAYING(field->kind == kind_u32 || field->kind == kind_u64,
					     "%s", field->name);
			if (unit && !strcmp(unit, "_cookie"))
				CHECK_EQUAL(field->kind, kind_id);
		}
	}
}

TEST(fields_lie_inside_the_record_and_apart)
{
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);
		size_t end = sizeof(struct event_header);

		for (unsigned int i = 0; i < desc->field_count; i++) {
			CHECK(desc->fields[i].offset >= end);
			end = desc->fields[i].offset + kind_descs[desc->fields[i].kind].size;
		}
		CHECK(end <= desc->size);
	}
}

TEST(every_event_has_a_hook_that_makes_its_lines)
{
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);
		bool lines = false;

		for (unsigned int i = 0; i < desc->hook_count; i++) {
			CHECK_EQUAL(desc->hooks[i].event, type);
			/* <event>__<hook> */
			CHECK(!strncmp(desc->hooks[i].program, desc->name, strlen(desc->name)));
			CHECK(!strncmp(desc->hooks[i].program + strlen(desc->name), "__", 2));
			lines |= desc->hooks[i].role == role_lines;
		}
		CHECK(lines);
	}
}

/* They make no lines, and no event can fail for want of them. */
TEST(hooks_that_serve_all_events_are_extra)
{
	unsigned int count;
	const struct hook_desc *hooks = hooks_common(&count);

	CHECK(count > 0);
	for (unsigned int i = 0; i < count; i++) {
		CHECK_EQUAL(hooks[i].event, event_none);
		CHECK_EQUAL(hooks[i].role, role_extra);
		CHECK_TEXT(hook_event_name(&hooks[i]), "all");
	}
	CHECK_TEXT(hook_event_name(event_desc(event_rtt)->hooks), "rtt");
}

TEST(enumerations_know_their_texts)
{
	CHECK_EQUAL(enum_by_text(kind_stage, "app"), stage_app);
	CHECK_EQUAL(enum_by_text(kind_retrans_type, "synack"), retrans_type_synack);
	CHECK_EQUAL(enum_by_text(kind_tcp_state, "syn_sent"), 2);
	CHECK_EQUAL(enum_by_text(kind_stage, "nonsense"), -ENOENT);
}

TEST(a_choice_is_among_the_values_of_a_field)
{
	unsigned int choices = 0;

	for_each_event_type(type) {
		const struct vocabulary *words = &choice_words[type];
		const struct field_desc *field;

		if (!words->what)
			continue;
		field = field_by_name(event_desc(type), words->what);
		CHECK_SAYING(field && !strcmp(kind_descs[field->kind].name, words->what), "%s",
			     words->what);
		CHECK_EQUAL(words->count, kind_descs[field->kind].numbers);
		CHECK_SAYING(!words->word(0), "%s: 0 stands for all", words->what);
		for (unsigned int i = 0; i < words->count; i++)
			CHECK(words->word(i) == enum_text(field->kind, i));
		choices++;
	}
	CHECK(choices);
	CHECK_TEXT(choice_words[event_latency].word(stage_app), "app");
	CHECK(!choice_words[event_rtt].what);
}

/* Each value can make lines, and hooks are of no value that there is not. */
TEST(the_hooks_serve_all_values_of_a_choice)
{
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);
		const uint64_t all = choice_words[type].what ? word_bits(&choice_words[type]) : 0;
		uint64_t served = 0;

		for (unsigned int i = 0; i < desc->hook_count; i++) {
			const struct hook_desc *hook = &desc->hooks[i];

			CHECK_SAYING(!hook->value || all & BIT(hook->value), "%s", hook->program);
			CHECK_SAYING(!(hook->needed_by & ~all), "%s", hook->program);
			if (hook->role == role_lines)
				served |= hook->value ? BIT(hook->value) : all;
		}
		CHECK_SAYING(served == all, "%s", desc->name);
	}
}

TEST(what_an_event_measures_is_in_a_field_of_its_unit)
{
	CHECK_EQUAL(measure_units_ns[event_rtt], 1000);
	CHECK_EQUAL(measure_units_ns[event_latency], 1);
	CHECK_EQUAL(measure_units_ns[event_retransmit], 0);
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);
		const char *unit = measure_units_ns[type] == 1 ? "_ns" : "_us";
		bool found = !measure_units_ns[type];

		for (unsigned int i = 0; i < desc->field_count; i++) {
			const char *name = desc->fields[i].name, *end = strrchr(name, '_');

			found |= end && !strcmp(end, unit);
		}
		CHECK_SAYING(found, "%s has no field in %s", desc->name, unit);
	}
}

/* A record as the kernel side makes it, with all its fields. */
static struct event *record_make(enum event_type type)
{
	const struct event_desc *desc = event_desc(type);
	struct event *record = calloc(1, desc->size);

	record->header.type = (uint16_t)type;
	record->header.size = desc->size;
	record->header.has = (1ULL << desc->field_count) - 1;
	record->ip_version = 4;
	return record;
}

TEST(a_whole_record_is_accepted)
{
	for_each_event_type(type) {
		struct event *record = record_make(type);

		CHECK_EQUAL(event_check(record, record->header.size), type);
		free(record);
	}
}

TEST(broken_records_are_refused)
{
	for_each_event_type(type) {
		struct event *record = record_make(type);
		const struct event_header good = record->header;
		char *longer = calloc(1, (size_t)good.size + 8);

		for (size_t size = 0; size < good.size; size++) {
			char *shorter = malloc(size ?: 1); /* the sanitizer sees who reads on */

			memcpy(shorter, record, size);
			CHECK_EQUAL(event_check(shorter, size), -EBADMSG);
			free(shorter);
		}
		memcpy(longer, record, good.size);
		CHECK_EQUAL(event_check(longer, (size_t)good.size + 8), -EBADMSG);
		free(longer);
		record->header.type = event_none;
		CHECK_EQUAL(event_check(record, good.size), -EBADMSG);
		record->header.type = event_types;
		CHECK_EQUAL(event_check(record, good.size), -EBADMSG);
		record->header.type = UINT16_MAX;
		CHECK_EQUAL(event_check(record, good.size), -EBADMSG);
		record->header = good;
		record->header.size++;
		CHECK_EQUAL(event_check(record, good.size), -EBADMSG);
		record->header = good;
		record->header.has = good.has + 1; /* one field too many */
		CHECK_EQUAL(event_check(record, good.size), -EBADMSG);
		record->header = good;
		record->ip_version = 5;
		CHECK_EQUAL(event_check(record, good.size), -EBADMSG);
		record->header.has = BIT(offsetof(struct event_index, dest_ip)) |
				     BIT(offsetof(struct event_index, ip_version));
		CHECK_EQUAL(event_check(record, good.size), -EBADMSG);
		record->ip_version = 6;
		CHECK_EQUAL(event_check(record, good.size), type);
		record->header.has = BIT(offsetof(struct event_index, src_ip));
		CHECK_EQUAL(event_check(record, good.size), -EBADMSG);
		free(record);
	}
}

TEST(random_bytes_are_never_read_past_their_end)
{
	uint64_t state = 6;

	for (int i = 0; i < 100000; i++) {
		size_t size = test_random(&state) % 400;
		uint8_t *bytes = malloc(size ?: 1);
		int type;

		for (size_t j = 0; j < size; j++)
			bytes[j] = (uint8_t)(test_random(&state) >> 30);
		if (size > 20)
			bytes[16] = (uint8_t)(test_random(&state) % 5), bytes[17] = 0;
		type = event_check(bytes, size);
		CHECK(type == -EBADMSG || size == event_desc((enum event_type)type)->size);
		free(bytes);
	}
}
