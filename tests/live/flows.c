// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * flows - very many short TCP connections, one after the other, and how many packets they took.
 *
 * Each has ports of its own, and messages go to and fro, one byte at a time: each is one packet
 * that its reader copies, at either end. The truth is printed as one line of JSON; of a loopback
 * of its own with the packets that the device itself has counted.
 *
 *   flows [--client NETNS --server NETNS | --loopback NETNS] [--family 4|6] [--connections N]
 *         [--messages N]
 *
 * --messages: so many each way. --loopback: both ends are in that namespace, on its loopback.
 * Without namespaces it makes one of its own for that.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

#define TIMEOUT_S 60
#define PORT_FIRST 10000
#define PORTS 50000

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static const char *client_netns, *server_netns, *loopback_netns;
static unsigned long connections = 1, messages = 1, family = 4;
static unsigned long received;

static void own_namespace(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		fail("a network namespace");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		fail("lo");
	close(fd);
}

static unsigned long netns_number(void)
{
	struct stat netns;

	if (stat("/proc/self/ns/net", &netns) < 0)
		fail("/proc/self/ns/net");
	return netns.st_ino;
}

static socklen_t address_make(union address *address, bool server, unsigned long port)
{
	bool wire = client_netns;

	*address = (union address){};
	if (family == 4) {
		address->in.sin_family = AF_INET;
		address->in.sin_port = htons((uint16_t)port);
		inet_pton(AF_INET,
			  !wire	 ? "127.0.0.1" :
			  server ? "10.77.0.2" :
				   "10.77.0.1",
			  &address->in.sin_addr);
		return sizeof(address->in);
	}
	address->in6.sin6_family = AF_INET6;
	address->in6.sin6_port = htons((uint16_t)port);
	inet_pton(AF_INET6,
		  !wire	 ? "::1" :
		  server ? "fd77::2" :
			   "fd77::1",
		  &address->in6.sin6_addr);
	return sizeof(address->in6);
}

static void option_set(int fd, int level, int option, const void *value, socklen_t length)
{
	if (setsockopt(fd, level, option, value, length) < 0)
		fail("setsockopt");
}

static int socket_make(bool server, unsigned long port)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	union address address;
	socklen_t length = address_make(&address, server, port);

	if (fd < 0)
		fail("socket");
	option_set(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	option_set(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	option_set(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, &address.any, length) < 0)
		fail("bind");
	return fd;
}

static int listener_make(unsigned long port)
{
	int fd;

	enter(server_netns ?: "-");
	fd = socket_make(true, port);
	if (listen(fd, 8) < 0)
		fail("listen");
	enter(client_netns ?: "-");
	return fd;
}

static void pass(int from, int to)
{
	char byte = 0;

	if (send(from, &byte, 1, MSG_NOSIGNAL) != 1)
		fail("send");
	if (recv(to, &byte, 1, 0) != 1)
		fail("recv");
	received++;
}

/* One connection; at its end both sockets go at once, without TIME-WAIT. */
static void connection(int listener, unsigned long server_port, unsigned long port)
{
	const struct linger at_once = { .l_onoff = 1 };
	int client = socket_make(false, port), server;
	union address to;
	socklen_t length = address_make(&to, true, server_port);

	if (connect(client, &to.any, length) < 0)
		fail("connect");
	server = accept(listener, NULL, NULL);
	if (server < 0)
		fail("accept");
	for (unsigned long i = 0; i < messages; i++) {
		pass(client, server);
		pass(server, client);
	}
	option_set(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	option_set(server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(client);
	close(server);
}

/* What lo has sent, proc_pid_net(5); 0 in others' namespaces, where others send, too. */
static unsigned long long packets_sent(void)
{
	unsigned long long received_bytes, packets = 0;
	char line[512];
	FILE *file = client_netns ? NULL : fopen("/proc/thread-self/net/dev", "re");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " lo: %llu %*u %*u %*u %*u %*u %*u %*u %*u %llu", &received_bytes,
			   &packets) == 2)
			break;
	fclose(file);
	return packets;
}

static void arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "client", required_argument, NULL, 'c' },
		{ "server", required_argument, NULL, 's' },
		{ "loopback", required_argument, NULL, 'l' },
		{ "family", required_argument, NULL, 'f' },
		{ "connections", required_argument, NULL, 'n' },
		{ "messages", required_argument, NULL, 'm' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'c')
			client_netns = optarg;
		else if (option == 's')
			server_netns = optarg;
		else if (option == 'l')
			loopback_netns = optarg;
		else if (option == 'f')
			family = strtoul(optarg, NULL, 10);
		else if (option == 'n')
			connections = strtoul(optarg, NULL, 10);
		else if (option == 'm')
			messages = strtoul(optarg, NULL, 10);
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	unsigned long client_number, server_number;
	unsigned long long sent_before;
	int listener = -1;

	arguments(argc, argv);
	if (loopback_netns)
		enter(loopback_netns);
	else if (!client_netns)
		own_namespace();
	enter(server_netns ?: "-");
	server_number = netns_number();
	enter(client_netns ?: "-");
	client_number = netns_number();
	sent_before = packets_sent();
	for (unsigned long i = 0; i < connections; i++) {
		unsigned long server_port = PORT_FIRST + PORTS + i / PORTS;

		if (i % PORTS == 0) {
			if (listener >= 0)
				close(listener);
			listener = listener_make(server_port);
		}
		connection(listener, server_port, PORT_FIRST + i % PORTS);
	}
	printf("{\"connections\":%lu,\"received\":%lu,\"packets\":%llu,\"client_netns\":%lu,"
	       "\"server_netns\":%lu}\n",
	       connections, received, packets_sent() - sent_before, client_number, server_number);
	return EXIT_SUCCESS;
}
