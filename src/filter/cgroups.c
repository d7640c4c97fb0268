// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "filter/cgroups.h"

#include <errno.h>

#include "base/text.h"
#include "host/cgroup_search.h"

#define HIDDEN_LEVELS 7 /* a namespace's root is not deeper */

/* ---- their words ---- */

char *take_cgroup(const struct half *half _unused_, const char *text)
{
	if (!*text)
		return setting_wrong("a path is missing; give it as /system.slice");
	for (const char *dots = strstr(text, ".."); dots; dots = strstr(dots + 1, ".."))
		if ((dots == text || dots[-1] == '/') && (!dots[2] || dots[2] == '/'))
			return setting_wrong("there is no cgroup '%s'; give a path without '..'",
					     text);
	return NULL;
}

char *take_unit(const struct half *half _unused_, const char *text)
{
	return *text ? NULL : setting_wrong("a unit is missing; give it as nginx.service");
}

/* As systemctl(1) does it: what has no type is a service. */
static bool has_unit_type(const char *unit)
{
	static const char *const types[] = { ".service", ".scope", ".slice",
					     ".socket",	 ".mount", ".swap" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (part_ends_with((struct text_part){ unit, strlen(unit) }, types[i]))
			return true;
	return false;
}

char *unit_name(const char *text)
{
	char *unit;

	return asprintf(&unit, "%s%s", text, has_unit_type(text) ? "" : ".service") < 0 ? NULL :
											  unit;
}

bool unit_is_named(const char *name, size_t length, const char *unit)
{
	const size_t wanted = strlen(unit), type = strlen(".service");

	/* one whose name could be taken for a file of the kernel's has an underscore before it */
	if (length && *name == '_') {
		name++;
		length--;
	}
	if (length == wanted && !memcmp(name, unit, length))
		return true;
	return part_ends_with((struct text_part){ unit, wanted }, ".service") &&
	       length == wanted - type + strlen(".socket") && !memcmp(name, unit, wanted - type) &&
	       !memcmp(name + wanted - type, ".socket", strlen(".socket"));
}

static bool is_unit(const char *directory, const char *unit)
{
	return unit_is_named(directory, strlen(directory), unit);
}

/* ---- what is found ---- */

/* In a namespace it is not known how far below the kernel's root it lies: any of these levels. */
static unsigned int levels_of(const struct cgroup_found *found)
{
	return found->any_level ? HIDDEN_LEVELS : 0;
}

static char *cgroup_add(struct filter *filter, const struct filter_value *value,
			const struct cgroup_found *found)
{
	if (found->level + levels_of(found) > FILTER_LEVEL_MAX)
		return setting_wrong("it lies %u levels deep, and %u are the most; give a cgroup "
				     "above it",
				     found->level, FILTER_LEVEL_MAX - levels_of(found));
	if (filter->cgroup_count + 1 + levels_of(found) > FILTER_CGROUPS)
		return half_full(FILTER_CGROUPS);
	for (unsigned int above = 0; above <= levels_of(found); above++)
		filter->cgroups[filter->cgroup_count++] = (struct filter_cgroup){
			.id = found->id,
			.level = found->level + above,
			.bits = FILTER_BIT(value->kind, value->negative),
		};
	return NULL;
}

static char *path_look_up(struct filter_set *set, struct filter_value *value, int inotify,
			  int *ret_error)
{
	const char *path = set->texts + value->text;
	struct cgroup_found found;
	int r;

	if (inotify >= 0) { /* before the look, which then misses none */
		r = cgroup_watch_path(inotify, path);
		if (r < 0 && r != -ENOENT)
			*ret_error = r;
	}
	r = cgroup_by_path(path, &found);
	value->missing = r == -ENOENT;
	if (r == -ENODEV)
		return setting_wrong("there are no cgroups of version 2 on this host");
	if (r < 0 && r != -ENOENT) {
		*ret_error = r;
		return setting_wrong("cannot look for the cgroup '%s': %s", path, strerror(-r));
	}
	return r < 0 ? NULL : cgroup_add(&set->filter, value, &found);
}

/* ---- units, all in one search ---- */

struct units {
	struct filter_set *set;
	unsigned int from; /* the first value */
	char *names[FILTER_VALUES_MAX];
	unsigned int of_root[FILTER_VALUES_MAX]; /* how many of each there are */
	unsigned int count;			 /* of `others`: one more than could be taken */
	struct {
		unsigned int value;
		struct cgroup_found found;
	} others[FILTER_CGROUPS];
	char *wrong;
};

static bool units_wanted(void *context, const char *directory)
{
	const struct units *units = context;

	for (unsigned int i = units->from; i < units->set->count; i++)
		if (units->names[i] && is_unit(directory, units->names[i]))
			return true;
	return false;
}

static void units_found(void *context, const char *directory, const struct cgroup_found *found,
			const char *path _unused_, bool of_root)
{
	struct units *units = context;

	for (unsigned int i = units->from; i < units->set->count; i++) {
		struct filter_value *value = &units->set->values[i];

		if (!units->names[i] || !is_unit(directory, units->names[i]))
			continue;
		if (of_root) {
			units->of_root[i]++;
			units->wrong =
				units->wrong ?: cgroup_add(&units->set->filter, value, found);
			continue;
		}
		value->aside++;
		if (units->count == ARRAY_SIZE(units->others))
			continue;
		units->others[units->count].value = i;
		units->others[units->count++].found = *found;
	}
}

/* Those of users, of units that root's systemd does not run: behind what it has. */
static void others_take(struct units *units)
{
	for (unsigned int i = 0; i < units->count; i++) {
		struct filter_value *value = &units->set->values[units->others[i].value];
		char *full;

		if (value->negative || units->of_root[units->others[i].value])
			continue;
		full = cgroup_add(&units->set->filter, value, &units->others[i].found);
		if (!full) {
			value->missing = false;
			value->aside--;
		}
		free(full);
	}
}

static char *units_look_up(struct filter_set *set, unsigned int from, int inotify, int *ret_error)
{
	struct units units = { .set = set, .from = from };
	const struct cgroup_search search = {
		.wanted = units_wanted, .found = units_found, .context = &units, .inotify = inotify
	};
	bool any = false;
	int r = 0;

	for (unsigned int i = from; i < set->count; i++) {
		if (set->values[i].kind != filter_unit)
			continue;
		set->values[i].aside = 0;
		units.names[i] = unit_name(set->texts + set->values[i].text);
		any |= units.names[i] != NULL;
		if (!units.names[i])
			r = -ENOMEM;
	}
	if (any && r == 0)
		r = cgroup_search(&search);
	for (unsigned int i = from; i < set->count; i++)
		if (set->values[i].kind == filter_unit)
			set->values[i].missing = !units.of_root[i];
	others_take(&units);
	for (unsigned int i = from; i < set->count; i++)
		free(units.names[i]);
	if (r == -ENODEV)
		return units.wrong ?:
				     setting_wrong("there are no cgroups of version 2 on this host");
	if (r == -ENOMEM)
		wrong_keep_first(&units.wrong, setting_wrong_memory());
	*ret_error = r ?: *ret_error;
	return units.wrong;
}

/* ---- the whole ---- */

char *cgroups_look_up(struct filter_set *set, unsigned int from, int inotify, int *ret_error)
{
	char *wrong = NULL;

	for (unsigned int i = from; i < set->count; i++)
		if (set->values[i].kind == filter_cgroup)
			wrong_keep_first(&wrong,
					 path_look_up(set, &set->values[i], inotify, ret_error));
	wrong_keep_first(&wrong, units_look_up(set, from, inotify, ret_error));
	return wrong;
}

int filter_look_up(struct filter_set *set, int inotify, char **ret_wrong)
{
	int error = 0;

	set->filter.cgroup_count = 0;
	*ret_wrong = cgroups_look_up(set, 0, inotify, &error);
	return error;
}

bool filter_look_up_take(struct filter_set *set, const struct filter_set *looked_up)
{
	struct filter *filter = &set->filter;
	const struct filter *found = &looked_up->filter;
	const size_t size = found->cgroup_count * sizeof(found->cgroups[0]);
	bool other = filter->cgroup_count != found->cgroup_count ||
		     memcmp(filter->cgroups, found->cgroups, size) != 0;

	filter->cgroup_count = found->cgroup_count;
	memcpy(filter->cgroups, found->cgroups, size);
	memcpy(set->values, looked_up->values, set->count * sizeof(set->values[0]));
	return other;
}

char *filter_notice(const struct filter_set *set, unsigned int number)
{
	const struct filter_value *value = &set->values[number];
	const char *text = set->texts + value->text, *twin = value->negative ? "not-" : "";
	_cleanup_free_ char *unit = value->kind == filter_unit ? unit_name(text) : NULL;

	if (value->aside && unit)
		return setting_wrong(
			"%sunit=%s leaves aside %u cgroups of that name, which are "
			"not of the system's manager but of a user's or a container's%s",
			twin, unit, value->aside,
			!value->missing ? "" :
			value->negative ? "; the system's does not run; not-cgroup "
					  "leaves out a user's" :
					  "; there is no room for more");
	if (value->missing && unit)
		return setting_wrong("%sunit: no unit '%s' is running, so it matches nothing; it "
				     "is taken when it comes; `systemctl list-units` shows those "
				     "that are",
				     twin, unit);
	if (value->missing && value->kind == filter_cgroup)
		return setting_wrong("%scgroup: there is no cgroup '%s', so it matches nothing; it "
				     "is taken when it comes; systemd-cgls(1) shows those that are",
				     twin, text);
	return NULL;
}

struct below {
	const char *unit, *above;
	unsigned int inside, outside;
};

static bool below_wanted(void *context, const char *directory)
{
	return is_unit(directory, ((struct below *)context)->unit);
}

static void below_found(void *context, const char *directory _unused_,
			const struct cgroup_found *found _unused_, const char *path,
			bool of_root _unused_)
{
	struct below *below = context;

	if (cgroup_is_below(path, below->above))
		below->inside++;
	else
		below->outside++;
}

bool unit_is_below(const char *text, const char *path)
{
	_cleanup_free_ char *unit = unit_name(text);
	struct below below = { .unit = unit, .above = path };
	const struct cgroup_search search = {
		.wanted = below_wanted, .found = below_found, .context = &below, .inotify = -1
	};

	return unit && cgroup_search(&search) == 0 && below.inside && !below.outside;
}
