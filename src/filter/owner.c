// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>

#include "filter/half.h"
#include "host/cgroup.h"

#define HIDDEN_LEVELS 7 /* the root of a cgroup namespace is assumed to be no deeper */
#define PID_MAX 4194304 /* PID_MAX_LIMIT, include/linux/threads.h */

/* ---- processes and their names ---- */

static char *take_pid(const struct half *half, const char *text)
{
	uint64_t pid;

	if (parse_u64(text, &pid) < 0 || !pid || pid > PID_MAX)
		return setting_wrong("'%s' is no process; give its number, as %d", text, getpid());
	return half_add_number(half, &half->filter->pids, (uint32_t)pid);
}

char *take_pids(const struct half *half, const char *text)
{
	return half_take_each(half, text, take_pid);
}

char *take_comm(const struct half *half, const char *text)
{
	if (!*text)
		return setting_wrong("a name is missing; give it as in /proc/PID/comm");
	if (strlen(text) >= sizeof(((union filter_name *)0)->text))
		return setting_wrong("'%s' is too long: the kernel keeps %d bytes of a name; give "
				     "'%.*s'",
				     text, COMM_BYTES - 1, COMM_BYTES - 1, text);
	return half_add_name(half, &half->filter->comms, text);
}

/* ---- cgroups ---- */

/*
 * Inside a cgroup namespace, how far below the kernel's root it lies is unknown: try all these
 * levels.
 */
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
				return half_full(FILTER_CGROUPS);
			filter->cgroups[filter->cgroup_count++] = (struct filter_cgroup){
				.id = found[i].id,
				.level = found[i].level + above,
				.bits = half->bit,
			};
		}
	}
	return NULL;
}

/* No part of it is . or .. */
static bool path_is_plain(const char *path)
{
	for (const char *part = path; *part; part += strcspn(part, "/")) {
		size_t length;

		part += strspn(part, "/");
		length = strcspn(part, "/");
		if (length && length <= 2 && strspn(part, ".") == length)
			return false;
	}
	return true;
}

char *take_cgroup(const struct half *half, const char *text)
{
	struct cgroup_found found;
	int r;

	if (*text && half->elsewhere)
		return path_is_plain(text) ?
			       NULL :
			       setting_wrong("'%s' has a part . or .., which a recording's "
					     "cgroups have not; give the path without",
					     text);
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

/* As in systemctl(1), a name without a type is a service's. */
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

char *unit_name(const char *text)
{
	char *unit;

	return asprintf(&unit, "%s%s", text, has_unit_type(text) ? "" : ".service") < 0 ? NULL :
											  unit;
}

char *take_unit(const struct half *half, const char *text)
{
	struct cgroup_found found[FILTER_CGROUPS];
	_cleanup_free_ char *unit = unit_name(text);
	int count;

	if (!unit)
		return setting_wrong("memory is short");
	if (*text && half->elsewhere)
		return NULL;
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
		return half_full(FILTER_CGROUPS);
	return cgroups_add(half, found, (unsigned int)count);
}

int watch_unit(int inotify, const char *text)
{
	_cleanup_free_ char *unit = unit_name(text);

	return unit ? cgroup_watch_unit(inotify, unit) : -ENOMEM;
}
