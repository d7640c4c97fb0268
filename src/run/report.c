// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/report.h"

#include <errno.h>
#include <sys/utsname.h>

#include "base/log.h"

#define THOROUGH_NS (NSEC_PER_SEC / 2) /* between system calls for what the kernel has skipped */
#define RETELL_NS (60 * NSEC_PER_SEC)  /* of an output that goes on failing */

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

static void add_threshold(struct control *control, const char *option, uint64_t value)
{
	char text[24];
	const char *const texts[] = { text, NULL };

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	if (value)
		control_add_filter(control, "filters", option, texts);
}

/* The values of each filter's halves, as they were given. */
static void add_flow_filters(const struct options *options, struct control *control)
{
	for (int i = 0; i < 2 * filter_kinds; i++) {
		const enum filter_kind kind = (enum filter_kind)(i / 2);
		const char *texts[FILTER_VALUES_MAX + 1];
		unsigned int count = 0;

		while (count < FILTER_VALUES_MAX &&
		       (texts[count] = filter_value(&options->filters, kind, i % 2, count)))
			count++;
		texts[count] = NULL;
		if (count)
			control_add_filter(control, "filters", filter_name(kind, i % 2), texts);
	}
}

static void add_ssh(const struct options *options, struct control *control)
{
	char text[SSH_TEXT_MAX];

	if (!(options->filters.filter.active & FILTER_CONNECTION))
		return;
	ssh_connection_text(&options->ssh, text);
	control_add_filter(control, "filters", "ssh", (const char *const[]){ text, NULL });
}

static void add_rates(struct control *control, const char *option, const struct rates *rates)
{
	char text[event_types][RATE_TEXT_MAX];
	const char *texts[event_types + 1];
	unsigned int count = 0;

	for_each_event_type(type)
		if (rate_text(rates, type, text[count]))
			texts[count] = text[count], count++;
	texts[count] = NULL;
	control_add_filter(control, "filters", count ? option : NULL, texts);
}

static void add_filters(const struct options *options, struct control *control)
{
	const char *stages[stage_numbers + 1];
	unsigned int count = 0;

	for (unsigned int i = 0; i < stage_numbers; i++)
		if (options->stages & BIT(i))
			stages[count++] = enum_text(kind_stage, i);
	stages[count] = NULL;
	control_add_filter(control, "filters", options->stages_named ? "latency-stage" : NULL,
			   stages);
	add_threshold(control, "rtt-interval", options->rtt_interval_us / USEC_PER_MSEC);
	add_ssh(options, control);
	add_flow_filters(options, control);
	add_threshold(control, "min-rtt", options->rtt_us.least);
	add_threshold(control, "not-min-rtt", options->rtt_us.below);
	add_threshold(control, "min-latency", options->latency_us.least);
	add_threshold(control, "not-min-latency", options->latency_us.below);
	add_rates(control, "sample", &options->sample);
	add_rates(control, "max-rate", &options->max_rate);
	if (options->adaptive)
		control_add_filter(control, "filters", "adaptive",
				   (const char *const[]){ "true", NULL });
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
	control_add_event_names(&control, "events", report->lines->events);
	add_hooks(report, &control);
	add_filters(report->options, &control);
	line_end(report, &control);
}

void report_reload(struct report *report)
{
	struct control control;

	lines_begin(report->lines, &control, control_reload);
	control_add_event_names(&control, "events",
				report->lines->events & report->options->events);
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

	if (sink->error || !sink_ready(sink))
		return false;
	for (enum event_type type = event_none; type < event_types; type++)
		told |= tell(report, type, sink->lost.of[type], &sink->told.lost.of[type],
			     sink->name);
	return told;
}

bool report_losses(struct report *report)
{
	struct sink *sink;
	const struct figures *broken = &report->lines->broken;
	struct probe_figures figures;
	bool told = false;

	figures_read(report, &figures);
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

/* One that is only slow may be so again and again: it is logged no more often than one that fails. */
static bool worth_logging(const struct sink *sink, int error, uint64_t now_ns)
{
	bool lately = sink->told.at_ns && now_ns - sink->told.at_ns < RETELL_NS;

	if (error == sink->told.error)
		return error && !lately;
	if (!error)
		return sink->told.logged;
	return error != -EAGAIN || !lately;
}

bool report_outputs(struct report *report, uint64_t now_ns)
{
	bool recovered = false;
	struct sink *sink;

	for (unsigned int i = 0; (sink = output_sink(report->lines->output, i)); i++) {
		int error = sink->error == -EAGAIN && !sink->given_up ? 0 : sink->error;
		bool log = worth_logging(sink, error, now_ns), changed = error != sink->told.error;
		unsigned long long lost = figures_sum(&sink->lost);

		if (log && error)
			log_error("cannot write to %s: %s; %llu lines lost there so far",
				  sink->name,
				  error == -EAGAIN ? "it takes no more" : strerror(-error), lost);
		else if (log)
			log_warning("%s works again; %llu lines were lost there", sink->name, lost);
		if (log && error)
			sink->told.at_ns = now_ns;
		if (log || changed)
			sink->told.logged = log;
		sink->told.error = error;
		recovered |= changed && !error;
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

		if ((!left && !lost) || sink->gone)
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

void report_unasked(struct report *report, const void *record, size_t size)
{
	int type = event_check(record, size);

	if (type > 0)
		report->unasked.of[type]++;
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

		*produced -= report->unasked.of[type];
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
