/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refilter.h - filters follow cgroups that come and go: a restarted unit has another one.
 */
#ifndef NETLOG_REFILTER_H
#define NETLOG_REFILTER_H

#include <systemd/sd-event.h>

#include "kernel/probe.h"
#include "settings/command_line.h"

struct refilter_look;

struct refilter {
	sd_event *loop;
	struct options *options;
	struct probe *probe;
	struct output *output;
	int inotify;	      /* one that is filtered by may be there again; -1: not watched */
	int told;	      /* the error that has been logged: it may come with each cgroup */
	sd_event_source *due; /* when the next look may begin */
	struct refilter_look *look; /* that a thread is making; NULL: none */
	bool wanted;		    /* one more look, behind that */
	uint64_t next_ns;	    /* not before that */
};

/*
 * Begin, with all down to `output` filled in, and have filters follow --cgroup and --unit from now
 * on. Where no cgroup is filtered by, nothing is watched; where they cannot be watched, that is
 * logged. An error of sd-event. End with refilter_done().
 */
int refilter_init(struct refilter *refilter);
void refilter_done(struct refilter *refilter);

/* To be called after the options have changed. */
void refilter_update(struct refilter *refilter);

#endif
