// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/crc.h"
#include "run/lines.h"
#include "strict.h"
#include "texts.h"

#include "run/replay.h"

#define LINE "{\"event_type\":\"stats\",\"seq\":%d,\"hostname\":\"web1\"}\n"
#define FILE_BYTES (1024 * 1024)

static const struct origin web1 = { .hostname = "web1", .boot_id = "0123456789abcdef" };

/* ---- making ---- */

struct made {
	char *bytes;
	size_t size;
	uint32_t crc;
	size_t starts[8192]; /* of each header and frame */
	unsigned int count;
};

static void made_put(struct made *made, const struct recording_item *item)
{
	made->starts[made->count++] = made->size;
	if (item->type == recording_header)
		made->size +=
			recording_put_header(made->bytes + made->size, item->origin, &made->crc);
	else
		made->size += recording_put(made->bytes + made->size, item, &made->crc);
}

static void put_header(struct made *made)
{
	const struct recording_item item = { .type = recording_header, .origin = &web1 };

	made_put(made, &item);
}

static struct event *event_make(int i)
{
	const enum event_type type = 1 + (enum event_type)i % (event_types - 1);
	struct event *event = calloc(1, event_desc(type)->size);

	event->header.type = (uint16_t)type;
	event->header.size = event_desc(type)->size;
	event->header.time_ns = 1000000007ULL * (uint64_t)i;
	event->header.has = 3;
	event->ip_version = 4;
	event->proto = 6;
	return event;
}

static void put_event(struct made *made, int i)
{
	struct event *event = event_make(i);
	const struct recording_item item = { .type = recording_event,
					     .payload = event,
					     .size = event->header.size,
					     .seq = (uint64_t)i,
					     .offset_ns = 1700000000000000000 + i };

	made_put(made, &item);
	free(event);
}

static void put_line(struct made *made, int i)
{
	char line[128];
	const struct recording_item item = { .type = recording_line,
					     .payload = line,
					     .size = (size_t)snprintf(line, sizeof(line), LINE,
								      i) };

	made_put(made, &item);
}

/* A header, and `count` items, each third of them a line. */
static struct made *make(int count)
{
	struct made *made = calloc(1, sizeof(*made));

	made->bytes = calloc(1, FILE_BYTES);
	put_header(made);
	for (int i = 1; i <= count; i++) {
		if (i % 3)
			put_event(made, i);
		else
			put_line(made, i);
	}
	return made;
}

static void made_free(struct made *made)
{
	free(made->bytes);
	free(made);
}

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("recording", 0);

	CHECK(write(fd, bytes, size) == (ssize_t)size);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* ---- reading ---- */

struct seen {
	int result;
	unsigned int count; /* items, headers included */
	uint64_t position;  /* of the last one */
	char problem[512];
};

static struct seen read_fd(int fd)
{
	_cleanup_(recording_reader_freep) struct recording_reader *reader = NULL;
	struct seen seen = {};
	struct recording_item item;

	CHECK_EQUAL(recording_reader_new(fd, &reader), 0);
	while ((seen.result = recording_read(reader, &item)) != -EBADMSG &&
	       seen.result != -ENODATA) {
		if (seen.result == -EAGAIN) {
			CHECK_EQUAL(recording_fill(reader), 0);
			continue;
		}
		CHECK_EQUAL(seen.result, 0);
		seen.count++;
		seen.position = recording_position(reader);
		if (item.type != recording_header)
			CHECK(((uintptr_t)item.payload & 7) == 0);
	}
	if (seen.result == -EBADMSG)
		snprintf(seen.problem, sizeof(seen.problem), "%s", recording_problem(reader));
	return seen;
}

static struct seen read_bytes(const void *bytes, size_t size)
{
	int fd = file_of(bytes, size);
	struct seen seen = read_fd(fd);

	close(fd);
	return seen;
}

static void check_problem(const void *bytes, size_t size, const char *problem)
{
	struct seen seen = read_bytes(bytes, size);

	CHECK_EQUAL(seen.result, -EBADMSG);
	CHECK_SAYING(strstr(seen.problem, problem), "%s", seen.problem);
}

/* The item that the byte is part of, as a number, and where it begins. */
static unsigned int item_at(const struct made *made, size_t byte)
{
	unsigned int i = made->count - 1;

	while (made->starts[i] > byte)
		i--;
	return i;
}

static void check_damage_at(const struct made *made, size_t byte, const struct seen *seen)
{
	unsigned int i = item_at(made, byte);
	char begin[32];

	snprintf(begin, sizeof(begin), "byte %zu: ", made->starts[i]);
	CHECK_SAYING(seen->result == -EBADMSG, "byte %zu: %d", byte, seen->result);
	CHECK_SAYING(seen->count == i, "byte %zu: %u items, not %u", byte, seen->count, i);
	CHECK_SAYING(!strncmp(seen->problem, begin, strlen(begin)), "byte %zu: %s", byte,
		     seen->problem);
}

TEST(the_crc_is_that_of_rfc_3720_with_and_without_the_instruction)
{
	uint8_t bytes[300];
	uint64_t state = 5;

	CHECK_EQUAL(crc32c(0, "123456789", 9), 0xe3069283);
	CHECK_EQUAL(crc32c_in_software(0, "123456789", 9), 0xe3069283);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)test_random(&state);
	for (size_t from = 0; from < 8; from++)
		for (size_t size = 0; size < 290; size++)
			CHECK_EQUAL(crc32c(77, bytes + from, size),
				    crc32c_in_software(77, bytes + from, size));
	CHECK_EQUAL(crc32c(crc32c(0, bytes, 100), bytes + 100, 200), crc32c(0, bytes, 300));
}

TEST(what_is_written_is_read_as_it_was)
{
	_cleanup_(recording_reader_freep) struct recording_reader *reader = NULL;
	struct made *made = make(3000);
	int fd = file_of(made->bytes, made->size), i = 0, r;
	struct recording_item item;

	CHECK_EQUAL(recording_reader_new(fd, &reader), 0);
	while ((r = recording_read(reader, &item)) != -ENODATA) {
		char line[128];
		struct event *event;

		if (r == -EAGAIN) {
			CHECK_EQUAL(recording_fill(reader), 0);
			continue;
		}
		CHECK_SAYING(r == 0, "%s", recording_problem(reader));
		CHECK_EQUAL(recording_position(reader), made->starts[i]);
		event = event_make(i ?: 1);
		if (i == 0) {
			CHECK_EQUAL(item.type, recording_header);
			CHECK_TEXT(item.origin->hostname, "web1");
			CHECK_TEXT(item.origin->boot_id, "0123456789abcdef");
		} else if (i % 3) {
			CHECK_EQUAL(item.type, recording_event);
			CHECK_EQUAL(item.seq, i);
			CHECK_EQUAL(item.offset_ns, 1700000000000000000 + i);
			CHECK_EQUAL(item.size, event->header.size);
			CHECK(!memcmp(item.payload, event, item.size));
		} else {
			CHECK_EQUAL(item.size, snprintf(line, sizeof(line), LINE, i));
			CHECK(!memcmp(item.payload, line, item.size));
		}
		free(event);
		i++;
	}
	CHECK_EQUAL(i, 3001);
	close(fd);
	made_free(made);
}

/* Buffers are where partial writes have left them; UBSan sees who minds. */
TEST(a_record_is_the_same_wherever_it_is_put)
{
	struct made *made = make(10), *odd = calloc(1, sizeof(*odd));
	char *bytes = calloc(1, FILE_BYTES);

	odd->bytes = bytes + 3;
	put_header(odd);
	for (int i = 1; i <= 10; i++) {
		if (i % 3)
			put_event(odd, i);
		else
			put_line(odd, i);
		CHECK_EQUAL(recording_length(odd->bytes + odd->starts[i]),
			    odd->size - odd->starts[i]);
	}
	CHECK_EQUAL(odd->size, made->size);
	CHECK(!memcmp(odd->bytes, made->bytes, made->size));
	free(bytes);
	free(odd);
	made_free(made);
}

TEST(a_recording_cut_anywhere_is_read_up_to_there)
{
	struct made *made = make(12);

	for (size_t size = 1; size < made->size; size++) {
		struct seen seen = read_bytes(made->bytes, size);
		unsigned int i = item_at(made, size);

		if (made->starts[i] != size) {
			check_damage_at(made, size, &seen);
			continue;
		}
		CHECK_EQUAL(seen.result, -ENODATA); /* between two items: no cut at all */
		CHECK_EQUAL(seen.count, i);
	}
	check_problem(made->bytes, made->size - 1, "the recording is cut");
	check_problem(made->bytes, 0, "empty");
	made_free(made);
}

TEST(a_damaged_bit_anywhere_is_found_where_it_is)
{
	struct made *made = make(12);

	for (size_t byte = 0; byte < made->size; byte++)
		for (int bit = 0; bit < 8; bit++) {
			struct seen seen;

			made->bytes[byte] ^= (char)(1 << bit);
			seen = read_bytes(made->bytes, made->size);
			check_damage_at(made, byte, &seen);
			made->bytes[byte] ^= (char)(1 << bit);
		}
	CHECK_EQUAL(read_bytes(made->bytes, made->size).result, -ENODATA);
	made_free(made);
}

/* More than the reader holds: it must not wait for the rest of a record that cannot be. */
TEST(a_damaged_length_does_not_make_the_reader_wait)
{
	struct made *made = make(4000);

	CHECK(made->size > 512 * 1024);
	for (int bit = 0; bit < 32; bit++) {
		char *size = made->bytes + made->starts[1] + offsetof(struct recording_frame, size);
		struct seen seen;

		size[bit / 8] ^= (char)(1 << bit % 8);
		seen = read_bytes(made->bytes, made->size);
		check_damage_at(made, made->starts[1], &seen);
		CHECK_SAYING(strstr(seen.problem, "damaged"), "%s", seen.problem);
		size[bit / 8] ^= (char)(1 << bit % 8);
	}
	made_free(made);
}

TEST(a_lost_or_doubled_part_is_found)
{
	struct made *made = make(12);
	size_t from = made->starts[5], to = made->starts[6];
	char *bytes = malloc(2 * made->size);

	memcpy(bytes, made->bytes, from);
	memcpy(bytes + from, made->bytes + to, made->size - to);
	check_problem(bytes, made->size - (to - from), "a part is missing before this");
	memcpy(bytes, made->bytes, to);
	memcpy(bytes + to, made->bytes + from, made->size - from);
	check_problem(bytes, made->size + (to - from), "a part is missing before this");
	free(bytes);
	made_free(made);
}

TEST(recordings_behind_one_another_are_one)
{
	struct made *made = make(12);
	char *bytes = malloc(2 * made->size);
	struct seen seen;

	memcpy(bytes, made->bytes, made->size);
	memcpy(bytes + made->size, made->bytes, made->size);
	seen = read_bytes(bytes, 2 * made->size);
	CHECK_EQUAL(seen.result, -ENODATA);
	CHECK_EQUAL(seen.count, 2 * made->count);
	free(bytes);
	made_free(made);
}

/* The checksum is right: a file of another netlog is refused, but not called damaged. */
static void check_header_change(size_t offset, const void *bytes, size_t size, const char *problem)
{
	struct made *made = make(1);
	struct recording_header *header = (struct recording_header *)made->bytes;
	size_t after = offsetof(struct recording_header, crc) + sizeof(header->crc);

	memcpy(made->bytes + offset, bytes, size);
	header->crc = crc32c(0, header, offsetof(struct recording_header, crc));
	header->crc = crc32c(header->crc, made->bytes + after, sizeof(*header) - after);
	check_problem(made->bytes, made->size, problem);
	made_free(made);
}

TEST(other_writers_are_told_apart)
{
	const uint32_t swapped = __builtin_bswap32(RECORDING_BYTE_ORDER);
	const uint16_t newer = RECORDING_VERSION + 1;
	const uint64_t fingerprint = event_fingerprint() + 1;
	char hostname[sizeof(web1.hostname)];

	memset(hostname, 'x', sizeof(hostname));
	check_header_change(offsetof(struct recording_header, byte_order), &swapped,
			    sizeof(swapped),
			    "byte 0: written by a machine of the other byte order");
	check_header_change(offsetof(struct recording_header, version), &newer, sizeof(newer),
			    "byte 0: written in format 2, and netlog " NETLOG_VERSION
			    " knows those up to 1");
	check_header_change(offsetof(struct recording_header, fingerprint), &fingerprint,
			    sizeof(fingerprint),
			    "byte 0: written by netlog " NETLOG_VERSION
			    ", whose events are not those of this netlog");
	check_header_change(offsetof(struct recording_header, origin.hostname), hostname,
			    sizeof(hostname), "byte 0: the header is damaged");
	check_problem("{\"timestamp\":", 13, "this is no recording of netlog");
	check_problem("{", 1, "this is no recording of netlog");
}

/* ---- replaying, of bytes that nobody has checked ---- */

static char lines_path[] = "/tmp/netlog-test-XXXXXX";

static void lines_unlink(void)
{
	unlink(lines_path);
}

static void configure(struct output *output, const char *text)
{
	_cleanup_(output_freep) struct output *none = NULL;
	struct sink_spec spec;
	const char *failed;
	char *message;

	CHECK_SAYING(sink_spec_parse(text, NULL, &spec, &message) == 0, "%s", message);
	CHECK_EQUAL(output_new(NULL, &none), 0);
	CHECK_EQUAL(output_configure(output, &spec, 1, none, &failed), 0);
}

static struct output *output_to(const char *text)
{
	struct output *output;
	const char *failed;

	CHECK_EQUAL(output_new(&texts, &output), 0);
	configure(output, text);
	CHECK_EQUAL(output_begin(output, &failed), 0);
	return output;
}

static int replay_to(const char *output_text, const void *bytes, size_t size)
{
	struct options options = { .read_path = "test", .kernel.events.bits = UINT64_MAX };
	_cleanup_(lines_done) struct lines lines = {};
	int fd = file_of(bytes, size), r;

	CHECK_EQUAL(lines_init(&lines), 0);
	configure(lines.output, output_text);
	r = replay_run(&options, fd, &lines);
	close(fd);
	return r;
}

static char *read_all(const char *path, size_t *ret_size)
{
	struct stat status;
	int fd = open(path, O_RDONLY);
	char *bytes;

	CHECK_SAYING(fd >= 0 && fstat(fd, &status) == 0, "%s", path);
	bytes = calloc(1, (size_t)status.st_size + 1);
	CHECK_EQUAL(read(fd, bytes, (size_t)status.st_size), status.st_size);
	close(fd);
	*ret_size = (size_t)status.st_size;
	return bytes;
}

/* The result, and the lines, which the caller frees. */
static int replay_bytes(const void *bytes, size_t size, char **ret_lines)
{
	char text[128];
	int r;

	if (strstr(lines_path, "XXXXXX")) {
		close(mkstemp(lines_path));
		atexit(lines_unlink);
	}
	CHECK_EQUAL(truncate(lines_path, 0), 0);
	snprintf(text, sizeof(text), "file:%s", lines_path);
	r = replay_to(text, bytes, size);
	*ret_lines = read_all(lines_path, &size);
	return r;
}

/* Each is a JSON object; how many there are. */
static unsigned int check_lines(char *lines)
{
	unsigned int count = 0;

	for (char *line = strsep(&lines, "\n"); lines; line = strsep(&lines, "\n"), count++) {
		struct json_object *object = strict_parse(line, strlen(line));

		CHECK_SAYING(json_object_is_type(object, json_type_object), "%s", line);
		for (const char *p = line; *p; p++)
			CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
		json_object_put(object);
	}
	return count;
}

static void silence(void)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDERR_FILENO);
	close(null);
}

TEST(what_was_whole_before_a_damage_is_written_as_lines)
{
	struct made *made = make(60);
	char *lines;

	silence();
	for (unsigned int i = 1; i < made->count; i++) {
		made->bytes[made->starts[i] + 9] ^= 4;
		CHECK_EQUAL(replay_bytes(made->bytes, made->size, &lines), -EBADMSG);
		CHECK_EQUAL(check_lines(lines), i - 1);
		free(lines);
		CHECK_EQUAL(replay_bytes(made->bytes, made->starts[i] + 9, &lines), -EBADMSG);
		CHECK_EQUAL(check_lines(lines), i - 1);
		free(lines);
		made->bytes[made->starts[i] + 9] ^= 4;
	}
	CHECK_EQUAL(replay_bytes(made->bytes, made->size, &lines), 0);
	CHECK_EQUAL(check_lines(lines), 60);
	free(lines);
	made_free(made);
}

/* A checksum says nothing of who made it: whatever is in a frame, only lines of ours come out. */
TEST(frames_of_any_bytes_with_a_right_checksum_make_only_good_lines)
{
	static const char *const fine = "{\"event_type\":\"lost\",\"seq\":1}\n";
	static const char *const bad[] = {
		"",
		"\n",
		"{}\n",
		"{\"event_type\":\"lost\"}",
		"{\"event_type\":\"lost\"}\n{\"event_type\":\"lost\"}\n",
		"{\"event_type\":\"rtt\"}\n",
		"{\"event_type\":7}\n",
		"{\"event_type\":\"lost\"} \n",
		"{\"event_type\":\"lost\"}}\n",
		"{\"event_type\":\"lost\",\"x\":\"\033[2J\"}\n",
		"{\"event_type\":\"lost\",\"x\":\"\xc2\x9b\"}\n",
		"{\"event_type\":\"lost\",\"x\":\"\xff\"}\n",
		"{\"event_type\":\"lost\",\"A=B\":1}\n",
		"[\"event_type\"]\n",
		/* json-c takes these, but they are no JSON */
		"{'event_type':\"lost\"}\n",
		"{\"event_type\":'lost'}\n",
		"{\"event_type\":\"lost\",\"x\":NaN}\n",
		"{\"event_type\":\"lost\",\"x\":nan}\n",
		"{\"event_type\":\"lost\",\"x\":[-Infinity]}\n",
		"{\"event_type\":\"lost\",\"x\":{\"y\":1.}}\n",
		"{\"event_type\":\"lost\",\"x\":01}\n",
		"{\"event_type\":\"lost\",\"x\":TRUE}\n",
		"{\"event_type\":\"lost\",\"x\":Null}\n",
		"{\"event_type\":\"lost\",\"x\":[1,]}\n",
		"{\"event_type\":\"lost\",}\n",
		"{\"event_type\":\"lost\",/* no JSON */\"x\":1}\n",
		"{\"event_type\":\"lost\",// no JSON, \"x\":1}\n",
		/* these are JSON, but other readers may take them for something else */
		"{\"event_type\":\"rtt\",\"event_type\":\"lost\"}\n",
		"{\"event_type\\u0000\":\"lost\"}\n",
		"{\"event_type\":\"lost\",\"x\":\"\\u0000\"}\n",
		"{\"event_type\":\"lost\",\"x\":\"\\ud800\"}\n",
		"{\"event_type\":\"lost\",\"x\":99999999999999999999999}\n",
	};
	uint64_t state = 11;
	char *lines;

	silence();
	for (size_t i = 0; i <= ARRAY_SIZE(bad); i++) {
		struct made *made = make(1);
		const char *line = i ? bad[i - 1] : fine;
		struct recording_item item = { .type = recording_line,
					       .payload = line,
					       .size = strlen(line) };
		int r;

		made_put(made, &item);
		r = replay_bytes(made->bytes, made->size, &lines);
		CHECK_SAYING(r == (i ? -EBADMSG : 0), "%d: %s", r, line);
		CHECK_EQUAL(check_lines(lines), i ? 1 : 2);
		free(lines);
		made_free(made);
	}
	for (int round = 0; round < 600; round++) {
		struct made *made = make(3);
		struct event *event = event_make(round);
		size_t size = event->header.size;
		struct recording_item item = { .type = recording_event,
					       .payload = event,
					       .size = size };
		int r;

		for (int i = (int)(test_random(&state) % 40); i >= 0; i--)
			((char *)event)[test_random(&state) % size] = (char)test_random(&state);
		item.type = (enum recording_type)(
			test_random(&state) % 10 ? 1 : test_random(&state) % 5);
		item.type =
			item.type == recording_name ? recording_line : item.type; /* see below */
		item.size -= test_random(&state) % 10 ? 0 : test_random(&state) % size;
		item.seq = test_random(&state);
		item.offset_ns = (int64_t)test_random(&state);
		if (item.type == recording_header)
			item.type = recording_line;
		made_put(made, &item);
		r = replay_bytes(made->bytes, made->size, &lines);
		CHECK(r == 0 || r == -EBADMSG);
		CHECK_EQUAL(check_lines(lines), r == 0 ? 4 : 3);
		free(lines);
		free(event);
		made_free(made);
	}
}

/* Of a cgroup that this host has, too: the root's id is 1. */
static struct event *event_of_cgroup(uint64_t id)
{
	struct event *event = event_make(1);

	event->header.has |= BIT(offsetof(struct event_index, cgroup_id)) |
			     BIT(offsetof(struct event_index, netns));
	event->cgroup_id = id;
	event->netns = (uint32_t)id % 5;
	return event;
}

static int replay_name(const void *payload, size_t size, char **ret_lines)
{
	struct made *made = make(1);
	struct event *event = event_of_cgroup(1);
	struct recording_item items[] = {
		{ .type = recording_name, .payload = payload, .size = size },
		{ .type = recording_event, .payload = event, .size = event->header.size },
	};
	int r;

	made_put(made, &items[0]);
	made_put(made, &items[1]);
	r = replay_bytes(made->bytes, made->size, ret_lines);
	free(event);
	made_free(made);
	return r;
}

TEST(names_of_any_bytes_make_only_good_lines_and_others_are_refused)
{
	struct {
		struct recording_name_frame frame;
		char text[2 * NAME_TEXT_MAX];
	} name = { { 1, names_of_cgroup_id }, "/\x01\"\xff\x9b\x7f.service" };
	const size_t whole = sizeof(name.frame) + strlen(name.text);
	uint64_t state = 17;
	char *lines;

	silence();
	CHECK_EQUAL(replay_name(&name, whole, &lines), 0);
	CHECK_SAYING(strstr(lines, "\"cgroup\":\"/\\u0001\\\""), "%s", lines);
	CHECK_EQUAL(check_lines(lines), 2);
	free(lines);
	for (int round = 0; round < 400; round++) {
		size_t length = test_random(&state);

		for (size_t i = 0; i < sizeof(name.text); i++)
			name.text[i] = (char)(1 + test_random(&state) % 255);
		name.frame.source = test_random(&state) % name_sources;
		length %= name_source_descs[name.frame.source].text_max + 1U;
		CHECK_EQUAL(replay_name(&name, sizeof(name.frame) + length, &lines), 0);
		CHECK_EQUAL(check_lines(lines), 2);
		free(lines);
	}
	memset(name.text, 'x', sizeof(name.text));
	for (size_t size = 0; size < sizeof(name.frame); size++) {
		CHECK_EQUAL(replay_name(&name, size, &lines), -EBADMSG);
		free(lines);
	}
	for (enum name_source source = 0; source < name_sources; source++) {
		const size_t longest = sizeof(name.frame) + name_source_descs[source].text_max;

		name.frame.source = source;
		CHECK_EQUAL(replay_name(&name, longest + 1, &lines), -EBADMSG);
		free(lines);
		CHECK_EQUAL(replay_name(&name, longest, &lines), 0);
		free(lines);
	}
	name.frame.source = name_sources;
	CHECK_EQUAL(replay_name(&name, whole, &lines), -EBADMSG);
	free(lines);
	name.frame.source = UINT64_MAX << 32 | names_of_cgroup_id;
	CHECK_EQUAL(replay_name(&name, whole, &lines), -EBADMSG);
	free(lines);
	name.frame.source = names_of_cgroup_id;
	name.text[3] = 0;
	CHECK_EQUAL(replay_name(&name, whole, &lines), -EBADMSG);
	CHECK_EQUAL(check_lines(lines), 1);
	free(lines);
}

TEST(a_replay_has_no_names_of_its_own_host)
{
	const struct recording_name_frame none = { 1, names_of_cgroup_id };
	char *lines;

	CHECK_EQUAL(replay_name(&none, sizeof(none), &lines), 0);
	CHECK(strstr(lines, "\"cgroup_id\":\"1\""));
	CHECK(!strstr(lines, "\"cgroup\""));
	CHECK_EQUAL(check_lines(lines), 2);
	free(lines);
}

TEST(random_damage_of_several_bytes_never_makes_a_bad_line)
{
	struct made *made = make(30);
	char *bytes = malloc(made->size), *lines;
	uint64_t state = 3;

	silence();
	for (int round = 0; round < 500; round++) {
		memcpy(bytes, made->bytes, made->size);
		for (int i = (int)(test_random(&state) % 20); i >= 0; i--)
			bytes[test_random(&state) % made->size] ^= (char)test_random(&state) | 1;
		CHECK_EQUAL(replay_bytes(bytes, made->size, &lines), -EBADMSG);
		CHECK(check_lines(lines) < 30);
		free(lines);
	}
	free(bytes);
	made_free(made);
}

TEST(a_failing_output_ends_a_replay_with_an_error)
{
	struct made *made = make(10);

	silence();
	CHECK_EQUAL(replay_to("file:/dev/null", made->bytes, made->size), 0);
	CHECK_EQUAL(replay_to("file:/dev/full", made->bytes, made->size), -EIO);
	made_free(made);
}

/* ---- recordings as outputs ---- */

static char directory[] = "/tmp/netlog-test-XXXXXX";

static void directory_remove(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", directory);
	CHECK_EQUAL(system(command), 0);
}

/* "record:" and a path in a directory that goes when the test ends, which stands behind the colon */
static char *recording_to(const char *more)
{
	static char text[128];

	if (strstr(directory, "XXXXXX")) {
		CHECK(mkdtemp(directory));
		atexit(directory_remove);
	}
	snprintf(text, sizeof(text), "record:%s/r%s", directory, more);
	return text;
}

static const char *path_of(const char *more)
{
	return strchr(recording_to(more), ':') + 1;
}

static void write_event(struct output *output, int i)
{
	struct event *event = event_make(i);
	const struct item item = { .type = (enum event_type)event->header.type,
				   .event = event,
				   .seq = (uint64_t)i,
				   .takers = ITEM_FOR_ALL };

	CHECK(output_ready(output));
	output_write(output, &item);
	free(event);
}

/* The next item, which can be read; false: that was all. */
static bool read_item(struct recording_reader *reader, struct recording_item *ret_item)
{
	int r;

	while ((r = recording_read(reader, ret_item)) == -EAGAIN)
		CHECK_EQUAL(recording_fill(reader), 0);
	CHECK_SAYING(r == 0 || r == -ENODATA, "%s", recording_problem(reader));
	return r == 0;
}

/* Of the events in the bytes, whole and readable by themselves: the first one's seq, the last
 * one's. */
static void check_events(const char *bytes, size_t size, uint64_t *ret_first, uint64_t *ret_last)
{
	_cleanup_(recording_reader_freep) struct recording_reader *reader = NULL;
	struct recording_item item;
	int fd = file_of(bytes, size);

	*ret_first = 0;
	CHECK_EQUAL(recording_reader_new(fd, &reader), 0);
	while (read_item(reader, &item)) {
		if (item.type == recording_header)
			CHECK_TEXT(item.origin->hostname, "web1");
		if (item.type != recording_event)
			continue;
		CHECK(!*ret_first || item.seq == *ret_last + 1);
		*ret_first = *ret_first ?: item.seq;
		*ret_last = item.seq;
	}
	close(fd);
}

static void check_file(const char *path, uint64_t *ret_first, uint64_t *ret_last)
{
	size_t size;
	char *bytes = read_all(path, &size);

	check_events(bytes, size, ret_first, ret_last);
	free(bytes);
}

/* How the name of the newest rotated file but `age` ends; 0: that of the file itself. */
static const char *rotated(int age)
{
	static char more[16];
	int newest = 0;

	do
		snprintf(more, sizeof(more), ".%d", ++newest);
	while (access(path_of(more), F_OK) == 0);
	snprintf(more, sizeof(more), age ? ".%d" : "", newest - age);
	return more;
}

TEST(each_file_of_a_rotated_recording_can_be_read_by_itself)
{
	struct output *output = output_to(recording_to(",max-size=65536,max-files=9"));
	uint64_t state = 4, first, last, expected = 2000;
	struct stat status;

	output_set_origin(output, &web1);
	for (int i = 1; i <= 2000; i++) {
		write_event(output, i);
		if (test_random(&state) % 300 == 0)
			CHECK_EQUAL(output_flush(output, 0), 0);
	}
	CHECK_EQUAL(output_flush(output, 0), 0);
	output_free(output);
	for (int i = 0; expected; i++) {
		const char *more = rotated(i);

		check_file(path_of(more), &first, &last);
		CHECK_EQUAL(last, expected);
		expected = first - 1;
		CHECK_EQUAL(stat(path_of(more), &status), 0);
		CHECK_SAYING(status.st_size <= 65536 && (!i || status.st_size > 64000), "%lld",
			     (long long)status.st_size);
	}
}

/* Whose the events of a recording are: numbered from 1 on, the first byte of the hostname of each. */
static unsigned int hosts_read(const char *path, char *hosts, unsigned int from)
{
	_cleanup_(recording_reader_freep) struct recording_reader *reader = NULL;
	int fd = open(path, O_RDONLY);
	struct recording_item item;
	char host = 0;

	CHECK_EQUAL(recording_reader_new(fd, &reader), 0);
	while (read_item(reader, &item)) {
		if (item.type == recording_header)
			host = item.origin->hostname[0];
		if (item.type == recording_event)
			hosts[from++] = host;
	}
	close(fd);
	return from;
}

/* Several recordings behind one another, recorded again: what is in the buffer may be of all of
 * them. */
TEST(events_of_several_hosts_stay_theirs_when_files_are_rotated)
{
	struct output *output = output_to(recording_to(",max-size=65536,max-files=90"));
	static char hosts[4000];
	unsigned int count = 0;
	char more[16];
	int files = 1;

	for (int i = 0; i < 4000; i++) {
		struct origin origin = { .hostname = { (char)('a' + i / 200) } };

		if (i % 200 == 0)
			output_set_origin(output, &origin);
		write_event(output, i + 1);
		if (i % 600 == 599)
			CHECK_EQUAL(output_flush(output, 0), 0);
	}
	CHECK_EQUAL(output_flush(output, 0), 0);
	output_free(output);
	for (snprintf(more, sizeof(more), ".1"); access(path_of(more), F_OK) == 0;
	     snprintf(more, sizeof(more), ".%d", ++files))
		count = hosts_read(path_of(more), hosts, count);
	CHECK_SAYING(files > 5, "%d", files);
	count = hosts_read(path_of(""), hosts, count);
	CHECK_EQUAL(count, 4000);
	for (unsigned int i = 0; i < count; i++)
		CHECK_SAYING(hosts[i] == 'a' + (char)(i / 200), "event %u is of %c", i, hosts[i]);
}

TEST(a_recording_takes_the_place_of_an_older_one_and_of_nothing_else)
{
	struct maker *maker;
	uint64_t first, last;
	struct sink_spec spec;
	struct output *output;
	struct sink *sink;
	char *message;
	FILE *file;

	CHECK_EQUAL(maker_recording_new(&maker), 0);
	for (int i = 1; i <= 2; i++) {
		output = output_to(recording_to(""));
		output_set_origin(output, &web1);
		write_event(output, i);
		CHECK_EQUAL(output_flush(output, 0), 0);
		output_free(output);
	}
	check_file(path_of(""), &first, &last);
	CHECK(first == 2 && last == 2);
	/* with rotation, the older one is kept */
	output_free(output_to(recording_to(",max-size=65536")));
	check_file(path_of(".1"), &first, &last);
	CHECK(first == 2 && last == 2);

	file = fopen(path_of("x"), "w");
	fputs("my thesis", file);
	fclose(file);
	CHECK_EQUAL(sink_spec_parse(recording_to("x"), NULL, &spec, &message), 0);
	CHECK_EQUAL(sink_file_open(&spec, maker, &sink), -EEXIST);
	file = fopen(path_of("x"), "r");
	CHECK_EQUAL(fgetc(file), 'm');
	fclose(file);
	maker_put(maker);
}

TEST(a_recording_goes_on_readable_after_reopening_with_and_without_a_rename)
{
	struct output *output = output_to(recording_to(""));
	char old[128];
	uint64_t first, last;

	output_set_origin(output, &web1);
	write_event(output, 1);
	CHECK_EQUAL(output_reopen(output), 0);
	write_event(output, 2);
	CHECK_EQUAL(output_flush(output, 0), 0);
	strcpy(old, path_of(".old"));
	CHECK_EQUAL(rename(path_of(""), old), 0);
	write_event(output, 3); /* when it is opened anew, all that there is goes to the old file */
	CHECK_EQUAL(output_reopen(output), 0);
	write_event(output, 4);
	CHECK_EQUAL(output_flush(output, 0), 0);
	check_file(old, &first, &last);
	CHECK(first == 1 && last == 3);
	check_file(path_of(""), &first, &last);
	CHECK(first == 4 && last == 4);
	output_free(output);
}

TEST(a_full_disk_cuts_no_record)
{
	struct output *output = output_to(recording_to(""));
	struct rlimit limit = { 30001, RLIM_INFINITY };
	uint64_t first, last;
	int r;

	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
	output_set_origin(output, &web1);
	for (int i = 1; i <= 300; i++)
		write_event(output, i);
	CHECK_EQUAL(output_flush(output, 0), -EAGAIN); /* what is left, and why: */
	CHECK_EQUAL(output_sink(output, 0)->error, -EFBIG);
	CHECK(output_sink(output, 0)->ops->pending(output_sink(output, 0)) > 0);
	limit.rlim_cur = RLIM_INFINITY;
	CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
	/* nobody has seen the half of a record */
	check_file(path_of(""), &first, &last);
	CHECK(first == 1 && last < 300);
	r = (int)(300 - last);
	CHECK_EQUAL(output_sink(output, 0)->ops->pending(output_sink(output, 0)), r);
	CHECK_EQUAL(output_flush(output, 0), 0);
	check_file(path_of(""), &first, &last);
	CHECK(first == 1 && last == 300);
	output_free(output);
}

/* How many of the events up to `i` are not whole in the recording's first `written` bytes. */
static size_t events_behind(uint64_t written, int i)
{
	uint64_t end = sizeof(struct recording_header);
	int whole = 0;

	while (whole < i) {
		struct event *event = event_make(whole + 1);

		end += RECORDING_ITEM_BYTES(event->header.size);
		free(event);
		if (end > written)
			break;
		whole++;
	}
	return (size_t)(i - whole);
}

/* A pipe takes parts of records. */
TEST(a_recording_through_a_slow_pipe_arrives_whole)
{
	char *bytes = malloc(FILE_BYTES);
	struct output *output;
	struct sink *sink;
	uint64_t state = 9, first, last;
	size_t size = 0;
	int fd, i = 0, underway;

	recording_to("");
	CHECK_EQUAL(mkfifo(path_of(""), 0600), 0);
	fd = open(path_of(""), O_RDONLY | O_NONBLOCK);
	CHECK(fcntl(fd, F_SETPIPE_SZ, 4096) > 0);
	output = output_to(recording_to(""));
	output_set_origin(output, &web1);
	while (i < 100) /* more than the pipe holds */
		write_event(output, ++i);
	CHECK_EQUAL(output_flush(output, 0), -EAGAIN);
	for (int idle = 0; idle < 10;) {
		ssize_t n = read(fd, bytes + size, 1 + test_random(&state) % 3000);

		idle = n <= 0 && i == 2000 ? idle + 1 : 0;
		size += n > 0 ? (size_t)n : 0;
		for (int more = (int)(test_random(&state) % 20);
		     more && i < 2000 && output_ready(output); more--)
			write_event(output, ++i);
		output_flush(output, 0);
		sink = output_sink(output, 0);
		CHECK_EQUAL(ioctl(fd, FIONREAD, &underway), 0);
		CHECK_EQUAL(sink->ops->pending(sink), events_behind(size + (size_t)underway, i));
	}
	check_events(bytes, size, &first, &last);
	CHECK(first == 1 && last == 2000);
	CHECK_EQUAL(output_sink(output, 0)->ops->pending(output_sink(output, 0)), 0);
	output_free(output);
	close(fd);
	free(bytes);
}

TEST(a_replay_can_be_recorded_again_and_is_the_same)
{
	struct made *made = make(500);
	size_t size;
	char *bytes;

	CHECK_EQUAL(replay_to(recording_to(""), made->bytes, made->size), 0);
	bytes = read_all(path_of(""), &size);
	CHECK_EQUAL(size, made->size);
	CHECK(!memcmp(bytes, made->bytes, size));
	free(bytes);
	made_free(made);
}

/* The wall clock is set during the run: each line has the time that it showed at its event. */
TEST(a_replay_gives_the_same_times_when_the_clock_was_set_in_between)
{
	struct sink_spec specs[2];
	struct output *none;
	const char *failed;
	struct lines lines;
	char text[128], *message, *live, *replayed, *recording;
	size_t size;

	snprintf(text, sizeof(text), "file:%s", path_of(".live"));
	CHECK_EQUAL(sink_spec_parse(text, NULL, &specs[0], &message), 0);
	CHECK_EQUAL(sink_spec_parse(recording_to(""), NULL, &specs[1], &message), 0);
	CHECK_EQUAL(lines_init(&lines) ?: output_new(NULL, &none), 0);
	CHECK_EQUAL(output_configure(lines.output, specs, 2, none, &failed), 0);
	lines_set_origin(&lines, &web1);
	for (int i = 1; i <= 300; i++) {
		struct event *event = event_make(i);
		struct control control;

		lines.clock.offset_ns += i % 50 ? 0 : -3600000000000 + i; /* an hour back */
		lines_event(&lines, event, event->header.size);
		free(event);
		if (i % 100)
			continue;
		lines_begin(&lines, &control, control_stats);
		CHECK_EQUAL(lines_end(&lines, &control), 0);
	}
	CHECK_EQUAL(output_flush(lines.output, 0), 0);
	live = read_all(path_of(".live"), &size);
	recording = read_all(path_of(""), &size);
	CHECK_EQUAL(replay_bytes(recording, size, &replayed), 0);
	CHECK(!strcmp(live, replayed));
	CHECK_EQUAL(check_lines(live), 303);
	lines_done(&lines);
	output_free(none);
	free(live);
	free(recording);
	free(replayed);
}

/* ---- names ---- */

/* A run with lines in .live beside the recording, whose names come and go. */
struct run {
	struct output *output, *none; /* the first one is the lines' */
	struct names *names;
	struct lines lines;
	uint64_t state;
};

static void run_outputs(struct run *run, const char *recording)
{
	struct sink_spec specs[2];
	char text[128], *message;
	const char *failed;

	snprintf(text, sizeof(text), "file:%s", path_of(".live"));
	CHECK_EQUAL(sink_spec_parse(text, NULL, &specs[0], &message), 0);
	if (recording)
		CHECK_EQUAL(sink_spec_parse(recording_to(recording), NULL, &specs[1], &message), 0);
	CHECK_EQUAL(output_configure(run->output, specs, recording ? 2 : 1, run->none, &failed), 0);
}

static void run_begin(struct run *run, const char *recording)
{
	const struct names_config nowhere = {};

	*run = (struct run){ .state = 21 };
	CHECK_EQUAL(lines_init(&run->lines) ?: output_new(NULL, &run->none), 0);
	run->output = run->lines.output;
	CHECK_EQUAL(names_new(&nowhere, &run->names), 0);
	run_outputs(run, recording);
	lines_set_origin(&run->lines, &web1);
	lines_set_names(&run->lines, run->names);
}

static void run_end(struct run *run)
{
	CHECK_EQUAL(output_flush(run->output, 0), 0);
	lines_done(&run->lines);
	names_free(run->names);
	output_free(run->none);
}

/* Now and then one of the cgroups gets another name, or none; it takes effect in between. */
static void run_event(struct run *run, uint64_t cgroups)
{
	struct event *event = event_of_cgroup(1 + test_random(&run->state) % cgroups);
	uint64_t what = test_random(&run->state) % 100;
	char text[32];

	snprintf(text, sizeof(text), "/%u.service", (unsigned int)run->state % 1000);
	if (what < 20)
		CHECK_EQUAL(names_feed(run->names, what ? names_of_cgroup_id : names_of_netns,
				       what ? event->cgroup_id : event->netns,
				       what % 4 == 1 ? NULL : text),
			    0);
	CHECK(output_ready(run->output));
	lines_event(&run->lines, event, event->header.size);
	free(event);
}

/* Replay the recording's files, the oldest one last: each by itself, and all together. */
static void check_replays(struct run *run, int files)
{
	char *live, *replayed, *recording, *all;
	size_t size, length = 0;

	live = read_all(path_of(".live"), &size);
	all = calloc(1, 2 * size + 1);
	for (int i = files - 1; i >= 0; i--) {
		recording = read_all(path_of(rotated(i)), &size);
		CHECK_EQUAL(replay_bytes(recording, size, &replayed), 0);
		strcpy(all + length, replayed);
		length += strlen(replayed);
		free(recording);
		free(replayed);
	}
	CHECK(length > 0 && length <= strlen(live));
	CHECK(!strcmp(live + strlen(live) - length, all)); /* a recording may begin later */
	CHECK(strstr(all, "\"cgroup\"") && strstr(all, "\"netns_name\""));
	CHECK_EQUAL(check_lines(live), run->lines.seq);
	free(live);
	free(all);
}

static int files_count(void)
{
	char more[16] = "";
	int count = 0;

	while (access(path_of(more), F_OK) == 0)
		snprintf(more, sizeof(more), ".%d", ++count);
	return count;
}

/* Also when there are more cgroups than netlog can remember */
TEST(names_take_effect_in_a_replay_where_they_did_and_in_each_file_by_itself)
{
	static const uint64_t cgroups[] = { 3, 700, 9000 };

	for (size_t k = 0; k < ARRAY_SIZE(cgroups); k++) {
		struct run run;
		int files;

		run_begin(&run, ",max-size=65536,max-files=90");
		CHECK_EQUAL(truncate(path_of(".live"), 0), 0);
		for (int i = 1; i <= 12000; i++) {
			run_event(&run, cgroups[k]);
			if (!output_ready(run.output) || test_random(&run.state) % 900 == 0)
				CHECK_EQUAL(output_flush(run.output, 0), 0);
			if (i % 5000 == 0)
				CHECK_EQUAL(output_reopen(run.output), 0);
		}
		files = (int)run.lines.seq;
		run_end(&run);
		run.lines.seq = (uint64_t)files;
		files = files_count();
		CHECK_SAYING(files > 12, "%d", files);
		check_replays(&run, files);
		for (int i = 0; i < files; i++) {
			char more[16] = "";

			if (i)
				snprintf(more, sizeof(more), ".%d", i);
			CHECK_EQUAL(unlink(path_of(more)), 0);
		}
	}
}

/* The items left in the buffer go to a new file, which has no names yet. */
TEST(what_a_full_disk_left_over_has_its_names_in_the_next_file)
{
	struct rlimit limit = { 3001, RLIM_INFINITY };
	struct run run;
	uint64_t seq;
	char old[128];

	signal(SIGXFSZ, SIG_IGN);
	run_begin(&run, "");
	for (int i = 1; i <= 300; i++)
		run_event(&run, 5);
	CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CHECK_EQUAL(output_flush(run.output, 0), -EAGAIN);
	strcpy(old, path_of(".1"));
	CHECK_EQUAL(rename(path_of(""), old), 0);
	output_reopen(run.output);
	limit.rlim_cur = RLIM_INFINITY;
	CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CHECK_EQUAL(output_flush(run.output, 0), 0);
	for (int i = 1; i <= 300; i++)
		run_event(&run, 5);
	seq = run.lines.seq;
	run_end(&run);
	run.lines.seq = seq;
	check_replays(&run, 2);
}

/* Of all sources that there are: a new one is covered without a word here. */
TEST(all_names_that_an_event_may_have_are_there_again_in_a_replay)
{
	struct run run;
	uint64_t seq;

	run_begin(&run, "");
	CHECK_EQUAL(truncate(path_of(".live"), 0), 0);
	for (int i = 1; i <= 900; i++) {
		struct event *event = event_make(i);
		const struct event_desc *desc = event_desc(event->header.type);
		struct named_number numbers[NAMED_NUMBERS_MAX];
		unsigned int count;
		char text[32];

		event->header.has |= desc->named;
		for (unsigned int k = 0; k < desc->field_count; k++)
			if (desc->named & BIT(k))
				*((char *)event + desc->fields[k].offset) =
					(char)(1 + test_random(&run.state) % 40);
		count = event_named_numbers(event, numbers);
		for (unsigned int k = 0; k < count && i % 3; k++) {
			snprintf(text, sizeof(text), "/%u.service", i / 10);
			CHECK_EQUAL(names_feed(run.names, numbers[k].source, numbers[k].id,
					       i % 7 ? text : NULL),
				    0);
		}
		if (!output_ready(run.output)) /* names take room, too */
			CHECK_EQUAL(output_flush(run.output, 0), 0);
		lines_event(&run.lines, event, event->header.size);
		free(event);
	}
	seq = run.lines.seq;
	run_end(&run);
	run.lines.seq = seq;
	check_replays(&run, 1);
}

TEST(a_recording_that_begins_later_has_the_names_that_are_known_by_then)
{
	struct run run;
	uint64_t seq;

	run_begin(&run, NULL);
	for (int i = 1; i <= 300; i++)
		run_event(&run, 5);
	lines_refresh(&run.lines); /* as before each drain */
	run_outputs(&run, "");
	for (int i = 1; i <= 50; i++)
		run_event(&run, 5);
	seq = run.lines.seq;
	run_end(&run);
	run.lines.seq = seq;
	check_replays(&run, 1);
}

/* A file's 64 KiB have no room for all names of the items in a buffer. */
TEST(a_buffer_full_of_the_longest_names_is_begun_anew)
{
	struct output *output = output_to(recording_to(",max-size=65536,max-files=90"));
	struct sink *sink = output_sink(output, 0);
	char cgroup[NAME_TEXT_MAX + 1] = "", netns[NAME_MAX + 1] = "";
	uint64_t first, last, expected;
	int count = 0;

	output_set_origin(output, &web1);
	memset(cgroup, 'x', NAME_TEXT_MAX);
	memset(netns, 'x', NAME_MAX);
	for (int round = 0; round < 4; round++) {
		while (sink_ready(sink)) {
			struct event *event = event_of_cgroup((uint64_t)++count % 3500);
			const char *const names[NAMED_NUMBERS_MAX] = { cgroup, netns };
			const struct item item = { .type = (enum event_type)event->header.type,
						   .event = event,
						   .seq = (uint64_t)count,
						   .takers = ITEM_FOR_ALL,
						   .names = names };

			output_write(output, &item);
			free(event);
		}
		CHECK_EQUAL(output_flush(output, 0), 0);
	}
	output_free(output);
	expected = (uint64_t)count;
	for (int i = 0; expected; i++) {
		check_file(path_of(rotated(i)), &first, &last);
		CHECK_EQUAL(last, expected);
		expected = first - 1;
	}
}

TEST(an_event_that_only_a_recording_takes_has_no_line)
{
	struct output *output, *none;
	struct sink_spec specs[2];
	const char *failed;
	char *message;

	CHECK_EQUAL(sink_spec_parse(recording_to(""), NULL, &specs[0], &message), 0);
	CHECK_EQUAL(sink_spec_parse("file:/dev/null,events=latency", NULL, &specs[1], &message), 0);
	CHECK_EQUAL(output_new(&texts, &output) ?: output_new(NULL, &none), 0);
	CHECK_EQUAL(output_configure(output, specs, 2, none, &failed), 0);
	write_event(output, event_rtt - 1); /* of that type */
	CHECK_EQUAL(texts_made, 0);
	output_free(output);
	output_free(none);
}
