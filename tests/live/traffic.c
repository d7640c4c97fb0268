// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * traffic - one TCP connection between two network namespaces, and the truth about it.
 *
 * The client, in the first namespace, sends --messages messages of --bytes bytes; the server, in
 * the second, answers each with --reply bytes. Both close, and when both are closed, print what the
 * kernel's TCP_INFO says of their sockets, as a line of JSON each. With --times also a line for
 * each message that was received: the wall clock right before and after the read that completed it,
 * and the srtt that TCP_INFO gave then.
 *
 *   traffic --client NETNS --server NETNS [--family 4|6|46] [--messages N] [--bytes N] [--reply N]
 *           [--gap-ms N] [--dwell-ms N] [--read-bytes N] [--forget MAP_ID] [--times]
 *           [--cookie] [--congestion NAME] [--comm NAME]
 *
 * --dwell-ms: the server leaves each message in its socket's queue for that long after it has come.
 * --cookie: asks for SO_COOKIE before the first message; before Linux 5.12 a socket has one only
 * then.
 * --read-bytes: it reads them in parts of so many bytes. --comm: the server's name, any bytes.
 * --forget: before the last message, netlog's memory of the client's socket (a map, by its id) is
 * set back by 7 segments.
 */
#include <limits.h>
#include <linux/bpf.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../../bpf/memory.h"
#include "tool.h"

#define TCP_CLOSE_STATE 7
#define FORGET_SEGMENTS 7

static const char *client_netns = "-", *server_netns = "-", *congestion;
static const char *comm = "traffic-server";
static unsigned long forget_map, read_bytes = ULONG_MAX, messages = 1, bytes = 1, reply = 1, gap_ms,
				 dwell_ms, family = 4;
static bool times, cookies;

struct message_time {
	uint64_t arrived_us; /* it was there by then; only with --dwell-ms */
	uint64_t before_us, after_us;
	uint32_t srtt_us;
};

static int connection_socket(int domain)
{
	int fd = socket_make(domain, SOCK_STREAM);

	option_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (congestion && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion,
				     (socklen_t)strlen(congestion)) < 0)
		fail(congestion);
	return fd;
}

/* --family 46: IPv4 to a server that listens to both */
static int listen_any(uint16_t *ret_port)
{
	int domain = family == 4 ? AF_INET : AF_INET6, fd = connection_socket(domain);
	union address address;
	socklen_t length = address_make(&address, domain, HOST_ANY, 0);

	if (bind(fd, &address.any, length) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, &address.any, &length) < 0)
		fail("listen");
	*ret_port = address_port(&address);
	return fd;
}

static int connect_to(uint16_t port)
{
	int domain = family == 6 ? AF_INET6 : AF_INET, fd = connection_socket(domain);
	bool remote = strcmp(client_netns, server_netns) != 0;
	union address address;
	socklen_t length =
		address_make(&address, domain, remote ? HOST_SERVER : HOST_LOOPBACK, port);

	if (connect(fd, &address.any, length) < 0)
		fail("connect");
	return fd;
}

static void send_all(int fd, const char *buffer, size_t length)
{
	while (length) {
		ssize_t n = send(fd, buffer, length, MSG_NOSIGNAL);

		if (n < 0)
			fail("send");
		buffer += n;
		length -= (size_t)n;
	}
}

static struct tcp_info info_get(int fd)
{
	struct tcp_info info = {};
	socklen_t length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
		fail("TCP_INFO");
	return info;
}

/* Wait until something has come, and then for longer. */
static void dwell(int fd, struct message_time *time)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	if (poll(&pollfd, 1, TIMEOUT_S * 1000) != 1)
		fail("poll");
	time->arrived_us = wall_us();
	usleep((useconds_t)dwell_ms * 1000);
}

static void receive_all(int fd, char *buffer, size_t length, struct message_time *time)
{
	while (length) {
		ssize_t n;

		time->before_us = wall_us();
		n = recv(fd, buffer, length < read_bytes ? length : read_bytes, 0);
		time->after_us = wall_us();
		if (n == 0)
			errno = ECONNRESET;
		if (n <= 0)
			fail("recv");
		length -= (size_t)n;
	}
	if (times)
		time->srtt_us = info_get(fd).tcpi_rtt;
}

/* Close our direction, take in the other's end, and wait until TCP has nothing more to send. */
static struct tcp_info finish(int fd)
{
	struct tcp_info info = {};
	char rest;

	shutdown(fd, SHUT_WR);
	if (recv(fd, &rest, 1, 0) != 0)
		fail("the other's end");
	for (int i = 0; i < TIMEOUT_S * 100; i++) {
		info = info_get(fd);
		if (info.tcpi_state == TCP_CLOSE_STATE)
			return info;
		usleep(10000);
	}
	errno = ETIMEDOUT;
	fail("close");
	return info;
}

/* Asked for while the socket is connected */
struct identity {
	struct ends ends;
	uint64_t cookie; /* 0: not asked for */
};

static void identify(int fd, struct identity *ret_identity)
{
	struct identity identity = { .ends = ends_of(fd) };
	socklen_t length = sizeof(identity.cookie);

	if (cookies && getsockopt(fd, SOL_SOCKET, SO_COOKIE, &identity.cookie, &length) < 0)
		fail("SO_COOKIE");
	*ret_identity = identity;
}

static void print_times(const char *role, const struct message_time *message_times)
{
	for (unsigned long i = 0; i < messages; i++)
		printf("{\"role\":\"%s\",\"message\":%lu,\"arrived_us\":%llu,\"before_us\":%llu,"
		       "\"after_us\":%llu,\"srtt_us\":%u}\n",
		       role, i, (unsigned long long)message_times[i].arrived_us,
		       (unsigned long long)message_times[i].before_us,
		       (unsigned long long)message_times[i].after_us, message_times[i].srtt_us);
}

static void print_truth(const char *role, const struct identity *identity,
			const struct tcp_info *info, const struct message_time *message_times)
{
	if (times)
		print_times(role, message_times);
	ends_print(role, &identity->ends);
	if (identity->cookie)
		printf(",\"sock_cookie\":\"%llu\"", (unsigned long long)identity->cookie);
	printf(",\"total_retrans\":%u,\"rtt_us\":%u,\"rttvar_us\":%u,\"min_rtt_us\":%u,"
	       "\"segs_in\":%u,\"segs_out\":%u,\"data_segs_in\":%u,\"bytes_retrans\":%llu,"
	       "\"messages\":%lu}\n",
	       info->tcpi_total_retrans, info->tcpi_rtt, info->tcpi_rttvar, info->tcpi_min_rtt,
	       info->tcpi_segs_in, info->tcpi_segs_out, info->tcpi_data_segs_in,
	       (unsigned long long)info->tcpi_bytes_retrans, messages);
	fflush(stdout);
}

static void serve(int listener)
{
	struct message_time *message_times = calloc(messages, sizeof(*message_times));
	char *buffer = calloc(1, bytes > reply ? bytes : reply);
	int fd = accept(listener, NULL, NULL);
	struct identity identity;
	struct tcp_info info;

	if (fd < 0 || !message_times || !buffer)
		fail("accept");
	identify(fd, &identity);
	for (unsigned long i = 0; i < messages; i++) {
		if (dwell_ms)
			dwell(fd, &message_times[i]);
		receive_all(fd, buffer, bytes, &message_times[i]);
		send_all(fd, buffer, reply);
	}
	info = finish(fd);
	print_truth("server", &identity, &info, message_times);
	exit(EXIT_SUCCESS);
}

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/*
 * The socket's key in netlog's memory, and what is there: the key is the socket itself (sk_storage),
 * or its address in the kernel, which we do not know, but by the ports that lie there.
 */
static void memory_find(int map, int fd, const struct identity *identity, uint64_t *ret_key,
			struct socket_memory *ret_memory)
{
	struct bpf_map_info info = {};
	union bpf_attr about = {
		.info = { .bpf_fd = (__u32)map, .info_len = sizeof(info), .info = (uintptr_t)&info }
	};
	uint64_t key = 0;
	union bpf_attr look = { .map_fd = (__u32)map,
				.key = (uintptr_t)&key,
				.value = (uintptr_t)ret_memory };
	union bpf_attr next = { .map_fd = (__u32)map, .next_key = (uintptr_t)&key };

	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &about) < 0 || info.value_size != sizeof(*ret_memory))
		fail("netlog's map");
	if (info.type == BPF_MAP_TYPE_SK_STORAGE) {
		memcpy(&key, &fd, sizeof(fd));
		if (bpf(BPF_MAP_LOOKUP_ELEM, &look) < 0)
			fail("the socket is not in netlog's map");
		*ret_key = key;
		return;
	}
	while (bpf(BPF_MAP_GET_NEXT_KEY, &next) == 0) {
		next.key = next.next_key;
		if (bpf(BPF_MAP_LOOKUP_ELEM, &look) < 0 ||
		    ret_memory->connection.local_port != identity->ends.local_port ||
		    ret_memory->connection.remote_port !=
			    htons((uint16_t)identity->ends.remote_port))
			continue;
		*ret_key = key;
		return;
	}
	fail("the socket is not in netlog's map");
}

/*
 * As if netlog's program had not been run for FORGET_SEGMENTS: its memory of the socket, the map
 * with this id, is set back.
 */
static void forget(int fd, const struct identity *identity)
{
	union bpf_attr by_id = { .map_id = (__u32)forget_map };
	int map = bpf(BPF_MAP_GET_FD_BY_ID, &by_id);
	struct socket_memory memory;
	uint64_t key;
	union bpf_attr attr = {
		.map_fd = (__u32)map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&memory,
	};

	if (map < 0)
		fail("netlog's map");
	memory_find(map, fd, identity, &key, &memory);
	if (!(memory.retrans.known & ACCOUNT_TOTAL))
		fail("netlog has counted no segment");
	memory.retrans.total -= FORGET_SEGMENTS;
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr) < 0)
		fail("netlog's map");
	close(map);
}

static void use(int fd)
{
	struct message_time *message_times = calloc(messages, sizeof(*message_times));
	char *buffer = calloc(1, bytes > reply ? bytes : reply);
	struct identity identity;
	struct tcp_info info;

	if (!message_times || !buffer)
		fail("memory");
	identify(fd, &identity);
	for (unsigned long i = 0; i < messages; i++) {
		if (forget_map && i == messages - 1)
			forget(fd, &identity);
		send_all(fd, buffer, bytes);
		receive_all(fd, buffer, reply, &message_times[i]);
		if (gap_ms)
			usleep((useconds_t)gap_ms * 1000);
	}
	info = finish(fd);
	print_truth("client", &identity, &info, message_times);
}

static const struct tool_option options[] = {
	{ "client", .text = &client_netns },
	{ "server", .text = &server_netns },
	{ "family", .number = &family },
	{ "messages", .number = &messages },
	{ "bytes", .number = &bytes },
	{ "reply", .number = &reply },
	{ "gap-ms", .number = &gap_ms },
	{ "dwell-ms", .number = &dwell_ms },
	{ "read-bytes", .number = &read_bytes },
	{ "forget", .number = &forget_map },
	{ "cookie", .flag = &cookies },
	{ "comm", .text = &comm },
	{ "congestion", .text = &congestion },
	{ "times", .flag = &times },
	{},
};

int main(int argc, char **argv)
{
	int listener, status = 0;
	uint16_t port;
	pid_t child;

	options_take(argc, argv, options);
	setvbuf(stdout, NULL, _IOLBF, 0); /* two processes write: a line at a time */
	netns_enter(server_netns);
	listener = listen_any(&port);
	child = child_make();
	if (!child) {
		prctl(PR_SET_NAME, comm);
		serve(listener);
	}
	close(listener);
	netns_enter(client_netns);
	use(connect_to(port));
	if (waitpid(child, &status, 0) < 0 || status)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
