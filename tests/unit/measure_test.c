// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/measure.h"
#include "base/util.h"
#include "test.h"

/* Plain numbers are seconds, and microseconds are kept. */
static const struct measure seconds = {
	.kind = measure_time,
	.grain = NSEC_PER_USEC,
	.plain = NSEC_PER_SEC,
	.least = 1,
	.most = 4000 * USEC_PER_SEC,
	.refusal = "is no time",
	.would_do = "seconds",
};
static const struct measure microseconds = {
	.kind = measure_time,
	.grain = 1,
	.plain = NSEC_PER_USEC,
	.most = UINT64_MAX,
	.refusal = "is no time",
	.would_do = "microseconds",
};
static const struct measure bytes = {
	.kind = measure_size,
	.grain = 1,
	.plain = 1,
	.most = UINT64_MAX,
	.refusal = "is no size",
	.would_do = "bytes",
};
static const struct measure pieces = {
	.kind = measure_count,
	.grain = 1,
	.plain = 1,
	.least = 1,
	.most = UINT64_MAX,
	.refusal = "is no number of pieces",
	.would_do = "1 or more",
};

static const struct {
	const struct measure *measure;
	const char *text;
	uint64_t value;
	const char *plain; /* as it is written again */
} good[] = {
	{ &seconds, "10", 10000000, "10" },
	{ &seconds, "0.5", 500000, "0.5" },
	{ &seconds, "1.000001", 1000001, "1.000001" },
	{ &seconds, "1.50000000000000", 1500000, "1.5" },
	{ &seconds, "007", 7000000, "7" },
	{ &seconds, "1us", 1, "0.000001" },
	{ &seconds, "1000ns", 1, "0.000001" },
	{ &seconds, "500ms", 500000, "0.5" },
	{ &seconds, "1s", 1000000, "1" },
	{ &seconds, "2m", 120000000, "120" },
	{ &seconds, "1.5m", 90000000, "90" },
	{ &seconds, "1h", 3600000000, "3600" },
	{ &seconds, "4000", 4000000000, "4000" },
	{ &microseconds, "0", 0, "0" },
	{ &microseconds, "1500", 1500000, "1500" },
	{ &microseconds, "50ms", 50000000, "50000" },
	{ &microseconds, "0.5", 500, "0.5" },
	{ &microseconds, "1ns", 1, "0.001" },
	{ &microseconds, "1.01us", 1010, "1.01" },
	{ &bytes, "65536", 65536, "65536" },
	{ &bytes, "18446744073709551615", UINT64_MAX, "18446744073709551615" },
	{ &bytes, "18446744073709551615B", UINT64_MAX, "18446744073709551615" },
	{ &bytes, "64KiB", 65536, "65536" },
	{ &bytes, "64MiB", 67108864, "67108864" },
	{ &bytes, "1.5GiB", 1610612736, "1610612736" },
	{ &bytes, "1kB", 1000, "1000" },
	{ &bytes, "0.5MB", 500000, "500000" },
	{ &bytes, "2GB", 2000000000, "2000000000" },
	{ &pieces, "1", 1, "1" },
	{ &pieces, "2.0", 2, "2" },
};

TEST(a_number_may_have_a_unit_and_is_written_without_one)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char text[MEASURE_TEXT_MAX];
		uint64_t value = 4711;
		char *wrong = measure_take(good[i].measure, good[i].text, &value);

		CHECK_SAYING(!wrong, "%s: %s", good[i].text, wrong);
		CHECK_SAYING(value == good[i].value, "%s: %llu", good[i].text,
			     (unsigned long long)value);
		CHECK_TEXT(measure_text(good[i].measure, value, text), good[i].plain);
	}
}

#define TIMES ", or with a unit: ns, us, ms, s, m, h"
#define SIZES ", or with a unit: B, kB, MB, GB, KiB, MiB, GiB"
static const struct {
	const struct measure *measure;
	const char *text, *message;
} bad[] = {
	{ &seconds, "", "'' is no time; give seconds" TIMES },
	{ &seconds, "often", "'often' is no time; give seconds" TIMES },
	{ &seconds, "+5", "'+5' is no time; give seconds" TIMES },
	{ &seconds, " 5", "' 5' is no time; give seconds" TIMES },
	{ &seconds, "s", "'s' is no time; give seconds" TIMES },
	{ &seconds, ".5", "'.5' is no time; give seconds" TIMES },
	{ &seconds, "1.", "'1.' is no time; give seconds" TIMES },
	{ &seconds, "1.s", "'1.s' is no time; give seconds" TIMES },
	{ &seconds, "-1", "'-1' is no time: it is negative; give seconds" TIMES },
	{ &seconds, "-1ms", "'-1ms' is no time: it is negative; give seconds" TIMES },
	{ &seconds, "1e3", "'1e3' is no time: there is no unit 'e3'; give seconds" TIMES },
	{ &seconds, "5 s", "'5 s' is no time: there is no unit ' s'; give seconds" TIMES },
	{ &seconds, "5S", "'5S' is no time: there is no unit 'S'; give seconds" TIMES },
	{ &seconds, "5ss", "'5ss' is no time: there is no unit 'ss'; give seconds" TIMES },
	{ &seconds, "5MiB", "'5MiB' is no time: MiB is a unit of size; give seconds" TIMES },
	{ &seconds, "0", "'0' is no time: the least is 0.000001s; give seconds" TIMES },
	{ &seconds, "0.0000001", "'0.0000001' is no time: it is no whole number of us; " },
	{ &seconds, "0.0000000001", "'0.0000000001' is no time: it is no whole number of us; " },
	{ &seconds, "0.000000001h", "it is no whole number of us; " }, /* 3.6 us */
	{ &seconds, "1ns", "'1ns' is no time: it is no whole number of us; " },
	{ &seconds, "4000.000001", "'4000.000001' is no time: the most is 4000s; " },
	{ &seconds, "2h", "'2h' is no time: the most is 4000s; " },
	{ &seconds, "18446744073709551616", "the most is 4000s; " },
	{ &seconds, "18446744073709551616ns", "the most is 4000s; " },
	{ &seconds, "6000000h", "the most is 4000s; " },
	{ &microseconds, "0.18446744073709551616", "it is no whole number of ns; " },
	{ &microseconds, "0.0001", "it is no whole number of ns; " },
	{ &bytes, "8M", "'8M' is no size: there is no unit 'M'; give bytes" SIZES },
	{ &bytes, "1k", "'1k' is no size: there is no unit 'k'; give bytes" SIZES },
	{ &bytes, "1s", "'1s' is no size: s is a unit of time; give bytes" SIZES },
	{ &bytes, "0.5", "'0.5' is no size: it is no whole number of B; " },
	{ &bytes, "18446744073709551616", "the most is 18446744073709551615B; " },
	{ &bytes, "17179869184GiB", "the most is 18446744073709551615B; " },
	{ &pieces, "0", "'0' is no number of pieces: the least is 1; give 1 or more" },
	{ &pieces, "1.5", "'1.5' is no number of pieces: it is no whole number; give 1 or more" },
	{ &pieces, "5s", "'5s' is no number of pieces: it has no unit; give 1 or more" },
	{ &pieces, "ten", "'ten' is no number of pieces; give 1 or more" },
};

TEST(what_is_wrong_with_a_number_is_said_and_what_would_do)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t value = 4711;
		char *wrong = measure_take(bad[i].measure, bad[i].text, &value);

		CHECK_SAYING(wrong && strstr(wrong, bad[i].message), "%s: %s", bad[i].text, wrong);
		CHECK_EQUAL(value, 4711);
		free(wrong);
	}
}

/* Any value: its text is taken, and is the value again. */
TEST(what_is_written_is_taken_again)
{
	uint64_t state = 7, value;

	for (int i = 0; i < 100000; i++) {
		const struct measure *measure = i % 3 == 0 ? &seconds :
						i % 3 == 1 ? &microseconds :
							     &bytes;
		uint64_t number = test_random(&state) >> test_random(&state) % 64;
		char text[MEASURE_TEXT_MAX], *wrong;

		if (measure == &seconds)
			number = 1 + number % measure->most;
		wrong = measure_take(measure, measure_text(measure, number, text), &value);
		CHECK_SAYING(!wrong && value == number, "%llu: %s: %s", (unsigned long long)number,
			     text, wrong);
	}
}
