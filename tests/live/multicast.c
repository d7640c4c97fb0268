// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * multicast - datagrams to a group that several sockets have joined: each gets a copy.
 *
 *   multicast --client NETNS --server NETNS [--messages N] [--sockets N]
 *
 * Prints how many have been received, by all.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tool.h"

#define TIMEOUT_S 60 /* of every read: a test never hangs */
#define SOCKETS_MAX 16
#define GROUP "239.77.0.1"

static const char *client_netns = "-", *server_netns = "-";
static unsigned long messages = 1, sockets = 1;

static int socket_make(void)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return fd;
}

/* At the address of the group; the first one chooses the port. */
static int socket_join(struct sockaddr_in *address)
{
	struct ip_mreqn group = { .imr_multiaddr = address->sin_addr };
	socklen_t length = sizeof(*address);
	int fd = socket_make();

	if (bind(fd, (struct sockaddr *)address, length) < 0 ||
	    getsockname(fd, (struct sockaddr *)address, &length) < 0)
		fail("bind");
	inet_pton(AF_INET, "10.77.0.2", &group.imr_address);
	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		fail("join " GROUP);
	return fd;
}

static int socket_send_from(const char *host, const struct sockaddr_in *address)
{
	struct in_addr local;
	int fd = socket_make();

	inet_pton(AF_INET, host, &local);
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &local, sizeof(local)) < 0 ||
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		fail("connect to " GROUP);
	return fd;
}

static void arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "client", required_argument, NULL, 'c' },
		{ "server", required_argument, NULL, 's' },
		{ "messages", required_argument, NULL, 'm' },
		{ "sockets", required_argument, NULL, 'n' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'c')
			client_netns = optarg;
		else if (option == 's')
			server_netns = optarg;
		else if (option == 'm')
			messages = strtoul(optarg, NULL, 10);
		else if (option == 'n')
			sockets = strtoul(optarg, NULL, 10);
		else
			exit(2);
	}
	if (sockets > SOCKETS_MAX)
		exit(2);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	unsigned long received = 0;
	int fds[SOCKETS_MAX], client;
	char byte = 'x';

	arguments(argc, argv);
	inet_pton(AF_INET, GROUP, &address.sin_addr);
	enter(server_netns);
	for (unsigned long i = 0; i < sockets; i++)
		fds[i] = socket_join(&address);
	enter(client_netns);
	client = socket_send_from("10.77.0.1", &address);
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
