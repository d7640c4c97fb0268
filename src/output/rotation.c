// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/rotation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "base/util.h"
#include "output/path.h"

#define DIGITS_MAX 15 /* such a number is exact in any JSON reader: 10^15 < 2^53 */
#define NUMBER_MAX 999999999999999ULL
#define ROTATED_MAX (NAME_MAX + 24) /* bytes of a rotated file's name */

/* The directory of PATH, read once, and how names of rotated files begin in it. */
struct rotation {
	DIR *directory;
	char prefix[NAME_MAX + 2];
};

static void rotation_close(struct rotation *rotation)
{
	if (rotation->directory)
		closedir(rotation->directory);
}

bool rotation_fits(const char *path)
{
	_Static_assert(NAME_MAX - DIGITS_MAX - 1 == 239, "it is told");
	return strlen(path_name(path)) <= NAME_MAX - DIGITS_MAX - 1;
}

static int rotation_open(struct rotation *rotation, const char *path)
{
	const char *name = path_name(path);
	char directory[PATH_MAX];

	if (strlen(path) >= sizeof(directory) || !rotation_fits(path))
		return -ENAMETOOLONG;
	snprintf(directory, sizeof(directory), "%.*s", name != path ? (int)(name - path) : 1,
		 name != path ? path : ".");
	snprintf(rotation->prefix, sizeof(rotation->prefix), "%s.", name);
	rotation->directory = opendir(directory);
	return rotation->directory ? 0 : -errno;
}

/* The next number, 0 at the end; *ret_rest is the name behind it, "" of a rotated file's own. */
static uint64_t rotation_next(struct rotation *rotation, const char **ret_rest)
{
	const size_t length = strlen(rotation->prefix);
	const struct dirent *entry;

	while ((entry = readdir(rotation->directory))) {
		const char *digits = entry->d_name + length;
		size_t count;

		if (strncmp(entry->d_name, rotation->prefix, length) != 0 || *digits == '0')
			continue;
		count = strspn(digits, "0123456789");
		*ret_rest = digits + count;
		if (count && count <= DIGITS_MAX && (!**ret_rest || **ret_rest == '.'))
			return strtoull(digits, NULL, 10);
	}
	return 0;
}

static int rotation_greatest(const char *path, uint64_t *greatest)
{
	_cleanup_(rotation_close) struct rotation rotation = {};
	int r = rotation_open(&rotation, path);
	const char *rest;
	uint64_t number;

	if (r < 0)
		return r;
	while ((number = rotation_next(&rotation, &rest)))
		if (number > *greatest)
			*greatest = number;
	return 0;
}

int rotation_check(const char *path)
{
	_cleanup_(rotation_close) struct rotation rotation = {};
	int r = rotation_open(&rotation, path);

	if (r < 0)
		return r;
	return faccessat(dirfd(rotation.directory), ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* -EEXIST: there is something of that name. */
static int move_to(const char *path, uint64_t number)
{
	char to[PATH_MAX];
	struct stat status;

	if (snprintf(to, sizeof(to), "%s.%llu", path, (unsigned long long)number) >=
	    (int)sizeof(to))
		return -ENAMETOOLONG;
	if (renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* the file system has no such flag */
	if (lstat(to, &status) == 0)
		return -EEXIST;
	return rename(path, to) < 0 ? -errno : 0;
}

int rotation_move(const char *path, uint64_t *last)
{
	uint64_t number = *last;
	int r = rotation_greatest(path, &number);

	if (r < 0)
		return r;
	do
		r = ++number > NUMBER_MAX ? -EOVERFLOW : move_to(path, number);
	while (r == -EEXIST); /* somebody was faster */
	if (r == 0)
		*last = number;
	return r;
}

/* ---- the oldest ---- */

struct numbers {
	uint64_t *of;
	size_t count, room;
};

static void numbers_free(struct numbers *numbers)
{
	free(numbers->of);
}

static int numbers_add(struct numbers *numbers, uint64_t number)
{
	if (numbers->count == numbers->room) {
		size_t room = numbers->room ? 2 * numbers->room : 16;
		uint64_t *of = reallocarray(numbers->of, room, sizeof(*of));

		if (!of)
			return -ENOMEM;
		numbers->of = of;
		numbers->room = room;
	}
	numbers->of[numbers->count++] = number;
	return 0;
}

static int number_compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static const char *name_of(const struct rotation *rotation, uint64_t number, char name[ROTATED_MAX])
{
	snprintf(name, ROTATED_MAX, "%s%llu", rotation->prefix, (unsigned long long)number);
	return name;
}

static bool status_of(const struct rotation *rotation, uint64_t number, struct stat *ret_status)
{
	char name[ROTATED_MAX];

	return fstatat(dirfd(rotation->directory), name_of(rotation, number, name), ret_status,
		       AT_SYMLINK_NOFOLLOW) == 0;
}

static int prune(struct rotation *rotation, uid_t owner, unsigned int keep, struct numbers *numbers)
{
	char name[ROTATED_MAX];
	struct stat status;
	const char *rest;
	uint64_t number;

	while ((number = rotation_next(rotation, &rest)))
		if (!*rest && status_of(rotation, number, &status) && S_ISREG(status.st_mode) &&
		    status.st_uid == owner && numbers_add(numbers, number) < 0)
			return -ENOMEM;
	if (numbers->count <= keep)
		return 0;
	qsort(numbers->of, numbers->count, sizeof(*numbers->of), number_compare);
	for (size_t i = 0; i < numbers->count - keep; i++)
		if (unlinkat(dirfd(rotation->directory), name_of(rotation, numbers->of[i], name),
			     0) < 0 &&
		    errno != ENOENT)
			return -errno;
	return 0;
}

int rotation_prune(const char *path, uid_t owner, unsigned int keep)
{
	_cleanup_(rotation_close) struct rotation rotation = {};
	_cleanup_(numbers_free) struct numbers numbers = {};
	int r = rotation_open(&rotation, path);

	return r ?: prune(&rotation, owner, keep, &numbers);
}

bool rotation_has(const char *path, const struct stat *file)
{
	_cleanup_(rotation_close) struct rotation rotation = {};
	struct stat status;
	const char *rest;
	uint64_t number;

	if (rotation_open(&rotation, path) < 0)
		return false;
	while ((number = rotation_next(&rotation, &rest)))
		if (!*rest && status_of(&rotation, number, &status) && same_file(&status, file))
			return true;
	return false;
}
