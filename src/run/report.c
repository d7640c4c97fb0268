// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/report.h"

#include <errno.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "run/books.h"
#include "run/trouble.h"

#define THOROUGH_NS (NSEC_PER_SEC / 2) /* between system calls for what the kernel has skipped */

/*
 * The start line must have room for all hooks, why some were refused, and what leaves events out.
 */
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

/* The events that can be served, were asked for, and have an output. */
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

static void add_books(const struct report *report, struct control *control,
		      const struct books *books)
{
	uint64_t events = report->lines->events;
	const struct sink *sink;

	control_add_figures(control, "produced", &books->produced, events);
	control_add_figures(control, "emitted", &books->emitted, events);
	control_add_figures(control, "lost", &books->lost, events);
	control_add_figures(control, "sampled_out", &books->sampled_out, events);
	for (unsigned int i = 0; (sink = output_sink(report->lines->output, i)); i++)
		control_add_output(control, "outputs", sink->name, &sink->taken, &sink->lost,
				   events & (sink->events | figures_known(&sink->taken) |
					     figures_known(&sink->lost)));
}

/* Read the kernel side's figures. Those that take system calls are not read each time. */
static void figures_read(struct report *report, struct probe_figures *ret_figures)
{
	uint64_t now_ns = clock_boot_ns();
	bool thorough = now_ns - report->thorough_at_ns > THOROUGH_NS;

	if (thorough)
		report->thorough_at_ns = now_ns;
	probe_figures(report->probe, thorough, ret_figures);
}

static void books_read(struct report *report, struct books *ret_books)
{
	struct probe_figures figures;

	figures_read(report, &figures);
	books_make(ret_books, &figures, report->lines);
}

uint64_t report_lost(struct report *report)
{
	struct books books;

	books_read(report, &books);
	return figures_sum(&books.lost);
}

/*
 * The kernel's count of produced events is ahead of the records handled so far. So `produced` here
 * counts the events that are accounted for; the stop line has the kernel's count.
 */
static void stats_write(struct report *report, unsigned int pressure)
{
	struct control control;
	struct books books;

	books_read(report, &books);
	books_leave_out_ring(&books);
	lines_begin(report->lines, &control, control_stats);
	add_books(report, &control, &books);
	control_add_count(&control, "adaptive_one_in", BIT(pressure));
	report->reported_pressure = pressure;
	line_end(report, &control);
}

void report_stats(struct report *report)
{
	stats_write(report, probe_pressure(report->probe));
}

bool report_pressure(struct report *report)
{
	unsigned int pressure = probe_pressure(report->probe), reported = report->reported_pressure;
	bool changed = pressure > reported || (!pressure && reported);

	if (changed)
		stats_write(report, pressure);
	return changed || pressure;
}

/* Write a lost line if there is a new loss, and remember what it reported. */
static bool loss_write(struct report *report, enum event_type type, uint64_t lost,
		       uint64_t *reported, const char *where)
{
	struct control control;

	if (lost == *reported)
		return false;
	lines_begin(report->lines, &control, control_lost);
	control_add_string(&control, "lost_event",
			   type == event_none ? LOST_OTHER : event_desc(type)->name);
	control_add_count(&control, "count", lost - *reported);
	control_add_string(&control, "where", where);
	if (!line_end(report, &control))
		return false;
	*reported = lost;
	return true;
}

/* Report the losses of a sink that works again. All outputs get the line, this sink included. */
static bool sink_losses_write(struct report *report, struct sink *sink)
{
	bool reported = false;

	if ((sink->state != SINK_FLOWING && sink->state != SINK_GONE) || !sink_ready(sink))
		return false;
	for (enum event_type type = event_none; type < event_types; type++)
		reported |= loss_write(report, type, sink->lost.of[type],
				       &sink->reported.lost.of[type], sink->name);
	return reported;
}

/* A figure that cannot be is told to nobody; that there was one is. */
static void log_refused(struct report *report, const struct figures *refused)
{
	for_each_event_type(type) {
		if (refused->of[type] == report->reported_refused.of[type])
			continue;
		log_warning(
			"%s: a count of the kernel's went backwards (%llu times so far); what was "
			"missed by then is not known, and in no figure",
			event_desc(type)->name, (unsigned long long)refused->of[type]);
		report->reported_refused.of[type] = refused->of[type];
	}
}

bool report_losses(struct report *report)
{
	struct sink *sink;
	const struct figures *undecodable = &report->lines->undecodable;
	struct probe_figures figures;
	bool reported = false;

	if (report->stopped)
		return false;
	figures_read(report, &figures);
	log_refused(report, &figures.refused);
	for_each_event_type(type) {
		reported |= loss_write(report, type, figures.lost.of[type],
				       &report->reported_lost.of[type], "ring");
		reported |= loss_write(report, type, figures.missed.of[type],
				       &report->reported_missed.of[type], "hook");
		reported |= loss_write(report, type, undecodable->of[type],
				       &report->reported_undecodable.of[type], "decode");
	}
	for (unsigned int i = 0; (sink = output_sink(report->lines->output, i)); i++)
		reported |= sink_losses_write(report, sink);
	return reported;
}

void report_removed(struct report *report, struct output *removed)
{
	struct sink *sink;

	report->unwritten |= trouble_unwritten(removed);
	for (unsigned int i = 0; (sink = output_sink(removed, i)); i++) {
		sink->lost.of[event_none] += sink->ops->pending(sink);
		for (enum event_type type = event_none; type < event_types; type++)
			loss_write(report, type, sink->lost.of[type], &sink->reported.lost.of[type],
				   sink->name);
	}
}

static void log_unbalanced(const struct books *books, enum event_type type)
{
	log_error(
		"%s: the kernel produced %llu events, but %llu were emitted and %llu lost; please "
		"report this",
		event_desc(type)->name, (unsigned long long)books->produced.of[type],
		(unsigned long long)books->emitted.of[type],
		(unsigned long long)books->lost.of[type]);
}

int report_stop(struct report *report, const char *reason)
{
	struct control control;
	struct books books;
	uint64_t unbalanced;

	report->thorough_at_ns = 0;
	report_losses(report);
	books_read(report, &books);
	unbalanced = books_unbalanced(&books);
	for_each_event_type(type)
		if (unbalanced & BIT(type))
			log_unbalanced(&books, type);
	lines_begin(report->lines, &control, control_stop);
	control_add_string(&control, "reason", reason);
	add_books(report, &control, &books);
	report->stopped = true;
	return line_end(report, &control) && !unbalanced ? 0 : -EBADMSG;
}
