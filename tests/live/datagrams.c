// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * datagrams - UDP between two network namespaces, and the truth about it.
 *
 * The client, in the first namespace, sends --messages datagrams of --bytes bytes, one after the
 * other; the server, in the second, answers each with one of the same size. At the end both print
 * what they are and how many they have received, as `traffic` does.
 *
 * --segments N: the client gives the host N datagrams at a time, in one piece (UDP_SEGMENT).
 *
 *   datagrams --client NETNS --server NETNS [--family 4|6] [--messages N] [--bytes N]
 *             [--segments N]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

#define TIMEOUT_S 60 /* of every read: a test never hangs */
#define DATAGRAM_MAX 65507

static const char *client_netns = "-", *server_netns = "-";
static unsigned long family = 4, messages = 1, bytes = 1, segments = 1;
static char buffer[DATAGRAM_MAX];

static int socket_in(const char *netns)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int fd;

	enter(netns);
	fd = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fd;
}

/* The port stands at the same place in sockaddr_in. */
static socklen_t address_of(const char *host, uint16_t port, struct sockaddr_in6 *ret_address)
{
	*ret_address = (struct sockaddr_in6){
		.sin6_family = family == 6 ? AF_INET6 : AF_INET,
		.sin6_port = port,
	};
	if (family == 6) {
		inet_pton(AF_INET6, host, &ret_address->sin6_addr);
		return sizeof(struct sockaddr_in6);
	}
	inet_pton(AF_INET, host, &((struct sockaddr_in *)ret_address)->sin_addr);
	return sizeof(struct sockaddr_in);
}

static void print_truth(const char *role, int fd, unsigned long received)
{
	struct sockaddr_in6 local = {}, remote = {};
	socklen_t length = sizeof(local);
	struct stat netns;

	getsockname(fd, (struct sockaddr *)&local, &length);
	length = sizeof(remote);
	getpeername(fd, (struct sockaddr *)&remote, &length);
	if (stat("/proc/self/ns/net", &netns) < 0)
		fail("/proc/self/ns/net");
	printf("{\"role\":\"%s\",\"pid\":%d,\"local_port\":%u,\"remote_port\":%u,\"netns\":%lu,"
	       "\"messages\":%lu}\n",
	       role, getpid(), ntohs(local.sin6_port), ntohs(remote.sin6_port), netns.st_ino,
	       received);
	fflush(stdout);
}

static void serve(int fd)
{
	for (unsigned long i = 0; i < messages; i++) {
		struct sockaddr_in6 peer = {};
		socklen_t length = sizeof(peer);

		if (recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&peer, &length) < 0)
			fail("receive");
		if (i == 0 && connect(fd, (struct sockaddr *)&peer, length) < 0)
			fail("answer to the client");
		if (send(fd, buffer, bytes, 0) < 0)
			fail("answer");
	}
	print_truth("server", fd, messages);
	exit(EXIT_SUCCESS);
}

static void use(int fd)
{
	int size = (int)bytes;

	if (segments > 1 && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) < 0)
		fail("UDP_SEGMENT");
	for (unsigned long i = 0; i < messages; i++) {
		if (i % segments == 0 && send(fd, buffer, bytes * segments, 0) < 0)
			fail("send");
		if (recv(fd, buffer, sizeof(buffer), 0) < 0)
			fail("receive");
	}
	print_truth("client", fd, messages);
}

static void arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "client", required_argument, NULL, 'c' },
		{ "server", required_argument, NULL, 's' },
		{ "family", required_argument, NULL, 'f' },
		{ "messages", required_argument, NULL, 'm' },
		{ "bytes", required_argument, NULL, 'b' },
		{ "segments", required_argument, NULL, 'g' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		unsigned long value = optarg ? strtoul(optarg, NULL, 10) : 0;

		switch (option) {
		case 'c':
			client_netns = optarg;
			break;
		case 's':
			server_netns = optarg;
			break;
		case 'f':
			family = value;
			break;
		case 'm':
			messages = value;
			break;
		case 'b':
			bytes = value < DATAGRAM_MAX ? value : DATAGRAM_MAX;
			break;
		case 'g':
			segments = value;
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 address;
	int client, server, status = 0;
	socklen_t length;
	pid_t child;

	arguments(argc, argv);
	if (!segments || messages % segments || bytes * segments > DATAGRAM_MAX)
		exit(2);
	server = socket_in(server_netns);
	length = address_of(family == 6 ? "fd77::2" : "10.77.0.2", 0, &address);
	if (bind(server, (struct sockaddr *)&address, length) < 0 ||
	    getsockname(server, (struct sockaddr *)&address, &length) < 0)
		fail("bind");
	child = fork();
	if (child < 0)
		fail("fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(server);
	}
	close(server);
	client = socket_in(client_netns);
	if (connect(client, (struct sockaddr *)&address, length) < 0)
		fail("connect");
	use(client);
	if (waitpid(child, &status, 0) < 0 || status)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
