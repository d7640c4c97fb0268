/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * books.h - the arithmetic of the books.
 */
#ifndef NETLOG_BOOKS_H
#define NETLOG_BOOKS_H

#include "kernel/probe.h"
#include "run/lines.h"

/* The types with a figure above 0, as bits. */
uint64_t figures_known(const struct figures *figures);

/* The sum over all types. */
uint64_t figures_sum(const struct figures *figures);

/* All events that were lost before they were lines. */
struct figures lost_sum(const struct lines *lines, const struct probe_figures *figures);

#endif
