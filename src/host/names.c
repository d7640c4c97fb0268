// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/names.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/clock.h"
#include "host/cgroup_path.h"
#include "host/cgroup_walk.h"

#define SET_BITS 9
#define WAYS 8				/* names in a set: of 4096, the least used one makes room */
#define WALK_STEP 128			/* directories in one look: some 2 ms */
#define WALK_FIRST 16384		/* at the start, before anything waits for us */
#define WALK_PAUSE_NS (10 * 1000000ULL) /* between two looks at the least */
#define WALK_SHARE 50			/* a walk takes one part of so many of the time */
#define WALK_TRIES 2			/* a cgroup that two whole walks do not find is gone */
#define NETNS_INTERVAL_NS NSEC_PER_SEC
#define NETNS_MAX 4096 /* entries that are looked at */

struct name {
	uint64_t id;
	uint64_t used; /* when, in lookups; 0: never, so it may make room for any other */
	char *text;    /* NULL: there is none, or it is not known */
	char *json;    /* made of it when it is put for the first time */
	uint32_t json_length;
	uint32_t scan; /* of the last scan of namespaces that had it */
	uint8_t source;
	uint8_t tries; /* whole walks that may still find it; 0: nobody asks */
	bool in_use;   /* the place */
	bool answered; /* somebody has been told, or told that there is none */
};

struct names {
	char *cgroup_root, *netns_directory;
	struct name names[1 << SET_BITS][WAYS];
	uint64_t lookups;
	bool changed; /* something that was answered before */
	/* the walk */
	struct cgroup_walk walk;
	unsigned int wanted; /* cgroups that are not known yet */
	uint64_t walk_next_ns, walk_spent_ns;
	/* namespaces */
	uint64_t netns_next_ns;
	struct timespec netns_changed; /* the directory */
	unsigned int netns_again;      /* scans to come: a name is there before what it names */
	uint32_t scan;
};

_Static_assert(name_sources < WAYS, "looking for the names of one event drops none of them");

/* ---- the names that are known ---- */

static struct name *set_of(struct names *names, enum name_source source, uint64_t id)
{
	return names->names[(id + source) * 0x9e3779b97f4a7c15 >> (64 - SET_BITS)];
}

static struct name *name_find(struct names *names, enum name_source source, uint64_t id)
{
	struct name *set = set_of(names, source, id);

	for (unsigned int i = 0; i < WAYS; i++)
		if (set[i].in_use && set[i].id == id && set[i].source == source)
			return &set[i];
	return NULL;
}

static void name_drop(struct names *names, struct name *name)
{
	if (name->tries)
		names->wanted--;
	names->changed |= name->answered && name->text;
	free(name->text);
	free(name->json);
	*name = (struct name){};
}

/* A new one, in place of the one not used for longest; with `gently`, only of one never used. */
static struct name *name_add(struct names *names, enum name_source source, uint64_t id, bool gently)
{
	struct name *set = set_of(names, source, id), *oldest = &set[0];

	for (unsigned int i = 1; i < WAYS && oldest->in_use; i++)
		if (!set[i].in_use || set[i].used < oldest->used)
			oldest = &set[i];
	if (gently && oldest->in_use && oldest->used)
		return NULL;
	name_drop(names, oldest);
	oldest->in_use = true;
	oldest->id = id;
	oldest->source = (uint8_t)source;
	return oldest;
}

/* `text`: NULL for none. */
static int name_set(struct names *names, struct name *name, const char *text)
{
	char *copy = NULL;

	if (text == name->text || (text && name->text && !strcmp(text, name->text)))
		return 0;
	if (text) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
	}
	if (name->tries)
		names->wanted--;
	name->tries = 0;
	free(name->text);
	free(name->json);
	name->text = copy;
	name->json = NULL;
	names->changed |= name->answered;
	return 0;
}

/* ---- to JSON ---- */

static char *put_key(char *p, const char *key, const char *text, size_t length)
{
	*p++ = ',';
	*p++ = '"';
	p = stpcpy(p, key);
	p = stpcpy(p, "\":\"");
	p = put_json_string(p, text, length);
	*p++ = '"';
	return p;
}

/* In the order of the rows: a test compares the keys. */
static char *put_cgroup(char *p, const char *path)
{
	struct path_part part;

	p = put_key(p, "cgroup", path, strlen(path));
	if (cgroup_path_unit(path, &part))
		p = put_key(p, "unit", part.start, part.length);
	if (cgroup_path_container(path, &part))
		p = put_key(p, "container_id", part.start, part.length);
	return p;
}

static int name_render(struct name *name)
{
	char json[NAMES_JSON_MAX], *end;

	end = name->source == names_of_cgroup_id ?
		      put_cgroup(json, name->text) :
		      put_key(json, "netns_name", name->text, strlen(name->text));
	name->json = malloc((size_t)(end - json));
	if (!name->json)
		return -ENOMEM;
	name->json_length = (uint32_t)(end - json);
	memcpy(name->json, json, name->json_length);
	return 0;
}

/* ---- cgroups ---- */

static void on_cgroup(void *context, uint64_t id, const char *path)
{
	struct names *names = context;
	struct name *name;

	if (strlen(path) > NAME_TEXT_MAX)
		return;
	name = name_find(names, names_of_cgroup_id, id) ?:
		       name_add(names, names_of_cgroup_id, id, true);
	if (name)
		name_set(names, name, path);
}

/* A whole walk is over: who has not been found may be looked for once more, or is gone. */
static void on_walked(struct names *names)
{
	for (size_t i = 0; i < 1 << SET_BITS && names->wanted; i++) {
		for (unsigned int k = 0; k < WAYS; k++) {
			struct name *name = &names->names[i][k];

			if (name->tries && !--name->tries)
				names->wanted--;
		}
	}
}

static void walk_step(struct names *names, uint64_t now_ns, unsigned int budget)
{
	uint64_t pause_ns = WALK_PAUSE_NS;

	if (!names->walk.depth) {
		names->walk_spent_ns = 0;
		if (cgroup_walk_begin(&names->walk, names->cgroup_root) < 0) {
			names->walk_next_ns = now_ns + NSEC_PER_SEC;
			return;
		}
	}
	if (!cgroup_walk_go_on(&names->walk, budget, on_cgroup, names))
		on_walked(names);
	names->walk_spent_ns += clock_boot_ns() - now_ns;
	if (!names->walk.depth && WALK_SHARE * names->walk_spent_ns > pause_ns)
		pause_ns = WALK_SHARE * names->walk_spent_ns;
	names->walk_next_ns = clock_boot_ns() + pause_ns;
}

/* ---- network namespaces ---- */

static void netns_found(struct names *names, const char *entry)
{
	char path[PATH_MAX];
	struct statfs system;
	struct stat status;
	struct name *name;

	snprintf(path, sizeof(path), "%s/%s", names->netns_directory, entry);
	if (statfs(path, &system) < 0 || system.f_type != NSFS_MAGIC || stat(path, &status) < 0)
		return;
	name = name_find(names, names_of_netns, status.st_ino) ?:
		       name_add(names, names_of_netns, status.st_ino, true);
	if (!name || name->scan == names->scan) /* of several names, the first in order */
		return;
	if (name_set(names, name, entry) == 0)
		name->scan = names->scan;
}

static void netns_scan(struct names *names)
{
	struct dirent **entries;
	int count = scandir(names->netns_directory, &entries, NULL, alphasort);

	names->scan++;
	for (int i = 0; i < count; i++) {
		if (i < NETNS_MAX && entries[i]->d_name[0] != '.')
			netns_found(names, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	/* a namespace's number is used again: who is not there any more has no name */
	for (size_t i = 0; i < 1 << SET_BITS; i++) {
		for (unsigned int k = 0; k < WAYS; k++) {
			struct name *name = &names->names[i][k];

			if (name->in_use && name->source == names_of_netns &&
			    name->scan != names->scan)
				name_set(names, name, NULL);
		}
	}
}

static void netns_look(struct names *names)
{
	struct stat status = {};

	stat(names->netns_directory, &status); /* zeros where there is none */
	if (status.st_mtim.tv_sec != names->netns_changed.tv_sec ||
	    status.st_mtim.tv_nsec != names->netns_changed.tv_nsec) {
		names->netns_changed = status.st_mtim;
		names->netns_again = 3;
	}
	if (names->netns_again) {
		names->netns_again--;
		netns_scan(names);
	}
}

/* ---- the whole ---- */

int names_new(const struct names_config *config, struct names **ret_names)
{
	_cleanup_(names_freep) struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	names->cgroup_root = strdup(config->cgroup_root ?: "");
	names->netns_directory = strdup(config->netns_directory ?: "");
	if (!names->cgroup_root || !names->netns_directory)
		return -ENOMEM;
	if (names->cgroup_root[0])
		walk_step(names, clock_boot_ns(), WALK_FIRST);
	names_refresh(names, clock_boot_ns());
	*ret_names = names;
	names = NULL;
	return 0;
}

void names_clear(struct names *names)
{
	for (size_t i = 0; i < 1 << SET_BITS; i++)
		for (unsigned int k = 0; k < WAYS; k++)
			if (names->names[i][k].in_use)
				name_drop(names, &names->names[i][k]);
}

void names_free(struct names *names)
{
	if (!names)
		return;
	names_clear(names);
	cgroup_walk_end(&names->walk);
	free(names->cgroup_root);
	free(names->netns_directory);
	free(names);
}

static struct name *name_want(struct names *names, enum name_source source, uint64_t id)
{
	struct name *name = name_add(names, source, id, false);

	if (source != names_of_cgroup_id || !names->cgroup_root[0])
		return name;
	name->used = ++names->lookups;
	name->tries = WALK_TRIES + !!names->walk.depth; /* that walk may have been there already */
	names->wanted++;
	if (clock_boot_ns() >= names->walk_next_ns)
		walk_step(names, clock_boot_ns(), WALK_STEP);
	return name;
}

/* For somebody who is told what is there. */
static struct name *name_answer(struct names *names, enum name_source source, uint64_t id)
{
	struct name *name = name_find(names, source, id) ?: name_want(names, source, id);

	name->used = ++names->lookups;
	name->answered = true;
	return name;
}

char *names_put(struct names *names, enum name_source source, uint64_t id, char *p)
{
	struct name *name = name_answer(names, source, id);

	if (name->text && !name->json && name_render(name) < 0)
		return p;
	return name->json ? mempcpy(p, name->json, name->json_length) : p;
}

/* First all are looked for, which may find others, and then they are read. */
void names_of(struct names *names, const struct event *event, const char *ret_texts[name_sources])
{
	const struct name *found[name_sources] = {};
	uint64_t id;

	for (enum name_source source = 0; source < name_sources; source++)
		if (event_named_number(event, source, &id))
			found[source] = name_answer(names, source, id);
	for (enum name_source source = 0; source < name_sources; source++)
		ret_texts[source] = found[source] ? found[source]->text : NULL;
}

bool names_changed(struct names *names)
{
	bool changed = names->changed;

	names->changed = false;
	return changed;
}

bool names_refresh(struct names *names, uint64_t now_ns)
{
	if (names->netns_directory[0] && now_ns >= names->netns_next_ns) {
		netns_look(names);
		names->netns_next_ns = now_ns + NETNS_INTERVAL_NS;
	}
	if ((names->wanted || names->walk.depth) && now_ns >= names->walk_next_ns)
		walk_step(names, now_ns, WALK_STEP);
	return names_changed(names);
}

int names_feed(struct names *names, enum name_source source, uint64_t id, const char *text)
{
	struct name *name;

	if (text && strlen(text) > NAME_TEXT_MAX)
		return -E2BIG;
	name = name_find(names, source, id) ?: name_add(names, source, id, false);
	name->used = ++names->lookups; /* it will be asked for next */
	return name_set(names, name, text && *text ? text : NULL);
}
