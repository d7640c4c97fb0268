/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reload.h - from settings to what they set, at the start and again while it runs.
 */
#ifndef NETLOG_RELOAD_H
#define NETLOG_RELOAD_H

#include "kernel/probe.h"
#include "run/report.h"
#include "settings/command_line.h"

/* The events that some output takes, as bits: none but these are made. */
uint64_t events_taken(const struct options *options);

/* What each output takes, by its sink's bit; both have the same outputs. */
struct probe_outputs outputs_of(const struct options *options, const struct output *output);

/*
 * What the lines call this host: the setting, else NETLOG_HOSTNAME of the environment, else its
 * name by now.
 */
void hostname_find(const struct options *options, struct origin *origin);

/* Say what is logged, and to where. */
void announce(const struct probe *probe, const struct options *options);

/*
 * Read the configuration that the options come from anew, and have all of it: thresholds, events of
 * those that were asked for at the start, outputs. What cannot change while hooks are attached
 * stays, which is logged. What an output did not get that goes, is told in the others. An error
 * (logged, too): all is as it was, the options included.
 */
int reload(struct options *options, struct probe *probe, struct report *report);

/* Have the kernel side ask for what the options say and these outputs take. */
void kernel_set(struct probe *probe, const struct options *options, struct output *output);

#endif
