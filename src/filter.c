// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "filter.h"

#include <arpa/inet.h>
#include <errno.h>

#include "cgroup.h"
#include "netns.h"
#include "util.h"

#define IPV4_BITS 32
#define IPV6_BITS 128
#define PORT_MAX 65535
#define HIDDEN_LEVELS 7 /* a namespace's root is not deeper */
#define PID_MAX 4194304 /* PID_MAX_LIMIT, include/linux/threads.h */

/* One half of a filter. */
struct half {
	struct filter *filter;
	enum filter_kind kind;
	bool negative;
	uint32_t bit;
};

static char *too_many(unsigned int most)
{
	return setting_wrong("%u values are the most", most);
}

/* A comma-separated list of what `take` takes. */
static char *take_each(const struct half *half, const char *text,
		       char *(*take)(const struct half *half, const char *text))
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *wrong = NULL;

	if (!copy)
		return setting_wrong("memory is short");
	for (char *item = strsep(&rest, ","); item && !wrong; item = strsep(&rest, ","))
		wrong = take(half, item);
	return wrong;
}

/* ---- addresses ---- */

static bool is_mapped(const uint8_t *bytes)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(bytes, prefix, sizeof(prefix));
}

static void mask_make(struct ip_address *mask, unsigned int bits)
{
	for (unsigned int i = 0; i < sizeof(mask->bytes); i++)
		mask->bytes[i] = bits >= 8 * (i + 1) ? 0xff :
				 bits <= 8 * i	     ? 0 :
						       (uint8_t)(0xff00 >> (bits - 8 * i));
}

/* Clear the bits that are not in the mask. Returns whether there were any. */
static bool host_bits_clear(struct filter_network *net)
{
	bool any = false;

	for (int i = 0; i < 4; i++) {
		any |= net->address.words[i] & ~net->mask.words[i];
		net->address.words[i] &= net->mask.words[i];
	}
	return any;
}

static char *parse_network(const char *text, struct filter_network *ret_net)
{
	char address[INET6_ADDRSTRLEN] = "", network[INET6_ADDRSTRLEN];
	size_t length = strcspn(text, "/");
	struct filter_network net = {};
	uint64_t bits;
	int family;

	if (length < sizeof(address))
		memcpy(address, text, length);
	family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, address, net.address.bytes) != 1)
		return setting_wrong("'%s' is no address; give it as 10.0.0.1, 10.0.0.0/8 or "
				     "fd00::/8",
				     text);
	bits = family == AF_INET ? IPV4_BITS : IPV6_BITS;
	if (text[length]) {
		uint64_t most = bits;

		if (parse_u64(text + length + 1, &bits) < 0 || bits > most)
			return setting_wrong("'%s': what follows the slash must be from 0 to %llu",
					     text, (unsigned long long)most);
	}
	mask_make(&net.mask, (unsigned int)bits);
	if (host_bits_clear(&net)) {
		inet_ntop(family, net.address.bytes, network, sizeof(network));
		return setting_wrong("'%s' has bits set beyond its prefix; give %s/%llu for the "
				     "network, or %s for the host",
				     text, network, (unsigned long long)bits, address);
	}
	/* a mapped address is IPv4 on the wire */
	if (family == AF_INET6 && bits >= IPV6_BITS - IPV4_BITS && is_mapped(net.address.bytes)) {
		net.address = (struct ip_address){ .words = { net.address.words[3] } };
		net.mask = (struct ip_address){ .words = { net.mask.words[3] } };
		family = AF_INET;
	}
	net.ip_version = family == AF_INET ? 4 : 6;
	*ret_net = net;
	return NULL;
}

static char *take_network(const struct half *half, const char *text)
{
	struct filter *filter = half->filter;
	struct filter_network net;
	char *wrong = parse_network(text, &net);

	if (wrong)
		return wrong;
	if (filter->network_count == FILTER_NETWORKS)
		return too_many(FILTER_NETWORKS);
	net.src_bits = half->kind == filter_dest_addr ? 0 : half->bit;
	net.dest_bits = half->kind == filter_src_addr ? 0 : half->bit;
	filter->networks[filter->network_count++] = net;
	return NULL;
}

static char *take_networks(const struct half *half, const char *text)
{
	return take_each(half, text, take_network);
}

/* ---- ports and protocols ---- */

/* Either end's, the source's, the destination's. */
static struct filter_ports *ports_of(const struct half *half)
{
	return &half->filter->ports[half->kind - filter_port][half->negative];
}

static char *take_port(const struct half *half, const char *text)
{
	struct filter_ports *list = ports_of(half);
	uint64_t first = 0, last = 0;
	char number[8] = "";
	size_t length = strcspn(text, "-");

	if (length < sizeof(number))
		memcpy(number, text, length);
	if (parse_u64(number, &first) < 0 ||
	    parse_u64(text[length] ? text + length + 1 : number, &last) < 0 || !first ||
	    first > PORT_MAX || last > PORT_MAX)
		return setting_wrong("'%s' is no port; give numbers from 1 to %d, as 443 or "
				     "80,8000-8100",
				     text, PORT_MAX);
	if (first > last)
		return setting_wrong("'%s' ends before it begins; give %llu-%llu", text,
				     (unsigned long long)last, (unsigned long long)first);
	for (uint64_t port = first; port <= last; port++)
		list->bits[port / 32] |= 1U << port % 32;
	return NULL;
}

static char *take_ports(const struct half *half, const char *text)
{
	return take_each(half, text, take_port);
}

#define PROTOCOL_ROW(number, text) { #text, number },
static const struct {
	const char *name;
	unsigned int number;
} protocols[] = { IP_PROTOCOL_VALUES(PROTOCOL_ROW) };
#define PROTOCOL_FITS(number, text) _Static_assert(number < 64, #text " is no bit of a u64");
IP_PROTOCOL_VALUES(PROTOCOL_FITS)

static char *take_protocol(const struct half *half, const char *text)
{
	char known[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		list_add(known, sizeof(known), protocols[i].name);
		if (!strcmp(text, protocols[i].name)) {
			half->filter->protocols[half->negative] |= BIT(protocols[i].number);
			return NULL;
		}
	}
	return setting_wrong("there is no protocol '%s'; known are: %s", text, known);
}

static char *take_protocols(const struct half *half, const char *text)
{
	return take_each(half, text, take_protocol);
}

/* ---- numbers: processes and network namespaces ---- */

static char *number_add(const struct half *half, struct filter_numbers *list, uint32_t number)
{
	if (list->count == FILTER_NUMBERS)
		return too_many(FILTER_NUMBERS);
	list->of[list->count++] = (struct filter_number){ number, half->bit };
	return NULL;
}

static char *take_pid(const struct half *half, const char *text)
{
	uint64_t pid;

	if (parse_u64(text, &pid) < 0 || !pid || pid > PID_MAX)
		return setting_wrong("'%s' is no process; give its number, as %d", text, getpid());
	return number_add(half, &half->filter->pids, (uint32_t)pid);
}

static char *take_pids(const struct half *half, const char *text)
{
	return take_each(half, text, take_pid);
}

static char *take_namespace(const struct half *half, const char *text)
{
	uint64_t number;
	uint32_t inode;
	int r;

	if (parse_u64(text, &number) == 0 && number && number <= UINT32_MAX)
		return number_add(half, &half->filter->namespaces, (uint32_t)number);
	r = netns_by_name(text, &inode);
	if (r == -ENOENT)
		return setting_wrong("there is no network namespace '%s'; give a name of `ip "
				     "netns`, a number, or a path as /proc/PID/ns/net",
				     text);
	if (r == -EINVAL)
		return setting_wrong("'%s' is no network namespace; give a path as "
				     "/proc/PID/ns/net",
				     text);
	if (r < 0)
		return setting_wrong("cannot look at the network namespace '%s': %s", text,
				     strerror(-r));
	return number_add(half, &half->filter->namespaces, inode);
}

static char *take_namespaces(const struct half *half, const char *text)
{
	return take_each(half, text, take_namespace);
}

/* ---- names: threads and interfaces ---- */

static char *name_add(const struct half *half, struct filter_names *list, const char *text)
{
	struct filter_named named = { .bits = half->bit };

	if (list->count == FILTER_NAMES)
		return too_many(FILTER_NAMES);
	memcpy(named.name.text, text, strlen(text));
	list->of[list->count++] = named;
	return NULL;
}

static char *take_comm(const struct half *half, const char *text)
{
	if (!*text)
		return setting_wrong("a name is missing; give it as in /proc/PID/comm");
	if (strlen(text) >= sizeof(((union filter_name *)0)->text))
		return setting_wrong("'%s' is too long: the kernel keeps %d bytes of a name; give "
				     "'%.*s'",
				     text, COMM_BYTES - 1, COMM_BYTES - 1, text);
	return name_add(half, &half->filter->comms, text);
}

static char *take_interface(const struct half *half, const char *text)
{
	if (!*text || strlen(text) >= IFNAME_BYTES || strchr(text, '/'))
		return setting_wrong("'%s' can be no interface; give a name as `ip link` shows it",
				     text);
	return name_add(half, &half->filter->ifnames, text);
}

static char *take_interfaces(const struct half *half, const char *text)
{
	return take_each(half, text, take_interface);
}

/* ---- cgroups ---- */

/* In a namespace it is not known how far below the kernel's root it lies: any of these levels. */
static unsigned int levels_of(const struct cgroup_found *found)
{
	return found->any_level ? HIDDEN_LEVELS : 0;
}

static char *cgroups_add(const struct half *half, const struct cgroup_found *found,
			 unsigned int count)
{
	struct filter *filter = half->filter;

	for (unsigned int i = 0; i < count; i++) {
		if (found[i].level + levels_of(&found[i]) > FILTER_LEVEL_MAX)
			return setting_wrong("it lies %u levels deep, and %u are the most; give a "
					     "cgroup above it",
					     found[i].level,
					     FILTER_LEVEL_MAX - levels_of(&found[i]));
		for (unsigned int above = 0; above <= levels_of(&found[i]); above++) {
			if (filter->cgroup_count == FILTER_CGROUPS)
				return too_many(FILTER_CGROUPS);
			filter->cgroups[filter->cgroup_count++] = (struct filter_cgroup){
				.id = found[i].id,
				.level = found[i].level + above,
				.bits = half->bit,
			};
		}
	}
	return NULL;
}

static char *take_cgroup(const struct half *half, const char *text)
{
	struct cgroup_found found;
	int r;

	r = *text ? cgroup_by_path(text, &found) : -ENOENT;
	if (r == -ENODEV)
		return setting_wrong("there are no cgroups of version 2 on this host");
	if (r == -ENOENT)
		return setting_wrong("there is no cgroup '%s'; give a path as systemd-cgls(1) or "
				     "/proc/PID/cgroup shows it, as /system.slice",
				     text);
	if (r < 0)
		return setting_wrong("cannot look for the cgroup '%s': %s", text, strerror(-r));
	return cgroups_add(half, &found, 1);
}

/* As systemctl(1) does it: what has no type is a service. */
static bool has_unit_type(const char *unit)
{
	static const char *const types[] = { ".service", ".scope", ".slice",
					     ".socket",	 ".mount", ".swap" };
	size_t length = strlen(unit);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (length > strlen(types[i]) &&
		    !strcmp(unit + length - strlen(types[i]), types[i]))
			return true;
	return false;
}

static char *take_unit(const struct half *half, const char *text)
{
	struct cgroup_found found[FILTER_CGROUPS];
	_cleanup_free_ char *unit = NULL;
	int count;

	if (asprintf(&unit, "%s%s", text, has_unit_type(text) ? "" : ".service") < 0) {
		unit = NULL;
		return setting_wrong("memory is short");
	}
	count = *text ? cgroups_by_unit(unit, found, FILTER_CGROUPS) : 0;
	if (count == -ENODEV)
		return setting_wrong("there are no cgroups of version 2 on this host");
	if (count < 0)
		return setting_wrong("cannot look for the unit '%s': %s", text, strerror(-count));
	if (!count)
		return setting_wrong("no unit '%s' is running; `systemctl list-units` shows those "
				     "that are",
				     unit);
	if (count > FILTER_CGROUPS)
		return too_many(FILTER_CGROUPS);
	return cgroups_add(half, found, (unsigned int)count);
}

/* ---- the whole ---- */

#define FILTER_WAY(filter, option, syntax, metavar, help) \
	[filter_##filter] = { { option, "not-" option }, take_##syntax },
static const struct {
	const char *names[2]; /* of the halves' options */
	char *(*take)(const struct half *half, const char *text);
} ways[] = { FILTERS(FILTER_WAY) };

_Static_assert(2 * filter_kinds <= 31, "FILTER_CONNECTION is a half's bit");

void filter_exclude(struct filter_set *set, const struct ssh_connection *connection)
{
	struct filter *filter = &set->filter;

	filter->active &= ~FILTER_CONNECTION;
	filter->excluded = (struct filter_connection){};
	if (!connection)
		return;
	filter->active |= FILTER_CONNECTION;
	filter->excluded.ip_version = connection->ip_version;
	for (int end = 0; end < 2; end++) {
		memcpy(filter->excluded.addresses[end].bytes, connection->addresses[end],
		       sizeof(connection->addresses[end]));
		filter->excluded.ports[end] = connection->ports[end];
	}
}

const char *filter_name(enum filter_kind kind, bool negative)
{
	return ways[kind].names[negative];
}

const char *filter_value(const struct filter_set *set, enum filter_kind kind, bool negative,
			 unsigned int number)
{
	for (unsigned int i = 0; i < set->count; i++) {
		const struct filter_value *value = &set->values[i];

		if (value->kind == kind && value->negative == negative && !number--)
			return set->texts + value->text;
	}
	return NULL;
}

/* Take the values of a half out of a list. */
#define LIST_CLEAR(list, count, bits_of)                     \
	do {                                                 \
		unsigned int kept_ = 0;                      \
		for (unsigned int i = 0; i < (count); i++)   \
			if (!(bits_of((list)[i]) & bit))     \
				(list)[kept_++] = (list)[i]; \
		(count) = kept_;                             \
	} while (0)
#define BITS_OF_ANY(value) ((value).bits)
#define BITS_OF_NETWORK(value) ((value).src_bits | (value).dest_bits)

static void half_clear(const struct half *half)
{
	struct filter *filter = half->filter;
	const uint32_t bit = half->bit;

	filter->active &= ~bit;
	LIST_CLEAR(filter->networks, filter->network_count, BITS_OF_NETWORK);
	LIST_CLEAR(filter->cgroups, filter->cgroup_count, BITS_OF_ANY);
	LIST_CLEAR(filter->pids.of, filter->pids.count, BITS_OF_ANY);
	LIST_CLEAR(filter->namespaces.of, filter->namespaces.count, BITS_OF_ANY);
	LIST_CLEAR(filter->comms.of, filter->comms.count, BITS_OF_ANY);
	LIST_CLEAR(filter->ifnames.of, filter->ifnames.count, BITS_OF_ANY);
	if (bit & FILTER_OF_PORTS)
		memset(ports_of(half), 0, sizeof(*ports_of(half)));
	if (bit & FILTER_BITS(filter_proto))
		filter->protocols[half->negative] = 0;
}

/* The bytes of the texts are few, and stay. */
static void values_clear(struct filter_set *set, const struct half *half)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < set->count; i++)
		if (set->values[i].kind != half->kind || set->values[i].negative != half->negative)
			set->values[kept++] = set->values[i];
	set->count = kept;
}

char *filter_take(struct filter_set *set, enum filter_kind kind, bool negative, const char *value,
		  bool more)
{
	const struct half half = { &set->filter, kind, negative, FILTER_BIT(kind, negative) };
	size_t size = strlen(value) + 1;
	char *wrong;

	if (!more) {
		half_clear(&half);
		values_clear(set, &half);
	}
	wrong = ways[kind].take(&half, value); /* an allocated text, which has nothing of `half` */
	if (wrong)
		return wrong; // cppcheck-suppress returnDanglingLifetime
	if (set->count == FILTER_VALUES_MAX)
		return too_many(FILTER_VALUES_MAX);
	if (size > sizeof(set->texts) - set->used)
		return setting_wrong("all filters together may have %zu bytes", sizeof(set->texts));
	set->values[set->count++] = (struct filter_value){
		.kind = (unsigned short)kind,
		.negative = negative,
		.text = set->used,
	};
	memcpy(set->texts + set->used, value, size);
	set->used += (unsigned int)size;
	set->filter.active |= half.bit;
	return NULL;
}
