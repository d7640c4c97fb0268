// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * oom - memory that is short once, by LD_PRELOAD.
 *
 * At each allocation the process forks: in the child this one fails, and the child runs to its end
 * with a standard output of its own, while the parent waits. Then the parent goes on, as if nothing
 * had been, to the next. Of each child there is a line on the descriptor NETLOG_OOM: the
 * allocation's number, the exit status (128 and more: a signal), and whether it said on standard
 * output what the file NETLOG_OOM_WHOLE has ("same"; "alike": the end is the same;
 * else "other") and anything on standard error
 * ("said", else "silent"), both of which have to be files. The process must have one thread.
 *
 * For a debugger: with NETLOG_OOM_ONLY=N instead, nothing forks, and allocation N fails.
 *
 * Of a process that goes on: with NETLOG_OOM_AT=FILE, nothing forks, and the file has two numbers
 * of 64 bits, to be written at any time: how many allocations there were, and which
 * of them fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

#define FILES_MAX 32
#define END_BYTES 16

static unsigned long allocations, only;
static volatile uint64_t *numbers; /* both numbers, in the file */
static int report = -1, whole = -1;
static bool ready;

static void __attribute__((constructor)) begin(void)
{
	const char *number = getenv("NETLOG_OOM"), *path = getenv("NETLOG_OOM_WHOLE");
	const char *alone = getenv("NETLOG_OOM_ONLY"), *outside = getenv("NETLOG_OOM_AT");
	int fd = outside ? open(outside, O_RDWR | O_CLOEXEC) : -1;

	if (fd >= 0) {
		numbers =
			mmap(NULL, 2 * sizeof(*numbers), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	only = alone ? strtoul(alone, NULL, 10) : 0;
	ready = only;
	if (!number || !path)
		return;
	report = atoi(number);
	whole = open(path, O_RDONLY | O_CLOEXEC);
	ready = whole >= 0;
}

static void __attribute__((destructor)) end(void)
{
	ready = false;
}

/* What has been written so far was the parent's, and would have been the child's as well. */
static int output_copy(void)
{
	int own = memfd_create("output", MFD_CLOEXEC), parents;
	off_t length = lseek(STDOUT_FILENO, 0, SEEK_CUR), at = 0;

	if (length > 0) {
		parents = open("/proc/self/fd/1", O_RDONLY | O_CLOEXEC);
		while (at < length && sendfile(own, parents, &at, (size_t)(length - at)) > 0)
			;
		close(parents);
	}
	return own;
}

static bool is_whole(int output)
{
	static char one[4096], other[4096];
	ssize_t n;

	lseek(whole, 0, SEEK_SET);
	lseek(output, 0, SEEK_SET);
	do {
		n = read(whole, one, sizeof(one));
		if (n < 0 || read(output, other, sizeof(other)) != n ||
		    memcmp(one, other, (size_t)n))
			return false;
	} while (n);
	return true;
}

/* Another output, but one that has come to its end */
static bool ends_alike(int output)
{
	char one[END_BYTES], other[END_BYTES];
	off_t a = lseek(whole, 0, SEEK_END), b = lseek(output, 0, SEEK_END);

	return a >= END_BYTES && b >= END_BYTES &&
	       pread(whole, one, sizeof(one), a - END_BYTES) == END_BYTES &&
	       pread(output, other, sizeof(other), b - END_BYTES) == END_BYTES &&
	       !memcmp(one, other, END_BYTES);
}

static off_t messages_length(void)
{
	struct stat status;

	return fstat(STDERR_FILENO, &status) == 0 ? status.st_size : 0;
}

static void child_await(pid_t child, int output, off_t before)
{
	int status = 0;

	waitpid(child, &status, 0);
	dprintf(report, "%lu %d %s %s\n", allocations,
		WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
		is_whole(output)   ? "same" :
		ends_alike(output) ? "alike" :
				     "other",
		messages_length() > before ? "said" : "silent");
}

/* Where open files are read and written: the child goes on there, and then the parent. */
static void positions(off_t at[FILES_MAX], bool restore)
{
	for (int fd = STDERR_FILENO + 1; fd < FILES_MAX; fd++)
		if (!restore)
			at[fd] = lseek(fd, 0, SEEK_CUR);
		else if (at[fd] >= 0 && fd != report)
			lseek(fd, at[fd], SEEK_SET);
}

/* Is this the child in which it fails? */
static bool fails(void)
{
	off_t before, at[FILES_MAX];
	int output;
	pid_t child;

	if (numbers) {
		errno = ENOMEM;
		return __atomic_add_fetch(&numbers[0], 1, __ATOMIC_RELAXED) == numbers[1];
	}
	if (!ready)
		return false;
	if (only) {
		errno = ENOMEM;
		return ++allocations == only;
	}
	ready = false; /* the child has no other that fails */
	allocations++;
	output = output_copy();
	before = messages_length();
	positions(at, false);
	child = fork();
	if (child == 0) {
		dup2(output, STDOUT_FILENO);
		errno = ENOMEM;
		return true;
	}
	child_await(child, output, before);
	positions(at, true);
	close(output);
	ready = true;
	return false;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

/*
 * Where memory is short for it, newlocale(3) of glibc keeps a lock that is its thread's, and which
 * freelocale(3) takes once more: of the thread that the child was forked from.
 */
void freelocale(locale_t locale)
{
	(void)locale;
}
