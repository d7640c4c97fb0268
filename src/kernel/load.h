/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * load.h - finding out what the kernel refuses, and loading the best that is left.
 */
#ifndef NETLOG_LOAD_H
#define NETLOG_LOAD_H

#include "kernel/object.h"

/*
 * Load the best hooks that the kernel takes; those it refuses have their error. With no event left
 * to serve, nothing is loaded, and `events` is 0. May be called again after object_attach().
 * -ENODATA: the kernel has no BTF; -EBADMSG: none that libbpf understands. -ENOMEM, and any other
 * error of bpf(2) that is no hook's own.
 */
int object_load(struct object *object);

#endif
