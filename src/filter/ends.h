/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ends.h - the two ends of a packet: is there a pair of ports, or of addresses, that passes the
 * filters of all sets?
 */
#ifndef NETLOG_FILTER_ENDS_H
#define NETLOG_FILTER_ENDS_H

#include "filter/filter.h"

#define SETS_MAX 2 /* those for all, and an output's own */

/* `some_have`: ports, of what may come; `all_have`: what may come has no packets without. */
bool ports_agree(const struct filter_set *const *sets, unsigned int count, bool some_have,
		 bool all_have);

bool addresses_agree(const struct filter_set *const *sets, unsigned int count);

#endif
