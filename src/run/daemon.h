/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * daemon.h - the event loop: ring, signals, timers, slow readers; from the start line to the stop
 * line.
 */
#ifndef NETLOG_DAEMON_H
#define NETLOG_DAEMON_H

#include "kernel/probe.h"
#include "run/lines.h"
#include "settings/command_line.h"

/*
 * Log until a signal (signals_hold() has been called), the end of the time or of the count, or
 * until the output's reader has gone; then detach, write what is left, and the stop line. SIGHUP
 * reads the options anew, and they change. The probe, the lines and the output stay the caller's.
 *
 * 0 when it ended as asked, the reader's going included. -EBADMSG when the books do not balance,
 * -EIO when lines could not be written (told to the log), or an error of the event loop.
 */
int daemon_run(struct options *options, struct probe *probe, struct lines *lines);

#endif
