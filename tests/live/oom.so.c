// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * oom - memory that is short once: by LD_PRELOAD, the allocation of the number in NETLOG_OOM fails,
 * counted from 1; and with NETLOG_OOM_COUNT, how many there were goes to that descriptor at the end.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static unsigned long allocations, failing;
static bool ready;

static void __attribute__((constructor)) begin(void)
{
	const char *number = getenv("NETLOG_OOM");

	failing = number ? strtoul(number, NULL, 10) : 0;
	ready = true;
}

static void __attribute__((destructor)) end(void)
{
	const char *fd = getenv("NETLOG_OOM_COUNT");

	ready = false;
	if (fd)
		dprintf(atoi(fd), "%lu\n", allocations);
}

static bool fails(void)
{
	if (!ready || ++allocations != failing)
		return false;
	errno = ENOMEM;
	return true;
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
