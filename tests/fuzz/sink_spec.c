// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sink_spec.c - fuzz target: specifications of outputs. One that is accepted, spelled anew from what
 * was understood, must be understood the same, and so must its own text. The input is the text.
 *
 * options: -max_len=1024 -dict=tests/fuzz/sink_spec.dict
 */
#include "alike.h"
#include "base/measure.h"
#include "settings/settings.h"

static char *take(struct options *options, const char *text)
{
	const struct place place = { .member = options };

	return type_outputs.take(&place, text);
}

static void done(struct options *options)
{
	options_done(options);
	options->output_count = 0;
}

static void check_same(const struct sink_spec *a, const struct sink_spec *b)
{
	CHECK(!strcmp(a->name, b->name));
	CHECK_EQUAL(a->events, b->events);
	CHECK_EQUAL(a->takes, b->takes);
	CHECK_EQUAL(a->format, b->format);
	CHECK_EQUAL(a->max_bytes, b->max_bytes);
	CHECK_EQUAL(a->max_files, b->max_files);
	CHECK_EQUAL(!a->filters, !b->filters);
	CHECK(!a->filters || filters_alike(&a->filters->filter, &b->filters->filter));
}

/* Its events by its words: those of the last list, and all where there is none. */
static uint64_t expected_events(const char *text)
{
	const uint64_t all = word_bits(&event_words);
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy;
	uint64_t events = all;
	bool listed = false;

	strsep(&rest, ",");
	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
		if (!strncmp(word, "events=", strlen("events="))) {
			word += strlen("events=");
			events = 0;
			listed = true;
		} else if (strchr(word, '=')) {
			listed = false;
		}
		if (listed)
			events |= strcmp(word, "all") ? BIT(event_by_name(word)) : all;
	}
	return events;
}

/* The name says by itself what it is. */
static void check_name(const char *text, const struct sink_spec *spec)
{
	const size_t length = strcspn(text, ",");

	CHECK(!strcmp(spec->text, text));
	CHECK(strlen(spec->name) == length && !memcmp(spec->name, text, length));
	if (!strcmp(spec->name, "stdout") || !strncmp(spec->name, "file:", strlen("file:")))
		CHECK_EQUAL(spec->takes, SINK_LINES);
	else if (!strncmp(spec->name, "record:", strlen("record:")))
		CHECK_EQUAL(spec->takes, SINK_RECORDS);
	else
		CHECK(!strcmp(spec->name, "journald") && spec->takes == SINK_ENTRIES);
	CHECK(strcmp(spec->name, "file:") != 0 && strcmp(spec->name, "record:") != 0);
	CHECK(spec->max_files >= 1 && spec->max_files <= 1000);
	CHECK(!spec->max_bytes || (spec->max_bytes >= 65536 && strchr(spec->name, ':')));
	CHECK(spec->takes != SINK_RECORDS || !spec->format);
	CHECK_EQUAL(spec->events, expected_events(text));
}

static void filters_spell(FILE *stream, struct sink_spec *spec)
{
	for_each_place(place, NULL) {
		char buffer[SETTING_TEXT_MAX];
		const char *text;

		if (place.setting->type != &type_filter)
			continue;
		place.member = spec->filters;
		for (unsigned int i = 0; (text = place_text(&place, i, buffer)); i++)
			fprintf(stream, ",%s=%s", place_name(&place), text);
	}
}

/* Other words that say the same; the caller frees. */
static char *spell(struct sink_spec *spec)
{
	const char *separator = ",events=";
	char *text;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	fputs(spec->name, stream);
	if (spec->filters)
		filters_spell(stream, spec);
	if (spec->max_bytes)
		fprintf(stream, ",max-files=%u,max-size=%llu", spec->max_files,
			(unsigned long long)spec->max_bytes);
	for_each_event_type(type) {
		if (!(spec->events & BIT(type)))
			continue;
		fprintf(stream, "%s%s", separator, event_desc(type)->name);
		separator = ",";
	}
	if (spec->takes != SINK_RECORDS)
		fprintf(stream, ",format=%s", format_words.word(spec->format));
	fclose(stream);
	return text;
}

static bool is_clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static void check_accepted(const char *text, struct sink_spec *spec, struct options *again)
{
	_cleanup_free_ char *spelled = spell(spec), *wrong = NULL;

	CHECK(is_clean(text));
	check_name(text, spec);
	sink_spec_check(spec, 0);
	CHECK(!take(again, text));
	check_same(spec, &again->outputs[0]);
	wrong = take(again, text);
	CHECK(wrong && again->output_count == 1); /* it is there twice */
	done(again);
	if (strlen(spelled) >= SINK_TEXT_MAX)
		return;
	free(wrong);
	wrong = take(again, spelled);
	CHECK_SAYING(!wrong, "%s: %s", spelled, wrong);
	check_same(spec, &again->outputs[0]);
	done(again);
}

/* Of filters it knows nothing by itself: it accepts the same but these. */
static void check_without_filters(const char *text, const struct sink_spec *accepted)
{
	_cleanup_free_ char *message = NULL;
	struct sink_spec spec = {};
	int r = sink_spec_parse(text, NULL, &spec, &message);

	CHECK_EQUAL(r == 0, accepted && !accepted->filters);
	CHECK(r == 0 || *message);
	if (r == 0)
		check_same(accepted, &spec);
	sink_spec_done(&spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct options options, again;
	_cleanup_free_ char *text = strndup((const char *)bytes, size), *wrong = NULL;

	options.kernel.filters.elsewhere = again.kernel.filters.elsewhere = true;
	wrong = take(&options, text);
	CHECK(!wrong == (options.output_count == 1));
	CHECK(!wrong || *wrong);
	check_without_filters(text, wrong ? NULL : &options.outputs[0]);
	if (!wrong)
		check_accepted(text, &options.outputs[0], &again);
	done(&options);
	return 0;
}
