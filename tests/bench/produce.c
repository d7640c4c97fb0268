// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * produce OBJECT PID EVENTS_A_SECOND MILLISECONDS - events into the ring of the netlog with that
 * pid, see produce.bpf.c. Prints how many there were and how long that took:
 *
 *   events N ns N
 *
 * produce empty OBJECT - have the empty program attached, until a signal ends it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CALL_NS 2000000ULL /* of the program at once; then the kernel may do other things */

static void fail(const char *what)
{
	fprintf(stderr, "produce: %s: %s\n", what, strerror(errno));
	exit(1);
}

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * 1000000000 + (__u64)ts.tv_nsec;
}

/* The id of the map that a descriptor is; 0 if it is none. */
static __u32 map_id_of(const char *pid, const char *fd)
{
	char path[300], line[128];
	__u32 id = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, fd);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "map_id: %u", &id);
	if (file)
		fclose(file);
	return id;
}

/* netlog's map instead of ours: the ring, and the memory of counters, settings and doorbell. */
static int map_replace(struct bpf_object *object, int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	struct bpf_map *map;

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		fail("a map of netlog");
	bpf_object__for_each_map(map, object) {
		const char *name = bpf_map__name(map);
		size_t length = strlen(info.name);

		if (info.type == BPF_MAP_TYPE_RINGBUF ?
			    bpf_map__type(map) != BPF_MAP_TYPE_RINGBUF :
			    length < 4 || strcmp(info.name + length - 4, ".bss") != 0 ||
				    !strstr(name, ".bss"))
			continue;
		/* linking appends, so ours begins as netlog's does, with something behind */
		if (info.type != BPF_MAP_TYPE_RINGBUF &&
		    info.value_size > bpf_map__value_size(map)) {
			fprintf(stderr, "produce: netlog's memory is laid out in another way\n");
			exit(1);
		}
		bpf_map__set_autocreate(map, true);
		if (bpf_map__reuse_fd(map, fd) < 0)
			fail(name);
		return 1;
	}
	return 0;
}

static void maps_replace(struct bpf_object *object, const char *pid)
{
	char path[64];
	struct dirent *entry;
	int replaced = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	directory = opendir(path);
	if (!directory)
		fail(path);
	while ((entry = readdir(directory))) {
		__u32 id = map_id_of(pid, entry->d_name);
		int fd = id ? bpf_map_get_fd_by_id(id) : -1;

		if (fd >= 0)
			replaced += map_replace(object, fd);
	}
	closedir(directory);
	if (replaced != 2) {
		fprintf(stderr, "produce: %d of 2 maps of netlog (pid %s) found\n", replaced, pid);
		exit(1);
	}
}

/* The object with this one of its programs, and no maps. */
static struct bpf_object *object_open(const char *path, const char *name)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	struct bpf_map *map;

	if (!object)
		fail(path);
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), name));
	bpf_object__for_each_map(map, object)
		if (!strstr(bpf_map__name(map), ".rodata"))
			bpf_map__set_autocreate(map, false);
	return object;
}

static int producer_load(const char *path, const char *pid)
{
	struct bpf_object *object = object_open(path, "produce");

	maps_replace(object, pid);
	if (bpf_object__load(object) < 0)
		fail("loading");
	return bpf_program__fd(bpf_object__find_program_by_name(object, "produce"));
}

static int empty_run(const char *path)
{
	struct bpf_object *object = object_open(path, "nothing");

	if (bpf_object__load(object) < 0 ||
	    !bpf_program__attach(bpf_object__find_program_by_name(object, "nothing")))
		fail("the empty program");
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	__u64 rate, ms, count = 0, begin, end, last;
	int fd;

	if (argc == 3 && !strcmp(argv[1], "empty"))
		return empty_run(argv[2]);
	if (argc != 5) {
		fprintf(stderr, "usage: produce OBJECT PID EVENTS_A_SECOND MILLISECONDS\n"
				"       produce empty OBJECT\n");
		return 2;
	}
	rate = strtoull(argv[3], NULL, 10);
	ms = strtoull(argv[4], NULL, 10);
	fd = producer_load(argv[1], argv[2]);
	begin = now_ns();
	end = begin + ms * 1000000;
	while ((last = now_ns()) < end) {
		__u64 args[4] = { begin, last + CALL_NS < end ? last + CALL_NS : end,
				  16000000000ULL / rate, count };
		LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = args, .ctx_size_in = sizeof(args));

		if (bpf_prog_test_run_opts(fd, &run) < 0)
			fail("running");
		count += run.retval;
	}
	printf("events %llu ns %llu\n", (unsigned long long)count,
	       (unsigned long long)(now_ns() - begin));
	return 0;
}
