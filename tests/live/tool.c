// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tool.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#define OPTIONS_MAX 32

_Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(EXIT_FAILURE);
}

uint64_t wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000ULL + (uint64_t)ts.tv_nsec / 1000;
}

/* ---- options ---- */

_Noreturn void usage(const char *words)
{
	fprintf(stderr, "usage: %s %s\n", program_invocation_short_name, words);
	exit(2);
}

static void option_take(const struct tool_option *option, const char *value)
{
	char *end;

	if (option->flag)
		*option->flag = true;
	if (option->text)
		*option->text = value;
	if (option->each)
		option->each(value);
	if (!option->number)
		return;
	errno = 0;
	*option->number = strtoul(value, &end, 10);
	if (errno || end == value || *end) {
		fprintf(stderr, "%s: --%s: %s is not a number\n", program_invocation_short_name,
			option->name, value);
		exit(2);
	}
}

int options_take(int argc, char **argv, const struct tool_option *options)
{
	struct option longs[OPTIONS_MAX + 1] = {};
	int chosen;

	for (int i = 0; options[i].name; i++) {
		if (i == OPTIONS_MAX) {
			errno = E2BIG;
			fail("options");
		}
		longs[i].name = options[i].name;
		longs[i].has_arg = options[i].flag ? no_argument : required_argument;
		longs[i].val = i + 1;
	}
	while ((chosen = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (chosen == '?')
			exit(2); /* it has said why */
		option_take(&options[chosen - 1], optarg);
	}
	return optind;
}

/* ---- namespaces and interfaces ---- */

void netns_enter(const char *path)
{
	int fd;

	if (!strcmp(path, "-"))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		fail(path);
	close(fd);
}

unsigned long netns_number(void)
{
	struct stat netns;

	if (stat("/proc/self/ns/net", &netns) < 0)
		fail("/proc/self/ns/net");
	return netns.st_ino;
}

void interface_up(const char *name)
{
	struct ifreq request = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		fail(name);
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail(name);
	close(fd);
}

/* ---- sockets ---- */

socklen_t address_make(union address *ret_address, int domain, enum host host, unsigned long port)
{
	static const char *const texts[][2] = {
		[HOST_ANY] = { "0.0.0.0", "::" },
		[HOST_LOOPBACK] = { "127.0.0.1", "::1" },
		[HOST_CLIENT] = { "10.77.0.1", "fd77::1" },
		[HOST_SERVER] = { "10.77.0.2", "fd77::2" },
	};

	*ret_address = (union address){};
	if (domain == AF_INET) {
		ret_address->in.sin_family = AF_INET;
		ret_address->in.sin_port = htons((uint16_t)port);
		inet_pton(AF_INET, texts[host][0], &ret_address->in.sin_addr);
		return sizeof(ret_address->in);
	}
	ret_address->in6.sin6_family = AF_INET6;
	ret_address->in6.sin6_port = htons((uint16_t)port);
	inet_pton(AF_INET6, texts[host][1], &ret_address->in6.sin6_addr);
	return sizeof(ret_address->in6);
}

uint16_t address_port(const union address *address)
{
	_Static_assert(offsetof(struct sockaddr_in, sin_port) ==
			       offsetof(struct sockaddr_in6, sin6_port),
		       "the port stands at the same place");
	return ntohs(address->in6.sin6_port);
}

int socket_make(int domain, int type)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	timeouts_set(fd, TIMEOUT_S);
	return fd;
}

void option_set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		fail("setsockopt");
}

void timeouts_set(int fd, unsigned int seconds)
{
	struct timeval timeout = { .tv_sec = seconds };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		fail("setsockopt");
}

struct ends ends_of(int fd)
{
	union address local = {}, remote = {};
	socklen_t local_size = sizeof(local), remote_size = sizeof(remote);

	if (getsockname(fd, &local.any, &local_size) < 0 ||
	    getpeername(fd, &remote.any, &remote_size) < 0)
		fail("a connected socket");
	return (struct ends){ address_port(&local), address_port(&remote), netns_number() };
}

void ends_print(const char *role, const struct ends *ends)
{
	printf("{\"role\":\"%s\",\"pid\":%d,\"local_port\":%u,\"remote_port\":%u,\"netns\":%lu",
	       role, getpid(), ends->local_port, ends->remote_port, ends->netns);
}

/* ---- processes ---- */

void end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it has ended before that */
		_exit(EXIT_FAILURE);
}

pid_t child_make(void)
{
	pid_t parent = getpid(), child = fork();

	if (child < 0)
		fail("fork");
	if (!child)
		end_with(parent);
	return child;
}
