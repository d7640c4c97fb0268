// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/util.h"
#include "settings/command_line.h"
#include "test.h"

/* The settings of a configuration file with this text, and of the words after it. */
static int parse_text(const char *text, size_t length, const char *argument,
		      struct options *options, char **message)
{
	static char path[] = "/tmp/netlog-conf-XXXXXX";
	char *argv[] = { (char *)"netlog", (char *)"-c", path, (char *)argument, NULL };
	int fd, r;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	CHECK(fd >= 0 && write(fd, text, length) == (ssize_t)length);
	close(fd);
	*message = NULL;
	r = options_parse(argument ? 4 : 3, argv, options, message);
	unlink(path);
	return r;
}

static struct options good(const char *text, const char *argument)
{
	struct options options;
	char *message;

	CHECK_SAYING(parse_text(text, strlen(text), argument, &options, &message) == 0, "%s: %s",
		     text, message);
	return options;
}

TEST(a_configuration_has_the_names_of_the_long_options_and_comments)
{
	struct options options =
		good("/* of a server */ {\n"
		     "	\"events\": [\"retransmit\", // all of them\n"
		     "	            \"rtt\"],\n"
		     "	\"rtt-interval\":1000,\"min-latency\" /*us*/ : 5,\n"
		     "	\"output\": [\"journald,events=retransmit\", \"file:/x\"],\n"
		     "	\"stats-interval\": 0.5, \"duration\": 2.25, \"count\": 7,\n"
		     "	\"ring-size\": 65536, \"quiet\": true,\n"
		     "	\"latency-stage\": \"tcp,app\"\n} // done",
		     NULL);

	CHECK_EQUAL(options.kernel.events.bits, BIT(event_retransmit) | BIT(event_rtt));
	CHECK(options.kernel.events.named && options.kernel.choices[event_latency].named &&
	      options.quiet);
	CHECK_EQUAL(options.kernel.choices[event_latency].bits, BIT(stage_tcp) | BIT(stage_app));
	CHECK_EQUAL(options.kernel.rtt_interval_us, 1000000);
	CHECK_EQUAL(options.kernel.limits_ns[event_latency].least, 5 * NSEC_PER_USEC);
	CHECK_EQUAL(options.output_count, 2);
	CHECK_TEXT(options.outputs[0].name, "journald");
	CHECK_EQUAL(options.outputs[0].events, BIT(event_retransmit));
	CHECK_TEXT(options.outputs[1].name, "file:/x");
	CHECK_EQUAL(options.stats_interval_us, 500000);
	CHECK_EQUAL(options.duration_us, 2250000);
	CHECK_EQUAL(options.count, 7);
	CHECK_EQUAL(options.ring_bytes, 65536);
	CHECK(!good("{\"quiet\": false}", NULL).quiet);
	CHECK_EQUAL(good("{\"duration\": \"1.5m\"}", NULL).duration_us, 90000000);
	CHECK_EQUAL(good("{\"ring-size\": \"8MiB\"}", NULL).ring_bytes, 8 << 20);
	CHECK_EQUAL(good("{}", NULL).output_count, 1);
	CHECK_EQUAL(good("{\"output\":\"file:/\\u00e4\"}", NULL).output_count, 1);
	/* one with two stars at its end, wherever it is */
	options = good("/** a **/{/** b **/\"count\"/** c **/:/** d **/7/** e **/,\"port\":/***/"
		       "[/***/\"80\"/***/,\"81\"/***/]/***/,\"quiet\":true/***/}/***/",
		       NULL);
	CHECK(options.count == 7 && options.quiet &&
	      options.kernel.filters.filter.active == FILTER_BIT(filter_port, false));
	CHECK_TEXT(good("{\"hostname\":\"\\ud83d\\udc27\\\\ud83d\"}", NULL).hostname,
		   "\xf0\x9f\x90\xa7\\ud83d");
}

TEST(the_command_line_overrides_the_file)
{
	const char *text = "{\"events\":[\"rtt\",\"latency\"],\"output\":[\"file:/a\",\"file:/b\"],"
			   "\"count\":3}";
	struct options options = good(text, "--output=stdout");

	CHECK_EQUAL(options.output_count, 1);
	CHECK_TEXT(options.outputs[0].name, "stdout");
	CHECK_EQUAL(options.count, 3);
	CHECK_EQUAL(good(text, "-eretransmit").kernel.events.bits, BIT(event_retransmit));
	CHECK_EQUAL(good(text, "-n5").count, 5);
	CHECK(!good(text, "-eall").kernel.events.named);
}

/* Each mistake is told with its line, and with the text or value that was expected. */
static const struct {
	const char *text;
	const char *message;
} broken[] = {
	{ "", ":1: expected '{' at the beginning, found the end of the file" },
	{ "\n\n  ", ":3: expected '{' at the beginning" },
	{ "[]", ":1: expected '{' at the beginning, found '['" },
	{ "events=rtt", ":1: expected '{' at the beginning, found 'e'" },
	{ "\xef\xbb\xbf{}", ":1: expected '{' at the beginning, found a strange character" },
	{ "{", ":1: expected a name in quotes, found the end of the file" },
	{ "{\n\"count\"", ":2: expected ':' after \"count\", found the end of the file" },
	{ "{\n\"count\" 5}", ":2: expected ':' after \"count\", found '5'" },
	{ "{\n\"count\":}", ":2: \"count\": expected a string, a number, true, false or an array" },
	{ "{\"count\":null}", ":1: \"count\": expected a string, a number" },
	{ "{\"count\":{}}", ":1: \"count\": expected a string, a number" },
	{ "{\"count\":NaN}", ":1: \"count\": expected a string, a number" },
	{ "{\"count\":5", ":1: expected ',' or '}', found the end of the file" },
	{ "{\"count\":5\n\n\"quiet\":true}", ":3: expected ',' or '}', found '\"'" },
	{ "{\"count\":5,\n}", ":2: expected a name in quotes, found '}'" },
	{ "{count:5}", ":1: expected a name in quotes, found 'c'" },
	{ "{'count':5}", ":1: expected a name in quotes, found '''" },
	{ "{\"count\":5}\n}", ":2: expected nothing after the last '}', found '}'" },
	{ "{\"count\":5}{}", ":1: expected nothing after the last '}', found '{'" },
	{ "{\"count\":5x}", ":1: expected ',' or '}', found 'x'" },
	{ "{\"min-rtt\":5ms}", ":1: expected ',' or '}', found 'm'" },
	{ "{\"quiet\":truefalse}", ":1: expected ',' or '}', found 'f'" },
	{ "{\n/* no end\n\"count\":5}", ":2: a comment begins that never ends" },
	{ "{\"count\":5} /*/", ":1: a comment begins that never ends" },
	{ "{\"output\":\"file:/x", ":1: this is no JSON" },
	{ "{\"output\":\"\\x\"}", ":1: this is no JSON" },
	{ "{\"output\":\"file:/\xff\"}", ":1: this is no JSON" },
	{ "{\"output\":\"file:/x\\u0000y\"}", ":1: \"output\": expected a string without a NUL" },
	{ "{\"quiet\":tRuE}", ":1: \"quiet\": expected true or false, in lower case" },
	{ "{\"quiet\\u0000x\":true}", ":1: expected a name without a NUL" },
	{ "{\"count\":99999999999999999999}",
	  ":1: \"count\": '99999999999999999999' is no number of lines" },
	{ "{\"output\":\"file:/\\u001b\"}", "has a control character" },
	{ "{\"comm\":\"a\\ud800\"}", ":1: expected whole characters" },
	{ "{\"comm\":\"\\udc27\\ud83d\"}", ":1: expected whole characters" },
	{ "{\"comm\":\"\\ud83d\\ud83d\\udc27\"}", ":1: expected whole characters" },
	{ "{\"count\":tru}", ":1: this is no JSON" },
	{ "{\"count\":-}", ":1: this is no JSON" },
	{ "{\n\"colour\":\"red\"}", ":2: \"colour\": there is no such setting; known are: events" },
	{ "{\"config\":\"/x\"}", ":1: \"config\": there is no such setting" },
	{ "{\"help\":true}", ":1: \"help\": there is no such setting" },
	{ "{\"Events\":\"rtt\"}",
	  ":1: \"Events\": there is no such setting; did you mean events? known are: events, " },
	{ "{\"not_port\":\"80\"}",
	  ":1: \"not_port\": there is no such setting; did you mean not-port? known are: events" },
	{ "{\"ssh\":\"x\"}", ":1: \"ssh\": there is no such setting" },
	{ "{\"not-events\":\"rtt\"}", ":1: \"not-events\": there is no such setting" },
	{ "{\"count\":1,\n\"quiet\":true,\n\"count\":1}",
	  ":3: \"count\" is given twice; first in line 1" },
	{ "{\"count\":\"5\"}", ":1: \"count\": expected a number, found the string 5" },
	{ "{\"count\":\"5s\"}", ":1: \"count\": expected a number, found the string 5s" },
	{ "{\"duration\":true}",
	  ":1: \"duration\": expected a number, or a string of a number and its unit, found true" },
	{ "{\"duration\":[\"5s\"]}",
	  ":1: \"duration\": expected a number, or a string of a number and its unit, found an array" },
	{ "{\"duration\":\"5 s\"}", ":1: \"duration\": '5 s' is no time: there is no unit ' s'" },
	{ "{\"min-rtt\":\"5kB\"}", ":1: \"min-rtt\": '5kB' is no time: kB is a unit of size" },
	{ "{\"min-rtt\":1e3}", ":1: \"min-rtt\": '1e3' is no time: there is no unit 'e3'" },
	{ "{\"ring-size\":\"8MB\"}",
	  ":1: \"ring-size\": '8MB' cannot be had: it is no power of two" },
	{ "{\"count\":true}", ":1: \"count\": expected a number, found true" },
	{ "{\"count\":[5]}", ":1: \"count\": expected a number, found an array with 5" },
	{ "{\"count\":0}",
	  ":1: \"count\": '0' is no number of lines: the least is 1; give 1 or more" },
	{ "{\"count\":-1}", ":1: \"count\": '-1' is no number of lines" },
	{ "{\"count\":1.5}", ":1: \"count\": '1.5' is no number of lines" },
	{ "{\"quiet\":1}", ":1: \"quiet\": expected true or false, found 1" },
	{ "{\"events\":5}", ":1: \"events\": expected a string, or an array of strings, found 5" },
	{ "{\"events\":[]}", ":1: \"events\": expected at least one value in []" },
	{ "{\"events\":[\"rtt\",\n\"rtx\"]}",
	  ":2: \"events\": there is no event 'rtx'; did you mean rtt? known are: " },
	{ "{\"events\":[\"rtt\",]}",
	  ":1: \"events\": expected a string, a number, true, false, found" },
	{ "{\"events\":[\"rtt\"\n\"latency\"]}", ":2: expected ',' or ']', found '\"'" },
	{ "{\"events\":[[\"rtt\"]]}",
	  ":1: \"events\": expected a string, a number, true, false, found '['" },
	{ "{\"output\":[\"stdout\",\n\n\"syslog\"]}",
	  ":3: \"output\": 'syslog': is none of stdout, file:PATH and journald" },
	{ "{\"output\":[\"stdout\",\"stdout\"]}", ":1: \"output\": 'stdout' is given twice" },
	{ "{\"ring-size\":1000}", ":1: \"ring-size\": '1000' cannot be had: the least is " },
	{ "{\"rtt-interval\":99999999999}", ":1: \"rtt-interval\": '99999999999' is no time" },
	{ "{\"stats-interval\":-1}",
	  ":1: \"stats-interval\": '-1' is no time: it is negative; give seconds" },
};

TEST(what_is_wrong_in_a_configuration_is_said_with_its_line_and_what_was_expected)
{
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct options options = { .count = 4711 };
		char *message;
		int r = parse_text(broken[i].text, strlen(broken[i].text), NULL, &options,
				   &message);

		CHECK_SAYING(r == -EBADMSG, "%s: %d", broken[i].text, r);
		CHECK_SAYING(message && strstr(message, broken[i].message), "%s: %s",
			     broken[i].text, message);
		CHECK_EQUAL(options.count, 4711); /* what is returned stays untouched */
		free(message);
	}
}

/* What the command line overrides takes no room any more. */
TEST(as_much_fits_the_command_line_as_if_there_were_no_file)
{
	static char ports[5000], text[sizeof(ports) + 32], argument[sizeof(ports) + 32];
	struct options options;

	for (size_t i = 0; i + 1 < sizeof(ports); i++)
		ports[i] = i % 2 || i + 2 == sizeof(ports) ? ',' : '7';
	ports[sizeof(ports) - 2] = '9';
	snprintf(text, sizeof(text), "{\"not-port\": \"%s\", \"unit\": \"a\"}", ports);
	snprintf(argument, sizeof(argument), "--not-port=%s", ports);
	options = good(text, argument);
	CHECK_TEXT(filter_value(&options.kernel.filters, filter_port, true, 0), ports);
	CHECK_TEXT(filter_value(&options.kernel.filters, filter_unit, false, 0), "a");
	options_done(&options);
}

TEST(a_file_that_cannot_be_read_is_said)
{
	static const char *const paths[] = { "/nonexistent/netlog.conf", "/" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		char *argv[] = { (char *)"netlog", (char *)"-c", (char *)paths[i], NULL };
		struct options options;
		char *message;

		CHECK(options_parse(3, argv, &options, &message) < 0);
		CHECK_SAYING(strstr(message, "cannot read the configuration") &&
				     strstr(message, paths[i]),
			     "%s", message);
		free(message);
	}
}

/* Any bytes: an answer, and nothing that the sanitizers would see. */
TEST(a_damaged_configuration_is_read_or_refused)
{
	static const char whole[] = "{ /* c */ \"events\": [\"rtt\", \"latency\"], // d\n"
				    "\"output\": \"file:/x,events=rtt\", \"duration\": 1.5,\n"
				    "\"quiet\": true, \"count\": 12 }\n";
	uint64_t state = 7;

	for (int i = 0; i < 3000; i++) {
		char text[sizeof(whole)];
		size_t length = i % 3 ? sizeof(whole) - 1 : test_random(&state) % sizeof(whole);
		struct options options;
		char *message;
		int r;

		memcpy(text, whole, sizeof(whole));
		for (int k = 0; k < 1 + i % 4; k++)
			text[test_random(&state) % (sizeof(whole) - 1)] = (char)test_random(&state);
		r = parse_text(text, length, NULL, &options, &message);
		CHECK(r == 0 || (r == -EBADMSG && message));
		free(message);
	}
}

/* What options_print() prints. */
static void print(const struct options *options, char *text, size_t size)
{
	int pipes[2], before = dup(STDOUT_FILENO);
	ssize_t length;

	CHECK(pipe(pipes) == 0);
	fflush(stdout);
	dup2(pipes[1], STDOUT_FILENO);
	options_print(options);
	fflush(stdout);
	dup2(before, STDOUT_FILENO);
	length = read(pipes[0], text, size - 1);
	CHECK(length > 0);
	text[length] = 0;
	close(pipes[0]);
	close(pipes[1]);
	close(before);
}

TEST(what_is_printed_can_be_read_back_and_is_the_same)
{
	static const char *const texts[] = {
		"{}",
		"{\"events\":\"rtt\",\"latency-stage\":[\"app\"],\"min-latency\":7,"
		"\"rtt-interval\":20,\"output\":[\"file:/a \\\"b\\\\ \\u00fc,events=rtt,max-size=65536,"
		"max-files=3\",\"journald\"],\"duration\":0.000001,\"count\":9,"
		"\"stats-interval\":1.05,\"ring-size\":4096,\"quiet\":true}",
		"{\"events\":[\"all\",\"rtt\"],\"latency-stage\":\"tcp,app\",\"rtt-interval\":\"500us\","
		"\"min-rtt\":\"50ms\",\"not-min-rtt\":\"1.5s\",\"min-latency\":\"500ns\","
		"\"not-min-latency\":0.001,\"sample\":[\"rtt=10\",\"latency=3\"],\"max-rate\":"
		"\"retransmit=9/s\",\"adaptive\":true,\"include-ssh\":true,\"duration\":\"2h\","
		"\"ring-size\":\"1MiB\",\"port\":[\"80,443\",\"22\"],\"not-proto\":\"udp\"}",
		"{\"output\":[\"file:/x,port=80,443,not-comm=a,b,events=rtt,addr=10.0.0.0/8\","
		"\"stdout,not-ifname=lo\"],\"port\":\"80\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct options first = good(texts[i], NULL), again;
		char printed[2][4096];

		print(&first, printed[0], sizeof(printed[0]));
		again = good(printed[0], NULL);
		print(&again, printed[1], sizeof(printed[1]));
		CHECK_TEXT(printed[0], printed[1]);
		CHECK_EQUAL(first.kernel.events.bits, again.kernel.events.bits);
		CHECK_EQUAL(first.kernel.events.named, again.kernel.events.named);
		CHECK_EQUAL(first.kernel.choices[event_latency].bits,
			    again.kernel.choices[event_latency].bits);
		CHECK_EQUAL(first.duration_us, again.duration_us);
		CHECK_EQUAL(first.stats_interval_us, again.stats_interval_us);
		CHECK_EQUAL(first.kernel.rtt_interval_us, again.kernel.rtt_interval_us);
		CHECK_EQUAL(first.output_count, again.output_count);
		CHECK_TEXT(first.outputs[0].text, again.outputs[0].text);
		CHECK_EQUAL(first.quiet, again.quiet);
		CHECK(!memcmp(first.kernel.limits_ns, again.kernel.limits_ns,
			      sizeof(first.kernel.limits_ns)));
		CHECK(!memcmp(&first.kernel.sample, &again.kernel.sample,
			      sizeof(first.kernel.sample)));
		CHECK_EQUAL(first.kernel.filters.filter.active, again.kernel.filters.filter.active);
		for (unsigned int k = 0; k < first.output_count; k++) {
			const struct filter_set *set = first.outputs[k].filters;

			CHECK_EQUAL(!set, !again.outputs[k].filters);
			CHECK(!set || !memcmp(set, again.outputs[k].filters, sizeof(*set)));
		}
		options_done(&first);
		options_done(&again);
	}
}

/* A configuration whose filter of this name has `count` items of this text, with its number, and
 * then `last`. */
static char *long_config(const char *name, const char *item, const char *last, unsigned int count)
{
	size_t size;
	char *text;
	FILE *stream = open_memstream(&text, &size);

	fprintf(stream, "{\"%s\":\"", name);
	for (unsigned int i = 0; i < count; i++)
		fprintf(stream, item, i);
	fprintf(stream, "%s\"}", last);
	fclose(stream);
	return text;
}

/* Longer than any output, and in the start line up to six times as long. */
TEST(a_long_value_is_printed_whole_and_one_too_long_to_be_told_is_refused)
{
	static const struct {
		const char *name, *item, *last;
		unsigned int most, too_many;
		const char *wrong;
	} values[] = {
		{ "addr", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:%u,", "::", 125, 0, NULL },
		{ "not-port", "80,", "80", 2700, 2800, "all filters together may have 8192 bytes" },
		{ "cgroup", "/a%u", "", 1200, 0, NULL },
		{ "cgroup", "\\u0001", "", 2000, 2100, "the outputs' own would take 12614 bytes" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		_cleanup_free_ char *text = long_config(values[i].name, values[i].item,
							values[i].last, values[i].most),
				    *longer = long_config(values[i].name, values[i].item,
							  values[i].last, values[i].too_many);
		struct options first = good(text, NULL), again, refused;
		static char printed[2][65536];
		char *message;

		print(&first, printed[0], sizeof(printed[0]));
		again = good(printed[0], NULL);
		print(&again, printed[1], sizeof(printed[1]));
		CHECK_TEXT(printed[0], printed[1]);
		CHECK(!memcmp(&first.kernel.filters, &again.kernel.filters,
			      sizeof(first.kernel.filters)));
		options_done(&first);
		options_done(&again);
		if (!values[i].too_many)
			continue;
		CHECK(parse_text(longer, strlen(longer), NULL, &refused, &message) < 0);
		CHECK_SAYING(message && strstr(message, values[i].wrong), "%s", message);
		free(message);
	}
}
