// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * main.c - runs the unit tests: all of them, or those whose FILE.NAME contains one of the arguments.
 *
 *   build/unit/tests                   all
 *   build/unit/tests writer.           those of tests/unit/writer_test.c
 *   build/unit/tests longest recording.a_damaged
 *
 * Each test runs in a process of its own, so that one that crashes (or that a sanitizer ends) fails
 * alone, and as many run at once as there are processors. A test's words are held back until it has
 * ended, so that they stand above its result: a line `ok NAME` or `not ok NAME`, and the seconds.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "test.h"

#define LIMIT_S 120
#define AT_ONCE_MAX 16

struct running {
	pid_t pid;
	int words; /* what the test prints: a file in memory */
	const struct test *test;
	double began_s;
};

struct test *tests, **tests_end = &tests;

/*
 * Tests make and free many objects of a megabyte. By default the sanitizer has the kernel clear the
 * shadow of each, page by page; to clear it by hand takes half the time. The environment's
 * ASAN_OPTIONS go before.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "clear_shadow_mmap_threshold=4194304";
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static unsigned int processors(void)
{
	cpu_set_t ours;
	int count = 1;

	if (!sched_getaffinity(0, sizeof(ours), &ours))
		count = CPU_COUNT(&ours);
	return count > AT_ONCE_MAX ? AT_ONCE_MAX : (unsigned int)count;
}

/* FILE.NAME, as in writer.the_longest_line_fits */
static void name_of(const struct test *test, char name[TEST_NAME_MAX])
{
	const char *slash = strrchr(test->file, '/'), *base = slash ? slash + 1 : test->file;
	const char *end = strstr(base, "_test.c");

	snprintf(name, TEST_NAME_MAX, "%.*s.%s", end ? (int)(end - base) : (int)strlen(base), base,
		 test->name);
}

static bool wanted(const struct test *test, char *const names[])
{
	char name[TEST_NAME_MAX];

	name_of(test, name);
	for (unsigned int i = 0; names[i]; i++)
		if (strstr(name, names[i]))
			return true;
	return !names[0];
}

static void start(struct running *slot, const struct test *test)
{
	*slot = (struct running){ .test = test, .began_s = now_s() };
	slot->words = memfd_create(test->name, MFD_CLOEXEC);
	slot->pid = slot->words < 0 ? -1 : fork();
	if (slot->pid < 0) {
		perror("tests");
		exit(EXIT_FAILURE);
	}
	if (slot->pid)
		return;
	dup2(slot->words, STDOUT_FILENO);
	dup2(slot->words, STDERR_FILENO);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(LIMIT_S);
	test->run();
	exit(EXIT_SUCCESS);
}

static void copy_words(int from)
{
	char buffer[4096];
	ssize_t n;

	lseek(from, 0, SEEK_SET);
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		fwrite(buffer, 1, (size_t)n, stdout);
	close(from);
}

/* Wait until one of them ends, and give its place back. */
static struct running *finish_one(struct running *slots, unsigned int count, bool *failed)
{
	char name[TEST_NAME_MAX];
	int status;
	pid_t pid = wait(&status);

	for (unsigned int i = 0; i < count; i++) {
		struct running *slot = &slots[i];

		if (slot->pid != pid)
			continue;
		copy_words(slot->words);
		if (WIFSIGNALED(status))
			printf("# ended by %s\n", strsignal(WTERMSIG(status)));
		name_of(slot->test, name);
		printf("%s %s (%.1f s)\n", status ? "not ok" : "ok", name, now_s() - slot->began_s);
		*failed |= status != 0;
		slot->pid = 0;
		return slot;
	}
	perror("tests: a process that is none of ours has ended");
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	struct running slots[AT_ONCE_MAX] = { 0 };
	unsigned int at_once = processors(), count = 0;
	bool failed = false;

	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct test *test = tests; test; test = test->next) {
		if (!wanted(test, argv + 1))
			continue;
		start(count < at_once ? &slots[count] : finish_one(slots, at_once, &failed), test);
		count++;
	}
	for (unsigned int left = count < at_once ? count : at_once; left; left--)
		finish_one(slots, at_once, &failed);
	if (!count)
		fprintf(stderr, "tests: no test has such a name\n");
	return failed || !count;
}
