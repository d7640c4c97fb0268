// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "output.h"
#include "sink_stream.h"
#include "test.h"

#define LINE_MAX 4096

static char directory[] = "/tmp/netlog-test-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[128];

	if (strstr(directory, "XXXXXX"))
		CHECK(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void cleanup(const char *path)
{
	unlink(path);
	rmdir(directory);
}

static struct output *output_to(const char *path)
{
	struct output *output;
	char spec[160];

	snprintf(spec, sizeof(spec), "file:%s", path);
	CHECK_EQUAL(output_new(LINE_MAX, &output), 0);
	CHECK_EQUAL(output_add(output, spec), 0);
	return output;
}

static size_t read_all(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, size - 1);

	CHECK(n >= 0);
	text[n] = 0;
	close(fd);
	return (size_t)n;
}

TEST(a_file_is_appended_to_and_made_with_0640)
{
	const char *path = path_of("lines"), *name;
	struct output *output;
	struct stat status;
	char text[64];

	umask(0);
	for (int i = 0; i < 2; i++) {
		output = output_to(path);
		output_write(output, "{}\n", 3);
		CHECK_EQUAL(output_flush(output, &name), 0);
		output_free(output);
	}
	CHECK_EQUAL(stat(path, &status), 0);
	CHECK_EQUAL(status.st_mode & 07777, 0640);
	read_all(path, text, sizeof(text));
	CHECK_TEXT(text, "{}\n{}\n");
	cleanup(path);
}

TEST(what_cannot_be_opened_says_why)
{
	struct output *output;

	CHECK_EQUAL(output_new(LINE_MAX, &output), 0);
	CHECK_EQUAL(output_add(output, "file:/nonexistent/x"), -ENOENT);
	CHECK_EQUAL(output_add(output, "file:/"), -EISDIR);
	CHECK_EQUAL(output_add(output, "nonsense"), -EINVAL);
	output_free(output);
}

TEST(a_device_such_as_dev_null_is_only_written_to)
{
	struct output *output = output_to("/dev/null");
	struct stat status;
	const char *name;

	output_write(output, "{}\n", 3);
	CHECK_EQUAL(output_flush(output, &name), 0);
	CHECK_EQUAL(output_fd(output, 0), -EPERM); /* cannot be waited for */
	output_free(output);
	CHECK_EQUAL(stat("/dev/null", &status), 0);
	CHECK(S_ISCHR(status.st_mode));
}

TEST(a_full_device_is_an_error_with_its_name)
{
	struct output *output = output_to("/dev/full");
	const char *name = NULL;

	output_write(output, "{}\n", 3);
	CHECK_EQUAL(output_flush(output, &name), -ENOSPC);
	CHECK_TEXT(name, "file:/dev/full");
	output_free(output);
}

/* A sink on the write end of a pipe or socket that somebody else has, too. */
static struct sink *sink_on(int fd)
{
	struct sink *sink;

	CHECK_EQUAL(sink_stream_new(fd, false, LINE_MAX, &sink), 0);
	return sink;
}

/* Fill the sink with numbered lines until neither the reader's end nor its buffer takes more. */
static int fill(struct sink *sink)
{
	int count = 0, r = 0;
	char line[64];

	while (sink->ops->ready(sink)) {
		int length = snprintf(line, sizeof(line), "{\"seq\":%d}\n", count++);

		sink->ops->write(sink, line, (size_t)length);
		if (count % 100 == 0)
			r = sink->ops->flush(sink);
		CHECK(count < 1000000); /* bounded */
	}
	CHECK_EQUAL(r, -EAGAIN);
	return count;
}

/* Read all there is, while the sink writes on, and see that every line is whole and in order. */
static void drain(struct sink *sink, int fd, int count)
{
	FILE *stream = fdopen(dup(fd), "r");
	int expected = 0, seq;
	char line[64];

	while (expected < count) {
		CHECK(fgets(line, sizeof(line), stream));
		CHECK(sscanf(line, "{\"seq\":%d}", &seq) == 1 && line[strlen(line) - 1] == '\n');
		CHECK_EQUAL(seq, expected++);
		if (expected % 50 == 0)
			sink->ops->flush(sink);
	}
	CHECK_EQUAL(sink->ops->flush(sink), 0);
	CHECK(sink->ops->ready(sink));
	fclose(stream);
}

TEST(a_slow_pipe_reader_makes_it_unready_and_gets_every_line_whole)
{
	int fds[2], count;
	struct sink *sink;

	CHECK(pipe(fds) == 0);
	sink = sink_on(fds[1]);
	count = fill(sink);
	drain(sink, fds[0], count);
	sink->ops->free(sink);
}

TEST(a_slow_socket_reader_gets_every_line_whole)
{
	int fds[2], count;
	struct sink *sink;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	sink = sink_on(fds[1]);
	count = fill(sink);
	drain(sink, fds[0], count);
	sink->ops->free(sink);
}

TEST(a_pipe_that_cannot_be_opened_anew_is_never_waited_for)
{
	int fds[2], count;
	struct sink *sink;

	CHECK(pipe(fds) == 0);
	/* without CAP_DAC_OVERRIDE the pipe's mode counts, and this one lets nobody in */
	CHECK(fchmod(fds[1], 0) == 0);
	if (geteuid() == 0)
		CHECK(setuid(65534) == 0);
	sink = sink_on(fds[1]);
	count = fill(sink); /* would hang here if it waited */
	drain(sink, fds[0], count);
	sink->ops->free(sink);
}

TEST(the_inherited_descriptor_stays_blocking)
{
	struct sink *sink;
	int fds[2];

	CHECK(pipe(fds) == 0);
	sink = sink_on(fds[1]);
	CHECK(!(fcntl(fds[1], F_GETFL) & O_NONBLOCK));
	sink->ops->free(sink);
	CHECK(fcntl(fds[1], F_GETFL) >= 0); /* and open: it is not ours */
}

TEST(a_gone_reader_is_epipe)
{
	struct sink *sink;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK(pipe(fds) == 0);
	sink = sink_on(fds[1]);
	close(fds[0]);
	sink->ops->write(sink, "{}\n", 3);
	CHECK_EQUAL(sink->ops->flush(sink), -EPIPE);
	sink->ops->free(sink);
}
