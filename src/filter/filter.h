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
		bool negative;
		bool missing;	    /* a cgroup or unit that is not there now: it matches nothing */
		bool told;	    /* for the caller: that some are left aside has been said */
		unsigned int aside; /* cgroups of the unit's name that it does not stand for */
		unsigned int text;  /* where in `texts` it begins */
	} values[FILTER_VALUES_MAX];
	char texts[FILTER_TEXT_BYTES];
};

/*
 * Take a value, besides those before, for one half of a filter. Names (of units, cgroups,
 * namespaces) are looked up now; units and cgroups need not be there, see filter_look_up(). NULL if
 * it is well; else what is wrong and what would do, which the caller frees; the set is then not to
 * be used any more.
 */
char *filter_take(struct filter_set *set, enum filter_kind kind, bool negative, const char *value);

/* Remove all values of one half. */
void filter_clear(struct filter_set *set, enum filter_kind kind, bool negative);

/*
 * Look cgroups and units up anew. One that is not there matches nothing until it comes. Of a unit's
 * cgroups only those count that root's systemd has made; where there are none, those of users do
 * for
 * --unit, as many as there is room for, and none for --not-unit, behind which anybody could hide.
 * With an inotify(7) descriptor (else negative) that is told when others may have come: then this
 * again. *ret_wrong says why one is not taken (the caller frees it), else it is NULL. 0; an error
 * of the descriptor's: -ENOSPC when too many directories are watched on this host; an error of
 * cgroup_walk() or of cgroup_by_path().
 */
int filter_look_up(struct filter_set *set, int inotify, char **ret_wrong);

/* Have what another set, of the same values, was told by filter_look_up(). Is anything other then? */
bool filter_look_up_take(struct filter_set *set, const struct filter_set *looked_up);

/* What there is to say of the value of this number: it is not there, or has been left aside. The
 * caller frees it; NULL: nothing. */
char *filter_notice(const struct filter_set *set, unsigned int number);

/*
 * What the kernel side would have decided about an event, by its record, which has passed
 * event_check(), and by the names of its numbers as names_of() returns them. For a set that is
 * `elsewhere`.
 */
bool filter_takes_event(const struct filter_set *set, const struct event *event,
			const char *const names[NAMED_NUMBERS_MAX]);

/*
 * Halves that both refuse events of this type, with this value of its choice (0: it has none),
 * because what they ask about is not known yet: at stage transport, a packet has no socket.
 */
uint32_t filter_undecided(enum event_type type, unsigned int value);

/*
 * Exclude this connection, in both directions; NULL: none. It does not count as a value of the set.
 */
void filter_exclude(struct filter_set *set, const struct ssh_connection *connection);

/* The half's value of this number, from 0, as it was given; NULL past the last. */
const char *filter_value(const struct filter_set *set, enum filter_kind kind, bool negative,
			 unsigned int number);

#endif
