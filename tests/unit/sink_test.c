// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>

#include "output/sink.h"
#include "test.h"

#define MS (NSEC_PER_SEC / 1000)
#define NOW_NS (1000 * NSEC_PER_SEC)
#define BESIDE 100 /* ms of patience with one of several, which sink.h must have as well */

static size_t room_without(const struct sink *sink)
{
	(void)sink;
	return 0;
}

static size_t room_ample(const struct sink *sink)
{
	(void)sink;
	return SIZE_MAX;
}

/* Kinds of sinks: with and without room, whose reader ends the run, that time out. */
static const struct sink_ops open_ops = { .room = room_ample };
static const struct sink_ops full_ops = { .room = room_without };
static const struct sink_ops stdout_ops = { .room = room_ample, .ends_run = true };
static const struct sink_ops timed_ops = { .room = room_ample, .timeout_ns = 5 * NSEC_PER_SEC };
static const struct sink_ops timed_full_ops = { .room = room_without,
						.timeout_ns = 5 * NSEC_PER_SEC };

static const char *const names[] = { "flowing", "behind", "given up", "failing", "gone" };

/*
 * From a state, in which it is for so many ms, having taken something so many ms ago, with so much
 * patience (0: without end): where does a result lead?
 */
static const struct {
	enum sink_state from;
	int error;
	const struct sink_ops *ops;
	uint64_t since_ms, took_ms, patience_ms;
	int result;
	enum sink_state to;
	int to_error;
} steps[] = {
	{ SINK_FLOWING, 0, &open_ops, 9999, 9999, BESIDE, 0, SINK_FLOWING, 0 },
	{ SINK_FLOWING, 0, &full_ops, 9999, 9999, BESIDE, -EAGAIN, SINK_BEHIND, 0 },
	{ SINK_FLOWING, 0, &full_ops, 9999, 9999, BESIDE, SINK_TOOK_SOME, SINK_BEHIND, 0 },
	{ SINK_FLOWING, 0, &timed_ops, 9999, 9999, 0, -EAGAIN, SINK_BEHIND, 0 },
	{ SINK_FLOWING, 0, &open_ops, 0, 0, 0, -ENOSPC, SINK_FAILING, -ENOSPC },
	{ SINK_FLOWING, 0, &full_ops, 0, 0, 0, SINK_ENOUGH, SINK_GIVEN_UP, 0 },

	/* behind: one of several is given up when it has no room, though it takes a little */
	{ SINK_BEHIND, 0, &full_ops, 100, 100, BESIDE, -EAGAIN, SINK_BEHIND, 0 },
	{ SINK_BEHIND, 0, &full_ops, 101, 101, BESIDE, -EAGAIN, SINK_GIVEN_UP, 0 },
	{ SINK_BEHIND, 0, &full_ops, 101, 1, BESIDE, SINK_TOOK_SOME, SINK_GIVEN_UP, 0 },
	{ SINK_BEHIND, 0, &open_ops, 999999, 999999, BESIDE, -EAGAIN, SINK_BEHIND, 0 },
	{ SINK_BEHIND, 0, &full_ops, 999999, 999999, 0, -EAGAIN, SINK_BEHIND, 0 },
	{ SINK_BEHIND, 0, &full_ops, 1, 1, 0, SINK_ENOUGH, SINK_GIVEN_UP, 0 },
	{ SINK_BEHIND, 0, &full_ops, 999, 999, BESIDE, 0, SINK_FLOWING, 0 },
	{ SINK_BEHIND, 0, &full_ops, 999, 999, BESIDE, -EIO, SINK_FAILING, -EIO },

	/* one that times out, when it has taken nothing: whatever its room, and alone, too */
	{ SINK_BEHIND, 0, &timed_ops, 5000, 5000, 0, -EAGAIN, SINK_BEHIND, 0 },
	{ SINK_BEHIND, 0, &timed_ops, 5001, 5001, 0, -EAGAIN, SINK_FAILING, -ETIMEDOUT },
	{ SINK_BEHIND, 0, &timed_ops, 5001, 5001, 0, SINK_TOOK_SOME, SINK_BEHIND, 0 },
	{ SINK_BEHIND, 0, &timed_ops, 9999, 4999, 0, -EAGAIN, SINK_BEHIND, 0 },
	{ SINK_BEHIND, 0, &timed_full_ops, 101, 101, BESIDE, -EAGAIN, SINK_GIVEN_UP, 0 },
	{ SINK_GIVEN_UP, 0, &timed_full_ops, 5001, 5001, BESIDE, -EAGAIN, SINK_FAILING,
	  -ETIMEDOUT },
	{ SINK_FAILING, -ETIMEDOUT, &timed_ops, 1, 5002, 0, -EAGAIN, SINK_FAILING, -ETIMEDOUT },
	{ SINK_FAILING, -ETIMEDOUT, &timed_ops, 1, 5002, 0, SINK_TOOK_SOME, SINK_GIVEN_UP, 0 },

	/* who is not waited for is not waited for again before all is out */
	{ SINK_GIVEN_UP, 0, &full_ops, 1, 1, BESIDE, -EAGAIN, SINK_GIVEN_UP, 0 },
	{ SINK_GIVEN_UP, 0, &open_ops, 1, 1, 0, SINK_TOOK_SOME, SINK_GIVEN_UP, 0 },
	{ SINK_GIVEN_UP, 0, &open_ops, 1, 1, BESIDE, 0, SINK_FLOWING, 0 },
	{ SINK_GIVEN_UP, 0, &open_ops, 1, 1, BESIDE, -EIO, SINK_FAILING, -EIO },
	{ SINK_FAILING, -EIO, &open_ops, 1, 1, 0, -EIO, SINK_FAILING, -EIO },
	{ SINK_FAILING, -EIO, &open_ops, 1, 1, 0, -ENOSPC, SINK_FAILING, -ENOSPC },
	{ SINK_FAILING, -EIO, &open_ops, 1, 1, 0, -EAGAIN, SINK_GIVEN_UP, 0 },
	{ SINK_FAILING, -EIO, &open_ops, 1, 1, 0, SINK_TOOK_SOME, SINK_GIVEN_UP, 0 },
	{ SINK_FAILING, -EIO, &open_ops, 1, 1, 0, 0, SINK_FLOWING, 0 },

	/* a reader that has left is an error, but for standard output's; and nothing brings it back
	 */
	{ SINK_FLOWING, 0, &open_ops, 1, 1, 0, -EPIPE, SINK_FAILING, -EPIPE },
	{ SINK_FLOWING, 0, &stdout_ops, 1, 1, 0, -EPIPE, SINK_GONE, 0 },
	{ SINK_BEHIND, 0, &stdout_ops, 1, 1, 0, -ECONNRESET, SINK_GONE, 0 },
	{ SINK_GIVEN_UP, 0, &stdout_ops, 1, 1, 0, -EPIPE, SINK_GONE, 0 },
	{ SINK_FAILING, -EIO, &stdout_ops, 1, 1, 0, -EPIPE, SINK_GONE, 0 },
	{ SINK_GONE, 0, &stdout_ops, 1, 1, 0, 0, SINK_GONE, 0 },
	{ SINK_GONE, 0, &stdout_ops, 1, 1, 0, -EIO, SINK_GONE, 0 },
	{ SINK_GONE, 0, &stdout_ops, 1, 1, 0, SINK_ENOUGH, SINK_GONE, 0 },
};

TEST(each_result_leads_from_each_state_where_the_table_says)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct sink sink = {
			.ops = steps[i].ops,
			.state = steps[i].from,
			.error = steps[i].error,
			.since_ns = NOW_NS - steps[i].since_ms * MS,
			.took_ns = NOW_NS - steps[i].took_ms * MS,
			.patience_ns =
				steps[i].patience_ms ? steps[i].patience_ms * MS : SINK_NEVER,
		};
		uint64_t since_ns = sink.since_ns;
		struct sink_step step = sink_step(&sink, steps[i].result, NOW_NS);

		CHECK_SAYING(step.from == steps[i].from && step.to == steps[i].to &&
				     sink.state == step.to && sink.error == steps[i].to_error,
			     "row %zu: %s, and result %d: %s (%d)", i, names[steps[i].from],
			     steps[i].result, names[sink.state], sink.error);
		CHECK_EQUAL(sink.since_ns, step.to != step.from ? NOW_NS : since_ns);
		CHECK_EQUAL(sink_is_waited_for(&sink),
			    step.to <= SINK_BEHIND && steps[i].ops->room == room_without);
	}
}

TEST(a_sink_beside_others_is_waited_for_a_tenth_of_a_second)
{
	CHECK_EQUAL(SINK_PATIENCE_NS, BESIDE * MS);
}

/* A flush's result, and the bytes it takes */
static int result;
static size_t taken;

static int flush(struct sink *sink)
{
	sink->end -= taken;
	return result;
}

/* Of a sink with and without room. */
static const struct sink_ops flush_ops = { .room = room_ample, .flush = flush, .ends_run = true };
static const struct sink_ops flush_full_ops = { .room = room_without, .flush = flush };

/* So many ms after the first flush: a result, and whether it is told. */
struct word {
	uint64_t at_ms;
	int result;
	bool tell;
	enum sink_state state;
};

static void check_words(const struct sink_ops *ops, const struct word *words, size_t count)
{
	struct sink sink = { .ops = ops, .patience_ns = BESIDE * MS };

	for (size_t i = 0; i < count; i++) {
		result = words[i].result;
		sink_flush(&sink, NOW_NS + words[i].at_ms * MS);
		CHECK_SAYING(sink.tell == words[i].tell && sink.state == words[i].state,
			     "row %zu, at %llu ms: %s, and %s", i,
			     (unsigned long long)words[i].at_ms, names[sink.state],
			     sink.tell ? "told" : "not told");
	}
}

TEST(a_failing_sink_is_told_at_once_and_then_once_a_minute)
{
	static const struct word words[] = {
		{ 0, 0, false, SINK_FLOWING },
		{ 100, -ENOSPC, true, SINK_FAILING },
		{ 1100, -ENOSPC, false, SINK_FAILING },
		{ 60099, -ENOSPC, false, SINK_FAILING },
		{ 60100, -ENOSPC, true, SINK_FAILING },
		{ 61100, -EIO, true, SINK_FAILING }, /* another error: at once */
		{ 62100, -EIO, false, SINK_FAILING },
		{ 63100, 0, true, SINK_FLOWING }, /* works again */
		{ 64100, 0, false, SINK_FLOWING },
		{ 65100, -EIO, true, SINK_FAILING },
		{ 66100, SINK_TOOK_SOME, false, SINK_GIVEN_UP }, /* as good as told */
		{ 67100, -EIO, false, SINK_FAILING },
		{ 68100, SINK_TOOK_SOME, false, SINK_GIVEN_UP },
		{ 69100, 0, true, SINK_FLOWING },
		{ 70100, -EPIPE, false, SINK_GONE },
		{ 999999, -EPIPE, false, SINK_GONE },
	};
	struct sink sink = { .ops = &flush_ops };
	int told = 0;

	check_words(&flush_ops, words, ARRAY_SIZE(words));
	result = -ENOSPC;
	for (uint64_t i = 0; i <= 180; i++) { /* as it is tried */
		sink_flush(&sink, NOW_NS + i * NSEC_PER_SEC);
		told += sink.tell;
	}
	CHECK_EQUAL(told, 4);
}

/* It may be so again and again, and is not told each time. */
TEST(a_slow_sink_is_told_when_it_is_given_up_and_no_more_than_once_a_minute)
{
	static const struct word words[] = {
		{ 0, -EAGAIN, false, SINK_BEHIND },
		{ 100, -EAGAIN, false, SINK_BEHIND },
		{ 101, -EAGAIN, true, SINK_GIVEN_UP },
		{ 200, SINK_TOOK_SOME, false, SINK_GIVEN_UP },
		{ 300, 0, true, SINK_FLOWING },
		{ 400, -EAGAIN, false, SINK_BEHIND },
		{ 600, -EAGAIN, false, SINK_GIVEN_UP }, /* lately told, so not */
		{ 700, 0, false, SINK_FLOWING },	/* nor that it is over */
		{ 800, -EAGAIN, false, SINK_BEHIND },
		{ 999, -EAGAIN, false, SINK_GIVEN_UP },
		{ 60100, -EAGAIN, false, SINK_GIVEN_UP },
		{ 60101, -EAGAIN, true, SINK_GIVEN_UP }, /* it still is */
		{ 60200, 0, true, SINK_FLOWING },
	};

	check_words(&flush_full_ops, words, ARRAY_SIZE(words));
}

/* As at the end of a run: who waits no more says so between two flushes. */
TEST(that_a_sink_was_given_up_between_flushes_is_told_at_the_next_one)
{
	struct sink sink = { .ops = &flush_full_ops, .patience_ns = SINK_NEVER };
	struct sink_step step;

	result = -EAGAIN;
	sink_flush(&sink, NOW_NS);
	CHECK(sink.state == SINK_BEHIND && !sink.tell);
	step = sink_step(&sink, SINK_ENOUGH, NOW_NS + MS);
	CHECK(step.from == SINK_BEHIND && step.to == SINK_GIVEN_UP);
	CHECK_EQUAL(sink.took_ns, NOW_NS); /* that it was given up is no sign of life */
	sink_flush(&sink, NOW_NS + 2 * MS);
	CHECK(sink.state == SINK_GIVEN_UP && sink.tell);
}

TEST(a_flush_that_takes_a_part_is_known_by_what_is_left)
{
	struct sink sink = { .ops = &flush_ops, .end = 100 };

	result = -EAGAIN;
	sink_flush(&sink, 1000);
	CHECK(sink.state == SINK_BEHIND && sink.step.to == SINK_BEHIND);
	CHECK_EQUAL(sink.took_ns, 1000);
	sink_flush(&sink, 2000);
	CHECK_EQUAL(sink.took_ns, 1000);
	taken = 1;
	sink_flush(&sink, 3000);
	CHECK_EQUAL(sink.took_ns, 3000);
	result = 0;
	sink_flush(&sink, 4000);
	CHECK(sink.step.from == SINK_BEHIND && sink.step.to == SINK_FLOWING);
}
