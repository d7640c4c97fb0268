// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The BPF object against the schema. Needs no privilege: it is opened, not loaded. That the
 * programs load and are hit is for the live tests.
 */
#include <errno.h>

#include <bpf/libbpf.h>

#include "base/util.h"
#include "bpf/config.h"
#include "filter/filter.h"
#include "kernel/hook.h"
#include "netlog.skel.h"
#include "schema/event.h"
#include "test.h"

TEST(every_hook_of_the_schema_has_its_program_and_every_program_its_row)
{
	struct netlog_bpf *skeleton = netlog_bpf__open();
	struct bpf_program *program;
	const struct hook_desc *common;
	unsigned int programs = 0, hooks;

	CHECK(skeleton);
	common = hooks_common(&hooks);
	for (unsigned int i = 0; i < hooks; i++)
		CHECK_SAYING(bpf_object__find_program_by_name(skeleton->obj, common[i].program),
			     "%s", common[i].program);
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);

		for (unsigned int i = 0; i < desc->hook_count; i++, hooks++)
			CHECK_SAYING(bpf_object__find_program_by_name(skeleton->obj,
								      desc->hooks[i].program),
				     "%s", desc->hooks[i].program);
	}
	bpf_object__for_each_program(program, skeleton->obj)
		programs++;
	CHECK_EQUAL(programs, hooks);
	CHECK_EQUAL(hooks, hooks_all); /* the ladder has a place for each */
	netlog_bpf__destroy(skeleton);
}

TEST(every_program_hangs_on_a_way_that_has_a_row)
{
	struct netlog_bpf *skeleton = netlog_bpf__open();
	struct bpf_program *program;

	bpf_object__for_each_program(program, skeleton->obj) {
		const char *section = bpf_program__section_name(program);

		CHECK_SAYING(way_of_section(section), "%s", section);
		CHECK_SAYING(strlen(section) < sizeof(((struct probe_hook *)NULL)->section), "%s",
			     section);
	}
	netlog_bpf__destroy(skeleton);
}

/* After a refusal all programs are loaded anew, also those that the kernel has checked already. */
TEST(an_iterator_that_old_kernels_refuse_is_tried_before_what_takes_long_to_check)
{
	struct netlog_bpf *skeleton = netlog_bpf__open();
	struct bpf_program *program;
	size_t before = 0;

	bpf_object__for_each_program(program, skeleton->obj) {
		if (way_of_section(bpf_program__section_name(program))->iterates)
			break;
		before += bpf_program__insn_cnt(program);
	}
	CHECK_SAYING(before < 1000, "%zu instructions", before);
	netlog_bpf__destroy(skeleton);
}

/* KMALLOC_MAX_SIZE, which was the limit of an array's value: array_map_alloc_check() */
TEST(old_kernels_have_room_for_all_globals)
{
	struct netlog_bpf *skeleton = netlog_bpf__open();

	CHECK_SAYING(bpf_map__value_size(skeleton->maps.bss) <= 4 << 20, "%u bytes",
		     bpf_map__value_size(skeleton->maps.bss));
	netlog_bpf__destroy(skeleton);
}

static bool on_tracepoint(struct netlog_bpf *skeleton, const struct hook_desc *hook)
{
	const char *section = bpf_program__section_name(
		bpf_object__find_program_by_name(skeleton->obj, hook->program));

	return !strncmp(section, "tp_btf/", 7) || !strncmp(section, "raw_tp/", 7);
}

/* Does one of the part's rungs hang on tracepoints as a whole? */
static bool part_on_tracepoints(struct netlog_bpf *skeleton, const struct event_desc *event,
				const char *part)
{
	for (unsigned int rung = 1; rung < 5; rung++) {
		unsigned int hooks = 0, others = 0;

		for (unsigned int i = 0; i < event->hook_count; i++) {
			const struct hook_desc *hook = &event->hooks[i];

			if (strcmp(hook->part, part) != 0 || hook->rung != rung)
				continue;
			hooks++;
			others += !on_tracepoint(skeleton, hook);
		}
		if (hooks && !others)
			return true;
	}
	return false;
}

/* Those that tracepoints cannot serve: README tells of them, under "What it cannot see". */
TEST(on_tracepoints_alone_every_part_stands_but_those_that_are_known)
{
	static const char *const functions_only[] = { "transport_tcp", "transport_tcp6",
						      "transport_udp", "transport_udp6",
						      "app_udp" };
	struct netlog_bpf *skeleton = netlog_bpf__open();

	for_each_event_type(type) {
		const struct event_desc *event = event_desc(type);

		for (unsigned int i = 0; i < event->hook_count; i++) {
			const char *part = event->hooks[i].part;
			bool known = false;

			for (unsigned int k = 0; k < ARRAY_SIZE(functions_only); k++)
				known |= !strcmp(part, functions_only[k]);
			CHECK_SAYING(part_on_tracepoints(skeleton, event, part) != known, "%s",
				     part);
		}
	}
	netlog_bpf__destroy(skeleton);
}
