// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/parameter.h"

#include "base/measure.h"
#include "base/words.h"
#include "schema/event.h"

#define MAX_BYTES_LEAST (64 * 1024)
#define MAX_FILES_MOST 1000

static char *take_event(struct sink_spec *spec, const char *text)
{
	int number = word_number(&event_words, text);
	_cleanup_free_ char *hint = NULL;

	if (!strcmp(text, "all")) {
		spec->events |= word_bits(&event_words);
		return NULL;
	}
	if (number < 0) {
		hint = word_hint(&event_words, text);
		return setting_wrong("there is no such event; %s, all", hint);
	}
	spec->events |= BIT(number);
	return NULL;
}

static void clear_events(struct sink_spec *spec)
{
	spec->events = 0;
}

static char *take_format(struct sink_spec *spec, const char *text)
{
	int number = word_number(&format_words, text);
	_cleanup_free_ char *hint = NULL;

	if (number < 0) {
		hint = word_hint(&format_words, text);
		return setting_wrong("there is no such format; %s", hint);
	}
	spec->format = (enum format_id)number;
	return NULL;
}

static char *take_max_size(struct sink_spec *spec, const char *text)
{
	static const struct measure size = { measure_size,	    1,	       1,
					     MAX_BYTES_LEAST,	    INT64_MAX, "is no size",
					     "bytes, 65536 or more" };

	return measure_take(&size, text, &spec->max_bytes);
}

static char *take_max_files(struct sink_spec *spec, const char *text)
{
	static const struct measure files = { measure_count,
					      1,
					      1,
					      1,
					      MAX_FILES_MOST,
					      "is no number of files",
					      "a number from 1 to 1000" };
	uint64_t number = spec->max_files;
	char *wrong = measure_take(&files, text, &number);

	spec->max_files = (unsigned int)number;
	return wrong;
}

static const struct parameter {
	const char *name;
	char *(*take)(struct sink_spec *spec, const char *text);
	void (*clear)(struct sink_spec *spec); /* of a list: make it empty; NULL: not a list */
} parameters[] = {
	{ "events", take_event, clear_events },
	{ "format", take_format, NULL },
	{ "max-size", take_max_size, NULL },
	{ "max-files", take_max_files, NULL },
};

static const char *parameter_word(unsigned int number)
{
	return parameters[number].name;
}

static const struct vocabulary parameter_words = { "parameter", parameter_word,
						   ARRAY_SIZE(parameters), NULL };

static char *parameter_unknown(const struct vocabulary *words, const char *name)
{
	_cleanup_free_ char *hint = word_hint(words, name);

	return setting_wrong("there is no such parameter; %s; a path cannot contain a comma", hint);
}

/* Take one more value of the list given before. */
static char *value_take(struct sink_spec *spec, const struct parameters *others,
			const struct parameter_place *place, const char *value)
{
	return place->other ? others->take(others, place->other - 1, spec, value) :
			      place->list->take(spec, value);
}

static char *own_take(struct sink_spec *spec, struct parameter_place *place, unsigned int number,
		      const char *value)
{
	const struct parameter *parameter = &parameters[number];

	place->list = parameter->clear ? parameter : NULL;
	place->other = 0;
	place->taken |= BIT(number);
	if (parameter->clear)
		parameter->clear(spec);
	return parameter->take(spec, value);
}

char *parameter_take(struct sink_spec *spec, const struct parameters *others,
		     struct parameter_place *place, const char *word)
{
	struct vocabulary words = parameter_words;
	const char *value = strchr(word, '=');
	_cleanup_free_ char *name = strndup(word, strcspn(word, "="));
	int number;

	if (!name)
		return setting_wrong_memory();
	if (!value && (place->list || place->other))
		return value_take(spec, others, place, word);
	if (others)
		words.more = &others->words;
	number = value ? word_number(&words, name) : -ENOENT;
	if (number < 0)
		return parameter_unknown(&words, name);
	if (!others || (unsigned int)number < parameter_words.count)
		return own_take(spec, place, (unsigned int)number, value + 1);
	place->other = (unsigned int)number - parameter_words.count + 1;
	return value_take(spec, others, place, value + 1);
}

bool parameter_taken(const struct parameter_place *place, const char *name)
{
	return place->taken & BIT(word_number(&parameter_words, name));
}
