/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netns.h - network namespaces by name and path.
 */
#ifndef NETLOG_NETNS_H
#define NETLOG_NETNS_H

#include <stdint.h>

/*
 * The number of the network namespace with this name (as in ip-netns(8)) or path (if it has a
 * slash). -ENOENT: there is none. -EINVAL: something else is there. Other errors: it cannot be
 * looked at.
 *
 * Links of other processes' files, as /proc/PID/ns/net, may be followed only by those who may trace
 * the process. Where such a path led is remembered, and counts as long as the process lives, also
 * if it has moved to another namespace since.
 */
int netns_by_name(const char *name, uint32_t *ret_number);

#endif
