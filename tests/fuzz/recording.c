// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * recording.c - fuzz target: recordings, with checksums made good. They are read as they were made;
 * damage is found before anything of it is believed; the replay goes on up to the first item that
 * no netlog writes, and recorded anew, replays to the same bytes.
 *
 * The input is a byte for the damage and where it is, and then a byte and the contents for each
 * item.
 *
 * options: -max_len=4096 -close_fd_mask=2
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "directory.h"
#include "output/recording.h"
#include "records.h"
#include "run/replay.h"
#include "tests/unit/strict.h"

#define ITEMS_MAX 64
#define ITEM_MAX 4096

/* ---- making ---- */

struct made {
	unsigned int count;
	size_t starts[ITEMS_MAX + 1];
	struct recording_item items[ITEMS_MAX]; /* with payloads in `bytes` */
	uint32_t crc;
	char bytes[ITEMS_MAX * ITEM_MAX] __attribute__((aligned(RECORDING_ALIGNMENT)));
};

static void made_grow(struct made *made, size_t size)
{
	const size_t start = made->starts[made->count];

	made->items[made->count] = recording_item_of(made->bytes + start);
	CHECK_EQUAL(recording_length(made->bytes + start), size);
	made->starts[++made->count] = start + size;
}

static char *made_end(struct made *made)
{
	return made->bytes + made->starts[made->count];
}

static void put_header(struct made *made, const char *hostname)
{
	struct origin origin = { .boot_id = "0123456789abcdef0123456789abcdef" };

	snprintf(origin.hostname, HOST_NAME_MAX + 1, "%s", hostname);
	made_grow(made, recording_put_header(made_end(made), &origin, &made->crc));
}

static void put(struct made *made, enum recording_type type, const void *payload, size_t size)
{
	const struct recording_item item = { .type = type,
					     .payload = payload,
					     .size = size,
					     .seq = made->count,
					     .offset_ns = 1700000000000000000 };

	made_grow(made, recording_put(made_end(made), &item, &made->crc));
}

/* Few numbers, so that names are met again; and now and then any. */
static uint64_t input_id(struct input *input)
{
	const unsigned int byte = input_byte(input);

	return byte < 0xc0 ? byte % 8 : input_number(input, 8);
}

static void put_event(struct made *made, struct input *input)
{
	_cleanup_free_ struct event *event = NULL;
	size_t size = record_make(input, &event);

	if (size >= sizeof(*event)) {
		event->cgroup_id = input_id(input);
		event->netns = (uint32_t)input_id(input);
	}
	put(made, recording_event, event, size);
}

static void put_line(struct made *made, struct input *input)
{
	_cleanup_free_ char *line = input_line(input) ?: strdup("");
	const size_t length = strlen(line) < 2048 ? strlen(line) : 2048;

	line[length] = '\n';
	put(made, recording_line, line, length + 1);
}

static void put_name(struct made *made, struct input *input)
{
	const unsigned int source = input_byte(input);
	const struct recording_name_frame frame = {
		.source = source < 0xf0 ? source % name_sources : source, .id = input_id(input)
	};
	_cleanup_free_ char *name = input_line(input) ?: strdup("");
	char payload[sizeof(frame) + 600];
	const size_t length = strlen(name) < 600 ? strlen(name) : 600;

	memcpy(payload, &frame, sizeof(frame));
	memcpy(payload + sizeof(frame), name, length);
	put(made, recording_name, payload, sizeof(frame) + length);
}

/* A payload of any bytes, of a type that there is or is not. */
static void put_any(struct made *made, struct input *input)
{
	char payload[1024];
	const unsigned int type = input_byte(input) % 5;
	const size_t size = input_number(input, 2) % sizeof(payload);

	input_bytes(input, payload, size);
	/* the writer clears an event's takers, and must have them */
	put(made, type == recording_event && size < sizeof(struct event_header) ? 4 : type, payload,
	    size);
}

static struct made *make(struct input *input)
{
	struct made *made = calloc(1, sizeof(*made));

	put_header(made, "web1");
	while (input->left && made->count < ITEMS_MAX) {
		const unsigned int how = input_byte(input) % 8;
		_cleanup_free_ char *hostname = NULL;

		if (how < 4) {
			put_event(made, input);
		} else if (how == 4) {
			put_line(made, input);
		} else if (how == 5) {
			put_name(made, input);
		} else if (how == 6) {
			put_any(made, input);
		} else {
			hostname = input_line(input) ?: strdup("");
			put_header(made, hostname);
		}
	}
	return made;
}

static int file_of(const void *bytes, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("recording", MFD_CLOEXEC);
	CHECK_EQUAL(ftruncate(fd, 0), 0);
	CHECK_EQUAL(pwrite(fd, bytes, size, 0), size);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* ---- reading ---- */

static bool is_type(enum recording_type type)
{
	return type == recording_event || type == recording_line || type == recording_name;
}

static void check_item(const struct made *made, unsigned int i, const struct recording_item *item)
{
	const struct recording_item *wanted = &made->items[i];
	const bool header = recording_is_header(made->bytes + made->starts[i]);
	struct origin origin;

	CHECK_EQUAL(item->type, header ? recording_header : wanted->type);
	if (header) {
		origin = recording_origin_of(made->bytes + made->starts[i]);
		CHECK(!memcmp(item->origin, &origin, sizeof(origin)));
		return;
	}
	CHECK(is_type(wanted->type));
	CHECK_EQUAL(item->seq, wanted->seq);
	CHECK_EQUAL(item->offset_ns, wanted->offset_ns);
	CHECK_EQUAL(item->size, wanted->size);
	CHECK_EQUAL((uintptr_t)item->payload % RECORDING_ALIGNMENT, 0);
	CHECK(!memcmp(item->payload, wanted->payload, wanted->size));
}

/* Returns how many items were read, each of which was made so. */
static unsigned int read_items(const struct made *made, int fd, int *ret_result)
{
	struct recording_reader *reader;
	struct recording_item item;
	unsigned int count = 0;
	int r = 0;

	CHECK_EQUAL(recording_reader_new(fd, &reader), 0);
	while (r != -ENODATA && r != -EBADMSG) {
		r = recording_read(reader, &item);
		if (r == -EAGAIN)
			CHECK_EQUAL(recording_fill(reader), 0);
		if (r)
			continue;
		CHECK(count < made->count);
		CHECK_EQUAL(recording_position(reader), made->starts[count]);
		check_item(made, count++, &item);
	}
	CHECK(r != -EBADMSG || *recording_problem(reader));
	recording_reader_free(reader);
	*ret_result = r;
	return count;
}

/* The items before the first of a type that there is not. */
static unsigned int readable(const struct made *made)
{
	for (unsigned int i = 0; i < made->count; i++)
		if (!is_type(made->items[i].type) &&
		    !recording_is_header(made->bytes + made->starts[i]))
			return i;
	return made->count;
}

static void check_whole(const struct made *made)
{
	const int fd = file_of(made->bytes, made->starts[made->count]);
	int result;

	CHECK_EQUAL(read_items(made, fd, &result), readable(made));
	CHECK_EQUAL(result, readable(made) == made->count ? -ENODATA : -EBADMSG);
}

/* ---- damage ---- */

static unsigned int item_at(const struct made *made, size_t at)
{
	unsigned int i = 0;

	while (made->starts[i + 1] <= at)
		i++;
	return i;
}

/* Of a recording with a byte that is another one, all before the item with it can be read. */
static void check_turned(struct made *made, size_t at, uint8_t by)
{
	const unsigned int damaged = item_at(made, at), good = readable(made);
	int result;

	made->bytes[at] = (char)(made->bytes[at] ^ by);
	CHECK_EQUAL(read_items(made, file_of(made->bytes, made->starts[made->count]), &result),
		    damaged < good ? damaged : good);
	CHECK_EQUAL(result, -EBADMSG);
	made->bytes[at] = (char)(made->bytes[at] ^ by);
}

static void check_cut(const struct made *made, size_t at)
{
	const unsigned int whole = item_at(made, at), good = readable(made);
	int result;

	CHECK_EQUAL(read_items(made, file_of(made->bytes, at), &result),
		    whole < good ? whole : good);
	CHECK_EQUAL(result, at && made->starts[whole] == at && whole <= good ? -ENODATA : -EBADMSG);
}

/* Without an item the one behind it is refused, but for a header, which begins anew. */
static void check_missing(const struct made *made, unsigned int missing)
{
	const size_t start = made->starts[missing], end = made->starts[missing + 1];
	_cleanup_free_ char *bytes = malloc(made->starts[made->count]);
	int result;

	if (missing + 1 >= made->count || !missing || readable(made) <= missing + 1 ||
	    recording_is_header(made->bytes + end) ||
	    recording_is_header(made->bytes + made->starts[missing - 1]))
		return;
	memcpy(bytes, made->bytes, start);
	memcpy(bytes + start, made->bytes + end, made->starts[made->count] - end);
	CHECK_EQUAL(read_items(made, file_of(bytes, made->starts[made->count] - (end - start)),
			       &result),
		    missing);
	CHECK_EQUAL(result, -EBADMSG);
}

static void check_damaged(struct made *made, unsigned int how, uint64_t where)
{
	const size_t at = where % made->starts[made->count];

	if (how & 1)
		check_turned(made, at, (uint8_t)(1U << (where >> 29)));
	if (how & 2)
		check_cut(made, at);
	if (how & 4)
		check_missing(made, item_at(made, at));
}

/* ---- replaying ---- */

enum { file_flat, file_ecs, file_record, files };

static char paths[files][96];

static void output_set(struct lines *lines, unsigned int count)
{
	static struct sink_spec specs[files];
	static const char *const forms[files] = { "file:%s/flat", "file:%s/ecs,format=ecs",
						  "record:%s/record" };
	struct output *removed;
	const char *failed;
	char text[128], *message;

	for (unsigned int i = 0; i < files && !specs[i].max_files; i++) {
		snprintf(text, sizeof(text), forms[i], directory);
		CHECK_EQUAL(sink_spec_parse(text, NULL, &specs[i], &message), 0);
		snprintf(paths[i], sizeof(paths[i]), "%s", strchr(specs[i].name, ':') + 1);
	}
	CHECK_EQUAL(output_new(NULL, &removed), 0);
	CHECK_EQUAL(output_configure(lines->output, specs, count, removed, &failed), 0);
	output_free(removed);
}

/* There is one for all inputs: it has megabytes. A recording is begun for each. */
static struct lines *lines_fresh(bool recorded)
{
	static struct lines lines;
	static const struct origin between = { .hostname = "between" };

	if (!lines.output) {
		directory_make();
		CHECK_EQUAL(lines_init(&lines), 0);
	}
	output_set(&lines, file_record);
	for (int i = 0; i < files; i++)
		CHECK(truncate(paths[i], 0) == 0 || i == file_record);
	makers_forget(&lines.makers);
	lines_set_origin(&lines, &between);
	if (recorded)
		output_set(&lines, files);
	return &lines;
}

static int replay(const void *bytes, size_t size, bool recorded)
{
	static struct options options;

	if (!options.read_path) {
		settings_default(&options, true);
		options.read_path = "-";
	}
	return replay_run(&options, file_of(bytes, size), lines_fresh(recorded));
}

static char *contents(const char *path, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	const off_t size = lseek(fd, 0, SEEK_END);
	char *bytes = malloc((size_t)size + 1);

	CHECK_EQUAL(pread(fd, bytes, (size_t)size, 0), size);
	bytes[size] = 0;
	*ret_size = (size_t)size;
	return bytes;
}

/* Does it make a line? False for a name or a header; *ret_bad: no netlog writes that. */
static bool has_line(const struct made *made, unsigned int i, bool *ret_bad)
{
	const struct recording_item *item = &made->items[i];
	struct recording_naming naming;
	struct json_object *line = NULL;

	*ret_bad = false;
	if (recording_is_header(made->bytes + made->starts[i]))
		return false;
	if (item->type == recording_event)
		*ret_bad = event_check(item->payload, item->size) < 0;
	else if (item->type == recording_name)
		*ret_bad = recording_naming_of(item, &naming) < 0;
	else
		*ret_bad = control_parse(item->payload, item->size, &line) < 0;
	json_object_put(line);
	return !*ret_bad && item->type != recording_name;
}

static unsigned int lines_expected(const struct made *made, int *ret_result)
{
	const unsigned int good = readable(made);
	unsigned int count = 0;
	bool bad = false;

	for (unsigned int i = 0; i < good && !bad; i++)
		count += has_line(made, i, &bad);
	*ret_result = bad || good < made->count ? -EBADMSG : 0;
	return count;
}

static unsigned int check_lines(const char *text, size_t size)
{
	unsigned int count = 0;

	for (const char *line = text, *end; line < text + size; line = end + 1, count++) {
		struct json_object *object;

		end = memchr(line, '\n', (size_t)(text + size - line));
		CHECK(end);
		object = strict_parse(line, (size_t)(end - line));
		CHECK_SAYING(object, "%.*s", (int)(end - line), line);
		json_object_put(object);
	}
	return count;
}

static void check_replay(const struct made *made)
{
	char *texts[files], *again[files];
	size_t sizes[files], sizes_again[files];
	int wanted, r = replay(made->bytes, made->starts[made->count], true);
	const unsigned int count = lines_expected(made, &wanted);

	CHECK_EQUAL(r, wanted);
	for (int i = 0; i < files; i++)
		texts[i] = contents(paths[i], &sizes[i]);
	CHECK_EQUAL(check_lines(texts[file_flat], sizes[file_flat]), count);
	CHECK_EQUAL(check_lines(texts[file_ecs], sizes[file_ecs]), count);
	CHECK_EQUAL(replay(texts[file_record], sizes[file_record], false), 0);
	for (int i = 0; i < file_record; i++) {
		again[i] = contents(paths[i], &sizes_again[i]);
		CHECK_SAYING(sizes[i] == sizes_again[i] && !memcmp(texts[i], again[i], sizes[i]),
			     "%s\n#   %s", texts[i], again[i]);
		free(again[i]);
	}
	for (int i = 0; i < files; i++)
		free(texts[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size };
	const unsigned int how = input_byte(&input);
	const uint64_t where = input_number(&input, 4);
	struct made *made = make(&input);

	check_whole(made);
	check_damaged(made, how, where);
	check_replay(made);
	free(made);
	return 0;
}
