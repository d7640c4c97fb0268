// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel/object.h"

#include <errno.h>
#include <stdarg.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "bpf/config.h"
#include "kernel/iterator.h"
#include "netlog.skel.h"

#define SOCKETS_REMEMBERED 65536 /* where they cannot remember by themselves: bpf/memory.bpf.h */

/* ---- what libbpf says ---- */

char libbpf_words[512];
static bool libbpf_aloud; /* NETLOG_DEBUG=libbpf: all it says goes to stderr, too */

static int keep_words(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (libbpf_aloud) {
		va_list same;

		va_copy(same, arguments);
		vfprintf(stderr, format, same);
		va_end(same);
	}
	if (level == LIBBPF_WARN && !libbpf_words[0])
		vsnprintf(libbpf_words, sizeof(libbpf_words), format, arguments);
	return 0;
}

void ladder_keep_words(void)
{
	const char *debug = secure_getenv("NETLOG_DEBUG");

	libbpf_aloud = debug && !strcmp(debug, "libbpf");
	libbpf_set_print(keep_words);
}

/* ---- opening ---- */

struct bpf_program *program_of(const struct netlog_bpf *skeleton, const struct probe_hook *hook)
{
	return bpf_object__find_program_by_name(skeleton->obj, hook->desc->program);
}

struct bpf_program *ladder_program(const struct ladder *ladder, const struct probe_hook *hook)
{
	return program_of(ladder->skeleton, hook);
}

struct netlog_bpf *object_open(struct ladder *ladder, const struct probe_hook *only,
			       size_t ring_bytes)
{
	struct netlog_bpf *skeleton = netlog_bpf__open();
	struct bpf_program *program;
	struct bpf_map *map;

	if (!skeleton)
		return NULL;
	bpf_object__for_each_program(program, skeleton->obj)
		bpf_program__set_autoload(program, false);
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];

		program = program_of(skeleton, hook);
		if (!program) { /* a test compares the schema's hooks with the programs built */
			netlog_bpf__destroy(skeleton);
			errno = ENOENT;
			return NULL;
		}
		bpf_program__set_autoload(program, only ? only == hook : hook_in_use(ladder, hook));
	}
	skeleton->rodata->config.tick_ns = ladder->config.tick_ns;
	skeleton->rodata->config.no_sk_storage = ladder->no_sk_storage;
	skeleton->rodata->config.no_cookie = ladder->no_cookie;
	skeleton->rodata->config.no_task_btf = ladder->no_task_btf;
	skeleton->rodata->config.no_loads = ladder->caution != NULL;
	skeleton->rodata->config.no_filter =
		ladder->config.filter_fixed && !ladder->config.settings->filters.filter.active;
	skeleton->rodata->config.ring_sixteenth_bits = (__u32)__builtin_ctzll(ring_bytes) - 4;
	bpf_map__set_max_entries(skeleton->maps.ring, (__u32)ring_bytes);
	bpf_object__for_each_map(map, skeleton->obj)
		if (ladder->no_sk_storage && bpf_map__type(map) == BPF_MAP_TYPE_LRU_HASH)
			bpf_map__set_max_entries(map, SOCKETS_REMEMBERED);
	return skeleton;
}

/* ---- attaching ---- */

void ladder_detach(struct ladder *ladder)
{
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		bpf_link__destroy(ladder->links[i]);
		ladder->links[i] = NULL;
	}
}

bool ladder_attach(struct ladder *ladder)
{
	bool all = true;

	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];

		if (!hook_at_work(hook))
			continue;
		libbpf_words[0] = 0;
		ladder->links[i] = bpf_program__attach(ladder_program(ladder, hook));
		if (ladder->links[i])
			continue;
		hook_fail(hook, -errno, libbpf_words);
		all = false;
	}
	if (!all)
		ladder_detach(ladder);
	return all;
}

void ladder_iterate(struct ladder *ladder)
{
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];
		int r;

		if (!ladder->links[i] || strncmp(hook->section, "iter/", strlen("iter/")) != 0)
			continue;
		r = iterator_run(ladder->links[i]);
		bpf_link__destroy(ladder->links[i]);
		ladder->links[i] = NULL;
		if (r < 0)
			hook_fail(hook, r, NULL);
	}
}

void ladder_done(struct ladder *ladder)
{
	ladder_detach(ladder);
	netlog_bpf__destroy(ladder->skeleton);
	for (unsigned int i = 0; i < ladder->hook_count; i++)
		free(ladder->hooks[i].reason);
}
