/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * log.h - messages for people, to stderr; stdout belongs to the lines.
 *
 * Nobody waits for who reads them: a message that stderr does not take is dropped and counted, and
 * the next one that it takes tells how many were.
 */
#ifndef NETLOG_LOG_H
#define NETLOG_LOG_H

#include <stdbool.h>

#include "base/util.h"

enum log_level {
	LOG_LEVEL_ERROR = 3, /* the numbers of syslog(3) */
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
};

/*
 * Find out what stderr is, as long as it may be opened anew; else the first message does. stderr
 * stays as it is for those who share it.
 */
void log_open(void);

/* The last chance to tell of messages that were dropped. */
void log_close(void);

/* Leave out what is only informative (--quiet). */
void log_set_quiet(bool quiet);

/* Write "netlog: " (in the journal, the priority), the message and a newline, all at once. */
void log_message(enum log_level level, const char *format, ...) _printf_(2, 3);

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)

#endif
