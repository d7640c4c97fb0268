/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * service.h - what netlog tells the service manager: sd_notify(3), Type=notify. Without one it is
 * all nothing.
 */
#ifndef NETLOG_SERVICE_H
#define NETLOG_SERVICE_H

#include <stdbool.h>

#include "run/lines.h"

/* Is there a service manager that wants to be told? */
bool service_managed(void);

/* Hooks are attached, outputs are open. After service_reloading(), too. */
void service_ready(const struct lines *lines, uint64_t lost);
/* The configuration is being read anew; until service_ready(). */
void service_reloading(void);
/* The figures, in words. */
void service_status(const struct lines *lines, uint64_t lost);
void service_stopping(void);

#endif
