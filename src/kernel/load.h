/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * load.h - finding out what the kernel refuses, and loading the best that is left.
 */
#ifndef NETLOG_LOAD_H
#define NETLOG_LOAD_H

#include "kernel/object.h"

/*
 * Load the best hooks that the kernel accepts; refused ones get their error. If no event is left to
 * be served, nothing is loaded, and `events` is 0. May be called again after object_attach().
 * -ENODATA: the kernel has no BTF; -EBADMSG: libbpf does not understand it. -ENOMEM, and errors of
 * bpf(2) that are not about a hook.
 */
int object_load(struct object *object);

#endif
