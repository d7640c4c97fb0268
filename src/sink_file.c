// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sink_file.c - lines appended to a file, which others may rename, read and append to as well.
 *
 * Lines are whole in every file, also across reopening and rotation: both happen only where a line
 * has ended. A line that a full disk has cut in two is taken back and written when there is room
 * again; where it cannot be taken back, it is completed then.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "sink_stream.h"

struct file {
	struct stream stream;
	char *path;
	uint64_t size; /* as far as we know; only with max_bytes */
	uint64_t max_bytes;
	unsigned int max_files;
};

/* O_NONBLOCK matters if the path is a pipe: without a reader, ENXIO and not a wait */
static int path_open(const char *path)
{
	int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0640);

	return fd < 0 ? -errno : fd;
}

/* Does the file end within a line, as after a crash? Its readers would glue our first line to it. */
static bool path_torn(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat status;
	char last;

	return fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size &&
	       pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n';
}

static uint64_t size_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* Go on in the file that has the path now; the old one stays when there is none to be had. */
static int path_switch(struct file *file)
{
	int fd = path_open(file->path);

	if (fd < 0)
		return fd;
	close(file->stream.fd);
	file->stream.fd = fd;
	file->size = size_of(fd);
	return 0;
}

/* PATH.1 is the newest of the rotated files; the one past max_files is written over. */
static int path_rotate(struct file *file)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (unsigned int i = file->max_files; i > 0; i--) {
		int length =
			snprintf(from, sizeof(from), i > 1 ? "%s.%u" : "%s", file->path, i - 1);

		if (length < 0 || (size_t)length >= sizeof(from) - 8)
			return -ENAMETOOLONG;
		snprintf(to, sizeof(to), "%s.%u", file->path, i);
		if (rename(from, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return path_switch(file);
}

/* How much of the buffer may go into the file as it is: whole lines up to max_bytes. */
static size_t room(const struct file *file)
{
	const struct stream *stream = &file->stream;
	uint64_t left = file->max_bytes > file->size ? file->max_bytes - file->size : 0;
	const char *newline;

	if (!file->max_bytes || !stream->regular || stream->end <= left)
		return stream->end;
	newline = memrchr(stream->buffer, '\n', left);
	if (newline)
		return (size_t)(newline - stream->buffer) + 1;
	if (!stream->torn)
		return 0;
	/* what has been begun is ended here, too */
	newline = memchr(stream->buffer, '\n', stream->end);
	return newline ? (size_t)(newline - stream->buffer) + 1 : stream->end;
}

/* The rest of a line that a full disk has cut belongs to the old file; it cannot have it any more. */
static void torn_line_drop(struct file *file)
{
	struct stream *stream = &file->stream;
	const char *newline = memchr(stream->buffer, '\n', stream->end);

	if (!stream->torn || !newline)
		return;
	stream_drop(stream, (size_t)(newline - stream->buffer) + 1);
	file->stream.sink.lost.of[event_none]++;
}

/*
 * Has the file been removed? What is written to it then, nobody will ever read: go on in a new one,
 * and where its directory has gone, too, fail until there is one again.
 */
static int path_watch(struct file *file)
{
	struct stat status;
	int r;

	if (!file->stream.regular || fstat(file->stream.fd, &status) < 0 || status.st_nlink)
		return 0;
	r = path_switch(file);
	if (r == 0)
		torn_line_drop(file);
	return r;
}

static int file_flush(struct sink *sink)
{
	struct file *file = (struct file *)sink;
	struct stream *stream = &file->stream;
	int r = stream->end ? path_watch(file) : 0;

	if (r < 0)
		return r;
	while (stream->end) {
		size_t limit = room(file), before = stream->end;

		r = limit ? stream_flush(stream, limit) : path_rotate(file);

		file->size += before - stream->end;
		if (r < 0 && (r != -EAGAIN || stream->end == before))
			return r;
	}
	return 0;
}

static int file_reopen(struct sink *sink)
{
	struct file *file = (struct file *)sink;
	int r;

	if (!file->stream.regular)
		return 0;
	file_flush(sink); /* what is left goes to the new file */
	r = path_switch(file);
	if (r == 0)
		torn_line_drop(file);
	return r;
}

static void file_configure(struct sink *sink, const struct sink_spec *spec)
{
	struct file *file = (struct file *)sink;

	file->size = size_of(file->stream.fd);
	file->max_bytes = spec->max_bytes;
	file->max_files = spec->max_files;
}

static void file_free(struct sink *sink)
{
	struct file *file = (struct file *)sink;

	stream_done(&file->stream);
	free(file->path);
	free(file);
}

static const struct sink_ops file_ops = {
	.room = stream_room,
	.write = stream_write,
	.place = stream_place,
	.flush = file_flush,
	.reopen = file_reopen,
	.configure = file_configure,
	.pending = stream_pending,
	.fd = stream_fd,
	.free = file_free,
};

int sink_file_open(const struct sink_spec *spec, struct sink **ret_sink)
{
	struct file *file = calloc(1, sizeof(*file));
	int fd = -1, r;

	if (!file)
		return -ENOMEM;
	file->stream.sink.ops = &file_ops;
	file->path = strdup(strchr(spec->name, ':') + 1);
	r = file->path ? path_open(file->path) : -ENOMEM;
	if (r >= 0) {
		fd = r;
		r = stream_init(&file->stream, fd, true);
	}
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		free(file->path);
		free(file);
		return r;
	}
	if (path_torn(file->path))
		stream_write(&file->stream.sink, "\n", 1);
	*ret_sink = &file->stream.sink;
	return 0;
}
