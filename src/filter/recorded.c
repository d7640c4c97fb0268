// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * recorded.c - filters in a replay: the questions that the kernel side asks, asked of a record. The
 * record has all that is needed but for cgroups: an id means nothing away from its host, so the
 * recorded names are compared instead.
 */
#include "bpf/filter_match.h"
#include "filter/filter.h"
#include "host/cgroup_file.h"

/* Where cgroups of version 2 are mounted, alone or beside those of version 1. The longer comes
 * first. */
static const char *const mounts[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

#define HAS(event, field) ((event)->header.has & BIT(offsetof(struct event_index, field)))
/* A number, or 0 if it is unknown, whatever the field holds. */
#define NUMBER(event, field) (HAS(event, field) ? (event)->field : 0)

static struct flow flow_of(const struct event *event)
{
	struct flow flow = { .netns = NUMBER(event, netns) };

	if (!HAS(event, src_ip) || !HAS(event, dest_ip))
		return flow;
	flow.ip_version = event->ip_version;
	flow.src = event->src_ip;
	flow.dest = event->dest_ip;
	flow.proto = HAS(event, proto) ? event->proto : NUMBER(event, proto_number);
	flow.proto_hidden = !HAS(event, proto) && !HAS(event, proto_number);
	flow.src_port = NUMBER(event, src_port);
	flow.dest_port = NUMBER(event, dest_port);
	return flow;
}

/* ---- cgroups ---- */

/* The next component of a path; NULL: there is none. */
static const char *path_part(const char **path, size_t *ret_length)
{
	const char *part = *path + strspn(*path, "/");

	*ret_length = strcspn(part, "/");
	*path = part + *ret_length;
	return *ret_length ? part : NULL;
}

bool cgroup_is_below(const char *path, const char *above)
{
	const char *wanted, *part;
	size_t wanted_length, length;

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		const size_t mount = strlen(mounts[i]);

		if (strncmp(above, mounts[i], mount) != 0 || (above[mount] && above[mount] != '/'))
			continue;
		above += mount;
		break;
	}
	while ((wanted = path_part(&above, &wanted_length))) {
		part = path_part(&path, &length);
		if (!part || length != wanted_length || memcmp(part, wanted, length) != 0)
			return false;
	}
	return true;
}

bool cgroup_is_of_unit(const char *path, const char *value)
{
	_cleanup_free_ char *unit = unit_name(value);
	const char *part;
	size_t length;

	while (unit && (part = path_part(&path, &length)))
		if (unit_is_named(part, length, unit))
			return true;
	return false;
}

/* ---- all that has a name ---- */

static bool list_has(const char *list, const char *name)
{
	const size_t wanted = strlen(name);

	for (const char *item = list;; item++) {
		size_t length = strcspn(item, ",");

		if (length == wanted && !memcmp(item, name, length))
			return true;
		item += length;
		if (!*item)
			return false;
	}
}

static bool value_matches(const struct filter_value *value, const char *text,
			  const char *const named[name_sources])
{
	const char *path = named[names_of_cgroup_id], *netns = named[names_of_netns];
	const char *process = named[names_of_process];
	char of_process[NAME_TEXT_MAX + 1];

	switch ((enum filter_kind)value->kind) {
	case filter_cgroup:
		return path && cgroup_is_below(path, text);
	case filter_unit:
		/* where processes have theirs, as the line tells it */
		if (process)
			path = cgroup_file_unit_path(process, of_process, sizeof(of_process)) ?
				       of_process :
				       NULL;
		return path && cgroup_is_of_unit(path, text);
	case filter_netns:
		return netns && list_has(text, netns);
	default:
		return false;
	}
}

/* The halves whose lists contain one of the names. */
static uint32_t names_match(const struct filter_set *set, const char *const named[name_sources])
{
	uint32_t matched = 0;

	for (unsigned int i = 0; i < set->count; i++) {
		const struct filter_value *value = &set->values[i];

		if (value_matches(value, set->texts + value->text, named))
			matched |= FILTER_BIT(value->kind, value->negative);
	}
	return matched;
}

static void names_sort(const struct event *event, const char *const names[NAMED_NUMBERS_MAX],
		       const char *ret_named[name_sources])
{
	struct named_number numbers[NAMED_NUMBERS_MAX];
	const unsigned int count = event_named_numbers(event, numbers);

	for (unsigned int i = 0; i < count; i++)
		ret_named[numbers[i].source] = names[i]					     ?:
						       numbers[i].source == names_of_process ? "" :
											       NULL;
}

/* ---- the whole ---- */

/* Zeros if it has none. */
static union filter_name ifname_of(const struct event *event)
{
	const struct event_desc *desc = event_desc(event->header.type);
	const struct field_desc *field = field_by_name(desc, "ifname");
	union filter_name name = {};

	if (field && event->header.has & BIT(field - desc->fields))
		memcpy(name.text, (const char *)event + field->offset,
		       strnlen((const char *)event + field->offset, sizeof(name.text) - 1));
	return name;
}

static union filter_name comm_of(const struct event *event)
{
	union filter_name name = {};

	if (HAS(event, comm))
		memcpy(name.text, event->comm.name,
		       strnlen(event->comm.name, sizeof(name.text) - 1));
	return name;
}

uint32_t filter_undecided(enum event_type type, unsigned int value)
{
	return type == event_latency && value == stage_transport ? FILTER_BEFORE_SOCKET : 0;
}

static uint32_t undecided_of(const struct event *event)
{
	const enum event_type type = event->header.type;

	/* the only event that has such lines */
	return type == event_latency ?
		       filter_undecided(type, ((const struct latency *)event)->stage) :
		       0;
}

static bool takes_event(const struct filter_set *set, const struct event *event,
			const char *const names[NAMED_NUMBERS_MAX])
{
	const struct filter *f = &set->filter;
	const char *named[name_sources] = {};
	const struct flow flow = flow_of(event);
	const union filter_name comm = comm_of(event), ifname = ifname_of(event);
	uint32_t matched;

	if (filter_active_of(f, undecided_of(event)))
		return false;
	if (!filter_takes_ends(f, &flow) || !filter_takes_owner(f, NUMBER(event, pid), &comm) ||
	    !filter_takes_ifname(f, &ifname))
		return false;
	names_sort(event, names, named);
	matched = names_match(set, named) | filter_in_namespaces(f, flow.netns);
	return filter_agrees(filter_active_of(f, FILTER_OF_CGROUPS | FILTER_BITS(filter_netns)),
			     matched);
}

bool filter_takes_event(const struct filter_set *set, const struct event *event,
			const char *const names[NAMED_NUMBERS_MAX])
{
	return !set->filter.active || takes_event(set, event, names);
}
