// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Searches for units, in made trees of directories: what differs from cgroups is nothing that a
 * search looks at.
 */
#include "host/cgroup_search.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/util.h"
#include "test.h"

#define OTHERS_MAX 50

static char root[64];

static void tree_make(void)
{
	strcpy(root, "/tmp/netlog-search-XXXXXX");
	CHECK(mkdtemp(root));
}

static void tree_remove(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	CHECK_EQUAL(system(command), 0);
}

/* A directory in the tree. One that others may write to is a user's. */
static void add(const char *path, mode_t mode)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	CHECK_SAYING(mkdir(whole, mode) == 0 && chmod(whole, mode) == 0, "%s", whole);
}

struct heard {
	unsigned int of_root, others;
	char paths[1024];
};

static bool wanted(void *context _unused_, const char *directory)
{
	return !strcmp(directory, "web.service") || !strcmp(directory, "user@1.service");
}

static void found(void *context, const char *directory _unused_, const struct cgroup_found *cgroup,
		  const char *path, bool of_root)
{
	struct heard *heard = context;
	char whole[512];
	struct stat status;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	CHECK(stat(whole, &status) == 0 && cgroup->id == status.st_ino);
	if (of_root)
		heard->of_root++;
	else
		heard->others++;
	if (strlen(heard->paths) + strlen(path) + 2 < sizeof(heard->paths))
		strcat(strcat(heard->paths, path), "\n");
}

static struct heard search_made(int inotify, unsigned int others_max, int *ret_error)
{
	struct heard heard = {};
	const struct cgroup_search search = {
		.wanted = wanted,
		.found = found,
		.context = &heard,
		.inotify = inotify,
		.root = root,
		.owner = geteuid(),
		.others_max = others_max,
	};

	*ret_error = cgroup_search(&search);
	return heard;
}

TEST(who_can_have_made_a_cgroup_is_told_by_what_is_above_it)
{
	struct heard heard;
	int r;

	tree_make();
	add("system.slice", 0755);
	add("system.slice/web.service", 0755);
	add("user.slice", 0755);
	add("user.slice/user@1.service", 0775); /* the user's, but made by root */
	add("user.slice/user@1.service/web.service", 0755);
	add("user.slice/user@1.service/deep", 0755);
	add("user.slice/user@1.service/deep/web.service", 0755);
	heard = search_made(-1, 0, &r);
	CHECK_EQUAL(r, 0);
	CHECK_EQUAL(heard.of_root, 2);
	CHECK_EQUAL(heard.others, 2);
	CHECK(strstr(heard.paths, "/user.slice/user@1.service/deep/web.service\n"));
	tree_remove();
}

TEST(a_cgroup_below_another_of_its_name_belongs_to_that)
{
	struct heard heard;
	int r;

	tree_make();
	add("web.service", 0755);
	add("web.service/web.service", 0755);
	add("web.service/user@1.service", 0755);
	heard = search_made(-1, 0, &r);
	CHECK_EQUAL(heard.of_root, 2);
	CHECK(!strstr(heard.paths, "/web.service/web.service\n"));
	tree_remove();
}

/* A user makes as many as he likes: they are not all looked at, and the system's are all the same. */
TEST(very_many_of_a_user_hide_none_of_the_system)
{
	struct heard heard;
	char path[64];
	int r;

	tree_make();
	add("a", 0777);
	for (unsigned int i = 0; i < OTHERS_MAX + 100; i++) {
		snprintf(path, sizeof(path), "a/%u", i);
		add(path, 0755);
	}
	add("z", 0755);
	add("z/web.service", 0755);
	heard = search_made(-1, OTHERS_MAX, &r);
	CHECK_EQUAL(r, -E2BIG);
	CHECK_EQUAL(heard.of_root, 1);
	tree_remove();
}

/* A user's slices, as many as he likes, do not use up what may be watched. */
TEST(very_many_slices_of_a_user_are_not_all_watched)
{
	int r, inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char path[64], event[4096];

	CHECK(inotify >= 0);
	tree_make();
	add("a", 0777);
	for (unsigned int i = 0; i < SEARCH_WATCHES_OTHERS + 10; i++) {
		snprintf(path, sizeof(path), "a/%u.slice", i);
		add(path, 0777);
	}
	add("z.slice", 0755);
	search_made(inotify, 0, &r);
	CHECK_EQUAL(r, 0);
	for (unsigned int i = 0; i < SEARCH_WATCHES_OTHERS + 10; i++) {
		snprintf(path, sizeof(path), "a/%u.slice/web.service", i);
		add(path, 0755);
	}
	r = 0;
	for (ssize_t n; (n = read(inotify, event, sizeof(event))) > 0;)
		for (ssize_t at = 0; at < n; r++)
			at += (ssize_t)sizeof(struct inotify_event) +
			      ((struct inotify_event *)(void *)(event + at))->len;
	CHECK_EQUAL(r, SEARCH_WATCHES_OTHERS);
	add("z.slice/web.service", 0755);
	CHECK(read(inotify, event, sizeof(event)) > 0);
	tree_remove();
	close(inotify);
}
