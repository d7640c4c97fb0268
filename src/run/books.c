// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/books.h"

uint64_t figures_known(const struct figures *figures)
{
	uint64_t types = 0;

	for_each_event_type(type)
		if (figures->of[type])
			types |= BIT(type);
	return types;
}

struct figures lost_sum(const struct lines *lines, const struct probe_figures *figures)
{
	struct figures lost = {};

	for_each_event_type(type)
		lost.of[type] =
			figures->lost.of[type] + figures->missed.of[type] + lines->broken.of[type];
	return lost;
}

uint64_t figures_sum(const struct figures *figures)
{
	uint64_t sum = 0;

	for (int type = 0; type < event_types; type++)
		sum += figures->of[type];
	return sum;
}
