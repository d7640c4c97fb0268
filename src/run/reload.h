/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reload.h - putting settings into effect, at the start and again while running.
 */
#ifndef NETLOG_RELOAD_H
#define NETLOG_RELOAD_H

#include "kernel/probe.h"
#include "run/report.h"
#include "settings/command_line.h"

/* The events that some output takes, as bits. Others are not made. */
uint64_t events_taken(const struct options *options);

/* What each output takes, by the bit of its sink. Options and output must have the same outputs. */
struct probe_outputs outputs_of(const struct options *options, const struct output *output);

/* Log which events are logged, and where. */
void announce(const struct probe *probe, const struct options *options);

/*
 * Read the configuration file again, and put all of it into effect: thresholds, events among those
 * asked for at the start, outputs. Settings that cannot change while hooks are attached stay, which
 * is logged. Lines that a removed output did not write are reported in the others. On an error
 * (logged) everything stays as it was, the options included.
 */
int reload(struct options *options, struct probe *probe, struct report *report);

/* Have the kernel side make what the options ask for and these outputs take. */
void kernel_set(struct probe *probe, const struct options *options, struct output *output);

#endif
