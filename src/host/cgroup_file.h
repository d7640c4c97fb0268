/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup_file.h - the unit and the container of a process by its /proc/PID/cgroup, on hosts where
 * cgroups of version 1 tell them: there a socket's own cgroup, which is of version 2, is that of
 * the process's manager at best.
 *
 * A line is a hierarchy's number, its controllers or name, and the path in it:
 * "4:memory:/docker/ID", "9:name=systemd:/system.slice/web.service", or "0::/" of version 2.
 */
#ifndef NETLOG_CGROUP_FILE_H
#define NETLOG_CGROUP_FILE_H

#include <stdbool.h>

#include "host/cgroup_path.h"

/*
 * Does version 1 have systemd's hierarchy, or a controller by which containers are kept? All
 * processes of a host have the same hierarchies. One with others alone, as net_cls for a VPN's
 * split tunnel, has its units and containers in version 2.
 */
bool cgroup_file_has_v1(const char *text);

/*
 * The lines that tell the unit and the container, without the newline behind the last; if there is
 * no room for both, the container's, else the unit's. Returns the length; 0: no line does, or fits.
 */
size_t cgroup_file_keep(const char *text, char *ret_kept, size_t size);

/* The path that the unit lies in. False: there is none, or it is longer. */
bool cgroup_file_unit_path(const char *text, char *ret_path, size_t size);

struct cgroup_file_parts {
	struct text_part unit, container; /* in the text; length 0: none */
	char pod_uid[POD_UID_LENGTH_MAX + 1];
};

/* Of a whole text, or of the lines kept: the same. */
struct cgroup_file_parts cgroup_file_parts(const char *text);

/* Do cgroups of version 1 tell whose a process of this host is? */
enum cgroup_v1 {
	cgroup_v1_not_asked,
	cgroup_v1_absent, /* none are in use in that way; also where /proc is missing */
	/*
	 * They would, but /proc does not show processes of other users by their numbers: it is
	 * mounted with hidepid=, or of another pid namespace.
	 */
	cgroup_v1_hidden,
	cgroup_v1_told,
};

/*
 * Never cgroup_v1_not_asked. The host is asked once, as a process without capabilities, which is
 * how netlog reads there later.
 */
enum cgroup_v1 cgroup_v1(void);

#endif
