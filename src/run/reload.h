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

/*
 * What the lines call this host: the setting, else NETLOG_HOSTNAME of the environment, else its
 * name by now.
 */
void hostname_find(const struct options *options, struct origin *origin);

/* Say what is logged, and to where. */
void announce(const struct probe *probe, const struct options *options);

void options_freep(struct options **options);

/*
 * Read the configuration file again. A thread does it, since units are looked for among all cgroups
 * of the host, once for each; and `meanwhile` is called every few milliseconds until it has. An
 * error is logged.
 */
int reload_read(const struct options *options, void (*meanwhile)(void *context), void *context,
		struct options **ret_next);

/*
 * Put all of what has been read into effect: thresholds, events among those asked for at the start,
 * outputs. Settings that cannot change while hooks are attached stay, which is logged. Lines that a
 * removed output did not write are reported in the others. On an error (logged) everything stays as
 * it was, the options included. `next` is not to be used afterwards, but to be freed.
 */
int reload(struct options *options, struct options *next, struct probe *probe,
	   struct report *report);

/* Have the kernel side make what the options ask for and these outputs take. */
void kernel_set(struct probe *probe, const struct options *options, struct output *output);

#endif
