/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * attach.h - loading and attaching what the options ask for, with messages about what cannot be.
 */
#ifndef NETLOG_ATTACH_H
#define NETLOG_ATTACH_H

#include "kernel/probe.h"
#include "output/output.h"
#include "settings/settings.h"

/*
 * Attach the hooks that the options and the output's sinks need. 0, or an exit status of
 * sysexits.h (logged). The caller frees the probe in both cases; it may be NULL after an error.
 */
int attach(const struct options *options, const struct output *output, struct probe **ret_probe);

/*
 * Attached programs need no capabilities any more. Only opening another user's file again, which
 * root was asked to write to, needs one; and on old kernels, reading the figures.
 */
void capabilities_drop(const struct options *options, struct probe *probe,
		       const struct output *output);

#endif
