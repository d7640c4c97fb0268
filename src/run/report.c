// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/report.h"

#include <errno.h>
#include <sys/utsname.h>

#include "base/log.h"

#define THOROUGH_NS (NSEC_PER_SEC / 2) /* between system calls for what the kernel has skipped */

/* The start line has the rows of all hooks, why some were refused, and what leaves events out. */
#define HOOK_ROOM(event, part, rung, role, program, blind, ...) \
	+sizeof(#event #part #program blind) + PROBE_REASON_MAX + 64
#define EVENT_HOOKS_ROOM(name, FIELDS, HOOKS, message_id, doc) HOOKS(HOOK_ROOM)
#define START_REST 3072 /* the other keys: version, kernel, caution and the like */
_Static_assert(START_REST + SETTINGS_TOLD_MAX EVENTS(EVENT_HOOKS_ROOM) COMMON_HOOKS(HOOK_ROOM) <=
		       CONTROL_LINE_MAX,
	       "a start line may be too long");

static bool line_end(struct report *report, struct control *control)
{
	int r = lines_end(report->lines, control);

	if (r < 0)
		log_error("cannot write a control line: %s", strerror(-r));
	return r == 0;
}

static void add_hooks(const struct report *report, struct control *control)
{
	unsigned int count;
	const struct probe_hook *hooks = probe_hooks(report->probe, &count);

	for (unsigned int i = 0; i < count; i++) {
		if (hooks[i].standby)
			continue;
		struct control_hook hook = {
			.event = hook_event_name(hooks[i].desc),
			.part = hooks[i].desc->part,
			.hook = hooks[i].section,
			.blind = hooks[i].desc->blind,
			.error = hooks[i].error ? hooks[i].reason ?: "unknown" : NULL,
		};

		control_add_hook(control, "hooks", &hook);
	}
}

static void add_filters(const struct options *options, struct control *control)
{
	char buffer[SETTING_TEXT_MAX];
	const char *text;

	control_add_filter(control, "filters", NULL, NULL);
	for (int choice = CHOOSES_NOTHING + 1; choice < setting_choices; choice++)
		for_each_place(place, options)
			if (place.setting->choice == choice && !place_is_initial(&place))
				for (unsigned int i = 0; (text = place_text(&place, i, buffer));
				     i++)
					control_add_filter(control, "filters", place_name(&place),
							   text);
	for (unsigned int i = 0; i < options->output_count; i++)
		if (options->outputs[i].filters)
			control_add_filter(control, "filters", "output", options->outputs[i].text);
}

/* Those that can be served, were asked for, and have an output. */
static void add_events(const struct report *report, struct control *control)
{
	const struct lines *lines = report->lines;

	control_add_event_names(control, "events",
				lines->events & report->options->kernel.events.bits &
					output_events(lines->output));
}

void report_start(struct report *report, const struct run_identity *identity)
{
	struct control control;
	struct utsname name;

	uname(&name);
	lines_begin(report->lines, &control, control_start);
	control_add_string(&control, "version", NETLOG_VERSION);
	control_add_string(&control, "kernel", name.release);
	if (identity->boot_id[0])
		control_add_string(&control, "boot_id", identity->boot_id);
	control_add_string(&control, "run_id", identity->run_id);
	if (probe_caution(report->probe))
		control_add_string(&control, "caution", probe_caution(report->probe));
	add_events(report, &control);
	add_hooks(report, &control);
	add_filters(report->options, &control);
	line_end(report, &control);
}

void report_reload(struct report *report)
{
	struct control control;

	lines_begin(report->lines, &control, control_reload);
	add_events(report, &control);
	add_filters(report->options, &control);
	line_end(report, &control);
}

/* The types of which there are any, as bits: an output may have had other events before. */
static uint64_t figures_known(const struct figures *figures)
{
	uint64_t types = 0;

	for_each_event_type(type)
		if (figures->of[type])
			types |= BIT(type);
	return types;
}

static void add_figures(const struct report *report, struct control *control,
			const struct probe_figures *figures, const struct figures *lost)
{
	uint64_t events = report->lines->events;
	const struct sink *sink;

	control_add_figures(control, "produced", &figures->produced, events);
	control_add_figures(control, "emitted", &report->lines->emitted, events);
	control_add_figures(control, "lost", lost, events);
	control_add_figures(control, "sampled_out", &figures->sampled_out, events);
	for (unsigned int i = 0; (sink = output_sink(report->lines->output, i)); i++)
		control_add_output(control, "outputs", sink->name, &sink->taken, &sink->lost,
				   events & (sink->events | figures_known(&sink->taken) |
					     figures_known(&sink->lost)));
}

/* The kernel side's figures; with what the kernel has to be asked for, but not all the time. */
static void figures_read(struct report *report, struct probe_figures *ret_figures)
{
	uint64_t now_ns = clock_boot_ns();
	bool thorough = now_ns - report->thorough_at_ns > THOROUGH_NS;

	if (thorough)
		report->thorough_at_ns = now_ns;
	probe_figures(report->probe, thorough, ret_figures);
}

/* All that was lost, wherever, before it was a line. */
static struct figures lost_sum(const struct report *report, const struct probe_figures *figures)
{
	struct figures lost = {};

	for_each_event_type(type)
		lost.of[type] = figures->lost.of[type] + figures->missed.of[type] +
				report->lines->broken.of[type];
	return lost;
}

static uint64_t figures_sum(const struct figures *figures)
{
	uint64_t sum = 0;

	for (int type = 0; type < event_types; type++)
		sum += figures->of[type];
	return sum;
}

uint64_t report_lost(struct report *report)
{
	struct probe_figures figures;
	struct figures lost;

	figures_read(report, &figures);
	lost = lost_sum(report, &figures);
	return figures_sum(&lost);
}

/*
 * The kernel's count of what it produced runs ahead of what has come through the ring; so here
 * `produced` is what has been accounted for. The stop line has the kernel's count.
 */
static void stats_write(struct report *report, unsigned int pressure)
{
	struct probe_figures figures;
	struct control control;
	struct figures lost;

	figures_read(report, &figures);
	lost = lost_sum(report, &figures);
	for_each_event_type(type)
		figures.produced.of[type] = report->lines->emitted.of[type] + lost.of[type];
	lines_begin(report->lines, &control, control_stats);
	add_figures(report, &control, &figures, &lost);
	control_add_count(&control, "adaptive_one_in", BIT(pressure));
	report->told_pressure = pressure;
	line_end(report, &control);
}

void report_stats(struct report *report)
{
	stats_write(report, probe_pressure(report->probe));
}

bool report_pressure(struct report *report)
{
	unsigned int pressure = probe_pressure(report->probe), told = report->told_pressure;
	bool changed = pressure > told || (!pressure && told);

	if (changed)
		stats_write(report, pressure);
	return changed || pressure;
}

/* Write the lost line, if there is something new to tell, and remember that it has been told. */
static bool tell(struct report *report, enum event_type type, uint64_t lost, uint64_t *told,
		 const char *where)
{
	struct control control;

	if (lost == *told)
		return false;
	lines_begin(report->lines, &control, control_lost);
	control_add_string(&control, "lost_event",
			   type == event_none ? LOST_OTHER : event_desc(type)->name);
	control_add_count(&control, "count", lost - *told);
	control_add_string(&control, "where", where);
	if (!line_end(report, &control))
		return false;
	*told = lost;
	return true;
}

/* What a sink has lost, once it works again: a line for all, and it is one of them. */
static bool tell_sink(struct report *report, struct sink *sink)
{
	bool told = false;

	if ((sink->state != SINK_FLOWING && sink->state != SINK_GONE) || !sink_ready(sink))
		return false;
	for (enum event_type type = event_none; type < event_types; type++)
		told |= tell(report, type, sink->lost.of[type], &sink->told.lost.of[type],
			     sink->name);
	return told;
}

/* A figure that cannot be is told to nobody; that there was one is. */
static void log_refused(struct report *report, const struct figures *refused)
{
	for_each_event_type(type) {
		if (refused->of[type] == report->told_refused.of[type])
			continue;
		log_warning(
			"%s: a count of the kernel's went backwards (%llu times so far); what was "
			"missed by then is not known, and in no figure",
			event_desc(type)->name, (unsigned long long)refused->of[type]);
		report->told_refused.of[type] = refused->of[type];
	}
}

bool report_losses(struct report *report)
{
	struct sink *sink;
	const struct figures *broken = &report->lines->broken;
	struct probe_figures figures;
	bool told = false;

	figures_read(report, &figures);
	log_refused(report, &figures.refused);
	for_each_event_type(type) {
		told |= tell(report, type, figures.lost.of[type], &report->told_lost.of[type],
			     "ring");
		told |= tell(report, type, figures.missed.of[type], &report->told_missed.of[type],
			     "hook");
		told |= tell(report, type, broken->of[type], &report->told_broken.of[type],
			     "decode");
	}
	for (unsigned int i = 0; (sink = output_sink(report->lines->output, i)); i++)
		told |= tell_sink(report, sink);
	return told;
}

static void output_tell(const struct sink *sink)
{
	unsigned long long lost = figures_sum(&sink->lost);

	if (sink->state == SINK_FLOWING)
		log_warning("%s works again; %llu lines were lost there", sink->name, lost);
	else
		log_error("cannot write to %s: %s; %llu lines lost there so far", sink->name,
			  sink->error ? strerror(-sink->error) : "it takes no more", lost);
}

bool report_outputs(struct report *report)
{
	bool recovered = false;
	struct sink *sink;

	for (unsigned int i = 0; (sink = output_sink(report->lines->output, i)); i++) {
		if (sink->tell)
			output_tell(sink);
		recovered |= sink->step.from > SINK_BEHIND && sink->step.to == SINK_FLOWING;
	}
	return recovered;
}

bool report_unwritten(const struct output *output)
{
	const struct sink *sink;
	bool unwritten = false;

	for (unsigned int i = 0; (sink = output_sink(output, i)); i++) {
		size_t left = sink->ops->pending(sink);
		uint64_t lost = figures_sum(&sink->lost) - figures_sum(&sink->told.lost);

		if ((!left && !lost) || sink->state == SINK_GONE)
			continue;
		unwritten = true;
		log_error("%s: %zu lines were left unwritten, and %llu had been lost", sink->name,
			  left, (unsigned long long)lost);
	}
	return unwritten;
}

void report_removed(struct report *report, struct output *removed)
{
	struct sink *sink;

	report->unwritten |= report_unwritten(removed);
	for (unsigned int i = 0; (sink = output_sink(removed, i)); i++) {
		sink->lost.of[event_none] += sink->ops->pending(sink);
		for (enum event_type type = event_none; type < event_types; type++)
			tell(report, type, sink->lost.of[type], &sink->told.lost.of[type],
			     sink->name);
	}
}

int report_stop(struct report *report, const char *reason)
{
	struct probe_figures figures;
	struct control control;
	struct figures lost;
	int r = 0;

	report->thorough_at_ns = 0;
	report_losses(report);
	figures_read(report, &figures);
	lost = lost_sum(report, &figures);
	for_each_event_type(type) {
		uint64_t emitted = report->lines->emitted.of[type];
		uint64_t *produced = &figures.produced.of[type];

		*produced -= report->lines->unasked.of[type];
		if (*produced == emitted + lost.of[type])
			continue;
		log_error("%s: the kernel produced %llu events, but %llu were emitted and %llu "
			  "lost; please report this",
			  event_desc(type)->name, (unsigned long long)*produced,
			  (unsigned long long)emitted, (unsigned long long)lost.of[type]);
		r = -EBADMSG;
	}
	lines_begin(report->lines, &control, control_stop);
	control_add_string(&control, "reason", reason);
	add_figures(report, &control, &figures, &lost);
	return line_end(report, &control) ? r : -EBADMSG;
}
