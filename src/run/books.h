/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * books.h - the books of a run: for each event type, produced = emitted + lost.
 *
 * Two parties count: the kernel side what it produced, and lost before it was in the ring; user
 * space what it made lines of, and could not decode. The books put both together.
 */
#ifndef NETLOG_BOOKS_H
#define NETLOG_BOOKS_H

#include "kernel/probe.h"
#include "run/lines.h"

struct books {
	struct figures produced; /* by the kernel, without those that are no part of the run */
	struct figures emitted;
	struct figures lost; /* before they were lines, wherever that was */
	struct figures sampled_out;
};

/* The books as they stand: while events are still in the ring, more are produced than booked. */
void books_make(struct books *books, const struct probe_figures *kernel, const struct lines *lines);

/* Have `produced` count only the events that are booked, rather than those in the ring as well. */
void books_leave_out_ring(struct books *books);

/* The types whose books do not balance, as bits. */
uint64_t books_unbalanced(const struct books *books);

/* The types with a figure above 0, as bits. */
uint64_t figures_known(const struct figures *figures);

/* The sum over all types, and over what is no event. */
uint64_t figures_sum(const struct figures *figures);

#endif
