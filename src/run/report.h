/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report.h - netlog's reports about itself in the stream: the start, reload, stats, lost and stop
 * lines, and the books behind them. For each event type, produced = emitted + lost.
 */
#ifndef NETLOG_REPORT_H
#define NETLOG_REPORT_H

#include "kernel/probe.h"
#include "run/lines.h"
#include "settings/command_line.h"

/* Functions may be called only while the output is ready. The pointers are the caller's. */
struct report {
	const struct options *options;
	struct probe *probe;
	struct lines *lines;
	uint64_t thorough_at_ns; /* when missed events were last asked for */
	/* what lost lines have reported */
	struct figures reported_lost;
	struct figures reported_missed;
	struct figures reported_undecodable;
	struct figures reported_refused; /* to the log */
	unsigned int reported_pressure;	 /* in the last stats line, see probe_pressure() */
	bool unwritten;			 /* an output that was removed did not get all lines */
	bool stopped;			 /* the last line has been written */
};

/* 128 bits each, as 32 hexadecimal digits; "": unknown. */
struct run_identity {
	char boot_id[33];
	char run_id[33];
};

void report_start(struct report *report, const struct run_identity *identity);
/* To be called after report->options has changed. */
void report_reload(struct report *report);
void report_stats(struct report *report);

/* The number of events lost so far, before they were lines. */
uint64_t report_lost(struct report *report);

/* Write lost lines about new losses. Returns whether there were any; none after the last line. */
bool report_losses(struct report *report);

/*
 * Write a stats line if --adaptive leaves out more than in the last one, or has stopped to leave
 * out events. Returns whether there is a line, or events are being left out.
 */
bool report_pressure(struct report *report);

/* After outputs were removed: log what they did not write, and report it in the other outputs. */
void report_removed(struct report *report, struct output *removed);

/*
 * Report new losses, and write the last line; the probe is detached, and its ring empty. -EBADMSG
 * (logged) if the kernel's count differs from what was written and lost.
 */
int report_stop(struct report *report, const char *reason);

#endif
