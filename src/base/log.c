// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * log.c - one write for each message, so that messages of two processes do not mix within a line.
 *
 * If standard error is a stream of the journal, each message begins with its priority in angle
 * brackets, as in sd-daemon(3); journald removes it again.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>

#define MESSAGE_MAX 2000

static enum log_level log_max = LOG_LEVEL_INFO;

void log_set_quiet(bool quiet)
{
	log_max = quiet ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
}

/*
 * systemd passes the device and inode of the stream it made; stderr may have been redirected since.
 */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char own[48];

	if (!stream || fstat(STDERR_FILENO, &status) < 0)
		return false;
	snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)status.st_dev,
		 (unsigned long long)status.st_ino);
	return !strcmp(stream, own);
}

/*
 * A message may quote any bytes, for example from a configuration file: no terminal or journal
 * should take them for commands, and nobody wants to read a megabyte.
 */
static void clean(char *text)
{
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p == 0xc2 && (unsigned char)p[1] < 0xa0 && p[1]) /* C1 */
			p[1] = *p = '?';
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	if (strlen(text) > MESSAGE_MAX)
		strcpy(text + MESSAGE_MAX - 3, "...");
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
	clean(text);
	if (stderr_is_journal())
		dprintf(STDERR_FILENO, "<%d>%s\n", (int)level, text);
	else
		dprintf(STDERR_FILENO, "netlog: %s\n", text);
}
