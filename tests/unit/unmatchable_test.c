// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What can never come is said, with the reason, and nothing is said of what can.
 */
#include "settings/unmatchable.h"

#include <sys/stat.h>

#include "arguments.h"
#include "base/util.h"

static void hear(void *context, const char *sentence)
{
	char *said = context;

	strcat(said, sentence);
	strcat(said, "\n");
}

/* What is said of these words, separated by blanks. */
static const char *said_of(const char *line)
{
	static struct options options;
	static char said[8192];
	char *message;

	CHECK_SAYING(parse(line, &options, &message) == 0, "%s: %s", line, message);
	said[0] = 0;
	unmatchable_find(&options, hear, said);
	options_done(&options);
	return said;
}

static void says(const char *line, const char *what)
{
	const char *said = said_of(line);

	CHECK_SAYING(strstr(said, what), "of `%s` is said: %s", line, *said ? said : "nothing");
}

static void quiet(const char *line)
{
	const char *said = said_of(line);

	CHECK_SAYING(!*said, "of `%s` is said: %s", line, said);
}

TEST(ports_that_leave_none)
{
	says("--port=443 --not-port=443", " can come: nothing passes port, not-port");
	says("--port=8000-8100 --not-port=1-9000", "nothing passes port, not-port");
	says("--port=443,80 --not-port=80 --not-port=400-500", "nothing passes");
	says("--src-port=443 --not-port=443", "nothing passes not-port, src-port");
	says("--src-port=443 --not-src-port=443", "nothing passes");
	says("--dest-port=1-10 --not-dest-port=1-5,6-10", "nothing passes");
	says("--port=443 --not-src-port=443 --not-dest-port=443", "nothing passes");
	says("--port=443 --src-port=1 --dest-port=2", "nothing passes");
	says("-e rtt --not-port=1-65535", "no line of rtt can come");
	quiet("--port=443 --not-port=80");
	quiet("--port=443 --not-src-port=443");
	quiet("--port=443-444 --not-port=443");
	quiet("--src-port=443 --not-dest-port=443");
	quiet("--port=443 --src-port=1 --dest-port=1-1000");
	quiet("-e latency --latency-stage=qdisc --not-port=1-65535"); /* icmp has none */
}

TEST(networks_that_leave_none)
{
	says("--addr=10.1.0.0/16 --not-addr=10.0.0.0/8", "nothing passes addr, not-addr");
	says("--addr=10.0.0.0/8 --not-addr=10.0.0.0/9,10.128.0.0/9", "nothing passes");
	says("--addr=fd00::/8 --not-addr=fc00::/7", "nothing passes");
	says("--src-addr=10.0.0.1 --not-addr=10.0.0.1", "nothing passes");
	says("--dest-addr=::1 --not-dest-addr=::/0", "nothing passes");
	says("--src-addr=10.0.0.1 --dest-addr=fd00::1", "nothing passes src-addr, dest-addr");
	says("--not-addr=0.0.0.0/0,::/0", "nothing passes not-addr");
	says("--addr=10.0.0.1,fd00::1 --not-addr=10.0.0.0/8,fd00::/8", "nothing passes");
	quiet("--addr=10.0.0.0/8 --not-addr=10.1.0.0/16");
	quiet("--addr=10.0.0.1 --not-src-addr=10.0.0.1");
	quiet("--src-addr=10.0.0.1,fd00::2 --dest-addr=fd00::1");
	quiet("--not-addr=0.0.0.0/0");
	quiet("--addr=10.0.0.1,fd00::1 --not-addr=10.0.0.0/8");
}

TEST(protocols_that_leave_none)
{
	says("--proto=tcp --not-proto=tcp", "nothing passes proto, not-proto");
	says("-e rtt --proto=udp",
	     "no line of rtt can come: it is of tcp, which does not pass proto");
	says("-e rtt,latency --not-proto=tcp", "no line of rtt can come: it is of tcp");
	says("-e latency --latency-stage=tcp --proto=udp", "no line of latency can come");
	says("-e latency --latency-stage=app,transport --proto=icmp",
	     "no line of latency can come");
	says("-e latency --latency-stage=qdisc --proto=icmp --port=443",
	     "what passes proto has no ports, for which port asks");
	quiet("-e rtt --proto=tcp,udp");
	quiet("-e latency --latency-stage=qdisc --proto=icmp");
	quiet("--proto=udp --port=53");
}

TEST(lists_that_leave_none)
{
	says("--comm=nginx --not-comm=nginx", "nothing passes comm, not-comm");
	says("--comm=a --comm=b --not-comm=b --not-comm=a", "nothing passes");
	says("--ifname=lo --not-ifname=lo", "nothing passes ifname, not-ifname");
	says("--netns=4026531840 --not-netns=4026531840", "nothing passes netns, not-netns");
	says("--pid=1 --not-pid=1", "nothing passes pid, not-pid");
	quiet("--comm=a --comm=b --not-comm=b");
	quiet("--netns=4026531840,4026531841 --not-netns=4026531841");
}

TEST(events_without_what_is_asked_for)
{
	says("-e rtt --ifname=lo", "no line of rtt can come: it never has what ifname asks for");
	says("-e rtt,retransmit --ifname=lo", "no line of retransmit, rtt can come");
	says("-e rtt,latency --ifname=lo", "no line of rtt can come");
	says("-e latency --latency-stage=transport --pid=1",
	     "no line of latency can come: it is too early to know what pid ask");
	says("--latency-stage=transport,app --not-comm=x", "latency's stage transport can come");
	quiet("--ifname=lo"); /* README: then latency alone is left */
	quiet("-e latency --ifname=lo");
	quiet("-e rtt --not-ifname=lo");
	quiet("--comm=x");
}

TEST(limits_that_leave_nothing_between)
{
	says("--min-rtt=100 --not-min-rtt=100",
	     "no line of rtt can come: nothing is at least min-rtt");
	says("--min-rtt=2ms --not-min-rtt=1ms", "no line of rtt can come");
	says("--min-latency=10us --not-min-latency=9.5", "no line of latency can come");
	says("--min-rtt=1.2 --not-min-rtt=1.8", "no line of rtt can come"); /* whole ones */
	quiet("--min-rtt=100 --not-min-rtt=101");
	quiet("--min-latency=1.2 --not-min-latency=1.8"); /* nanoseconds */
	quiet("--min-rtt=1s");
}

TEST(settings_of_events_that_are_not_logged)
{
	says("-e latency --min-rtt=5", "min-rtt does nothing: rtt is not logged");
	says("-e rtt --not-min-latency=5", "not-min-latency does nothing: latency is not logged");
	says("-e rtt --latency-stage=app", "stage does nothing: latency is not logged");
	quiet("-e latency --latency-stage=app --min-latency=5");
	quiet("-e rtt --latency-stage=all");
}

TEST(outputs_that_can_get_nothing)
{
	says("--port=443 -o stdout -o file:/tmp/x,not-port=443",
	     " can come: nothing passes port, not-port");
	says("-o file:/tmp/x,port=443,not-port=1-1000", "file:/tmp/x: no line of");
	says("-o file:/tmp/x,events=rtt,ifname=lo", "file:/tmp/x: no line of rtt can come");
	says("-e rtt -o stdout -o file:/tmp/x,events=latency",
	     "file:/tmp/x: no line of an event can come");
	says("--addr=10.0.0.0/8 -o file:/tmp/x,addr=192.0.2.0/24,src-addr=10.0.0.1,dest-addr=10.0.0.2",
	     "file:/tmp/x: no line of");
	quiet("--addr=10.0.0.0/8 -o file:/tmp/x,addr=192.0.2.0/24"); /* from the one to the other */
	says("--src-addr=10.0.0.0/8 -o file:/tmp/x,src-addr=192.0.2.0/24",
	     "file:/tmp/x: no line of");
	says("--comm=a -o file:/tmp/x,comm=b", "file:/tmp/x: no line of");
	says("-o file:/tmp/x,ifname=nosuch0", "file:/tmp/x: ifname matches nothing here");
	says("-o file:/tmp/x,pid=4194304", "file:/tmp/x: pid matches nothing: there is no process");
	quiet("--port=443 -o stdout -o file:/tmp/x,port=80");
	quiet("--port=443 -o stdout -o file:/tmp/x,events=rtt,not-port=80");
}

TEST(what_this_host_does_not_have)
{
	struct stat status;
	char own[64];

	says("--ifname=nosuch0", "is called 'nosuch0'");
	says("--ifname=lo,nosuch0", "is called 'nosuch0'");
	says("--not-ifname=nosuch0", "not-ifname matches nothing here");
	says("--pid=4194304", "there is no process 4194304");
	says("--not-pid=4194304", "not-pid matches nothing: there is no process 4194304");
	quiet("--ifname=lo");
	quiet("--ifname=eth77 --netns=4026531841"); /* whose interfaces cannot be seen */
	snprintf(own, sizeof(own), "--pid=%d", getpid());
	quiet(own);
	/* those of our own can be seen, of whatever name that is */
	CHECK_EQUAL(stat("/proc/self/ns/net", &status), 0);
	snprintf(own, sizeof(own), "--netns=%u --ifname=eth77", (unsigned int)status.st_ino);
	says(own, "is called 'eth77'");
	snprintf(own, sizeof(own), "--netns=%u --ifname=lo", (unsigned int)status.st_ino);
	quiet(own);
	says("--netns=1", "netns matches nothing: 1 is no network namespace");
	says("-o file:/tmp/x,not-netns=17", "file:/tmp/x: not-netns matches nothing: 17 is no");
	quiet("-r x --netns=1");
	quiet("-r /dev/null --ifname=nosuch0 --pid=4194304"); /* another host's */
}

TEST(cgroups_of_a_recording_that_leave_none)
{
	says("-r x --unit=nginx --not-unit=nginx.service", "nothing passes unit, not-unit");
	says("-r x --cgroup=/a/b --not-cgroup=/a", "nothing passes cgroup, not-cgroup");
	says("-r x --cgroup=/system.slice/nginx.service/inner --not-unit=nginx",
	     "nothing passes cgroup, not-unit");
	says("-r x --cgroup=/a -o file:/tmp/x,cgroup=/b", "file:/tmp/x: no line of");
	says("-r x --cgroup=/system.slice/web.socket --not-unit=web", "nothing passes");
	quiet("-r x --cgroup=/system.slice/web.service --not-unit=web.socket");
	quiet("-r x --cgroup=/a --not-cgroup=/a/b");
	quiet("-r x --cgroup=/a -o file:/tmp/x,cgroup=/a/b");
	quiet("-r x --unit=nginx --unit=sshd --not-unit=nginx");
}
