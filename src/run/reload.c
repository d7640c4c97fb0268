// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/reload.h"

#include <errno.h>

#include "base/log.h"
#include "run/delivery.h"

/* An event that no output takes is none to be made. */
static uint64_t events_wanted(const struct options *options)
{
	return options->events & sink_specs_events(options->outputs, options->output_count);
}

void settings_for_probe(const struct options *options, struct probe_settings *ret_settings)
{
	*ret_settings = (struct probe_settings){
		.events = events_wanted(options),
		.stages = options->stages,
		.rtt_interval_us = options->rtt_interval_us,
		.rtt_us = options->rtt_us,
		.latency_us = options->latency_us,
		.filter = &options->filters.filter,
		.sample = options->sample.numbers,
		.max_rate = options->max_rate.numbers,
		.adaptive = options->adaptive,
	};
}

void announce(const struct probe *probe, const struct options *options)
{
	char events[512] = "", outputs[1024] = "";

	for_each_event_type(type)
		if (probe_events(probe) & events_wanted(options) & BIT(type))
			list_add(events, sizeof(events), event_desc(type)->name);
	for (unsigned int i = 0; i < options->output_count; i++)
		list_add(outputs, sizeof(outputs), options->outputs[i].name);
	log_info("logging %s to %s", events, outputs);
}

/* What cannot be changed while hooks are attached. */
static void options_keep(struct options *next, const struct options *old, const struct probe *probe)
{
	uint64_t missing = next->events & ~probe_events(probe);

	for_each_event_type(type)
		if (next->events_named && missing & BIT(type))
			log_warning("event %s was not logged from the start: restart netlog to "
				    "have it",
				    event_desc(type)->name);
	if (next->stages & ~old->stages_loaded)
		log_warning("a stage of latency was not there from the start: restart netlog to "
			    "have it");
	if (next->ring_bytes != old->ring_bytes || next->duration_us != old->duration_us ||
	    next->count != old->count)
		log_warning("ring-size, duration and count stay as they are until netlog is "
			    "restarted");
	next->stages_loaded = old->stages_loaded;
	next->ring_bytes = old->ring_bytes;
	next->duration_us = old->duration_us;
	next->count = old->count;
	settings_set_ssh(next, &old->ssh);
}

/* Lines that an output still holds that is none any more are written. */
static int outputs_set(struct report *report, const struct options *options)
{
	struct output *output = report->lines->output;
	_cleanup_(output_freep) struct output *removed = NULL;
	const char *failed = "";
	int r;

	r = output_new(&removed);
	if (r == 0)
		r = output_configure(output, options->outputs, options->output_count, removed,
				     &failed);
	if (r < 0) {
		log_error("cannot open the output %s: %s%s; going on with the old configuration",
			  failed, strerror(-r), output_open_advice(failed, r));
		return r;
	}
	delivery_finish(removed);
	report_removed(report, removed);
	return 0;
}

void filters_refresh(struct options *options, struct probe *probe, int inotify)
{
	static int told; /* it is asked for each cgroup that comes */
	_cleanup_free_ char *wrong = NULL;
	struct probe_settings settings;
	int r = filter_watch(&options->filters,
			     inotify); /* before the look, which then misses none */

	if (r < 0 && r != told)
		log_warning("cannot watch the cgroups of --cgroup and --unit (inotify: %s): SIGHUP "
			    "finds those that are there by then%s",
			    strerror(-r),
			    r == -ENOSPC ? "; sysctl fs.inotify.max_user_watches allows more" : "");
	told = r;
	if (!filter_look_up(&options->filters, &wrong))
		return;
	settings_for_probe(options, &settings);
	probe_set(probe, &settings);
	log_info("cgroups of --cgroup or --unit have come or gone, and been looked up anew%s%s",
		 wrong ? ": " : "", wrong ?: "");
}

int reload(struct options *options, struct probe *probe, struct report *report)
{
	_cleanup_free_ struct options *next = malloc(sizeof(*next));
	_cleanup_free_ char *message = NULL;
	struct probe_settings settings;
	int r;

	r = next ? options_parse(options->argc, options->argv, next, &message) : -ENOMEM;
	if (r < 0) {
		log_error("%s; going on with the old configuration", message ?: strerror(-r));
		return r;
	}
	options_keep(next, options, probe);
	r = outputs_set(report, next);
	if (r < 0)
		return r;
	settings_for_probe(next, &settings);
	probe_set(probe, &settings);
	log_set_quiet(next->quiet);
	*options = *next;
	log_info("the configuration has been read anew");
	announce(probe, options);
	return 0;
}
