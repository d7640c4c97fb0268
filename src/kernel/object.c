// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel/object.h"

#include <errno.h>
#include <stdarg.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "kernel/feature.h"
#include "kernel/iterator.h"
#include "netlog.skel.h"

#define SOCKETS_REMEMBERED 65536 /* where they cannot remember by themselves: bpf/memory.bpf.h */
#define SOCKETS_CLOSING 16384	 /* where they can: those whose process has closed them */

/* ---- what libbpf says ---- */

char libbpf_words[512];
static bool libbpf_aloud; /* NETLOG_DEBUG=libbpf: all its messages go to stderr as well */

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

void libbpf_keep_words(void)
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

struct bpf_program *object_program(const struct object *object, const struct probe_hook *hook)
{
	return program_of(object->skeleton, hook);
}

struct netlog_bpf *object_open(const struct object *object, const struct probe_hook *only,
			       size_t ring_bytes)
{
	struct netlog_bpf *skeleton = netlog_bpf__open();
	struct bpf_program *program;
	bool by_address = object->lacks & FEATURE(sk_storage);

	if (!skeleton)
		return NULL;
	bpf_object__for_each_program(program, skeleton->obj)
		bpf_program__set_autoload(program, false);
	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		const struct probe_hook *hook = &object->ladder.hooks[i];
		bool used;

		program = program_of(skeleton, hook);
		if (!program) { /* a test compares the schema's hooks with the programs */
			netlog_bpf__destroy(skeleton);
			errno = ENOENT;
			return NULL;
		}
		used = only ? only == hook : hook_in_use(&object->ladder, hook);
		bpf_program__set_autoload(program, used);
		by_address |= used && bpf_program__type(program) == BPF_PROG_TYPE_RAW_TRACEPOINT;
	}
	skeleton->rodata->config.tick_ns = object->config.tick_ns;
	features_forgo((struct config *)&skeleton->rodata->config, object->lacks);
	skeleton->rodata->config.no_filter =
		object->config.filter_fixed && !object->config.settings->filters.filter.active;
	skeleton->rodata->config.no_output_filters =
		object->config.filter_fixed && !outputs_filter(object->config.outputs);
	skeleton->rodata->config.no_processes = !object->config.processes;
	if (!skeleton->rodata->config.no_output_filters)
		bpf_map__set_max_entries(skeleton->maps.output_filters, 2 * FILTER_OUTPUTS);
	skeleton->rodata->config.ring_sixteenth_bits = (__u32)__builtin_ctzll(ring_bytes) - 4;
	bpf_map__set_max_entries(skeleton->maps.ring, (__u32)ring_bytes);
	bpf_map__set_max_entries(skeleton->maps.sockets_by_address,
				 by_address ? SOCKETS_REMEMBERED : SOCKETS_CLOSING);
	return skeleton;
}

/* ---- attaching ---- */

void object_detach(struct object *object)
{
	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		bpf_link__destroy(object->links[i]);
		object->links[i] = NULL;
	}
}

bool object_attach(struct object *object)
{
	bool all = true;

	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		struct probe_hook *hook = &object->ladder.hooks[i];

		if (!hook_at_work(hook))
			continue;
		libbpf_words[0] = 0;
		object->links[i] = bpf_program__attach(object_program(object, hook));
		if (object->links[i])
			continue;
		hook_fail(hook, -errno, libbpf_words);
		all = false;
	}
	if (!all)
		object_detach(object);
	return all;
}

void object_iterate(struct object *object)
{
	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		struct probe_hook *hook = &object->ladder.hooks[i];
		int r;

		if (!object->links[i] || !hook->way->iterates)
			continue;
		r = iterator_run(object->links[i]);
		bpf_link__destroy(object->links[i]);
		object->links[i] = NULL;
		if (r < 0)
			hook_fail(hook, r, NULL);
	}
}

void object_init(struct object *object, const struct probe_config *config)
{
	*object = (struct object){ .config = *config };
	ladder_init(&object->ladder, config->settings);
	ladder_add_all(&object->ladder, config->settings);
}

void object_done(struct object *object)
{
	object_detach(object);
	netlog_bpf__destroy(object->skeleton);
	ladder_done(&object->ladder);
}
