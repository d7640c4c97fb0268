// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "filter/filter.h"

#include <errno.h>
#include <netdb.h>

#include "base/words.h"
#include "filter/cgroups.h"
#include "host/netns.h"

#define PORT_MAX (FILTER_PORTS - 1)
#define PROTOCOL_MAX 255

/* ---- ports and protocols ---- */

static void add_ports(const struct half *half, uint64_t first, uint64_t last)
{
	for (uint64_t port = first; port <= last; port++)
		half->filter->ports[port] |= (uint8_t)(half->bit >> FILTER_PORTS_SHIFT);
}

/* A service may have different ports with TCP and UDP. Returns whether it has any. */
static bool add_service(const struct half *half, const char *name)
{
	static const char *const transports[] = { "tcp", "udp" };
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
		const struct servent *service = getservbyname(name, transports[i]);
		uint64_t port = service ? ntohs((uint16_t)service->s_port) : 0;

		if (port)
			add_ports(half, port, port);
		found |= port;
	}
	return found;
}

/* PORT or FIRST-LAST */
static int range_read(const char *text, uint64_t *ret_first, uint64_t *ret_last)
{
	size_t length = strcspn(text, "-");
	char number[8] = "";

	if (length < sizeof(number))
		memcpy(number, text, length);
	if (parse_u64(number, ret_first) < 0 ||
	    parse_u64(text[length] ? text + length + 1 : number, ret_last) < 0 || !*ret_first ||
	    *ret_first > PORT_MAX || *ret_last > PORT_MAX)
		return -EINVAL;
	return 0;
}

static char *take_port(const struct half *half, const char *text)
{
	uint64_t first, last;

	if (range_read(text, &first, &last) == 0) {
		if (first > last)
			return setting_wrong("'%s' ends before it begins; give %llu-%llu", text,
					     (unsigned long long)last, (unsigned long long)first);
		add_ports(half, first, last);
	} else if (!add_service(half, text)) {
		return setting_wrong("'%s' is no port; give numbers from 1 to %d, as 443 or "
				     "80,8000-8100, or names as in /etc/services",
				     text, PORT_MAX);
	}
	return NULL;
}

char *take_ports(const struct half *half, const char *text)
{
	return half_take_each(half, text, take_port);
}

#define PROTOCOL_ROW(number, text) { #text, number },
static const struct {
	const char *name;
	unsigned int number;
} protocols[] = { IP_PROTOCOL_VALUES(PROTOCOL_ROW) };
static const char *protocol_word(unsigned int number)
{
	return protocols[number].name;
}

/* A number, a name as lines have it, or one of /etc/protocols. -1: it is none of these. */
static int protocol_by_text(const struct vocabulary *words, const char *text)
{
	const struct protoent *known;
	uint64_t number;
	int word;

	if (parse_u64(text, &number) == 0)
		return number <= PROTOCOL_MAX ? (int)number : -1;
	word = word_number(words, text);
	if (word >= 0)
		return (int)protocols[word].number;
	known = getprotobyname(text);
	return known && known->p_proto >= 0 && known->p_proto <= PROTOCOL_MAX ? known->p_proto : -1;
}

static char *take_protocol(const struct half *half, const char *text)
{
	static const struct vocabulary words = { "protocol", protocol_word, ARRAY_SIZE(protocols),
						 NULL };
	int number = protocol_by_text(&words, text);
	_cleanup_free_ char *hint = NULL;

	if (number >= 0) {
		half->filter->protocols[number] |= (uint8_t)(half->bit >> FILTER_PROTO_SHIFT);
		return NULL;
	}
	hint = word_hint(&words, text);
	return setting_wrong("there is no protocol '%s'; %s, names as in /etc/protocols, and "
			     "numbers from 0 to %d",
			     text, hint, PROTOCOL_MAX);
}

char *take_protocols(const struct half *half, const char *text)
{
	return half_take_each(half, text, take_protocol);
}

/* ---- network namespaces and interfaces ---- */

static char *take_namespace(const struct half *half, const char *text)
{
	uint64_t number;
	uint32_t inode;
	int r;

	if (parse_u64(text, &number) == 0 && number && number <= UINT32_MAX)
		return half_add_number(half, &half->filter->namespaces, (uint32_t)number);
	if (half->elsewhere && strchr(text, '/'))
		return setting_wrong("'%s' is a path of this host; a recording has names and "
				     "numbers of network namespaces",
				     text);
	if (half->elsewhere && *text)
		return NULL;
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
		return setting_wrong("cannot look at the network namespace '%s': %s; give its "
				     "number, as `sudo stat -Lc %%i %s` tells it",
				     text, strerror(-r), text);
	return half_add_number(half, &half->filter->namespaces, inode);
}

char *take_namespaces(const struct half *half, const char *text)
{
	return half_take_each(half, text, take_namespace);
}

static char *take_interface(const struct half *half, const char *text)
{
	if (!*text || strlen(text) >= IFNAME_BYTES || strchr(text, '/'))
		return setting_wrong("'%s' can be no interface; give a name as `ip link` shows it",
				     text);
	return half_add_name(half, &half->filter->ifnames, text);
}

char *take_interfaces(const struct half *half, const char *text)
{
	return half_take_each(half, text, take_interface);
}

/* ---- the whole ---- */

typedef char *(*take_function)(const struct half *half, const char *text);

#define FILTER_TAKE(filter, option, syntax, metavar, help) [filter_##filter] = take_##syntax,
static const take_function takes[] = { FILTERS(FILTER_TAKE) };

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

/* Remove a half's values from a list. */
#define LIST_CLEAR(list, count, bit)                         \
	do {                                                 \
		unsigned int kept_ = 0;                      \
		for (unsigned int i = 0; i < (count); i++)   \
			if (!((list)[i].bits & (bit)))       \
				(list)[kept_++] = (list)[i]; \
		(count) = kept_;                             \
	} while (0)

/* Segments are cut again when the half's next value is taken. */
static void half_clear(const struct half *half)
{
	struct filter *filter = half->filter;
	const uint32_t bit = half->bit;

	filter->active &= ~bit;
	LIST_CLEAR(half->networks->of, half->networks->count, bit);
	LIST_CLEAR(filter->cgroups, filter->cgroup_count, bit);
	LIST_CLEAR(filter->pids.of, filter->pids.count, bit);
	LIST_CLEAR(filter->namespaces.of, filter->namespaces.count, bit);
	LIST_CLEAR(filter->comms.of, filter->comms.count, bit);
	LIST_CLEAR(filter->ifnames.of, filter->ifnames.count, bit);
	for (unsigned int port = 0; bit & FILTER_OF_PORTS && port < FILTER_PORTS; port++)
		filter->ports[port] &= (uint8_t) ~(bit >> FILTER_PORTS_SHIFT);
	for (unsigned int i = 0; bit & FILTER_BITS(filter_proto) && i < FILTER_PROTOS; i++)
		filter->protocols[i] &= (uint8_t) ~(bit >> FILTER_PROTO_SHIFT);
}

/* Forget the half's values. The texts of the others, which lie in their order, close up. */
static void values_clear(struct filter_set *set, const struct half *half)
{
	unsigned int kept = 0, used = 0;

	for (unsigned int i = 0; i < set->count; i++) {
		struct filter_value value = set->values[i];
		const char *text = set->texts + value.text;
		const size_t size = strlen(text) + 1;

		if (value.kind == half->kind && value.negative == half->negative)
			continue;
		memmove(set->texts + used, text, size);
		value.text = used;
		used += (unsigned int)size;
		set->values[kept++] = value;
	}
	set->count = kept;
	set->used = used;
}

static struct half half_of(struct filter_set *set, enum filter_kind kind, bool negative)
{
	return (struct half){
		.filter = &set->filter,
		.networks = &set->networks,
		.kind = kind,
		.negative = negative,
		.elsewhere = set->elsewhere,
		.bit = FILTER_BIT(kind, negative),
	};
}

void filter_clear(struct filter_set *set, enum filter_kind kind, bool negative)
{
	const struct half half = half_of(set, kind, negative);

	half_clear(&half);
	values_clear(set, &half);
}

char *filter_take(struct filter_set *set, enum filter_kind kind, bool negative, const char *value)
{
	const struct half half = half_of(set, kind, negative);
	size_t size = strlen(value) + 1;
	char *wrong;

	wrong = takes[kind](&half, value); /* allocated: it does not point into `half` */
	if (wrong)
		return wrong; // cppcheck-suppress returnDanglingLifetime
	if (set->count == FILTER_VALUES_MAX)
		return half_full(FILTER_VALUES_MAX);
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
	return set->elsewhere ? NULL : cgroups_look_up(set, set->count - 1, -1, &(int){ 0 });
}
