// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sink_stream.c - whole pieces to a file descriptor, without ever waiting for it.
 *
 * A file never gets shorter, nor anything but the rest behind a piece that was cut: room is asked
 * for before pieces are written (reserve.h). Where a file system does not give any, a full disk may
 * cut one; then nothing else is written before its rest.
 *
 * Setting O_NONBLOCK on an inherited descriptor would change it for the shell and all who share it.
 * So a pipe or a terminal is opened anew, for a file description of our own. Where that is refused,
 * poll(2) says when PIPE_BUF bytes can be written without waiting. No more are written at once to a
 * pipe: it takes so much whole or not at all (pipe(7)), and no line is cut when we have to give up.
 */
#include "output/sink_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "output/path.h"
#include "output/reserve.h"

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
	if (maker->ops->leave && stream->switches && length > stream->torn)
		maker->ops->leave(maker, stream->sink.buffer + stream->torn, length - stream->torn);
}

/* Move the rest to the front, so that a slow reader does not occupy space twice. */
void stream_drop(struct stream *stream, size_t length)
{
	size_t whole = length < stream->sink.end ? stream_last_end(stream, length) : length;

	if (!length)
		return;
	pieces_leave(stream, length);
	if (whole != length && length < stream->torn) {
		stream->torn -= length;
	} else {
		stream->torn = whole == length ? 0 : piece_end(stream, whole) - length;
		stream->torn_lost = false;
	}
	stream->sink.end -= length;
	memmove(stream->sink.buffer, stream->sink.buffer + length, stream->sink.end);
}

/* A pipe and the like end nowhere. */
static bool ends_within_a_line(const struct stream *stream)
{
	_cleanup_close_ int fd = stream->regular ? path_open_again(stream->fd, O_RDONLY) : -1;
	struct stat status;
	char last;

	return fd >= 0 && fstat(fd, &status) == 0 && status.st_size &&
	       pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n';
}

void stream_begin(struct stream *stream)
{
	struct sink *sink = &stream->sink;

	if (sink->maker->ops->begin) {
		sink->end =
			sink->maker->ops->begin(sink->maker, sink->buffer, sink->end, stream->size);
	} else if (maker_makes_lines(sink->maker) && ends_within_a_line(stream)) {
		memmove(sink->buffer + 1, sink->buffer, sink->end++);
		sink->buffer[0] = '\n';
	}
}

size_t stream_pending(const struct sink *sink)
{
	const struct stream *stream = (const struct stream *)sink;
	bool (*counts)(const char *p) = sink->maker->ops->counts;
	size_t items = stream->torn && stream->torn <= sink->end && !stream->torn_lost;
	size_t at = stream->torn;

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

/* Where the next byte will be written. */
static off_t position(const struct stream *stream)
{
	struct stat status;

	if (!(fcntl(stream->fd, F_GETFL) & O_APPEND))
		return lseek(stream->fd, 0, SEEK_CUR);
	return fstat(stream->fd, &status) < 0 ? -1 : status.st_size;
}

/* A torn piece is lost, once: what ends it may be cut off as well. */
static void torn_lose(struct stream *stream)
{
	stream->sink.lost.of[event_none] += !stream->torn_lost;
	stream->torn_lost = true;
}

/*
 * The rest of a torn piece can no longer be written behind its front: the file has been cut, or
 * somebody has written there. What is half there is ended, and is lost.
 */
static void rest_drop(struct stream *stream, off_t at)
{
	const bool lines = maker_makes_lines(stream->sink.maker);

	torn_lose(stream);
	stream_drop(stream, stream->torn - (lines && at ? 1 : 0)); /* all but the newline */
	stream->torn_end = at;
	if (!lines)
		stream_begin(stream);
}

/*
 * Of the first *length bytes, as many as there is room for in the file: whole pieces, or the rest
 * of a torn one. An error, if there is none.
 */
static int room_find(struct stream *stream, off_t at, size_t *length)
{
	size_t less;
	int r;

	while ((r = reserve(stream->fd, at, *length)) < 0) {
		if (!reserve_refused(r)) {
			stream->unreserved = true;
			return 0;
		}
		less = stream_last_end(stream, *length / 2) ?: stream_first_end(stream);
		if (less >= *length)
			return r;
		*length = less;
	}
	return 0;
}

/* The same, with the least of it where the last try has failed: it may fail for long. */
static int room_of_file(struct stream *stream, size_t *length)
{
	off_t at = position(stream);
	size_t first;

	if (at < 0)
		return 0; /* whatever is wrong, write(2) will say */
	if (stream->torn && at != stream->torn_end)
		rest_drop(stream, at);
	if (*length > stream->sink.end)
		*length = stream->sink.end;
	first = stream_first_end(stream);
	if (stream->sink.state == SINK_FAILING && first < *length)
		*length = first;
	return stream->unreserved ? 0 : room_find(stream, at, length);
}

/* Until it fails; *ret_written has become of them. */
static int write_all(struct stream *stream, size_t length, size_t *ret_written)
{
	size_t written = 0;
	int r = 0;

	while (!r && written < length) {
		ssize_t n = write_some(stream, stream->sink.buffer + written, length - written);

		if (n >= 0)
			written += (size_t)n;
		else if (errno != EINTR)
			r = errno == EWOULDBLOCK ? -EAGAIN : -errno;
	}
	*ret_written = written;
	return r;
}

int stream_flush(struct stream *stream, size_t limit)
{
	int r = 0;

	if (limit > stream->sink.end)
		limit = stream->sink.end;
	while (!r && limit) {
		size_t length = limit, written = 0;

		r = stream->regular ? room_of_file(stream, &length) : 0;
		r = r ?: write_all(stream, length, &written);
		stream_drop(stream, written);
		if (stream->torn && written)
			stream->torn_end = lseek(stream->fd, 0, SEEK_CUR);
		limit -= written;
		if (limit > stream->sink.end)
			limit = stream->sink.end;
	}
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

int stream_status(const struct sink *sink, struct stat *ret_status)
{
	return fstat(((const struct stream *)sink)->fd, ret_status) < 0 ? -errno : 0;
}

/* What the descriptor is decides how it is written to. */
static int kind_find(struct stream *stream, int fd, bool owned)
{
	struct stat status;
	int own;

	if (fstat(fd, &status) < 0)
		return -errno;
	stream->fd = fd;
	stream->owned = owned;
	stream->regular = S_ISREG(status.st_mode);
	stream->unreserved = false;
	stream->pollable = false;
	stream->mode = STREAM_PLAIN;
	if (S_ISSOCK(status.st_mode)) {
		stream->mode = STREAM_SOCKET;
		stream->pollable = true;
	} else if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
		stream->mode = STREAM_PIPE;
		own = owned ? -1 :
			      path_open_again(fd, O_WRONLY); /* our own files are non-blocking */
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

/* Memory that is not used costs nothing: what is extra is seldom touched. */
int stream_init(struct stream *stream, struct maker *maker, int fd, bool owned)
{
	int r;

	stream->size = PIECES_BUFFER + maker->ops->extra + 2 * OUTPUT_LINE_MAX;
	stream->sink.maker = maker;
	stream->sink.buffer = malloc(stream->size);
	if (!stream->sink.buffer)
		return -ENOMEM;
	r = kind_find(stream, fd, owned);
	if (r < 0)
		stream->owned = false;
	return r;
}

int stream_switch(struct stream *stream, int fd)
{
	const int old = stream->fd;
	int r = kind_find(stream, fd, true);

	if (r < 0)
		return r;
	close(old);
	if (stream->torn && stream->torn <= stream->sink.end) {
		torn_lose(stream);
		stream_drop(stream, stream->torn);
	}
	stream_begin(stream);
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
	.status = stream_status,
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
