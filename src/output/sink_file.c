// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sink_file.c - lines appended to a file, which others may rename, read and append to; or a
 * recording, which replaces an older one. A recording has a header at the start of each file, and
 * wherever a file was opened again. Whatever is said of lines here is true of a recording's pieces.
 *
 * Lines stay whole in every file, across reopening and rotation: both happen only at the end of a
 * line. If a full disk cuts a line in two, the first part is taken back, and the line is written
 * when there is room again; if it cannot be taken back, it is completed then.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "output/recording.h"
#include "output/sink_stream.h"

struct file {
	struct stream stream;
	char *path;
	uint64_t size; /* as far as we know; only kept with max_bytes */
	uint64_t max_bytes;
	unsigned int max_files;
};

/* O_NONBLOCK: without a reader, opening a pipe fails with ENXIO instead of waiting */
static int path_open(const char *path)
{
	int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0640);

	return fd < 0 ? -errno : fd;
}

/* Does the file end within a line, as after a crash? Readers would join our first line to it. */
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

/* Drop the rest of a line that a full disk has cut: it belongs to the old file, which is gone. */
static void torn_line_drop(struct file *file)
{
	struct stream *stream = &file->stream;

	if (!stream->torn || stream->torn > stream->sink.end)
		return;
	stream_drop(stream, stream->torn);
	file->stream.sink.lost.of[event_none]++;
}

/* Continue in the file that now has the path. If it cannot be opened, the old one stays. */
static int path_switch(struct file *file)
{
	int fd = path_open(file->path);

	if (fd < 0)
		return fd;
	close(file->stream.fd);
	file->stream.fd = fd;
	file->size = size_of(fd);
	torn_line_drop(file);
	stream_begin(&file->stream);
	return 0;
}

/* Rename the files: PATH.1 is the newest, and the one after max_files is replaced. */
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

/* How many bytes of the buffer may go into this file: whole lines, up to max_bytes. */
static size_t room(const struct file *file)
{
	const struct stream *stream = &file->stream;
	uint64_t left = file->max_bytes > file->size ? file->max_bytes - file->size : 0;
	size_t whole;

	if (!file->max_bytes || !stream->regular || stream->sink.end <= left)
		return stream->sink.end;
	whole = stream_last_end(stream, left);
	if (whole || !stream->torn)
		return whole;
	return stream_first_end(stream); /* a line that has been begun is finished here */
}

/*
 * rename(2) between two links to one file does nothing and reports success. Then the file is still
 * full.
 */
static int path_rotate_when_full(struct file *file)
{
	int r = path_rotate(file);

	if (r < 0)
		return r;
	return room(file) ? 0 : -EEXIST;
}

/*
 * Has the file been removed? Nobody could read what is written to it, so continue in a new one. If
 * its directory is gone too, fail until there is one.
 */
static int path_watch(struct file *file)
{
	struct stat status;

	if (!file->stream.regular || fstat(file->stream.fd, &status) < 0 || status.st_nlink)
		return 0;
	return path_switch(file);
}

static int file_flush(struct sink *sink)
{
	struct file *file = (struct file *)sink;
	struct stream *stream = &file->stream;
	int r = stream->sink.end ? path_watch(file) : 0;

	if (r < 0)
		return r;
	while (stream->sink.end) {
		size_t limit = room(file), before = stream->sink.end;

		if (!limit) {
			r = path_rotate_when_full(file);
			if (r < 0)
				return r;
			continue;
		}
		r = stream_flush(stream, limit);
		file->size += before - stream->sink.end;
		if (r < 0 && (r != -EAGAIN || stream->sink.end == before))
			return r;
	}
	return 0;
}

static int file_reopen(struct sink *sink)
{
	struct file *file = (struct file *)sink;

	if (!file->stream.regular)
		return 0;
	file_flush(sink); /* the rest goes to the new file */
	return path_switch(file);
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
	.flush = file_flush,
	.reopen = file_reopen,
	.configure = file_configure,
	.pending = stream_pending,
	.fd = stream_fd,
	.free = file_free,
};

/*
 * A recording replaces an older one, as those of tcpdump(8) do; if it is rotated, the older one is
 * renamed instead. Anything else is not overwritten.
 */
static int recording_begin(struct file *file, const struct sink_spec *spec)
{
	_cleanup_close_ int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	char magic[sizeof(RECORDING_MAGIC) - 1];
	ssize_t n;
	int r;

	if (!file->stream.regular || !size_of(file->stream.fd))
		return 0;
	n = fd < 0 ? -1 : pread(fd, magic, sizeof(magic), 0);
	if (n <= 0 || memcmp(magic, RECORDING_MAGIC, (size_t)n) != 0)
		return -EEXIST;
	if (spec->max_bytes) {
		file->max_files = spec->max_files;
		r = path_rotate(file);
		return r == 0 && size_of(file->stream.fd) ? -EEXIST : r; /* two links */
	}
	return ftruncate(file->stream.fd, 0) < 0 ? -errno : 0;
}

static int file_begin(struct file *file, const struct sink_spec *spec, struct maker *maker)
{
	const char *path = strchr(spec->name, ':') + 1;
	int fd, r;

	file->path = strdup(path);
	fd = file->path ? path_open(path) : -ENOMEM;
	if (fd < 0)
		return fd;
	r = stream_init(&file->stream, maker, fd, true);
	if (r < 0) {
		close(fd);
		return r;
	}
	if (spec->takes == SINK_RECORDS)
		return recording_begin(file, spec);
	if (path_torn(path))
		file->stream.sink.buffer[file->stream.sink.end++] = '\n';
	return 0;
}

int sink_file_open(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink)
{
	struct file *file = calloc(1, sizeof(*file));
	int r;

	if (!file)
		return -ENOMEM;
	file->stream.sink.ops = &file_ops;
	r = file_begin(file, spec, maker);
	if (r < 0) {
		file_free(&file->stream.sink);
		return r;
	}
	*ret_sink = &file->stream.sink;
	return 0;
}

/* `path` NULL: standard output. */
static bool same_file(const char *path, const struct stat *file)
{
	struct stat status;

	return (path ? stat(path, &status) : fstat(STDOUT_FILENO, &status)) == 0 &&
	       status.st_dev == file->st_dev && status.st_ino == file->st_ino;
}

bool sink_spec_writes_over(const struct sink_spec *spec, const struct stat *file)
{
	const char *path = strchr(spec->name, ':');
	char rotated[SINK_NAME_MAX + 16];

	if (!strcmp(spec->name, "stdout") || !strcmp(spec->name, "record:-"))
		return same_file(NULL, file);
	if (!path)
		return false;
	if (same_file(++path, file))
		return true;
	for (unsigned int i = 1; spec->max_bytes && i <= spec->max_files; i++) {
		snprintf(rotated, sizeof(rotated), "%s.%u", path, i);
		if (same_file(rotated, file))
			return true;
	}
	return false;
}
