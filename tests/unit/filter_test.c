// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The words of filters, and what the kernel side makes of them: bpf/filter_match.h is the same code
 * here and there.
 */
#include <arpa/inet.h>
#include <sys/stat.h>

#include "arguments.h"
#include "base/util.h"
#include "bpf/filter_match.h"
#include "filter/filter.h"

/* A further value if `more`, else in place of those before. */
static char *take(struct filter_set *set, enum filter_kind kind, bool negative, const char *value,
		  bool more)
{
	if (!more)
		filter_clear(set, kind, negative);
	return filter_take(set, kind, negative, value);
}

static struct filter good(const char *line)
{
	struct options options;
	char *message;

	CHECK_SAYING(parse(line, &options, &message) == 0, "%s: %s", line, message);
	return options.kernel.filters.filter;
}

static void bad(const char *line, const char *hint)
{
	struct options options;
	char *message;

	CHECK_SAYING(parse(line, &options, &message) == -EINVAL, "%s was taken", line);
	CHECK_SAYING(message && strstr(message, hint), "%s: %s", line, message);
	free(message);
}

/* tcp, from 10.1.2.3 port 1000 to 10.1.9.9 port 443 */
static struct flow flow_v4(void)
{
	struct flow flow = { .ip_version = 4,
			     .proto = 6,
			     .has_ports = true,
			     .src_port = 1000,
			     .dest_port = 443,
			     .netns = 4711 };

	inet_pton(AF_INET, "10.1.2.3", flow.src.bytes);
	inet_pton(AF_INET, "10.1.9.9", flow.dest.bytes);
	return flow;
}

/* udp, from 2001:db8::1 port 53 to fd77::1:2 port 40000 */
static struct flow flow_v6(void)
{
	struct flow flow = { .ip_version = 6,
			     .proto = 17,
			     .has_ports = true,
			     .src_port = 53,
			     .dest_port = 40000,
			     .netns = 4712 };

	inet_pton(AF_INET6, "2001:db8::1", flow.src.bytes);
	inet_pton(AF_INET6, "fd77::1:2", flow.dest.bytes);
	return flow;
}

static const struct {
	const char *line;
	bool takes_v4, takes_v6;
} flows[] = {
	{ "", true, true },
	{ "--addr=10.1.2.3", true, false },
	{ "--addr=10.1.9.9", true, false },
	{ "--addr=10.1.2.4", false, false },
	{ "--not-addr=10.1.9.9", false, true },
	{ "--not-addr=10.1.9.8", true, true },
	{ "--addr=10.0.0.0/8,fd77::/16", true, true },
	{ "--addr=10.0.0.0/8 --addr=fd77::/16", true, true },
	{ "--addr=10.0.0.0/15 --not-addr=10.1.9.0/24", false, false },
	{ "--addr=10.1.2.0/30", true, false },
	{ "--addr=10.1.2.4/30", false, false },
	{ "--addr=0.0.0.0/0", true, false },
	{ "--addr=::/0", false, true },
	{ "--addr=::ffff:10.1.2.3", true, false },
	{ "--addr=::ffff:10.1.0.0/112", true, false },
	{ "--src-addr=10.1.2.3", true, false },
	{ "--src-addr=10.1.9.9", false, false },
	{ "--dest-addr=10.1.9.9", true, false },
	{ "--dest-addr=10.1.2.3", false, false },
	{ "--not-src-addr=10.1.2.3", false, true },
	{ "--not-src-addr=10.1.9.9", true, true },
	{ "--not-dest-addr=10.1.9.9", false, true },
	{ "--dest-addr=fd77::1:0/112", false, true },
	{ "--dest-addr=fd77::1:2/127", false, true },
	{ "--dest-addr=fd77::1:4/126", false, false },
	{ "--dest-addr=fd77::1:2/128", false, true },
	{ "--dest-addr=fd77::1:3", false, false },
	{ "--src-addr=2001:db8::/33", false, true },
	{ "--src-addr=2001:db8:8000::/33", false, false },
	{ "--port=443", true, false },
	{ "--port=1000", true, false },
	{ "--port=442,444", false, false },
	{ "--port=50-60,400-443", true, true },
	{ "--port=1-65535", true, true },
	{ "--port=444-65535 --not-port=53", true, false },
	{ "--src-port=443", false, false },
	{ "--src-port=53,1000", true, true },
	{ "--dest-port=40000", false, true },
	{ "--not-src-port=53", true, false },
	{ "--not-src-port=40000", true, true },
	{ "--not-dest-port=443 --not-dest-port=40000", false, false },
	{ "--not-port=1000", false, true },
	{ "--proto=tcp", true, false },
	{ "--proto=udp,tcp", true, true },
	{ "--not-proto=tcp", false, true },
	{ "--proto=17", false, true },
	{ "--proto=0,6,255", true, false },
	{ "--not-proto=17", true, false },
	{ "--proto=sctp,132,gre", false, false },
	{ "--proto=gre,TCP", true, false },
	{ "--netns=4711", true, false },
	{ "--netns=4710,4712", false, true },
	{ "--not-netns=4712", true, false },
	{ "--proto=tcp --port=53", false, false },
	{ "--addr=10.0.0.0/8 --port=443 --netns=4711 --proto=tcp --not-src-port=443", true, false },
};

TEST(a_flow_passes_if_every_filter_has_it_and_no_twin)
{
	const struct flow v4 = flow_v4(), v6 = flow_v6();

	for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
		struct filter filter = good(flows[i].line);

		CHECK_SAYING(filter_takes_flow(&filter, &v4) == flows[i].takes_v4, "IPv4: %s",
			     flows[i].line);
		CHECK_SAYING(filter_takes_flow(&filter, &v6) == flows[i].takes_v6, "IPv6: %s",
			     flows[i].line);
	}
	CHECK_EQUAL(good("").active, 0);
}

TEST(an_owner_that_is_not_known_passes_only_what_leaves_out)
{
	static const union filter_name nobody = {}, nginx = { .text = "nginx" },
				       longest = { .text = "123456789012345" };
	struct filter filter = good("--pid=812,9");

	CHECK(filter_takes_owner(&filter, 812, &nobody) && filter_takes_owner(&filter, 9, &nginx));
	CHECK(!filter_takes_owner(&filter, 0, &nobody) && !filter_takes_owner(&filter, 81, &nginx));
	filter = good("--not-pid=812");
	CHECK(!filter_takes_owner(&filter, 812, &nginx) && filter_takes_owner(&filter, 0, &nobody));
	filter = good("--comm=nginx --comm=123456789012345");
	CHECK(filter_takes_owner(&filter, 0, &nginx) && filter_takes_owner(&filter, 0, &longest));
	CHECK(!filter_takes_owner(&filter, 0, &nobody));
	filter = good("--comm=ngin");
	CHECK(!filter_takes_owner(&filter, 0, &nginx));
	filter = good("--not-comm=nginx");
	CHECK(!filter_takes_owner(&filter, 1, &nginx) && filter_takes_owner(&filter, 1, &nobody));
	filter = good("--comm=a,b"); /* a name may have a comma */
	CHECK(filter_takes_owner(&filter, 0, &(union filter_name){ .text = "a,b" }));
	filter = good("--ifname=eth0,lo");
	CHECK(filter_takes_ifname(&filter, &(union filter_name){ .text = "lo" }));
	CHECK(!filter_takes_ifname(&filter, &(union filter_name){ .text = "eth1" }));
	CHECK(!filter_takes_ifname(&filter, &nobody));
	filter = good("--not-ifname=lo");
	CHECK(!filter_takes_ifname(&filter, &(union filter_name){ .text = "lo" }));
	CHECK(filter_takes_ifname(&filter, &nobody));
}

TEST(a_value_that_cannot_be_is_refused_with_what_would_do)
{
	bad("--port=70000", "--port: '70000' is no port; give numbers from 1 to 65535");
	bad("--port=0", "from 1 to 65535");
	bad("--port=", "'' is no port");
	bad("--port=80,", "'' is no port");
	bad("--port=-80", "'-80' is no port");
	bad("--port=80-", "'80-' is no port");
	bad("--port=no-such-service",
	    "'no-such-service' is no port; give numbers from 1 to 65535, as "
	    "443 or 80,8000-8100, or names as in /etc/services");
	bad("--port=http-https", "'http-https' is no port");
	bad("--port=HTTP", "'HTTP' is no port");
	bad("--port=000000080", "is no port");
	bad("--port=80-70000", "'80-70000' is no port");
	bad("--not-src-port=90-80", "--not-src-port: '90-80' ends before it begins; give 80-90");
	bad("--addr=10.0.0.0/33",
	    "--addr: '10.0.0.0/33': what follows the slash must be from 0 to 32");
	bad("--addr=fd00::/129", "from 0 to 128");
	bad("--addr=10.0.0.0/", "from 0 to 32");
	bad("--addr=10.0.0.0/-1", "from 0 to 32");
	bad("--addr=10.0.0.0/8/8", "from 0 to 32");
	bad("--addr=10.0.0.1/8", "give 10.0.0.0/8 for the network, or 10.0.0.1 for the host");
	bad("--addr=fd00::1/64", "give fd00::/64 for the network, or fd00::1 for the host");
	bad("--addr=::ffff:10.0.0.1/104", "bits set beyond its prefix");
	bad("--addr=example.com", "'example.com' is no address");
	bad("--addr=10.0.0", "'10.0.0' is no address");
	bad("--addr=fe80::1%eth0", "is no address");
	bad("--addr=", "'' is no address");
	bad("--addr=10.0.0.1,,10.0.0.2", "'' is no address");
	bad("--addr=1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", "is no address");
	bad("--proto=scpt", "there is no protocol 'scpt'; known are: icmp, igmp, tcp, udp, icmpv6, "
			    "names as in /etc/protocols, and numbers from 0 to 255");
	bad("--proto=256", "there is no protocol '256'");
	bad("--proto=-1", "there is no protocol '-1'");
	bad("--proto=", "known are: icmp");
	bad("--pid=0", "'0' is no process");
	bad("--pid=nginx", "'nginx' is no process; give its number");
	bad("--pid=4194305", "is no process");
	bad("--comm=", "a name is missing");
	bad("--comm=1234567890123456", "is too long: the kernel keeps 15 bytes of a name; give "
				       "'123456789012345'");
	bad("--comm=\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81",
	    "give '\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81'");
	bad("--ifname=", "'' can be no interface");
	bad("--ifname=1234567890123456", "can be no interface");
	bad("--ifname=a/b", "can be no interface");
	bad("--netns=no-such",
	    "there is no network namespace 'no-such'; give a name of `ip netns`");
	bad("--netns=", "there is no network namespace ''");
	bad("--netns=/dev/null", "'/dev/null' is no network namespace");
	bad("--netns=/proc/self/ns/mnt", "'/proc/self/ns/mnt' is no network namespace");
	bad("--netns=/proc/self/ns", "is no network namespace");
	bad("--not-min-rtt=0", "nothing is below 0");
	bad("--min-rtt=1MB", "give microseconds");
	bad("--not-quiet", "there is no option --not-quiet");
}

/* Eight letters of two bytes each: the kernel keeps one byte of the last. */
TEST(a_name_that_the_kernel_cuts_inside_of_a_character_is_given_whole)
{
	static const char whole[] =
		"\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81";
	const struct filter filter =
		good("--comm=\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81");

	CHECK_EQUAL(filter.comms.count, 1);
	CHECK(!memcmp(filter.comms.of[0].name.text, whole, 15));
	CHECK_EQUAL(filter.comms.of[0].name.text[15], 0);
}

/* Any setting that is printed: read again it would be another one. */
TEST(a_value_that_json_cannot_carry_is_refused)
{
	static const char *const bytes[] = { "\xff", "\xc0\x80", "a\xd1", "\xed\xa0\x80", "\x80" };
	static const char *const names[] = { "comm",   "not-comm", "ifname",   "unit",	   "cgroup",
					     "netns",  "port",	   "output",   "hostname", "events",
					     "sample", "proto",	   "ring-size" };
	char line[64];

	for (size_t i = 0; i < ARRAY_SIZE(bytes) * ARRAY_SIZE(names); i++) {
		snprintf(line, sizeof(line), "--%s=%s", names[i / ARRAY_SIZE(bytes)],
			 bytes[i % ARRAY_SIZE(bytes)]);
		bad(line, "is no UTF-8");
	}
	bad("--output=file:/tmp/x,comm=\xff", "is no UTF-8");
	bad("--output=file:/tmp/\xff", "is no UTF-8");
	bad("--write=/tmp/\xff", "is no UTF-8");
	good("--comm=\xd1\x81\x01\xf0\x9f\x90\xa7");
}

/* Debian's netbase has these names. */
TEST(a_port_may_be_given_by_the_name_of_its_service)
{
	struct flow flow = { .ip_version = 4, .proto = IPPROTO_TCP, .src_port = 40000 };
	const struct filter filter = good("--port=https,domain,8000-8001,www --not-port=ssh");
	static const struct {
		uint16_t port;
		bool takes;
	} ports[] = { { 443, true }, { 53, true },   { 8001, true }, { 80, true },
		      { 22, false }, { 444, false }, { 442, false }, { 40000, false } };

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		flow.dest_port = ports[i].port;
		CHECK_SAYING(filter_takes_flow(&filter, &flow) == ports[i].takes, "%u",
			     ports[i].port);
	}
}

TEST(a_namespace_is_found_by_its_path)
{
	struct stat status;
	struct filter filter = good("--netns=/proc/self/ns/net");

	CHECK(stat("/proc/self/ns/net", &status) == 0);
	CHECK(filter_in_numbers(&filter.namespaces, (__u32)status.st_ino));
}

TEST(limits_are_the_least_of_those_given)
{
	struct options options;
	char *message;

	CHECK(parse("--min-rtt=50 --min-rtt=20 --min-rtt=30 --not-min-rtt=90 --not-min-rtt=80 "
		    "--min-latency=5 --not-min-latency=7",
		    &options, &message) == 0);
	CHECK_EQUAL(options.kernel.limits_ns[event_rtt].least, 20 * NSEC_PER_USEC);
	CHECK_EQUAL(options.kernel.limits_ns[event_rtt].below, 80 * NSEC_PER_USEC);
	CHECK_EQUAL(options.kernel.limits_ns[event_latency].least, 5 * NSEC_PER_USEC);
	CHECK_EQUAL(options.kernel.limits_ns[event_latency].below, 7 * NSEC_PER_USEC);
	CHECK(parse("", &options, &message) == 0);
	CHECK(!options.kernel.limits_ns[event_rtt].least &&
	      !options.kernel.limits_ns[event_rtt].below &&
	      !options.kernel.limits_ns[event_latency].below);
}

/* The lists have an end, and say so. */
TEST(more_values_than_there_is_room_for_are_refused)
{
	struct filter_set set = {};
	char *wrong = NULL, text[64];
	int taken = 0;

	for (; taken < 100 && !wrong; taken++) {
		snprintf(text, sizeof(text), "10.0.0.%d,fd00::%d", taken, taken);
		wrong = take(&set, filter_addr, false, text, taken);
	}
	CHECK_EQUAL(taken, FILTER_NETWORKS / 2 + 1);
	CHECK_TEXT(wrong, "127 values are the most");
	free(wrong);
	wrong = NULL;
	for (taken = 0; taken < 100 && !wrong; taken++) {
		snprintf(text, sizeof(text), "%d", taken + 1);
		wrong = take(&set, filter_pid, true, text, taken);
	}
	CHECK_EQUAL(taken, FILTER_NUMBERS + 1);
	free(wrong);
	wrong = NULL;
	for (taken = 0; taken < 1000 && !wrong; taken++)
		wrong = take(&set, filter_port, false, "1-65535", taken);
	CHECK(wrong && taken <= FILTER_VALUES_MAX);
	free(wrong);
}

TEST(values_that_do_not_go_on_with_a_list_replace_it)
{
	struct filter_set set = {};
	const struct flow v4 = flow_v4();

	CHECK(!take(&set, filter_port, false, "443", false));
	CHECK(!take(&set, filter_port, false, "80", true));
	CHECK(!take(&set, filter_port, true, "53", false));
	CHECK(filter_takes_flow(&set.filter, &v4));
	CHECK_TEXT(filter_value(&set, filter_port, false, 1), "80");
	CHECK(!filter_value(&set, filter_port, false, 2));
	CHECK(!take(&set, filter_port, false, "81", false));
	CHECK(!filter_takes_flow(&set.filter, &v4));
	CHECK_TEXT(filter_value(&set, filter_port, false, 0), "81");
	CHECK(!filter_value(&set, filter_port, false, 1));
	CHECK_TEXT(filter_value(&set, filter_port, true, 0), "53");
	CHECK(!take(&set, filter_port, false, "443", false));
	CHECK(!take(&set, filter_addr, false, "10.0.0.0/8", false));
	CHECK(!take(&set, filter_addr, true, "10.1.9.8", false));
	CHECK(filter_takes_flow(&set.filter, &v4));
	CHECK(!take(&set, filter_addr, true, "10.1.9.9", true));
	CHECK(!filter_takes_flow(&set.filter, &v4));
	CHECK(!take(&set, filter_addr, true, "10.1.9.7", false));
	CHECK(filter_takes_flow(&set.filter, &v4));
	CHECK(!take(&set, filter_addr, false, "192.0.2.0/24", false));
	CHECK(!filter_takes_flow(&set.filter, &v4));
}

/* An address, or the ones at the edges of the segments that the list cuts: who is in it? */
static const struct {
	const char *list, *in, *out;
} lists[] = {
	{ "0.0.0.0/0", "0.0.0.0 127.255.255.255 128.0.0.0 255.255.255.255",
	  ":: ::ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "::/0", ":: ::1 8000:: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  "0.0.0.0 10.0.0.1 255.255.255.255" },
	{ "0.0.0.0/0,::/0", "0.0.0.0 255.255.255.255 :: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  "" },
	{ "0.0.0.0", "0.0.0.0", "0.0.0.1 255.255.255.255 ::" },
	{ "::", "::", "::1 0.0.0.0 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "255.255.255.255/32", "255.255.255.255", "255.255.255.254 0.0.0.0 :: ffff:ffff::" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe :: 255.255.255.255" },
	{ "255.255.255.255,::", "255.255.255.255 ::", "255.255.255.254 ::1 0.0.0.0" },
	/* the same again, one inside the other, side by side, and with a hole */
	{ "10.0.0.0/8,10.0.0.0/8,10.0.0.0/8", "10.0.0.0 10.255.255.255", "9.255.255.255 11.0.0.0" },
	{ "10.1.0.0/16,10.0.0.0/8,10.1.2.3,10.0.0.0/9",
	  "10.0.0.0 10.1.0.0 10.1.2.2 10.1.2.3 10.1.2.4 10.2.0.0 10.127.255.255 10.128.0.0 "
	  "10.255.255.255",
	  "9.255.255.255 11.0.0.0" },
	{ "10.0.1.0/24,10.0.0.0/24", "10.0.0.0 10.0.0.255 10.0.1.0 10.0.1.255",
	  "9.255.255.255 10.0.2.0" },
	{ "10.0.0.0/24,10.0.2.0/24", "10.0.0.255 10.0.2.0", "10.0.1.0 10.0.1.255 10.0.3.0" },
	{ "10.0.0.1,10.0.0.2,10.0.0.4", "10.0.0.1 10.0.0.2 10.0.0.4",
	  "10.0.0.0 10.0.0.3 10.0.0.5" },
	{ "127.255.255.255,128.0.0.0", "127.255.255.255 128.0.0.0", "127.255.255.254 128.0.0.1" },
	/* where the parts of the number meet: behind bit 43, and behind bit 86 */
	{ "fd00:0:0:1::/64", "fd00:0:0:1:: fd00::1:ffff:ffff:ffff:ffff",
	  "fd00:: fd00::ffff:ffff:ffff:ffff fd00:0:0:2::" },
	{ "fd00:0:20::/43", "fd00:0:20:: fd00:0:3f:ffff:ffff:ffff:ffff:ffff",
	  "fd00:0:1f:ffff:ffff:ffff:ffff:ffff fd00:0:40::" },
	{ "fd00::400:0:0/86", "fd00::400:0:0 fd00::7ff:ffff:ffff",
	  "fd00::3ff:ffff:ffff fd00::800:0:0" },
	{ "fd00:0:1f:ffff:ffff:ffff:ffff:ffff", "fd00:0:1f:ffff:ffff:ffff:ffff:ffff",
	  "fd00:0:1f:ffff:ffff:ffff:ffff:fffe fd00:0:20::" },
	{ "fd00::3ff:ffff:ffff", "fd00::3ff:ffff:ffff", "fd00::3ff:ffff:fffe fd00::400:0:0" },
	{ "::ffff:0:0/96", "0.0.0.0 255.255.255.255", "::fffe:ffff:ffff ::1:0:0:0" },
};

static struct flow flow_from(const char *address)
{
	struct flow flow = { .ip_version = strchr(address, ':') ? 6 : 4 };

	CHECK_SAYING(inet_pton(flow.ip_version == 4 ? AF_INET : AF_INET6, address,
			       flow.src.bytes) == 1,
		     "%s", address);
	return flow;
}

static void check_addresses(const char *list, const char *addresses, bool in)
{
	static struct filter_set let, leave;
	char copy[256], *rest = copy, *wrong;

	memset(&let, 0, sizeof(let));
	memset(&leave, 0, sizeof(leave));
	wrong = take(&let, filter_src_addr, false, list, false);
	CHECK_SAYING(!wrong && !take(&leave, filter_src_addr, true, list, false), "%s: %s", list,
		     wrong);
	snprintf(copy, sizeof(copy), "%s", addresses);
	for (char *text = strsep(&rest, " "); text && *text; text = strsep(&rest, " ")) {
		struct flow flow = flow_from(text);

		CHECK_SAYING(filter_takes_flow(&let.filter, &flow) == in, "%s in %s", text, list);
		CHECK_SAYING(filter_takes_flow(&leave.filter, &flow) != in, "%s not in %s", text,
			     list);
	}
}

TEST(networks_end_where_they_end_however_they_lie)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		check_addresses(lists[i].list, lists[i].in, true);
		check_addresses(lists[i].list, lists[i].out, false);
	}
}

/* A packet that is not IP has no address, not even 0. */
TEST(a_packet_without_addresses_is_in_no_network)
{
	const struct flow none = {};
	struct filter filter = good("--addr=0.0.0.0/0,::/0");

	CHECK(!filter_takes_flow(&filter, &none));
	filter = good("--not-addr=0.0.0.0/0,::/0");
	CHECK(filter_takes_flow(&filter, &none));
}

/* ---- against a second opinion, which knows texts and arithmetic, but no masks and bitmaps ---- */

struct network {
	int version;
	unsigned int bits;
	uint8_t bytes[16];
};

struct range {
	unsigned int first, last;
};

/* One half of one filter: a few of each. */
struct opinion {
	int networks_count, ranges_count;
	struct network networks[4];
	struct range ranges[4];
};

static bool bit_of(const uint8_t *bytes, unsigned int i)
{
	return bytes[i / 8] >> (7 - i % 8) & 1;
}

static bool network_has(const struct network *net, int version, const uint8_t *bytes)
{
	bool same = net->version == version;

	for (unsigned int i = 0; i < net->bits && same; i++)
		same = bit_of(net->bytes, i) == bit_of(bytes, i);
	return same;
}

static bool has_address(const struct opinion *o, int version, const uint8_t *bytes)
{
	for (int i = 0; i < o->networks_count; i++)
		if (network_has(&o->networks[i], version, bytes))
			return true;
	return false;
}

static bool has_port(const struct opinion *o, unsigned int port)
{
	for (int i = 0; i < o->ranges_count; i++)
		if (port >= o->ranges[i].first && port <= o->ranges[i].last)
			return true;
	return false;
}

/* Few different bits, so that networks and addresses meet. */
static void random_address(uint64_t *state, int version, uint8_t *bytes)
{
	memset(bytes, 0, 16);
	for (int i = 0; i < (version == 4 ? 4 : 16); i++)
		bytes[i] = test_random(state) % 8 ? 0 : 1 << test_random(state) % 8;
}

static void add_network(uint64_t *state, struct opinion *o, char *text, size_t size)
{
	struct network *net = &o->networks[o->networks_count++];
	char address[INET6_ADDRSTRLEN];

	net->version = test_random(state) % 2 ? 4 : 6;
	net->bits = (unsigned int)(test_random(state) % (net->version == 4 ? 33 : 129));
	random_address(state, net->version, net->bytes);
	for (unsigned int i = net->bits; i < 128; i++)
		net->bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	inet_ntop(net->version == 4 ? AF_INET : AF_INET6, net->bytes, address, sizeof(address));
	snprintf(text, size, "%s/%u", address, net->bits);
}

/* 0: its first address, 1: its last, 2: the one before it, 3: the one behind it; all around. */
static void edge_of(const struct network *net, int which, uint8_t *bytes)
{
	int last = net->version == 4 ? 3 : 15;
	uint8_t step = which == 2 ? 0xff : 1, over;

	for (unsigned int i = net->bits; which % 2 && i < 8 * (unsigned int)(last + 1); i++)
		bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	for (int i = last; which >= 2 && i >= 0; i--) {
		bytes[i] = (uint8_t)(bytes[i] + step);
		over = which == 2 ? 0xff : 0;
		if (bytes[i] != over)
			break;
	}
}

static void add_range(uint64_t *state, struct opinion *o, char *text, size_t size)
{
	struct range *range = &o->ranges[o->ranges_count++];

	range->first = 1 + (unsigned int)(test_random(state) % 65535);
	range->last =
		test_random(state) % 2 ? range->first : range->first + (65535 - range->first) / 2;
	snprintf(text, size, range->first == range->last ? "%u" : "%u-%u", range->first,
		 range->last);
}

/* A random half of a filter, taken by both. */
static void random_half(uint64_t *state, struct filter_set *set, enum filter_kind kind,
			bool negative, struct opinion *o)
{
	int count = (int)(test_random(state) % 4);

	for (int i = 0; i < count; i++) {
		char text[64], *wrong;

		if (kind <= filter_dest_addr)
			add_network(state, o, text, sizeof(text));
		else
			add_range(state, o, text, sizeof(text));
		wrong = take(set, kind, negative, text, i);
		CHECK_SAYING(!wrong, "%s: %s", text, wrong);
	}
}

static bool half_has(const struct opinion *o, enum filter_kind kind, const struct flow *flow)
{
	bool src = kind <= filter_dest_addr ? has_address(o, flow->ip_version, flow->src.bytes) :
					      has_port(o, flow->src_port);
	bool dest = kind <= filter_dest_addr ? has_address(o, flow->ip_version, flow->dest.bytes) :
					       has_port(o, flow->dest_port);

	if (kind == filter_addr || kind == filter_port)
		return src || dest;
	return kind == filter_src_addr || kind == filter_src_port ? src : dest;
}

static bool opinion_takes(struct opinion opinions[filter_kinds][2], const struct flow *flow)
{
	for (int kind = 0; kind <= filter_dest_port; kind++) {
		const struct opinion *o = opinions[kind];

		if ((o[0].networks_count || o[0].ranges_count) && !half_has(&o[0], kind, flow))
			return false;
		if (half_has(&o[1], kind, flow))
			return false;
	}
	return true;
}

TEST(random_filters_take_of_random_flows_what_a_second_opinion_takes)
{
	static struct filter_set set;
	uint64_t state = 4711, taken = 0, refused = 0;

	for (int round = 0; round < 600; round++) {
		struct opinion opinions[filter_kinds][2] = {};

		memset(&set, 0, sizeof(set));
		for (int i = 0; i < 2 * (filter_dest_port + 1); i++)
			if (test_random(&state) % 6 == 0)
				random_half(&state, &set, i / 2, i % 2, &opinions[i / 2][i % 2]);
		for (int i = 0; i < 200; i++) {
			struct flow flow = { .ip_version = test_random(&state) % 2 ? 4 : 6 };
			bool takes;

			random_address(&state, flow.ip_version, flow.src.bytes);
			random_address(&state, flow.ip_version, flow.dest.bytes);
			flow.src_port = (__u16)test_random(&state);
			flow.dest_port = (__u16)test_random(&state);
			takes = opinion_takes(opinions, &flow);
			CHECK_SAYING(filter_takes_flow(&set.filter, &flow) == takes, "%d, %d",
				     round, i);
			taken += takes;
			refused += !takes;
		}
	}
	CHECK_SAYING(taken > 10000 && refused > 10000, "%llu taken, %llu refused",
		     (unsigned long long)taken, (unsigned long long)refused);
}

/* As long as they may be, and asked at each edge: where a network begins or ends, and one beyond. */
TEST(long_lists_take_at_each_edge_what_a_second_opinion_takes)
{
	static struct filter_set set;
	uint64_t state = 815, taken = 0, refused = 0;

	for (int round = 0; round < 100; round++) {
		static struct opinion nets[FILTER_NETWORKS];
		enum filter_kind kind =
			test_random(&state) % 2 ? filter_src_addr : filter_dest_addr;
		bool negative = test_random(&state) % 2;

		memset(&set, 0, sizeof(set));
		memset(nets, 0, sizeof(nets));
		for (int i = 0; i < FILTER_NETWORKS; i++) {
			char text[64];

			add_network(&state, &nets[i], text, sizeof(text));
			CHECK(!take(&set, kind, negative, text, i));
		}
		for (int i = 0; i < FILTER_NETWORKS * 4; i++) {
			const struct network *net = &nets[i / 4].networks[0];
			struct flow flow = { .ip_version = (__u8)net->version };
			struct ip_address edge;
			bool in = false;

			memcpy(edge.bytes, net->bytes, sizeof(edge.bytes));
			edge_of(net, i % 4, edge.bytes);
			*(kind == filter_src_addr ? &flow.src : &flow.dest) = edge;
			for (int k = 0; k < FILTER_NETWORKS; k++)
				in |= has_address(&nets[k], net->version, edge.bytes);
			CHECK_SAYING(filter_takes_flow(&set.filter, &flow) == (in != negative),
				     "%d, %d", round, i);
			taken += in;
			refused += !in;
		}
	}
	CHECK_SAYING(taken > 1000 && refused > 1000, "%llu in, %llu out", (unsigned long long)taken,
		     (unsigned long long)refused);
}

/* Any bytes: an answer, and nothing that the sanitizers would see. */
TEST(damaged_values_are_taken_or_refused)
{
	static const char *const seeds[] = { "10.0.0.0/8,fd00::/8,::ffff:1.2.3.4/120",
					     "80,443,8000-8100,1-65535",
					     "tcp,udp",
					     "1,2,4194304",
					     "/system.slice/../a.service",
					     "eth0,lo",
					     "4026531840" };
	static struct filter_set set;
	uint64_t state = 11;

	for (int i = 0; i < 20000; i++) {
		const char *seed = seeds[test_random(&state) % ARRAY_SIZE(seeds)];
		enum filter_kind kind = test_random(&state) % filter_kinds;
		char text[64], *wrong;

		if (kind == filter_unit || kind == filter_cgroup)
			continue; /* they look at this host's file system */
		snprintf(text, sizeof(text), "%s", seed);
		for (int k = 0; k < i % 4; k++)
			text[test_random(&state) % strlen(seed)] =
				"0123456789.:/-,af\x80\x01"[test_random(&state) % 19];
		wrong = take(&set, kind, i % 2, text, i % 3);
		if (wrong) /* then the set is not to be used any more */
			memset(&set, 0, sizeof(set));
		free(wrong);
	}
}
