/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * programs.h - the BPF programs that a process holds.
 */
#ifndef NETLOG_PROGRAMS_H
#define NETLOG_PROGRAMS_H

#include <dirent.h>
#include <linux/bpf.h>

#include "tool.h"

/* The number behind `key` in an open file's fdinfo; 0: it has none. */
static inline __u32 fdinfo_number(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	char line[256];
	__u32 number = 0;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			number = (__u32)strtoul(line + strlen(key), NULL, 10);
	if (file)
		fclose(file);
	return number;
}

/* Call it with the id of each program; there must be one. A link's fdinfo has no program's type. */
static inline void programs_of(const char *pid, void (*each)(void *context, __u32 id),
			       void *context)
{
	char directory[64], path[512];
	const struct dirent *entry;
	int any = 0;
	DIR *list;

	snprintf(directory, sizeof(directory), "/proc/%s/fdinfo", pid);
	list = opendir(directory);
	if (!list)
		fail(directory);
	while ((entry = readdir(list))) {
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (!fdinfo_number(path, "prog_type:"))
			continue;
		each(context, fdinfo_number(path, "prog_id:"));
		any = 1;
	}
	closedir(list);
	if (!any) {
		errno = ENOENT;
		fail("programs");
	}
}

#endif
