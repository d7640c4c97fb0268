// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "crc.h"
#include "record.h"
#include "test.h"

#define LINE "{\"event_type\":\"stats\",\"seq\":%d,\"hostname\":\"web1\"}\n"
#define FILE_BYTES (1024 * 1024)

static const struct record_origin web1 = { .hostname = "web1", .boot_id = "0123456789abcdef" };

/* ---- making ---- */

struct made {
	char *bytes;
	size_t size;
	uint32_t crc;
	size_t starts[4096]; /* of each header and frame */
	unsigned int count;
};

static void made_put(struct made *made, const struct record_item *item)
{
	made->starts[made->count++] = made->size;
	if (item->type == record_header)
		made->size += record_put_header(made->bytes + made->size, item->origin, &made->crc);
	else
		made->size += record_put(made->bytes + made->size, item, &made->crc);
}

static void put_header(struct made *made)
{
	const struct record_item item = { .type = record_header, .origin = &web1 };

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
	const struct record_item item = { .type = record_event,
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
	const struct record_item item = { .type = record_line,
					  .payload = line,
					  .size = (size_t)snprintf(line, sizeof(line), LINE, i) };

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
	_cleanup_(record_reader_freep) struct record_reader *reader = NULL;
	struct seen seen = {};
	struct record_item item;

	CHECK_EQUAL(record_reader_new(fd, &reader), 0);
	while ((seen.result = record_read(reader, &item)) != -EBADMSG && seen.result != -ENODATA) {
		if (seen.result == -EAGAIN) {
			CHECK_EQUAL(record_fill(reader), 0);
			continue;
		}
		CHECK_EQUAL(seen.result, 0);
		seen.count++;
		seen.position = record_position(reader);
		if (item.type != record_header)
			CHECK(((uintptr_t)item.payload & 7) == 0);
	}
	if (seen.result == -EBADMSG)
		snprintf(seen.problem, sizeof(seen.problem), "%s", record_problem(reader));
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
	_cleanup_(record_reader_freep) struct record_reader *reader = NULL;
	struct made *made = make(3000);
	int fd = file_of(made->bytes, made->size), i = 0, r;
	struct record_item item;

	CHECK_EQUAL(record_reader_new(fd, &reader), 0);
	while ((r = record_read(reader, &item)) != -ENODATA) {
		char line[128];
		struct event *event;

		if (r == -EAGAIN) {
			CHECK_EQUAL(record_fill(reader), 0);
			continue;
		}
		CHECK_SAYING(r == 0, "%s", record_problem(reader));
		CHECK_EQUAL(record_position(reader), made->starts[i]);
		event = event_make(i ?: 1);
		if (i == 0) {
			CHECK_EQUAL(item.type, record_header);
			CHECK_TEXT(item.origin->hostname, "web1");
			CHECK_TEXT(item.origin->boot_id, "0123456789abcdef");
		} else if (i % 3) {
			CHECK_EQUAL(item.type, record_event);
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
		CHECK_EQUAL(record_length(odd->bytes + odd->starts[i]), odd->size - odd->starts[i]);
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

/* With the checksum right: what another netlog has written is not damaged. */
static void check_header_change(size_t offset, const void *bytes, size_t size, const char *problem)
{
	struct made *made = make(1);
	struct record_header *header = (struct record_header *)made->bytes;
	size_t after = offsetof(struct record_header, crc) + sizeof(header->crc);

	memcpy(made->bytes + offset, bytes, size);
	header->crc = crc32c(0, header, offsetof(struct record_header, crc));
	header->crc = crc32c(header->crc, made->bytes + after, sizeof(*header) - after);
	check_problem(made->bytes, made->size, problem);
	made_free(made);
}

TEST(other_writers_are_told_apart)
{
	const uint32_t swapped = __builtin_bswap32(RECORD_BYTE_ORDER);
	const uint16_t newer = RECORD_VERSION + 1;
	const uint64_t fingerprint = event_fingerprint() + 1;
	char hostname[sizeof(web1.hostname)];

	memset(hostname, 'x', sizeof(hostname));
	check_header_change(offsetof(struct record_header, byte_order), &swapped, sizeof(swapped),
			    "byte 0: written by a machine of the other byte order");
	check_header_change(offsetof(struct record_header, version), &newer, sizeof(newer),
			    "byte 0: written in format 2, and netlog " NETLOG_VERSION
			    " knows those up to 1");
	check_header_change(offsetof(struct record_header, fingerprint), &fingerprint,
			    sizeof(fingerprint),
			    "byte 0: written by netlog " NETLOG_VERSION
			    ", whose events are not those of this netlog");
	check_header_change(offsetof(struct record_header, origin.hostname), hostname,
			    sizeof(hostname), "byte 0: the header is damaged");
	check_problem("{\"timestamp\":", 13, "this is no recording of netlog");
	check_problem("{", 1, "this is no recording of netlog");
}
