// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * multicast - datagrams to a group that several sockets have joined: each gets a copy.
 *
 *   multicast --client NETNS --server NETNS [--messages N] [--sockets N]
 *
 * Prints how many have been received, by all.
 */
#include <arpa/inet.h>

#include "tool.h"

#define SOCKETS_MAX 16
#define GROUP "239.77.0.1"

static const char *client_netns = "-", *server_netns = "-";
static unsigned long messages = 1, sockets = 1;

/* At the address of the group; the first one chooses the port. */
static int socket_join(struct sockaddr_in *address)
{
	struct ip_mreqn group = { .imr_multiaddr = address->sin_addr };
	socklen_t length = sizeof(*address);
	union address server;
	int fd = socket_make(AF_INET, SOCK_DGRAM);

	option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)address, length) < 0 ||
	    getsockname(fd, (struct sockaddr *)address, &length) < 0)
		fail("bind");
	address_make(&server, AF_INET, HOST_SERVER, 0);
	group.imr_address = server.in.sin_addr;
	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		fail("join " GROUP);
	return fd;
}

static int client_make(const struct sockaddr_in *address)
{
	int fd = socket_make(AF_INET, SOCK_DGRAM);
	union address local;

	address_make(&local, AF_INET, HOST_CLIENT, 0);
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &local.in.sin_addr,
		       sizeof(local.in.sin_addr)) < 0 ||
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		fail("connect to " GROUP);
	return fd;
}

static const struct tool_option options[] = {
	{ "client", .text = &client_netns },
	{ "server", .text = &server_netns },
	{ "messages", .number = &messages },
	{ "sockets", .number = &sockets },
	{},
};

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	unsigned long received = 0;
	int fds[SOCKETS_MAX], client;
	char byte = 'x';

	options_take(argc, argv, options);
	if (sockets > SOCKETS_MAX)
		usage("with 16 sockets at the most");
	inet_pton(AF_INET, GROUP, &address.sin_addr);
	netns_enter(server_netns);
	for (unsigned long i = 0; i < sockets; i++)
		fds[i] = socket_join(&address);
	netns_enter(client_netns);
	client = client_make(&address);
	for (unsigned long n = 0; n < messages; n++) {
		if (send(client, &byte, 1, 0) < 0)
			fail("send to " GROUP);
		for (unsigned long i = 0; i < sockets; i++, received++)
			if (recv(fds[i], &byte, 1, 0) < 0)
				fail("receive a copy");
	}
	printf("%lu\n", received);
	return EXIT_SUCCESS;
}
