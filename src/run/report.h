/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report.h - what netlog says of itself in the stream: the start, reload, stats, lost and stop
 * lines, and the books behind them. For each event type, produced = emitted + lost.
 */
#ifndef NETLOG_REPORT_H
#define NETLOG_REPORT_H

#include "kernel/probe.h"
#include "run/lines.h"
#include "settings/command_line.h"

/* Each to be called only while the output is ready. The pointers are the caller's. */
struct report {
	const struct options *options;
	struct probe *probe;
	struct lines *lines;
	uint64_t thorough_at_ns; /* when missed events were last asked for */
	/* what lost lines have told of */
	struct figures told_lost;
	struct figures told_missed;
	struct figures told_broken;
	struct figures told_refused; /* to the log */
	unsigned int told_pressure;  /* in the last stats line, see probe_pressure() */
	bool unwritten;		     /* an output that was removed did not get all lines */
};

/* 128 bits each, as 32 hexadecimal digits; "": not known. */
struct run_identity {
	char boot_id[33];
	char run_id[33];
};

void report_start(struct report *report, const struct run_identity *identity);
/* After report->options has changed. */
void report_reload(struct report *report);
void report_stats(struct report *report);

/* Events lost so far, wherever, before they were lines. */
uint64_t report_lost(struct report *report);

/* Tell of what has been lost since the last time. Returns whether there was something. */
bool report_losses(struct report *report);

/*
 * A stats line, when --adaptive leaves out more than the last one told, and when it leaves out
 * nothing any more. Returns whether there is one, or it leaves out something.
 */
bool report_pressure(struct report *report);

/*
 * After a flush: log which outputs do not take lines, and which work again, as the steps they took
 * say. Returns whether one works again.
 */
bool report_outputs(struct report *report);

/*
 * Log which outputs, at their end, did not get all lines, and have not said so themselves. Returns
 * whether there are any.
 */
bool report_unwritten(const struct output *output);

/* The outputs have been removed: log and tell the others what they did not get. */
void report_removed(struct report *report, struct output *removed);

/*
 * What has been lost since the last time, and the last line; the probe is detached and its ring
 * empty. -EBADMSG (told to the log) when what the kernel counted is not what was written and lost.
 */
int report_stop(struct report *report, const char *reason);

#endif
