// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <json-c/json.h>
#include <time.h>

#include "run/lines.h"
#include "test.h"

static char made[] = "/tmp/netlog-test-XXXXXX";

static void made_unlink(void)
{
	unlink(made);
}

/* Lines into a file that goes when the test ends; its descriptor. */
static int lines_make(struct lines *lines)
{
	const struct origin web1 = { .hostname = "web1" };
	char text[64], *message;
	struct sink_spec spec;
	struct output *removed;
	const char *failed;
	int fd = mkstemp(made);

	CHECK(fd >= 0);
	snprintf(text, sizeof(text), "file:%s", made);
	CHECK_EQUAL(sink_spec_parse(text, NULL, &spec, &message), 0);
	CHECK_EQUAL(lines_init(lines), 0);
	CHECK_EQUAL(output_new(NULL, &removed), 0);
	CHECK_EQUAL(output_configure(lines->output, &spec, 1, removed, &failed), 0);
	output_free(removed);
	atexit(made_unlink);
	lines_set_origin(lines, &web1);
	return fd;
}

static struct event *record_make(enum event_type type, uint64_t time_ns)
{
	struct event *record = calloc(1, event_desc(type)->size);

	record->header.type = (uint16_t)type;
	record->header.size = event_desc(type)->size;
	record->header.time_ns = time_ns;
	return record;
}

TEST(all_lines_are_numbered_without_gaps_and_the_books_balance)
{
	struct lines lines;
	int fd = lines_make(&lines), expected = 1, broken = 0, emitted = 0;
	uint64_t state = 8;
	char line[OUTPUT_LINE_MAX];
	FILE *stream;

	for (int i = 0; i < 300; i++) {
		enum event_type type =
			1 + (enum event_type)(test_random(&state) % (event_types - 1));
		struct event *record = record_make(type, clock_boot_ns());
		struct control control;

		if (i % 7 == 0) {
			lines_begin(&lines, &control, control_stats);
			CHECK_EQUAL(lines_end(&lines, &control), 0);
		}
		if (i % 5 == 0) {
			record->header.size++; /* not a record we know: no line, but counted */
			broken++;
		} else {
			emitted++;
		}
		lines_event(&lines, record, event_desc(type)->size);
		CHECK_EQUAL(output_flush(lines.output, 0), 0);
		free(record);
	}
	stream = fdopen(fd, "r");
	while (fgets(line, sizeof(line), stream)) {
		struct json_object *object = json_tokener_parse(line), *seq;

		CHECK(object && json_object_object_get_ex(object, "seq", &seq));
		CHECK_EQUAL(json_object_get_int64(seq), expected++);
		json_object_put(object);
	}
	CHECK_EQUAL(lines.seq, expected - 1);
	for_each_event_type(type) {
		emitted -= (int)lines.emitted.of[type];
		broken -= (int)lines.undecodable.of[type];
	}
	CHECK_EQUAL(emitted, 0);
	CHECK_EQUAL(broken, 0);
	fclose(stream);
	lines_done(&lines);
}

/* A reload has taken away the output that took them; some are still in the ring. */
TEST(a_record_that_no_output_takes_any_more_is_no_part_of_the_run)
{
	struct event *record = record_make(event_rtt, clock_boot_ns());
	struct lines lines;
	int fd = lines_make(&lines);
	struct sink_spec spec;
	struct output *removed;
	char text[128], *message;
	const char *failed;

	snprintf(text, sizeof(text), "file:%s,events=latency", made);
	CHECK_EQUAL(sink_spec_parse(text, NULL, &spec, &message), 0);
	CHECK_EQUAL(output_new(NULL, &removed), 0);
	CHECK_EQUAL(output_configure(lines.output, &spec, 1, removed, &failed), 0);
	lines_event(&lines, record, event_desc(event_rtt)->size);
	CHECK_EQUAL(lines.seq, 0);
	CHECK_EQUAL(lines.emitted.of[event_rtt], 0);
	CHECK_EQUAL(lines.emitted_total, 0);
	CHECK_EQUAL(lines.unasked.of[event_rtt], 1);
	CHECK_EQUAL(output_flush(lines.output, 0), 0);
	CHECK_EQUAL(lseek(fd, 0, SEEK_END), 0);
	free(record);
	lines_done(&lines);
	output_free(removed);
	close(fd);
}

TEST(bytes_that_are_no_record_make_no_line)
{
	static const char junk[512] = { 1, 2, 3 };
	struct lines lines;
	int fd = lines_make(&lines);
	uint64_t broken = 0;

	for (size_t size = 0; size <= sizeof(junk); size++)
		lines_event(&lines, junk, size);
	CHECK_EQUAL(output_flush(lines.output, 0), 0);
	CHECK_EQUAL(lseek(fd, 0, SEEK_END), 0);
	CHECK_EQUAL(lines.seq, 0);
	for (int type = 0; type < event_types; type++)
		broken += lines.undecodable.of[type];
	CHECK_EQUAL(broken, sizeof(junk) + 1);
	lines_done(&lines);
	close(fd);
}

static int64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

TEST(the_wall_clock_lies_between_two_readings_of_it)
{
	for (int i = 0; i < 1000; i++) {
		struct wall_clock clock = {};
		int64_t before, told, after;

		wall_clock_measure(&clock);
		before = wall_ns();
		told = (int64_t)wall_clock_of(&clock, clock_boot_ns());
		after = wall_ns();
		/* a millisecond for a step of the machine's own clock discipline */
		CHECK_SAYING(told >= before - 1000000 && told <= after + 1000000, "%lld %lld %lld",
			     (long long)before, (long long)told, (long long)after);
	}
}

TEST(a_step_of_the_clock_is_taken_over_and_noise_is_not)
{
	struct wall_clock clock = {};
	int64_t offset;

	wall_clock_measure(&clock);
	CHECK(clock.known);
	offset = clock.offset_ns;
	for (int i = 0; i < 100; i++)
		wall_clock_measure(&clock);
	CHECK(llabs(clock.offset_ns - offset) < 1000000);
	clock.offset_ns -= 3600LL * 1000000000; /* as if it had been set forward since */
	wall_clock_measure(&clock);
	CHECK(llabs(clock.offset_ns - offset) < 1000000);
}

TEST(the_tick_is_one_of_the_kernels)
{
	uint64_t tick = clock_tick_ns();

	/* kernel/Kconfig.hz and the architectures: 24 to 1200 Hz */
	CHECK_SAYING(tick >= 1000000000 / 1200 && tick <= 1000000000 / 24, "%llu",
		     (unsigned long long)tick);
}
