// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lines of netlog's own. Most are tested live: they tell of a kernel.
 */
#include "run/report.h"

#include "test.h"

/*
 * An output may work again while the rest is delivered, after the stop line. Its loss is in that
 * line already.
 */
TEST(no_line_about_losses_follows_the_last_one)
{
	struct lines lines;
	struct report report = { .lines = &lines, .stopped = true };

	CHECK_EQUAL(lines_init(&lines), 0);
	lines.undecodable.of[event_none] = 1;
	CHECK(!report_losses(&report));
	CHECK_EQUAL(lines.seq, 0);
	lines_done(&lines);
}
