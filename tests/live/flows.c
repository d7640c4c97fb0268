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
#include <netinet/tcp.h>
#include <sched.h>

#include "tool.h"

#define PORT_FIRST 10000
#define PORTS 50000

static const char *client_netns, *server_netns, *loopback_netns;
static unsigned long connections = 1, messages = 1, family = 4;
static unsigned long received;

static void own_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		fail("a network namespace");
	interface_up("lo");
}

/* Of one end or the other: both are on one loopback if there is no wire. */
static socklen_t address_of(enum host host, unsigned long port, union address *ret_address)
{
	return address_make(ret_address, family == 4 ? AF_INET : AF_INET6,
			    client_netns ? host : HOST_LOOPBACK, port);
}

static int socket_bound(enum host host, unsigned long port)
{
	union address address;
	socklen_t length = address_of(host, port, &address);
	int fd = socket_make(address.any.sa_family, SOCK_STREAM);

	option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	option_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (bind(fd, &address.any, length) < 0)
		fail("bind");
	return fd;
}

/* The socket goes as soon as it is closed, without TIME-WAIT. */
static void close_at_once(int fd)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) < 0)
		fail("SO_LINGER");
	close(fd);
}

static int listener_make(unsigned long port)
{
	int fd;

	netns_enter(server_netns ?: "-");
	fd = socket_bound(HOST_SERVER, port);
	if (listen(fd, 8) < 0)
		fail("listen");
	netns_enter(client_netns ?: "-");
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

static void connection(int listener, unsigned long server_port, unsigned long port)
{
	int client = socket_bound(HOST_CLIENT, port), server;
	union address to;
	socklen_t length = address_of(HOST_SERVER, server_port, &to);

	if (connect(client, &to.any, length) < 0)
		fail("connect");
	server = accept(listener, NULL, NULL);
	if (server < 0)
		fail("accept");
	for (unsigned long i = 0; i < messages; i++) {
		pass(client, server);
		pass(server, client);
	}
	close_at_once(client);
	close_at_once(server);
}

/* Packets that lo has sent, by proc_pid_net(5); 0 where a wire is used. */
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

static const struct tool_option options[] = {
	{ "client", .text = &client_netns },
	{ "server", .text = &server_netns },
	{ "loopback", .text = &loopback_netns },
	{ "family", .number = &family },
	{ "connections", .number = &connections },
	{ "messages", .number = &messages },
	{},
};

int main(int argc, char **argv)
{
	unsigned long client_number, server_number;
	unsigned long long sent_before;
	int listener = -1;

	options_take(argc, argv, options);
	if (loopback_netns)
		netns_enter(loopback_netns);
	else if (!client_netns)
		own_namespace();
	netns_enter(server_netns ?: "-");
	server_number = netns_number();
	netns_enter(client_netns ?: "-");
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
