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
 * The id of the innermost container, by the names that docker, containerd (also by its CRI and
 * nerdctl), CRI-O and podman (also within a unit of its own, as Quadlet does it) give to cgroups,
 * with systemd's driver and without. False: there is none.
 */
bool cgroup_path_container(const char *path, struct text_part *ret_id);

#define POD_UID_LENGTH_MAX 36 /* with dashes */

/*
 * The uid of the innermost pod, by the names that kubelet gives to cgroups, with systemd's driver
 * and without: as the API tells it (metadata.uid), or the hash that a static pod has in its stead.
 * `uid` is not terminated if it has all POD_UID_LENGTH_MAX bytes. False: there is none.
 */
bool cgroup_path_pod(const char *path, char uid[POD_UID_LENGTH_MAX]);

#endif
