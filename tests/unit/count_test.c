// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/count.h"

#include "test.h"

TEST(a_sum_grows_by_what_a_count_grows)
{
	uint64_t sum = 100, last = 3;

	CHECK(count_follow(&sum, &last, 3));
	CHECK_EQUAL(sum, 100);
	CHECK(count_follow(&sum, &last, 10));
	CHECK_EQUAL(sum, 107);
}

TEST(a_count_that_goes_backwards_adds_nothing_and_is_followed_from_there)
{
	uint64_t sum = 0, last = 0;

	CHECK(count_follow(&sum, &last, 3));
	CHECK(!count_follow(&sum, &last, 1));
	CHECK_EQUAL(sum, 3);
	CHECK(count_follow(&sum, &last, 2));
	CHECK_EQUAL(sum, 4);
	CHECK(!count_follow(&sum, &last, 0));
	CHECK_EQUAL(sum, 4);
}
