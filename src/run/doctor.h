/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * doctor.h - what netlog can see on this host, and what to do about the rest: --doctor.
 */
#ifndef NETLOG_DOCTOR_H
#define NETLOG_DOCTOR_H

#include "schema/control.h"
#include "settings/command_line.h"

/*
 * Look at the kernel, and load and attach each hook for a moment. The findings are a JSON object,
 * which the caller puts: host, checks, events. *ret_healthy: every event that the options ask for
 * can be served. -ENOMEM.
 */
int doctor_examine(const struct options *options, struct json_object **ret_findings,
		   bool *ret_healthy);

/* Print the findings for people, to stdout. */
void doctor_print(struct json_object *findings);

#endif
