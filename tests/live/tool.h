/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tool.h - what the generators of traffic share. A name of a namespace is a path; "-" is the one
 * that the process is in.
 */
#ifndef NETLOG_TOOL_H
#define NETLOG_TOOL_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static inline _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(EXIT_FAILURE);
}

static inline uint64_t wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000ULL + (uint64_t)ts.tv_nsec / 1000;
}

static inline void enter(const char *netns)
{
	int fd;

	if (!strcmp(netns, "-"))
		return;
	fd = open(netns, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		fail(netns);
	close(fd);
}

#endif
