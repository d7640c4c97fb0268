// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sink_file.c - lines appended to a file, which others may rename, replace and append to as well;
 * or a recording, which is begun anew. A recording has a header at the beginning of each file, and
 * wherever one has been opened anew; what is said of lines here holds for its records.
 *
 * Lines are whole in every file, also across reopening and rotation: both happen only where a line
 * has ended. Only what we have open is ever moved: whatever else has come to the path meanwhile is
 * somebody else's.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>

#include "output/path.h"
#include "output/recording.h"
#include "output/rotation.h"
#include "output/sink_stream.h"

struct file {
	struct stream stream;
	char *path;
	char *real; /* where the file lies, when links have been followed */
	uint64_t max_bytes;
	unsigned int max_files;
	uint64_t rotated; /* the number of the newest rotated file, 0: none by us */
	uid_t owner;	  /* of that file, and of older ones that are removed */
	bool reopen;	  /* as soon as a torn line is whole */
};

static uint64_t size_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* Go on in what has the path now; the old file stays when there is none to be had. */
static int path_switch(struct file *file)
{
	char *real;
	int fd = path_open(file->path, &real), r;

	if (fd < 0)
		return fd;
	r = stream_switch(&file->stream, fd);
	if (r < 0) {
		close(fd);
		free(real);
		return r;
	}
	free(file->real);
	file->real = real;
	return 0;
}

/*
 * Is the file where it was? It may have been moved already, by us, when a new one could not be
 * opened after that; or another one has its place, which is no business of ours.
 */
static int path_is_ours(const struct file *file)
{
	struct stat own, there;

	if (fstat(file->stream.fd, &own) < 0)
		return -errno;
	if (lstat(file->real, &there) < 0)
		return errno == ENOENT ? 0 : -errno;
	return same_file(&own, &there);
}

/* Give the file, which has its own name still, that of a rotated one, and go on in a new one. */
static int path_move(struct file *file)
{
	struct stat own;
	int r;

	if (fstat(file->stream.fd, &own) < 0)
		return -errno;
	file->owner = own.st_uid;
	r = rotation_move(file->real, &file->rotated);
	if (r == -ENOENT) /* somebody has just moved or removed it, or its directory */
		r = 0;
	return r ?: path_switch(file);
}

/* Those that are too many are removed first, if that has failed before: they must not be more. */
static int path_rotate(struct file *file)
{
	struct stat own;
	int r = path_is_ours(file);

	if (r < 0)
		return r;
	if (!r)
		return path_switch(file);
	if (fstat(file->stream.fd, &own) < 0)
		return -errno;
	r = rotation_prune(file->real, own.st_uid, file->max_files) ?: path_move(file);
	if (r < 0)
		return r;
	rotation_prune(file->real, file->owner, file->max_files);
	return 0;
}

/* How many bytes of the buffer may go into this file: whole lines, up to max_bytes. */
static size_t room(const struct file *file)
{
	const struct stream *stream = &file->stream;
	uint64_t size = file->max_bytes && stream->regular ? size_of(stream->fd) : 0;
	uint64_t left = file->max_bytes > size ? file->max_bytes - size : 0;
	size_t whole;

	if (!file->max_bytes || !stream->regular || stream->sink.end <= left)
		return stream->sink.end;
	whole = stream_last_end(stream, left);
	if (whole || !stream->torn)
		return whole;
	return stream_first_end(stream); /* a line that has been begun is finished here */
}

/* Somebody else's file that has the place may be full, too: not now again, but at the next try. */
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

/* It has been asked for while a line was torn, of which the old file gets the rest first. */
static int reopen_when_whole(struct file *file)
{
	struct stream *stream = &file->stream;
	int r = stream->torn ? stream_flush(stream, stream->torn) : 0;

	if (stream->torn)
		return r;
	file->reopen = false;
	return path_switch(file);
}

static int file_flush(struct sink *sink)
{
	struct file *file = (struct file *)sink;
	struct stream *stream = &file->stream;
	int r = stream->sink.end ? path_watch(file) : 0;

	if (r == 0 && file->reopen)
		r = reopen_when_whole(file);
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
		if (r < 0 && (r != -EAGAIN || stream->sink.end == before))
			return r;
	}
	return 0;
}

/* A pipe is opened anew only if it is another one: it may have no reader just now. */
static bool is_pipe_still(const struct file *file)
{
	struct stat own, there;

	return !file->stream.regular && fstat(file->stream.fd, &own) == 0 &&
	       stat(file->path, &there) == 0 && same_file(&own, &there);
}

static int file_reopen(struct sink *sink)
{
	struct file *file = (struct file *)sink;

	if (is_pipe_still(file))
		return 0;
	file_flush(sink); /* what is left goes to the new file */
	if (file->stream.regular && file->stream.torn) {
		file->reopen = true;
		return 0;
	}
	return path_switch(file);
}

/* ---- beginning ---- */

/* Does it begin as a recording does? Asked of the file that is open, not of what has its path. */
static bool is_recording(int fd)
{
	_cleanup_close_ int again = path_open_again(fd, O_RDONLY);
	char magic[sizeof(RECORDING_MAGIC) - 1];
	ssize_t n = again < 0 ? -1 : pread(again, magic, sizeof(magic), 0);

	return n > 0 && !memcmp(magic, RECORDING_MAGIC, (size_t)n);
}

/* Which ftruncate(2) and rename(2) refuse, though it is open for writing. */
static bool is_append_only(int fd)
{
	struct statx status;

	return statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &status) == 0 &&
	       status.stx_attributes & STATX_ATTR_APPEND;
}

/*
 * A recording takes the place of an older one, as those of tcpdump(8) do; one that is rotated
 * moves the older one out of the way. But nothing else is written over; nor is one that has another
 * name, which a link gives away: who may make links where we record could choose what we empty.
 * Returns whether there is an older one.
 */
static int older_check(int fd, const char *path, const char *real, bool rotated)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!status.st_size)
		return 0;
	if (!is_recording(fd))
		return -EEXIST;
	if (is_append_only(fd))
		return -EPERM;
	if (rotated)
		return rotation_check(real) ?: 1;
	if (strcmp(real, path) != 0)
		return -ELOOP;
	return status.st_nlink > 1 ? -EMLINK : 1;
}

static int recording_check(const struct file *file)
{
	if (maker_makes_lines(file->stream.sink.maker) || !file->stream.regular)
		return 0;
	return older_check(file->stream.fd, file->path, file->real, file->max_bytes);
}

static int file_move(struct sink *sink)
{
	struct file *file = (struct file *)sink;
	int r = recording_check(file);

	if (r <= 0 || !file->max_bytes)
		return r < 0 ? r : 0;
	r = path_is_ours(file);
	if (r >= 0)
		r = r ? path_move(file) : path_switch(file);
	return r == 0 && size_of(file->stream.fd) ? -EEXIST : r;
}

static int file_begin(struct sink *sink)
{
	struct file *file = (struct file *)sink;
	int r;

	if (file->max_bytes) {
		if (file->rotated)
			rotation_prune(file->real, file->owner, file->max_files);
		return 0;
	}
	r = recording_check(file);
	if (r > 0)
		r = ftruncate(file->stream.fd, 0) < 0 ? -errno : 0;
	return r;
}

static void file_configure(struct sink *sink, const struct sink_spec *spec)
{
	struct file *file = (struct file *)sink;

	file->max_bytes = spec->max_bytes;
	file->max_files = spec->max_files;
}

static void file_free(struct sink *sink)
{
	struct file *file = (struct file *)sink;

	stream_done(&file->stream);
	free(file->path);
	free(file->real);
	free(file);
}

static const struct sink_ops file_ops = {
	.room = stream_room,
	.move = file_move,
	.begin = file_begin,
	.flush = file_flush,
	.reopen = file_reopen,
	.configure = file_configure,
	.pending = stream_pending,
	.fd = stream_fd,
	.status = stream_status,
	.free = file_free,
};

static int file_open(struct file *file, const struct sink_spec *spec, struct maker *maker)
{
	const char *path = strchr(spec->name, ':') + 1;
	int fd, r;

	file->path = strdup(path);
	fd = file->path ? path_open(path, &file->real) : -ENOMEM;
	if (fd < 0)
		return fd;
	r = stream_init(&file->stream, maker, fd, true);
	if (r < 0) {
		close(fd);
		return r;
	}
	file->stream.switches = true;
	file_configure(&file->stream.sink, spec);
	r = recording_check(file);
	if (r < 0)
		return r;
	stream_begin(&file->stream);
	return 0;
}

int sink_file_open(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink)
{
	struct file *file = calloc(1, sizeof(*file));
	int r;

	if (!file)
		return -ENOMEM;
	file->stream.sink.ops = &file_ops;
	r = file_open(file, spec, maker);
	if (r < 0) {
		file_free(&file->stream.sink);
		return r;
	}
	*ret_sink = &file->stream.sink;
	return 0;
}

/* Could a file of that path be made? */
static int new_check(char *path)
{
	if (path[strlen(path) - 1] == '/')
		return -EISDIR;
	return faccessat(AT_FDCWD, dirname(path), W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/*
 * One that is there is opened, which leaves no trace. A pipe is not: its reader would see the end,
 * and may come later.
 */
int sink_file_check(const struct sink_spec *spec)
{
	const char *path = strchr(spec->name, ':') + 1;
	_cleanup_free_ char *real = NULL;
	_cleanup_close_ int fd = -1;
	struct stat status;
	int r = path_find(path, &real);

	if (r < 0)
		return r;
	if (stat(real, &status) < 0)
		return errno == ENOENT ? new_check(real) : -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (S_ISSOCK(status.st_mode))
		return -ENXIO;
	if (!S_ISREG(status.st_mode))
		return faccessat(AT_FDCWD, real, W_OK, AT_EACCESS) < 0 ? -errno : 0;
	fd = open(real, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = spec->takes == SINK_RECORDS ? older_check(fd, path, real, spec->max_bytes) : 0;
	return r < 0 ? r : 0;
}

/* `path`: NULL: standard output */
static bool is_file(const char *path, const struct stat *file)
{
	struct stat status;

	return (path ? stat(path, &status) : fstat(STDOUT_FILENO, &status)) == 0 &&
	       same_file(&status, file);
}

bool sink_name_leads_to(const char *name, const struct stat *file)
{
	const char *path = strchr(name, ':');

	if (!strcmp(name, "stdout") || !strcmp(name, "record:-"))
		return is_file(NULL, file);
	return path && is_file(path + 1, file);
}

/* Rotated files are beside the file, wherever links lead; the oldest of them is removed. */
static bool is_rotated(const char *path, const struct stat *file)
{
	_cleanup_free_ char *real = NULL;

	return path_find(path, &real) == 0 && rotation_has(real, file);
}

bool sink_spec_writes_over(const struct sink_spec *spec, const struct stat *file)
{
	return sink_name_leads_to(spec->name, file) ||
	       (spec->max_bytes && is_rotated(strchr(spec->name, ':') + 1, file));
}
