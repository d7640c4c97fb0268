// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * format_ecs.c - the Elastic Common Schema, version 9.4. Fields that have a name in ECS are called
 * that, all others netlog.FIELD. Elasticsearch reads dots in keys as levels.
 *
 * https://www.elastic.co/docs/reference/ecs
 */
#include "line/format.h"

#define ECS_VERSION "9.4.0"

/* ---- values that are written in another way ---- */

static char *put_network_type(char *p, const void *value)
{
	const uint8_t version = *(const uint8_t *)value;

	if (version != 4 && version != 6)
		return NULL;
	p = stpcpy(p, version == 4 ? "ipv4\"" : "ipv6\"");
	return p;
}

/* The names of IANA's protocol numbers in lower case: ICMP for IPv6 differs from ours. */
static char *put_transport(char *p, const void *value)
{
	const uint8_t proto = *(const uint8_t *)value;

	return proto == 58 ? stpcpy(p, "ipv6-icmp\"") : kind_put(p, kind_ip_protocol, value, 0);
}

static char *put_iana_number(char *p, const void *value)
{
	p = put_u64(p, *(const uint8_t *)value);
	*p++ = '"';
	return p;
}

static char *put_us_as_ns(char *p, const void *value)
{
	return put_u64(p, *(const uint32_t *)value * NSEC_PER_USEC);
}

/* A `long` of Elasticsearch has no more. */
static char *put_ns(char *p, const void *value)
{
	const uint64_t ns = *(const uint64_t *)value;

	return ns <= INT64_MAX ? put_u64(p, ns) : NULL;
}

/* 32 hexadecimal digits, as /proc/sys/kernel/random/boot_id has them, with dashes. */
static void uuid_text(const char *value, char *to)
{
	snprintf(to, LEAD_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", value, value + 8, value + 12,
		 value + 16, value + 20);
}
#define UUID_SCHEMA \
	"{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$\"}"

/* ---- the keys ---- */

#define NANOSECONDS                                                    \
	.put = put_us_as_ns, .number = true, .text_max = U64_TEXT_MAX, \
	.json_schema = "{\"type\":\"integer\",\"minimum\":0,\"maximum\":4294967295000}"

#define FIELD(name, ecs) .field = name, .key = ecs

static const struct rename renames[] = {
	{ FIELD("ip_version", "network.type"), .put = put_network_type, .text_max = 4,
	  .json_schema = "{\"enum\":[\"ipv4\",\"ipv6\"]}" },
	{ FIELD("proto", "network.transport"), .put = put_transport, .text_max = ENUM_TEXT_MAX,
	  .json_schema = "{\"type\":\"string\",\"pattern\":\"^[a-z0-9-]{2,16}$\"}" },
	{ FIELD("proto", "network.iana_number"), .put = put_iana_number, .text_max = 3,
	  .json_schema = "{\"type\":\"string\",\"pattern\":\"^[0-9]{1,3}$\"}" },
	{ FIELD("proto_number", "network.iana_number"), .lacks = "proto", .put = put_iana_number,
	  .text_max = 3, .json_schema = "{\"type\":\"string\",\"pattern\":\"^[0-9]{1,3}$\"}" },
	{ FIELD("src_ip", "source.ip") },
	{ FIELD("src_ip", "source.address") },
	{ FIELD("src_port", "source.port") },
	{ FIELD("dest_ip", "destination.ip") },
	{ FIELD("dest_ip", "destination.address") },
	{ FIELD("dest_port", "destination.port") },
	{ FIELD("src_nat_ip", "source.nat.ip") },
	{ FIELD("src_nat_port", "source.nat.port") },
	{ FIELD("dest_nat_ip", "destination.nat.ip") },
	{ FIELD("dest_nat_port", "destination.nat.port") },
	{ FIELD("pid", "process.pid") },
	{ FIELD("comm", "process.name") },
	{ FIELD("unit", "systemd.unit") }, /* as Filebeat has the journal's; ECS itself has none */
	{ FIELD("container_id", "container.id") },
	{ FIELD("pod_uid", "kubernetes.pod.uid") }, /* as Beats have it; ECS itself has none */
	{ FIELD("retrans_type", "event.reason") },
	{ FIELD("err", "error.code") },
	{ FIELD("len_bytes", "network.bytes") },
	{ FIELD("direction", "network.direction") },
	{ FIELD("ifname", "observer.ingress.interface.name"), .where = "direction",
	  .is = "ingress" },
	{ FIELD("ifname", "observer.egress.interface.name"), .where = "direction", .is = "egress" },
	{ FIELD("ifname", "netlog.ifname"), .otherwise = true },
	{ FIELD("latency_ns", "event.duration"), .put = put_ns, .number = true,
	  .text_max = U64_TEXT_MAX,
	  .json_schema = "{\"type\":\"integer\",\"minimum\":0,\"maximum\":9223372036854775807}" },
	{ FIELD("rtt_us", "netlog.rtt_us") },
	{ FIELD("rtt_us", "event.duration"), NANOSECONDS },
	{ FIELD("srtt_us", "netlog.srtt_us") },
	{ FIELD("srtt_us", "event.duration"), .event = "rtt", .lacks = "rtt_us", NANOSECONDS },
};

static const struct control_rename control_renames[] = {
	{ "start", "version", "observer.version", NULL, NULL },
	{ "start", "kernel", "host.os.kernel", NULL, NULL },
	{ "start", "boot_id", "host.boot.id", uuid_text, UUID_SCHEMA },
	{ "start", "run_id", "agent.ephemeral_id", NULL, NULL },
};

/* The type of a line in ECS's words. An event without a row is like the last row. */
static const struct category {
	const char *name, *action, *kind, *category, *type;
} categories[] = {
	{ "retransmit", "tcp-retransmit", "event", "network", "connection\",\"info" },
	{ "rtt", "tcp-rtt", "metric", "network", "connection\",\"info" },
	{ "latency", "packet-latency", "metric", "network", "connection\",\"info" },
	{ "start", "netlog-start", "event", "process", "start" },
	{ "reload", "netlog-reload", "event", "configuration", "change" },
	{ "stats", "netlog-stats", "metric", "process", "info" },
	{ "lost", "netlog-lost", "event", "process", "error" },
	{ "stop", "netlog-stop", "event", "process", "end" },
	{ NULL, NULL, "event", "network", "info" },
};

static const struct category *category_of(const char *name)
{
	const struct category *category = categories;

	while (category->name && strcmp(category->name, name) != 0)
		category++;
	return category;
}

static void ecs_constants(const char *name, struct constants *constants)
{
	const struct category *category = category_of(name);

	constant_add(constants, "ecs.version", "\"" ECS_VERSION "\"");
	constant_add(constants, "event.action", "\"%s\"", category->action ?: name);
	constant_add(constants, "event.category", "[\"%s\"]", category->category);
	constant_add(constants, "event.dataset", "\"netlog.%s\"", name);
	constant_add(constants, "event.kind", "\"%s\"", category->kind);
	constant_add(constants, "event.module", "\"netlog\"");
	constant_add(constants, "event.provider", "\"netlog\"");
	constant_add(constants, "event.type", "[\"%s\"]", category->type);
	constant_add(constants, "observer.product", "\"netlog\"");
	constant_add(constants, "observer.type", "\"sensor\"");
}

const struct format format_ecs_rows = {
	.timestamp = "@timestamp",
	.seq = "event.sequence",
	.hostname = "host.name",
	.prefix = "netlog.",
	.renames = renames,
	.rename_count = ARRAY_SIZE(renames),
	.control_renames = control_renames,
	.control_rename_count = ARRAY_SIZE(control_renames),
	.constants = ecs_constants,
};
