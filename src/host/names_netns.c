// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * names_netns.c - names of network namespaces: the files that ip-netns(8) keeps in a directory. All
 * are looked at again whenever the directory has changed, by a thread; and at once, for the kernel
 * gives the number of a namespace that has gone to the next one that is made.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "host/look.h"
#include "host/names.h"

#define ENTRIES_MAX 4096 /* files looked at */

/*
 * From one look to the next after a change, of which the last shows what there is to last:
 * ip-netns(8) makes the file before it mounts on it.
 */
static const uint64_t pauses_ns[] = { 0, 20 * NSEC_PER_MSEC, NSEC_PER_SEC, NSEC_PER_SEC };

struct namespaces {
	struct names_source source;
	struct look look;
	bool asked;		 /* once: the first time, nothing waits for us */
	struct timespec changed; /* of the directory, its last change */
	unsigned int looks;	 /* at it as it is, besides those that failed */
	uint64_t next_ns;	 /* not before that */
	char directory[];
};

static void entry_look(const struct namespaces *namespaces, const char *entry, names_found *found,
		       void *context)
{
	char path[PATH_MAX];
	struct statfs system;
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", namespaces->directory, entry);
	if (statfs(path, &system) == 0 && system.f_type == NSFS_MAGIC && stat(path, &status) == 0)
		found(context, status.st_ino, entry);
}

/*
 * In alphabetical order, since the first of several names for a namespace counts. No directory: no
 * names. An error of scandir(3): there may be names.
 */
static int directory_look(const struct namespaces *namespaces, names_found *found, void *context)
{
	struct dirent **entries;
	int count = scandir(namespaces->directory, &entries, NULL, alphasort);

	if (count < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		if (i < ENTRIES_MAX && entries[i]->d_name[0] != '.')
			entry_look(namespaces, entries[i]->d_name, found, context);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static void entry_keep(void *context, uint64_t id, const char *name)
{
	look_add(context, id, name);
}

static void look_run(struct look *look)
{
	int r = directory_look(look->context, entry_keep, look);

	if (r < 0)
		look->error = r;
}

/* Is it time to look? A look costs little where nothing has changed. */
static bool look_is_wanted(struct namespaces *namespaces, uint64_t now_ns)
{
	struct stat status = {};

	stat(namespaces->directory, &status); /* zeros where there is none */
	if (status.st_mtim.tv_sec != namespaces->changed.tv_sec ||
	    status.st_mtim.tv_nsec != namespaces->changed.tv_nsec) {
		namespaces->changed = status.st_mtim;
		namespaces->looks = 0;
		namespaces->next_ns = 0;
	}
	return namespaces->looks < ARRAY_SIZE(pauses_ns) && now_ns >= namespaces->next_ns &&
	       look_is_due(&namespaces->look, now_ns);
}

/* One is over, without an error. */
static void look_count(struct namespaces *namespaces, uint64_t now_ns)
{
	if (++namespaces->looks < ARRAY_SIZE(pauses_ns))
		namespaces->next_ns = now_ns + pauses_ns[namespaces->looks];
}

static bool netns_look(struct names_source *source, uint64_t now_ns, const uint64_t *id,
		       names_found *found, void *context)
{
	struct namespaces *namespaces = (struct namespaces *)source;
	const bool first = !namespaces->asked;

	namespaces->asked = true;
	if (!source->midway) {
		/* a look finds all, so it is not needed for a single number */
		if (id || !look_is_wanted(namespaces, now_ns))
			return false;
		if (first) {
			if (directory_look(namespaces, found, context) < 0)
				return false;
			look_count(namespaces, now_ns);
			return true;
		}
		if (look_begin(&namespaces->look, look_run, namespaces, NULL, 0, now_ns) < 0)
			return false;
		source->midway = true;
		look_wait(&namespaces->look);
	}
	source->midway = !look_take(&namespaces->look, now_ns, found, context);
	if (source->midway || namespaces->look.error)
		return false;
	look_count(namespaces, now_ns);
	return true;
}

static void netns_free(struct names_source *source)
{
	look_end(&((struct namespaces *)source)->look);
	free(source);
}

int names_netns_new(const char *directory, struct names_source **ret_source)
{
	struct namespaces *namespaces = calloc(1, sizeof(*namespaces) + strlen(directory) + 1);

	if (!namespaces)
		return -ENOMEM;
	strcpy(namespaces->directory, directory);
	namespaces->source = (struct names_source){
		.look = directory[0] ? netns_look : NULL,
		.free = netns_free,
	};
	*ret_source = &namespaces->source;
	return 0;
}
