/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * signals.h - the signals that end a run: SIGINT, SIGTERM, and SIGHUP where it opens nothing anew.
 */
#ifndef NETLOG_SIGNALS_H
#define NETLOG_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

void signals_set(sigset_t *ret_set);

/* Block them until somebody reads them, and ignore SIGPIPE. */
void signals_hold(void);

/* Has nohup(1) seen to it that the terminal's end does not end us? It still opens files anew. */
bool signals_hangup_ignored(void);

/* From now on they end the process at once. */
void signals_release(void);

/* The name of one of these signals. */
const char *signal_name(int number);

#endif
