// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * log.c - one write a message, so that messages of two processes do not mix within a line.
 */
#include "log.h"

#include <stdarg.h>

static enum log_level log_max = LOG_LEVEL_INFO;

void log_set_quiet(bool quiet)
{
	log_max = quiet ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
}

void log_message(enum log_level level, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list arguments;
	int length;

	if (level > log_max)
		return;
	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		text = NULL;
		return;
	}
	dprintf(STDERR_FILENO, "netlog: %s\n", text);
}
