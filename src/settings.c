// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "settings.h"

#include <ctype.h>
#include <errno.h>

#include "text.h"

#define RING_BYTES_DEFAULT (8 * 1024 * 1024)
#define RING_BYTES_MAX (1ULL << 30)
#define SECONDS_MAX 4000000000ULL
#define THRESHOLD_MAX 4000000000ULL
#define STATS_INTERVAL_DEFAULT 60
#define WORD_LIST_BYTES 1024
#define WORD_ALL "all"
#define NOT "not-"

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

static bool show_seconds(uint64_t us, FILE *file)
{
	uint64_t rest = us % USEC_PER_SEC;
	int digits = 6;

	fprintf(file, "%llu", (unsigned long long)(us / USEC_PER_SEC));
	for (; rest && rest % 10 == 0; digits--)
		rest /= 10;
	if (rest)
		fprintf(file, ".%0*llu", digits, (unsigned long long)rest);
	return true;
}

static bool show_number(uint64_t number, FILE *file)
{
	fprintf(file, "%llu", (unsigned long long)number);
	return true;
}

static void show_string(const char *text, FILE *file)
{
	_cleanup_free_ char *escaped = malloc(JSON_TEXT_MAX(strlen(text)) + 1);

	if (escaped)
		*put_json_string(escaped, text, strlen(text)) = 0;
	fprintf(file, "\"%s\"", escaped ?: "");
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

static uint64_t word_bits(const char *(*word)(unsigned int number), unsigned int count)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < count; i++)
		if (word(i))
			bits |= BIT(i);
	return bits;
}

/*
 * A comma-separated list of words to bits by the words' numbers; `all` stands for all that can be
 * had, which is less than to name each.
 */
static char *parse_words(const char *text, const char *what,
			 const char *(*word)(unsigned int number), unsigned int count, bool more,
			 uint64_t *bits, bool *named)
{
	_cleanup_free_ char *copy = strdup(text), *known = NULL;
	uint64_t found = more ? *bits : 0;
	char *rest = copy;

	*named = more && *named;
	for (char *item = strsep(&rest, ","); item; item = strsep(&rest, ",")) {
		unsigned int i = 0;

		while (i < count && (!word(i) || strcmp(word(i), item) != 0))
			i++;
		if (i < count) {
			found |= BIT(i);
			*named = true;
		} else if (!strcmp(item, WORD_ALL)) {
			found |= word_bits(word, count);
		} else {
			known = word_list(word, count);
			return setting_wrong("there is no %s '%s'; known are: %s, %s", what, item,
					     known ?: "", WORD_ALL);
		}
	}
	*bits = found;
	return NULL;
}

static bool show_words(const char *(*word)(unsigned int number), unsigned int count, uint64_t bits,
		       bool named, FILE *file)
{
	const char *separator = "";

	if (!named)
		return fprintf(file, "[\"%s\"]", WORD_ALL) > 0;
	fputc('[', file);
	for (unsigned int i = 0; i < count; i++) {
		if (!word(i) || !(bits & BIT(i)))
			continue;
		fprintf(file, "%s\"%s\"", separator, word(i));
		separator = ", ";
	}
	fputc(']', file);
	return true;
}

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
	return kind_descs[kind_stage].texts[number];
}

static char *apply_stages(struct options *options, const char *value, bool more)
{
	return parse_words(value, "stage", stage_word, ENUM_NUMBERS, more, &options->stages,
			   &options->stages_named);
}

static bool show_stages(const struct options *options, FILE *file)
{
	return show_words(stage_word, ENUM_NUMBERS, options->stages, options->stages_named, file);
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
	if (parse_u64(value, &ms) < 0 || ms > THRESHOLD_MAX)
		return setting_wrong("'%s' is no time; give milliseconds, as 1000", value);
	options->rtt_interval_us = ms * USEC_PER_MSEC;
	return NULL;
}

static bool show_rtt_interval(const struct options *options, FILE *file)
{
	return show_number(options->rtt_interval_us / USEC_PER_MSEC, file);
}

/*
 * Of several limits given any will do: the least counts. So it does for the twin, which leaves out
 * what any of them lets through.
 */
static char *apply_limit(uint64_t *limit, const char *value, bool more)
{
	uint64_t us;

	if (parse_u64(value, &us) < 0 || us > THRESHOLD_MAX)
		return setting_wrong("'%s' is no time; give microseconds, as 1000", value);
	if (!more || us < *limit)
		*limit = us;
	return NULL;
}

static char *apply_below(uint64_t *limit, const char *value, bool more)
{
	return !strcmp(value, "0") ? setting_wrong("nothing is below 0; give 1 or more") :
				     apply_limit(limit, value, more);
}

static char *apply_min_latency(struct options *options, const char *value, bool more)
{
	return apply_limit(&options->latency_us.least, value, more);
}

static bool show_min_latency(const struct options *options, FILE *file)
{
	return show_number(options->latency_us.least, file);
}

static char *apply_not_min_latency(struct options *options, const char *value, bool more)
{
	return apply_below(&options->latency_us.below, value, more);
}

static bool show_not_min_latency(const struct options *options, FILE *file)
{
	return options->latency_us.below && show_number(options->latency_us.below, file);
}

static char *apply_min_rtt(struct options *options, const char *value, bool more)
{
	return apply_limit(&options->rtt_us.least, value, more);
}

static bool show_min_rtt(const struct options *options, FILE *file)
{
	return show_number(options->rtt_us.least, file);
}

static char *apply_not_min_rtt(struct options *options, const char *value, bool more)
{
	return apply_below(&options->rtt_us.below, value, more);
}

static bool show_not_min_rtt(const struct options *options, FILE *file)
{
	return options->rtt_us.below && show_number(options->rtt_us.below, file);
}

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

static char *apply_adaptive(struct options *options, const char *value, bool more)
{
	(void)value;
	(void)more;
	options->adaptive = true;
	return NULL;
}

static bool show_adaptive(const struct options *options, FILE *file)
{
	return options->adaptive && fputs("true", file) >= 0;
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

static char *apply_quiet(struct options *options, const char *value, bool more)
{
	(void)value;
	(void)more;
	options->quiet = true;
	return NULL;
}

static bool show_quiet(const struct options *options, FILE *file)
{
	return options->quiet && fputs("true", file) >= 0;
}

static char *apply_include_ssh(struct options *options, const char *value, bool more)
{
	(void)value;
	(void)more;
	options->include_ssh = true;
	return NULL;
}

static bool show_include_ssh(const struct options *options, FILE *file)
{
	return options->include_ssh && fputs("true", file) >= 0;
}

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
		.stages = word_bits(stage_word, ENUM_NUMBERS),
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
	return word_list(stage_word, ENUM_NUMBERS);
}
