// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * names_process.c - cgroups of processes, where version 1 tells whose they are: what is kept of
 * /proc/PID/cgroup, read by a thread when a process is first met. It is known by when it began, so
 * that of one that has ended nothing is told, whoever has its pid then.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "host/cgroup_file.h"
#include "host/look.h"
#include "host/names.h"
#include "host/proc.h"

#define LOOK_TRIES 1	 /* a process that is not there has ended */
#define FILE_BYTES 16384 /* of a file in /proc: a dozen hierarchies, each with a long path */
#define STAT_BEGUN 22	 /* proc_pid_stat(5), the field's number */

struct processes {
	struct names_source source;
	struct look look;
	char root[]; /* where /proc is */
};

/* ---- reading ---- */

/* A whole file as a text. False: it cannot be read, or is longer. */
static bool file_read(int directory, const char *name, char text[FILE_BYTES])
{
	ssize_t length = proc_read(directory, name, text, FILE_BYTES);

	if (length < 0 || length == FILE_BYTES)
		return false;
	text[length] = 0;
	return true;
}

/* When it began, in ticks since boot; 0: unknown. The name, in brackets, may hold anything. */
static uint64_t stat_begun(const char *text)
{
	const char *p = strrchr(text, ')');
	unsigned int field = 2;

	for (; p && field < STAT_BEGUN; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

/*
 * Both files by one directory, which is the process's and of no later one with its pid: once the
 * process has ended, nothing can be read there.
 */
static void process_look(struct look *look, const char *root, uint64_t id)
{
	const uint64_t pid = id & (BIT(PROCESS_PID_BITS) - 1), begun = id >> PROCESS_PID_BITS;
	char path[PATH_MAX], text[FILE_BYTES], kept[NAME_TEXT_MAX + 1];
	_cleanup_close_ int directory = -1;

	if ((size_t)snprintf(path, sizeof(path), "%s/%u", root, (unsigned int)pid) >= sizeof(path))
		return;
	directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || !file_read(directory, "stat", text) || stat_begun(text) != begun ||
	    !file_read(directory, "cgroup", text))
		return;
	if (cgroup_file_keep(text, kept, sizeof(kept)))
		look_add(look, id, kept);
}

static void processes_read(struct look *look)
{
	const struct processes *processes = look->context;

	for (size_t i = 0; i < look->id_count && !look_is_stopped(look); i++)
		process_look(look, processes->root, look->ids[i]);
}

/* ---- the source ---- */

static bool process_source_look(struct names_source *source, uint64_t now_ns, const uint64_t *id,
				names_found *found, void *context)
{
	struct processes *processes = (struct processes *)source;

	return names_look(source, &processes->look, processes_read, now_ns, id, found, context);
}

/* As of a cgroup's path, in whose stead they are: see PROCESS_NAMES. */
static void process_parts(const char *text, char *room, struct text_part parts[NAME_KEYS_MAX])
{
	const struct cgroup_file_parts told = cgroup_file_parts(text);
	const size_t pod = strlen(told.pod_uid);

	if (told.unit.length <= name_source_descs[names_of_cgroup_id].keys[cgroup_unit].text_max)
		parts[cgroup_unit] = told.unit;
	parts[cgroup_container_id] = told.container;
	if (pod && pod <= strlen(text))
		parts[cgroup_pod_uid] = (struct text_part){ memcpy(room, told.pod_uid, pod), pod };
}

static void process_free(struct names_source *source)
{
	look_end(&((struct processes *)source)->look);
	free(source);
}

int names_process_new(const char *root, struct names_source **ret_source)
{
	struct processes *processes = calloc(1, sizeof(*processes) + strlen(root) + 1);

	if (!processes)
		return -ENOMEM;
	strcpy(processes->root, root);
	processes->source = (struct names_source){
		.look = root[0] ? process_source_look : NULL,
		.parts = process_parts,
		.free = process_free,
		.tries = root[0] ? LOOK_TRIES : 0,
		.lasting = true,
	};
	*ret_source = &processes->source;
	return 0;
}
