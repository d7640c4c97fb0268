// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * owners - processes that share, pass on and leave behind sockets, and the truth about whose they
 * are.
 *
 *   owners SCENE --client NETNS --server NETNS [--messages N] [--gap-us N] [--port N]
 *
 * Prints a line of JSON for each socket and owner: the cookie, pid and comm, from and until when
 * (microseconds since 1970, 0: all the time) it may be named, and how many lines must name it at
 * the least. pid 0: nobody may be named. The scenes are the functions at the end; each says what it
 * does. --port: the server's, and one more for the client's; else any.
 */
#include <linux/sched.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tool.h"

#define MESSAGE_BYTES 100
#define CHILDREN_MAX 16

static const char *client_netns, *server_netns;
static unsigned long messages = 200, gap_us = 500, fixed_port;
static pid_t children[CHILDREN_MAX];
static unsigned int child_count;

/* A line of the truth, which need not be about the process that writes it */
static void truth(int fd, pid_t pid, const char *comm, uint64_t from_us, uint64_t to_us,
		  unsigned long least)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);
	char line[256];
	int n;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) < 0)
		fail("SO_COOKIE");
	n = snprintf(line, sizeof(line),
		     "{\"sock_cookie\":\"%llu\",\"pid\":%d,\"comm\":\"%s\",\"from_us\":%llu,"
		     "\"to_us\":%llu,\"least\":%lu}\n",
		     (unsigned long long)cookie, pid, comm, (unsigned long long)from_us,
		     (unsigned long long)to_us, least);
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		fail("stdout");
}

/* ---- processes ---- */

/* In the new process, which has this name and ends with us: 0. `pid`: the one it is to have, or 0. */
static pid_t process(const char *comm, const char *netns, pid_t pid)
{
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)&pid,
				   .set_tid_size = 1 };
	pid_t parent = getpid(),
	      child = pid ? (pid_t)syscall(SYS_clone3, &args, sizeof(args)) : fork();

	if (child < 0)
		fail("fork");
	if (child) {
		children[child_count++] = child;
		return child;
	}
	end_with(parent);
	prctl(PR_SET_NAME, comm);
	netns_enter(netns);
	child_count = 0;
	return 0;
}

static void child_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status) {
		errno = ECHILD;
		fail("a process failed");
	}
}

static void children_end(void)
{
	for (unsigned int i = 0; i < child_count; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
}

struct channel {
	int ends[2];
};

static struct channel channel_make(void)
{
	struct channel channel;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel.ends) < 0)
		fail("socketpair");
	for (int i = 0; i < 2; i++)
		timeouts_set(channel.ends[i], TIMEOUT_S);
	return channel;
}

/* A number, and a descriptor with it or -1. */
static void channel_send(int to, int number, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iovec = { &number, sizeof(number) };
	struct msghdr message = { .msg_iov = &iovec, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
	}
	if (sendmsg(to, &message, MSG_NOSIGNAL) < 0)
		fail("channel_send");
}

static int channel_receive(int from, int *ret_fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	int number;
	struct iovec iovec = { &number, sizeof(number) };
	struct msghdr message = { .msg_iov = &iovec,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != sizeof(number))
		fail("channel_receive");
	if (ret_fd && CMSG_FIRSTHDR(&message))
		memcpy(ret_fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(*ret_fd));
	return number;
}

/* ---- sockets ---- */

/* A packet for each message, however busy the host is */
static void packet_for_each_message(int fd)
{
	option_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static int tcp_socket(void)
{
	int fd = socket_make(AF_INET, SOCK_STREAM);

	option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	packet_for_each_message(fd);
	return fd;
}

/* Tells `tell_to` its port. */
static int listener_make(int tell_to)
{
	union address address;
	socklen_t length = address_make(&address, AF_INET, HOST_ANY, fixed_port);
	int fd = tcp_socket();

	if (bind(fd, &address.any, length) < 0 || listen(fd, 8) < 0 ||
	    getsockname(fd, &address.any, &length) < 0)
		fail("listen");
	channel_send(tell_to, address_port(&address), -1);
	return fd;
}

/* On 5.10 a socket has no cookie before somebody asks for it. */
static int with_cookie(int fd)
{
	uint64_t cookie;
	socklen_t length = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length);
	return fd;
}

static int connection_make(int port)
{
	union address address;
	socklen_t length = address_make(&address, AF_INET, HOST_ANY, fixed_port + 1);
	int fd = tcp_socket();

	if (fixed_port && bind(fd, &address.any, length) < 0)
		fail("bind");
	length = address_make(&address, AF_INET, HOST_SERVER, (unsigned long)port);
	if (connect(fd, &address.any, length) < 0)
		fail("connect");
	return with_cookie(fd);
}

static int accept_one(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		fail("accept");
	packet_for_each_message(fd);
	return with_cookie(fd);
}

static void put(int fd)
{
	char message[MESSAGE_BYTES] = {};

	if (send(fd, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
		fail("send");
}

static void take(int fd)
{
	char message[MESSAGE_BYTES];

	if (recv(fd, message, sizeof(message), MSG_WAITALL) != sizeof(message))
		fail("recv");
}

static void ask(int fd, unsigned long count)
{
	while (count--) {
		put(fd);
		take(fd);
		usleep((useconds_t)gap_us);
	}
}

static void answer(int fd, unsigned long count)
{
	while (count--) {
		take(fd);
		put(fd);
	}
}

/* The other end need not read. Each message leaves before the next is put: else two become a
 * packet. */
static void push(int fd)
{
	for (unsigned long i = 0; i < messages; i++) {
		int unsent;

		put(fd);
		do {
			usleep((useconds_t)gap_us);
			if (ioctl(fd, SIOCOUTQNSD, &unsent) < 0)
				fail("SIOCOUTQNSD");
		} while (unsent);
	}
}

static void *client_thread(void *context)
{
	prctl(PR_SET_NAME, "o-thread");
	ask(*(int *)context, messages);
	return NULL;
}

/* ---- the scenes ---- */

/* A server and a client that works in a thread with a name of its own. */
static void scene_plain(void)
{
	struct channel port = channel_make();
	pid_t server, client;
	pthread_t thread;
	int fd;

	server = process("o-server", server_netns, 0);
	if (!server) {
		fd = accept_one(listener_make(port.ends[1]));
		truth(fd, getpid(), "o-server", 0, 0, messages);
		answer(fd, messages);
		exit(EXIT_SUCCESS);
	}
	client = process("o-client", client_netns, 0);
	if (!client) {
		fd = connection_make(channel_receive(port.ends[0], NULL));
		truth(fd, getpid(), "o-client", 0, 0, messages);
		pthread_create(&thread, NULL, client_thread, &fd);
		pthread_join(thread, NULL);
		exit(EXIT_SUCCESS);
	}
	child_wait(client);
	child_wait(server);
}

/* The server leaves each connection to a child, which first reads. */
static void scene_fork(void)
{
	struct channel port = channel_make();
	pid_t server, client, child;
	uint64_t before_us;
	int fd;

	server = process("o-listener", server_netns, 0);
	if (!server) {
		fd = accept_one(listener_make(port.ends[1]));
		server = getpid();
		child = process("o-child", server_netns, 0);
		if (child) {
			close(fd);
			child_wait(child);
			exit(EXIT_SUCCESS);
		}
		before_us = wall_us();
		answer(fd, 1);
		truth(fd, server, "o-listener", 0, wall_us(), 0);
		truth(fd, getpid(), "o-child", before_us, 0, messages / 2);
		answer(fd, messages - 1);
		exit(EXIT_SUCCESS);
	}
	client = process("o-client", client_netns, 0);
	if (!client) {
		fd = connection_make(channel_receive(port.ends[0], NULL));
		truth(fd, getpid(), "o-client", 0, 0, messages / 2);
		usleep(100000); /* for what there is to see of the connection before its first read
				 */
		ask(fd, messages);
		exit(EXIT_SUCCESS);
	}
	child_wait(client);
	child_wait(server);
}

/* One process connects, works, and gives the socket to another, which goes on. */
static void scene_pass(void)
{
	struct channel port = channel_make(), gift = channel_make();
	pid_t server, giver, taker;
	uint64_t before_us;
	int fd = -1;

	server = process("o-server", server_netns, 0);
	if (!server) {
		fd = accept_one(listener_make(port.ends[1]));
		truth(fd, getpid(), "o-server", 0, 0, messages);
		answer(fd, 2 * messages);
		exit(EXIT_SUCCESS);
	}
	giver = process("o-giver", client_netns, 0);
	if (!giver) {
		fd = connection_make(channel_receive(port.ends[0], NULL));
		ask(fd, messages);
		channel_send(gift.ends[0], 0, fd);
		close(fd);
		for (;;)
			pause();
	}
	taker = process("o-taker", client_netns, 0);
	if (!taker) {
		channel_receive(gift.ends[1], &fd);
		before_us = wall_us();
		ask(fd, 1);
		truth(fd, giver, "o-giver", 0, wall_us(), messages / 2);
		truth(fd, getpid(), "o-taker", before_us, 0, messages / 2);
		ask(fd, messages - 1);
		exit(EXIT_SUCCESS);
	}
	child_wait(taker);
	child_wait(server);
}

/*
 * Two connections, one of them held by two processes; then netlog starts, and we go on at SIGUSR1.
 * The server sends, and nobody reads. A third connection is made then, and the other way round.
 */
static void scene_before(void)
{
	struct channel port = channel_make(), go = channel_make();
	sigset_t set;
	int fds[3], signal_number, number;
	pid_t server, client;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	server = process("o-server", server_netns, 0);
	if (!server) {
		int listener = listener_make(port.ends[1]);

		for (int i = 0; i < 2; i++) {
			fds[i] = accept_one(listener);
			truth(fds[i], getpid(), "o-server", 0, 0, 1);
		}
		channel_send(go.ends[1], 0, -1);
		channel_receive(go.ends[1], NULL);
		for (int i = 0; i < 2; i++)
			push(fds[i]);
		fds[2] = accept_one(listener);
		truth(fds[2], getpid(), "o-server", 0, 0, messages / 2);
		channel_send(go.ends[1], 0, -1);
		for (;;)
			pause();
	}
	number = channel_receive(port.ends[0], NULL);
	client = process("o-old", client_netns, 0);
	if (!client) {
		int fd = connection_make(number);

		truth(fd, getpid(), "o-old", 0, 0, messages / 2);
		channel_send(port.ends[1], 0, -1);
		for (;;)
			pause();
	}
	channel_receive(port.ends[0], NULL);
	client = process("o-shared", client_netns, 0);
	if (!client) {
		int fd = connection_make(number);

		truth(fd, 0, "", 0, 0, messages / 2);
		process("o-twin", client_netns, 0); /* both go on here */
		channel_send(port.ends[1], 0, -1);
		for (;;)
			pause();
	}
	channel_receive(port.ends[0], NULL);
	channel_receive(port.ends[0], NULL);
	channel_receive(go.ends[0], NULL);
	fprintf(stderr, "ready\n");
	sigwait(&set, &signal_number);
	client = process("o-new", client_netns, 0);
	if (!client) {
		int fd = connection_make(number);

		truth(fd, getpid(), "o-new", 0, 0, 1);
		push(fd);
		exit(EXIT_SUCCESS);
	}
	channel_send(go.ends[0], 0, -1);
	channel_receive(go.ends[0], NULL);
	child_wait(client);
}

/* A process connects, leaves its socket to us and ends; another gets its pid and connects, too. */
static void scene_reuse(void)
{
	struct channel port = channel_make(), gift = channel_make();
	pid_t server, first, second;
	int number, fd = -1;

	server = process("o-server", server_netns, 0);
	if (!server) {
		int listener = listener_make(port.ends[1]), fds[2];

		for (int i = 0; i < 2; i++)
			fds[i] = accept_one(listener);
		for (int i = 0; i < 2; i++) {
			truth(fds[i], getpid(), "o-server", 0, 0, 1);
			push(fds[i]);
		}
		exit(EXIT_SUCCESS);
	}
	number = channel_receive(port.ends[0], NULL);
	first = process("o-first", client_netns, 0);
	if (!first) {
		fd = connection_make(number);
		truth(fd, getpid(), "o-first", 0, 0, messages / 2);
		channel_send(gift.ends[1], 0, fd);
		exit(EXIT_SUCCESS);
	}
	channel_receive(gift.ends[0], &fd);
	child_wait(first);
	child_count--;
	second = process("o-second", client_netns, first);
	if (!second) {
		fd = connection_make(number);
		truth(fd, getpid(), "o-second", 0, 0, messages / 2);
		for (;;)
			pause();
	}
	child_wait(server);
}

static const struct scene {
	const char *name;
	void (*play)(void);
} scenes[] = {
	{ "plain", scene_plain },   { "fork", scene_fork },   { "pass", scene_pass },
	{ "before", scene_before }, { "reuse", scene_reuse },
};

static const struct tool_option options[] = {
	{ "client", .text = &client_netns }, { "server", .text = &server_netns },
	{ "messages", .number = &messages }, { "gap-us", .number = &gap_us },
	{ "port", .number = &fixed_port },   {},
};

int main(int argc, char **argv)
{
	const char *name = argv[options_take(argc, argv, options)];

	for (size_t i = 0; i < ARRAY_SIZE(scenes) && client_netns && server_netns && name; i++) {
		if (strcmp(name, scenes[i].name) != 0)
			continue;
		scenes[i].play();
		children_end();
		return EXIT_SUCCESS;
	}
	usage("SCENE --client NETNS --server NETNS [OPTION...]");
}
