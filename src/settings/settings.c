// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "settings/settings.h"

#include "base/text.h"
#include "settings/rates.h"

/* ---- data for the types ---- */

/* The largest number without a unit is 4 000 000 000. */
#define TIME(grain, plain, least, would_do)                                                      \
	{                                                                                        \
		measure_time, grain, plain, least, 4000000000 * (plain) / (grain), "is no time", \
			would_do                                                                 \
	}

static const struct measure seconds = TIME(NSEC_PER_USEC, NSEC_PER_SEC, 1, "seconds, as 10 or 0.5");
static const struct measure seconds_or_never =
	TIME(NSEC_PER_USEC, NSEC_PER_SEC, 0, "seconds, 0 = never");
static const struct measure milliseconds =
	TIME(NSEC_PER_USEC, NSEC_PER_MSEC, 0, "milliseconds, as 1000");
static const struct measure microseconds = TIME(1, NSEC_PER_USEC, 0, "microseconds, as 1000");
static const struct measure event_lines = { measure_count,	     1,		 1, 1, UINT64_MAX,
					    "is no number of lines", "1 or more" };
static const struct measure ring = {
	measure_size, 1, 1, 1, 1 << 30, "cannot be had", "a power of two, as 8388608"
};

static const char *doctor_form(unsigned int number)
{
	return number == form_json ? "json" : "text";
}

static const struct vocabulary doctor_forms = { "form", doctor_form, 2, NULL };

static const struct rate_form one_in = { ONE_IN_MAX, "" };
static const struct rate_form per_second = { PER_SECOND_MAX, "/s" };

/* ---- the table ---- */

/* The offset of a member, whose type is checked. */
#define AT(c_type, member)                                                               \
	(offsetof(struct options, member) +                                              \
	 0 * sizeof(char[__builtin_types_compatible_p(                                   \
				 c_type, __typeof__(((struct options *)NULL)->member)) ? \
				 1 :                                                     \
				 -1]))

/* The columns of a row that depend on its type: type, member, form, number. */
#define FLAG(member) &type_flag, AT(bool, member), NULL, 0
#define COUNT(member, measure) &type_count, AT(uint64_t, member), &(measure), 0
#define MEASURE(member, measure) &type_measure, AT(uint64_t, member), &(measure), 0
#define RING(member, measure) &type_ring, AT(uint64_t, member), &(measure), 0
#define THRESHOLD(member, measure) &type_threshold, AT(struct threshold, member), &(measure), 0
#define WORDS(member, words) &type_words, AT(struct word_choice, member), &(words), 0
#define RATES(member, rate) &type_rates, AT(struct figures, member), &(rate), 0
#define FILTER(kind) &type_filter, AT(struct filter_set, kernel.filters), NULL, filter_##kind
#define OUTPUTS &type_outputs, 0, NULL, 0
#define PATH(member, complaint) &type_path, AT(const char *, member), complaint, 0
#define ACTION(wanted, forms) &type_action, AT(struct action, action), forms, ACTION_##wanted
#define HOSTNAME &type_hostname, AT(char[HOST_NAME_MAX + 1], hostname), NULL, 0
#define SSH &type_ssh, 0, NULL, 0

#define ROW(name, letter, flags, choice, of, metavar, initial, help)        \
	{                                                                   \
		{ name }, of, letter, flags, choice, metavar, initial, help \
	}
#define TWINS(name, flags, choice, of, metavar, initial, help)                      \
	{                                                                           \
		{ name, "not-" name }, of, 0, flags, choice, metavar, initial, help \
	}
#define FILTER_ROW(filter, option, syntax, metavar, help) \
	TWINS(option, SETTING_REPLAYS, CHOOSES_FLOWS, FILTER(filter), metavar, NULL, help),

#define CHOICE_ROW(event, choice, help)                                                       \
	ROW(#event "-" #choice, 0, 0, CHOOSES_HOOKS,                                          \
	    WORDS(kernel.choices[event_##event], choice_words[event_##event]), "LIST", "all", \
	    help),
#define MEASURE_ROW(event, unit)                                                   \
	TWINS("min-" #event, 0, CHOOSES_VALUES,                                    \
	      THRESHOLD(kernel.limits_ns[event_##event], microseconds), "US", "0", \
	      "no " #event " line below this, in microseconds"),

const struct setting setting_rows[] = {
	ROW("events", 'e', SETTING_REPLAYS, 0, WORDS(kernel.events, event_words), "LIST", "all",
	    "which events to log, as a,b"),
	CHOICES(CHOICE_ROW) //
	ROW("rtt-interval", 0, 0, CHOOSES_HOOKS, MEASURE(kernel.rtt_interval_us, milliseconds),
	    "MS", "0", "one rtt line of a socket in this time"),
	MEASURES(MEASURE_ROW) //
	ROW("sample", 0, 0, CHOOSES_VALUES, RATES(kernel.sample, one_in), "EVENT=N", NULL,
	    "one in N flows of this event, as rtt=10 (all)"),
	ROW("max-rate", 0, 0, CHOOSES_VALUES, RATES(kernel.max_rate, per_second), "EVENT=N/s", NULL,
	    "at most about N of this event a second (all)"),
	ROW("adaptive", 0, 0, CHOOSES_VALUES, FLAG(kernel.adaptive), NULL, NULL,
	    "sample while lines are written too slowly"),
	ROW("include-ssh", 0, 0, 0, FLAG(include_ssh), NULL, NULL,
	    "log this ssh session's own connection, too"),
	ROW("ssh", 0, 0, CHOOSES_HOOKS, SSH, NULL, NULL, NULL),
	ROW("output", 'o', SETTING_REPLAYS, 0, OUTPUTS, "WHERE", NULL,
	    "stdout, file:PATH or journald[,events=LIST]"),
	ROW("write", 'w', SETTING_ARGUMENT, 0, PATH(write_path, "one recording is enough"), "FILE",
	    NULL, "record for --read, not to stdout; - = stdout"),
	ROW("read", 'r', SETTING_ARGUMENT, 0,
	    PATH(read_path, "one recording is enough; `cat` puts several together for -r -"),
	    "FILE", NULL, "make lines of a recording; - = stdin"),
	ROW("duration", 'd', SETTING_STAYS, 0, MEASURE(duration_us, seconds), "SECONDS", NULL,
	    "end after this time"),
	ROW("count", 'n', SETTING_STAYS | SETTING_REPLAYS, 0, COUNT(count, event_lines), "N", NULL,
	    "end after N event lines"),
	ROW("stats-interval", 0, 0, 0, MEASURE(stats_interval_us, seconds_or_never), "SECONDS",
	    "60", "a stats line this often; 0 = never"),
	ROW("ring-size", 0, SETTING_STAYS, 0, RING(ring_bytes, ring), "BYTES", "8388608",
	    "buffer in the kernel, a power of two"),
	ROW("hostname", 0, 0, 0, HOSTNAME, "NAME", NULL,
	    "hostname of the lines, as in a container"),
	ROW("quiet", 'q', SETTING_REPLAYS, 0, FLAG(quiet), NULL, NULL,
	    "on stderr, only warnings and errors"),
	ROW("config", 'c', SETTING_ARGUMENT, 0, PATH(config_path, NULL), "FILE", NULL,
	    "read settings by these names; JSON"),
	ROW("check-config", 0, SETTING_ARGUMENT, 0, ACTION(CHECK_CONFIG, NULL), NULL, NULL,
	    "say whether the settings are good, and end"),
	ROW("print-config", 0, SETTING_ARGUMENT, 0, ACTION(PRINT_CONFIG, NULL), NULL, NULL,
	    "print the settings in force, for --config"),
	ROW("doctor", 0, SETTING_ARGUMENT, 0, ACTION(DOCTOR, &doctor_forms), "[=json]", NULL,
	    "say what this host lets netlog see"),
	ROW("schema", 0, SETTING_ARGUMENT, 0, ACTION(SCHEMA, &format_words), "[=ecs]", NULL,
	    "print the JSON Schema of all lines"),
	ROW("version", 'V', SETTING_ARGUMENT, 0, ACTION(VERSION, NULL), NULL, NULL,
	    "print the version"),
	ROW("help", 'h', SETTING_ARGUMENT, 0, ACTION(HELP, NULL), NULL, NULL, "print this"),
	FILTERS(FILTER_ROW) //
};

const unsigned int setting_count = ARRAY_SIZE(setting_rows);

/* ---- places ---- */

unsigned int place_number(const struct place *place)
{
	return 2 * (unsigned int)(place->setting - setting_rows) + place->twin;
}

struct place place_of_number(unsigned int number, const struct options *options)
{
	const struct setting *setting = &setting_rows[number / 2];

	return (struct place){
		.setting = setting,
		.twin = number % 2,
		.member = options ? (char *)options + setting->offset : NULL,
	};
}

bool place_next(struct place *place, const struct options *options)
{
	unsigned int number = place->setting ? place_number(place) + 1 : 0;

	if (number < PLACES && number % 2 && !setting_rows[number / 2].names[1])
		number++;
	if (number >= PLACES)
		return false;
	*place = place_of_number(number, options);
	return true;
}

const char *place_text(const struct place *place, unsigned int number,
		       char buffer[SETTING_TEXT_MAX])
{
	return place->setting->type->text ? place->setting->type->text(place, number, buffer) :
					    NULL;
}

bool place_is_initial(const struct place *place)
{
	char buffer[SETTING_TEXT_MAX];
	const char *text = place_text(place, 0, buffer), *initial = place->setting->initial;

	return !text || (initial && !strcmp(text, initial));
}

char *place_take(const struct place *place, const char *text, bool more)
{
	/* it is told in JSON, to be given again: no byte of it may become U+FFFD there */
	if (place->setting->type->json && text && !text_is_utf8(text))
		return setting_wrong("'%s' is no UTF-8, as a setting must be, since the start line "
				     "and --print-config tell it in JSON; give whole characters",
				     text);
	if (!more)
		place_clear(place);
	return place->setting->type->take(place, text);
}

void place_clear(const struct place *place)
{
	if (place->setting->type->clear)
		place->setting->type->clear(place);
}

bool place_keep(const struct place *place, const struct options *before)
{
	const void *old = (const char *)before + place->setting->offset;
	size_t size = place->setting->type->size;
	bool other = memcmp(place->member, old, size) != 0;

	memcpy(place->member, old, size);
	return other;
}

/* ---- all together ---- */

static char *output_add(struct options *options, const char *text)
{
	struct place place = {};

	while (place_next(&place, options) && place.setting->type != &type_outputs)
		;
	return place_take(&place, text, true); // cppcheck-suppress returnDanglingLifetime
}

void options_done(struct options *options)
{
	const struct place place = { .member = options };

	type_outputs.clear(&place);
}

int settings_default(struct options *options, bool elsewhere)
{
	_cleanup_free_ char *wrong = NULL; /* they are right: only memory can be short */

	*options = (struct options){ .kernel.filters.elsewhere = elsewhere };
	for_each_place(place, options)
		if (place.setting->initial && !place.twin)
			wrong_keep_first(&wrong, place_take(&place, place.setting->initial, false));
	wrong_keep_first(&wrong, output_add(options, "stdout"));
	options->outputs_named = false;
	return wrong ? -ENOMEM : 0;
}

/* Do two outputs write to standard output? Nobody could read that. */
static bool stdout_twice(const struct options *options)
{
	bool lines = false, records = false;

	for (unsigned int i = 0; i < options->output_count; i++) {
		lines |= !strcmp(options->outputs[i].name, "stdout");
		records |= !strcmp(options->outputs[i].name, "record:-");
	}
	return lines && records;
}

/* Bytes that a filter or output with its value takes in the start line; see report.c. */
static size_t told_bytes(const char *name, const char *text)
{
	char escaped[SETTING_JSON_MAX];

	return strlen(name) + strlen("\"\":[\"\"],") +
	       (size_t)(put_json_string(escaped, text, strlen(text)) - escaped);
}

/* Is there room in the start line for everything that leaves events out? */
static char *told_check(const struct options *options)
{
	char buffer[SETTING_TEXT_MAX];
	const char *text;
	size_t bytes = 0;

	for_each_place(place, options)
		if (place.setting->choice != CHOOSES_NOTHING && !place_is_initial(&place))
			for (unsigned int i = 0; (text = place_text(&place, i, buffer)); i++)
				bytes += told_bytes(place_name(&place), text);
	for (unsigned int i = 0; i < options->output_count; i++)
		if (options->outputs[i].filters)
			bytes += told_bytes("output", options->outputs[i].text);
	if (bytes <= SETTINGS_TOLD_MAX)
		return NULL;
	return setting_wrong("all filters and the outputs' own would take %zu bytes in the start "
			     "line, where %d are the most; put networks and ports together, as "
			     "10.0.0.0/8 and 8000-8100",
			     bytes, SETTINGS_TOLD_MAX);
}

char *settings_complete(struct options *options)
{
	_cleanup_free_ char *record = NULL, *refused = NULL;
	char *wrong = NULL;

	if (options->write_path) {
		if (!options->outputs_named)
			options_done(options); /* as in tcpdump(8), records are not printed */
		if (asprintf(&record, "record:%s", options->write_path) < 0)
			return setting_wrong_memory();
		refused = output_add(options, record);
		if (refused)
			wrong = setting_wrong("--write: %s", refused);
	}
	if (!wrong && stdout_twice(options))
		wrong = setting_wrong("lines and records cannot both go to stdout");
	return wrong ?: told_check(options);
}

bool settings_set_ssh(struct options *options, const struct ssh_connection *connection)
{
	bool left_out = connection->ip_version && !options->include_ssh;

	options->ssh = *connection;
	filter_exclude(&options->kernel.filters, left_out ? &options->ssh : NULL);
	return left_out;
}
