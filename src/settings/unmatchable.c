// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "settings/unmatchable.h"

#include <netinet/in.h>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "filter/contradiction.h"
#include "host/cgroup_file.h"
#include "host/namespace.h"

#define NETNS_NUMBER_LEAST 0xeffffff0u /* below are no namespaces: include/linux/proc_ns.h */
#define HAS_PORTS_ALL (BIT(IPPROTO_TCP) | BIT(IPPROTO_UDP))

struct telling {
	const struct options *options;
	unmatchable_tell *tell;
	void *context;
	const char *output;		  /* whose lines it is about; NULL: any */
	const struct filter_set *sets[2]; /* what they have to pass */
	unsigned int count;
	uint64_t events; /* that they may be of */
	bool named;	 /* which were named one by one */
};

/* Where it is about an output's lines, its name comes first. */
static void say(const struct telling *telling, const char *format, ...) _printf_(2, 3);
static void say(const struct telling *telling, const char *format, ...)
{
	_cleanup_free_ char *text = NULL, *sentence = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (!text || asprintf(&sentence, "%s%s%s", telling->output ?: "",
			      telling->output ? ": " : "", text) < 0)
		sentence = NULL;
	if (sentence)
		telling->tell(telling->context, sentence);
}

/* ---- what events are like ---- */

/* `value`: of the event's choice; 0 where it has none. */
static struct event_traits traits_of(enum event_type type, unsigned int value)
{
	struct event_traits traits = { .protocols = UINT64_MAX };

	if (!field_by_name(event_desc(type), "ifname"))
		traits.absent = FILTER_BITS(filter_ifname);
	if (type == event_retransmit || type == event_rtt ||
	    (type == event_latency && value == stage_tcp))
		traits.protocols = BIT(IPPROTO_TCP);
	else if (type == event_latency && value != stage_qdisc)
		traits.protocols = HAS_PORTS_ALL;
	traits.undecided = filter_undecided(type, value);
	return traits;
}

/* In the unit in which the event measures, a limit is the next whole number. */
static char *limits_contradiction(const struct options *options, enum event_type type)
{
	const struct threshold *limits = &options->kernel.limits_ns[type];
	const uint64_t unit = measure_units_ns[type];
	const char *event = event_desc(type)->name;

	if (!unit || !limits->below || limits->below > UINT64_MAX - unit ||
	    limits->least / unit + (limits->least % unit != 0) <
		    limits->below / unit + (limits->below % unit != 0))
		return NULL;
	return setting_wrong("nothing is at least min-%s and below not-min-%s", event, event);
}

static char *value_reason(const struct telling *telling, enum event_type type, unsigned int value)
{
	const struct event_traits traits = traits_of(type, value);

	return filters_contradiction(telling->sets, telling->count, &traits);
}

/* Why none of the event's wanted values can come; NULL: one can. Those that cannot are told. */
static char *values_reason(const struct telling *telling, enum event_type type)
{
	const struct word_choice *choice = &telling->options->kernel.choices[type];
	const struct vocabulary *words = &choice_words[type];
	char *reasons[64] = {}, *reason = NULL;
	bool any = false;

	for (unsigned int value = 1; value < words->count; value++) {
		if (!(choice->bits & BIT(value)) || !words->word(value))
			continue;
		reasons[value] = value_reason(telling, type, value);
		any |= !reasons[value];
	}
	for (unsigned int value = 1; value < words->count; value++) {
		if (any && reasons[value] && choice->named && !telling->output)
			say(telling, "no line of %s's %s %s can come: %s", event_desc(type)->name,
			    words->what, words->word(value), reasons[value]);
		if (!any && reasons[value] && !reason) {
			reason = reasons[value];
			reasons[value] = NULL;
		}
		free(reasons[value]);
	}
	return reason;
}

/* `ret_meant`: what leaves it out is set for this event alone. */
static char *event_reason(const struct telling *telling, enum event_type type, bool *ret_meant)
{
	char *reason = limits_contradiction(telling->options, type);

	*ret_meant = reason != NULL;
	if (reason)
		return reason;
	return choice_words[type].what ? values_reason(telling, type) :
					 value_reason(telling, type, 0);
}

/* ---- lines that cannot come ---- */

/* Events with the same reason are told together. Returns those that can come. */
static uint64_t events_tell(const struct telling *telling)
{
	char *reasons[event_types] = {};
	bool meant[event_types] = {};
	uint64_t possible = 0;

	for_each_event_type(type) {
		if (!(telling->events & BIT(type)))
			continue;
		reasons[type] = event_reason(telling, type, &meant[type]);
		if (!reasons[type])
			possible |= BIT(type);
	}
	for_each_event_type(type) {
		char list[events_text_max] = "";

		if (!reasons[type])
			continue;
		list_add(list, sizeof(list), event_desc(type)->name);
		for (enum event_type other = type + 1; other < event_types; other++)
			if (reasons[other] && !strcmp(reasons[other], reasons[type])) {
				free(reasons[other]);
				reasons[other] = NULL;
				list_add(list, sizeof(list), event_desc(other)->name);
			}
		if (telling->named || meant[type] || !possible)
			say(telling, "no line of %s can come: %s", list, reasons[type]);
		free(reasons[type]);
	}
	return possible;
}

static void output_tell(const struct telling *all, const struct sink_spec *spec, uint64_t possible)
{
	struct telling telling = *all;

	telling.output = spec->name;
	telling.events &= spec->events;
	telling.named |= spec->events != word_bits(&event_words);
	if (!telling.events) {
		say(&telling, "no line of an event can come: none of its events is logged");
		return;
	}
	telling.events &= possible; /* of the others it has been said */
	if (spec->filters)
		telling.sets[telling.count++] = spec->filters;
	if (spec->filters)
		events_tell(&telling);
}

/* ---- what this host does not have ---- */

/*
 * Asked of the kernel by a signal that is none, since /proc may be hidden. A thread's number is
 * none of a process: events have the process's.
 */
static void pids_tell(const struct telling *telling, const struct filter *filter)
{
	if (namespace_is_first(namespace_pid) <= 0)
		return; /* the numbers are the host's, which cannot be seen from here */
	for (unsigned int i = 0; i < filter->pids.count; i++) {
		const struct filter_number *pid = &filter->pids.of[i];

		if (syscall(SYS_tgkill, pid->number, pid->number, 0) == 0 || errno != ESRCH)
			continue;
		say(telling, "%spid matches nothing: there is no process %u",
		    pid->bits & FILTER_TWINS ? "not-" : "", pid->number);
	}
}

/* Interfaces have names besides their own, which no event tells. */
static void interface_tell(const struct telling *telling, int fd, const struct filter_named *named)
{
	const char *name = named->name.text;
	const char *twin = named->bits & FILTER_TWINS ? "not-" : "";
	struct ifreq request = {};

	memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	if (ioctl(fd, SIOCGIFINDEX, &request) < 0) {
		if (errno == ENODEV)
			say(telling,
			    "%sifname matches nothing here: no interface of this network "
			    "namespace is called '%s'; see `ip link`",
			    twin, name);
		return;
	}
	if (ioctl(fd, SIOCGIFNAME, &request) == 0 && strcmp(request.ifr_name, name) != 0)
		say(telling, "%sifname matches nothing: '%s' is another name of %s; give that",
		    twin, name, request.ifr_name);
}

/* Whose number is no namespace's, such as that of a file beside it */
static void namespaces_tell(const struct telling *telling, const struct filter *filter)
{
	for (unsigned int i = 0; i < filter->namespaces.count; i++) {
		const struct filter_number *netns = &filter->namespaces.of[i];

		if (netns->number < NETNS_NUMBER_LEAST)
			say(telling,
			    "%snetns matches nothing: %u is no network namespace; see lsns(8)",
			    netns->bits & FILTER_TWINS ? "not-" : "", netns->number);
	}
}

/* Are there namespaces besides this process's own among those that the filter lets through? */
static bool asks_for_other_namespaces(const struct filter *filter)
{
	struct stat own;

	if (!(filter->active & FILTER_BIT(filter_netns, 0)))
		return false;
	if (stat("/proc/self/ns/net", &own) < 0)
		return true;
	for (unsigned int i = 0; i < filter->namespaces.count; i++)
		if (!(filter->namespaces.of[i].bits & FILTER_TWINS) &&
		    filter->namespaces.of[i].number != own.st_ino)
			return true;
	return false;
}

/* Where other network namespaces are asked for, their interfaces cannot be seen from here. */
static void interfaces_tell(const struct telling *telling, const struct filter *filter)
{
	_cleanup_close_ int fd = -1;

	for (unsigned int i = 0; i < telling->count; i++)
		if (asks_for_other_namespaces(&telling->sets[i]->filter))
			return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* the family that the unit allows */
	for (unsigned int i = 0; i < filter->ifnames.count && fd >= 0; i++)
		interface_tell(telling, fd, &filter->ifnames.of[i]);
}

/* The kernel side knows a socket's cgroup of version 2, and none of its processes'. */
static void versions_tell(const struct telling *telling, const struct filter_set *set)
{
	if (set->filter.active & FILTER_OF_CGROUPS && cgroup_v1() == cgroup_v1_told)
		say(telling,
		    "unit and cgroup ask for the socket's cgroup of version 2, and this host has "
		    "version 1, too, which tells a line's unit and container_id: a container's "
		    "socket may lie in the unit of its manager there, or nowhere");
}

static void host_tell(const struct telling *telling, const struct filter_set *set)
{
	if (set->elsewhere)
		return;
	versions_tell(telling, set);
	for (unsigned int i = 0; i < set->count; i++) {
		_cleanup_free_ char *notice = filter_notice(set, i);

		if (notice)
			say(telling, "%s", notice);
	}
	pids_tell(telling, &set->filter);
	namespaces_tell(telling, &set->filter);
	interfaces_tell(telling, &set->filter);
}

/* Of events that are not logged, nothing is left out by limits, nor by a choice. */
static void idle_tell(const struct telling *telling)
{
	const struct probe_settings *kernel = &telling->options->kernel;

	for_each_event_type(type) {
		const struct threshold *limits = &kernel->limits_ns[type];
		const char *event = event_desc(type)->name;

		if (kernel->events.bits & BIT(type))
			continue;
		if (limits->least || limits->below)
			say(telling, "%smin-%s does nothing: %s is not logged",
			    limits->least ? "" : "not-", event, event);
		if (kernel->choices[type].named)
			say(telling, "a choice of %s's %s does nothing: %s is not logged", event,
			    choice_words[type].what, event);
	}
}

/* ---- the whole ---- */

void unmatchable_find(const struct options *options, unmatchable_tell *tell, void *context)
{
	struct telling telling = {
		.options = options,
		.tell = tell,
		.context = context,
		.sets = { &options->kernel.filters },
		.count = 1,
		.events = options->kernel.events.bits,
		.named = options->kernel.events.named,
	};
	uint64_t possible;

	idle_tell(&telling);
	host_tell(&telling, &options->kernel.filters);
	possible = events_tell(&telling);
	for (unsigned int i = 0; i < options->output_count; i++) {
		struct telling own = telling;

		own.output = options->outputs[i].name;
		if (options->outputs[i].filters)
			own.sets[own.count++] = options->outputs[i].filters;
		if (options->outputs[i].filters)
			host_tell(&own, options->outputs[i].filters);
		if (possible)
			output_tell(&telling, &options->outputs[i], possible);
	}
}

static void warn(void *context _unused_, const char *sentence)
{
	log_warning("%s", sentence);
}

void unmatchable_warn(const struct options *options)
{
	unmatchable_find(options, warn, NULL);
}
