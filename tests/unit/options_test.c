// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>

#include "arguments.h"
#include "base/util.h"

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

	CHECK_EQUAL(options.action.wanted, ACTION_LOG);
	for_each_event_type(type)
		CHECK(options.kernel.events.bits & BIT(type));
	CHECK_EQUAL(options.kernel.choices[event_latency].bits,
		    BIT(stage_tcp) | BIT(stage_app) | BIT(stage_transport) | BIT(stage_qdisc));
	CHECK(!options.kernel.events.named && !options.kernel.choices[event_latency].named);
	CHECK_EQUAL(options.output_count, 1);
	CHECK_TEXT(options.outputs[0].name, "stdout");
	CHECK_EQUAL(options.stats_interval_us, 60000000);
	CHECK(!options.duration_us && !options.count && !options.quiet);
}

TEST(each_option_does_what_it_says)
{
	struct options options;

	CHECK_EQUAL(good("-e rtt").kernel.events.bits, BIT(event_rtt));
	CHECK(good("-e rtt").kernel.events.named);
	CHECK_EQUAL(good("--events=rtt,retransmit").kernel.events.bits,
		    BIT(event_rtt) | BIT(event_retransmit));
	CHECK_EQUAL(good("--latency-stage=app").kernel.choices[event_latency].bits, BIT(stage_app));
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
	CHECK_EQUAL(good("--min-latency=1500").kernel.limits_ns[event_latency].least,
		    1500 * NSEC_PER_USEC);
	options = good("--sample=rtt=10 --sample=latency=3,retransmit=2 --max-rate=latency=500/s");
	CHECK_EQUAL(options.kernel.sample.of[event_rtt], 10);
	CHECK_EQUAL(options.kernel.sample.of[event_latency], 3);
	CHECK_EQUAL(options.kernel.sample.of[event_retransmit], 2);
	CHECK_EQUAL(options.kernel.max_rate.of[event_latency], 500);
	CHECK(!options.kernel.max_rate.of[event_rtt] && !options.kernel.adaptive);
	CHECK(good("--adaptive").kernel.adaptive);
	CHECK(good("--include-ssh").include_ssh && !good("").include_ssh);
	CHECK(good("-q").quiet);
	CHECK_EQUAL(good("--schema").action.wanted, ACTION_SCHEMA);
	CHECK_EQUAL(good("--schema").action.form, format_flat);
	CHECK_EQUAL(good("--schema=ecs").action.form, format_ecs);
	CHECK_EQUAL(good("--doctor=json").action.form, form_json);
	CHECK_EQUAL(good("-V").action.wanted, ACTION_VERSION);
	CHECK_EQUAL(good("-h").action.wanted, ACTION_HELP);
	CHECK_EQUAL(good("-qn5 -e latency").count, 5);
}

TEST(times_and_sizes_may_have_units)
{
	CHECK_EQUAL(good("-d 500ms").duration_us, 500000);
	CHECK_EQUAL(good("-d 2m").duration_us, 120000000);
	CHECK_EQUAL(good("-d 1us").duration_us, 1);
	CHECK_EQUAL(good("--stats-interval=1h").stats_interval_us, 3600000000);
	CHECK_EQUAL(good("--stats-interval=0s").stats_interval_us, 0);
	CHECK_EQUAL(good("--ring-size=64MiB").ring_bytes, 64 << 20);
	CHECK_EQUAL(good("--rtt-interval=1s").kernel.rtt_interval_us, 1000000);
	CHECK_EQUAL(good("--rtt-interval=0.5").kernel.rtt_interval_us, 500);
	CHECK_EQUAL(good("--min-rtt=50ms").kernel.limits_ns[event_rtt].least, 50000000);
	CHECK_EQUAL(good("--not-min-latency=500ns").kernel.limits_ns[event_latency].below, 500);
}

/* Of single values the last counts, of lists all, of thresholds the least. */
TEST(an_option_may_be_given_again)
{
	struct options options = good("-e rtt -e latency --latency-stage=app,tcp -n 3 -n 5 -q -q");

	CHECK_EQUAL(options.kernel.events.bits, BIT(event_rtt) | BIT(event_latency));
	CHECK_EQUAL(options.kernel.choices[event_latency].bits, BIT(stage_app) | BIT(stage_tcp));
	CHECK_EQUAL(options.count, 5);
	CHECK(options.quiet);
	options = good("--min-rtt=1ms --min-rtt=5 --not-min-rtt=1s --not-min-rtt=2s");
	CHECK_EQUAL(options.kernel.limits_ns[event_rtt].least, 5000);
	CHECK_EQUAL(options.kernel.limits_ns[event_rtt].below, NSEC_PER_SEC);
	CHECK_EQUAL(good("--min-rtt=5 --min-rtt=0").kernel.limits_ns[event_rtt].least, 0);
	CHECK(!good("-e all").kernel.events.named && good("-e all,rtt").kernel.events.named);
}

TEST(a_recording_takes_the_place_of_stdout_unless_an_output_is_named)
{
	struct options options = good("-w /tmp/x,max-size=100000,max-files=3");

	CHECK_EQUAL(options.output_count, 1);
	CHECK_TEXT(options.outputs[0].name, "record:/tmp/x");
	CHECK(options.outputs[0].takes == SINK_RECORDS);
	CHECK_EQUAL(options.outputs[0].max_bytes, 100000);
	CHECK_EQUAL(options.outputs[0].max_files, 3);
	options = good("--write=/tmp/x -o stdout");
	CHECK_EQUAL(options.output_count, 2);
	CHECK_TEXT(options.outputs[0].name, "stdout");
	CHECK(options.outputs[0].takes == SINK_LINES);
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
	bad("-e retransmits", "did you mean retransmit? known are: ");
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
	bad("--ring-size=8M", "there is no unit 'M'; give a power of two");
	bad("--ring-size=2kB", "the least is ");
	bad("--ring-size=8MB", "it is no power of two; give a power of two");
	bad("--ring-size=8s", "s is a unit of time");
	bad("--rtt-interval=1x", "there is no unit 'x'; give milliseconds");
	bad("--rtt-interval=1500ns", "it is no whole number of us; give milliseconds");
	bad("--count=5s", "it has no unit; give 1 or more");
	bad("--min-rtt=50MiB", "MiB is a unit of size; give microseconds");
	bad("--min-rtt=2h", "the most is 4000000000us; give microseconds");
	bad("--not-min-rtt=0us", "nothing is below 0");
	bad("--min-latency=-1", "give microseconds");
	bad("--min-latency=99999999999", "give microseconds");
	bad("--nonsense", "there is no option --nonsense; see netlog --help");
	bad("--evnts=rtt", "there is no option --evnts=rtt; did you mean --events? see netlog");
	bad("--not-prt=22", "did you mean --not-port?");
	bad("--min=5", "did you mean --min-"); /* of which event is not clear */
	bad("--ssh", "there is no option --ssh; see netlog --help"); /* a row, but no option */
	bad("-e latncy", "there is no event 'latncy'; did you mean latency? known are: ");
	bad("--latency-stage=xy", "there is no stage 'xy'; known are: ");
	bad("--latency-stage=transprot", "did you mean transport?");
	bad("--sample=xy=5", "there is no event 'xy'; known are: ");
	bad("--max-rate=rtt_=5", "there is no event 'rtt_'; did you mean rtt?");
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

/* A row that is forgotten somewhere is no option, has no help, cannot be given twice ... */
TEST(every_row_is_an_option_with_help_or_is_found)
{
	unsigned int options = 0;

	for_each_place(place, NULL) {
		const struct setting_type *type = place.setting->type;
		const struct place same = place_of_number(place_number(&place), NULL);

		CHECK(same.setting == place.setting && same.twin == place.twin);
		CHECK_SAYING(!type->take == !place.setting->help, "%s", place_name(&place));
		CHECK_SAYING(!type->json || type->text, "%s", place_name(&place));
		CHECK_SAYING(!(place.setting->flags & SETTING_STAYS) || type->size, "%s",
			     place_name(&place));
		CHECK_SAYING(!place.setting->choice || type->text, "%s", place_name(&place));
		options += type->take != NULL;
		for_each_place(other, NULL)
			CHECK_SAYING(place_number(&place) == place_number(&other) ||
					     (strcmp(place_name(&place), place_name(&other)) != 0 &&
					      (!place.setting->letter ||
					       place.setting->letter != other.setting->letter)),
				     "%s and %s", place_name(&place), place_name(&other));
	}
	CHECK(options > 40);
}

TEST(what_stays_for_a_run_is_kept_and_only_that)
{
	struct options before = good("-d 1 -n 2 --ring-size=65536 -q"),
		       next = good("-d 1 -n 3 -e rtt");
	char kept[256] = "";

	for_each_place(place, &next)
		if (place.setting->flags & SETTING_STAYS && place_keep(&place, &before))
			list_add(kept, sizeof(kept), place_name(&place));
	CHECK_TEXT(kept, "count, ring-size");
	CHECK_EQUAL(next.count, 2);
	CHECK_EQUAL(next.ring_bytes, 65536);
	CHECK(!next.quiet && next.kernel.events.bits == BIT(event_rtt));
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
