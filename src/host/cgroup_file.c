// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/cgroup_file.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "host/namespace.h"
#include "host/proc.h"

static const char systemd[] = "name=systemd";
/* A hierarchy may have several; runtimes make a cgroup for each container in all of these. */
static const char *const container_controllers[] = { "memory", "pids",	  "cpu",    "cpuacct",
						     "blkio",  "devices", "freezer" };

/* A line, with its newline if it has one. */
struct line {
	struct text_part whole; /* without the newline */
	struct text_part controllers;
	struct text_part path;
};

/* The line at *text, which is moved to the next. False: there is none. A text without two colons
 * gives an empty line. */
static bool line_next(const char **text, struct line *ret_line)
{
	const char *start = *text, *end = strchrnul(start, '\n');
	const char *first = memchr(start, ':', (size_t)(end - start));
	const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;

	if (!*start)
		return false;
	*text = *end ? end + 1 : end;
	*ret_line = (struct line){};
	if (!second || second[1] != '/')
		return true;
	*ret_line = (struct line){
		.whole = { start, (size_t)(end - start) },
		.controllers = { first + 1, (size_t)(second - first - 1) },
		.path = { second + 1, (size_t)(end - second - 1) },
	};
	return true;
}

static bool line_has(const struct line *line, const char *controller)
{
	const size_t wanted = strlen(controller);
	const char *end = line->controllers.start + line->controllers.length;

	for (const char *item = line->controllers.start; item < end;) {
		const char *comma = memchr(item, ',', (size_t)(end - item)) ?: end;

		if ((size_t)(comma - item) == wanted && !memcmp(item, controller, wanted))
			return true;
		item = comma + 1;
	}
	return false;
}

static bool line_is_v1(const struct line *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(container_controllers); i++)
		if (line_has(line, container_controllers[i]))
			return true;
	return line_has(line, systemd);
}

/* Of version 2: it has no controllers. */
static bool line_is_v2(const struct line *line)
{
	return line->path.length && !line->controllers.length;
}

/* The root says nothing: who is there has not been put anywhere. */
static bool line_tells(const struct line *line)
{
	return line->path.length > 1;
}

/* A path as a text of its own. False: it is longer than any that is told. */
static bool path_copy(const struct line *line, char path[PATH_MAX])
{
	if (line->path.length >= PATH_MAX)
		return false;
	memcpy(path, line->path.start, line->path.length);
	path[line->path.length] = 0;
	return true;
}

/* Looks for a part of the line's path, and returns where it is in the line; length 0: nowhere. */
static struct text_part line_part(const struct line *line,
				  bool (*find)(const char *path, struct text_part *ret_part))
{
	char path[PATH_MAX];
	struct text_part part = {};

	if (!line->path.length || !path_copy(line, path) || !find(path, &part))
		return (struct text_part){};
	part.start = line->path.start + (part.start - path);
	return part;
}

/* ---- which lines tell ---- */

/* Lines that are not there, or do not tell, are empty. */
struct telling_lines {
	struct line unit, container;
};

static struct telling_lines telling_lines(const char *text)
{
	struct telling_lines telling = {};
	struct line line, v2 = {};

	while (line_next(&text, &line)) {
		if (!line_tells(&line))
			continue;
		if (line_is_v2(&line))
			v2 = line;
		if (line_has(&line, systemd))
			telling.unit = line;
		if (line_is_v1(&line) && !telling.container.path.length &&
		    line_part(&line, cgroup_path_container).length)
			telling.container = line;
	}
	if (line_part(&telling.unit, cgroup_path_container).length)
		telling.container = telling.unit; /* one line is enough */
	/* of hosts of both versions, whom version 1 has not put anywhere */
	if (!telling.unit.path.length)
		telling.unit = v2;
	if (!telling.container.path.length)
		telling.container = telling.unit;
	return telling;
}

bool cgroup_file_has_v1(const char *text)
{
	struct line line;

	while (line_next(&text, &line))
		if (line_is_v1(&line))
			return true;
	return false;
}

/* 0: it is empty, or longer. */
static size_t line_keep(const struct text_part *line, char *ret_kept, size_t size)
{
	if (!line->length || line->length >= size)
		return 0;
	return (size_t)snprintf(ret_kept, size, "%.*s", (int)line->length, line->start);
}

size_t cgroup_file_keep(const char *text, char *ret_kept, size_t size)
{
	const struct telling_lines telling = telling_lines(text);
	const struct text_part *unit = &telling.unit.whole, *container = &telling.container.whole;

	if (unit->length && container->length && unit->start != container->start &&
	    unit->length + 1 + container->length < size)
		return (size_t)snprintf(ret_kept, size, "%.*s\n%.*s", (int)unit->length,
					unit->start, (int)container->length, container->start);
	return line_keep(container, ret_kept, size) ?: line_keep(unit, ret_kept, size);
}

bool cgroup_file_unit_path(const char *text, char *ret_path, size_t size)
{
	const struct telling_lines telling = telling_lines(text);
	const struct text_part *path = &telling.unit.path;

	if (!path->length || path->length >= size)
		return false;
	snprintf(ret_path, size, "%.*s", (int)path->length, path->start);
	return true;
}

struct cgroup_file_parts cgroup_file_parts(const char *text)
{
	const struct telling_lines telling = telling_lines(text);
	struct cgroup_file_parts parts = {
		.unit = line_part(&telling.unit, cgroup_path_unit),
		.container = line_part(&telling.container, cgroup_path_container),
	};
	char path[PATH_MAX];

	if (telling.container.path.length && path_copy(&telling.container, path))
		cgroup_path_pod(path, parts.pod_uid);
	return parts;
}

static bool is_in_use(void)
{
	char text[8192];
	ssize_t length = proc_read(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text) - 1);

	if (length < 0)
		return false;
	text[length] = 0;
	return cgroup_file_has_v1(text);
}

/* Of a thread without capabilities, which gets them back. */
static bool others_are_shown(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3] = {};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
	_cleanup_close_ int fd = -1;
	bool dropped;

	if (syscall(SYS_capget, &header, had) < 0)
		return false;
	memcpy(none, had, sizeof(none));
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		none[i].effective = 0;
	dropped = syscall(SYS_capset, &header, none) == 0;
	fd = open("/proc/1/cgroup", O_RDONLY | O_CLOEXEC);
	if (dropped)
		syscall(SYS_capset, &header, had);
	return fd >= 0;
}

enum cgroup_v1 cgroup_v1(void)
{
	static enum cgroup_v1 known;

	if (known == cgroup_v1_not_asked) {
		if (!is_in_use())
			known = cgroup_v1_absent;
		else if (namespace_is_first(namespace_pid) != 0 && others_are_shown())
			known = cgroup_v1_told;
		else
			known = cgroup_v1_hidden;
	}
	return known;
}
