// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "settings/command_line.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>

#include "base/text.h"
#include "base/util.h"
#include "settings/file.h"

#define HELP_COLUMNS 80 /* at the most */
#define LONG_FIRST 256	/* getopt_long()'s value for place N is N more: never a letter */

static int complain(char **message, const char *format, ...) _printf_(2, 3);
static int complain(char **message, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(message, format, arguments) < 0)
		*message = NULL;
	va_end(arguments);
	return -EINVAL;
}

/* ---- the command line ---- */

static int argument_of(const struct setting *setting)
{
	if (!setting->metavar)
		return no_argument;
	return setting->metavar[0] == '[' ? optional_argument : required_argument;
}

/* The options in getopt_long()'s terms. */
struct tables {
	struct option *long_options;
	char *short_options;
	bool *given; /* for each place, whether it has had a value */
};

static void tables_done(struct tables *tables)
{
	free(tables->long_options);
	free(tables->short_options);
	free(tables->given);
}

static int tables_init(struct tables *tables)
{
	struct option *option;
	char *letter;

	tables->long_options = option = calloc(PLACES + 1, sizeof(*option));
	tables->short_options = letter = calloc(2 * setting_count + 2, 1);
	tables->given = calloc(PLACES, sizeof(*tables->given));
	if (!option || !letter || !tables->given)
		return -ENOMEM;
	*letter++ = ':'; /* a missing value is reported as ':' instead of '?' */
	for_each_place(place, NULL) {
		if (!place.setting->type->take)
			continue;
		*option++ = (struct option){
			.name = place_name(&place),
			.has_arg = argument_of(place.setting),
			.val = LONG_FIRST + (int)place_number(&place),
		};
		if (!place.setting->letter)
			continue;
		*letter++ = place.setting->letter;
		if (place.setting->metavar)
			*letter++ = ':';
	}
	return 0;
}

/* The place for a value that getopt_long() returned for a known option. */
static struct place place_of_value(int value, const struct options *options)
{
	struct place place = {};

	if (value >= LONG_FIRST)
		return place_of_number((unsigned int)(value - LONG_FIRST), options);
	while (place_next(&place, options) && place.setting->letter != value)
		;
	return place;
}

/* The name of the option with this place number. */
static const char *option_word(unsigned int number)
{
	const struct place place = place_of_number(number, NULL);

	return place.setting->type->take ? place_name(&place) : NULL;
}

static int option_unknown(const char *text, char **message)
{
	const struct vocabulary words = { "option", option_word, PLACES, NULL };
	_cleanup_free_ char *name = strndup(text, strcspn(text, "="));
	const char *meant = name && !strncmp(name, "--", 2) ? word_nearest(&words, name + 2) : NULL;

	return complain(message, "there is no option %s; %s%s%ssee netlog --help", text,
			meant ? "did you mean --" : "", meant ?: "", meant ? "? " : "");
}

/* Complain about an argument that getopt_long() has refused. */
static int option_refused(int value, char **argv, char **message)
{
	if (value == ':')
		return complain(message, "%s: a value is missing; see netlog --help",
				argv[optind - 1]);
	if (optopt >= LONG_FIRST) {
		struct place place = place_of_value(optopt, NULL);

		return complain(message, "--%s takes no value; see netlog --help",
				place_name(&place));
	}
	if (optopt)
		return complain(message, "there is no option -%c; see netlog --help", optopt);
	return option_unknown(argv[optind - 1], message);
}

/* Is there a recording to be read? Errors in the command line are left to arguments_apply(). */
static bool recording_given(int argc, char **argv)
{
	_cleanup_(tables_done) struct tables tables = {};
	bool given = false;
	int value;

	if (tables_init(&tables) < 0)
		return false;
	optind = opterr = 0;
	while ((value = getopt_long(argc, argv, tables.short_options, tables.long_options, NULL)) >=
	       0)
		if (value != '?' && value != ':')
			given |= place_of_value(value, NULL).setting->offset ==
				 offsetof(struct options, read_path);
	return given;
}

static int arguments_apply(int argc, char **argv, struct options *options, char **message)
{
	_cleanup_(tables_done) struct tables tables = {};
	int value;

	if (tables_init(&tables) < 0)
		return -ENOMEM;
	optind = 0; /* glibc: start again, for callers that parse more than once */
	opterr = 0;
	while ((value = getopt_long(argc, argv, tables.short_options, tables.long_options, NULL)) >=
	       0) {
		_cleanup_free_ char *wrong = NULL;
		struct place place;
		bool *given;

		if (value == '?' || value == ':')
			return option_refused(value, argv, message);
		place = place_of_value(value, options);
		given = &tables.given[place_number(&place)];
		wrong = place_take(&place, optarg, *given);
		if (wrong) {
			complain(message, "--%s: %s", place_name(&place), wrong);
			return wrong_is_memory(wrong) ? -ENOMEM : -EINVAL;
		}
		*given = true;
		if (!(place.setting->flags & (SETTING_ARGUMENT | SETTING_REPLAYS)))
			options->live_only = place_name(&place);
	}
	if (optind < argc)
		return complain(
			message,
			"'%s' is no option; events are chosen with --events=%s; see netlog --help",
			argv[optind], event_by_name(argv[optind]) ? argv[optind] : "LIST");
	return 0;
}

/* ---- the configuration file ---- */

static const char *expected(unsigned int types)
{
	switch (types) {
	case BIT(config_boolean):
		return "true or false";
	case BIT(config_number):
		return "a number";
	case BIT(config_number) | BIT(config_string):
		return "a number, or a string of a number and its unit";
	default:
		return "a string, or an array of strings";
	}
}

/* The name in the configuration file of this place number. */
static const char *name_word(unsigned int number)
{
	const struct place place = place_of_number(number, NULL);

	return place.setting->type->json ? place_name(&place) : NULL;
}

static char *config_apply(void *context, const struct config_value *value)
{
	const struct vocabulary names = { "setting", name_word, PLACES, NULL };
	int number = word_number(&names, value->name);
	_cleanup_free_ char *hint = NULL;
	struct place place;
	unsigned int types;

	if (number < 0) {
		hint = word_hint(&names, value->name);
		return setting_wrong("there is no such setting; %s", hint);
	}
	place = place_of_number((unsigned int)number, context);
	types = place.setting->type->json;
	if (!(types & BIT(value->type)) || (value->in_array && types != BIT(config_string)))
		return setting_wrong("expected %s, found %s%s%s", expected(types),
				     value->in_array ? "an array with " : "",
				     value->type == config_string ? "the string " : "",
				     value->text);
	if (value->type == config_boolean && !strcmp(value->text, "false")) {
		place_clear(&place);
		return NULL;
	}
	return place_take(&place, value->text, value->more);
}

int options_parse(int argc, char **argv, struct options *ret_options, char **ret_message)
{
	const bool elsewhere = recording_given(argc, argv);
	_cleanup_(options_done) struct options options;
	_cleanup_free_ char *wrong = NULL;
	int r;

	*ret_message = NULL;
	/*
	 * read twice: the file's name must be known first, and then the command line overrides the
	 * file
	 */
	r = settings_default(&options, elsewhere) ?:
		    arguments_apply(argc, argv, &options, ret_message);
	if (!r && options.config_path) {
		const char *path = options.config_path;

		options_done(&options);
		r = settings_default(&options, elsewhere)			   ?:
			    config_read(path, config_apply, &options, ret_message) ?:
			    arguments_apply(argc, argv, &options, ret_message);
	}
	wrong = r < 0 ? NULL : settings_complete(&options);
	if (wrong) {
		complain(ret_message, "%s", wrong);
		r = wrong_is_memory(wrong) ? -ENOMEM : -EINVAL;
	}
	if (r < 0)
		return r;
	options.argc = argc;
	options.argv = argv;
	*ret_options = options;
	options.output_count = 0; /* they belong to the caller now */
	return 0;
}

/* ---- printing ---- */

static void print_string(const char *text)
{
	char escaped[SETTING_JSON_MAX];

	*put_json_string(escaped, text, strlen(text)) = 0;
	printf("\"%s\"", escaped);
}

static void place_print(const struct place *place)
{
	char buffer[SETTING_TEXT_MAX];
	const char *text = place_text(place, 0, buffer);

	if (place->setting->type->json != BIT(config_string)) {
		fputs(text, stdout);
		return;
	}
	for (unsigned int i = 0; (text = place_text(place, i, buffer)); i++) {
		fputs(i ? ", " : "[", stdout);
		print_string(text);
	}
	putchar(']');
}

void options_print(const struct options *options)
{
	char buffer[SETTING_TEXT_MAX];
	const char *separator = "{\n\t";

	for_each_place(place, options) {
		if (!place.setting->type->json || !place_text(&place, 0, buffer))
			continue;
		printf("%s\"%s\": ", separator, place_name(&place));
		place_print(&place);
		separator = ",\n\t";
	}
	printf("\n}\n");
}

static void row_help(const struct setting *row)
{
	char name[40];

	snprintf(name, sizeof(name), "--%s%s%s%s", row->names[1] ? "[not-]" : "", row->names[0],
		 argument_of(row) == required_argument ? "=" : "", row->metavar ?: "");
	if (row->letter)
		printf("  -%c, %-25s %s", row->letter, name, row->help);
	else
		printf("      %-25s %s", name, row->help);
	if (row->initial)
		printf(" (%s)", row->initial);
	putchar('\n');
}

/* Print the rows that have a twin (the filters), or those that have none. */
static void rows_help(bool filters)
{
	for_each_place(place, NULL)
		if (!place.twin && place.setting->help && !place.setting->names[1] == !filters)
			row_help(place.setting);
}

/*
 * Print a sentence that lists all words, with line breaks. It continues the current line, of so
 * many columns.
 */
static void words_help(const char *what, const struct vocabulary *words, size_t *columns)
{
	_cleanup_free_ char *list = word_list(words), *sentence = NULL;
	char *rest;

	if (!list || asprintf(&sentence, "%s: %s.", what, list) < 0)
		return;
	rest = sentence;
	for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
		const char *separator = !*columns ? "" : " ";

		if (*columns + 1 + strlen(word) > HELP_COLUMNS) {
			separator = "\n";
			*columns = 0;
		}
		*columns += strlen(word) + (*separator == ' ');
		printf("%s%s", separator, word);
	}
}

/* Print the names of events, and the values of their choices. */
static void vocabularies_help(void)
{
	size_t columns = 0;
	char what[64];

	words_help("Events", &event_words, &columns);
	for_each_event_type(type) {
		const char *event = event_desc(type)->name;

		if (!choice_words[type].what)
			continue;
		snprintf(what, sizeof(what), "%c%s %ss", toupper(event[0]), event + 1,
			 choice_words[type].what);
		words_help(what, &choice_words[type], &columns);
	}
	putchar('\n');
}

void options_help(void)
{
	printf("Usage: netlog [OPTION]...\n"
	       "Log each TCP retransmit, round-trip time and packet latency as a line of JSON.\n\n");
	rows_help(false);
	printf("Filters. Of one given several times any may match, different ones must all;\n"
	       "not- leaves out what matches. An output may have its own: -o file:PATH,port=443\n");
	rows_help(true);
	vocabularies_help();
	printf("Times and sizes may have units: 50ms, 64MiB. Ports may have names: https.\n");
	printf("Lines go to stdout, messages to stderr. Needs root, or CAP_BPF and CAP_PERFMON.\n"
	       "Exit status: 0 as asked; 1 failure; 2 usage; 65 recording damaged; 66 not read;\n"
	       "69 event not served; 71 refused; 72 no BTF; 73 output not opened; 74 failed;\n"
	       "77 capabilities; 78 configuration.\n");
}
