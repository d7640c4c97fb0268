// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The BPF object against the schema. Needs no privilege: it is opened, not loaded. That the
 * programs load and are hit is for the live tests.
 */
#include <bpf/libbpf.h>

#include "../../bpf/config.h"
#include "event.h"
#include "netlog.skel.h"
#include "test.h"

TEST(every_hook_of_the_schema_has_its_program_and_every_program_its_row)
{
	struct netlog_bpf *skeleton = netlog_bpf__open();
	struct bpf_program *program;
	int programs = 0, hooks = 0;

	CHECK(skeleton);
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
	netlog_bpf__destroy(skeleton);
}

/* On a host that allows BTF tracepoints only, each part must still have a rung. */
TEST(the_last_rung_of_each_part_hangs_on_tracepoints)
{
	struct netlog_bpf *skeleton = netlog_bpf__open();

	for_each_event_type(type) {
		const struct event_desc *event = event_desc(type);

		for (unsigned int i = 0; i < event->hook_count; i++) {
			const struct hook_desc *hook = &event->hooks[i];
			const char *section = bpf_program__section_name(
				bpf_object__find_program_by_name(skeleton->obj, hook->program));
			bool last = true;

			for (unsigned int k = 0; k < event->hook_count; k++)
				last &= strcmp(event->hooks[k].part, hook->part) != 0 ||
					event->hooks[k].rung <= hook->rung;
			CHECK_SAYING(!last || !strncmp(section, "tp_btf/", 7), "%s", section);
		}
	}
	netlog_bpf__destroy(skeleton);
}
