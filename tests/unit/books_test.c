// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The books' arithmetic: what the kernel side and user space have counted, put together.
 */
#include "run/books.h"
#include "test.h"

/* Of 100 events, 5 met a full ring, 2 no program saw, 1 was no record we know, 12 nobody wanted. */
static const struct probe_figures kernel = {
	.produced.of[event_rtt] = 100,
	.lost.of[event_rtt] = 5,
	.missed.of[event_rtt] = 2,
	.sampled_out.of[event_rtt] = 30,
};
static const struct lines counted = {
	.emitted.of[event_rtt] = 80,
	.undecodable.of[event_rtt] = 1,
	.unasked.of[event_rtt] = 12,
};

TEST(each_event_is_emitted_or_lost_or_no_part_of_the_run)
{
	struct books books;

	books_make(&books, &kernel, &counted);
	CHECK_EQUAL(books.produced.of[event_rtt], 88);
	CHECK_EQUAL(books.emitted.of[event_rtt], 80);
	CHECK_EQUAL(books.lost.of[event_rtt], 8);
	CHECK_EQUAL(books.sampled_out.of[event_rtt], 30);
	CHECK_EQUAL(books_unbalanced(&books), 0);
}

TEST(types_that_do_not_balance_are_told_apart)
{
	struct books books;

	books_make(&books, &kernel, &counted);
	books.emitted.of[event_latency]++;
	CHECK_EQUAL(books_unbalanced(&books), BIT(event_latency));
	books.produced.of[event_retransmit]++;
	CHECK_EQUAL(books_unbalanced(&books), BIT(event_latency) | BIT(event_retransmit));
}

TEST(while_it_runs_the_ring_is_left_out)
{
	struct probe_figures ahead = kernel;
	struct books books;

	ahead.produced.of[event_rtt] += 1000;
	books_make(&books, &ahead, &counted);
	CHECK_EQUAL(books_unbalanced(&books), BIT(event_rtt));
	books_leave_out_ring(&books);
	CHECK_EQUAL(books.produced.of[event_rtt], 88);
	CHECK_EQUAL(books_unbalanced(&books), 0);
}

TEST(what_is_no_event_counts_in_sums_and_is_no_type)
{
	const struct figures figures = { .of = { [event_none] = 3, [event_latency] = 4 } };

	CHECK_EQUAL(figures_sum(&figures), 7);
	CHECK_EQUAL(figures_known(&figures), BIT(event_latency));
}
