// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What each output may have of its own: filters, by the same rows as the options, and what they
 * take of a record.
 */
#include <arpa/inet.h>

#include "base/util.h"
#include "bpf/filter_match.h"
#include "filter/filter.h"
#include "settings/command_line.h"
#include "test.h"

/* Two values of each filter, none of which has to be on this host when a recording is read. */
#define VALUE_PAIR(first, second) \
	{                         \
		first, second     \
	}
static const char *const values[filter_kinds][2] = {
	[filter_addr] = VALUE_PAIR("10.0.0.0/8", "fd00::/8"),
	[filter_src_addr] = VALUE_PAIR("10.1.0.0/16", "::1"),
	[filter_dest_addr] = VALUE_PAIR("192.0.2.1", "2001:db8::/32"),
	[filter_port] = VALUE_PAIR("443", "8000-8100"),
	[filter_src_port] = VALUE_PAIR("https", "22"),
	[filter_dest_port] = VALUE_PAIR("1-1023", "9092"),
	[filter_proto] = VALUE_PAIR("tcp", "udp"),
	[filter_pid] = VALUE_PAIR("812", "1"),
	[filter_comm] = VALUE_PAIR("nginx", "sshd"),
	[filter_cgroup] = VALUE_PAIR("/system.slice", "/kubepods/a=b"),
	[filter_unit] = VALUE_PAIR("nginx", "sshd.service"),
	[filter_netns] = VALUE_PAIR("4026531840", "blue"),
	[filter_ifname] = VALUE_PAIR("eth0", "lo"),
};

/* Options point to the words. */
static int parse(struct options *options, char **message, const char *const words[])
{
	char *argv[16] = { (char *)"netlog" };
	int argc = 1;

	for (; *words; words++)
		argv[argc++] = (char *)*words;
	*message = NULL;
	return options_parse(argc, argv, options, message);
}
#define PARSE(options, message, ...) \
	parse(options, message, (const char *const[]){ __VA_ARGS__, NULL })

static struct options good(const char *output)
{
	struct options options;
	char *message;

	CHECK_SAYING(PARSE(&options, &message, "-r", "recording", "-o", output) == 0, "%s: %s",
		     output, message);
	return options;
}

static bool is_filter(const struct place *place)
{
	return place->setting->type == &type_filter;
}

/* ---- words ---- */

TEST(every_filter_is_a_parameter_of_an_output_too_and_takes_the_same)
{
	unsigned int count = 0;

	for_each_place(place, NULL) {
		static struct options global, own;
		const char *const *value = values[place.setting->number];
		char output[256], options[2][128], *message;

		if (!is_filter(&place))
			continue;
		count++;
		snprintf(output, sizeof(output), "file:/x,%s=%s,events=rtt,%s=%s",
			 place_name(&place), value[0], place_name(&place), value[1]);
		for (int i = 0; i < 2; i++)
			snprintf(options[i], sizeof(options[i]), "--%s=%s", place_name(&place),
				 value[i]);
		own = good(output);
		CHECK_SAYING(PARSE(&global, &message, "-r", "recording", options[0], options[1]) ==
				     0,
			     "%s", message);
		CHECK_SAYING(!memcmp(own.outputs[0].filters, &global.kernel.filters,
				     sizeof(global.kernel.filters)),
			     "%s", output);
		CHECK_EQUAL(own.outputs[0].events, BIT(event_rtt));
		CHECK(global.kernel.filters.filter.active && !own.kernel.filters.filter.active);
		CHECK(!global.outputs[0].filters);
		options_done(&own);
		options_done(&global);
		CHECK(!own.output_count);
	}
	CHECK_EQUAL(count, 2 * filter_kinds);
}

/* A word without a name goes on with the list before it, be that filters or events. */
TEST(lists_of_an_output_go_on_until_the_next_name)
{
	struct options options =
		good("file:/x,port=443,22,not-comm=a,b,events=rtt,latency,max-size=65536");
	const struct filter_set *set = options.outputs[0].filters;

	CHECK_TEXT(filter_value(set, filter_port, false, 0), "443");
	CHECK_TEXT(filter_value(set, filter_port, false, 1), "22");
	CHECK_TEXT(filter_value(set, filter_comm, true, 1), "b");
	CHECK_EQUAL(set->filter.active, FILTER_BIT(filter_port, 0) | FILTER_BIT(filter_comm, 1));
	CHECK_EQUAL(options.outputs[0].events, BIT(event_rtt) | BIT(event_latency));
	CHECK_TEXT(options.outputs[0].name, "file:/x");
	options_done(&options);
}

TEST(a_wrong_value_is_told_as_that_of_the_option)
{
	static const struct {
		const char *name, *value;
	} bad[] = { { "port", "70000" }, { "not-src-port", "90-80" }, { "addr", "10.0.0.1/8" },
		    { "addr", "" },	 { "proto", "tpc" },	      { "pid", "nginx" },
		    { "comm", "" },	 { "ifname", "a/b" },	      { "cgroup", "" },
		    { "unit", "" },	 { "netns", "no-such" } };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char option[64], output[64], *global, *own;
		struct options options;

		snprintf(option, sizeof(option), "--%s=%s", bad[i].name, bad[i].value);
		snprintf(output, sizeof(output), "--output=stdout,%s=%s", bad[i].name,
			 bad[i].value);
		CHECK_EQUAL(PARSE(&options, &global, option), -EINVAL);
		CHECK_EQUAL(PARSE(&options, &own, output), -EINVAL);
		CHECK_SAYING(strstr(own, strstr(global, ": ") + 2), "%s, but %s", own, global);
		CHECK_SAYING(strstr(own, "--output: '"), "%s", own);
		free(global);
		free(own);
	}
}

TEST(a_recordings_namespaces_have_no_path)
{
	struct options options;
	char *message;

	CHECK_EQUAL(PARSE(&options, &message, "--netns=/proc/1/ns/net", "-r", "recording"),
		    -EINVAL);
	CHECK_SAYING(strstr(message, "is a path of this host"), "%s", message);
	free(message);
}

TEST(an_unknown_parameter_is_compared_with_the_filters_too)
{
	struct options options;
	char *message;

	CHECK_EQUAL(PARSE(&options, &message, "--output=stdout,not-prt=22"), -EINVAL);
	CHECK_SAYING(strstr(message,
			    "'not-prt=22': there is no such parameter; did you mean "
			    "not-port? known are: events, format, max-size, max-files, addr,"),
		     "%s", message);
	free(message);
	CHECK_EQUAL(PARSE(&options, &message, "--output=stdout,min-rtt=5"), -EINVAL);
	CHECK(strstr(message, "there is no such parameter"));
	free(message);
}

/* A list may be long, but the name is written into control lines. */
TEST(an_outputs_parameters_have_room_that_its_name_has_not)
{
	char text[SINK_TEXT_MAX + 2] = "file:/x,addr=10.0.0.0";
	struct options options;
	char *message;

	while (strlen(text) < SINK_TEXT_MAX - 10)
		strcat(text, ",10.0.0.0");
	CHECK_EQUAL(PARSE(&options, &message, "-o", text), -EINVAL); /* 127 are the most */
	CHECK_SAYING(strstr(message, "127 values are the most"), "%s", message);
	free(message);
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "file:", 5);
	CHECK_EQUAL(PARSE(&options, &message, "-o", text), -EINVAL);
	CHECK_SAYING(strstr(message, "511 bytes are the most"), "%s", message);
	free(message);
	text[100] = ',';
	CHECK_EQUAL(PARSE(&options, &message, "-o", text), -EINVAL);
	CHECK_SAYING(strstr(message, "2047 bytes are the most"), "%s", message);
	free(message);
}

/* ---- records ---- */

/* tcp, from 10.1.2.3 port 1000 to 10.1.9.9 port 443, of nginx, in at eth0 */
static struct latency record_make(void)
{
	struct latency record = { .header = { .type = event_latency, .size = sizeof(record) } };
	struct event *e = (struct event *)&record;

#define KNOWN(field, value) \
	(record.field = (value), record.header.has |= BIT(offsetof(struct latency_index, field)))
	KNOWN(ip_version, 4);
	KNOWN(proto, IPPROTO_TCP);
	inet_pton(AF_INET, "10.1.2.3", e->src_ip.bytes);
	inet_pton(AF_INET, "10.1.9.9", e->dest_ip.bytes);
	KNOWN(src_ip, e->src_ip);
	KNOWN(dest_ip, e->dest_ip);
	KNOWN(src_port, 1000);
	KNOWN(dest_port, 443);
	KNOWN(netns, 4711);
	KNOWN(pid, 812);
	KNOWN(comm, (struct comm){ "nginx" });
	KNOWN(cgroup_id, 99);
	KNOWN(ifname, (struct ifname){ "eth0" });
	KNOWN(first_ifname, (struct ifname){ "eth1" });
	KNOWN(stage, stage_app);
	return record;
}

static bool takes(const char *filters, const struct latency *record, const char *cgroup,
		  const char *netns)
{
	struct named_number numbers[NAMED_NUMBERS_MAX];
	const char *names[NAMED_NUMBERS_MAX] = {};
	struct options options;
	char output[256];
	bool result;

	snprintf(output, sizeof(output), "stdout,%s", filters);
	options = good(output);
	for (unsigned int i = 0, count = event_named_numbers((const void *)record, numbers);
	     i < count; i++)
		names[i] = numbers[i].source == names_of_netns ? netns : cgroup;
	result = filter_takes_event(options.outputs[0].filters, (const void *)record, names);
	options_done(&options);
	return result;
}

static const struct {
	const char *filters;
	bool takes, takes_nothing_known; /* of a record that knows nothing */
} questions[] = {
	{ "port=443", true, false },
	{ "port=444", false, false },
	{ "not-port=443", false, true },
	{ "src-port=443", false, false },
	{ "dest-port=443,src-port=1000", true, false },
	{ "proto=tcp", true, false },
	{ "proto=udp", false, false },
	{ "not-proto=udp", true, true },
	{ "addr=10.1.9.0/24", true, false },
	{ "src-addr=10.1.9.0/24", false, false },
	{ "not-addr=0.0.0.0/0", false, true },
	{ "pid=812", true, false },
	{ "pid=81", false, false },
	{ "not-pid=812", false, true },
	{ "comm=nginx", true, false },
	{ "comm=ngin", false, false },
	{ "comm=sshd,nginx", true, false },
	{ "not-comm=nginx", false, true },
	{ "ifname=eth0", true, false },
	{ "ifname=lo", false, false },
	{ "ifname=eth1", false, false }, /* by which it came first */
	{ "not-ifname=lo", true, true },
	{ "netns=4711", true, false },
	{ "netns=4712", false, false },
	{ "netns=4712,blue", true, false },
	{ "netns=red,blue", true, false },
	{ "netns=blu", false, false },
	{ "not-netns=blue", false, true },
	{ "not-netns=4711", false, true },
	{ "cgroup=/", true, false },
	{ "cgroup=/system.slice", true, false },
	{ "cgroup=system.slice/", true, false },
	{ "cgroup=/sys/fs/cgroup/system.slice", true, false },
	{ "cgroup=/system.slice/nginx.service", true, false },
	{ "cgroup=/system.slice/nginx.service/worker", true, false },
	{ "cgroup=/system.slice/nginx.service/worker/1", false, false },
	{ "cgroup=/system.slic", false, false },
	{ "cgroup=/nginx.service", false, false },
	{ "not-cgroup=/system.slice", false, true },
	{ "unit=nginx", true, false },
	{ "unit=nginx.service", true, false },
	{ "unit=system.slice", true, false },
	{ "unit=ginx", false, false },
	{ "unit=sshd,nginx", true, false },
	{ "not-unit=nginx", false, true },
	{ "not-unit=sshd", true, true },
	{ "port=443,comm=nginx,not-unit=sshd", true, false },
	{ "port=443,comm=nginx,unit=sshd", false, false },
};

TEST(a_record_is_taken_as_the_kernel_side_would_have)
{
	static const struct latency nothing;
	const struct latency record = record_make();

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		struct latency bare = nothing;

		bare.header.type = event_latency;
		CHECK_SAYING(takes(questions[i].filters, &record,
				   "/system.slice/nginx.service/worker",
				   "blue") == questions[i].takes,
			     "%s", questions[i].filters);
		CHECK_SAYING(takes(questions[i].filters, &bare, NULL, NULL) ==
				     questions[i].takes_nothing_known,
			     "of nothing: %s", questions[i].filters);
	}
	/* known by its number, but not by a name */
	CHECK(!takes("cgroup=/", &record, NULL, NULL) &&
	      takes("not-cgroup=/", &record, NULL, NULL));
	CHECK(!takes("netns=blue", &record, NULL, NULL));
	CHECK(takes("unit=memory.service", &record, "/a.slice/_memory.service", NULL));
}

/* Bytes of fields that are not known say nothing, whoever has written the recording. */
TEST(what_a_record_does_not_know_is_not_looked_at)
{
	struct latency record = record_make();

	record.header.has = 0;
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		CHECK_SAYING(takes(questions[i].filters, &record, NULL, NULL) ==
				     questions[i].takes_nothing_known,
			     "%s", questions[i].filters);
}

/* There the kernel side does not know whose packet it is, and lets none slip through. */
TEST(at_stage_transport_filters_of_an_owner_take_nothing)
{
	struct latency record = record_make();

	record.stage = stage_transport;
	CHECK(takes("port=443", &record, NULL, NULL));
	CHECK(!takes("port=443,not-comm=sshd", &record, NULL, NULL));
	CHECK(!takes("not-unit=sshd", &record, NULL, NULL));
}

/* ---- the kernel side's questions ---- */

/* A few values of each filter that has one on any host; what is asked about has them, or others. */
static const char *const choices[filter_kinds][3] = {
	[filter_addr] = { "10.0.0.0/8", "fd00::/16", "10.0.0.1,fd00::1" },
	[filter_src_addr] = { "10.0.0.1", "fd00::1", "0.0.0.0/0,::/0" },
	[filter_dest_addr] = { "10.0.0.1", "fd00::1", "10.0.0.2/31" },
	[filter_port] = { "1", "2-3", "1-65535" },
	[filter_src_port] = { "1", "2-3", "3" },
	[filter_dest_port] = { "1", "2-3", "3" },
	[filter_proto] = { "tcp", "udp", "tcp,udp" },
	[filter_pid] = { "1", "2", "1,3" },
	[filter_comm] = { "a", "b", "a" },
	[filter_netns] = { "1", "2", "1,3" },
	[filter_ifname] = { "a", "b", "a,b" },
};

struct asked {
	struct flow flow;
	uint32_t pid;
	union filter_name comm, ifname;
};

static struct asked random_asked(uint64_t *state)
{
	static const char *const addresses[2][3] = { { "10.0.0.1", "10.0.0.2", "192.0.2.1" },
						     { "fd00::1", "fd00::2", "2001:db8::1" } };
	const int versions[] = { 0, 4, 6 }, version = versions[test_random(state) % 3];
	struct asked asked = {
		.flow = { .ip_version = (__u8)version,
			  .proto = test_random(state) % 2 ? IPPROTO_TCP : IPPROTO_UDP,
			  .src_port = (__u16)(test_random(state) % 4),
			  .dest_port = (__u16)(test_random(state) % 4),
			  .netns = (__u32)(test_random(state) % 4) },
		.pid = (uint32_t)(test_random(state) % 4),
		.comm.text[0] = "\0ab"[test_random(state) % 3],
		.ifname.text[0] = "\0ab"[test_random(state) % 3],
	};

	if (!version)
		return asked;
	inet_pton(version == 4 ? AF_INET : AF_INET6,
		  addresses[version == 6][test_random(state) % 3], asked.flow.src.bytes);
	inet_pton(version == 4 ? AF_INET : AF_INET6,
		  addresses[version == 6][test_random(state) % 3], asked.flow.dest.bytes);
	return asked;
}

static void random_set(uint64_t *state, struct filter_set *set)
{
	memset(set, 0, sizeof(*set));
	for (int i = 0; i < 2 * filter_kinds; i++) {
		const char *value = choices[i / 2][test_random(state) % 3];

		if (value && test_random(state) % 12 == 0)
			CHECK(!filter_take(set, i / 2, i % 2, value));
	}
}

/*
 * Asked one question of all outputs at a time, the answer is that of asking each output all. What
 * each makes of it is held against a second opinion in filter_test.c.
 */
TEST(the_outputs_that_refuse_are_those_whose_filters_do_not_take_it)
{
	static struct filter_set set;
	static struct filter filters[FILTER_OUTPUTS];
	uint64_t state = 11, taken = 0, refused = 0, nobody = 0;

	for (int round = 0; round < 200; round++) {
		struct filter_takers takers = {};

		for (int i = 0; i < FILTER_OUTPUTS; i++) {
			random_set(&state, &set);
			filters[i] = set.filter;
			takers.asks[i] = set.filter.active;
			takers.asked |= set.filter.active;
		}
		for (int k = 0; k < 200; k++) {
			const struct asked asked = random_asked(&state);
			uint32_t refusing = filter_refusing(&takers, filters, &asked.flow,
							    asked.pid, &asked.comm, &asked.ifname);

			for (int i = 0; i < FILTER_OUTPUTS; i++) {
				bool takes_it =
					filter_takes_flow(&filters[i], &asked.flow) &&
					filter_takes_owner(&filters[i], asked.pid, &asked.comm) &&
					filter_takes_ifname(&filters[i], &asked.ifname);

				CHECK_SAYING(takes_it == !(refusing & BIT(i)), "%d, %d, %d", round,
					     k, i);
				taken += takes_it;
				refused += !takes_it;
			}
			nobody += refusing == (1U << FILTER_OUTPUTS) - 1;
		}
	}
	CHECK_SAYING(taken > 50000 && refused > 50000 && nobody > 100,
		     "%llu taken, %llu refused, %llu by all", (unsigned long long)taken,
		     (unsigned long long)refused, (unsigned long long)nobody);
}

/* Lists of addresses, of which a few outputs have as long ones as can be given. */
TEST(more_filters_than_the_start_line_can_tell_are_refused)
{
	static char texts[OUTPUT_SINKS_MAX][SINK_TEXT_MAX + 64];
	char *argv[2 + OUTPUT_SINKS_MAX] = { "netlog" }, *message;
	struct options options;
	int argc = 1, r = 0;

	for (int i = 0; i < OUTPUT_SINKS_MAX && r == 0; i++) {
		char *text = texts[i];

		sprintf(text, "--output=file:/tmp/%d,addr=::1", i);
		while (strlen(text) < SINK_TEXT_MAX - 64)
			strcat(text, ",2001:db8:1111:2222:3333:4444:5555:6666/128");
		argv[argc++] = text;
		r = options_parse(argc, argv, &options, &message);
		options_done(&options);
	}
	CHECK_EQUAL(r, -EINVAL);
	CHECK(argc > 4); /* some may have such */
	CHECK_SAYING(strstr(message, " bytes in the start line, where 12288 are the most; put"),
		     "%s", message);
	free(message);
}
