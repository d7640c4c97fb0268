/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * unmatchable.h - what is asked for and can never come.
 */
#ifndef NETLOG_UNMATCHABLE_H
#define NETLOG_UNMATCHABLE_H

#include "settings/settings.h"

typedef void unmatchable_tell(void *context, const char *sentence);

/*
 * Tell of each event, stage and output for which no line can come, and why: filters that contradict
 * each other or the event, limits that leave nothing between them; and of each process and
 * interface in a filter that this host does not have.
 */
void unmatchable_find(const struct options *options, unmatchable_tell *tell, void *context);

/* Log all of that. */
void unmatchable_warn(const struct options *options);

#endif
