// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * log.c - one write for each message, so that messages of two processes do not mix within a line.
 *
 * If standard error is a stream of the journal, each message begins with its priority in angle
 * brackets, as in sd-daemon(3); journald removes it again.
 */
#include "base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/text.h"

#define MESSAGE_MAX 2000

static enum log_level log_max = LOG_LEVEL_INFO;

static struct {
	bool open;
	int fd;
	bool socket;
	bool polled; /* it may block, so it is asked before each message */
	bool torn;   /* the last one was cut */
	unsigned long long dropped;
} target;

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
 * should take them for commands, and nobody wants to read a megabyte. Of a message that is no
 * UTF-8, journalctl(1) shows only that there is a blob.
 */
static void clean(char *text)
{
	char *end = text + MESSAGE_MAX - strlen("...");
	size_t length, left = strlen(text);
	const bool long_one = left > MESSAGE_MAX;

	for (char *p = text; left; p += length, left -= length) {
		bool shown;

		length = text_character(p, left, &shown);
		if (!shown)
			memset(p, '?', length);
	}
	while (long_one && (*end & 0xc0) == 0x80) /* within a character */
		end--;
	if (long_one)
		strcpy(end, "...");
}

/* O_NONBLOCK of a description that is shared would be everybody's, so we have one of our own. */
void log_open(void)
{
	struct stat status;
	int own;

	target.open = true;
	target.fd = STDERR_FILENO;
	if (fstat(STDERR_FILENO, &status) < 0 || S_ISREG(status.st_mode))
		return;
	target.socket = S_ISSOCK(status.st_mode);
	if (target.socket)
		return;
	own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	target.polled = own < 0;
	if (own >= 0)
		target.fd = own;
}

/* At once, or not at all; a pipe takes so little whole or not at all (pipe(7)). */
static ssize_t put(const char *bytes, size_t length)
{
	struct pollfd pollfd = { .fd = target.fd, .events = POLLOUT };

	if (target.socket)
		return send(target.fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (target.polled && poll(&pollfd, 1, 0) == 0)
		return -1;
	return write(target.fd, bytes, length);
}

/* The message, and before it how many have not got through. `text`: NULL: only that. */
static void tell(enum log_level level, const char *text)
{
	char bytes[MESSAGE_MAX + 256], prefix[16] = "netlog: ";
	size_t length = 0;
	ssize_t n;

	if (stderr_is_journal())
		snprintf(prefix, sizeof(prefix), "<%d>", (int)level);
	if (target.torn)
		bytes[length++] = '\n';
	if (target.dropped)
		length +=
			(size_t)sprintf(bytes + length,
					"%s%llu messages were dropped: stderr did not take them\n",
					prefix, target.dropped);
	if (text)
		length += (size_t)snprintf(bytes + length, sizeof(bytes) - length, "%s%s\n", prefix,
					   text);
	n = put(bytes, length);
	if (n != (ssize_t)length) {
		target.dropped += text != NULL;
		target.torn |= n > 0;
		return;
	}
	target.dropped = 0;
	target.torn = false;
}

void log_close(void)
{
	if (target.dropped)
		tell(LOG_LEVEL_WARNING, NULL);
}

void log_message(enum log_level level, const char *format, ...)
{
	_cleanup_free_ char *made = NULL;
	char cut[256], *text;
	va_list arguments;

	if (level > log_max)
		return;
	va_start(arguments, format);
	if (vasprintf(&made, format, arguments) < 0)
		made = NULL;
	va_end(arguments);
	text = made ?: cut;
	if (!made) { /* memory is short, which may be what the message says */
		va_start(arguments, format);
		vsnprintf(cut, sizeof(cut), format, arguments);
		va_end(arguments);
	}
	clean(text);
	if (!target.open)
		log_open();
	tell(level, text);
}
