/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refilter.h - filters follow cgroups that come and go: a restarted unit has another one.
 */
#ifndef NETLOG_REFILTER_H
#define NETLOG_REFILTER_H

#include <systemd/sd-event.h>

#include "kernel/probe.h"
#include "settings/command_line.h"

struct refilter {
	sd_event *loop;
	struct options *options;
	struct probe *probe;
	struct output *output;
	int inotify; /* reports that a cgroup may exist again; -1: nothing is watched */
	int logged;  /* the error logged last: each new cgroup could cause it again */
};

/*
 * Begin, with everything but the last two members filled in: filters follow --cgroup and --unit
 * from now on. Nothing is watched if no filter names a cgroup; if watching fails, that is logged.
 * An error of sd-event. End with refilter_done().
 */
int refilter_init(struct refilter *refilter);
void refilter_done(struct refilter *refilter);

/* To be called after the options have changed. */
void refilter_update(struct refilter *refilter);

#endif
