// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/books.h"

void books_make(struct books *books, const struct probe_figures *kernel, const struct lines *lines)
{
	*books = (struct books){ .emitted = lines->emitted, .sampled_out = kernel->sampled_out };
	for_each_event_type(type) {
		books->produced.of[type] = kernel->produced.of[type] - lines->unasked.of[type];
		books->lost.of[type] = kernel->lost.of[type] + kernel->missed.of[type] +
				       lines->undecodable.of[type];
	}
}

void books_leave_out_ring(struct books *books)
{
	for_each_event_type(type)
		books->produced.of[type] = books->emitted.of[type] + books->lost.of[type];
}

uint64_t books_unbalanced(const struct books *books)
{
	uint64_t types = 0;

	for_each_event_type(type)
		if (books->produced.of[type] != books->emitted.of[type] + books->lost.of[type])
			types |= BIT(type);
	return types;
}

uint64_t figures_known(const struct figures *figures)
{
	uint64_t types = 0;

	for_each_event_type(type)
		if (figures->of[type])
			types |= BIT(type);
	return types;
}

uint64_t figures_sum(const struct figures *figures)
{
	uint64_t sum = 0;

	for (int type = 0; type < event_types; type++)
		sum += figures->of[type];
	return sum;
}
