// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "settings/type.h"

#include <limits.h>

#include "settings/file.h"
#include "settings/rates.h"
#include "settings/settings.h"

#define WORD_ALL "all"
#define NUMBER_OR_TEXT (BIT(config_number) | BIT(config_string))

/* ---- flags ---- */

static char *flag_take(const struct place *place, const char *text _unused_)
{
	*(bool *)place->member = true;
	return NULL;
}

static void flag_clear(const struct place *place)
{
	*(bool *)place->member = false;
}

static const char *flag_text(const struct place *place, unsigned int number, char *buffer _unused_)
{
	return !number && *(const bool *)place->member ? "true" : NULL;
}

const struct setting_type type_flag = { flag_take, flag_clear, flag_text, BIT(config_boolean),
					sizeof(bool) };

/* ---- numbers ---- */

static char *number_take(const struct place *place, const char *text)
{
	return measure_take(place->setting->form, text, place->member);
}

static const char *number_text(const struct place *place, unsigned int number, char *buffer)
{
	const struct measure *measure = place->setting->form;
	uint64_t value = *(const uint64_t *)place->member;

	return number || value < measure->least ? NULL : measure_text(measure, value, buffer);
}

const struct setting_type type_count = { number_take, NULL, number_text, BIT(config_number),
					 sizeof(uint64_t) };

const struct setting_type type_measure = { number_take, NULL, number_text, NUMBER_OR_TEXT,
					   sizeof(uint64_t) };

static char *ring_take(const struct place *place, const char *text)
{
	struct measure measure = *(const struct measure *)place->setting->form;
	uint64_t bytes;
	char *wrong;

	measure.least = (uint64_t)getpagesize();
	wrong = measure_take(&measure, text, &bytes);
	if (!wrong && bytes & (bytes - 1))
		wrong = measure_refuse(&measure, text, "it is no power of two");
	if (!wrong)
		*(uint64_t *)place->member = bytes;
	return wrong;
}

const struct setting_type type_ring = { ring_take, NULL, number_text, NUMBER_OR_TEXT,
					sizeof(uint64_t) };

/* ---- thresholds, and the upper limits of their twins ---- */

static uint64_t *threshold_end(const struct place *place)
{
	struct threshold *threshold = place->member;

	return place->twin ? &threshold->below : &threshold->least;
}

/*
 * Of several, the smallest counts: --min lets through what reaches any of them, --not-min leaves it
 * out.
 */
static char *threshold_take(const struct place *place, const char *text)
{
	uint64_t value, *end = threshold_end(place);
	char *wrong = measure_take(place->setting->form, text, &value);

	if (!wrong && place->twin && !value)
		wrong = setting_wrong("nothing is below 0; give 1 or more");
	if (!wrong && value < *end)
		*end = value;
	return wrong;
}

/* No limit: the first text is below it. */
static void threshold_clear(const struct place *place)
{
	*threshold_end(place) = UINT64_MAX;
}

static const char *threshold_text(const struct place *place, unsigned int number, char *buffer)
{
	uint64_t value = *threshold_end(place);

	return number || (place->twin && !value) ?
		       NULL :
		       measure_text(place->setting->form, value, buffer);
}

const struct setting_type type_threshold = { threshold_take, threshold_clear, threshold_text,
					     NUMBER_OR_TEXT, 0 };

/* ---- lists ---- */

/* `all` means all that can be served, while naming every word asks for each. */
static char *words_take(const struct place *place, const char *text)
{
	const struct vocabulary *words = place->setting->form;
	struct word_choice *choice = place->member;
	_cleanup_free_ char *copy = strdup(text), *hint = NULL;
	char *rest = copy;

	if (!copy)
		return setting_wrong_memory();
	for (char *item = strsep(&rest, ","); item; item = strsep(&rest, ",")) {
		int number = word_number(words, item);

		if (number >= 0) {
			choice->bits |= BIT(number);
			choice->named = true;
		} else if (!strcmp(item, WORD_ALL)) {
			choice->bits |= word_bits(words);
		} else {
			hint = word_hint(words, item);
			return setting_wrong("there is no %s '%s'; %s, %s", words->what, item, hint,
					     WORD_ALL);
		}
	}
	return NULL;
}

static void words_clear(const struct place *place)
{
	*(struct word_choice *)place->member = (struct word_choice){};
}

static const char *words_text(const struct place *place, unsigned int number, char *buffer _unused_)
{
	const struct vocabulary *words = place->setting->form;
	const struct word_choice *choice = place->member;

	if (!choice->named)
		return number ? NULL : WORD_ALL;
	for (unsigned int i = 0; i < words->count; i++)
		if (choice->bits & BIT(i) && !number--)
			return words->word(i);
	return NULL;
}

const struct setting_type type_words = { words_take, words_clear, words_text, BIT(config_string),
					 0 };

static char *rates_take_text(const struct place *place, const char *text)
{
	return rates_take(place->member, text, place->setting->form);
}

static void rates_clear(const struct place *place)
{
	*(struct figures *)place->member = (struct figures){};
}

static const char *rates_text(const struct place *place, unsigned int number, char *buffer)
{
	const struct figures *rates = place->member;

	for_each_event_type(type) {
		if (!rates->of[type] || number--)
			continue;
		snprintf(buffer, SETTING_TEXT_MAX, "%s=%llu", event_desc(type)->name,
			 (unsigned long long)rates->of[type]);
		return buffer;
	}
	return NULL;
}

const struct setting_type type_rates = { rates_take_text, rates_clear, rates_text,
					 BIT(config_string), 0 };

static char *filter_take_text(const struct place *place, const char *text)
{
	return filter_take(place->member, (enum filter_kind)place->setting->number, place->twin,
			   text);
}

static void filter_clear_half(const struct place *place)
{
	filter_clear(place->member, (enum filter_kind)place->setting->number, place->twin);
}

static const char *filter_text(const struct place *place, unsigned int number,
			       char *buffer _unused_)
{
	return filter_value(place->member, (enum filter_kind)place->setting->number, place->twin,
			    number);
}

const struct setting_type type_filter = { filter_take_text, filter_clear_half, filter_text,
					  BIT(config_string), 0 };

/* Filters are also parameters of outputs: rows of this type, by the numbers of their places. */
static const char *parameter_word(unsigned int number)
{
	const struct place place = place_of_number(number, NULL);

	return place.setting->type == &type_filter ? place_name(&place) : NULL;
}

static char *parameter_take(const struct parameters *parameters, unsigned int number,
			    struct sink_spec *spec, const char *value)
{
	const struct options *options = parameters->context;
	struct place place = place_of_number(number, NULL);

	if (!spec->filters) {
		spec->filters = calloc(1, sizeof(*spec->filters));
		if (!spec->filters)
			return setting_wrong_memory();
		spec->filters->elsewhere = options->kernel.filters.elsewhere;
	}
	place.member = spec->filters;
	return place_take(&place, value, true); // cppcheck-suppress returnDanglingLifetime
}

static char *outputs_take(const struct place *place, const char *text)
{
	struct options *options = place->member;
	const struct parameters filters = { .words = { "parameter", parameter_word, PLACES, NULL },
					    .take = parameter_take,
					    .context = options };
	_cleanup_(sink_spec_done) struct sink_spec spec = {};
	char *message;

	options->outputs_named = true;
	if (sink_spec_parse(text, &filters, &spec, &message) < 0)
		return message ?: setting_wrong_memory();
	if (options->output_count == OUTPUT_SINKS_MAX)
		return setting_wrong("%d outputs are the most", OUTPUT_SINKS_MAX);
	for (unsigned int i = 0; i < options->output_count; i++)
		if (!strcmp(options->outputs[i].name, spec.name))
			return setting_wrong("'%s' is given twice; name its events in one",
					     spec.name);
	options->outputs[options->output_count++] = spec;
	spec.filters = NULL;
	return NULL;
}

static void outputs_clear(const struct place *place)
{
	struct options *options = place->member;

	while (options->output_count)
		sink_spec_done(&options->outputs[--options->output_count]);
}

static const char *outputs_text(const struct place *place, unsigned int number,
				char *buffer _unused_)
{
	const struct options *options = place->member;

	return number < options->output_count ? options->outputs[number].text : NULL;
}

const struct setting_type type_outputs = { outputs_take, outputs_clear, outputs_text,
					   BIT(config_string), 0 };

/* ---- a name ---- */

static char *hostname_take(const struct place *place, const char *text)
{
	if (!*text)
		return setting_wrong("a name is missing");
	if (strlen(text) > HOST_NAME_MAX)
		return setting_wrong("'%s' is too long: %d bytes are the most", text,
				     HOST_NAME_MAX);
	strcpy(place->member, text);
	return NULL;
}

static void hostname_clear(const struct place *place)
{
	*(char *)place->member = 0;
}

static const char *hostname_text(const struct place *place, unsigned int number,
				 char *buffer _unused_)
{
	const char *hostname = place->member;

	return number || !*hostname ? NULL : hostname;
}

const struct setting_type type_hostname = { hostname_take, hostname_clear, hostname_text,
					    BIT(config_string), 0 };

/* ---- of the command line only ---- */

static char *path_take(const struct place *place, const char *text)
{
	const char **path = place->member;

	if (*path && place->setting->form)
		return setting_wrong("%s", (const char *)place->setting->form);
	*path = text;
	return NULL;
}

static void path_clear(const struct place *place)
{
	*(const char **)place->member = NULL;
}

const struct setting_type type_path = { path_take, path_clear, NULL, 0, 0 };

static char *action_take(const struct place *place, const char *text)
{
	const struct vocabulary *forms = place->setting->form;
	struct action *action = place->member;
	int form = text ? word_number(forms, text) : 0;
	_cleanup_free_ char *hint = form < 0 ? word_hint(forms, text) : NULL;

	if (form < 0)
		return setting_wrong("there is no %s '%s'; %s", forms->what, text, hint);
	*action =
		(struct action){ (enum options_action)place->setting->number, (unsigned int)form };
	return NULL;
}

const struct setting_type type_action = { action_take, NULL, NULL, 0, 0 };

/* ---- found by netlog, not given ---- */

static const char *ssh_text(const struct place *place, unsigned int number, char *buffer)
{
	const struct options *options = place->member;

	if (number || !(options->kernel.filters.filter.active & FILTER_CONNECTION))
		return NULL;
	ssh_connection_text(&options->ssh, buffer);
	return buffer;
}

_Static_assert(SETTING_TEXT_MAX >= SSH_TEXT_MAX, "it is put there");

const struct setting_type type_ssh = { NULL, NULL, ssh_text, 0, 0 };
