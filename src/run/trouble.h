/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trouble.h - messages about outputs that do not take lines.
 */
#ifndef NETLOG_TROUBLE_H
#define NETLOG_TROUBLE_H

#include "output/output.h"

/* Log why the output of that name cannot be opened, and the consequence, as "; going on". */
void trouble_open(const char *name, int error, const char *consequence);

/*
 * Have all outputs write from now on: what they write over makes way. -ECANCELED, logged, if one
 * cannot.
 */
int trouble_begin(struct output *output);

/*
 * After a flush: log which outputs take no lines, and which work again, by the steps they took.
 * Returns whether one works again.
 */
bool trouble_report(const struct output *output);

/*
 * Log which outputs, at their end, did not write all lines and have not reported that in the
 * stream. Returns whether there are any.
 */
bool trouble_unwritten(const struct output *output);

#endif
