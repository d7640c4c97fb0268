// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sink_stream.c - whole lines to a file descriptor, without ever waiting for it.
 *
 * Setting O_NONBLOCK on an inherited descriptor would change it for the shell and all who share it.
 * So a pipe or a terminal is opened anew, for a file description of our own. Where that is refused,
 * poll(2) says when PIPE_BUF bytes can be written without waiting (pipe(7)), and no more are.
 */
#include "sink_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define BUFFER_BYTES (256 * 1024)

enum write_mode {
	WRITE_PLAIN,  /* regular files, and what does not block: our own description */
	WRITE_POLLED, /* a description shared with others */
	WRITE_SOCKET,
};

struct stream {
	struct sink sink;
	int fd;
	bool owned;
	bool pollable;
	enum write_mode mode;
	size_t line_max;
	size_t start, end; /* what is still to be written */
	char buffer[BUFFER_BYTES];
};

static struct stream *stream_of(struct sink *sink)
{
	return (struct stream *)sink; /* its first member */
}

static bool stream_ready(const struct sink *sink)
{
	const struct stream *stream = (const struct stream *)sink;

	return sizeof(stream->buffer) - stream->end >= stream->line_max;
}

static ssize_t write_some(struct stream *stream, const char *bytes, size_t length)
{
	struct pollfd pollfd = { .fd = stream->fd, .events = POLLOUT };

	switch (stream->mode) {
	case WRITE_SOCKET:
		return send(stream->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	case WRITE_POLLED:
		if (poll(&pollfd, 1, 0) == 0) {
			errno = EAGAIN;
			return -1;
		}
		return write(stream->fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
	default:
		return write(stream->fd, bytes, length);
	}
}

static int stream_flush(struct sink *sink)
{
	struct stream *stream = stream_of(sink);

	while (stream->start < stream->end) {
		ssize_t n = write_some(stream, stream->buffer + stream->start,
				       stream->end - stream->start);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			/* make room behind what is left, so that a slow reader holds no space twice
			 */
			memmove(stream->buffer, stream->buffer + stream->start,
				stream->end - stream->start);
			stream->end -= stream->start;
			stream->start = 0;
			return -EAGAIN;
		}
		if (n < 0)
			return -errno;
		stream->start += (size_t)n;
	}
	stream->start = stream->end = 0;
	return 0;
}

static void stream_write(struct sink *sink, const char *line, size_t length)
{
	struct stream *stream = stream_of(sink);

	memcpy(stream->buffer + stream->end, line, length);
	stream->end += length;
}

static int stream_fd(const struct sink *sink)
{
	const struct stream *stream = (const struct stream *)sink;

	return stream->pollable ? stream->fd : -EPERM;
}

static void stream_free(struct sink *sink)
{
	struct stream *stream = stream_of(sink);

	if (stream->owned)
		close(stream->fd);
	free(stream);
}

static const struct sink_ops stream_ops = {
	.ready = stream_ready,
	.write = stream_write,
	.flush = stream_flush,
	.fd = stream_fd,
	.free = stream_free,
};

/* The same pipe or terminal, by a file description of our own that does not block. */
static int reopen_nonblocking(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

int sink_stream_new(int fd, bool owned, size_t line_max, struct sink **ret_sink)
{
	struct stream *stream;
	struct stat status;
	int own;

	if (fstat(fd, &status) < 0)
		return -errno;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->sink.ops = &stream_ops;
	stream->fd = fd;
	stream->owned = owned;
	stream->line_max = line_max;
	if (S_ISSOCK(status.st_mode)) {
		stream->mode = WRITE_SOCKET;
		stream->pollable = true;
	} else if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
		own = owned ? -1 : reopen_nonblocking(fd); /* our own were opened so */
		if (own >= 0) {
			stream->fd = own;
			stream->owned = true;
		} else if (!owned) {
			stream->mode = WRITE_POLLED;
		}
		/* epoll refuses what cannot block, such as /dev/null */
		stream->pollable = S_ISFIFO(status.st_mode) || isatty(stream->fd);
	}
	*ret_sink = &stream->sink;
	return 0;
}

int sink_stdout_open(size_t line_max, struct sink **ret_sink)
{
	return sink_stream_new(STDOUT_FILENO, false, line_max, ret_sink);
}
