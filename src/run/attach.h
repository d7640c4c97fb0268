/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * attach.h - the beginning of a run on the kernel side, and what people are told of it.
 */
#ifndef NETLOG_ATTACH_H
#define NETLOG_ATTACH_H

#include "kernel/probe.h"
#include "settings/command_line.h"

/*
 * Load and attach what the options and these outputs need. What cannot be served is logged. 0, and
 * *ret_probe is the caller's; else a status of sysexits.h: EX_NOPERM, EX_OSFILE (BTF), EX_OSERR, or
 * EX_UNAVAILABLE when something that the user named cannot be served. *ret_probe may be set then,
 * too.
 */
int attach_probe(const struct options *options, const struct output *output,
		 struct probe **ret_probe);

/*
 * What is attached needs no capability any more. Only a file of somebody else, which root has been
 * told to write to, needs one to be opened anew; and old kernels one for the figures.
 */
void attach_drop_capabilities(const struct options *options, struct probe *probe,
			      const struct output *output);

#endif
