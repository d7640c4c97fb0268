/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroups.h - the cgroups that values of --cgroup and --unit stand for.
 */
#ifndef NETLOG_FILTER_CGROUPS_H
#define NETLOG_FILTER_CGROUPS_H

#include "filter/filter.h"

/*
 * Look up those of the values from this number on, and put their cgroups into the filter, besides
 * those in there. `inotify` and *ret_error as in filter_look_up(). NULL if it is well; else what is
 * wrong, which the caller frees: values that are in order are taken all the same.
 */
char *cgroups_look_up(struct filter_set *set, unsigned int from, int inotify, int *ret_error);

#endif
