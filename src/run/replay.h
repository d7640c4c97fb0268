/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * replay.h - from a recording to the lines that the recorded run wrote, or would have written.
 */
#ifndef NETLOG_REPLAY_H
#define NETLOG_REPLAY_H

#include "run/lines.h"
#include "settings/command_line.h"

/*
 * Write the lines of the recording read from `fd` until it ends, --count is reached, standard
 * output's reader has gone, or a signal comes (signals_hold() has been called). Slow outputs are
 * waited for. The lines stay the caller's, and keep no names.
 *
 * 0, or, logged: -EBADMSG if the recording cannot be read any further, -ENODATA if it cannot be
 * read at all, -EIO if lines could not be written, -ECANCELED if an older recording does not make
 * way for them, -ENOMEM, or an error of signalfd(2).
 */
int replay_run(const struct options *options, int fd, struct lines *lines);

#endif
