// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "settings/command_line.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>

#include "base/util.h"
#include "settings/file.h"

#define SETTINGS_MAX 64
#define NAMES_BYTES 1024
#define LONG_FIRST 256 /* getopt_long()'s value for row i is LONG_FIRST + i: never a letter */

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

static void tables_fill(struct option *long_options, char *short_options)
{
	*short_options++ = ':'; /* a missing value is ':', not '?' */
	for (unsigned int i = 0; i < setting_count && i < SETTINGS_MAX; i++) {
		long_options[i] = (struct option){
			.name = setting_rows[i].name,
			.has_arg = argument_of(&setting_rows[i]),
			.val = LONG_FIRST + (int)i,
		};
		if (!setting_rows[i].letter)
			continue;
		*short_options++ = setting_rows[i].letter;
		if (setting_rows[i].metavar)
			*short_options++ = ':';
	}
	*short_options = 0;
}

static unsigned int row_of(int value)
{
	unsigned int i = 0;

	if (value >= LONG_FIRST)
		return (unsigned int)(value - LONG_FIRST);
	while (setting_rows[i].letter != value)
		i++; /* getopt_long() knows no others */
	return i;
}

/* Those that choose among the lines of a recording, too; the others ask this host. */
static bool works_with_read(const struct setting *setting)
{
	static const char *const names[] = { "events", "output", "count", "quiet" };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(setting->name, names[i]))
			return true;
	return setting->kind == SETTING_ACTION;
}

/* What getopt_long() did not take, and why. */
static int option_refused(int value, char **argv, char **message)
{
	if (value == ':')
		return complain(message, "%s: a value is missing; see netlog --help",
				argv[optind - 1]);
	if (optopt >= LONG_FIRST)
		return complain(message, "--%s takes no value; see netlog --help",
				setting_rows[optopt - LONG_FIRST].name);
	if (optopt)
		return complain(message, "there is no option -%c; see netlog --help", optopt);
	return complain(message, "there is no option %s; see netlog --help", argv[optind - 1]);
}

static int arguments_apply(int argc, char **argv, struct options *options, char **message)
{
	struct option long_options[SETTINGS_MAX + 1] = {};
	char short_options[2 * SETTINGS_MAX + 2];
	uint64_t seen = 0;
	int value;

	tables_fill(long_options, short_options);
	optind = 0; /* glibc: start anew, for those who call this more than once */
	opterr = 0;
	while ((value = getopt_long(argc, argv, short_options, long_options, NULL)) >= 0) {
		_cleanup_free_ char *wrong = NULL;
		unsigned int i;

		if (value == '?' || value == ':')
			return option_refused(value, argv, message);
		i = row_of(value);
		wrong = setting_rows[i].apply(options, optarg, seen & BIT(i));
		if (wrong)
			return complain(message, "--%s: %s", setting_rows[i].name, wrong);
		seen |= BIT(i);
		if (!works_with_read(&setting_rows[i]))
			options->live_only = setting_rows[i].name;
	}
	if (optind < argc)
		return complain(
			message,
			"'%s' is no option; events are chosen with --events=%s; see netlog --help",
			argv[optind], event_by_name(argv[optind]) ? argv[optind] : "LIST");
	return 0;
}

/* ---- the configuration file ---- */

static const char *expected(const struct setting *setting)
{
	switch (setting->kind) {
	case SETTING_FLAG:
		return "true or false";
	case SETTING_NUMBER:
		return "a number";
	default:
		return "a string, or an array of strings";
	}
}

static char *unknown_name(void)
{
	char names[NAMES_BYTES] = "";

	for (unsigned int i = 0; i < setting_count; i++)
		if (setting_rows[i].kind != SETTING_ACTION)
			list_add(names, sizeof(names), setting_rows[i].name);
	return setting_wrong("there is no such setting; known are: %s", names);
}

static char *config_apply(void *context, const struct config_value *value)
{
	static const enum config_type types[] = {
		[SETTING_FLAG] = config_boolean,
		[SETTING_NUMBER] = config_number,
		[SETTING_WORDS] = config_string,
	};
	const struct setting *setting = setting_rows;

	while (setting < setting_rows + setting_count && strcmp(setting->name, value->name) != 0)
		setting++;
	if (setting == setting_rows + setting_count || setting->kind == SETTING_ACTION)
		return unknown_name();
	if (value->type != types[setting->kind] ||
	    (value->in_array && setting->kind != SETTING_WORDS))
		return setting_wrong("expected %s, found %s%s%s", expected(setting),
				     value->in_array ? "an array with " : "",
				     value->type == config_string ? "the string " : "",
				     value->text);
	if (setting->kind == SETTING_FLAG && !strcmp(value->text, "false"))
		return NULL; /* as it is when nothing is said */
	return setting->apply(context, value->text, value->more);
}

int options_parse(int argc, char **argv, struct options *ret_options, char **ret_message)
{
	_cleanup_free_ char *wrong = NULL;
	struct options options;
	int r;

	/* twice: the file has to be known before what overrides it */
	settings_default(&options);
	r = arguments_apply(argc, argv, &options, ret_message);
	if (!r && options.config_path) {
		const char *path = options.config_path;

		settings_default(&options);
		r = config_read(path, config_apply, &options, ret_message) ?:
			    arguments_apply(argc, argv, &options, ret_message);
	}
	wrong = r < 0 ? NULL : settings_complete(&options);
	if (wrong)
		r = complain(ret_message, "%s", wrong);
	if (r < 0)
		return r;
	options.argc = argc;
	options.argv = argv;
	*ret_options = options;
	return 0;
}

/* ---- telling ---- */

void options_print(const struct options *options)
{
	const char *separator = "{\n\t";

	for (unsigned int i = 0; i < setting_count; i++) {
		_cleanup_free_ char *text = NULL;
		size_t size;
		FILE *file = setting_rows[i].show ? open_memstream(&text, &size) : NULL;
		bool shown;

		if (!file)
			continue;
		shown = setting_rows[i].show(options, file);
		fclose(file);
		if (!shown)
			continue;
		printf("%s\"%s\": %s", separator, setting_rows[i].name, text);
		separator = ",\n\t";
	}
	printf("\n}\n");
}

static void row_help(const struct setting *row, bool has_twin)
{
	char name[40];

	snprintf(name, sizeof(name), "--%s%s%s%s", has_twin ? "[not-]" : "", row->name,
		 argument_of(row) == required_argument ? "=" : "", row->metavar ?: "");
	if (row->letter)
		printf("  -%c, %-25s %s\n", row->letter, name, row->help);
	else
		printf("      %-25s %s\n", name, row->help);
}

/* The rows that are filters, which have a twin, or those that are none. */
static void rows_help(bool filters)
{
	for (unsigned int i = 0; i < setting_count; i++) {
		bool has_twin = i + 1 < setting_count && setting_is_twin(&setting_rows[i + 1]);

		if (!setting_is_twin(&setting_rows[i]) && has_twin == filters)
			row_help(&setting_rows[i], has_twin);
	}
}

void options_help(void)
{
	_cleanup_free_ char *events = word_list(&event_words);
	_cleanup_free_ char *stages = word_list(&stage_words);

	printf("Usage: netlog [OPTION]...\n"
	       "Log each TCP retransmit, round-trip time and packet latency as a line of JSON.\n\n");
	rows_help(false);
	printf("Filters. Of one given several times any may match, different ones must all;\n"
	       "not- leaves out what matches:\n");
	rows_help(true);
	printf("Events: %s. Latency stages: %s.\n", events ?: "", stages ?: "");
	printf("Lines go to stdout, messages to stderr. Needs root, or CAP_BPF and CAP_PERFMON.\n"
	       "Exit status: 0 as asked; 1 failure; 2 usage; 65 recording damaged; 66 not read;\n"
	       "69 event not served; 71 refused; 72 no BTF; 73 output not opened; 74 failed;\n"
	       "77 capabilities; 78 configuration.\n");
}
