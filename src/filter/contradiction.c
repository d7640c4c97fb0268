// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * contradiction.c - each family of filters by itself: ports, addresses, lists. Filters of different
 * families speak of different things, so that one cannot contradict another, but for protocols,
 * some of which have no ports.
 */
#include "filter/contradiction.h"

#include "bpf/filter_match.h"
#include "filter/ends.h"

#define FILTER_OPTION(filter, option, syntax, metavar, help) option,
static const char *const option_names[] = { FILTERS(FILTER_OPTION) };

/* The halves that are set in any of the sets, of these. */
static uint32_t active_halves(const struct filter_set *const *sets, unsigned int count,
			      uint32_t halves)
{
	uint32_t active = 0;

	for (unsigned int i = 0; i < count; i++)
		active |= sets[i]->filter.active;
	return active & halves;
}

/* Their options: "port, not-port". */
static const char *halves_text(uint32_t halves, char *list, size_t size)
{
	char option[32];

	list[0] = 0;
	for (unsigned int bit = 0; bit < 2 * filter_kinds; bit++) {
		if (!(halves & BIT(bit)))
			continue;
		snprintf(option, sizeof(option), "%s%s", bit % 2 ? "not-" : "",
			 option_names[bit / 2]);
		list_add(list, size, option);
	}
	return list;
}

static char *nothing_left(uint32_t halves)
{
	char list[256];

	return setting_wrong("nothing passes %s", halves_text(halves, list, sizeof(list)));
}

/* ---- lists ---- */

static uint32_t in_list(const struct filter *filter, enum filter_kind kind,
			const struct filter_number *number, const struct filter_named *named)
{
	switch (kind) {
	case filter_pid:
		return filter_in_numbers(&filter->pids, number->number);
	case filter_netns:
		return filter_in_numbers(&filter->namespaces, number->number);
	case filter_comm:
		return filter_in_names(&filter->comms, named->name.words[0], named->name.words[1]);
	default:
		return filter_in_names(&filter->ifnames, named->name.words[0],
				       named->name.words[1]);
	}
}

/* Does a value pass in all sets? */
static bool value_agrees(const struct filter_set *const *sets, unsigned int count,
			 enum filter_kind kind, const struct filter_number *number,
			 const struct filter_named *named)
{
	for (unsigned int i = 0; i < count; i++) {
		const struct filter *filter = &sets[i]->filter;

		if (!filter_agrees(filter->active & FILTER_BITS(kind),
				   in_list(filter, kind, number, named)))
			return false;
	}
	return true;
}

static bool numbers_agree(const struct filter_set *const *sets, unsigned int count,
			  enum filter_kind kind, const struct filter_numbers *list)
{
	for (unsigned int i = 0; i < list->count; i++)
		if (value_agrees(sets, count, kind, &list->of[i], NULL))
			return true;
	return false;
}

static bool names_agree(const struct filter_set *const *sets, unsigned int count,
			enum filter_kind kind, const struct filter_names *list)
{
	for (unsigned int i = 0; i < list->count; i++)
		if (value_agrees(sets, count, kind, NULL, &list->of[i]))
			return true;
	return false;
}

/* Is there a value that passes? It is one of those that are let through, where some are named. */
static bool list_agrees(const struct filter_set *const *sets, unsigned int count,
			enum filter_kind kind)
{
	for (unsigned int i = 0; i < count; i++) {
		const struct filter *filter = &sets[i]->filter;

		if (!(filter->active & FILTER_BIT(kind, 0)))
			continue;
		switch (kind) {
		case filter_pid:
			return numbers_agree(sets, count, kind, &filter->pids);
		case filter_netns:
			/* a recording's may be known by their names only */
			return sets[i]->elsewhere ||
			       numbers_agree(sets, count, kind, &filter->namespaces);
		case filter_comm:
			return names_agree(sets, count, kind, &filter->comms);
		default:
			return names_agree(sets, count, kind, &filter->ifnames);
		}
	}
	return true;
}

/* ---- cgroups and units ---- */

/* Does one value leave out all that the other one lets through? */
static bool value_covers(const struct filter_set *by, const struct filter_value *out,
			 const struct filter_set *of, const struct filter_value *in)
{
	const char *left_out = by->texts + out->text, *let_through = of->texts + in->text;
	_cleanup_free_ char *unit = NULL, *other = NULL;

	if (in->kind == filter_cgroup)
		return out->kind == filter_cgroup ? cgroup_is_below(let_through, left_out) :
						    cgroup_is_of_unit(let_through, left_out);
	if (out->kind == filter_cgroup)
		return !of->elsewhere && unit_is_below(let_through, left_out);
	unit = unit_name(let_through);
	other = unit_name(left_out);
	return unit && other && !strcmp(unit, other);
}

static bool value_left_out(const struct filter_set *const *sets, unsigned int count,
			   const struct filter_set *of, const struct filter_value *in)
{
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int k = 0; k < sets[i]->count; k++) {
			const struct filter_value *out = &sets[i]->values[k];

			if (out->negative &&
			    (out->kind == filter_cgroup || out->kind == filter_unit) &&
			    value_covers(sets[i], out, of, in))
				return true;
		}
	return false;
}

/* Has one of the set's cgroups anything in common with this one? */
static bool cgroup_meets(const struct filter_set *set, const char *path)
{
	for (unsigned int i = 0; i < set->count; i++) {
		const struct filter_value *value = &set->values[i];
		const char *other = set->texts + value->text;

		if (value->kind == filter_cgroup && !value->negative &&
		    (cgroup_is_below(path, other) || cgroup_is_below(other, path)))
			return true;
	}
	return false;
}

/* Is there a value of this set's half that passes in all sets? */
static bool cgroup_half_agrees(const struct filter_set *const *sets, unsigned int count,
			       const struct filter_set *of, enum filter_kind kind)
{
	for (unsigned int i = 0; i < of->count; i++) {
		const struct filter_value *in = &of->values[i];
		bool meets = true;

		if (in->kind != kind || in->negative || value_left_out(sets, count, of, in))
			continue;
		for (unsigned int k = 0; k < count && kind == filter_cgroup; k++)
			meets &= !(sets[k]->filter.active & FILTER_BIT(filter_cgroup, 0)) ||
				 cgroup_meets(sets[k], of->texts + in->text);
		if (meets)
			return true;
	}
	return false;
}

static char *cgroups_contradiction(const struct filter_set *const *sets, unsigned int count)
{
	static const enum filter_kind members[] = { filter_cgroup, filter_unit };

	for (unsigned int i = 0; i < count; i++)
		for (size_t k = 0; k < ARRAY_SIZE(members); k++)
			if (sets[i]->filter.active & FILTER_BIT(members[k], 0) &&
			    !cgroup_half_agrees(sets, count, sets[i], members[k]))
				return nothing_left(active_halves(sets, count, FILTER_OF_CGROUPS));
	return NULL;
}

/* ---- the whole ---- */

/* Does the filter let the protocol of this number through? */
static bool protocol_passes(const struct filter *filter, unsigned int number)
{
	const uint32_t asked = filter->active & FILTER_BITS(filter_proto);

	return filter_agrees(asked, filter_match_proto(filter, number));
}

/* Protocols that all of them let through, as bits by their numbers; the last one is for those from
 * 63 on. */
static uint64_t protocols_left(const struct filter_set *const *sets, unsigned int count,
			       uint64_t protocols)
{
	uint64_t left = 0;

	for (unsigned int number = 0; number <= UINT8_MAX; number++) {
		bool passes = true;

		for (unsigned int i = 0; i < count; i++)
			passes &= protocol_passes(&sets[i]->filter, number);
		if (passes)
			left |= BIT(number < 63 ? number : 63);
	}
	return left & protocols;
}

/* What the filters ask that these events can never answer. */
static char *traits_contradiction(const struct event_traits *traits, uint32_t active)
{
	const uint32_t undecided = active & traits->undecided;
	const uint32_t absent = active & traits->absent & ~FILTER_TWINS;
	char list[256];

	if (undecided)
		return setting_wrong("it is too early to know what %s ask for",
				     halves_text(undecided, list, sizeof(list)));
	if (absent)
		return setting_wrong("it never has what %s asks for",
				     halves_text(absent, list, sizeof(list)));
	return NULL;
}

static char *ports_contradiction(const struct filter_set *const *sets, unsigned int count,
				 uint64_t protocols)
{
	const uint64_t have_ports = BIT(IPPROTO_TCP) | BIT(IPPROTO_UDP);
	const uint32_t active = active_halves(sets, count, FILTER_OF_PORTS);
	char list[256];

	if (!active ||
	    ports_agree(sets, count, protocols & have_ports, protocols == BIT(IPPROTO_TCP)))
		return NULL;
	if (protocols & have_ports)
		return nothing_left(active);
	return setting_wrong("what passes %s has no ports, for which %s asks",
			     halves_text(active_halves(sets, count, FILTER_BITS(filter_proto)),
					 list, sizeof(list) / 2),
			     halves_text(active & ~FILTER_TWINS, list + sizeof(list) / 2,
					 sizeof(list) / 2));
}

char *filters_contradiction(const struct filter_set *const *sets, unsigned int count,
			    const struct event_traits *traits)
{
	static const enum filter_kind lists[] = { filter_pid, filter_comm, filter_netns,
						  filter_ifname };
	const uint64_t protocols = protocols_left(sets, count, traits->protocols);
	const uint32_t active = active_halves(sets, count, UINT32_MAX);
	char *wrong = traits_contradiction(traits, active);
	char list[256];

	if (!wrong && !protocols && protocols_left(sets, count, UINT64_MAX) &&
	    traits->protocols == BIT(IPPROTO_TCP))
		wrong = setting_wrong("it is of tcp, which does not pass %s",
				      halves_text(active & FILTER_BITS(filter_proto), list,
						  sizeof(list)));
	if (!wrong && !protocols)
		wrong = nothing_left(active & FILTER_BITS(filter_proto));
	if (!wrong)
		wrong = ports_contradiction(sets, count, protocols);
	if (!wrong && active & FILTER_OF_ADDRESSES && !addresses_agree(sets, count))
		wrong = nothing_left(active & FILTER_OF_ADDRESSES);
	for (size_t i = 0; i < ARRAY_SIZE(lists) && !wrong; i++)
		if (!list_agrees(sets, count, lists[i]))
			wrong = nothing_left(active & FILTER_BITS(lists[i]));
	return wrong ?: cgroups_contradiction(sets, count);
}
