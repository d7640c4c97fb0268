/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * daemon.h - the event loop: ring, signals, timers and slow readers, from the start line to the
 * stop line.
 */
#ifndef NETLOG_DAEMON_H
#define NETLOG_DAEMON_H

#include "kernel/probe.h"
#include "run/lines.h"
#include "settings/command_line.h"

/*
 * Log until a signal (signals_hold() has been called), until the time is over or the count reached,
 * or until the output's reader has gone; then detach, write what is left, and the stop line. SIGHUP
 * reads the options again and changes them. Probe, lines and output stay the caller's.
 *
 * 0 if it ended as asked, also by its reader leaving. -EBADMSG if the books do not balance; -EIO if
 * lines could not be written, -ECANCELED if an output's older recording does not make way (both
 * logged); or an error of the event loop.
 */
int daemon_run(struct options *options, struct probe *probe, struct lines *lines);

#endif
