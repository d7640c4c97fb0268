// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sink_stream.c - whole pieces to a file descriptor, without ever waiting for it.
 *
 * Setting O_NONBLOCK on an inherited descriptor would change it for the shell and everybody else
 * who shares it. So a pipe or terminal is opened again, for a file description of our own. If that
 * is refused, poll(2) says when PIPE_BUF bytes can be written without waiting. A pipe takes so many
 * as a whole or not at all (pipe(7)), so no more are written at once, and no line is cut if we give
 * up.
 */
#include "output/sink_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* ---- pieces ---- */

/*
 * The end of the piece that begins at `at`; beyond the buffer's contents if the piece is not whole.
 */
static size_t piece_end(const struct stream *stream, size_t at)
{
	const struct maker *maker = stream->sink.maker;
	const char *newline;

	if (!maker_makes_lines(maker)) /* other makers only put in whole pieces */
		return at + maker->ops->piece(stream->sink.buffer + at);
	newline = memchr(stream->sink.buffer + at, '\n', stream->sink.end - at);
	return newline ? (size_t)(newline - stream->sink.buffer) + 1 : stream->sink.end + 1;
}

size_t stream_last_end(const struct stream *stream, size_t limit)
{
	size_t end = stream->torn, next;
	const char *newline;

	if (maker_makes_lines(stream->sink.maker)) {
		newline = memrchr(stream->sink.buffer, '\n', limit);
		return newline ? (size_t)(newline - stream->sink.buffer) + 1 : 0;
	}
	if (end > limit)
		return 0;
	while (end < stream->sink.end && (next = piece_end(stream, end)) <= limit)
		end = next;
	return end;
}

size_t stream_first_end(const struct stream *stream)
{
	size_t end = stream->torn ?: piece_end(stream, 0);

	return end < stream->sink.end ? end : stream->sink.end;
}

/* Tell a maker who asks which pieces leave. A cut piece has left with its first part. */
static void pieces_leave(const struct stream *stream, size_t length)
{
	struct maker *maker = stream->sink.maker;

	if (length > stream->sink.end)
		length = stream->sink.end;
	if (maker->ops->leave && stream->regular && length > stream->torn)
		maker->ops->leave(maker, stream->sink.buffer + stream->torn, length - stream->torn);
}

/* Move the rest to the front, so that a slow reader does not occupy space twice. */
void stream_drop(struct stream *stream, size_t length)
{
	size_t whole = length < stream->sink.end ? stream_last_end(stream, length) : length;

	if (!length)
		return;
	pieces_leave(stream, length);
	if (whole == length)
		stream->torn = 0;
	else if (length < stream->torn)
		stream->torn -= length;
	else
		stream->torn = piece_end(stream, whole) - length;
	stream->sink.end -= length;
	memmove(stream->sink.buffer, stream->sink.buffer + length, stream->sink.end);
}

void stream_begin(struct stream *stream)
{
	struct sink *sink = &stream->sink;

	if (sink->maker->ops->begin)
		sink->end =
			sink->maker->ops->begin(sink->maker, sink->buffer, sink->end, stream->size);
}

size_t stream_pending(const struct sink *sink)
{
	const struct stream *stream = (const struct stream *)sink;
	bool (*counts)(const char *p) = sink->maker->ops->counts;
	size_t items = stream->torn && stream->torn <= sink->end, at = stream->torn;

	while (at < sink->end) {
		size_t end = piece_end(stream, at);

		items += end <= sink->end && (!counts || counts(sink->buffer + at));
		at = end;
	}
	return items;
}

size_t stream_room(const struct sink *sink)
{
	const size_t around = sink->maker->ops->around;

	return PIECES_BUFFER > sink->end + around ? PIECES_BUFFER - sink->end - around : 0;
}

/* ---- writing ---- */

/*
 * The whole lines that a pipe takes at once or not at all (pipe(7)); a longer line has to go in
 * parts. Other pieces may be cut, since their readers notice.
 */
static size_t atomic_length(const struct stream *stream, const char *bytes, size_t length)
{
	const bool lines = maker_makes_lines(stream->sink.maker);
	const char *newline = NULL;

	if (length <= PIPE_BUF || (!lines && stream->mode == STREAM_PIPE))
		return length;
	if (lines)
		newline = memrchr(bytes, '\n', PIPE_BUF);
	return newline ? (size_t)(newline - bytes) + 1 : PIPE_BUF;
}

static ssize_t write_some(struct stream *stream, const char *bytes, size_t length)
{
	struct pollfd pollfd = { .fd = stream->fd, .events = POLLOUT };

	switch (stream->mode) {
	case STREAM_SOCKET:
		return send(stream->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	case STREAM_POLLED:
		if (poll(&pollfd, 1, 0) == 0) {
			errno = EAGAIN;
			return -1;
		}
		return write(stream->fd, bytes, atomic_length(stream, bytes, length));
	case STREAM_PIPE:
		return write(stream->fd, bytes, atomic_length(stream, bytes, length));
	default:
		return write(stream->fd, bytes, length);
	}
}

/*
 * A full disk took part of a piece. Take that back, if it is still the end of the file, so that no
 * reader ever sees it. Returns how many bytes of the buffer are `written` then.
 */
static size_t untear(const struct stream *stream, size_t written)
{
	size_t line = stream_last_end(stream, written);
	off_t end = lseek(stream->fd, 0, SEEK_CUR), whole;
	struct stat status;

	if (!stream->regular || line == written || (!line && stream->torn))
		return written;
	whole = end - (off_t)(written - line);
	if (fstat(stream->fd, &status) < 0 || status.st_size != end || whole < 0 ||
	    ftruncate(stream->fd, whole) < 0)
		return written;
	lseek(stream->fd, whole, SEEK_SET);
	return line;
}

int stream_flush(struct stream *stream, size_t limit)
{
	size_t written = 0;
	int r = 0;

	if (limit > stream->sink.end)
		limit = stream->sink.end;
	while (!r && written < limit) {
		ssize_t n = write_some(stream, stream->sink.buffer + written, limit - written);

		if (n >= 0)
			written += (size_t)n;
		else if (errno != EINTR)
			r = errno == EWOULDBLOCK ? -EAGAIN : -errno;
	}
	if (r < 0 && r != -EAGAIN)
		written = untear(stream, written);
	stream_drop(stream, written);
	return r ?: stream->sink.end ? -EAGAIN : 0;
}

static int stdout_flush(struct sink *sink)
{
	return stream_flush((struct stream *)sink, SIZE_MAX);
}

int stream_fd(const struct sink *sink)
{
	const struct stream *stream = (const struct stream *)sink;

	return stream->pollable ? stream->fd : -EPERM;
}

/* Open the same pipe or terminal again, as a non-blocking file description of our own. */
static int reopen_nonblocking(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

/* Unused memory costs nothing: the buffer's extra bytes are seldom touched. */
int stream_init(struct stream *stream, struct maker *maker, int fd, bool owned)
{
	struct stat status;
	int own;

	if (fstat(fd, &status) < 0)
		return -errno;
	stream->size = PIECES_BUFFER + maker->ops->extra + 2 * OUTPUT_LINE_MAX;
	stream->sink.maker = maker;
	stream->sink.maker = maker;
	stream->sink.buffer = malloc(stream->size);
	if (!stream->sink.buffer)
		return -ENOMEM;
	stream->fd = fd;
	stream->owned = owned;
	stream->regular = S_ISREG(status.st_mode);
	if (S_ISSOCK(status.st_mode)) {
		stream->mode = STREAM_SOCKET;
		stream->pollable = true;
	} else if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
		stream->mode = STREAM_PIPE;
		own = owned ? -1 : reopen_nonblocking(fd); /* our own files are non-blocking */
		if (own >= 0) {
			stream->fd = own;
			stream->owned = true;
		} else if (!owned) {
			stream->mode = STREAM_POLLED;
		}
		/* epoll refuses descriptors that never block, such as /dev/null */
		stream->pollable = S_ISFIFO(status.st_mode) || isatty(stream->fd);
	}
	return 0;
}

void stream_done(struct stream *stream)
{
	free(stream->sink.buffer);
	if (stream->owned)
		close(stream->fd);
}

static void stdout_free(struct sink *sink)
{
	stream_done((struct stream *)sink);
	free(sink);
}

static const struct sink_ops stdout_ops = {
	.room = stream_room,
	.flush = stdout_flush,
	.pending = stream_pending,
	.fd = stream_fd,
	.free = stdout_free,
	.ends_run = true,
};

int sink_stdout_open(const struct sink_spec *spec _unused_, struct maker *maker,
		     struct sink **ret_sink)
{
	struct stream *stream;
	int r = fcntl(STDOUT_FILENO, F_GETFL);

	if (r < 0 || r & O_PATH) /* it was closed: main() has put something unwritable there */
		return -EBADF;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->sink.ops = &stdout_ops;
	r = stream_init(stream, maker, STDOUT_FILENO, false);
	if (r < 0) {
		stdout_free(&stream->sink);
		return r;
	}
	*ret_sink = &stream->sink;
	return 0;
}
