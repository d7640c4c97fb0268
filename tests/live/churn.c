// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * churn - sockets, connections, devices and namespaces that end while packets of theirs are still
 * under way: whatever a program that looks at packets may find gone.
 *
 * Each kind has processes of its own, in two network namespaces that are joined, and goes on until
 * churn is told to end (SIGTERM), or its parent has ended. Then it prints how often each kind was
 * done, as one line of JSON, without the kinds that this kernel does not offer.
 *
 *   churn --client NETNS --server NETNS [--cgroup DIR] [--kind NAME]... [--count N] [--gap-ms N]
 *
 * --cgroup: a directory of cgroup v2, in which cgroups are made, used and removed for `cgroup`;
 * without it that kind is left out. --kind: only these. --count: it ends when each kind has been
 * done so often. --gap-ms: between two of a kind.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tool.h"

#define ANSWER_S 2 /* nobody waits longer for the other end */
#define FIRST_PORT 7101
#define CLOSED_PORT 7199
#define POOL 64	    /* programs */
#define BYTES 24000 /* more than the first window takes at once */

static const char *client_netns, *server_netns, *cgroup_dir;
static bool kinds_named;
static unsigned long count, gap_ms;
static unsigned long *done; /* of each kind; shared by all processes */
static char payload[BYTES];

static socklen_t address_of_server(union address *ret_address, bool ipv6, unsigned long port)
{
	return address_make(ret_address, ipv6 ? AF_INET6 : AF_INET, HOST_SERVER, port);
}

/* One that may be refused, as all here may: -1 */
static int socket_try(int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -1;
	timeouts_set(fd, ANSWER_S);
	option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return fd;
}

/* ---- the two ends of a connection; their calls may fail, as that is part of the trial ---- */

/* The socket takes it all at once, so that it is closed with most of it unsent. */
static void write_all(int fd)
{
	const int room = 8 * BYTES;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	(void)!send(fd, payload, sizeof(payload), MSG_NOSIGNAL);
}

static void read_all(int fd)
{
	char buffer[4096];

	while (recv(fd, buffer, sizeof(buffer), 0) > 0)
		;
}

static void read_some(int fd)
{
	char buffer[100];

	(void)!recv(fd, buffer, sizeof(buffer), 0);
}

static void reset(int fd)
{
	const struct linger none = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

static void write_then_reset(int fd)
{
	write_all(fd);
	reset(fd);
}

static void nothing(int fd)
{
	(void)fd;
}

#define IPPROTO_MULTIPATH 262 /* IPPROTO_MPTCP, since 5.6 */

/* ---- kinds without a connection ---- */

static void client_enter(void)
{
	static bool entered;

	if (!entered)
		netns_enter(client_netns);
	entered = true;
}

/* A port where nobody listens: a RST, and an ICMP message, both from sockets of the kernel. */
static bool use_closed_ports(bool ipv6)
{
	int domain = ipv6 ? AF_INET6 : AF_INET;
	union address address;
	socklen_t size = address_of_server(&address, ipv6, CLOSED_PORT);
	int tcp = socket_try(domain, SOCK_STREAM, 0), udp = socket_try(domain, SOCK_DGRAM, 0);
	bool refused = connect(tcp, &address.any, size) < 0 && errno == ECONNREFUSED;

	if (connect(udp, &address.any, size) == 0)
		(void)!send(udp, payload, 100, 0);
	close(tcp);
	close(udp);
	return refused;
}

/* An echo request: the answer is from a socket of the kernel. */
static bool use_echo(bool ipv6)
{
	struct icmphdr request = { .type = ICMP_ECHO };
	int fd = socket_try(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	union address address;
	socklen_t size = address_of_server(&address, false, 0);
	bool answered;

	(void)ipv6;
	request.checksum = htons((uint16_t) ~(ICMP_ECHO << 8));
	answered = sendto(fd, &request, sizeof(request), 0, &address.any, size) > 0 &&
		   recv(fd, &request, sizeof(request), MSG_TRUNC) > 0;
	close(fd);
	return answered;
}

static int tun_make(void)
{
	struct ifreq request = { .ifr_name = "gone0", .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		fail("/dev/net/tun");
	inet_pton(AF_INET, "10.78.0.1", &in.sin_addr);
	memcpy(&request.ifr_addr, &in, sizeof(in));
	if (ioctl(control, SIOCSIFADDR, &request) < 0)
		fail("gone0's address");
	inet_pton(AF_INET, "255.255.255.0", &in.sin_addr);
	memcpy(&request.ifr_netmask, &in, sizeof(in));
	if (ioctl(control, SIOCSIFNETMASK, &request) < 0)
		fail("gone0's netmask");
	close(control);
	interface_up("gone0");
	return fd;
}

/*
 * A namespace and a device that end with packets of both directions under way. What is sent comes
 * back from the address it was sent to, so that there is an answer.
 */
static bool use_vanishing_namespace(bool ipv6)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(CLOSED_PORT) };
	unsigned char packet[2048];
	int tun, tcp, udp;
	bool seen = false;

	(void)ipv6;
	if (unshare(CLONE_NEWNET) < 0)
		fail("a network namespace");
	tun = tun_make();
	inet_pton(AF_INET, "10.78.0.2", &there.sin_addr);
	udp = socket_try(AF_INET, SOCK_DGRAM, 0);
	tcp = socket_try(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	for (int i = 0; i < 4; i++) {
		ssize_t n;

		(void)!sendto(udp, payload, 1000, 0, (struct sockaddr *)&there, sizeof(there));
		(void)!connect(tcp, (struct sockaddr *)&there, sizeof(there));
		while ((n = read(tun, packet, sizeof(packet))) >= 20) {
			uint32_t source;

			memcpy(&source, packet + 12, sizeof(source));
			memmove(packet + 12, packet + 16, sizeof(source));
			memcpy(packet + 16, &source, sizeof(source));
			seen |= write(tun, packet, (size_t)n) == n;
		}
	}
	(void)!sendto(udp, payload, 1000, 0, (struct sockaddr *)&there, sizeof(there));
	close(tun);
	close(tcp);
	close(udp);
	return seen;
}

static void cgroup_join(const char *directory)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		fail(path);
	close(fd);
}

/* A connection whose socket was made in a cgroup that is gone by the time it is used. */
static bool use_dead_cgroup(bool ipv6)
{
	char path[400];
	union address address;
	socklen_t size = address_of_server(&address, ipv6, FIRST_PORT);
	bool connected;
	int fd;

	snprintf(path, sizeof(path), "%s/churn-%d", cgroup_dir, (int)getpid());
	if (mkdir(path, 0755) < 0)
		fail(path);
	cgroup_join(path);
	fd = socket_try(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	cgroup_join(cgroup_dir);
	if (rmdir(path) < 0)
		fail(path);
	connected = connect(fd, &address.any, size) == 0;
	if (connected)
		read_all(fd);
	close(fd);
	return connected;
}

/*
 * Other BPF programs come and go, as those of systemd and of containers do: the kernel finds a
 * program's code in a tree of all of them, which is turned over by that.
 */
static bool use_programs(bool ipv6)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static int programs[POOL];
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				.insns = (__u64)(unsigned long)code,
				.insn_cnt = ARRAY_SIZE(code),
				.license = (__u64)(unsigned long)"GPL" };
	bool well = true;

	(void)ipv6;
	for (int i = 0; i < POOL; i++) {
		int *program = &programs[random() % POOL];

		if (*program > 0) {
			close(*program);
			*program = 0;
		} else {
			*program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
			well &= *program > 0;
		}
	}
	return well;
}

/* ---- kinds ---- */

static const struct kind {
	const char *name;
	int protocol;
	/* of a connection, at either end, which then closes it */
	void (*serve)(int fd), (*use)(int fd);
	bool (*once)(bool ipv6); /* in place of both: of no connection of ours */
} kinds[] = {
	/* the socket is closed, and most of its data not yet sent: it has no file any more */
	{ "closed", 0, write_all, read_all, NULL },
	{ "reset", 0, write_then_reset, read_all, NULL },
	/* closed with data unread: the kernel resets */
	{ "unread", 0, read_some, write_all, NULL },
	{ "idle", 0, nothing, nothing, NULL },
	{ "mptcp", IPPROTO_MULTIPATH, write_all, read_all, NULL },
	{ "refused", 0, NULL, NULL, use_closed_ports },
	{ "echo", 0, NULL, NULL, use_echo },
	{ "vanished", 0, NULL, NULL, use_vanishing_namespace },
	{ "cgroup", 0, NULL, NULL, use_dead_cgroup },
	{ "programs", 0, NULL, NULL, use_programs },
};

static bool named[ARRAY_SIZE(kinds)];

static void kind_name(const char *name)
{
	kinds_named = true;
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		named[i] = true;
		return;
	}
	errno = EINVAL;
	fail(name);
}

static bool protocol_is_there(int protocol)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool kind_wanted(const struct kind *kind)
{
	if (kinds_named && !named[kind - kinds])
		return false;
	if (kind->protocol && !protocol_is_there(kind->protocol))
		return false;
	return cgroup_dir || kind->once != use_dead_cgroup;
}

static unsigned long port_of(const struct kind *kind)
{
	return FIRST_PORT + (unsigned long)(kind - kinds);
}

static void server(const struct kind *kind)
{
	union address any;
	socklen_t size = address_make(&any, AF_INET6, HOST_ANY, port_of(kind));
	int fd, listener;

	netns_enter(server_netns);
	listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, kind->protocol);
	if (listener < 0)
		fail(kind->name);
	option_set(listener, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind(listener, &any.any, size) < 0 || listen(listener, 64) < 0)
		fail(kind->name);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		timeouts_set(fd, ANSWER_S);
		kind->serve(fd);
		close(fd);
	}
}

static bool connection(const struct kind *kind, bool ipv6)
{
	union address address;
	socklen_t size = address_of_server(&address, ipv6, port_of(kind));
	int fd = socket_try(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, kind->protocol);
	bool connected = fd >= 0 && connect(fd, &address.any, size) == 0;

	if (connected)
		kind->use(fd);
	if (fd >= 0)
		close(fd);
	return connected;
}

static void client(const struct kind *kind)
{
	unsigned long *times = &done[kind - kinds];
	bool ipv6 = false;

	if (kind->once != use_vanishing_namespace)
		client_enter();
	while (!count || *times < count) {
		bool well = kind->once ? kind->once(ipv6) : connection(kind, ipv6);

		if (well)
			__atomic_fetch_add(times, 1, __ATOMIC_RELAXED);
		ipv6 = !ipv6;
		if (gap_ms || !well) /* the server may not listen yet */
			usleep((useconds_t)(gap_ms ?: 10) * 1000);
	}
	exit(EXIT_SUCCESS);
}

/* Ends with its parent, whatever ends that. */
static pid_t start(void (*end)(const struct kind *), const struct kind *kind)
{
	pid_t child = child_make();

	if (child)
		return child;
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	end(kind);
	_exit(EXIT_SUCCESS);
}

static volatile sig_atomic_t ended;

static void on_term(int number)
{
	(void)number;
	ended = 1;
}

static const struct tool_option options[] = {
	{ "client", .text = &client_netns },
	{ "server", .text = &server_netns },
	{ "cgroup", .text = &cgroup_dir },
	{ "kind", .each = kind_name },
	{ "count", .number = &count },
	{ "gap-ms", .number = &gap_ms },
	{},
};

int main(int argc, char **argv)
{
	struct sigaction on_end = { .sa_handler = on_term }; /* interrupts the wait */
	pid_t clients[ARRAY_SIZE(kinds)] = {};
	int status, failed = 0, told = 0;

	options_take(argc, argv, options);
	if (!client_netns || !server_netns)
		usage("--client NETNS --server NETNS [OPTION...]");
	done = mmap(NULL, sizeof(kinds), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done == MAP_FAILED)
		fail("memory");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigaction(SIGTERM, &on_end, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!kind_wanted(&kinds[i]))
			continue;
		if (kinds[i].serve || kinds[i].once == use_dead_cgroup)
			start(server, kinds[i].serve ? &kinds[i] : &kinds[0]);
		clients[i] = start(client, &kinds[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds) && !ended; i++)
		if (clients[i] && waitpid(clients[i], &status, 0) == clients[i] && status)
			failed = 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kind_wanted(&kinds[i]))
			printf("%s\"%s\":%lu", told++ ? "," : "{", kinds[i].name, done[i]);
	puts("}");
	return failed && !ended;
}
