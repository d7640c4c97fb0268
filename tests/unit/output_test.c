// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "test.h"
#include "texts.h"

#define LINE_MAX 4096

static char directory[] = "/tmp/netlog-test-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[128];

	if (strstr(directory, "XXXXXX"))
		CHECK(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void cleanup(const char *path)
{
	unlink(path);
	rmdir(directory);
}

/* One more output. */
static int add(struct output *output, const char *text)
{
	static struct sink_spec specs[OUTPUT_SINKS_MAX + 1];
	struct output *removed;
	const char *failed;
	unsigned int count = 0;
	char *message;
	int r;

	/* those that are there stay, by their names */
	for (; output_sink(output, count); count++) {
		struct sink *sink = output_sink(output, count);

		CHECK(sink_spec_parse(sink->name, NULL, &specs[count], &message) == 0);
		specs[count].events = sink->events;
	}
	CHECK_SAYING(sink_spec_parse(text, NULL, &specs[count], &message) == 0, "%s: %s", text,
		     message);
	CHECK_EQUAL(output_new(&texts, &removed), 0);
	r = output_configure(output, specs, count + 1, removed, &failed);
	CHECK(!output_sink(removed, 0));
	output_free(removed);
	return r;
}

/* An output to the file with these parameters, as ",max-size=65536". */
static struct output *output_with(const char *path, const char *parameters)
{
	struct output *output;
	char spec[160];

	snprintf(spec, sizeof(spec), "file:%s%s", path, parameters);
	CHECK_EQUAL(output_new(&texts, &output), 0);
	CHECK_EQUAL(add(output, spec), 0);
	return output;
}

static struct output *output_to(const char *path)
{
	return output_with(path, "");
}

static size_t read_all(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, size - 1);

	CHECK(n >= 0);
	text[n] = 0;
	close(fd);
	return (size_t)n;
}

TEST(a_file_is_appended_to_and_made_with_0640)
{
	const char *path = path_of("lines");
	struct output *output;
	struct stat status;
	char text[64];

	umask(0);
	for (int i = 0; i < 2; i++) {
		output = output_to(path);
		write_text(output, event_none, "{}\n", 3);
		CHECK_EQUAL(output_flush(output, 0), 0);
		output_free(output);
	}
	CHECK_EQUAL(stat(path, &status), 0);
	CHECK_EQUAL(status.st_mode & 07777, 0640);
	read_all(path, text, sizeof(text));
	CHECK_TEXT(text, "{}\n{}\n");
	cleanup(path);
}

TEST(what_cannot_be_opened_says_why)
{
	struct output *output;

	CHECK_EQUAL(output_new(&texts, &output), 0);
	CHECK_EQUAL(add(output, "file:/nonexistent/x"), -ENOENT);
	CHECK_EQUAL(add(output, "file:/"), -EISDIR);
	output_free(output);
}

static void spec_of(const char *text, struct sink_spec *spec)
{
	char *message;

	CHECK_EQUAL(sink_spec_parse(text, NULL, spec, &message), 0);
}

TEST(outputs_that_stay_keep_their_lines_and_those_that_go_hand_theirs_over)
{
	const char *path = path_of("lines");
	struct output *output = output_to(path), *removed;
	struct sink_spec specs[2];
	const char *failed = NULL;
	char text[128], own[160];
	struct sink *sink;

	CHECK_EQUAL(add(output, "file:/dev/full"), 0);
	CHECK_EQUAL(output_new(&texts, &removed), 0);
	sink = output_sink(output, 0);
	write_text(output, event_rtt, "{1}\n", 4);

	/* one that cannot be opened: all is as it was */
	snprintf(own, sizeof(own), "file:%s,events=latency", path);
	spec_of(own, &specs[0]);
	spec_of("file:/nonexistent/x", &specs[1]);
	CHECK_EQUAL(output_configure(output, specs, 2, removed, &failed), -ENOENT);
	CHECK_TEXT(failed, "file:/nonexistent/x");
	CHECK(output_sink(output, 0) == sink && output_sink(output, 1) && !output_sink(removed, 0));
	write_text(output, event_rtt, "{2}\n", 4);
	CHECK_EQUAL(sink->taken.of[event_rtt], 2);

	/* the first one stays, with other events; the second one goes, with two lines */
	spec_of("file:/dev/null", &specs[1]);
	CHECK_EQUAL(output_configure(output, specs, 2, removed, &failed), 0);
	CHECK(output_sink(output, 0) == sink);
	CHECK_TEXT(output_sink(output, 1)->name, "file:/dev/null");
	CHECK_TEXT(output_sink(removed, 0)->name, "file:/dev/full");
	CHECK_EQUAL(output_sink(removed, 0)->ops->pending(output_sink(removed, 0)), 2);
	write_text(output, event_rtt, "{3}\n", 4);
	write_text(output, event_latency, "{4}\n", 4);
	CHECK_EQUAL(output_flush(output, 0), 0);
	read_all(path, text, sizeof(text));
	CHECK_TEXT(text, "{1}\n{2}\n{4}\n");
	output_free(removed);
	output_free(output);
	cleanup(path);
}

TEST(a_device_such_as_dev_null_is_only_written_to)
{
	struct output *output = output_to("/dev/null");
	struct stat status;

	write_text(output, event_none, "{}\n", 3);
	CHECK_EQUAL(output_flush(output, 0), 0);
	CHECK_EQUAL(output_sink(output, 0)->ops->fd(output_sink(output, 0)),
		    -EPERM); /* cannot be waited for */
	output_free(output);
	CHECK_EQUAL(stat("/dev/null", &status), 0);
	CHECK(S_ISCHR(status.st_mode));
}

TEST(a_full_device_is_not_waited_for_and_its_lines_are_counted)
{
	struct output *output = output_to("/dev/full");
	const struct sink *sink = output_sink(output, 0);
	char line[LINE_MAX];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	CHECK(!output_sink(output, 1));
	for (int i = 0; i < 100; i++) {
		CHECK(output_ready(output));
		write_text(output, event_rtt, line, sizeof(line));
		CHECK_EQUAL(output_flush(output, 0), -EAGAIN);
	}
	CHECK_EQUAL(sink->error, -ENOSPC);
	CHECK_EQUAL(sink->taken.of[event_rtt], sink->ops->pending(sink));
	CHECK_EQUAL(sink->taken.of[event_rtt] + sink->lost.of[event_rtt], 100);
	CHECK(sink->lost.of[event_rtt] > 0);
	output_free(output);
}

TEST(a_specification_is_read_whole_or_refused)
{
	static const char *const bad[] = { "syslog",
					   "file:",
					   "",
					   "file:/x,events=drop",
					   "file:/x,nonsense",
					   "file:/x,max-size=1",
					   "file:/x,max-size=1M",
					   "stdout,max-size=65536",
					   "file:/x,max-files=0",
					   "file:/x,events=rtt,,latency",
					   "file:/x,events=" };
	static const char after[] = ",max-size=65536";
	struct sink_spec spec;
	char *message, named[300] = "file:/x/";

	CHECK_EQUAL(sink_spec_parse("file:/a/b,events=rtt,latency,max-size=65536,max-files=3", NULL,
				    &spec, &message),
		    0);
	CHECK_TEXT(spec.name, "file:/a/b");
	CHECK_EQUAL(spec.events, BIT(event_rtt) | BIT(event_latency));
	CHECK_EQUAL(spec.max_bytes, 65536);
	CHECK_EQUAL(spec.max_files, 3);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_SAYING(sink_spec_parse(bad[i], NULL, &spec, &message) == -EINVAL, "%s",
			     bad[i]);
		CHECK(message && message[0] == '\'');
		free(message);
	}
	/* a rotated file's name is longer by up to 16 bytes */
	strcpy((char *)memset(named + strlen(named), 'x', 239) + 239, after);
	CHECK_EQUAL(sink_spec_parse(named, NULL, &spec, &message), 0);
	strcpy(named + strlen(named) - strlen(after), "x");
	CHECK_EQUAL(sink_spec_parse(named, NULL, &spec, &message), 0);
	strcat(named, after);
	CHECK_EQUAL(sink_spec_parse(named, NULL, &spec, &message), -EINVAL);
	CHECK_SAYING(strstr(message, "cannot be rotated: 239 bytes are the most"), "%s", message);
	free(message);
}

TEST(what_is_wrong_with_a_parameter_is_said_and_which_was_meant)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "file:/x,b", "'b': there is no such parameter; known are: events, format, "
			       "max-size, max-files; a path cannot contain a comma" },
		{ "file:/x,evnts=rtt",
		  "'evnts=rtt': there is no such parameter; did you mean events?" },
		{ "file:/x,max_size=1GiB", "did you mean max-size?" },
		{ "file:/x,events", "did you mean events?" },
		{ "file:/x,events=rtx", "there is no such event; did you mean rtt? known are: " },
		{ "file:/x,events=rtt,latncy",
		  "'latncy': there is no such event; did you mean latency?" },
		{ "file:/x,max-size=64kB", "the least is 65536B; give bytes, 65536 or more" },
		{ "file:/x,max-size=1M", "there is no unit 'M'" },
		{ "file:/x,max-size=1h", "h is a unit of time" },
		{ "file:/x,max-size=-1", "it is negative" },
		{ "file:/x,max-size=99999999999GiB", "the most is 9223372036854775807B" },
		{ "file:/x,max-size=65536,5",
		  "'5': there is no such parameter" }, /* it is no list */
		{ "file:/x,max-files=1001", "the most is 1000; give a number from 1 to 1000" },
		{ "file:/x,max-files=2B", "it has no unit" },
		{ "file:/x,format=json", "there is no such format; known are: flat, ecs" },
		{ "record:/x,format=ecs", "a recording has a format of its own" },
	};
	struct sink_spec spec;
	char *message;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_EQUAL(sink_spec_parse(bad[i].text, NULL, &spec, &message), -EINVAL);
		CHECK_SAYING(strstr(message, bad[i].message), "%s: %s", bad[i].text, message);
		free(message);
	}
	spec_of("file:/x,format=ecs", &spec);
	CHECK_EQUAL(spec.format, format_ecs);
	spec_of("file:/x,max-size=64KiB,events=rtt,all", &spec);
	CHECK_EQUAL(spec.format, format_flat);
	CHECK_EQUAL(spec.max_bytes, 65536);
	CHECK_EQUAL(spec.events, word_bits(&event_words));
	spec_of("file:/x,events=latency,max-size=1.5GiB,events=rtt", &spec); /* the last list */
	CHECK_EQUAL(spec.events, BIT(event_rtt));
	CHECK_EQUAL(spec.max_bytes, 1610612736);
}

TEST(each_sink_takes_its_own_events_and_all_control_lines)
{
	const char *path = path_of("lines");
	struct output *output = output_with(path, ",events=rtt");
	char text[64];

	write_text(output, event_rtt, "rtt\n", 4);
	write_text(output, event_latency, "latency\n", 8);
	write_text(output, event_none, "control\n", 8);
	CHECK_EQUAL(output_flush(output, 0), 0);
	read_all(path, text, sizeof(text));
	CHECK_TEXT(text, "rtt\ncontrol\n");
	CHECK_EQUAL(output_sink(output, 0)->lost.of[event_latency], 0);
	output_free(output);
	cleanup(path);
}

/* The output now has these, of which those in capitals have filters of their own. */
static void output_have(struct output *output, const char *names, uint32_t generation)
{
	struct sink_spec specs[OUTPUT_SINKS_MAX] = {};
	struct output *removed;
	const char *failed;
	char *message;

	for (unsigned int i = 0; names[i]; i++) {
		char text[64] = "file:/dev/";

		for (int k = names[i] & 0x1f; k; k--)
			strcat(text, "./"); /* each letter is another name */
		strcat(text, "null");
		CHECK_EQUAL(sink_spec_parse(text, NULL, &specs[i], &message), 0);
		if (names[i] < 'a')
			specs[i].filters = (struct filter_set *)&specs[i]; /* nobody looks there */
	}
	CHECK_EQUAL(output_new(&texts, &removed), 0);
	CHECK_EQUAL(output_configure(output, specs, (unsigned int)strlen(names), removed, &failed),
		    0);
	output_free(removed);
	output_set_generation(output, generation);
}

static uint32_t word_of(uint32_t generation, uint32_t bits)
{
	return generation << OUTPUT_SINKS_MAX | bits;
}

TEST(a_bit_means_the_same_output_as_long_as_it_is_there)
{
	struct output *output;
	uint32_t a, b, c;

	CHECK_EQUAL(output_new(&texts, &output), 0);
	output_have(output, "A", 1);
	a = output_sink(output, 0)->bit;
	CHECK_EQUAL(output_takers(output, word_of(1, a)), a);
	CHECK_EQUAL(output_takers(output, word_of(1, 0)), 0);
	output_have(output, "BA", 2);
	b = output_sink(output, 0)->bit;
	CHECK_EQUAL(output_sink(output, 1)->bit, a);
	CHECK(a != b);
	CHECK_EQUAL(output_takers(output, word_of(2, a | b)), a | b);
	/* made before B came: the bit was nobody's */
	CHECK_EQUAL(output_takers(output, word_of(1, a | b)), a);
	/* C has A's bit, but not what A's filter has let through */
	output_have(output, "BC", 3);
	c = output_sink(output, 1)->bit;
	CHECK_EQUAL(c, a);
	CHECK_EQUAL(output_takers(output, word_of(2, a | b)), b);
	CHECK_EQUAL(output_takers(output, word_of(3, c | b)), b | c);
	output_set_generation(output, 4); /* cgroups have been looked up anew */
	CHECK_EQUAL(output_takers(output, word_of(3, c)), c);
	CHECK_EQUAL(output_takers(output, word_of(2, a)), 0);
	/* one without filters takes all, from before it came, too; it need not have been asked */
	output_have(output, "Bd", 5);
	CHECK_EQUAL(output_sink(output, 1)->bit, c);
	CHECK_EQUAL(output_takers(output, word_of(4, b)), b | c);
	CHECK_EQUAL(output_takers(output, word_of(5, 0)), c);
	/* where none has any, nobody has been asked */
	output_have(output, "d", 6);
	CHECK_EQUAL(output_takers(output, 0), ITEM_FOR_ALL);
	output_free(output);
}

TEST(generations_begin_anew_when_they_fill_the_word)
{
	struct output *output;
	uint32_t a;

	CHECK_EQUAL(output_new(&texts, &output), 0);
	output_have(output, "b", OUTPUT_GENERATIONS - 1);
	output_have(output, "bA", OUTPUT_GENERATIONS);
	a = output_sink(output, 1)->bit;
	output_set_generation(output, OUTPUT_GENERATIONS + 2); /* as the kernel side counts */
	for (uint32_t generation = OUTPUT_GENERATIONS - 5; generation != OUTPUT_GENERATIONS + 3;
	     generation++)
		CHECK_SAYING(!!(output_takers(output, word_of(generation, a)) & a) ==
				     (generation >= OUTPUT_GENERATIONS),
			     "%x", generation);
	output_free(output);
}

TEST(only_takers_get_a_line)
{
	const char *path = path_of("lines");
	struct output *output = output_with(path, "");
	const uint32_t bit = output_sink(output, 0)->bit;
	struct text_item item = { { .type = event_rtt, .takers = ~bit }, "none\n", 5 };
	char text[64];

	output_write(output, &item.item);
	item = (struct text_item){ { .type = event_rtt, .takers = bit }, "this\n", 5 };
	output_write(output, &item.item);
	write_text(output, event_none, "control\n", 8);
	CHECK_EQUAL(texts_made, 2);
	CHECK_EQUAL(output_flush(output, 0), 0);
	read_all(path, text, sizeof(text));
	CHECK_TEXT(text, "this\ncontrol\n");
	CHECK_EQUAL(output_sink(output, 0)->taken.of[event_rtt], 1);
	output_free(output);
	cleanup(path);
}

/* Of several sinks that take the same, the first one's buffer. */
TEST(a_line_is_made_once_and_right_where_it_is_written_from)
{
	const char *path = path_of("lines");
	struct output *output = output_with(path, ",events=rtt");
	const struct sink *sink = output_sink(output, 0);
	char text[64];
	size_t end;

	CHECK_EQUAL(add(output, "file:/dev/null"), 0);
	write_text(output, event_latency, "latency\n", 8); /* not for the first one */
	CHECK(texts_made == 1 && sink->end == 0);
	CHECK(texts_made_at == output_sink(output, 1)->buffer);
	write_text(output, event_rtt, "rtt\n", 4);
	CHECK(texts_made == 2 && texts_made_at == sink->buffer);
	end = sink->end;
	write_text(output, event_none, "control\n", 8);
	CHECK(texts_made == 3 && texts_made_at == sink->buffer + end);
	CHECK_EQUAL(output_sink(output, 1)->end, 20);
	CHECK_EQUAL(output_flush(output, 0), 0);
	read_all(path, text, sizeof(text));
	CHECK_TEXT(text, "rtt\ncontrol\n");
	output_free(output);
	cleanup(path);
}

TEST(outputs_of_two_formats_have_two_texts)
{
	struct output *output;

	struct sink_spec specs[2];
	struct output *removed;
	const char *failed;

	spec_of("file:/dev/null,format=ecs", &specs[0]);
	spec_of("stdout", &specs[1]);
	CHECK_EQUAL(output_new(&texts, &output) ?: output_new(NULL, &removed), 0);
	CHECK_EQUAL(output_configure(output, specs, 2, removed, &failed), 0);
	write_text(output, event_rtt, "rtt\n", 4);
	CHECK_EQUAL(texts_made, 2);
	CHECK(output_sink(output, 0)->maker != output_sink(output, 1)->maker);
	/* a reload may give one that stays another format */
	spec_of("file:/dev/null", &specs[0]);
	CHECK_EQUAL(output_configure(output, specs, 2, removed, &failed), 0);
	write_text(output, event_rtt, "rtt\n", 4);
	CHECK_EQUAL(texts_made, 3);
	CHECK_EQUAL(output_sink(output, 0)->end, 8);
	output_free(removed);
	output_free(output);
}

TEST(nothing_is_made_for_a_full_buffer)
{
	struct output *output = output_to("/dev/full");
	const struct sink *sink = output_sink(output, 0);
	char line[LINE_MAX];
	unsigned int made;

	memset(line, '\n', sizeof(line));
	while (sink_ready(sink))
		write_text(output, event_rtt, line, sizeof(line));
	made = texts_made;
	CHECK(!write_text(output, event_rtt, line, sizeof(line)));
	CHECK_EQUAL(texts_made, made);
	CHECK_EQUAL(sink->lost.of[event_rtt], 1);
	output_free(output);
}

TEST(what_could_not_be_made_is_lost_and_counted)
{
	struct output *output = output_to("/dev/null");

	write_text(output, event_none, "", 0);
	CHECK_EQUAL(output_sink(output, 0)->taken.of[event_none], 0);
	CHECK_EQUAL(output_sink(output, 0)->lost.of[event_none], 1);
	output_free(output);
}

TEST(makers_that_come_later_are_told_whose_items_they_make)
{
	const struct origin origin = { .hostname = "web1" };
	struct output *output;

	CHECK_EQUAL(output_new(&texts, &output), 0);
	output_set_origin(output, &origin);
	CHECK_TEXT(texts_origin.hostname, "");
	CHECK_EQUAL(add(output, "file:/dev/null"), 0);
	CHECK_TEXT(texts_origin.hostname, "web1");
	output_free(output);
}

TEST(reopening_after_a_rename_loses_and_doubles_nothing)
{
	const char *path = path_of("lines");
	struct output *output = output_to(path);
	char renamed[128], text[64];

	snprintf(renamed, sizeof(renamed), "%s.old", path);
	write_text(output, event_none, "1\n", 2);
	CHECK_EQUAL(output_flush(output, 0), 0);
	CHECK_EQUAL(rename(path, renamed), 0);
	write_text(output, event_none, "2\n", 2); /* still to the old one */
	CHECK_EQUAL(output_reopen(output), 0);
	write_text(output, event_none, "3\n", 2);
	CHECK_EQUAL(output_flush(output, 0), 0);
	read_all(renamed, text, sizeof(text));
	CHECK_TEXT(text, "1\n2\n");
	read_all(path, text, sizeof(text));
	CHECK_TEXT(text, "3\n");
	output_free(output);
	unlink(renamed);
	cleanup(path);
}

TEST(when_reopening_fails_the_old_file_is_gone_on_with)
{
	const char *path = path_of("lines");
	struct output *output = output_to(path);
	char renamed[128], text[8];

	snprintf(renamed, sizeof(renamed), "%s.1", path);
	CHECK(rename(path, renamed) == 0 && mkdir(path, 0700) == 0);
	CHECK_EQUAL(output_reopen(output), -EISDIR);
	write_text(output, event_none, "1\n", 2);
	CHECK_EQUAL(output_flush(output, 0), 0);
	read_all(renamed, text, sizeof(text));
	CHECK_TEXT(text, "1\n");
	output_free(output);
	CHECK(unlink(renamed) == 0 && rmdir(path) == 0);
	rmdir(directory);
}

static bool writes_over(const char *text, const struct stat *file)
{
	struct sink_spec spec;
	char *message;

	CHECK_EQUAL(sink_spec_parse(text, NULL, &spec, &message), 0);
	return sink_spec_writes_over(&spec, file);
}

TEST(an_output_is_known_to_write_over_a_file_by_whatever_name)
{
	const char *path = path_of("x.2");
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	char text[160], link_path[128];
	struct stat status, other;

	CHECK(fstat(fd, &status) == 0 && stat("/dev/null", &other) == 0);
	snprintf(text, sizeof(text), "record:%s", path);
	CHECK(writes_over(text, &status) && !writes_over(text, &other));
	snprintf(text, sizeof(text), "file:%s/../%s/x.2", directory, strrchr(directory, '/') + 1);
	CHECK(writes_over(text, &status));
	snprintf(link_path, sizeof(link_path), "%s/link", directory);
	CHECK_EQUAL(symlink("x.2", link_path), 0);
	snprintf(text, sizeof(text), "file:%s", link_path);
	CHECK(writes_over(text, &status));
	/* rotated */
	snprintf(text, sizeof(text), "file:%s/x,max-size=65536,max-files=1", directory);
	CHECK(writes_over(text, &status)); /* it may be removed, as the oldest */
	snprintf(text, sizeof(text), "file:%s/x", directory);
	CHECK(!writes_over(text, &status));
	/* rotated where a link leads, which is not there yet: beside that, and not beside the link */
	CHECK(unlink(link_path) == 0 && symlink("x", link_path) == 0);
	snprintf(text, sizeof(text), "file:%s,max-size=65536,max-files=1", link_path);
	CHECK(writes_over(text, &status));

	CHECK(!writes_over("stdout", &status) && !writes_over("journald", &status));
	fflush(stdout);
	CHECK(dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
	close(fd);
	CHECK(writes_over("stdout", &status) && writes_over("record:-", &status));
	unlink(link_path);
	cleanup(path);
}

/* Standard output, as a pipe or socket that somebody else has, too. */
static struct sink *sink_on(int fd)
{
	const struct sink_spec spec = {};
	struct maker *maker;
	struct sink *sink;

	fflush(stdout);
	CHECK(dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
	CHECK_EQUAL(texts.get(&texts, &spec, &maker), 0);
	CHECK_EQUAL(sink_stdout_open(&spec, maker, &sink), 0);

	return sink;
}

static struct output *output_on(int fd, const char *also)
{
	struct output *output;

	fflush(stdout);
	CHECK(dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
	CHECK_EQUAL(output_new(&texts, &output), 0);
	CHECK_EQUAL(add(output, "stdout"), 0);
	CHECK_EQUAL(add(output, also), 0);
	return output;
}

TEST(a_slow_reader_beside_others_is_waited_for_only_a_while)
{
	struct output *output;
	const struct sink *slow, *fast;
	uint64_t now_ns = 1;
	int fds[2], lines = 0;

	CHECK(pipe(fds) == 0);
	output = output_on(fds[1], "file:/dev/null");
	slow = output_sink(output, 0);
	fast = output_sink(output, 1);
	for (; output_ready(output); lines++) {
		write_text(output, event_rtt, "{\"seq\":1}\n", 10);
		if (lines % 100 == 0)
			output_flush(output, now_ns);
		CHECK(lines < 1000000);
	}
	output_flush(output, now_ns + NSEC_PER_SEC * 9 / 100);
	CHECK(!output_ready(output)); /* it may be back soon */
	output_flush(output, now_ns + NSEC_PER_SEC * 11 / 100);
	CHECK(output_ready(output));
	for (int i = 0; i < 50; i++, lines++)
		write_text(output, event_rtt, "{\"seq\":1}\n", 10);
	CHECK_EQUAL(slow->lost.of[event_rtt], 50);
	CHECK_EQUAL(fast->lost.of[event_rtt], 0);
	CHECK_EQUAL(fast->taken.of[event_rtt], lines);
	output_free(output);
}

/* There is nobody else to hold up, or a recording that can wait. */
TEST(a_slow_reader_alone_or_of_a_replay_is_waited_for_without_end)
{
	for (int replay = 0; replay < 2; replay++) {
		struct output *output;
		int fds[2];

		CHECK(pipe(fds) == 0);
		fflush(stdout);
		CHECK(dup2(fds[1], STDOUT_FILENO) == STDOUT_FILENO);
		CHECK_EQUAL(output_new(&texts, &output), 0);
		CHECK_EQUAL(add(output, "stdout"), 0);
		if (replay) {
			CHECK_EQUAL(add(output, "file:/dev/null"), 0);
			output_set_patient(output);
		}
		for (int lines = 0; output_ready(output); lines++) {
			write_text(output, event_rtt, "{\"seq\":1}\n", 10);
			if (lines % 100 == 0)
				output_flush(output, 1);
			CHECK(lines < 1000000);
		}
		for (uint64_t s = 1; s < 100; s++)
			CHECK_EQUAL(output_flush(output, s * NSEC_PER_SEC), -EAGAIN);
		CHECK(!output_ready(output));
		output_give_up(output, 100 * NSEC_PER_SEC);
		CHECK(output_ready(output));
		output_free(output);
	}
}

/* Fill the sink with numbered lines until neither the reader's end nor its buffer takes more. */
static int fill(struct sink *sink)
{
	int count = 0, r = 0;
	char line[64];

	while (sink_admits(sink, event_rtt)) {
		int length = snprintf(line, sizeof(line), "{\"seq\":%d}\n", count++);

		sink_put(sink, event_rtt, line, (size_t)length);
		if (count % 100 == 0)
			r = sink->ops->flush(sink);
		CHECK(count < 1000000); /* bounded */
	}
	CHECK_EQUAL(r, -EAGAIN);
	return count;
}

/* Read all there is, while the sink writes on, and see that every line is whole and in order. */
static void drain(struct sink *sink, int fd, int count)
{
	FILE *stream = fdopen(dup(fd), "r");
	int expected = 0, seq;
	char line[64];

	while (expected < count) {
		CHECK(fgets(line, sizeof(line), stream));
		CHECK(sscanf(line, "{\"seq\":%d}", &seq) == 1 && line[strlen(line) - 1] == '\n');
		CHECK_EQUAL(seq, expected++);
		if (expected % 50 == 0)
			sink->ops->flush(sink);
	}
	CHECK_EQUAL(sink->ops->flush(sink), 0);
	CHECK(sink_ready(sink));
	fclose(stream);
}

TEST(a_slow_pipe_reader_makes_it_unready_and_gets_every_line_whole)
{
	int fds[2], count;
	struct sink *sink;

	CHECK(pipe(fds) == 0);
	sink = sink_on(fds[1]);
	count = fill(sink);
	drain(sink, fds[0], count);
	sink->ops->free(sink);
}

TEST(a_removed_file_is_made_again_and_a_vanished_directory_costs_counted_lines)
{
	const char *path = path_of("gone/lines");
	struct output *output;
	struct sink *sink;
	char text[64], line[4096];

	CHECK(mkdir(path_of("gone"), 0700) == 0);
	path = path_of("gone/lines");
	output = output_to(path);
	sink = output_sink(output, 0);
	write_text(output, event_rtt, "{1}\n", 4);
	CHECK_EQUAL(output_flush(output, 0), 0);
	CHECK(unlink(path) == 0);
	write_text(output, event_rtt, "{2}\n", 4);
	CHECK_EQUAL(output_flush(output, 0), 0);
	read_all(path, text, sizeof(text));
	CHECK_TEXT(text, "{2}\n");

	CHECK(unlink(path) == 0 && rmdir(path_of("gone")) == 0);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < 100; i++) {
		write_text(output, event_rtt, line, sizeof(line));
		CHECK_EQUAL(output_flush(output, 0), -EAGAIN);
		CHECK_EQUAL(sink->error, -ENOENT);
		CHECK(output_ready(output)); /* nobody waits for it */
	}
	CHECK(sink->lost.of[event_rtt] > 0);
	CHECK_EQUAL(sink->lost.of[event_rtt] + sink->taken.of[event_rtt], 102);
	CHECK(mkdir(path_of("gone"), 0700) == 0);
	CHECK_EQUAL(output_flush(output, 0), 0);
	output_free(output);
	CHECK(unlink(path_of("gone/lines")) == 0 && rmdir(path_of("gone")) == 0);
	rmdir(directory);
}

/* A reader that is slow must not cost it the lines that say what was lost. */
TEST(control_lines_have_room_where_events_have_none)
{
	struct output *output;
	const struct sink *sink;
	char line[1000];
	int fds[2];

	CHECK(pipe(fds) == 0);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	output = output_on(fds[1], "file:/dev/null");
	sink = output_sink(output, 0);
	for (int i = 0; output_ready(output); i++) {
		write_text(output, event_rtt, line, sizeof(line));
		output_flush(output, 1);
		CHECK(i < 100000);
	}
	for (int i = 0; i < OUTPUT_RESERVE / (int)sizeof(line); i++) {
		write_text(output, event_none, line, sizeof(line));
		CHECK_EQUAL(sink->lost.of[event_none], 0);
	}
	write_text(output, event_rtt, line, sizeof(line));
	CHECK_EQUAL(sink->lost.of[event_rtt], 1);
	output_free(output);
}

TEST(a_slow_socket_reader_gets_every_line_whole)
{
	int fds[2], count;
	struct sink *sink;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	sink = sink_on(fds[1]);
	count = fill(sink);
	drain(sink, fds[0], count);
	sink->ops->free(sink);
}

TEST(a_pipe_that_cannot_be_opened_anew_is_never_waited_for)
{
	int fds[2], count;
	struct sink *sink;

	CHECK(pipe(fds) == 0);
	/* without CAP_DAC_OVERRIDE the pipe's mode counts, and this one lets nobody in */
	CHECK(fchmod(fds[1], 0) == 0);
	if (geteuid() == 0)
		CHECK(setuid(65534) == 0);
	sink = sink_on(fds[1]);
	count = fill(sink); /* would hang here if it waited */
	drain(sink, fds[0], count);
	sink->ops->free(sink);
}

TEST(the_inherited_descriptor_stays_blocking)
{
	struct sink *sink;
	int fds[2];

	CHECK(pipe(fds) == 0);
	sink = sink_on(fds[1]);
	CHECK(!(fcntl(fds[1], F_GETFL) & O_NONBLOCK));
	sink->ops->free(sink);
	CHECK(fcntl(fds[1], F_GETFL) >= 0); /* and open: it is not ours */
}

TEST(a_gone_reader_is_epipe)
{
	struct sink *sink;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK(pipe(fds) == 0);
	sink = sink_on(fds[1]);
	close(fds[0]);
	sink_put(sink, event_none, "{}\n", 3);
	CHECK_EQUAL(sink->ops->flush(sink), -EPIPE);
	sink->ops->free(sink);
}
