/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter.h - from the values of --port, --addr and the like to the filter that the kernel side
 * asks.
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

/* The filter, and the values as they were given. All zeros: nothing is left out. */
struct filter_set {
	struct filter filter;
	/*
	 * cgroups, units and namespaces are those of a recording, and are not looked up on this
	 * host
	 */
	bool elsewhere;
	struct filter_networks networks; /* as given; the filter has the segments made of them */
	unsigned int count;		 /* of `values` */
	unsigned int used;		 /* of `texts` */
	struct filter_value {
		unsigned short kind;
		unsigned short negative;
		unsigned int text; /* its place in `texts` */
	} values[FILTER_VALUES_MAX];
	char texts[FILTER_TEXT_BYTES];
};

/*
 * Add a value to one half of a filter. Names (of units, cgroups, namespaces) are looked up now.
 * Returns NULL on success, otherwise what is wrong and what would do, which the caller frees; then
 * the set is not to be used any more.
 */
char *filter_take(struct filter_set *set, enum filter_kind kind, bool negative, const char *value);

/* Remove all values of one half. */
void filter_clear(struct filter_set *set, enum filter_kind kind, bool negative);

/*
 * Have an inotify(7) descriptor report when cgroups and units of the set may exist again; then call
 * filter_look_up(), and this again. -ENOSPC: too many files are watched on this host. Other errors
 * are those of inotify(7).
 */
int filter_watch(const struct filter_set *set, int inotify);

/*
 * Look up cgroups and units again. One that is missing, or that has too many cgroups, matches
 * nothing: *ret_wrong then says why, for the last of them (the caller frees it), otherwise it is
 * NULL. Returns whether anything changed.
 */
bool filter_look_up(struct filter_set *set, char **ret_wrong);

/*
 * What the kernel side would have decided about an event, by its record, which has passed
 * event_check(), and by the names of its numbers as names_of() returns them. For a set that is
 * `elsewhere`.
 */
bool filter_takes_event(const struct filter_set *set, const struct event *event,
			const char *const names[NAMED_NUMBERS_MAX]);

/*
 * Exclude this connection, in both directions; NULL: none. It does not count as a value of the set.
 */
void filter_exclude(struct filter_set *set, const struct ssh_connection *connection);

/* The half's value of this number, from 0, as it was given; NULL past the last. */
const char *filter_value(const struct filter_set *set, enum filter_kind kind, bool negative,
			 unsigned int number);

#endif
