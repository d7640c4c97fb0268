// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "settings/settings.h"

#include "settings/value.h"

#define RING_BYTES_DEFAULT (8 * 1024 * 1024)
#define RING_BYTES_MAX (1ULL << 30)
#define STATS_INTERVAL_DEFAULT 60
#define NOT "not-"

/* ---- each setting ---- */

static const char *event_word(unsigned int number)
{
	return number == event_none ? NULL : event_desc(number)->name;
}

static char *apply_events(struct options *options, const char *value, bool more)
{
	return parse_words(value, "event", event_word, event_types, more, &options->events,
			   &options->events_named);
}

static bool show_events(const struct options *options, FILE *file)
{
	return show_words(event_word, event_types, options->events, options->events_named, file);
}

static const char *stage_word(unsigned int number)
{
	return enum_text(kind_stage, number);
}

static char *apply_stages(struct options *options, const char *value, bool more)
{
	return parse_words(value, "stage", stage_word, stage_numbers, more, &options->stages,
			   &options->stages_named);
}

static bool show_stages(const struct options *options, FILE *file)
{
	return show_words(stage_word, stage_numbers, options->stages, options->stages_named, file);
}

static char *parse_output(const char *value, struct sink_spec *ret_spec)
{
	char *message;

	if (sink_spec_parse(value, ret_spec, &message) < 0)
		return message ?: setting_wrong("memory is short");
	return NULL;
}

static char *output_add(struct options *options, const struct sink_spec *spec)
{
	if (options->output_count == OUTPUT_SINKS_MAX)
		return setting_wrong("%d outputs are the most", OUTPUT_SINKS_MAX);
	for (unsigned int i = 0; i < options->output_count; i++)
		if (!strcmp(options->outputs[i].name, spec->name))
			return setting_wrong("'%s' is given twice; name its events in one",
					     spec->name);
	options->outputs[options->output_count++] = *spec;
	return NULL;
}

static char *apply_output(struct options *options, const char *value, bool more)
{
	struct sink_spec spec;
	char *wrong = parse_output(value, &spec);

	if (!more)
		options->output_count = 0;
	options->outputs_named = true;
	return wrong ?: output_add(options, &spec);
}

static char *apply_write(struct options *options, const char *value, bool more)
{
	_cleanup_free_ char *text = NULL;

	if (more)
		return setting_wrong("one recording is enough");
	if (asprintf(&text, "record:%s", value) < 0)
		return setting_wrong("memory is short");
	options->written = true;
	return parse_output(text, &options->write);
}

static char *apply_read(struct options *options, const char *value, bool more)
{
	if (more)
		return setting_wrong(
			"one recording is enough; `cat` puts several together for -r -");
	options->read_path = value;
	return NULL;
}

static bool show_output(const struct options *options, FILE *file)
{
	for (unsigned int i = 0; i < options->output_count; i++) {
		fputs(i ? ", " : "[", file);
		show_string(options->outputs[i].text, file);
	}
	fputc(']', file);
	return true;
}

static char *apply_duration(struct options *options, const char *value, bool more)
{
	uint64_t us;

	(void)more;
	if (parse_seconds(value, &us) < 0 || !us)
		return setting_wrong("'%s' is no time; give seconds, as 10 or 0.5", value);
	options->duration_us = us;
	return NULL;
}

static bool show_duration(const struct options *options, FILE *file)
{
	return options->duration_us && show_seconds(options->duration_us, file);
}

static char *apply_count(struct options *options, const char *value, bool more)
{
	uint64_t count;

	(void)more;
	if (parse_u64(value, &count) < 0 || !count)
		return setting_wrong("'%s' is no number of lines; give 1 or more", value);
	options->count = count;
	return NULL;
}

static bool show_count(const struct options *options, FILE *file)
{
	return options->count && show_number(options->count, file);
}

static char *apply_stats_interval(struct options *options, const char *value, bool more)
{
	(void)more;
	if (parse_seconds(value, &options->stats_interval_us) < 0)
		return setting_wrong("'%s' is no time; give seconds, 0 = never", value);
	return NULL;
}

static bool show_stats_interval(const struct options *options, FILE *file)
{
	return show_seconds(options->stats_interval_us, file);
}

static char *apply_rtt_interval(struct options *options, const char *value, bool more)
{
	uint64_t ms;

	(void)more;
	if (parse_u64(value, &ms) < 0 || ms > SETTING_LIMIT_MAX)
		return setting_wrong("'%s' is no time; give milliseconds, as 1000", value);
	options->rtt_interval_us = ms * USEC_PER_MSEC;
	return NULL;
}

static bool show_rtt_interval(const struct options *options, FILE *file)
{
	return show_number(options->rtt_interval_us / USEC_PER_MSEC, file);
}

/* For each threshold and its not- twin; 0 is no upper limit. */
#define THRESHOLD(name)                                                                          \
	static char *apply_min_##name(struct options *options, const char *value, bool more)     \
	{                                                                                        \
		return parse_least(value, more, &options->name##_us.least);                      \
	}                                                                                        \
	static bool show_min_##name(const struct options *options, FILE *file)                   \
	{                                                                                        \
		return show_number(options->name##_us.least, file);                              \
	}                                                                                        \
	static char *apply_not_min_##name(struct options *options, const char *value, bool more) \
	{                                                                                        \
		return parse_below(value, more, &options->name##_us.below);                      \
	}                                                                                        \
	static bool show_not_min_##name(const struct options *options, FILE *file)               \
	{                                                                                        \
		return options->name##_us.below && show_number(options->name##_us.below, file);  \
	}
THRESHOLD(latency)
THRESHOLD(rtt)

static bool show_filter(const struct options *options, enum filter_kind kind, bool negative,
			FILE *file)
{
	const char *text;
	unsigned int i;

	for (i = 0; (text = filter_value(&options->filters, kind, negative, i)); i++) {
		fputs(i ? ", " : "[", file);
		show_string(text, file);
	}
	return i && fputc(']', file) >= 0;
}

/* For each filter and each not- twin. */
#define FILTER_HALF(name, kind, negative)                                                \
	static char *apply_##name(struct options *options, const char *value, bool more) \
	{                                                                                \
		return filter_take(&options->filters, kind, negative, value, more);      \
	}                                                                                \
	static bool show_##name(const struct options *options, FILE *file)               \
	{                                                                                \
		return show_filter(options, kind, negative, file);                       \
	}
#define FILTER_HALVES(filter, option, syntax, metavar, help) \
	FILTER_HALF(filter, filter_##filter, false)          \
	FILTER_HALF(not_##filter, filter_##filter, true)
FILTERS(FILTER_HALVES)

static char *apply_sample(struct options *options, const char *value, bool more)
{
	return rates_take(&options->sample, value, ONE_IN_MAX, "", more);
}

static bool show_sample(const struct options *options, FILE *file)
{
	return rates_show(&options->sample, file);
}

static char *apply_max_rate(struct options *options, const char *value, bool more)
{
	return rates_take(&options->max_rate, value, PER_SECOND_MAX, "/s", more);
}

static bool show_max_rate(const struct options *options, FILE *file)
{
	return rates_show(&options->max_rate, file);
}

static char *apply_ring_size(struct options *options, const char *value, bool more)
{
	uint64_t page = (uint64_t)getpagesize(), bytes;

	(void)more;
	if (parse_u64(value, &bytes) < 0 || bytes < page || bytes > RING_BYTES_MAX ||
	    bytes & (bytes - 1))
		return setting_wrong(
			"'%s' cannot be had; give a power of two from %llu to %llu, as "
			"8388608",
			value, (unsigned long long)page, (unsigned long long)RING_BYTES_MAX);
	options->ring_bytes = bytes;
	return NULL;
}

static bool show_ring_size(const struct options *options, FILE *file)
{
	return show_number(options->ring_bytes, file);
}

#define FLAG(name)                                                                       \
	static char *apply_##name(struct options *options, const char *value, bool more) \
	{                                                                                \
		(void)value;                                                             \
		(void)more;                                                              \
		options->name = true;                                                    \
		return NULL;                                                             \
	}                                                                                \
	static bool show_##name(const struct options *options, FILE *file)               \
	{                                                                                \
		return options->name && fputs("true", file) >= 0;                        \
	}
FLAG(adaptive)
FLAG(include_ssh)
FLAG(quiet)

static char *apply_config(struct options *options, const char *value, bool more)
{
	(void)more;
	options->config_path = value;
	return NULL;
}

#define APPLY_ACTION(name, wanted)                                                       \
	static char *apply_##name(struct options *options, const char *value, bool more) \
	{                                                                                \
		(void)value;                                                             \
		(void)more;                                                              \
		options->action = wanted;                                                \
		return NULL;                                                             \
	}
APPLY_ACTION(check_config, ACTION_CHECK_CONFIG)
APPLY_ACTION(print_config, ACTION_PRINT_CONFIG)
APPLY_ACTION(schema, ACTION_SCHEMA)

static char *apply_doctor(struct options *options, const char *value, bool more)
{
	(void)more;
	if (value && strcmp(value, "json") != 0)
		return setting_wrong("'%s' is no form; give --doctor or --doctor=json", value);
	options->action = value ? ACTION_DOCTOR_JSON : ACTION_DOCTOR;
	return NULL;
}

APPLY_ACTION(version, ACTION_VERSION)
APPLY_ACTION(help, ACTION_HELP)

/* ---- the table ---- */

#define FILTER_ROWS(filter, option, syntax, metavar, help)                          \
	{ option, 0, SETTING_WORDS, metavar, help, apply_##filter, show_##filter }, \
		{ NOT option, 0, SETTING_WORDS, metavar, help, apply_not_##filter, show_not_##filter },

const struct setting setting_rows[] = {
	{ "events", 'e', SETTING_WORDS, "LIST", "which events to log, as a,b (all)", apply_events,
	  show_events },
	{ "latency-stage", 0, SETTING_WORDS, "LIST", "where latency is told, as a,b (all)",
	  apply_stages, show_stages },
	{ "rtt-interval", 0, SETTING_NUMBER, "MS", "one rtt line of a socket in this time (0)",
	  apply_rtt_interval, show_rtt_interval },
	{ "min-rtt", 0, SETTING_NUMBER, "US", "no rtt line below this, in microseconds (0)",
	  apply_min_rtt, show_min_rtt },
	{ NOT "min-rtt", 0, SETTING_NUMBER, "US", "only rtt lines below", apply_not_min_rtt,
	  show_not_min_rtt },
	{ "min-latency", 0, SETTING_NUMBER, "US", "no latency line below this, in microseconds (0)",
	  apply_min_latency, show_min_latency },
	{ NOT "min-latency", 0, SETTING_NUMBER, "US", "only latency lines below",
	  apply_not_min_latency, show_not_min_latency },
	{ "sample", 0, SETTING_WORDS, "EVENT=N", "one in N flows of this event, as rtt=10 (all)",
	  apply_sample, show_sample },
	{ "max-rate", 0, SETTING_WORDS, "EVENT=N/s", "at most about N of this event a second (all)",
	  apply_max_rate, show_max_rate },
	{ "adaptive", 0, SETTING_FLAG, NULL, "sample while lines are written too slowly",
	  apply_adaptive, show_adaptive },
	{ "include-ssh", 0, SETTING_FLAG, NULL, "log this ssh session's own connection, too",
	  apply_include_ssh, show_include_ssh },
	{ "output", 'o', SETTING_WORDS, "WHERE", "stdout, file:PATH or journald[,events=LIST]",
	  apply_output, show_output },
	{ "write", 'w', SETTING_ACTION, "FILE", "record for --read, not to stdout; - = stdout",
	  apply_write, NULL },
	{ "read", 'r', SETTING_ACTION, "FILE", "make lines of a recording; - = stdin", apply_read,
	  NULL },
	{ "duration", 'd', SETTING_NUMBER, "SECONDS", "end after this time", apply_duration,
	  show_duration },
	{ "count", 'n', SETTING_NUMBER, "N", "end after N event lines", apply_count, show_count },
	{ "stats-interval", 0, SETTING_NUMBER, "SECONDS", "a stats line this often; 0 = never (60)",
	  apply_stats_interval, show_stats_interval },
	{ "ring-size", 0, SETTING_NUMBER, "BYTES", "buffer in the kernel, a power of two (8388608)",
	  apply_ring_size, show_ring_size },
	{ "quiet", 'q', SETTING_FLAG, NULL, "on stderr, only warnings and errors", apply_quiet,
	  show_quiet },
	{ "config", 'c', SETTING_ACTION, "FILE", "read settings by these names; JSON", apply_config,
	  NULL },
	{ "check-config", 0, SETTING_ACTION, NULL, "say whether the settings are good, and end",
	  apply_check_config, NULL },
	{ "print-config", 0, SETTING_ACTION, NULL, "print the settings in force, for --config",
	  apply_print_config, NULL },
	{ "doctor", 0, SETTING_ACTION, "[=json]", "say what this host lets netlog see",
	  apply_doctor, NULL },
	{ "schema", 0, SETTING_ACTION, NULL, "print the JSON Schema of all lines", apply_schema,
	  NULL },
	{ "version", 'V', SETTING_ACTION, NULL, "print the version", apply_version, NULL },
	{ "help", 'h', SETTING_ACTION, NULL, "print this", apply_help, NULL },
	FILTERS(FILTER_ROWS) //
};

const unsigned int setting_count = ARRAY_SIZE(setting_rows);

bool setting_is_twin(const struct setting *setting)
{
	return !strncmp(setting->name, NOT, strlen(NOT));
}

void settings_default(struct options *options)
{
	*options = (struct options){
		.stats_interval_us = STATS_INTERVAL_DEFAULT * USEC_PER_SEC,
		.ring_bytes = RING_BYTES_DEFAULT,
		.events = word_bits(event_word, event_types),
		.stages = word_bits(stage_word, stage_numbers),
	};
	free(apply_output(options, "stdout", false));
	options->outputs_named = false;
}

/* Two on standard output would be one that nobody can read. */
static bool stdout_twice(const struct options *options)
{
	bool lines = false, records = false;

	for (unsigned int i = 0; i < options->output_count; i++) {
		lines |= !strcmp(options->outputs[i].name, "stdout");
		records |= !strcmp(options->outputs[i].name, "record:-");
	}
	return lines && records;
}

char *settings_complete(struct options *options)
{
	char *wrong = NULL;

	if (options->written && !options->outputs_named)
		options->output_count = 0; /* as tcpdump(8): what is recorded is not shown, too */
	if (options->written)
		wrong = output_add(options, &options->write);
	if (!wrong && stdout_twice(options))
		wrong = setting_wrong("lines and records cannot both go to stdout");
	return wrong;
}

bool settings_set_ssh(struct options *options, const struct ssh_connection *connection)
{
	bool left_out = connection->ip_version && !options->include_ssh;

	options->ssh = *connection;
	filter_exclude(&options->filters, left_out ? &options->ssh : NULL);
	return left_out;
}

char *settings_events(void)
{
	return word_list(event_word, event_types);
}

char *settings_stages(void)
{
	return word_list(stage_word, stage_numbers);
}
