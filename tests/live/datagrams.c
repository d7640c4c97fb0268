// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * datagrams - UDP between two network namespaces, and the truth about it.
 *
 * The client, in the first namespace, sends --messages datagrams of --bytes bytes, one after the
 * other; the server, in the second, answers each with one of the same size. At the end each prints
 * its role, its ports and how many it has received, as `traffic` does.
 *
 * --segments N: the client gives the host N datagrams at a time, in one piece (UDP_SEGMENT).
 *
 *   datagrams --client NETNS --server NETNS [--family 4|6] [--messages N] [--bytes N]
 *             [--segments N]
 */
#include <netinet/udp.h>
#include <sys/wait.h>

#include "tool.h"

#define DATAGRAM_MAX 65507

static const char *client_netns = "-", *server_netns = "-";
static unsigned long family = 4, messages = 1, bytes = 1, segments = 1;
static char buffer[DATAGRAM_MAX];

static int domain(void)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

static void print_truth(const char *role, int fd, unsigned long received)
{
	const struct ends ends = ends_of(fd);

	ends_print(role, &ends);
	printf(",\"messages\":%lu}\n", received);
	fflush(stdout);
}

static void serve(int fd)
{
	for (unsigned long i = 0; i < messages; i++) {
		union address peer;
		socklen_t length = sizeof(peer);

		if (recvfrom(fd, buffer, sizeof(buffer), 0, &peer.any, &length) < 0)
			fail("receive");
		if (i == 0 && connect(fd, &peer.any, length) < 0)
			fail("answer to the client");
		if (send(fd, buffer, bytes, 0) < 0)
			fail("answer");
	}
	print_truth("server", fd, messages);
	exit(EXIT_SUCCESS);
}

static void use(int fd)
{
	if (segments > 1)
		option_set(fd, IPPROTO_UDP, UDP_SEGMENT, (int)bytes);
	for (unsigned long i = 0; i < messages; i++) {
		if (i % segments == 0 && send(fd, buffer, bytes * segments, 0) < 0)
			fail("send");
		if (recv(fd, buffer, sizeof(buffer), 0) < 0)
			fail("receive");
	}
	print_truth("client", fd, messages);
}

static const struct tool_option options[] = {
	{ "client", .text = &client_netns },
	{ "server", .text = &server_netns },
	{ "family", .number = &family },
	{ "messages", .number = &messages },
	{ "bytes", .number = &bytes },
	{ "segments", .number = &segments },
	{},
};

int main(int argc, char **argv)
{
	union address address;
	int client, server, status = 0;
	socklen_t length;
	pid_t child;

	options_take(argc, argv, options);
	if (!segments || messages % segments || bytes > DATAGRAM_MAX ||
	    bytes * segments > DATAGRAM_MAX)
		usage("with messages that are whole pieces of up to 65507 bytes");
	netns_enter(server_netns);
	server = socket_make(domain(), SOCK_DGRAM);
	length = address_make(&address, domain(), HOST_SERVER, 0);
	if (bind(server, &address.any, length) < 0 ||
	    getsockname(server, &address.any, &length) < 0)
		fail("bind");
	child = child_make();
	if (!child)
		serve(server);
	close(server);
	netns_enter(client_netns);
	client = socket_make(domain(), SOCK_DGRAM);
	if (connect(client, &address.any, length) < 0)
		fail("connect");
	use(client);
	if (waitpid(child, &status, 0) < 0 || status)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
