// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/replay.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "base/log.h"
#include "output/wait.h"
#include "run/lines.h"
#include "run/signals.h"
#include "run/trouble.h"

/*
 * After a signal, wait so long for a pipe's writer to end its recording: Ctrl-C reaches both of us.
 */
#define END_PATIENCE_NS (2 * NSEC_PER_SEC)
#define POLL_MS 100 /* for outputs that cannot be watched */

struct replay {
	const struct options *options;
	struct output *output; /* the lines' own */
	struct recording_reader *reader;
	struct lines *lines;
	struct names *names; /* from the recording, never of this host */
	const char *name;    /* the recording, for messages */
	int fd;
	int signals;
	bool regular;	   /* it is a file: reading never waits */
	bool input;	   /* there is something to read */
	bool slow;	   /* an output still holds lines */
	bool done;	   /* nothing more is to be read */
	bool begun;	   /* what the outputs write over has made way */
	uint64_t until_ns; /* after a signal, end by then; 0: there was none */
};

/* ---- waiting ---- */

static void on_signal(struct replay *replay)
{
	struct signalfd_siginfo info;

	if (read(replay->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP && output_reopens(replay->output)) {
		if (output_reopen(replay->output) < 0)
			log_error("cannot open an output anew; going on with the old file");
		return;
	}
	if (info.ssi_signo == SIGHUP && signals_hangup_ignored())
		return;
	signals_release(); /* the next one ends it at once */
	replay->until_ns = clock_boot_ns() + END_PATIENCE_NS;
	replay->done |= replay->regular;
}

/*
 * Wait until a signal, until an output takes more or its reader leaves, until input (if `reading`),
 * or until the timeout; -1: none.
 */
static void wait_for_any(struct replay *replay, bool reading, int timeout_ms)
{
	struct pollfd fds[2 + OUTPUT_SINKS_MAX] = {
		{ replay->signals, POLLIN, 0 },
		{ reading ? replay->fd : -1, POLLIN, 0 },
	};

	if (output_wait(replay->output, fds, 2, timeout_ms) < 0)
		return;
	replay->input = fds[1].revents;
	if (fds[0].revents)
		on_signal(replay);
	if (output_reader_gone(replay->output))
		replay->done = true;
	if (replay->until_ns && clock_boot_ns() > replay->until_ns)
		replay->done = true;
}

static void wait_for_long(struct replay *replay, bool reading)
{
	wait_for_any(replay, reading, replay->slow || replay->until_ns ? POLL_MS : -1);
}

/* ---- writing ---- */

/*
 * Write what can be written. `done` if standard output's reader has gone. -EIO (logged): output
 * fails.
 */
static int flush(struct replay *replay)
{
	const struct sink *sink;
	int r = output_flush(replay->output, clock_boot_ns());

	replay->slow = r == -EAGAIN;
	if (r == -EPIPE)
		replay->done = true;
	for (unsigned int i = 0; (sink = output_sink(replay->output, i)); i++) {
		if (sink->state != SINK_FAILING)
			continue;
		log_error("cannot write to %s: %s", sink->name, strerror(-sink->error));
		return -EIO;
	}
	return 0;
}

/* Wait for room: a recording can wait, so nothing is lost for want of it. */
static int room_make(struct replay *replay)
{
	while (!output_ready(replay->output) && !replay->done) {
		int r = flush(replay);

		if (r < 0)
			return r;
		if (!output_ready(replay->output) && !replay->done)
			wait_for_long(replay, false);
	}
	return 0;
}

static int finish(struct replay *replay)
{
	int r = flush(replay);

	while (r == 0 && replay->slow && output_alive(replay->output)) {
		wait_for_long(replay, false);
		if (replay->until_ns && clock_boot_ns() > replay->until_ns)
			break;
		r = flush(replay);
	}
	output_stop(replay->output);
	return trouble_unwritten(replay->output) ? -EIO : r;
}

/* ---- reading ---- */

/*
 * The origin is the recording's. Recordings one after the other may come from several hosts. By the
 * first one it is known that there is something to be written.
 */
static int on_header(struct replay *replay, const struct origin *origin)
{
	int r = replay->begun ? 0 : trouble_begin(replay->output);

	if (r < 0)
		return r;
	replay->begun = true;
	names_clear(replay->names);
	lines_set_origin(replay->lines, origin);
	return 0;
}

/*
 * The outputs without filters, and those whose filters let the event pass. In a replay the filters
 * are asked here rather than by the kernel.
 */
static uint32_t takers_of(const void *context, const struct event *event,
			  const char *const names[NAMED_NUMBERS_MAX])
{
	const struct replay *replay = context;
	const struct options *options = replay->options;
	uint32_t takers = output_takers(replay->output, 0);

	if (!filter_takes_event(&options->kernel.filters, event, names))
		return 0;
	for (unsigned int i = 0; i < options->output_count; i++) {
		const struct filter_set *filters = options->outputs[i].filters;

		if (filters && filter_takes_event(filters, event, names))
			takers |= output_sink(replay->output, i)->bit;
	}
	return takers;
}

static int on_name(struct replay *replay, const struct recording_item *item)
{
	struct recording_naming naming;
	int r = recording_naming_of(item, &naming);

	if (r < 0)
		return r;
	r = names_feed(replay->names, naming.source, naming.id, naming.text);
	if (r < 0)
		log_error("cannot keep the names: %s", strerror(-r));
	return r;
}

/* -EBADMSG: netlog does not write such items. */
static int on_item(struct replay *replay, const struct recording_item *item)
{
	const uint64_t count = replay->options->count;
	int r;

	if (item->type == recording_header)
		return on_header(replay, item->origin);
	if (item->type == recording_name)
		return on_name(replay, item);
	r = lines_replay(replay->lines, item, takers_of, replay);
	replay->done |= count && replay->lines->emitted_total >= count;
	return r;
}

/* No whole item is left: read more. If that may take a while, first write what there is. */
static int more(struct replay *replay)
{
	int r;

	wait_for_any(replay, true, 0);
	while (!replay->input && !replay->done) {
		r = flush(replay);
		if (r < 0)
			return r;
		if (!replay->done)
			wait_for_long(replay, true);
	}
	r = replay->done ? 0 : recording_fill(replay->reader);
	if (r == -EAGAIN)
		return 0; /* somebody else has read it */
	if (r < 0)
		log_error("cannot read %s: %s", replay->name, strerror(-r));
	return r < 0 ? -ENODATA : 0;
}

/* Handle one item, or read more bytes. -ENODATA: the recording has ended. */
static int step(struct replay *replay)
{
	const char *path = replay->name;
	struct recording_item item;
	int r = recording_read(replay->reader, &item);

	if (r == -EAGAIN)
		return more(replay);
	if (r == -EBADMSG)
		log_error("%s: %s", path, recording_problem(replay->reader));
	if (r == -ENODATA)
		replay->done = true;
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	r = room_make(replay);
	if (r < 0 || replay->done)
		return r;
	r = on_item(replay, &item);
	if (r == -ENOMEM)
		log_error("cannot replay %s: memory is short" RECORDING_WRITTEN, path);
	if (r == -EBADMSG)
		log_error("%s: byte %llu: neither an event nor a line or name of netlog's, though "
			  "the checksum agrees; no netlog has written it" RECORDING_WRITTEN,
			  path, (unsigned long long)recording_position(replay->reader));
	return r;
}

static int run(struct replay *replay)
{
	int r = 0, failure;

	while (r == 0 && !replay->done)
		r = step(replay);
	failure = finish(replay);
	return r ?: failure;
}

int replay_run(const struct options *options, int fd, struct lines *lines)
{
	struct replay replay = {
		.options = options,
		.lines = lines,
		.output = lines->output,
		.name = strcmp(options->read_path, "-") != 0 ? options->read_path : "stdin",
		.fd = fd,
	};
	const struct names_config nowhere = {};
	struct stat status;
	sigset_t set;
	int r;

	signals_set(&set);
	replay.regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
	replay.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	r = replay.signals < 0 ? -errno : recording_reader_new(fd, &replay.reader);
	r = r ?: names_new(&nowhere, &replay.names);
	if (r == 0) {
		lines->events = options->kernel.events.bits & output_events(lines->output);
		lines_set_names(lines, replay.names);
		output_set_patient(lines->output);
		r = run(&replay);
	} else {
		log_error("cannot prepare to replay: %s", strerror(-r));
	}
	lines_set_names(lines, NULL);
	names_free(replay.names);
	recording_reader_free(replay.reader);
	if (replay.signals >= 0)
		close(replay.signals);
	return r;
}
