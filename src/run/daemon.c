// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/daemon.h"

#include <errno.h>
#include <systemd/sd-id128.h>
#include <time.h>

#include "base/log.h"
#include "output/wait.h"
#include "run/delivery.h"
#include "run/pump.h"
#include "run/refilter.h"
#include "run/reload.h"
#include "run/service.h"
#include "run/signals.h"
#include "run/timer.h"
#include "run/trouble.h"

#define LOSS_INTERVAL_US (500 * USEC_PER_MSEC)	/* at least, between two lost lines of a type */
#define STATUS_INTERVAL_US (10 * USEC_PER_SEC)	/* between two figures for the service manager */
#define MANAGED_PATIENCE_NS (10 * NSEC_PER_SEC) /* less than TimeoutStopSec of the unit */

struct daemon {
	struct options *options;
	struct probe *probe;
	struct lines *lines;
	struct output *output;
	struct delivery delivery;
	struct pump pump;
	struct refilter refilter;
	sd_event *loop;
	sd_event_source *loss; /* when to report losses and pressure again */
	sd_event_source *stats;
	sd_event_source *status; /* sends figures to the service manager */
	struct report report;
	const char *reason;
};

static void end(struct daemon *daemon, const char *reason)
{
	if (!daemon->reason)
		daemon->reason = reason;
	sd_event_exit(daemon->loop, 0);
}

/* Write what can be written, and log trouble with outputs. */
static void deliver(struct daemon *daemon)
{
	/* an output that works again learns at once what it has missed */
	do
		delivery_flush(&daemon->delivery);
	while (trouble_report(daemon->output) && report_losses(&daemon->report));
}

static void flush(struct daemon *daemon)
{
	deliver(daemon);
	if (output_reader_gone(daemon->output))
		end(daemon, "reader gone");
}

/* Write lines that cannot wait. Returns whether there may be more soon. */
static bool tell(struct daemon *daemon)
{
	bool lost = report_losses(&daemon->report), pressed = report_pressure(&daemon->report);

	return lost || pressed;
}

/* After a look at the ring: write what it brought, and report losses. */
static bool on_drained(void *context)
{
	struct daemon *daemon = context;

	if (output_ready(daemon->output) &&
	    sd_event_source_get_enabled(daemon->loss, NULL) == SD_EVENT_OFF && tell(daemon))
		timer_set(daemon->loss, LOSS_INTERVAL_US);
	flush(daemon);
	if (!pump_count_reached(&daemon->pump))
		return true;
	end(daemon, "count");
	return false;
}

static void on_due(void *context)
{
	struct daemon *daemon = context;

	flush(daemon);
	pump_resume(&daemon->pump);
}

/* ---- timers and signals ---- */

static int on_loss(sd_event_source *source, uint64_t us, void *context)
{
	struct daemon *daemon = context;

	(void)us;
	if (output_ready(daemon->output) && !tell(daemon))
		return 0; /* nothing new: the next loss is reported at once */
	flush(daemon);
	timer_set(source, LOSS_INTERVAL_US);
	return 0;
}

static int on_stats(sd_event_source *source, uint64_t us, void *context)
{
	struct daemon *daemon = context;

	(void)us;
	if (output_ready(daemon->output)) {
		report_stats(&daemon->report);
		flush(daemon);
	}
	timer_set(source, daemon->options->stats_interval_us);
	return 0;
}

static int on_duration(sd_event_source *source, uint64_t us, void *context)
{
	(void)source;
	(void)us;
	end(context, "duration");
	return 0;
}

static int on_status(sd_event_source *source, uint64_t us, void *context)
{
	struct daemon *daemon = context;

	(void)us;
	service_status(daemon->lines, report_lost(&daemon->report));
	timer_set(source, STATUS_INTERVAL_US);
	return 0;
}

/* It may have been given one, or another one, since the start: at boot it comes late. */
static void hostname_refresh(struct daemon *daemon)
{
	struct origin origin = daemon->lines->origin;

	hostname_find(daemon->options, &origin);
	lines_set_origin(daemon->lines, &origin);
}

/* All of the new settings, or none. */
static void config_reload(struct daemon *daemon)
{
	_cleanup_(options_freep) struct options *next = NULL;
	int r, watched;

	r = reload_read(daemon->options, pump_turn, &daemon->pump, &next);
	if (r < 0)
		return; /* it has logged why */
	delivery_unwatch(&daemon->delivery);
	r = reload(daemon->options, next, daemon->probe, &daemon->report);
	watched = delivery_rewatch(&daemon->delivery);
	if (watched < 0)
		log_error("cannot watch the outputs: %s", strerror(-watched));
	if (r < 0)
		return;
	if (daemon->options->stats_interval_us)
		timer_set(daemon->stats, daemon->options->stats_interval_us);
	else
		sd_event_source_set_enabled(daemon->stats, SD_EVENT_OFF);
	refilter_update(&daemon->refilter);
	hostname_refresh(daemon); /* it may be set there */
	report_reload(&daemon->report);
}

static void on_hangup(struct daemon *daemon)
{
	int r;

	service_reloading();
	hostname_refresh(daemon);
	if (daemon->options->config_path)
		config_reload(daemon);
	r = output_reopen(daemon->output);
	if (r < 0)
		log_error("cannot open an output anew: %s; going on with the old file",
			  strerror(-r));
	report_losses(&daemon->report); /* the reload line may be one */
	flush(daemon);
	service_ready(daemon->lines, report_lost(&daemon->report));
}

/*
 * SIGHUP reads the configuration and opens files anew, for logrotate(8); where there is neither, it
 * is the terminal's end, which nohup(1) wants to be survived. The first signal that ends the run
 * does so in order, and gives the next one its default meaning back.
 */
static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct daemon *daemon = context;

	(void)source;
	if (info->ssi_signo == SIGHUP &&
	    (daemon->options->config_path || output_reopens(daemon->output))) {
		on_hangup(daemon);
		return 0;
	}
	if (info->ssi_signo == SIGHUP && signals_hangup_ignored()) {
		log_info("SIGHUP does nothing: nohup has it ignored, and there is neither a "
			 "configuration file nor an output that could be opened anew");
		return 0;
	}
	signals_release();
	end(daemon, signal_name((int)info->ssi_signo));
	return 0;
}

static int sources_add(struct daemon *daemon)
{
	const struct options *options = daemon->options;
	const clockid_t clock = CLOCK_MONOTONIC;
	int r;

	r = pump_init(&daemon->pump);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(daemon->loop, &daemon->loss, clock, 0, TIMER_ACCURACY_US,
				       on_loss, daemon);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(daemon->loss, SD_EVENT_OFF);
	r = sd_event_add_time_relative(daemon->loop, &daemon->stats, clock,
				       options->stats_interval_us, TIMER_ACCURACY_US, on_stats,
				       daemon);
	if (r < 0)
		return r;
	if (!options->stats_interval_us)
		sd_event_source_set_enabled(daemon->stats, SD_EVENT_OFF);
	if (service_managed()) {
		r = sd_event_add_time_relative(daemon->loop, &daemon->status, clock,
					       STATUS_INTERVAL_US, USEC_PER_SEC, on_status, daemon);
		if (r < 0)
			return r;
	}
	if (options->duration_us) {
		r = sd_event_add_time_relative(daemon->loop, NULL, clock, options->duration_us,
					       TIMER_ACCURACY_US, on_duration, daemon);
		if (r < 0)
			return r;
	}
	return 0;
}

static int signals_add(struct daemon *daemon)
{
	sigset_t set;
	int r = 0;

	signals_set(&set);
	for (int number = 1; number < NSIG && r >= 0; number++)
		if (sigismember(&set, number) == 1)
			r = sd_event_add_signal(daemon->loop, NULL, number, on_signal, daemon);
	return r;
}

/* ---- the end ---- */

/*
 * How long the end may take. A single output may take its time, as long as its reader reads.
 * Several outputs may not, nor may we under a service manager, which would kill us before the stop
 * line.
 */
static uint64_t patience_ns(const struct daemon *daemon)
{
	if (output_sink(daemon->output, 1))
		return OUTPUT_LINGER_NS;
	return service_managed() ? MANAGED_PATIENCE_NS : UINT64_MAX / 2;
}

/* Deliver, waiting for slow readers as long as they read, but not beyond `until_ns`. */
static void deliver_all(struct daemon *daemon, uint64_t until_ns)
{
	uint64_t since_ns = clock_boot_ns();

	do
		deliver(daemon);
	while (clock_boot_ns() < until_ns && output_linger(daemon->output, since_ns));
}

static int finish(struct daemon *daemon)
{
	uint64_t until_ns = clock_boot_ns() + patience_ns(daemon);
	unsigned int drained;
	int r;

	service_stopping();
	probe_detach(daemon->probe);
	do {
		deliver_all(daemon, until_ns);
		if (!output_alive(daemon->output))
			return 0;
		output_give_up(daemon->output, clock_boot_ns()); /* who reads nothing loses lines */
		drained = pump_finish(&daemon->pump);
	} while (drained);
	r = report_stop(&daemon->report, daemon->reason ?: "failure");
	deliver_all(daemon, until_ns + OUTPUT_LINGER_NS);
	output_stop(daemon->output);
	return trouble_unwritten(daemon->output) || daemon->report.unwritten ? -EIO : r;
}

static void identity_fill(struct run_identity *identity)
{
	sd_id128_t boot = SD_ID128_NULL, run = SD_ID128_NULL;

	if (sd_id128_get_boot(&boot) == 0) /* read from /proc/sys, which may be hidden */
		sd_id128_to_string(boot, identity->boot_id);
	sd_id128_randomize(&run);
	sd_id128_to_string(run, identity->run_id);
}

static int run(struct daemon *daemon)
{
	struct run_identity identity = {};
	struct origin origin = daemon->lines->origin;
	int r, failure;

	r = signals_add(daemon);
	if (r < 0)
		return r;
	r = sources_add(daemon);
	if (r < 0)
		return r;
	r = refilter_init(&daemon->refilter);
	if (r < 0)
		return r;
	r = delivery_init(&daemon->delivery);
	if (r < 0)
		return r;
	r = service_watch(daemon->loop);
	if (r == -EINVAL)
		log_warning("WATCHDOG_USEC or WATCHDOG_PID of the environment is no number: nobody "
			    "is told that netlog lives");
	else if (r < 0)
		return r;
	r = trouble_begin(daemon->output);
	if (r < 0)
		return r;
	identity_fill(&identity);
	strcpy(origin.boot_id, identity.boot_id);
	lines_set_origin(daemon->lines, &origin);
	report_start(&daemon->report, &identity);
	flush(daemon);
	service_ready(daemon->lines, 0);
	failure = sd_event_loop(daemon->loop);
	r = finish(daemon);
	return failure < 0 ? failure : r;
}

int daemon_run(struct options *options, struct probe *probe, struct lines *lines)
{
	struct daemon daemon = {
		.options = options,
		.probe = probe,
		.lines = lines,
		.output = lines->output,
		.refilter = { .options = options,
			      .probe = probe,
			      .output = lines->output,
			      .inotify = -1 },
		.report = { .options = options, .probe = probe, .lines = lines },
	};
	int r;

	lines->events = probe_events(probe);
	r = sd_event_new(&daemon.loop);
	if (r < 0)
		return r;
	daemon.refilter.loop = daemon.loop;
	daemon.delivery = (struct delivery){
		.loop = daemon.loop,
		.output = lines->output,
		.on_due = on_due,
		.context = &daemon,
	};
	daemon.pump = (struct pump){
		.loop = daemon.loop,
		.options = options,
		.probe = probe,
		.lines = lines,
		.on_drained = on_drained,
		.context = &daemon,
	};
	r = run(&daemon);
	delivery_done(&daemon.delivery);
	pump_done(&daemon.pump);
	sd_event_source_unref(daemon.loss);
	sd_event_source_unref(daemon.stats);
	sd_event_source_unref(daemon.status);
	sd_event_unref(daemon.loop);
	refilter_done(&daemon.refilter);
	return r;
}
