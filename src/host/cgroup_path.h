/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup_path.h - finding systemd's unit and the container in a cgroup's path.
 */
#ifndef NETLOG_CGROUP_PATH_H
#define NETLOG_CGROUP_PATH_H

#include <stdbool.h>

#include "base/text.h"

#define CONTAINER_ID_LENGTH 64 /* hexadecimal digits */

/*
 * The innermost unit with processes (so not a slice), of the system's manager or a user's: a user's
 * service is found itself, rather than user@1000.service. False: there is none.
 */
bool cgroup_path_unit(const char *path, struct text_part *ret_unit);

/*
 * The id of the innermost container, by the cgroup names of docker, containerd (also through CRI
 * and nerdctl), CRI-O and podman, with systemd's driver or without. False: there is none.
 */
bool cgroup_path_container(const char *path, struct text_part *ret_id);

#endif
