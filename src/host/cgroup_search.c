// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/cgroup_search.h"

#include <errno.h>

#include "base/util.h"
#include "host/cgroup_walk.h"

/* A cgroup between the root and the one that the walk is at, both included. */
struct level {
	const char *unit; /* the wanted one that it is, or lies in; NULL: none */
	bool slice;	  /* units may come there */
	bool any;	  /* one that is wanted lies in there */
};

struct searching {
	const struct cgroup_search *search;
	unsigned int watches[2]; /* that may still be set; [true]: of root's */
	bool any_level;
	int error;
	struct level levels[CGROUP_DEPTH_MAX + 1];
};

/* By the descriptor: the path may lead elsewhere by now. */
static void directory_watch(struct searching *s, int fd, bool of_root)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(fd)];

	if (s->search->inotify < 0 || !s->watches[of_root])
		return;
	s->watches[of_root]--;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (inotify_add_watch(s->search->inotify, path, CGROUP_WATCHED) < 0)
		s->error = -errno;
}

/*
 * May units come there, of systemd or of a user's own? They are found only if their directory is
 * watched by then: the unit's cgroup comes after its slice's, which may take a user's login.
 */
static bool is_slice(const char *directory)
{
	const char *type = strrchr(directory, '.');

	return type && (!strcmp(type, ".slice") ||
			(!strcmp(type, ".service") && !strncmp(directory, "user@", 5)));
}

static bool on_cgroup(void *context, const struct cgroup_visit *cgroup)
{
	struct searching *s = context;
	const struct cgroup_search *search = s->search;
	struct level *here = &s->levels[cgroup->level], *above = here - 1;

	if (!cgroup->level) {
		*here = (struct level){ .slice = true };
		return true;
	}
	*here = (struct level){ .unit = above->unit, .slice = is_slice(cgroup->name) };
	if ((above->unit && !strcmp(above->unit, cgroup->name)) ||
	    !search->wanted(search->context, cgroup->name))
		return true;
	above->any = true;
	here->unit = cgroup->name;
	search->found(search->context, cgroup->name,
		      &(struct cgroup_found){
			      .id = cgroup->id, .level = cgroup->level, .any_level = s->any_level },
		      cgroup->path, cgroup->of_root);
	return true;
}

static void on_enter(void *context, int fd, unsigned int level, bool of_root)
{
	struct searching *s = context;

	if (s->levels[level].slice ||
	    of_root) /* before the look, which meets what comes until then */
		directory_watch(s, fd, of_root);
}

static void on_leave(void *context, int fd, unsigned int level, bool of_root)
{
	struct searching *s = context;

	if (s->levels[level].any && !s->levels[level].slice && !of_root)
		directory_watch(s, fd, of_root);
}

int cgroup_search(const struct cgroup_search *search)
{
	struct searching s = {
		.search = search,
		.watches = { [false] = SEARCH_WATCHES_OTHERS, [true] = UINT_MAX },
	};
	struct hierarchy hierarchy = {};
	struct cgroup_walk walk = {
		.root = search->root ?: hierarchy.path,
		.owner = search->owner,
		.most_others = search->others_max,
		.found = on_cgroup,
		.enter = on_enter,
		.leave = on_leave,
		.context = &s,
	};
	int r = search->root ? 0 : hierarchy_find("", &hierarchy);

	if (r < 0)
		return r;
	s.any_level = hierarchy.any_level;
	r = cgroup_walk(&walk);
	return s.error ?: r;
}
