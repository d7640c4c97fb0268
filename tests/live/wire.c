// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * wire - two network namespaces joined by a wire with delay and loss.
 *
 * Makes both namespaces and a TUN device in each (10.77.0.1 and fd77::1 in the one, .2 and ::2 in
 * the other), and carries packets between them in user space: needs no qdisc, no module, no name.
 * It prints "ready" and goes on until its end; then the kernel takes all of it away, even after
 * SIGKILL. Others enter by its open descriptors: nsenter --net=/proc/PID/fd/30 (or fd/31).
 *
 *   wire [--delay-ms N] [--drop-every N] [--drop-syn N] [--drop-synack N] [--narrow N]
 *
 * --drop-every drops every Nth packet with TCP payload that goes from the first to the second
 * namespace, --drop-syn and --drop-synack the first N of each kind. With --narrow, no IPv4 packet
 * of more than N bytes passes in that direction, and the sender is told so by ICMP, as a router
 * does. Counts go to stderr at the end.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include "tool.h"

#define NETNS_FD 30 /* and 31 */
#define PACKET_MAX 2048
#define QUEUE_MAX 8192
#define TH_SYN 0x02
#define TH_ACK 0x10

struct packet {
	uint64_t due_ns;
	int to;
	uint16_t length;
	uint8_t bytes[PACKET_MAX];
};

/* One delay for all: the queue is in the order of the times that packets are due. */
static struct packet *queue;
static unsigned int queue_head, queue_tail;

static unsigned long drop_every, drop_syn, drop_synack, delay_ms, narrow;
static unsigned long payload_seen, payload_dropped, overflowed;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void set_ipv4(const char *name, enum host host)
{
	struct ifreq request = {};
	union address address;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		fail("AF_INET");
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	address_make(&address, AF_INET, host, 0);
	memcpy(&request.ifr_addr, &address.in, sizeof(address.in));
	if (ioctl(fd, SIOCSIFADDR, &request) < 0)
		fail("SIOCSIFADDR");
	inet_pton(AF_INET, "255.255.255.0", &address.in.sin_addr);
	memcpy(&request.ifr_netmask, &address.in, sizeof(address.in));
	if (ioctl(fd, SIOCSIFNETMASK, &request) < 0)
		fail("SIOCSIFNETMASK");
	close(fd);
}

/* struct in6_ifreq of <linux/ipv6.h>; no duplicate address detection on a device without ARP */
static void set_ipv6(const char *name, enum host host)
{
	struct in6_ifreq request = { .ifr6_prefixlen = 64 };
	union address address;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (fd < 0)
		fail("AF_INET6");
	request.ifr6_ifindex = (int)if_nametoindex(name);
	address_make(&address, AF_INET6, host, 0);
	request.ifr6_addr = address.in6.sin6_addr;
	if (ioctl(fd, SIOCSIFADDR, &request) < 0)
		fail("SIOCSIFADDR (IPv6)");
	close(fd);
}

/* A namespace of its own, kept as descriptor NETNS_FD + side, and a TUN device in it. */
static int end_make(int side)
{
	const char *name = side ? "wire1" : "wire0";
	enum host host = side ? HOST_SERVER : HOST_CLIENT;
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int tun, fd;

	if (unshare(CLONE_NEWNET) < 0)
		fail("unshare(CLONE_NEWNET)");
	fd = open("/proc/self/ns/net", O_RDONLY);
	if (fd < 0 || dup2(fd, NETNS_FD + side) < 0)
		fail("/proc/self/ns/net");
	if (fd != NETNS_FD + side)
		close(fd);
	tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tun < 0)
		fail("/dev/net/tun");
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(tun, TUNSETIFF, &request) < 0)
		fail("TUNSETIFF");
	set_ipv4(name, host);
	interface_up(name);
	interface_up("lo");
	set_ipv6(name, host);
	return tun;
}

/* The TCP header of the packet and how much payload follows; NULL if it is none. */
static const uint8_t *tcp_of(const uint8_t *bytes, size_t length, size_t *ret_payload)
{
	size_t ip, total, tcp;

	if (length >= 20 && bytes[0] >> 4 == 4 && bytes[9] == IPPROTO_TCP) {
		ip = 4 * (bytes[0] & 15);
		total = (size_t)(bytes[2] << 8 | bytes[3]);
	} else if (length >= 40 && bytes[0] >> 4 == 6 && bytes[6] == IPPROTO_TCP) {
		ip = 40;
		total = 40 + (size_t)(bytes[4] << 8 | bytes[5]);
	} else {
		return NULL;
	}
	if (total > length || total < ip + 20)
		return NULL;
	tcp = 4 * (bytes[ip + 12] >> 4);
	if (total < ip + tcp)
		return NULL;
	*ret_payload = total - ip - tcp;
	return bytes + ip;
}

static bool dropped(const struct packet *packet)
{
	size_t payload;
	const uint8_t *tcp = tcp_of(packet->bytes, packet->length, &payload);
	uint8_t flags;

	if (!tcp)
		return false;
	flags = tcp[13] & (TH_SYN | TH_ACK);
	if (flags == TH_SYN && drop_syn)
		return drop_syn--;
	if (flags == (TH_SYN | TH_ACK) && drop_synack)
		return drop_synack--;
	if (!payload || packet->to != 1 || !drop_every || ++payload_seen % drop_every)
		return false;
	payload_dropped++;
	return true;
}

static uint16_t checksum(const uint8_t *bytes, size_t length) /* RFC 1071; even lengths */
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

/*
 * Too big to pass? Then tell the sender: destination unreachable, fragmentation needed (RFC 792),
 * with the next hop's MTU (RFC 1191), and the packet's IP header and eight bytes more.
 */
static bool too_big(const struct packet *packet, const int tuns[2])
{
	uint8_t icmp[20 + 8 + 28] = { 0x45 };

	if (!narrow || packet->to != 1 || packet->length <= narrow || packet->bytes[0] != 0x45)
		return false;
	put16(icmp + 2, sizeof(icmp));
	icmp[8] = 64; /* time to live */
	icmp[9] = IPPROTO_ICMP;
	memcpy(icmp + 12, packet->bytes + 16, 4); /* from where the packet was going */
	memcpy(icmp + 16, packet->bytes + 12, 4); /* to where it came from */
	put16(icmp + 10, checksum(icmp, 20));
	icmp[20] = 3;
	icmp[21] = 4;
	put16(icmp + 26, (uint16_t)narrow);
	memcpy(icmp + 28, packet->bytes, 28);
	put16(icmp + 22, checksum(icmp + 20, sizeof(icmp) - 20));
	if (write(tuns[0], icmp, sizeof(icmp)) < 0)
		fail("write of ICMP");
	return true;
}

static void take(const int tuns[2], int from)
{
	for (;;) {
		struct packet *packet = &queue[queue_tail % QUEUE_MAX];
		ssize_t n = read(tuns[from], packet->bytes, sizeof(packet->bytes));

		if (n <= 0)
			return;
		packet->length = (uint16_t)n;
		packet->to = !from;
		packet->due_ns = now_ns() + delay_ms * 1000000ULL;
		if (too_big(packet, tuns) || dropped(packet))
			continue;
		if (queue_tail - queue_head == QUEUE_MAX - 1)
			overflowed++;
		else
			queue_tail++;
	}
}

/* Pass on what is due; arm the timer for what is not. */
static void give(const int tuns[2], int timer)
{
	struct itimerspec spec = {};

	while (queue_head != queue_tail) {
		struct packet *packet = &queue[queue_head % QUEUE_MAX];

		if (packet->due_ns > now_ns()) {
			spec.it_value.tv_sec = (time_t)(packet->due_ns / 1000000000ULL);
			spec.it_value.tv_nsec = (long)(packet->due_ns % 1000000000ULL);
			break;
		}
		if (write(tuns[packet->to], packet->bytes, packet->length) < 0 && errno != EIO)
			fail("write to the TUN device");
		queue_head++;
	}
	timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static const struct tool_option options[] = {
	{ "delay-ms", .number = &delay_ms }, { "drop-every", .number = &drop_every },
	{ "drop-syn", .number = &drop_syn }, { "drop-synack", .number = &drop_synack },
	{ "narrow", .number = &narrow },     {},
};

int main(int argc, char **argv)
{
	struct pollfd fds[4];
	int tuns[2], timer, signals;
	sigset_t set;

	options_take(argc, argv, options);
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* never outlive the test */
	queue = calloc(QUEUE_MAX, sizeof(*queue));
	if (!queue)
		fail("memory");
	for (int i = 0; i < 2; i++)
		tuns[i] = end_make(i);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (timer < 0 || signals < 0)
		fail("timerfd, signalfd");
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < 2; i++)
		fds[i] = (struct pollfd){ tuns[i], POLLIN, 0 };
	fds[2] = (struct pollfd){ timer, POLLIN, 0 };
	fds[3] = (struct pollfd){ signals, POLLIN, 0 };
	while (!(fds[3].revents & POLLIN)) {
		uint64_t expirations;

		if (poll(fds, 4, -1) < 0 && errno != EINTR)
			fail("poll");
		if (fds[2].revents & POLLIN && read(timer, &expirations, sizeof(expirations)) < 0 &&
		    errno != EAGAIN)
			fail("timer");
		for (int i = 0; i < 2; i++)
			if (fds[i].revents & POLLIN)
				take(tuns, i);
		give(tuns, timer);
	}
	fprintf(stderr, "wire: %lu payload packets, %lu dropped, %lu did not fit\n", payload_seen,
		payload_dropped, overflowed);
	return overflowed ? EXIT_FAILURE : EXIT_SUCCESS;
}
