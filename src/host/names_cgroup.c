// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * names_cgroup.c - names of cgroups: their paths, found by walking the hierarchy.
 *
 * A walk begins when an unknown cgroup is asked for, and goes on in small steps.
 */
#include <errno.h>

#include "base/clock.h"
#include "host/cgroup_path.h"
#include "host/cgroup_walk.h"
#include "host/names.h"

#define WALK_STEP 128			/* directories in one look, some 2 ms */
#define WALK_FIRST 16384		/* at the start, while nothing waits for us */
#define WALK_PAUSE_NS (10 * 1000000ULL) /* at least, between two looks */
#define WALK_SHARE 50 /* a walk takes at most this fraction of the time: one in 50 */
#define WALK_TRIES 2  /* a cgroup that two complete walks do not find is gone */

struct cgroups {
	struct names_source source;
	struct cgroup_walk walk;
	bool begun; /* the first walk */
	uint64_t next_ns, spent_ns;
	char root[];
};

static bool walk_step(struct cgroups *cgroups, uint64_t now_ns, names_found *found, void *context)
{
	const unsigned int budget = cgroups->begun ? WALK_STEP : WALK_FIRST;
	uint64_t pause_ns = WALK_PAUSE_NS;

	cgroups->begun = true;
	if (!cgroups->walk.depth) {
		cgroups->spent_ns = 0;
		if (cgroup_walk_begin(&cgroups->walk, cgroups->root) < 0) {
			cgroups->next_ns = now_ns + NSEC_PER_SEC;
			return false;
		}
	}
	cgroups->source.midway = cgroup_walk_go_on(&cgroups->walk, budget, found, context);
	cgroups->spent_ns += clock_boot_ns() - now_ns;
	if (!cgroups->source.midway && WALK_SHARE * cgroups->spent_ns > pause_ns)
		pause_ns = WALK_SHARE * cgroups->spent_ns;
	cgroups->next_ns = clock_boot_ns() + pause_ns;
	return !cgroups->source.midway;
}

static bool cgroup_look(struct names_source *source, uint64_t now_ns, const uint64_t *id,
			names_found *found, void *context)
{
	struct cgroups *cgroups = (struct cgroups *)source;
	const bool worth = source->wanted || source->midway || !cgroups->begun;

	(void)id; /* no way from an id to its cgroup is open to us, so we walk */
	return worth && now_ns >= cgroups->next_ns && walk_step(cgroups, now_ns, found, context);
}

#define KEY_ID(key, text_max, doc) key_##key,
enum { CGROUP_NAMES(KEY_ID) };

static void cgroup_parts(const char *path, struct text_part parts[NAME_KEYS_MAX])
{
	cgroup_path_unit(path, &parts[key_unit]);
	cgroup_path_container(path, &parts[key_container_id]);
}

static void cgroup_free(struct names_source *source)
{
	cgroup_walk_end(&((struct cgroups *)source)->walk);
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
