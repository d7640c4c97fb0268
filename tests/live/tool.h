/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tool.h - what the tools of the live tests share: options, namespaces, sockets, processes. Where a
 * function cannot do what its name says, the tool says why and ends with status 1.
 */
#ifndef NETLOG_TOOL_H
#define NETLOG_TOOL_H

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define TIMEOUT_S 60 /* of every read and write: a test never hangs */

/* Say what has failed, and why (errno). */
_Noreturn void fail(const char *what);

/* Microseconds since 1970 */
uint64_t wall_us(void);

/* --NAME, and where its value goes: one of these, of which a flag takes no value. */
struct tool_option {
	const char *name;
	unsigned long *number;
	const char **text;
	bool *flag;
	void (*each)(const char *value); /* for an option that may be given more than once */
};

/* Up to the row without a name. Returns the index of the first argument that is no option. */
int options_take(int argc, char **argv, const struct tool_option *options);
/* The arguments are wrong: exit status 2. */
_Noreturn void usage(const char *words);

/* Into a network namespace, by its path; "-" is the one that the process is in. */
void netns_enter(const char *path);
/* The inode of the one that the process is in, by which netlog calls it */
unsigned long netns_number(void);
void interface_up(const char *name);

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* The ends of a wire (wire.c) are where its client and its server are. */
enum host { HOST_ANY, HOST_LOOPBACK, HOST_CLIENT, HOST_SERVER };

/* Returns its size. The port is in the host's order. */
socklen_t address_make(union address *ret_address, int domain, enum host host, unsigned long port);
uint16_t address_port(const union address *address);

/* A socket whose reads and writes end after TIMEOUT_S */
int socket_make(int domain, int type);
void option_set(int fd, int level, int option, int value);
void timeouts_set(int fd, unsigned int seconds);

/* What tells a connected socket from others */
struct ends {
	unsigned int local_port, remote_port;
	unsigned long netns;
};

struct ends ends_of(int fd);
/* The beginning of a line of the truth: `role` is client or server. */
void ends_print(const char *role, const struct ends *ends);

/* fork(2), with a child that ends when its parent does. */
pid_t child_make(void);
void end_with(pid_t parent);

#endif
