// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Files that others follow, fill, move, cut and link. Line number i is i in 999 digits.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "output/recording.h"
#include "test.h"
#include "texts.h"

/* ---- a file system as the test wants it */

static bool no_reserve;	       /* none is given beforehand */
static off_t room = INT64_MAX; /* of a file, and then there is no space */
static unsigned int reserves;  /* times that it was asked for */
static bool limit_hidden;      /* RLIMIT_FSIZE cannot be seen */
static const char *first_to;   /* where somebody else moves the next file, a moment before us */

int fallocate(int fd, int mode, off_t at, off_t length)
{
	reserves++;
	if (no_reserve || at + length > room) {
		errno = no_reserve ? EOPNOTSUPP : ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_fallocate, fd, mode, at, length);
}

int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
	if (!limit_hidden || resource != RLIMIT_FSIZE)
		return prlimit(0, resource, NULL, limit);
	*limit = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	return 0;
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to,
	      unsigned int flags)
{
	if (first_to)
		CHECK_EQUAL(rename(from, first_to), 0);
	first_to = NULL;
	return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
}

/* A file gets no longer than this; the kernel cuts what is written there. */
static void limit_set(rlim_t bytes)
{
	const struct rlimit limit = { bytes, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* ---- a file, and its lines */

static char directory[] = "/tmp/netlog-test-XXXXXX";

static const char *path_of(const char *name)
{
	static char paths[8][128];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	if (strstr(directory, "XXXXXX"))
		CHECK(mkdtemp(directory));
	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

/* All that a test has made; main() runs each in a process of its own. */
static void __attribute__((destructor)) directory_remove(void)
{
	char command[64];

	if (strstr(directory, "XXXXXX"))
		return;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	if (system(command) != 0)
		printf("# %s stays\n", directory);
}

/* An output such as "file:lines,max-size=65536"; the path is in the test's directory. */
static void spec_parse(const char *text, struct sink_spec *ret_spec)
{
	const char *path = strchr(text, ':') + 1;
	char *message, whole[256];

	snprintf(whole, sizeof(whole), "%.*s%s", (int)(path - text), text, path_of(path));
	CHECK_SAYING(sink_spec_parse(whole, NULL, ret_spec, &message) == 0, "%s: %s", text,
		     message);
}

static int output_open(const char *text, struct output **ret_output)
{
	struct output *output, *removed;
	struct sink_spec spec;
	const char *failed;
	int r;

	spec_parse(text, &spec);
	CHECK_EQUAL(output_new(&texts, &output) ?: output_new(NULL, &removed), 0);
	r = output_configure(output, &spec, 1, removed, &failed) ?: output_begin(output, &failed);
	output_free(removed);
	if (r == 0)
		*ret_output = output;
	else
		output_free(output);
	return r;
}

static struct output *output_with(const char *text)
{
	struct output *output;

	CHECK_EQUAL(output_open(text, &output), 0);
	return output;
}

/* So many lines of 1000 bytes, with a flush now and then. */
static void write_lines(struct output *output, int from, int to)
{
	char line[1001];

	for (int i = from; i <= to; i++) {
		snprintf(line, sizeof(line), "%0999d\n", i);
		write_text(output, event_none, line, 1000);
		if (i % 7 == 0)
			output_flush(output, 0);
	}
	output_flush(output, 0);
}

/* The file has these lines and no others. */
static void check_lines(const char *path, int from, int to)
{
	FILE *stream = fopen(path, "r");
	char line[1001];

	CHECK_SAYING(stream, "%s", path);
	for (; from <= to; from++) {
		CHECK_SAYING(fgets(line, sizeof(line), stream), "%s: line %d", path, from);
		CHECK_EQUAL(strtol(line, NULL, 10), from);
	}
	CHECK_SAYING(!fgets(line, sizeof(line), stream), "%s: %s", path, line);
	fclose(stream);
}

static bool is_there(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

/* 65 lines fill a file; a greater number is a newer one. */
TEST(a_file_rotates_by_itself_at_line_ends_and_keeps_so_many)
{
	const char *path = path_of("lines");
	struct output *output = output_with("file:lines,max-size=65536,max-files=2");
	char old[128];

	write_lines(output, 1, 300);
	output_free(output);
	check_lines(path, 261, 300);
	for (int i = 1; i <= 5; i++) {
		snprintf(old, sizeof(old), "%s.%d", path, i);
		CHECK_EQUAL(is_there(old), i == 3 || i == 4);
		if (is_there(old))
			check_lines(old, 65 * i - 64, 65 * i);
	}
}

TEST(a_rotated_file_keeps_its_name_for_life_also_in_the_next_run)
{
	const char *path = path_of("lines");
	struct output *output = output_with("file:lines,max-size=65536");
	char old[128], packed[136];

	snprintf(old, sizeof(old), "%s.1", path);
	write_lines(output, 1, 66);
	check_lines(old, 1, 65);
	write_lines(output, 67, 140);
	check_lines(old, 1, 65);
	output_free(output);
	/* one that was compressed since has its number still */
	snprintf(old, sizeof(old), "%s.2", path);
	snprintf(packed, sizeof(packed), "%s.gz", old);
	CHECK_EQUAL(rename(old, packed), 0);
	output = output_with("file:lines,max-size=65536");
	write_lines(output, 141, 200);
	output_free(output);
	CHECK(!is_there(old));
	snprintf(old, sizeof(old), "%s.3", path);
	check_lines(old, 131, 195);
}

/* When all of them have been taken away, too. */
TEST(a_number_is_not_given_twice)
{
	const char *path = path_of("lines");
	struct output *output = output_with("file:lines,max-size=65536");
	char old[128];

	snprintf(old, sizeof(old), "%s.1", path);
	write_lines(output, 1, 66);
	CHECK_EQUAL(unlink(old), 0);
	write_lines(output, 67, 131);
	CHECK(!is_there(old));
	snprintf(old, sizeof(old), "%s.2", path);
	check_lines(old, 66, 130);
	output_free(output);
}

/* A directory, a link, a file whose name only looks so; one that is another user's, if we may. */
TEST(rotation_removes_and_replaces_nothing_of_others)
{
	static const char *const others[] = { "lines.1",    "lines.2", "lines.03",
					      "lines.4.gz", "lines.x", "lines.99999999999999999",
					      "lines.",	    "linesx.5" };
	const char *path = path_of("lines");
	struct output *output;
	char other[128];

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		FILE *file;

		snprintf(other, sizeof(other), "%s/%s", directory, others[i]);
		if (i < 2) {
			CHECK_EQUAL(i ? symlink("/dev/null", other) : mkdir(other, 0700), 0);
			continue;
		}
		file = fopen(other, "w");
		CHECK(file);
		fclose(file);
	}
	output = output_with("file:lines,max-size=65536,max-files=1");
	write_lines(output, 1, 300);
	output_free(output);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		snprintf(other, sizeof(other), "%s/%s", directory, others[i]);
		CHECK_SAYING(is_there(other), "%s", other);
	}
	check_lines(path, 261, 300);
	snprintf(other, sizeof(other), "%s.8", path);
	check_lines(other, 196, 260);
	snprintf(other, sizeof(other), "%s.7", path);
	CHECK(!is_there(other));
}

/* As after a rotation whose new file could not be made. */
TEST(a_file_that_has_been_moved_already_is_not_moved_again)
{
	const char *path = path_of("lines");
	struct output *output = output_with("file:lines,max-size=65536,max-files=2");
	char moved[128], old[128];

	snprintf(moved, sizeof(moved), "%s.1", path);
	snprintf(old, sizeof(old), "%s.2", path);
	write_lines(output, 1, 65);
	CHECK_EQUAL(rename(path, moved), 0);
	CHECK_EQUAL(mkdir(path, 0700), 0);
	for (int i = 66; i < 70; i++) {
		write_lines(output, i, i);
		CHECK_EQUAL(output_sink(output, 0)->error, -EISDIR);
	}
	CHECK(is_there(path) && !is_there(old));
	CHECK_EQUAL(rmdir(path), 0);
	CHECK_EQUAL(output_flush(output, 1), 0);
	output_free(output);
	check_lines(moved, 1, 65);
	check_lines(path, 66, 69);
}

/* It was there when we looked. */
TEST(a_file_that_is_moved_while_it_is_rotated_costs_no_line)
{
	const char *path = path_of("lines"), *aside = path_of("aside");
	struct output *output = output_with("file:lines,max-size=65536,max-files=2");

	write_lines(output, 1, 65);
	first_to = aside;
	write_lines(output, 66, 66);
	CHECK(!first_to && !output_sink(output, 0)->error);
	write_lines(output, 67, 70);
	output_free(output);
	check_lines(aside, 1, 65);
	check_lines(path, 66, 70);
}

static off_t size_of(const char *name)
{
	struct stat status;

	CHECK_EQUAL(stat(path_of(name), &status), 0);
	return status.st_size;
}

TEST(a_full_disk_gets_as_many_whole_lines_as_fit_and_the_rest_later)
{
	struct output *output = output_with("file:lines");

	room = 10999;
	write_lines(output, 1, 100);
	CHECK_EQUAL(output_sink(output, 0)->error, -ENOSPC);
	CHECK_EQUAL(size_of("lines"), 10000);
	/* it is tried again, with little */
	reserves = 0;
	CHECK_EQUAL(output_flush(output, 1), -EAGAIN);
	CHECK_EQUAL(size_of("lines"), 10000);
	CHECK_EQUAL(reserves, 1);
	room = 11000;
	CHECK_EQUAL(output_flush(output, 2), -EAGAIN);
	CHECK_EQUAL(size_of("lines"), 11000);
	room = 77777;
	CHECK_EQUAL(output_flush(output, 3), -EAGAIN);
	CHECK_EQUAL(size_of("lines"), 77000);
	room = INT64_MAX;
	CHECK_EQUAL(output_flush(output, 4), 0);
	output_free(output);
	check_lines(path_of("lines"), 1, 100);
}

TEST(a_file_at_its_limit_is_an_error_and_has_whole_lines)
{
	struct output *output = output_with("file:lines");

	limit_set(10999);
	write_lines(output, 1, 100);
	CHECK_EQUAL(output_sink(output, 0)->error, -EFBIG);
	CHECK_EQUAL(size_of("lines"), 10000);
	limit_set(RLIM_INFINITY);
	CHECK_EQUAL(output_flush(output, 1), 0);
	output_free(output);
	check_lines(path_of("lines"), 1, 100);
}

/* Where a shell has opened it, and a write begins where the last one ended. */
TEST(standard_output_that_is_a_file_is_no_other)
{
	int fd = open(path_of("lines"), O_WRONLY | O_CREAT | O_EXCL, 0600);
	const struct sink_spec spec = { .name = "stdout", .events = UINT64_MAX };
	struct output *output, *removed;
	const char *failed;

	fflush(stdout);
	CHECK(dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
	CHECK_EQUAL(output_new(&texts, &output) ?: output_new(NULL, &removed), 0);
	CHECK_EQUAL(output_configure(output, &spec, 1, removed, &failed), 0);
	output_free(removed);
	limit_set(10999);
	write_lines(output, 1, 50);
	CHECK_EQUAL(output_sink(output, 0)->error, -EFBIG);
	CHECK_EQUAL(size_of("lines"), 10000);
	limit_set(RLIM_INFINITY);
	room = 20999;
	CHECK_EQUAL(output_flush(output, 1), -EAGAIN);
	CHECK_EQUAL(size_of("lines"), 20000);
	room = INT64_MAX;
	CHECK_EQUAL(output_flush(output, 2), 0);
	output_free(output);
	check_lines(path_of("lines"), 1, 50);
}

/* The 11th line is cut in two. */
static struct output *torn(void)
{
	struct output *output = output_with("file:lines");

	no_reserve = true;
	limit_hidden = true;
	limit_set(10400);
	write_lines(output, 1, 20);
	CHECK_EQUAL(output_sink(output, 0)->error, -EFBIG);
	CHECK_EQUAL(size_of("lines"), 10400);
	return output;
}

TEST(a_file_system_that_reserves_nothing_may_cut_a_line_and_gets_its_rest_before_all_else)
{
	struct output *output = torn();

	for (int i = 1; i < 10; i++) {
		CHECK_EQUAL(output_flush(output, (uint64_t)i), -EAGAIN);
		CHECK_EQUAL(size_of("lines"), 10400);
	}
	limit_set(10600);
	CHECK_EQUAL(output_flush(output, 10), -EAGAIN);
	CHECK_EQUAL(size_of("lines"), 10600);
	limit_set(RLIM_INFINITY);
	CHECK_EQUAL(output_flush(output, 11), 0);
	CHECK_EQUAL(output_sink(output, 0)->lost.of[event_none], 0);
	output_free(output);
	check_lines(path_of("lines"), 1, 20);
}

TEST(what_is_opened_anew_while_a_line_is_torn_gets_lines_when_it_is_whole)
{
	struct output *output = torn();

	CHECK_EQUAL(rename(path_of("lines"), path_of("old")), 0);
	CHECK_EQUAL(output_reopen(output), 0);
	CHECK_EQUAL(output_flush(output, 1), -EAGAIN);
	CHECK(!is_there(path_of("lines")));
	limit_set(RLIM_INFINITY);
	CHECK_EQUAL(output_flush(output, 2), 0);
	output_free(output);
	check_lines(path_of("old"), 1, 11);
	check_lines(path_of("lines"), 12, 20);
}

TEST(a_half_line_that_others_have_written_behind_is_ended_and_lost)
{
	struct output *output = torn();
	FILE *file = fopen(path_of("lines"), "a");
	char line[1024];

	limit_set(RLIM_INFINITY);
	fputs("other", file);
	fclose(file);
	CHECK_EQUAL(output_flush(output, 1), 0);
	CHECK_EQUAL(output_sink(output, 0)->lost.of[event_none], 1);
	output_free(output);
	CHECK_EQUAL(size_of("lines"), 10400 + 5 + 1 + 9000);
	file = fopen(path_of("lines"), "r");
	CHECK_EQUAL(fseek(file, 10000, SEEK_SET), 0);
	CHECK(fgets(line, sizeof(line), file) && strlen(line) == 406);
	CHECK_TEXT(line + 400, "other\n");
	CHECK(fgets(line, sizeof(line), file));
	CHECK_EQUAL(strtol(line, NULL, 10), 12);
	fclose(file);
}

static void others_write(const char *text)
{
	FILE *file = fopen(path_of("lines"), "a");

	limit_set(RLIM_INFINITY);
	fputs(text, file);
	fclose(file);
}

TEST(a_half_line_is_lost_once_though_its_end_has_to_wait_and_others_write_again)
{
	struct output *output = torn();
	struct sink *sink = output_sink(output, 0);

	for (int i = 1; i <= 3; i++) {
		others_write("other");
		limit_set((rlim_t)size_of("lines")); /* no room for the newline that ends it */
		CHECK_EQUAL(output_flush(output, (uint64_t)i), -EAGAIN);
		CHECK_EQUAL(sink->lost.of[event_none], 1);
		CHECK_EQUAL(sink->ops->pending(sink), 9);
	}
	CHECK_EQUAL(truncate(path_of("lines"), 0), 0);
	limit_set(RLIM_INFINITY);
	CHECK_EQUAL(output_flush(output, 4), 0);
	CHECK_EQUAL(sink->lost.of[event_none], 1);
	output_free(output);
	check_lines(path_of("lines"), 12, 20);
}

TEST(of_a_half_line_that_others_have_cut_off_no_rest_is_written)
{
	struct output *output = torn();

	limit_set(RLIM_INFINITY);
	CHECK_EQUAL(truncate(path_of("lines"), 0), 0);
	CHECK_EQUAL(output_flush(output, 1), 0);
	CHECK_EQUAL(output_sink(output, 0)->lost.of[event_none], 1);
	output_free(output);
	check_lines(path_of("lines"), 12, 20);
}

/* ---- links, pipes */

TEST(a_link_is_followed_and_stays_where_it_is_when_the_file_rotates)
{
	struct stat status;
	struct output *output;

	CHECK_EQUAL(mkdir(path_of("far"), 0700), 0);
	CHECK_EQUAL(symlink("far/next", path_of("lines")), 0);
	CHECK_EQUAL(symlink(path_of("far/real"), path_of("far/next")), 0); /* which is not there */
	output = output_with("file:lines,max-size=65536");
	write_lines(output, 1, 70);
	CHECK_EQUAL(output_reopen(output), 0);
	write_lines(output, 71, 140);
	output_free(output);
	CHECK(lstat(path_of("lines"), &status) == 0 && S_ISLNK(status.st_mode));
	CHECK(lstat(path_of("far/next"), &status) == 0 && S_ISLNK(status.st_mode));
	check_lines(path_of("far/real.1"), 1, 65);
	check_lines(path_of("far/real.2"), 66, 130);
	check_lines(path_of("far/real"), 131, 140);
}

TEST(a_ring_of_links_is_an_error)
{
	struct output *output;

	CHECK(symlink("b", path_of("a")) == 0 && symlink("a", path_of("b")) == 0);
	CHECK_EQUAL(output_open("file:a", &output), -ELOOP);
}

/* Who may make links where we write could have us write anywhere. */
TEST(a_link_of_another_user_is_not_followed)
{
	struct output *output, *other;

	if (geteuid() != 0) {
		printf("# not root: nothing to see\n");
		return;
	}
	output = output_with("file:lines");
	write_lines(output, 1, 1);
	CHECK_EQUAL(symlink("victim", path_of("link")), 0);
	CHECK_EQUAL(lchown(path_of("link"), 65534, 65534), 0);
	CHECK_EQUAL(output_open("file:link", &other), -ELOOP);
	CHECK_EQUAL(output_open("record:link", &other), -ELOOP);
	CHECK_EQUAL(rename(path_of("link"), path_of("lines")), 0); /* the file is gone */
	CHECK_EQUAL(output_reopen(output), -ELOOP);
	write_lines(output, 2, 2);
	CHECK_EQUAL(output_sink(output, 0)->error, -ELOOP);
	CHECK(!is_there(path_of("victim")));
	CHECK_EQUAL(unlink(path_of("lines")), 0);
	CHECK_EQUAL(output_flush(output, 1), 0);
	output_free(output);
	check_lines(path_of("lines"), 2, 2);
}

/* A pipe that a shell has, by which /dev/stdout is another name of it. */
TEST(links_of_the_kernel_lead_to_what_is_open)
{
	struct output *output, *removed;
	struct sink_spec spec;
	const char *failed;
	char *message, text[8];
	int fds[2];

	CHECK(pipe(fds) == 0);
	fflush(stdout);
	CHECK(dup2(fds[1], STDOUT_FILENO) == STDOUT_FILENO);
	CHECK_EQUAL(sink_spec_parse("file:/dev/stdout,max-size=65536", NULL, &spec, &message), 0);
	CHECK_EQUAL(output_new(&texts, &output) ?: output_new(NULL, &removed), 0);
	CHECK_EQUAL(output_configure(output, &spec, 1, removed, &failed), 0);
	write_text(output, event_none, "{}\n", 3);
	CHECK_EQUAL(output_flush(output, 0), 0);
	CHECK_EQUAL(read(fds[0], text, sizeof(text)), 3);
	output_free(removed);
	output_free(output);
}

/* A recording, as of an earlier run. */
static void recording_make(const char *name)
{
	char text[64];
	struct origin origin = { .hostname = "web1" };
	struct output *output;

	snprintf(text, sizeof(text), "record:%s", name);
	output = output_with(text);
	output_set_origin(output, &origin);
	CHECK_EQUAL(output_flush(output, 0), 0);
	output_free(output);
	CHECK(size_of(name) > 0);
}

TEST(nothing_is_emptied_that_has_another_name)
{
	struct output *output;

	recording_make("r");
	recording_make("r"); /* it is written over */
	CHECK_EQUAL(symlink("r", path_of("link")), 0);
	CHECK_EQUAL(output_open("record:link", &output), -ELOOP);
	CHECK_EQUAL(link(path_of("r"), path_of("hard")), 0);
	CHECK_EQUAL(output_open("record:hard", &output), -EMLINK);
	CHECK_EQUAL(output_open("record:r", &output), -EMLINK);
	CHECK(size_of("r") > 0);
	/* nor is anything lost where the older one is moved */
	CHECK_EQUAL(output_open("record:link,max-size=65536", &output), 0);
	output_free(output);
	CHECK(size_of("r.1") > 0);
	CHECK_EQUAL(size_of("r"), 0);
}

static void text_put(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");

	CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* Have the output these sinks, whose paths are in the test's directory; see output_open(). */
static int configure(struct output *output, const char *const *texts_of, unsigned int count)
{
	struct sink_spec specs[OUTPUT_SINKS_MAX];
	struct output *removed;
	const char *failed;
	int r;

	for (unsigned int i = 0; i < count; i++)
		spec_parse(texts_of[i], &specs[i]);
	CHECK_EQUAL(output_new(NULL, &removed), 0);
	r = output_configure(output, specs, count, removed, &failed);
	output_free(removed);
	return r;
}

TEST(an_older_recording_stays_until_all_else_has_succeeded)
{
	static const char *const outputs[] = { "record:r", "record:rotated,max-size=65536",
					       "file:missing/x" };
	struct output *output;
	const char *failed;
	off_t size;

	recording_make("r");
	recording_make("rotated");
	size = size_of("r");
	/* a start, of which more than outputs may fail */
	CHECK_EQUAL(output_new(&texts, &output), 0);
	CHECK_EQUAL(configure(output, outputs, 3), -ENOENT);
	CHECK_EQUAL(configure(output, outputs, 2), 0);
	CHECK(size_of("r") == size && size_of("rotated") == size &&
	      !is_there(path_of("rotated.1")));
	output_free(output);
	CHECK(size_of("r") == size && size_of("rotated") == size &&
	      !is_there(path_of("rotated.1")));
	/* a reload */
	output = output_with("file:lines");
	CHECK_EQUAL(configure(output, outputs, 3), -ENOENT);
	CHECK(size_of("r") == size && size_of("rotated") == size &&
	      !is_there(path_of("rotated.1")));
	CHECK_EQUAL(configure(output, outputs, 2), 0);
	CHECK(!size_of("r") && !size_of("rotated") && size_of("rotated.1") == size);
	output_free(output);
	/* and what has come meanwhile is no recording */
	CHECK_EQUAL(output_new(&texts, &output), 0);
	CHECK_EQUAL(configure(output, outputs, 1), 0);
	text_put("r", "my thesis\n");
	CHECK_EQUAL(output_begin(output, &failed), -EEXIST);
	CHECK_TEXT(failed, output_sink(output, 0)->name);
	CHECK_EQUAL(size_of("r"), 10);
	output_free(output);
}

/* Is it told, beforehand and at opening, at a start and at a reload, that one file has two names? */
static void check_two_names(const char *first, const char *second)
{
	const char *const outputs[] = { first, second };
	struct sink_spec specs[2];
	struct output *output;

	for (int i = 0; i < 2; i++)
		spec_parse(outputs[i], &specs[i]);
	CHECK_EQUAL(sink_spec_check(specs, 0), 0);
	CHECK_SAYING(sink_spec_check(specs, 1) == -ENOTUNIQ, "%s, %s", first, second);
	CHECK_EQUAL(output_new(&texts, &output), 0);
	CHECK_SAYING(configure(output, outputs, 2) == -ENOTUNIQ, "%s, %s", first, second);
	CHECK_EQUAL(configure(output, outputs, 1), 0);
	CHECK_SAYING(configure(output, outputs, 2) == -ENOTUNIQ, "%s, %s", first, second);
	/* nor may the one take the place of the other: that has lines left */
	CHECK_EQUAL(configure(output, outputs + 1, 1), -ENOTUNIQ);
	CHECK_EQUAL(output->count, 1);
	output_free(output);
}

TEST(two_outputs_to_one_file_by_two_names_are_refused)
{
	static const char *const devices[] = { "file:null", "file:null2", "record:null3" };
	struct output *output;
	int reader;

	check_two_names("file:new", "file:./new"); /* there is none yet */
	text_put("lines", "{}\n");
	check_two_names("file:lines", "file:./lines");
	CHECK_EQUAL(symlink("lines", path_of("soft")), 0);
	check_two_names("file:lines", "file:soft");
	check_two_names("file:soft", "file:lines");
	CHECK_EQUAL(link(path_of("lines"), path_of("hard")), 0);
	check_two_names("file:lines", "file:hard,max-size=65536");
	unlink(path_of("new"));
	check_two_names("file:new", "record:./new");
	recording_make("r");
	check_two_names("record:r", "record:./r");
	CHECK(size_of("r") > 0);
	/* two writers of a pipe would cut long lines and records of each other */
	CHECK_EQUAL(mkfifo(path_of("fifo"), 0600), 0);
	reader = open(path_of("fifo"), O_RDONLY | O_NONBLOCK);
	check_two_names("file:fifo", "file:./fifo");
	close(reader);

	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(symlink("/dev/null", path_of(strchr(devices[i], ':') + 1)), 0);
	CHECK_EQUAL(output_new(&texts, &output), 0);
	CHECK_EQUAL(configure(output, devices, 3), 0);
	output_free(output);
}

TEST(no_output_is_among_the_files_that_another_one_rotates)
{
	static const char *const outputs[] = { "file:lines,max-size=65536", "file:lines.1",
					       "file:lines.2,max-size=65536" };
	struct output *output;

	for (unsigned int i = 1; i < 3; i++) {
		const char *const back[] = { outputs[i], outputs[0] };

		CHECK_EQUAL(output_new(&texts, &output), 0);
		CHECK_EQUAL(configure(output, back, 1), 0);
		CHECK_EQUAL(configure(output, back, 2), -ENOTUNIQ);
		output_free(output);
	}
	output = output_with(outputs[0]);
	CHECK_EQUAL(configure(output, outputs, 2), -ENOTUNIQ);
	output_free(output);
}

TEST(a_reload_that_would_have_an_output_rotate_into_another_ones_file_is_refused)
{
	static const char *const before[] = { "file:lines", "file:lines.1" };
	static const char *const after[] = { "file:lines,max-size=65536", "file:lines.1" };
	static const char *const reverse[] = { "file:lines.1", "file:lines,max-size=65536" };
	struct output *output;

	CHECK_EQUAL(output_new(&texts, &output), 0);
	CHECK_EQUAL(configure(output, before, 2), 0);
	CHECK_EQUAL(configure(output, after, 2), -ENOTUNIQ);
	CHECK_EQUAL(configure(output, reverse, 2), -ENOTUNIQ);
	CHECK_EQUAL(configure(output, before, 2), 0);
	output_free(output);
}

/* A start fails because one recording cannot be moved: then none has been emptied. */
TEST(a_recording_is_not_emptied_before_others_have_moved)
{
	static const char *const outputs[] = { "record:a", "record:deep/b,max-size=65536" };
	const char *failed = "";
	struct output *output;

	recording_make("a");
	CHECK_EQUAL(mkdir(path_of("deep"), 0700), 0);
	recording_make("deep/b");
	CHECK_EQUAL(output_new(&texts, &output), 0);
	CHECK_EQUAL(configure(output, outputs, 2), 0);
	/* no greater number is left */
	text_put("deep/b.999999999999999", "");
	CHECK_EQUAL(output_begin(output, &failed), -EOVERFLOW);
	CHECK_TEXT(failed, output_sink(output, 1)->name);
	CHECK(size_of("a") > 0);
	CHECK(size_of("deep/b") > 0);
	unlink(path_of("deep/b.999999999999999"));
	CHECK_EQUAL(output_begin(output, &failed), 0);
	CHECK_EQUAL(size_of("a"), 0);
	CHECK(size_of("deep/b.1") > 0);
	output_free(output);
}

TEST(a_link_that_leads_to_another_outputs_file_by_now_is_not_followed)
{
	static const char *const outputs[] = { "file:a", "file:b" };
	struct output *output = output_with(outputs[0]);

	CHECK_EQUAL(configure(output, outputs, 2), 0);
	CHECK(unlink(path_of("b")) == 0 && symlink("a", path_of("b")) == 0);
	CHECK_EQUAL(output_reopen(output), -EEXIST);
	CHECK(unlink(path_of("b")) == 0);
	CHECK_EQUAL(output_reopen(output), 0);
	output_free(output);
}

static void check_pipe(int reader, int number)
{
	char line[1001] = "";

	CHECK_EQUAL(read(reader, line, 1000), 1000);
	CHECK_EQUAL(strtol(line, NULL, 10), number);
}

TEST(a_file_that_a_pipe_has_replaced_and_the_other_way_round)
{
	struct output *output = output_with("file:lines,max-size=65536");
	const struct sink *sink = output_sink(output, 0);
	int reader;

	write_lines(output, 1, 1);
	CHECK_EQUAL(sink->ops->fd(sink), -EPERM);
	CHECK_EQUAL(rename(path_of("lines"), path_of("old")), 0);
	CHECK_EQUAL(mkfifo(path_of("lines"), 0600), 0);
	CHECK_EQUAL(output_reopen(output), -ENXIO); /* nobody reads there */
	write_lines(output, 2, 2);
	check_lines(path_of("old"), 1, 2);
	reader = open(path_of("lines"), O_RDONLY | O_NONBLOCK);
	CHECK_EQUAL(output_reopen(output), 0);
	write_lines(output, 3, 3);
	check_pipe(reader, 3);
	CHECK(sink->ops->fd(sink) >= 0); /* to be watched */
	write_lines(output, 4, 140);
	CHECK_EQUAL(sink->error, 0);
	CHECK_EQUAL(sink->state, SINK_BEHIND);
	CHECK(!is_there(path_of("lines.1")));
	for (int i = 4; i <= 140; i++) {
		check_pipe(reader, i);
		output_flush(output, 0);
	}
	CHECK_EQUAL(unlink(path_of("lines")), 0);
	CHECK_EQUAL(output_reopen(output), 0);
	write_lines(output, 141, 142);
	output_free(output);
	check_lines(path_of("lines"), 141, 142);
}
