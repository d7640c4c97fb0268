// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * names_cgroup.c - names of cgroups: their paths, found by walking the hierarchy.
 *
 * A walk begins when an unknown cgroup is asked for. It takes as long as there are cgroups, so a
 * thread makes it, and it takes a small part of the time.
 */
#include <errno.h>

#include "base/clock.h"
#include "host/cgroup_path.h"
#include "host/cgroup_walk.h"
#include "host/look.h"
#include "host/names.h"

#define WALK_FIRST 16384 /* cgroups at the start, while nothing waits for us */
#define WALK_TRIES 2	 /* a cgroup that two complete walks do not find is gone */
#define NEW_MAX 1024	 /* told by a walk, of those that nobody has asked for yet */

struct cgroups {
	struct names_source source;
	struct look look;
	bool begun; /* the first walk */
	/*
	 * The highest id met by a walk, which is the only one to use it. The kernel counts upwards
	 * (kernfs), so cgroups with higher ones are new: one of them may be asked for next.
	 */
	uint64_t newest;
	char root[];
};

/* ---- the first walk, which tells all there are ---- */

struct first_walk {
	struct cgroups *cgroups;
	names_found *found;
	void *context;
};

static bool cgroup_tell(void *context, const struct cgroup_visit *cgroup)
{
	const struct first_walk *first = context;

	if (cgroup->id > first->cgroups->newest)
		first->cgroups->newest = cgroup->id;
	first->found(first->context, cgroup->id, cgroup->path);
	return true;
}

static void walk_first(struct cgroups *cgroups, names_found *found, void *context)
{
	struct first_walk first = { cgroups, found, context };
	const struct cgroup_walk walk = {
		.root = cgroups->root, .most = WALK_FIRST, .found = cgroup_tell, .context = &first
	};

	cgroups->begun = true;
	cgroup_walk(&walk);
}

/* ---- later ones, by a thread, which tell those that are awaited, and new ones ---- */

struct later_walk {
	struct look *look;
	uint64_t newest_before, newest;
	unsigned int new; /* that have been told */
};

static bool cgroup_keep(void *context, const struct cgroup_visit *cgroup)
{
	struct later_walk *later = context;
	const bool new = cgroup->id > later->newest_before && later->new < NEW_MAX;

	if (cgroup->id > later->newest)
		later->newest = cgroup->id;
	later->new += new;
	if (new || look_is_for(later->look, cgroup->id))
		look_add(later->look, cgroup->id, cgroup->path);
	return !look_is_stopped(later->look);
}

static void walk_run(struct look *look)
{
	struct cgroups *cgroups = look->context;
	struct later_walk later = { .look = look,
				    .newest_before = cgroups->newest,
				    .newest = cgroups->newest };
	const struct cgroup_walk walk = { .root = cgroups->root,
					  .found = cgroup_keep,
					  .context = &later };
	int r = cgroup_walk(&walk);

	cgroups->newest = later.newest;
	if (r < 0 && r != -E2BIG)
		look->error = r;
}

static bool cgroup_look(struct names_source *source, uint64_t now_ns, const uint64_t *id,
			names_found *found, void *context)
{
	struct cgroups *cgroups = (struct cgroups *)source;

	if (!cgroups->begun) {
		walk_first(cgroups, found, context);
		return true;
	}
	/* no way from an id to its cgroup is open to us, so all are walked through */
	return names_look(source, &cgroups->look, walk_run, now_ns, id, found, context);
}

static void cgroup_parts(const char *path, char *room, struct text_part parts[NAME_KEYS_MAX])
{
	cgroup_path_unit(path, &parts[cgroup_unit]);
	cgroup_path_container(path, &parts[cgroup_container_id]);
	if (strlen(path) < POD_UID_LENGTH_MAX || !cgroup_path_pod(path, room))
		return;
	parts[cgroup_pod_uid] = (struct text_part){ room, strnlen(room, POD_UID_LENGTH_MAX) };
}

static void cgroup_free(struct names_source *source)
{
	look_end(&((struct cgroups *)source)->look);
	free(source);
}

int names_cgroup_new(const char *root, struct names_source **ret_source)
{
	struct cgroups *cgroups = calloc(1, sizeof(*cgroups) + strlen(root) + 1);

	if (!cgroups)
		return -ENOMEM;
	strcpy(cgroups->root, root);
	cgroups->source = (struct names_source){
		.look = root[0] ? cgroup_look : NULL,
		.parts = cgroup_parts,
		.free = cgroup_free,
		.tries = root[0] ? WALK_TRIES : 0,
		.lasting = true,
	};
	*ret_source = &cgroups->source;
	return 0;
}
