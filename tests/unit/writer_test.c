// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writers, walked through the schema: every event, every field, alone and together, at its edges
 * and at random, each line parsed by json-c and compared with values that are told here anew. A new
 * event is covered without a word here.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>

#include "strict.h"
#include "writing.h"

#define WALL_NS 1795227753123456789ULL

static struct json_object *parse(const char *line, size_t length)
{
	struct json_object *object;

	CHECK(length && line[length - 1] == '\n');
	CHECK(!memchr(line, '\n', length - 1));
	object = strict_parse(line, length - 1);
	CHECK_SAYING(object, "%.*s", (int)length, line);
	return object;
}

/* One that remembers no flow. There is one for as long as the hostname is the same: it has
 * megabytes, and to make it takes longer than all that is tested with it. */
static struct writer *writer_for(enum format_id format, const char *hostname)
{
	static struct writer *writers[formats];
	struct writer **writer = &writers[format];

	if (!*writer)
		*writer = writer_make(format, hostname);
	writer_set_hostname(*writer, hostname);
	return *writer;
}

/* The line in a buffer of just the size promised: a byte too many is seen by the sanitizer. */
static struct json_object *line_parsed(enum format_id format, const char *hostname,
				       const struct event *record, uint64_t seq)
{
	struct writer *writer = writer_for(format, hostname);
	struct json_object *object;
	char *line;

	CHECK(event_check(record, record->header.size) > 0);
	line = malloc(writer_line_max(writer));
	line_of(writer, record, seq, WALL_NS, line); /* again, from what is remembered */
	object = parse(line, line_of(writer, record, seq, WALL_NS, line));
	free(line);
	return object;
}

static struct json_object *encode(const char *hostname, const struct event *record, uint64_t seq)
{
	return line_parsed(format_flat, hostname, record, seq);
}

static struct event *record_make(enum event_type type, uint64_t has)
{
	const struct event_desc *desc = event_desc(type);
	struct event *record = calloc(1, desc->size);

	record->header.type = (uint16_t)type;
	record->header.size = desc->size;
	record->header.has = has;
	record->ip_version = 6;
	return record;
}

static uint64_t number_of(const void *value, size_t size)
{
	uint64_t number = 0;

	memcpy(&number, value, size); /* little endian, as all the machines we test on */
	return number;
}

/* The oracle for a field's value as json-c has parsed it. It shares no code with the writers. */
static void check_value(const struct event *record, const struct field_desc *field,
			struct json_object *value)
{
	const struct kind_desc *kind = &kind_descs[field->kind];
	const void *bytes = (const char *)record + field->offset;
	char text[64];

	if (kind->numbers) {
		const char *expected = enum_text(field->kind, *(const uint8_t *)bytes);

		if (!expected) {
			CHECK(!value);
			return;
		}
		CHECK_EQUAL(json_object_get_type(value), json_type_string);
		CHECK_TEXT(json_object_get_string(value), expected);
		return;
	}
	switch (kind->written) {
	case kind_u8:
	case kind_u16:
	case kind_u32:
	case kind_u64:
		CHECK_EQUAL(json_object_get_type(value), json_type_int);
		CHECK_EQUAL(json_object_get_uint64(value), number_of(bytes, kind->size));
		break;
	case kind_id:
		CHECK_EQUAL(json_object_get_type(value), json_type_string);
		snprintf(text, sizeof(text), "%llu", (unsigned long long)number_of(bytes, 8));
		CHECK_TEXT(json_object_get_string(value), text);
		break;
	case kind_ip:
		inet_ntop(record->ip_version == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
		CHECK_TEXT(json_object_get_string(value), text);
		break;
	case kind_comm:
	case kind_ifname:
		if (!*(const char *)bytes) {
			CHECK(!value); /* never "" for unknown */
			break;
		}
		CHECK_EQUAL(json_object_get_type(value), json_type_string);
		for (size_t i = 0; i < 16 && ((const char *)bytes)[i]; i++)
			if (((const unsigned char *)bytes)[i] >= 0x80)
				return; /* mended: see text_test.c */
		CHECK_EQUAL(json_object_get_string_len(value), strnlen(bytes, 16));
		CHECK(!memcmp(json_object_get_string(value), bytes, strnlen(bytes, 16)));
		break;
	case kind_xmit_error: {
		int32_t error = *(const int32_t *)bytes;

		if (error == 1) {
			CHECK_TEXT(json_object_get_string(value), "NET_XMIT_DROP");
		} else if (error < 0 && error > -4096 && strerrorname_np(-error)) {
			CHECK_TEXT(json_object_get_string(value), strerrorname_np(-error));
		} else {
			CHECK(!value);
		}
		break;
	}
	case kind_named:
		CHECK(!value); /* there are no names here; see names_test.c */
		break;
	default:
		CHECK_SAYING(false, "kind %s has no oracle: tell its values here", kind->name);
	}
}

static void check_record(const struct event *record)
{
	const struct event_desc *desc = event_desc(record->header.type);
	struct json_object *object = encode("web1", record, 42), *value;

	CHECK(json_object_object_get_ex(object, "timestamp", &value));
	CHECK_TEXT(json_object_get_string(value), "2026-11-21T02:22:33.123456Z");
	CHECK(json_object_object_get_ex(object, "event_type", &value));
	CHECK_TEXT(json_object_get_string(value), desc->name);
	CHECK(json_object_object_get_ex(object, "seq", &value));
	CHECK_EQUAL(json_object_get_uint64(value), 42);
	CHECK(json_object_object_get_ex(object, "hostname", &value));
	CHECK_TEXT(json_object_get_string(value), "web1");
	for (unsigned int i = 0; i < desc->field_count; i++) {
		bool found = json_object_object_get_ex(object, desc->fields[i].name, &value);

		if (record->header.has & BIT(i))
			check_value(record, &desc->fields[i], found ? value : NULL);
		else
			CHECK_SAYING(!found, "%s", desc->fields[i].name);
	}
	json_object_put(object);
}

#define IP_VERSION_BIT BIT(offsetof(struct event_index, ip_version))

/* Bytes of a field, cut or repeated to its size. */
static void field_fill(struct event *record, const struct field_desc *field, uint64_t pattern)
{
	char *bytes = (char *)record + field->offset;

	for (size_t i = 0; i < kind_descs[field->kind].size; i++)
		bytes[i] = (char)(pattern >> 8 * (i % 8));
}

TEST(every_field_alone_at_its_edges)
{
	static const uint64_t patterns[] = {
		0,
		1,
		9,
		10,
		99,
		100,
		127,
		128,
		255,
		9999,
		10000,
		UINT32_MAX,
		UINT64_MAX,
		0x7fffffffffffffff,
		0x8000000000000000,
		0x8080808080808080,
		0x0101010101010101,
		0x2222222222222222,
		0x5c5c5c5c5c5c5c5c,
		0x7f7f7f7f7f7f7f7f,
		0xfffffffffffffff5,
	};

	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);

		for (unsigned int i = 0; i < desc->field_count; i++) {
			for (size_t j = 0; j < ARRAY_SIZE(patterns); j++) {
				struct event *record = record_make(type, BIT(i) | IP_VERSION_BIT);

				field_fill(record, &desc->fields[i], patterns[j]);
				record->ip_version = j % 2 ? 4 : 6;
				check_record(record);
				free(record);
			}
		}
	}
}

TEST(every_enumeration_number_has_its_text_or_no_key)
{
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);

		for (unsigned int i = 0; i < desc->field_count; i++) {
			if (!kind_descs[desc->fields[i].kind].numbers)
				continue;
			for (int number = 0; number < 256; number++) {
				struct event *record = record_make(type, BIT(i) | IP_VERSION_BIT);

				((char *)record)[desc->fields[i].offset] = (char)number;
				check_record(record);
				free(record);
			}
		}
	}
}

TEST(random_records_with_random_fields)
{
	uint64_t state = 7;

	for (int i = 0; i < 20000; i++) {
		enum event_type type =
			1 + (enum event_type)(test_random(&state) % (event_types - 1));
		const struct event_desc *desc = event_desc(type);
		struct event *record = record_make(type, 0);

		for (size_t j = sizeof(record->header); j < desc->size; j++)
			((char *)record)[j] = (char)(test_random(&state) >> 30);
		record->ip_version = i % 2 ? 4 : 6;
		record->header.has =
			(test_random(&state) & (BIT(desc->field_count) - 1)) | IP_VERSION_BIT;
		check_record(record);
		free(record);
	}
}

TEST(every_errno_has_its_name)
{
	int offset = -1;

	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);

		for (unsigned int i = 0; i < desc->field_count; i++) {
			if (desc->fields[i].kind != kind_xmit_error)
				continue;
			offset = desc->fields[i].offset;
			for (int error = -5000; error < 10; error++) {
				struct event *record = record_make(type, BIT(i) | IP_VERSION_BIT);

				memcpy((char *)record + offset, &error, sizeof(error));
				check_record(record);
				free(record);
			}
		}
	}
	CHECK(offset >= 0);
}

static void field_randomize(struct event *record, const struct field_desc *field, uint64_t *state)
{
	char *bytes = (char *)record + field->offset;

	for (size_t i = 0; i < kind_descs[field->kind].size; i++)
		bytes[i] = (char)(test_random(state) >> 30);
}

/*
 * A writer keeps texts of flows. One that has seen many flows, of which each differs from the
 * one before in a field or a bit of `has`, writes the same bytes as a new one.
 */
TEST(a_line_does_not_depend_on_the_lines_before)
{
	const unsigned int common = offsetof(struct event_index, end);
	struct writer *writer = writer_make(format_flat, "web1"), *fresh;
	uint64_t state = 11;

	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);
		struct event *record = record_make(type, BIT(desc->field_count) - 1);
		char *line = malloc(LINE_MAX_BYTES);
		char *expected = malloc(LINE_MAX_BYTES);

		for (int i = 0; i < 800; i++) {
			size_t length;

			if (i % 5 == 1)
				field_randomize(record, &desc->fields[test_random(&state) % common],
						&state);
			if (i % 5 == 3)
				record->header.has ^= BIT(test_random(&state) % common);
			field_randomize(record, &desc->fields[desc->field_count - 1], &state);
			record->header.has |= IP_VERSION_BIT;
			record->ip_version = test_random(&state) % 2 ? 4 : 6;
			length = line_of(writer, record, (uint64_t)i, WALL_NS, line);
			fresh = writer_make(format_flat, "web1");
			CHECK_EQUAL(line_of(fresh, record, (uint64_t)i, WALL_NS, expected), length);
			CHECK_SAYING(!memcmp(line, expected, length), "%.*s", (int)length, line);
			writer_free(fresh);
		}
		free(expected);
		free(line);
		free(record);
	}
	writer_free(writer);
}

static struct event *record_random(int i, uint64_t *state)
{
	enum event_type type = 1 + (enum event_type)(test_random(state) % (event_types - 1));
	const struct event_desc *desc = event_desc(type);
	struct event *record = record_make(type, 0);

	for (unsigned int k = 0; k < desc->field_count; k++)
		field_fill(record, &desc->fields[k], test_random(state) >> test_random(state) % 64);
	record->ip_version = i % 2 ? 4 : 6;
	record->header.has = (test_random(state) & (BIT(desc->field_count) - 1)) | IP_VERSION_BIT;
	return record;
}

/* The code that the rows are compiled to, and the walk over them; with and without names. */
TEST(the_walk_over_the_rows_writes_what_their_code_writes)
{
	const struct names_config nowhere = {};
	struct writer *writer = writer_make(format_flat, "web1");
	char *line = malloc(LINE_MAX_BYTES), *walked = malloc(LINE_MAX_BYTES);
	struct names *names;
	uint64_t state = 23;

	CHECK_EQUAL(names_new(&nowhere, &names), 0);
	for (int i = 0; i < 60000; i++) {
		struct event *record = record_random(i, &state);
		const struct item item = item_of(record, (uint64_t)i, WALL_NS);
		struct named_number numbers[NAMED_NUMBERS_MAX];
		unsigned int count = event_named_numbers(record, numbers);
		size_t length;

		for (unsigned int k = 0; k < count; k++)
			names_feed(names, numbers[k].source, numbers[k].id,
				   i % 3 ? "/a.slice/b\x01\"\xff.service" : "/kubepods/x");
		writer_set_names(writer, i % 5 ? names : NULL); /* which forgets the flows */
		length = writer_line(writer, &item, line);
		writer_forget(writer);
		CHECK_EQUAL(writer_walk(writer, &item, walked), length);
		CHECK_SAYING(!memcmp(line, walked, length), "%.*s", (int)length, line);
		free(record);
	}
	names_free(names);
	writer_free(writer);
	free(walked);
	free(line);
}

/* ---- ECS ---- */

static const struct {
	const char *flat, *ecs;
} ecs_keys[] = {
	{ "timestamp", "@timestamp" },
	{ "seq", "event.sequence" },
	{ "hostname", "host.name" },
	{ "src_ip", "source.ip" },
	{ "src_ip", "source.address" },
	{ "src_port", "source.port" },
	{ "dest_ip", "destination.ip" },
	{ "dest_ip", "destination.address" },
	{ "dest_port", "destination.port" },
	{ "pid", "process.pid" },
	{ "comm", "process.name" },
	{ "unit", "systemd.unit" },
	{ "container_id", "container.id" },
	{ "pod_uid", "kubernetes.pod.uid" },
	{ "retrans_type", "event.reason" },
	{ "err", "error.code" },
	{ "len_bytes", "network.bytes" },
	{ "direction", "network.direction" },
	{ "src_nat_ip", "source.nat.ip" },
	{ "src_nat_port", "source.nat.port" },
	{ "dest_nat_ip", "destination.nat.ip" },
	{ "dest_nat_port", "destination.nat.port" },
};

/* What has another value, and is looked at by itself. */
static const char *const ecs_otherwise[] = { "event_type",   "ip_version", "proto",
					     "proto_number", "ifname",	   "latency_ns" };

static struct json_object *take(struct json_object *object, const char *key)
{
	struct json_object *value = json_object_get(json_object_object_get(object, key));

	json_object_object_del(object, key);
	return value;
}

static void take_equal(struct json_object *object, const char *key, struct json_object *expected)
{
	struct json_object *value = take(object, key);

	CHECK_SAYING(value && json_object_equal(value, expected), "%s: %s, not %s", key,
		     json_object_to_json_string(value), json_object_to_json_string(expected));
	json_object_put(value);
}

static void take_text(struct json_object *object, const char *key, const char *text)
{
	struct json_object *value = take(object, key);

	CHECK_SAYING(value, "%s", key);
	CHECK_TEXT(json_object_get_string(value), text);
	json_object_put(value);
}

static const char *text_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

static void take_network(struct json_object *ecs, const struct event *record)
{
	static const char *const transports[256] = {
		[1] = "icmp", [2] = "igmp", [6] = "tcp", [17] = "udp", [58] = "ipv6-icmp"
	};
	const bool named = record->header.has & BIT(offsetof(struct event_index, proto));
	char number[8];

	take_text(ecs, "network.type", record->ip_version == 4 ? "ipv4" : "ipv6");
	if (!named && !(record->header.has & BIT(offsetof(struct event_index, proto_number))))
		return;
	snprintf(number, sizeof(number), "%u", named ? record->proto : record->proto_number);
	take_text(ecs, "network.iana_number", number);
	if (named && transports[record->proto])
		take_text(ecs, "network.transport", transports[record->proto]);
}

static void take_ifname(struct json_object *ecs, struct json_object *flat)
{
	const char *direction = text_of(flat, "direction");
	char key[64] = "netlog.ifname";

	if (!json_object_object_get(flat, "ifname"))
		return;
	if (direction)
		snprintf(key, sizeof(key), "observer.%s.interface.name", direction);
	take_equal(ecs, key, json_object_object_get(flat, "ifname"));
}

/*
 * Nanoseconds: a packet's time, as far as Elasticsearch has such numbers; the sample of an rtt
 * line, else what is smoothed.
 */
static void take_duration(struct json_object *ecs, struct json_object *flat)
{
	struct json_object *us =
		json_object_object_get(flat, "rtt_us") ?: json_object_object_get(flat, "srtt_us");
	struct json_object *ns = json_object_object_get(flat, "latency_ns");

	if (ns && json_object_get_uint64(ns) <= INT64_MAX)
		take_equal(ecs, "event.duration", ns);
	if (strcmp(text_of(flat, "event_type"), "rtt") != 0 || !us)
		return;
	ns = take(ecs, "event.duration");
	CHECK_EQUAL(json_object_get_int64(ns), json_object_get_int64(us) * 1000);
	json_object_put(ns);
}

static void take_type(struct json_object *ecs, struct json_object *flat)
{
	char dataset[64];

	snprintf(dataset, sizeof(dataset), "netlog.%s", text_of(flat, "event_type"));
	take_text(ecs, "event.dataset", dataset);
	take_text(ecs, "event.module", "netlog");
	take_text(ecs, "event.provider", "netlog");
	take_text(ecs, "observer.product", "netlog");
	take_text(ecs, "observer.type", "sensor");
	take_text(ecs, "ecs.version", "9.4.0");
	json_object_put(take(ecs, "event.action"));
	CHECK(json_object_is_type(json_object_object_get(ecs, "event.category"), json_type_array));
	json_object_put(take(ecs, "event.category"));
	CHECK(json_object_is_type(json_object_object_get(ecs, "event.type"), json_type_array));
	json_object_put(take(ecs, "event.type"));
	CHECK(strstr("event metric", text_of(ecs, "event.kind")));
	json_object_put(take(ecs, "event.kind"));
}

/* The flat line's values by other names, and no more than these. */
static void check_ecs(struct json_object *ecs, struct json_object *flat, const struct event *record)
{
	json_object_object_foreach(flat, key, value)
	{
		bool known = false;
		char own[128];

		for (size_t i = 0; i < ARRAY_SIZE(ecs_otherwise); i++)
			known |= !strcmp(ecs_otherwise[i], key);
		for (size_t i = 0; i < ARRAY_SIZE(ecs_keys); i++) {
			if (strcmp(ecs_keys[i].flat, key) != 0)
				continue;
			take_equal(ecs, ecs_keys[i].ecs, value);
			known = true;
		}
		snprintf(own, sizeof(own), "netlog.%s", key);
		if (!known)
			take_equal(ecs, own, value);
	}
	take_type(ecs, flat);
	take_network(ecs, record);
	take_ifname(ecs, flat);
	take_duration(ecs, flat);
	CHECK_SAYING(!json_object_object_length(ecs), "%s", json_object_to_json_string(ecs));
}

TEST(ecs_tells_what_flat_tells_by_the_names_of_the_schema)
{
	uint64_t state = 29;

	for (int i = 0; i < 20000; i++) {
		struct event *record = record_random(i, &state);
		struct json_object *flat = line_parsed(format_flat, "web1", record, 42);
		struct json_object *ecs = line_parsed(format_ecs, "web1", record, 42);

		check_ecs(ecs, flat, record);
		json_object_put(flat);
		json_object_put(ecs);
		free(record);
	}
}

/* No key twice, though two fields may have the same one; and all of them with a dot or an @. */
TEST(no_ecs_line_has_a_key_twice_or_one_of_netlogs_own_at_the_top)
{
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);
		struct event *record = record_make(type, BIT(desc->field_count) - 1);
		char *line = malloc(LINE_MAX_BYTES);
		struct json_object *object;
		size_t length, quotes = 0;

		for (unsigned int i = 0; i < desc->field_count; i++)
			field_fill(record, &desc->fields[i], 0x0101010101010101);
		record->ip_version = 4;
		length = line_of(writer_for(format_ecs, "web1"), record, 1, WALL_NS, line);
		object = parse(line, length);
		json_object_object_foreach(object, key, value)
		{
			(void)value;
			CHECK_SAYING(key[0] == '@' || strchr(key, '.'), "%s", key);
		}
		for (size_t i = 0; i + 1 < length; i++)
			quotes += line[i] == '"' && line[i + 1] == ':';
		CHECK_EQUAL(quotes, json_object_object_length(object));
		json_object_put(object);
		free(record);
		free(line);
	}
}

/* ---- */

TEST(a_name_that_is_a_value_is_a_string_and_nothing_for_none)
{
	char text[64], *end = kind_descs[kind_named].put(text, "NO_SOCKET\x1b", 4);

	CHECK_EQUAL(end - text, strlen("NO_SOCKET\\u001b\""));
	CHECK(!memcmp(text, "NO_SOCKET\\u001b\"", (size_t)(end - text)));
	CHECK(!kind_descs[kind_named].put(text, "", 4));
}

TEST(keys_keep_the_order_of_the_schema)
{
	for_each_event_type(type) {
		static const char *const envelope[] = { "timestamp", "event_type", "seq",
							"hostname" };
		const struct event_desc *desc = event_desc(type);
		struct event *record = record_make(type, BIT(desc->field_count) - 1);
		struct json_object *object;
		unsigned int position = 0;

		for (unsigned int i = 0; i < desc->field_count; i++)
			field_fill(record, &desc->fields[i], 0x0101010101010101);
		record->ip_version = 4;
		object = encode("web1", record, 1);
		json_object_object_foreach(object, key, value)
		{
			unsigned int i = position - ARRAY_SIZE(envelope);

			(void)value;
			if (position < ARRAY_SIZE(envelope)) {
				CHECK_TEXT(key, envelope[position]);
			} else {
				/* a number without a text leaves its key out */
				while (i < desc->field_count && strcmp(key, desc->fields[i].name)) {
					CHECK(kind_descs[desc->fields[i].kind].numbers ||
					      desc->fields[i].kind == kind_xmit_error ||
					      kind_descs[desc->fields[i].kind].written ==
						      kind_named);
					i++, position++;
				}
				CHECK_SAYING(i < desc->field_count, "%s", key);
			}
			position++;
		}
		json_object_put(object);
		free(record);
	}
}

TEST(the_longest_line_fits)
{
	char hostname[HOST_NAME_MAX + 1];

	memset(hostname, 1, HOST_NAME_MAX); /* each byte becomes six */
	hostname[HOST_NAME_MAX] = 0;
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);
		struct event *record = record_make(type, BIT(desc->field_count) - 1);

		memset((char *)record + sizeof(record->header), 0xff,
		       desc->size - sizeof(record->header));
		for (unsigned int i = 0; i < desc->field_count; i++)
			if (desc->fields[i].kind == kind_comm ||
			    desc->fields[i].kind == kind_ifname)
				field_fill(record, &desc->fields[i], 0x0101010101010101);
		record->ip_version = 6;
		for (enum format_id format = 0; format < formats; format++) {
			json_object_put(line_parsed(format, hostname, record, UINT64_MAX));
			hostname[8] = 0; /* short enough to be remembered */
			json_object_put(line_parsed(format, hostname, record, UINT64_MAX));
			hostname[8] = 1;
		}
		free(record);
	}
}

TEST(a_hostname_of_any_bytes_is_valid_json)
{
	struct event *record = record_make(event_none + 1, 0);
	struct json_object *object = encode("w\xff\x1b[2J\"", record, 1), *value;

	json_object_object_get_ex(object, "hostname", &value);
	CHECK_TEXT(json_object_get_string(value), "w\xef\xbf\xbd\x1b[2J\"");
	json_object_put(object);
	free(record);
}

TEST(of_too_long_a_hostname_so_much_is_told_as_a_host_can_have)
{
	struct event *record = record_make(event_none + 1, 0);
	char hostname[HOST_NAME_MAX + 2];
	struct json_object *object, *value;

	memset(hostname, 'a', sizeof(hostname) - 1);
	hostname[sizeof(hostname) - 1] = 0;
	object = encode(hostname, record, 1);
	json_object_object_get_ex(object, "hostname", &value);
	CHECK_EQUAL(json_object_get_string_len(value), HOST_NAME_MAX);
	json_object_put(object);
	free(record);
}
