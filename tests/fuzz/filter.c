// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * filter.c - fuzz target: filters against a model that reads the accepted values anew and compares
 * one after the other, for records whose values are taken from the filter's own, or are near them.
 * Their texts, taken again, make the same filter. The input is a byte for the event, lines of a
 * filter's letter and its value, an empty line, and bytes that choose the record's values.
 *
 * options: -max_len=512 -dict=tests/fuzz/filter.dict
 */
#include <arpa/inet.h>
#include <netdb.h>

#include "alike.h"
#include "filter/filter.h"
#include "fuzz.h"

#define RULES_MAX 16

/* A value that was accepted. */
struct rule {
	enum filter_kind kind;
	bool negative;
	char *text;
};

struct rules {
	unsigned int count;
	struct rule of[RULES_MAX];
};

/* What a record says, as the model sees it. Text "", number 0: not known. */
/* Where cgroups of version 1 tell it */
#define UNIT_OF_PROCESS "/system.slice/a.service"

struct facts {
	unsigned int ip_version; /* 0: not known, nor what follows, up to the ports */
	int proto;		 /* -1: not known */
	uint8_t ips[2][16];
	unsigned int ports[2];
	unsigned int pid, netns;
	char comm[COMM_BYTES], ifname[IFNAME_BYTES];
	char *cgroup, *netns_name; /* NULL: not known */
	bool nobody_knows_whose;
	const char *process; /* its lines in /proc/PID/cgroup; NULL: not known */
	bool of_process;     /* cgroups of version 1 tell the unit */
};

/* ---- the model ---- */

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

static bool in_network(const char *item, unsigned int version, const uint8_t ip[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t network[16];
	const char *slash = strchr(item, '/');
	_cleanup_free_ char *address = strndup(item, strcspn(item, "/"));
	const unsigned int family = strchr(address, ':') ? 6 : 4;
	unsigned int bits = slash ? (unsigned int)atoi(slash + 1) : family == 6 ? 128 : 32;

	CHECK_EQUAL(inet_pton(family == 6 ? AF_INET6 : AF_INET, address, network), 1);
	if (family == 6 && bits >= 96 && bits_equal(network, mapped, 96))
		/* of mapped addresses, which are IPv4 on the wire */
		return version == 4 && bits_equal(network + 12, ip, bits - 96);
	return family == version && bits_equal(network, ip, bits);
}

static bool is_port(const char *item, unsigned int port)
{
	static const char *const transports[] = { "tcp", "udp" };
	unsigned int first, last;
	bool found = false;
	int end = 0;

	if (!port)
		return false;
	if (sscanf(item, "%u%n", &first, &end) == 1 && !item[end])
		return port == first;
	if (sscanf(item, "%u-%u%n", &first, &last, &end) == 2 && !item[end])
		return port >= first && port <= last;
	for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
		const struct servent *service = getservbyname(item, transports[i]);

		found |= service && ntohs((uint16_t)service->s_port) == port;
	}
	return found;
}

static bool is_proto(const char *item, const struct facts *facts)
{
	const struct protoent *known;
	int number;

	if (!facts->ip_version || facts->proto < 0)
		return false;
	if (item[strspn(item, "0123456789")] == 0)
		return atoi(item) == facts->proto;
	number = enum_by_text(kind_ip_protocol, item);
	if (number >= 0)
		return number == facts->proto;
	known = getprotobyname(item);
	CHECK(known);
	return known->p_proto == facts->proto;
}

static bool item_matches(enum filter_kind kind, const char *item, const struct facts *facts)
{
	const bool at_src = kind != filter_dest_addr && kind != filter_dest_port;
	const bool at_dest = kind != filter_src_addr && kind != filter_src_port;
	const unsigned int version = facts->ip_version;

	switch (kind) {
	case filter_addr:
	case filter_src_addr:
	case filter_dest_addr:
		return version && ((at_src && in_network(item, version, facts->ips[0])) ||
				   (at_dest && in_network(item, version, facts->ips[1])));
	case filter_port:
	case filter_src_port:
	case filter_dest_port:
		return (at_src && is_port(item, facts->ports[0])) ||
		       (at_dest && is_port(item, facts->ports[1]));
	case filter_proto:
		return is_proto(item, facts);
	case filter_pid:
		return facts->pid && strtoull(item, NULL, 10) == facts->pid;
	case filter_ifname:
		return !strcmp(item, facts->ifname);
	case filter_netns:
		return (facts->netns_name && !strcmp(item, facts->netns_name)) ||
		       (item[strspn(item, "0123456789")] == 0 && facts->netns &&
			strtoull(item, NULL, 10) == facts->netns);
	default:
		CHECK_SAYING(false, "filter %d has no model: tell what it matches here", kind);
	}
	return false;
}

static bool rule_matches(const struct rule *rule, const struct facts *facts)
{
	_cleanup_free_ char *copy = strdup(rule->text);
	char *rest = copy;

	/* these are no lists; cgroup_path.c has the model of paths */
	if (rule->kind == filter_comm)
		return !strncmp(rule->text, facts->comm,
				COMM_BYTES - 1); /* as the kernel cuts it */
	if (rule->kind == filter_cgroup)
		return facts->cgroup && cgroup_is_below(facts->cgroup, rule->text);
	if (rule->kind == filter_unit && facts->of_process)
		return facts->process && cgroup_is_of_unit(UNIT_OF_PROCESS, rule->text);
	if (rule->kind == filter_unit)
		return facts->cgroup && cgroup_is_of_unit(facts->cgroup, rule->text);
	for (char *item = strsep(&rest, ","); item; item = strsep(&rest, ","))
		if (item_matches(rule->kind, item, facts))
			return true;
	return false;
}

static bool is_of_owner(enum filter_kind kind)
{
	return kind == filter_pid || kind == filter_comm || kind == filter_cgroup ||
	       kind == filter_unit;
}

/* Of each filter: one of the values let through, if there are any, and none of those left out. */
static bool expected(const struct rules *rules, const struct facts *facts)
{
	for (unsigned int kind = 0; kind < filter_kinds; kind++) {
		bool wanted = true, left_out = false;

		for (unsigned int i = 0; i < rules->count; i++) {
			const struct rule *rule = &rules->of[i];

			if (rule->kind != kind)
				continue;
			if (is_of_owner(rule->kind) && facts->nobody_knows_whose)
				return false;
			if (rule->negative)
				left_out |= rule_matches(rule, facts);
			else
				wanted = false;
		}
		for (unsigned int i = 0; i < rules->count && !wanted; i++)
			wanted = rules->of[i].kind == kind && !rules->of[i].negative &&
				 rule_matches(&rules->of[i], facts);
		if (!wanted || left_out)
			return false;
	}
	return true;
}

/* ---- a record, of values that are the rules' own or near them ---- */

static const char *rule_text(struct input *input, const struct rules *rules)
{
	return rules->count ? rules->of[input_byte(input) % rules->count].text : "";
}

/* The number that begins in the text, and up to 3 more or less. */
static uint64_t near_number(struct input *input, const char *text)
{
	const uint64_t number = strtoull(text + strcspn(text, "0123456789"), NULL, 10);

	return number + (uint64_t)(int64_t)((int)(input_byte(input) % 7) - 3);
}

/* The address that the text begins with, with a bit of it turned. */
static void near_address(struct input *input, const char *text, uint8_t ret_bytes[16])
{
	_cleanup_free_ char *address = strndup(text, strcspn(text, "/,"));
	unsigned int bit = input_byte(input);

	memset(ret_bytes, 0, 16);
	if (inet_pton(strchr(address, ':') ? AF_INET6 : AF_INET, address, ret_bytes) != 1)
		input_bytes(input, ret_bytes, 16);
	if (bit < 128)
		ret_bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	if (bit >= 192) /* an IPv4 address out of one that is mapped */
		memcpy(ret_bytes, ret_bytes + 12, 4);
}

static void near_text(struct input *input, const char *text, size_t size, char *ret_text)
{
	memset(ret_text, 0, size);
	strncpy(ret_text, text, size - 1);
	if (input_byte(input) & 1)
		ret_text[strcspn(ret_text, ",")] = 0;
	memset(ret_text + strlen(ret_text), 0, size - strlen(ret_text));
}

static void facts_choose(struct input *input, const struct rules *rules, struct facts *facts)
{
	*facts = (struct facts){ .ip_version = 4 + input_byte(input) % 2 * 2 };
	facts->proto = (uint8_t)near_number(input, rule_text(input, rules));
	for (int end = 0; end < 2; end++) {
		near_address(input, rule_text(input, rules), facts->ips[end]);
		if (facts->ip_version == 4) /* bytes not used by a value are zero */
			memset(facts->ips[end] + 4, 0, 12);
		facts->ports[end] = (uint16_t)near_number(input, rule_text(input, rules));
	}
	facts->pid = (unsigned int)near_number(input, rule_text(input, rules));
	facts->netns = (unsigned int)near_number(input, rule_text(input, rules));
	near_text(input, rule_text(input, rules), sizeof(facts->comm), facts->comm);
	near_text(input, rule_text(input, rules), sizeof(facts->ifname), facts->ifname);
	facts->cgroup = strdup(rule_text(input, rules));
	facts->netns_name = strdup(rule_text(input, rules));
	facts->netns_name[strcspn(facts->netns_name, ",")] = 0;
	facts->process = input_byte(input) & 1 ? "1:name=systemd:" UNIT_OF_PROCESS : NULL;
}

#define MAY_HAVE(field) (has & BIT(offsetof(struct latency_index, field)))

/* What the record does not have, nobody knows. Its bytes stay. */
static void facts_forget(struct facts *facts, enum event_type type, uint64_t has,
			 unsigned int stage)
{
	facts->nobody_knows_whose = type == event_latency && stage == stage_transport;
	if (!MAY_HAVE(src_ip) || !MAY_HAVE(dest_ip)) {
		facts->ip_version = 0;
		facts->ports[0] = facts->ports[1] = 0;
	}
	if (!MAY_HAVE(proto) && !MAY_HAVE(proto_number))
		facts->proto = -1;
	if (!MAY_HAVE(src_port))
		facts->ports[0] = 0;
	if (!MAY_HAVE(dest_port))
		facts->ports[1] = 0;
	if (!MAY_HAVE(pid))
		facts->pid = 0;
	if (!MAY_HAVE(netns))
		facts->netns = 0;
	if (!MAY_HAVE(comm))
		facts->comm[0] = 0;
	if (type != event_latency || !MAY_HAVE(ifname))
		facts->ifname[0] = 0;
	if (!MAY_HAVE(cgroup_id) || !*facts->cgroup) {
		free(facts->cgroup);
		facts->cgroup = NULL;
	}
	facts->of_process = MAY_HAVE(cgroup_v1);
	if (!MAY_HAVE(netns) || !*facts->netns_name) {
		free(facts->netns_name);
		facts->netns_name = NULL;
	}
}

static uint64_t record_make(struct input *input, enum event_type type, const struct facts *facts,
			    struct latency *record)
{
	uint64_t has = ~input_number(input, 4) & event_checks[type].fields;

	if (MAY_HAVE(src_ip) || MAY_HAVE(dest_ip))
		has |= BIT(offsetof(struct event_index, ip_version));
	*record = (struct latency){ .header.type = (uint16_t)type,
				    .header.size = (uint16_t)event_checks[type].size,
				    .header.has = has };
	record->ip_version = (uint8_t)facts->ip_version;
	record->proto = (uint8_t)facts->proto;
	record->proto_number = (uint8_t)facts->proto;
	memcpy(record->src_ip.bytes, facts->ips[0], 16);
	memcpy(record->dest_ip.bytes, facts->ips[1], 16);
	record->src_port = (uint16_t)facts->ports[0];
	record->dest_port = (uint16_t)facts->ports[1];
	record->pid = facts->pid;
	record->netns = facts->netns;
	memcpy(record->comm.name, facts->comm, sizeof(facts->comm));
	if (type == event_latency) {
		memcpy(record->ifname.name, facts->ifname, sizeof(facts->ifname));
		record->stage = (uint8_t)(1 + input_byte(input) % 4);
	}
	return has;
}

static void names_choose(const struct event *event, const struct facts *facts,
			 const char *ret_names[NAMED_NUMBERS_MAX])
{
	struct named_number numbers[NAMED_NUMBERS_MAX];
	unsigned int count = event_named_numbers(event, numbers);

	for (unsigned int i = 0; i < count; i++)
		switch (numbers[i].source) {
		case names_of_netns:
			ret_names[i] = facts->netns_name;
			break;
		case names_of_process:
			ret_names[i] = facts->process;
			break;
		default:
			ret_names[i] = facts->cgroup;
		}
}

static void check_record(struct input *input, enum event_type type, const struct rules *rules,
			 const struct filter_set *set, const struct filter_set *again)
{
	const char *names[NAMED_NUMBERS_MAX] = {};
	struct latency common = {}; /* its common fields, and those that filters ask for */
	struct event *event;
	struct facts facts;
	uint64_t has;
	bool wanted;

	facts_choose(input, rules, &facts);
	has = record_make(input, type, &facts, &common);
	event = calloc(1, event_checks[type].size);
	memcpy(event, &common, type == event_latency ? sizeof(common) : sizeof(*event));
	facts_forget(&facts, type, has, common.stage);
	CHECK_EQUAL(event_check(event, event->header.size), type);
	names_choose(event, &facts, names);
	wanted = expected(rules, &facts);
	CHECK_EQUAL(filter_takes_event(set, event, names), wanted);
	CHECK_EQUAL(filter_takes_event(again, event, names), wanted);
	free(event);
	free(facts.cgroup);
	free(facts.netns_name);
}

/* ---- values ---- */

/* Take them from the lines. False: one is refused, as it must be said why. */
static bool rules_take(struct input *input, struct filter_set *set, struct rules *rules)
{
	_cleanup_free_ char *wrong = NULL;
	char *line;

	while (!wrong && rules->count < RULES_MAX && (line = input_line(input))) {
		struct rule *rule = &rules->of[rules->count];
		const unsigned int letter = (unsigned int)line[0];

		if (!letter) {
			free(line);
			break;
		}
		rule->negative = letter & 0x20; /* a small letter */
		rule->kind = (enum filter_kind)((letter & 0x1f) % filter_kinds);
		rule->text = strdup(line + 1);
		free(line);
		wrong = filter_take(set, rule->kind, rule->negative, rule->text);
		rules->count++;
	}
	CHECK(!wrong || *wrong);
	return !wrong;
}

static void take_again(const struct filter_set *set, struct filter_set *again)
{
	for (unsigned int kind = 0; kind < filter_kinds; kind++)
		for (int negative = 0; negative < 2; negative++) {
			const char *text;

			for (unsigned int i = 0; (text = filter_value(set, kind, negative, i)); i++)
				CHECK(!filter_take(again, kind, negative, text));
		}
	CHECK(filters_alike(&set->filter, &again->filter));
}

/* A half that is emptied and filled again is the same; one that is not filled asks nothing. */
static void clear_again(const struct rules *rules, struct filter_set *set)
{
	const struct rule *last = &rules->of[rules->count - 1];

	filter_clear(set, last->kind, last->negative);
	CHECK(!(set->filter.active & FILTER_BIT(last->kind, last->negative)));
	for (unsigned int i = 0; i < rules->count; i++)
		if (rules->of[i].kind == last->kind && rules->of[i].negative == last->negative)
			CHECK(!filter_take(set, last->kind, last->negative, rules->of[i].text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size };
	enum event_type type = 1 + (enum event_type)(input_byte(&input) % (event_types - 1));
	struct filter_set *set = calloc(1, sizeof(*set)), *again = calloc(1, sizeof(*again));
	struct rules rules = {};

	set->elsewhere = again->elsewhere = true;
	if (rules_take(&input, set, &rules)) {
		take_again(set, again);
		if (rules.count)
			clear_again(&rules, again);
		CHECK(filters_alike(&set->filter, &again->filter));
		for (int i = 0; i < 4; i++)
			check_record(&input, type, &rules, set, again);
	}
	for (unsigned int i = 0; i < rules.count; i++)
		free(rules.of[i].text);
	free(set);
	free(again);
	return 0;
}
