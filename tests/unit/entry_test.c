// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/entry.h"
#include "line/entry.h"
#include "schema/control.h"
#include "writing.h"

#define ENTRY_BYTES (LINE_MAX_BYTES + 8192)

/* The value of a field, which the caller frees; NULL: the entry has none of that name. */
static char *field_of(const char *entry, const char *name)
{
	size_t at = 0, length;
	const char *field;

	while ((field = entry_field(entry, &at, &length))) {
		CHECK(memchr(field, '=', length));
		if (strlen(name) < length && !strncmp(field, name, strlen(name)) &&
		    field[strlen(name)] == '=')
			return strndup(field + strlen(name) + 1, length - strlen(name) - 1);
	}
	return NULL;
}

static void check_field(const char *entry, const char *name, const char *expected)
{
	char *value = field_of(entry, name);

	if (!expected)
		CHECK_SAYING(!value, "%s", name);
	else
		CHECK_TEXT(value, expected);
	free(value);
}

static void control_add_keys(struct json_object *line, unsigned int count)
{
	char key[16];

	for (unsigned int i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "key%u", i);
		json_object_object_add(line, key, json_object_new_int((int)i));
	}
}

TEST(an_entry_has_the_line_and_its_values_as_they_are)
{
	struct rtt record = { .header = { .type = event_rtt, .size = sizeof(record) } };
	struct writer *writer = writer_make(format_ecs, "web1");
	const struct item item = item_of((struct event *)&record, 7, 0);
	char *entry = malloc(ENTRY_BYTES), line[4096];

	record.header.has = BIT(offsetof(struct event_index, comm)) |
			    BIT(offsetof(struct event_index, ip_version)) |
			    BIT(offsetof(struct rtt_index, srtt_us));
	record.ip_version = 4;
	memcpy(record.comm.name, "a\x01\"\\\n\xff\xc2\x9b\x7f", 10);
	record.srtt_us = 12;
	CHECK_EQUAL(entry_put(writer, &item, entry, ENTRY_BYTES), entry_size(entry));
	line[writer_line(writer, &item, line) - 1] = 0;
	check_field(entry, "MESSAGE", line);
	check_field(entry, "SYSLOG_IDENTIFIER", "netlog");
	check_field(entry, "PRIORITY", "6");
	check_field(entry, "MESSAGE_ID", event_desc(event_rtt)->message_id);
	check_field(entry, "NETLOG_EVENT", "rtt");
	check_field(entry, "NETLOG_SEQ", "7");
	check_field(entry, "NETLOG_SRTT_US", "12");
	check_field(entry, "NETLOG_COMM", "a\x01\"\\\n\xef\xbf\xbd\xc2\x9b\x7f");
	check_field(entry, "NETLOG_PID", NULL);
	check_field(entry, "NETLOG_HOSTNAME", NULL); /* journald knows it */
	writer_free(writer);
	free(entry);
}

TEST(a_control_line_has_its_single_values_as_fields)
{
	struct writer *writer = writer_make(format_flat, "web1");
	struct figures figures = {};
	struct control control;
	struct item item = {};
	char *entry = malloc(ENTRY_BYTES);

	control_begin(&control, control_lost, "web1", 9, 0);
	control_add_string(&control, "where", "ring");
	control_add_figures(&control, "produced", &figures, BIT(event_rtt));
	CHECK_EQUAL(control_end(&control, LINE_MAX_BYTES, &item.control), 0);
	CHECK(entry_put(writer, &item, entry, ENTRY_BYTES) > 0);
	check_field(entry, "NETLOG_EVENT", "lost");
	check_field(entry, "PRIORITY", "4"); /* a loss is worth a warning */
	check_field(entry, "NETLOG_WHERE", "ring");
	check_field(entry, "NETLOG_PRODUCED", NULL);
	json_object_put(item.control);
	writer_free(writer);
	free(entry);
}

/* Of a recording that somebody has made: what journald would not take whole cannot be made. */
TEST(an_entry_is_whole_or_none)
{
	struct writer *writer = writer_make(format_flat, "web1");
	char *entry = malloc(ENTRY_BYTES);

	for (unsigned int keys = 200; keys < 300; keys += 50) {
		struct control control;
		struct item item = {};

		control_begin(&control, control_stop, "web1", 9, 0);
		control_add_keys(control.line, keys);
		CHECK_EQUAL(control_end(&control, LINE_MAX_BYTES, &item.control), 0);
		CHECK_EQUAL(entry_put(writer, &item, entry, ENTRY_BYTES) > 0,
			    keys < ENTRY_FIELDS_MAX - 8);
		CHECK_EQUAL(entry_put(writer, &item, entry, LINE_MAX_BYTES), 0);
		json_object_put(item.control);
	}
	writer_free(writer);
	free(entry);
}
