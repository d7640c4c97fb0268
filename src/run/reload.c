// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/reload.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "run/delivery.h"
#include "run/trouble.h"
#include "settings/unmatchable.h"

#define READING_TURN_NS (5 * NSEC_PER_MSEC) /* between two turns of what goes on meanwhile */

uint64_t events_taken(const struct options *options)
{
	return sink_specs_events(options->outputs, options->output_count);
}

_Static_assert(OUTPUT_SINKS_MAX == FILTER_OUTPUTS, "each output has a bit");

struct probe_outputs outputs_of(const struct options *options, const struct output *output)
{
	struct probe_outputs outputs = {};

	for (unsigned int i = 0; i < options->output_count; i++) {
		const int number = __builtin_ctz(output_sink(output, i)->bit);

		outputs.of[number].events = options->outputs[i].events;
		outputs.of[number].filters = options->outputs[i].filters;
	}
	return outputs;
}

void kernel_set(struct probe *probe, const struct options *options, struct output *output)
{
	const struct probe_outputs outputs = outputs_of(options, output);

	probe_set(probe, &options->kernel, &outputs);
	output_set_generation(output, probe_generation(probe));
}

/* NULL: none that could be in a line as it is. */
static const char *hostname_given(void)
{
	const char *given = getenv("NETLOG_HOSTNAME");

	if (!given || !*given)
		return NULL;
	if (strlen(given) <= HOST_NAME_MAX && text_is_utf8(given))
		return given;
	log_warning("NETLOG_HOSTNAME is left aside: '%s' is no UTF-8 of %d bytes at the most",
		    given, HOST_NAME_MAX);
	return NULL;
}

void hostname_find(const struct options *options, struct origin *origin)
{
	const char *given = options->hostname[0] ? options->hostname : hostname_given();

	memset(origin->hostname, 0, sizeof(origin->hostname));
	if (given)
		strcpy(origin->hostname, given);
	else
		gethostname(origin->hostname, HOST_NAME_MAX);
}

void announce(const struct probe *probe, const struct options *options)
{
	char events[events_text_max] = "";
	char outputs[OUTPUT_SINKS_MAX * (SINK_NAME_MAX + sizeof(", "))] = "";

	for_each_event_type(type)
		if (probe_events(probe) & options->kernel.events.bits & events_taken(options) &
		    BIT(type))
			list_add(events, sizeof(events), event_desc(type)->name);
	for (unsigned int i = 0; i < options->output_count; i++)
		list_add(outputs, sizeof(outputs), options->outputs[i].name);
	log_info("logging %s to %s", events, outputs);
}

/* Keep the settings that cannot change while hooks are attached. */
static void keep(struct options *next, const struct options *old, const struct probe *probe)
{
	uint64_t missing = next->kernel.events.bits & ~probe_events(probe);

	for_each_event_type(type)
		if (next->kernel.events.named && missing & BIT(type))
			log_warning("event %s was not logged from the start: restart netlog to "
				    "have it",
				    event_desc(type)->name);
	for_each_event_type(type)
		if (next->kernel.choices[type].bits & ~probe_choice(probe, type))
			log_warning("a %s of %s was not there from the start: restart netlog to "
				    "have it",
				    choice_words[type].what, event_desc(type)->name);
	for_each_place(place, next)
		if (place.setting->flags & SETTING_STAYS && place_keep(&place, old))
			log_warning("%s stays as it is until netlog is restarted",
				    place_name(&place));
	settings_set_ssh(next, &old->ssh);
}

/* Adopt the new outputs. Removed ones first write the lines that they still hold. */
static int outputs_set(struct report *report, const struct options *options)
{
	struct output *output = report->lines->output;
	_cleanup_(output_freep) struct output *removed = NULL;
	const char *failed = "";
	int r;

	r = output_new(NULL, &removed);
	if (r < 0) {
		log_error("%s; going on with the old configuration", strerror(-r));
		return r;
	}
	r = output_configure(output, options->outputs, options->output_count, removed, &failed);
	if (r < 0) {
		trouble_open(failed, r, "; going on with the old configuration");
		return r;
	}
	delivery_finish(removed);
	report_removed(report, removed);
	return 0;
}

/* ---- reading ---- */

struct reading {
	const struct options *old;
	struct options *next;
	char *message;
	int error;
	sem_t over;
};

static void *reading_run(void *context)
{
	struct reading *reading = context;

	reading->error = options_parse(reading->old->argc, reading->old->argv, reading->next,
				       &reading->message);
	sem_post(&reading->over);
	return NULL;
}

static bool is_over(struct reading *reading)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += READING_TURN_NS;
	if (until.tv_nsec >= (long)NSEC_PER_SEC) {
		until.tv_nsec -= (long)NSEC_PER_SEC;
		until.tv_sec++;
	}
	return sem_clockwait(&reading->over, CLOCK_MONOTONIC, &until) == 0;
}

/* Without a thread it takes as long, and nothing else is done. */
static int options_read(struct reading *reading, void (*meanwhile)(void *context), void *context)
{
	pthread_t thread;

	sem_init(&reading->over, 0, 0);
	if (pthread_create(&thread, NULL, reading_run, reading) != 0) {
		reading_run(reading);
	} else {
		while (!is_over(reading))
			meanwhile(context);
		pthread_join(thread, NULL);
	}
	sem_destroy(&reading->over);
	return reading->error;
}

void options_freep(struct options **options)
{
	if (*options)
		options_done(*options);
	free(*options);
}

int reload_read(const struct options *options, void (*meanwhile)(void *context), void *context,
		struct options **ret_next)
{
	_cleanup_(options_freep) struct options *next = calloc(1, sizeof(*next));
	struct reading reading = { .old = options, .next = next };
	int r = next ? options_read(&reading, meanwhile, context) : -ENOMEM;

	if (r < 0)
		log_error("%s; going on with the old configuration",
			  reading.message ?: strerror(-r));
	free(reading.message);
	if (r < 0)
		return r;
	*ret_next = next;
	next = NULL;
	return 0;
}

/* ---- putting it into effect ---- */

int reload(struct options *options, struct options *next, struct probe *probe,
	   struct report *report)
{
	int r;

	unmatchable_warn(next);
	keep(next, options, probe);
	r = outputs_set(report, next);
	if (r < 0)
		return r;
	kernel_set(probe, next, report->lines->output);
	log_set_quiet(next->quiet);
	options_done(options);
	*options = *next;
	next->output_count = 0;
	log_info("the configuration has been read anew");
	announce(probe, options);
	return 0;
}
