// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>

#include "base/util.h"
#include "settings/command_line.h"
#include "test.h"

#define ARGUMENTS_MAX 8

/* Parse words separated by blanks. They stay, since what is returned may point to them. */
static int parse(const char *line, struct options *options, char **message)
{
	static char lines[64][128];
	static unsigned int used;
	char *rest = lines[used++ % 64], *argv[ARGUMENTS_MAX + 2] = { (char *)"netlog" };
	int argc = 1;

	snprintf(rest, sizeof(lines[0]), "%s", line);
	*message = NULL;
	for (char *word = strsep(&rest, " "); word && argc <= ARGUMENTS_MAX;
	     word = strsep(&rest, " "))
		if (*word)
			argv[argc++] = word;
	return options_parse(argc, argv, options, message);
}

static struct options good(const char *line)
{
	struct options options;
	char *message;

	CHECK_SAYING(parse(line, &options, &message) == 0, "%s: %s", line, message);
	return options;
}

static void bad(const char *line, const char *hint)
{
	struct options options = { .count = 4711 };
	char *message;

	CHECK_SAYING(parse(line, &options, &message) == -EINVAL, "%s was taken", line);
	CHECK_SAYING(message && strstr(message, hint), "%s: %s", line, message);
	CHECK_EQUAL(options.count, 4711); /* what is returned stays untouched */
	free(message);
}

TEST(everything_is_logged_to_stdout_by_default)
{
	struct options options = good("");

	CHECK_EQUAL(options.action, ACTION_LOG);
	for_each_event_type(type)
		CHECK(options.kernel.events & BIT(type));
	CHECK_EQUAL(options.kernel.stages,
		    BIT(stage_tcp) | BIT(stage_app) | BIT(stage_transport) | BIT(stage_qdisc));
	CHECK(!options.events_named && !options.stages_named);
	CHECK_EQUAL(options.output_count, 1);
	CHECK_TEXT(options.outputs[0].name, "stdout");
	CHECK_EQUAL(options.stats_interval_us, 60000000);
	CHECK(!options.duration_us && !options.count && !options.quiet);
}

TEST(each_option_does_what_it_says)
{
	struct options options;

	CHECK_EQUAL(good("-e rtt").kernel.events, BIT(event_rtt));
	CHECK(good("-e rtt").events_named);
	CHECK_EQUAL(good("--events=rtt,retransmit").kernel.events,
		    BIT(event_rtt) | BIT(event_retransmit));
	CHECK_EQUAL(good("--latency-stage=app").kernel.stages, BIT(stage_app));
	options = good("-o file:/tmp/x,events=rtt -o stdout");
	CHECK_EQUAL(options.output_count, 2);
	CHECK_TEXT(options.outputs[0].name, "file:/tmp/x");
	CHECK_EQUAL(options.outputs[0].events, BIT(event_rtt));
	CHECK_TEXT(options.outputs[1].name, "stdout");
	CHECK_EQUAL(good("-d 10").duration_us, 10000000);
	CHECK_EQUAL(good("--duration=0.5").duration_us, 500000);
	CHECK_EQUAL(good("-d 1.000001").duration_us, 1000001);
	CHECK_EQUAL(good("-n 3").count, 3);
	CHECK_EQUAL(good("--stats-interval=0").stats_interval_us, 0);
	CHECK_EQUAL(good("--ring-size=65536").ring_bytes, 65536);
	CHECK_EQUAL(good("--rtt-interval=1000").kernel.rtt_interval_us, 1000000);
	CHECK_EQUAL(good("--min-latency=1500").kernel.limits_us[event_latency].least, 1500);
	options = good("--sample=rtt=10 --sample=latency=3,retransmit=2 --max-rate=latency=500/s");
	CHECK_EQUAL(options.kernel.sample.of[event_rtt], 10);
	CHECK_EQUAL(options.kernel.sample.of[event_latency], 3);
	CHECK_EQUAL(options.kernel.sample.of[event_retransmit], 2);
	CHECK_EQUAL(options.kernel.max_rate.of[event_latency], 500);
	CHECK(!options.kernel.max_rate.of[event_rtt] && !options.kernel.adaptive);
	CHECK(good("--adaptive").kernel.adaptive);
	CHECK(good("--include-ssh").include_ssh && !good("").include_ssh);
	CHECK(good("-q").quiet);
	CHECK_EQUAL(good("--schema").action, ACTION_SCHEMA);
	CHECK_EQUAL(good("-V").action, ACTION_VERSION);
	CHECK_EQUAL(good("-h").action, ACTION_HELP);
	CHECK_EQUAL(good("-qn5 -e latency").count, 5);
}

TEST(a_recording_takes_the_place_of_stdout_unless_an_output_is_named)
{
	struct options options = good("-w /tmp/x,max-size=100000,max-files=3");

	CHECK_EQUAL(options.output_count, 1);
	CHECK_TEXT(options.outputs[0].name, "record:/tmp/x");
	CHECK(options.outputs[0].records);
	CHECK_EQUAL(options.outputs[0].max_bytes, 100000);
	CHECK_EQUAL(options.outputs[0].max_files, 3);
	options = good("--write=/tmp/x -o stdout");
	CHECK_EQUAL(options.output_count, 2);
	CHECK_TEXT(options.outputs[0].name, "stdout");
	CHECK(!options.outputs[0].records);
	CHECK_TEXT(options.outputs[1].name, "record:/tmp/x");
	CHECK_TEXT(good("-w -").outputs[0].name, "record:-");
	CHECK_TEXT(good("-o record:/tmp/y").outputs[0].name, "record:/tmp/y");
	CHECK_TEXT(good("-r /tmp/x").read_path, "/tmp/x");
	CHECK_TEXT(good("-r /tmp/x").outputs[0].name, "stdout");
	bad("-w - -o stdout", "cannot both go to stdout");
	bad("-w -,max-size=100000", "only a file has a max-size");
	bad("-w /tmp/x -o record:/tmp/x", "given twice");
	bad("-w /tmp/x -w /tmp/y", "one recording is enough");
	bad("-r /tmp/x -r /tmp/y", "one recording is enough");
	bad("-w /tmp/x,max-files=3", "max-files does nothing without max-size");
}

TEST(what_cannot_be_used_is_refused_with_a_hint)
{
	bad("-e retransmits", "known are: retransmit, rtt, latency");
	bad("-e rtt,", "known are");
	bad("--latency-stage=driver", "known are: tcp, app");
	bad("-o syslog", "is none of stdout, file:PATH and journald");
	bad("-o file:", "is none of stdout, file:PATH and journald");
	bad("--sample=rtt", "--sample: 'rtt' says no number; give EVENT=N");
	bad("--sample=rtt=5/s", "'5/s' is no number for rtt; give one from 1 to 1048576");
	bad("--max-rate=rtt=5/m", "--max-rate: '5/m' is no number for rtt");
	bad("--sample=rtt=5 --sample=rtt=6", "rtt is given twice");
	bad("-d 0", "give seconds");
	bad("-d -1", "give seconds");
	bad("-d 1e3", "give seconds");
	bad("-d 1.", "give seconds");
	bad("-d 0.0000001", "give seconds");
	bad("-d 99999999999999999999", "give seconds");
	bad("-n 0", "give 1 or more");
	bad("-n ten", "give 1 or more");
	bad("-n 18446744073709551616", "give 1 or more");
	bad("--stats-interval=often", "0 = never");
	bad("--ring-size=1", "power of two");
	bad("--ring-size=100000", "power of two");
	bad("--ring-size=99999999999", "power of two");
	bad("--ring-size=8M", "power of two");
	bad("--rtt-interval=1s", "give milliseconds");
	bad("--min-latency=-1", "give microseconds");
	bad("--min-latency=99999999999", "give microseconds");
	bad("--nonsense", "there is no option --nonsense; see netlog --help");
	bad("-x", "there is no option -x");
	bad("-xq", "there is no option -x");
	bad("--quiet=4", "--quiet takes no value");
	bad("-n +5", "give 1 or more");
	bad("-d 0.1234567", "give seconds");
	bad("-n", "a value is missing");
	bad("--events", "a value is missing");
	bad("retransmit", "--events=retransmit");
	bad("eth0", "--events=LIST");
}

/* In height it may be more: people page it. */
TEST(help_fits_80_columns)
{
	char text[8192] = "", *rest = text;
	int pipes[2], lines = 0;
	size_t length;

	CHECK(pipe(pipes) == 0);
	fflush(stdout);
	dup2(pipes[1], STDOUT_FILENO);
	options_help();
	fflush(stdout);
	length = (size_t)read(pipes[0], text, sizeof(text) - 1);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	CHECK(length < sizeof(text) - 1);
	for (char *line = strsep(&rest, "\n"); line && rest; line = strsep(&rest, "\n"), lines++)
		CHECK_SAYING(strlen(line) <= 80, "%s", line);
	CHECK_SAYING(lines > 10, "%d lines", lines);
}
