/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter.h - from the words of --port, --addr and the others to what the kernel side evaluates.
 */
#ifndef NETLOG_FILTER_H
#define NETLOG_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "filter/half.h"
#include "host/ssh.h"
#include "schema/event.h"

#define FILTER_VALUES_MAX 128
#define FILTER_TEXT_BYTES 8192

/* What is set, and the values as they were given. All zeros: nothing is left out. */
struct filter_set {
	struct filter filter;
	/* cgroups, units and namespaces are those of a recording: they are not looked for here */
	bool elsewhere;
	struct filter_networks networks; /* of which the filter has the segments */
	unsigned int count;		 /* of `values` */
	unsigned int used;		 /* of `texts` */
	struct filter_value {
		unsigned short kind;
		unsigned short negative;
		unsigned int text; /* where in `texts` it begins */
	} values[FILTER_VALUES_MAX];
	char texts[FILTER_TEXT_BYTES];
};

/*
 * Take a value, besides those before, for one half of a filter. Names (of units, cgroups,
 * namespaces) are looked up now. NULL if it is well; else what is wrong and what would do, which
 * the caller frees; the set is then not to be used any more.
 */
char *filter_take(struct filter_set *set, enum filter_kind kind, bool negative, const char *value);

/* Take all values of one half out. */
void filter_clear(struct filter_set *set, enum filter_kind kind, bool negative);

/*
 * Have an inotify(7) descriptor tell when cgroups and units of the set may be there again: then
 * filter_look_up(), and this again. -ENOSPC: too many are watched on this host. Else as inotify(7).
 */
int filter_watch(const struct filter_set *set, int inotify);

/*
 * Look cgroups and units up anew. One that is not there now, or that has more cgroups than there
 * are places, matches nothing: *ret_wrong then says why, of the last such (the caller frees it),
 * else it is NULL. Returns whether anything changed.
 */
bool filter_look_up(struct filter_set *set, char **ret_wrong);

/*
 * What the kernel side would have said of an event, by its record, which has passed event_check(),
 * and by what its numbers are called, as names_of() gives it. Of a set that is `elsewhere`.
 */
bool filter_takes_event(const struct filter_set *set, const struct event *event,
			const char *const names[NAMED_NUMBERS_MAX]);

/* Leave this connection out, in both directions. NULL: none. It is no value of the set. */
void filter_exclude(struct filter_set *set, const struct ssh_connection *connection);

/* The half's value of this number, from 0, as it was given. NULL: there is none. */
const char *filter_value(const struct filter_set *set, enum filter_kind kind, bool negative,
			 unsigned int number);

#endif
