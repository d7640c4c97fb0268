// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Ladders that no kernel has, of hooks that nobody has written.
 */
#include <errno.h>

#include "kernel/ladder.h"
#include "test.h"

static const struct probe_settings everything = {
	.events.bits = BIT(event_retransmit) | BIT(event_rtt) | BIT(event_latency),
	.choices[event_latency].bits =
		BIT(stage_tcp) | BIT(stage_app) | BIT(stage_transport) | BIT(stage_qdisc),
};

/* A ladder of these hooks alone. */
static void make(struct ladder *ladder, const struct probe_settings *settings,
		 const struct hook_desc *hooks, unsigned int count)
{
	ladder_init(ladder, settings);
	ladder_add(ladder, settings, hooks, count);
	ladder_settle(ladder);
}
#define MAKE(ladder, hooks) make(ladder, &everything, hooks, ARRAY_SIZE(hooks))

/* Of each hook: on, standby or out. */
static const char *states(const struct ladder *ladder)
{
	static char text[512];

	text[0] = 0;
	for (unsigned int i = 0; i < ladder->hook_count; i++)
		list_add(text, sizeof(text),
			 ladder->hooks[i].error		 ? "out" :
			 hook_at_work(&ladder->hooks[i]) ? "on" :
							   "standby");
	return text;
}

static void refuse(struct ladder *ladder, unsigned int hook)
{
	hook_fail(&ladder->hooks[hook], -EPERM, NULL);
	ladder_settle(ladder);
}

TEST(of_three_rungs_the_best_that_is_left_serves)
{
	static const struct hook_desc hooks[] = {
		{ .event = event_rtt, .part = "sample", .rung = 1, .role = role_lines },
		{ .event = event_rtt, .part = "sample", .rung = 2, .role = role_lines },
		{ .event = event_rtt, .part = "sample", .rung = 3, .role = role_lines },
	};
	struct ladder ladder;

	MAKE(&ladder, hooks);
	CHECK_TEXT(states(&ladder), "on, standby, standby");
	refuse(&ladder, 0);
	CHECK_TEXT(states(&ladder), "out, on, standby");
	CHECK(ladder.hooks[0].served);
	CHECK_EQUAL(ladder.events, BIT(event_rtt));
	refuse(&ladder, 1);
	CHECK_TEXT(states(&ladder), "out, out, on");
	refuse(&ladder, 2);
	CHECK_TEXT(states(&ladder), "out, out, out");
	CHECK(!ladder.hooks[2].served);
	CHECK_EQUAL(ladder.events, 0);
	ladder_done(&ladder);
}

TEST(the_order_of_the_rows_does_not_matter)
{
	static const struct hook_desc hooks[] = {
		{ .event = event_rtt, .part = "sample", .rung = 2, .role = role_lines },
		{ .event = event_rtt, .part = "sample", .rung = 1, .role = role_lines },
	};
	struct ladder ladder;

	MAKE(&ladder, hooks);
	CHECK_TEXT(states(&ladder), "standby, on");
	ladder_done(&ladder);
}

TEST(a_rung_stands_or_falls_as_a_whole)
{
	static const struct hook_desc hooks[] = {
		{ .event = event_rtt, .part = "sample", .rung = 1, .role = role_lines },
		{ .event = event_rtt, .part = "sample", .rung = 1, .role = role_required },
		{ .event = event_rtt, .part = "sample", .rung = 2, .role = role_lines },
	};
	struct ladder ladder;

	MAKE(&ladder, hooks);
	CHECK_TEXT(states(&ladder), "on, on, standby");
	refuse(&ladder, 1);
	CHECK_TEXT(states(&ladder), "standby, out, on");
	ladder_done(&ladder);
}

TEST(a_rung_does_without_its_extras)
{
	static const struct hook_desc hooks[] = {
		{ .event = event_rtt, .part = "sample", .rung = 1, .role = role_lines },
		{ .event = event_rtt, .part = "sample", .rung = 1, .role = role_extra },
		{ .event = event_rtt, .part = "sample", .rung = 2, .role = role_lines },
		{ .event = event_rtt, .part = "sample", .rung = 2, .role = role_extra },
	};
	struct ladder ladder;

	MAKE(&ladder, hooks);
	CHECK_TEXT(states(&ladder), "on, on, standby, standby");
	refuse(&ladder, 1);
	CHECK_TEXT(states(&ladder), "on, out, standby, standby");
	refuse(&ladder, 0);
	CHECK_TEXT(states(&ladder), "out, out, on, on");
	ladder_done(&ladder);
}

TEST(parts_and_events_of_one_name_are_apart)
{
	static const struct hook_desc hooks[] = {
		{ .event = event_rtt, .part = "a", .rung = 1, .role = role_lines },
		{ .event = event_rtt, .part = "b", .rung = 1, .role = role_lines },
		{ .event = event_latency, .part = "a", .rung = 1, .role = role_lines },
	};
	struct ladder ladder;

	MAKE(&ladder, hooks);
	refuse(&ladder, 0);
	CHECK_TEXT(states(&ladder), "out, on, on");
	CHECK(!ladder.hooks[0].served && ladder.hooks[2].served);
	CHECK_EQUAL(ladder.events, BIT(event_rtt) | BIT(event_latency)); /* b makes lines yet */
	ladder_done(&ladder);
}

/* A part without lines of its own is what all others of the event rest on. */
TEST(an_event_that_lacks_what_it_rests_on_has_no_hooks_left)
{
	static const struct hook_desc hooks[] = {
		{ .event = event_latency, .part = "entry", .rung = 1, .role = role_required },
		{ .event = event_latency, .part = "app", .rung = 1, .role = role_lines },
		{ .event = event_latency, .part = "app", .rung = 2, .role = role_lines },
		{ .event = event_rtt, .part = "sample", .rung = 1, .role = role_lines },
		{ .event = event_none, .part = "owner", .rung = 1, .role = role_extra },
	};
	struct ladder ladder;

	MAKE(&ladder, hooks);
	CHECK_TEXT(states(&ladder), "on, on, standby, on, on");
	refuse(&ladder, 0);
	CHECK_TEXT(states(&ladder), "out, out, standby, on, on");
	CHECK_EQUAL(ladder.hooks[1].error, -ECANCELED);
	CHECK_EQUAL(ladder.events, BIT(event_rtt));
	/* with the last event go the hooks that serve all of them */
	refuse(&ladder, 3);
	CHECK_TEXT(states(&ladder), "out, out, out, out, out");
	CHECK_EQUAL(ladder.events, 0);
	ladder_done(&ladder);
}

TEST(a_part_with_lines_of_its_own_may_be_missed)
{
	static const struct hook_desc hooks[] = {
		{ .event = event_latency, .part = "qdisc", .rung = 1, .role = role_required },
		{ .event = event_latency, .part = "qdisc", .rung = 1, .role = role_lines },
		{ .event = event_latency, .part = "app", .rung = 1, .role = role_lines },
	};
	struct ladder ladder;

	MAKE(&ladder, hooks);
	refuse(&ladder, 0);
	CHECK_TEXT(states(&ladder), "out, standby, on");
	CHECK_EQUAL(ladder.events, BIT(event_latency));
	ladder_done(&ladder);
}

TEST(hooks_of_events_that_nobody_wants_are_not_there)
{
	static const struct hook_desc hooks[] = {
		{ .event = event_rtt, .part = "sample", .rung = 1, .role = role_lines },
		{ .event = event_latency, .part = "tcp", .rung = 1, .role = role_lines },
		{ .event = event_none, .part = "owner", .rung = 1, .role = role_extra },
	};
	const struct probe_settings rtt = { .events.bits = BIT(event_rtt) }, nothing = {};
	struct ladder ladder;

	make(&ladder, &rtt, hooks, ARRAY_SIZE(hooks));
	CHECK_EQUAL(ladder.hook_count, 2);
	CHECK(ladder.hooks[0].desc == &hooks[0] && ladder.hooks[1].desc == &hooks[2]);
	ladder_done(&ladder);
	make(&ladder, &nothing, hooks, ARRAY_SIZE(hooks));
	CHECK_EQUAL(ladder.hook_count, 0);
	ladder_done(&ladder);
}

/* Which of these hooks are there, and which of them make lines, when one value is chosen. */
TEST(a_hook_is_there_for_its_own_value_and_for_those_that_need_it)
{
	static const struct hook_desc hooks[] = {
		{ .event = event_latency, .part = "entry", .rung = 1, .role = role_required },
		{ .event = event_latency,
		  .part = "a",
		  .rung = 1,
		  .role = role_lines,
		  .value = 7,
		  .needed_by = BIT(8) },
		{ .event = event_latency, .part = "b", .rung = 1, .role = role_lines, .value = 8 },
		{ .event = event_latency,
		  .part = "c",
		  .rung = 1,
		  .role = role_extra,
		  .needed_by = BIT(9) },
		{ .event = event_latency, .part = "d", .rung = 1, .role = role_lines },
		{ .event = event_rtt, .part = "a", .rung = 1, .role = role_lines, .value = 7 },
	};
	static const struct {
		unsigned int value;
		const char *parts, *lines;
	} expected[] = {
		{ 7, "entry, a, d", "a, d" },
		{ 8, "entry, a, b, d", "b, d" },
		{ 9, "entry, c, d", "d" },
		{ 6, "entry, d", "d" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct probe_settings settings = {
			.events.bits = BIT(event_latency),
			.choices[event_latency].bits = BIT(expected[i].value),
		};
		char parts[64] = "", lines[64] = "";
		struct ladder ladder;

		make(&ladder, &settings, hooks, ARRAY_SIZE(hooks));
		for (unsigned int k = 0; k < ladder.hook_count; k++) {
			const struct probe_hook *hook = &ladder.hooks[k];

			list_add(parts, sizeof(parts), hook->desc->part);
			if (ladder_makes_lines(&ladder, hook))
				list_add(lines, sizeof(lines), hook->desc->part);
		}
		CHECK_TEXT(parts, expected[i].parts);
		CHECK_TEXT(lines, expected[i].lines);
		ladder_done(&ladder);
	}
}

/*
 * Inwards, the stages before a stage's own are in its lines, and what is sent to devices of this
 * host's own goes on with its age.
 */
TEST(the_schemas_hooks_are_there_for_the_stages_that_need_them)
{
	static const struct {
		unsigned int stages; /* as bits */
		const char *parts;
	} expected[] = {
		{ BIT(stage_transport),
		  "entry, drop, transport_tcp, transport_tcp6, transport_udp, "
		  "transport_udp6, qdisc, drop_queued, qdisc" },
		{ BIT(stage_tcp), "entry, drop, transport_tcp, transport_tcp6, transport_udp, "
				  "transport_udp6, tcp, qdisc, drop_queued, qdisc" },
		{ BIT(stage_app), "entry, drop, transport_tcp, transport_tcp6, transport_udp, "
				  "transport_udp6, tcp, app_tcp, app_udp, qdisc, drop_queued, "
				  "qdisc" },
		{ BIT(stage_qdisc), "qdisc, drop_queued, qdisc" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct probe_settings settings = {
			.events.bits = BIT(event_latency),
			.choices[event_latency].bits = expected[i].stages,
		};
		const char *last = "";
		struct ladder ladder;
		char parts[256] = "";

		ladder_init(&ladder, &settings);
		ladder_add_all(&ladder, &settings);
		for (unsigned int k = 0; k < ladder.hook_count; k++) {
			const struct hook_desc *desc = ladder.hooks[k].desc;

			if (desc->event == event_latency && strcmp(desc->part, last) != 0)
				list_add(parts, sizeof(parts), desc->part);
			last = desc->part;
		}
		CHECK_TEXT(parts, expected[i].parts);
		ladder_done(&ladder);
	}
}

TEST(a_refusal_says_why_in_the_kernels_own_words)
{
	static const struct {
		int error;
		const char *words, *reason;
	} refusals[] = {
		{ -EPERM, NULL, "Operation not permitted" },
		{ -EPERM, "", "Operation not permitted" },
		{ -EINVAL, "R1 is a scalar\nprocessed 5 insns",
		  "Invalid argument: R1 is a scalar" },
		{ -EPERM, "attach: Operation not permitted", "Operation not permitted" },
		/* no words of libbpf's say more than this */
		{ -ENOENT, "prog 'a': failed to find kernel BTF type ID", "not in this kernel" },
		{ -ESRCH, NULL, "not in this kernel" },
	};
	struct probe_hook hook = {};

	for (unsigned int i = 0; i < ARRAY_SIZE(refusals); i++) {
		hook_fail(&hook, refusals[i].error, refusals[i].words);
		CHECK_TEXT(hook.reason, refusals[i].reason);
		CHECK_EQUAL(hook.error, refusals[i].error);
		CHECK_EQUAL(hook_absent(&hook), i > 3);
	}
	free(hook.reason);
}
