// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>

#include "output.h"
#include "util.h"

#define RING_BYTES_DEFAULT (8 * 1024 * 1024)
#define RING_BYTES_MAX (1ULL << 30)
#define SECONDS_MAX 4000000000ULL
#define THRESHOLD_MAX 4000000000ULL
#define STATS_INTERVAL_DEFAULT 60
#define WORD_LIST_BYTES 1024

/* While one option is applied: where its value goes, and what is wrong with it. */
struct context {
	struct options *options;
	const char *name;  /* of the option, as --name */
	const char *value; /* NULL if it takes none */
	char *message;
};

static int complain(struct context *context, const char *format, ...) _printf_(2, 3);
static int complain(struct context *context, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&context->message, format, arguments) < 0)
		context->message = NULL;
	va_end(arguments);
	return -EINVAL;
}

/* ---- values ---- */

/* Seconds, with up to six decimals. */
static int parse_seconds(const char *text, uint64_t *ret_us)
{
	char whole[24] = "", *point;
	uint64_t seconds, us = 0;

	if (strlen(text) >= sizeof(whole))
		return -EINVAL;
	strcpy(whole, text);
	point = strchr(whole, '.');
	if (point) {
		uint64_t scale = USEC_PER_SEC;

		*point = 0;
		if (!point[1])
			return -EINVAL;
		for (const char *p = point + 1; *p; p++) {
			scale /= 10;
			if (!isdigit((unsigned char)*p) || !scale)
				return -EINVAL;
			us += (uint64_t)(*p - '0') * scale;
		}
	}
	if (parse_u64(whole, &seconds) < 0 || seconds > SECONDS_MAX)
		return -EINVAL;
	*ret_us = seconds * USEC_PER_SEC + us;
	return 0;
}

/* The names of a list's possible words, "a, b, c"; the caller frees. */
static char *word_list(const char *(*word)(unsigned int number), unsigned int count)
{
	char *list = calloc(1, WORD_LIST_BYTES);

	for (unsigned int i = 0; list && i < count; i++)
		if (word(i))
			list_add(list, WORD_LIST_BYTES, word(i));
	return list;
}

/* A comma-separated list of words to bits by the words' numbers. */
static int parse_list(struct context *context, const char *what,
		      const char *(*word)(unsigned int number), unsigned int count,
		      uint64_t *ret_bits)
{
	_cleanup_free_ char *copy = strdup(context->value), *known = NULL;
	char *rest = copy;
	uint64_t bits = 0;

	if (!copy)
		return complain(context, "memory is short");
	for (char *item = strsep(&rest, ","); item; item = strsep(&rest, ",")) {
		unsigned int i = 0;

		while (i < count && (!word(i) || strcmp(word(i), item) != 0))
			i++;
		if (i == count) {
			known = word_list(word, count);
			return complain(context, "--%s: there is no %s '%s'; known are: %s",
					context->name, what, item, known ?: "");
		}
		bits |= BIT(i);
	}
	*ret_bits = bits;
	return 0;
}

/* ---- what each option does ---- */

static const char *event_word(unsigned int number)
{
	return number == event_none ? NULL : event_desc(number)->name;
}

static const char *stage_word(unsigned int number)
{
	return kind_descs[kind_stage].texts[number];
}

static int apply_events(struct context *context)
{
	context->options->events_named = true;
	return parse_list(context, "event", event_word, event_types, &context->options->events);
}

static int apply_stages(struct context *context)
{
	context->options->stages_named = true;
	return parse_list(context, "stage", stage_word, ENUM_NUMBERS, &context->options->stages);
}

static int apply_output(struct context *context)
{
	struct options *options = context->options;

	if (options->output_count == OUTPUT_SINKS_MAX)
		return complain(context, "--output: %d are the most", OUTPUT_SINKS_MAX);
	if (sink_spec_parse(context->value, &options->outputs[options->output_count],
			    &context->message) < 0)
		return -EINVAL;
	options->output_count++;
	return 0;
}

static int apply_duration(struct context *context)
{
	if (parse_seconds(context->value, &context->options->duration_us) < 0 ||
	    !context->options->duration_us)
		return complain(context, "--duration: '%s' is no time; give seconds, as 10 or 0.5",
				context->value);
	return 0;
}

static int apply_count(struct context *context)
{
	if (parse_u64(context->value, &context->options->count) < 0 || !context->options->count)
		return complain(context, "--count: '%s' is no number of lines; give 1 or more",
				context->value);
	return 0;
}

static int apply_stats_interval(struct context *context)
{
	if (parse_seconds(context->value, &context->options->stats_interval_us) < 0)
		return complain(context,
				"--stats-interval: '%s' is no time; give seconds, 0 = never",
				context->value);
	return 0;
}

static int apply_rtt_interval(struct context *context)
{
	uint64_t ms;

	if (parse_u64(context->value, &ms) < 0 || ms > THRESHOLD_MAX)
		return complain(context, "--rtt-interval: '%s' is no time; give milliseconds",
				context->value);
	context->options->rtt_interval_us = ms * USEC_PER_MSEC;
	return 0;
}

static int apply_min_latency(struct context *context)
{
	uint64_t us;

	if (parse_u64(context->value, &us) < 0 || us > THRESHOLD_MAX)
		return complain(context, "--min-latency: '%s' is no time; give microseconds",
				context->value);
	context->options->min_latency_us = us;
	return 0;
}

static int apply_ring_size(struct context *context)
{
	uint64_t page = (uint64_t)getpagesize(), bytes;

	if (parse_u64(context->value, &bytes) < 0 || bytes < page || bytes > RING_BYTES_MAX ||
	    bytes & (bytes - 1))
		return complain(context,
				"--ring-size: '%s' cannot be had; give a power of two from %llu "
				"to %llu, as 8388608",
				context->value, (unsigned long long)page,
				(unsigned long long)RING_BYTES_MAX);
	context->options->ring_bytes = bytes;
	return 0;
}

static int apply_quiet(struct context *context)
{
	context->options->quiet = true;
	return 0;
}

static int apply_schema(struct context *context)
{
	context->options->action = ACTION_SCHEMA;
	return 0;
}

static int apply_version(struct context *context)
{
	context->options->action = ACTION_VERSION;
	return 0;
}

static int apply_help(struct context *context)
{
	context->options->action = ACTION_HELP;
	return 0;
}

/* ---- the table ---- */

struct option_row {
	const char *name;
	char letter;	     /* 0: none */
	const char *metavar; /* NULL: takes no value */
	const char *help;
	int (*apply)(struct context *context);
};

static const struct option_row rows[] = {
	{ "events", 'e', "LIST", "which events to log, as a,b (all)", apply_events },
	{ "latency-stage", 0, "LIST", "where latency is told, as a,b (all)", apply_stages },
	{ "min-latency", 0, "US", "no latency below this, in microseconds (0)", apply_min_latency },
	{ "rtt-interval", 0, "MS", "one rtt line of a socket in this time (0)",
	  apply_rtt_interval },
	{ "output", 'o', "WHERE", "stdout or file:PATH[,events=LIST] (stdout)", apply_output },
	{ "duration", 'd', "SECONDS", "end after this time", apply_duration },
	{ "count", 'n', "N", "end after N event lines", apply_count },
	{ "stats-interval", 0, "SECONDS", "a stats line this often; 0 = never (60)",
	  apply_stats_interval },
	{ "ring-size", 0, "BYTES", "buffer in the kernel, a power of two (8388608)",
	  apply_ring_size },
	{ "schema", 0, NULL, "print the JSON Schema of all lines", apply_schema },
	{ "quiet", 'q', NULL, "on stderr, only warnings and errors", apply_quiet },
	{ "version", 'V', NULL, "print the version", apply_version },
	{ "help", 'h', NULL, "print this", apply_help },
};

#define LONG_FIRST 256 /* getopt_long()'s value for row i is LONG_FIRST + i: never a letter */

static void tables_fill(struct option *long_options, char *short_options)
{
	*short_options++ = ':'; /* a missing value is ':', not '?' */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		long_options[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].metavar ? required_argument : no_argument,
			.val = LONG_FIRST + (int)i,
		};
		if (!rows[i].letter)
			continue;
		*short_options++ = rows[i].letter;
		if (rows[i].metavar)
			*short_options++ = ':';
	}
	*short_options = 0;
}

static const struct option_row *row_of(int value)
{
	if (value >= LONG_FIRST)
		return &rows[value - LONG_FIRST];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].letter == value)
			return &rows[i];
	return NULL;
}

static void options_default(struct options *options)
{
	*options = (struct options){
		.stats_interval_us = STATS_INTERVAL_DEFAULT * USEC_PER_SEC,
		.ring_bytes = RING_BYTES_DEFAULT,
	};
	for_each_event_type(type)
		options->events |= BIT(type);
	for (unsigned int i = 0; i < ENUM_NUMBERS; i++)
		if (stage_word(i))
			options->stages |= BIT(i);
}

int options_parse(int argc, char **argv, struct options *ret_options, char **ret_message)
{
	struct option long_options[ARRAY_SIZE(rows) + 1] = {};
	char short_options[2 * ARRAY_SIZE(rows) + 2];
	struct options options;
	struct context context = { .options = &options };
	int value, r = 0;

	options_default(&options);
	tables_fill(long_options, short_options);
	optind = 0; /* glibc: start anew, for those who call this more than once */
	opterr = 0;
	while (!r && (value = getopt_long(argc, argv, short_options, long_options, NULL)) >= 0) {
		const struct option_row *row = value == '?' || value == ':' ? NULL : row_of(value);

		if (value == ':')
			r = complain(&context, "%s: a value is missing; see netlog --help",
				     argv[optind - 1]);
		else if (!row && optopt >= LONG_FIRST)
			r = complain(&context, "--%s takes no value; see netlog --help",
				     rows[optopt - LONG_FIRST].name);
		else if (!row && optopt)
			r = complain(&context, "there is no option -%c; see netlog --help", optopt);
		else if (!row)
			r = complain(&context, "there is no option %s; see netlog --help",
				     argv[optind - 1]);
		else {
			context.name = row->name;
			context.value = optarg;
			r = row->apply(&context);
		}
	}
	if (!r && optind < argc)
		r = complain(
			&context,
			"'%s' is no option; events are chosen with --events=%s; see netlog --help",
			argv[optind], event_by_name(argv[optind]) ? argv[optind] : "LIST");
	if (!r && !options.output_count) {
		context.value = "stdout";
		r = apply_output(&context);
	}
	if (r < 0) {
		*ret_message = context.message;
		return r;
	}
	*ret_options = options;
	return 0;
}

void options_help(void)
{
	_cleanup_free_ char *events = word_list(event_word, event_types);
	_cleanup_free_ char *stages = word_list(stage_word, ENUM_NUMBERS);

	printf("Usage: netlog [OPTION]...\n"
	       "Log each TCP retransmit, round-trip time and packet latency as a line of JSON.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[40];

		snprintf(name, sizeof(name), "--%s%s%s", rows[i].name, rows[i].metavar ? "=" : "",
			 rows[i].metavar ?: "");
		if (rows[i].letter)
			printf("  -%c, %-25s %s\n", rows[i].letter, name, rows[i].help);
		else
			printf("      %-25s %s\n", name, rows[i].help);
	}
	printf("\nEvents: %s. Latency stages: %s.\n", events ?: "", stages ?: "");
	printf("Lines go to stdout, messages to stderr. Needs root, or CAP_BPF and CAP_PERFMON.\n"
	       "Exit status: 0 ended as asked; 1 failure; 2 usage; 69 an event cannot be served;\n"
	       "71 the kernel refused all; 72 no BTF; 73 output not opened; 74 output failed;\n"
	       "77 capabilities missing.\n");
}
