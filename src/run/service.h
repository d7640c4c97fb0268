/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * service.h - messages to the service manager: sd_notify(3), Type=notify. Without one, all
 * functions do nothing.
 */
#ifndef NETLOG_SERVICE_H
#define NETLOG_SERVICE_H

#include <stdbool.h>

#include "run/lines.h"

/* Is there a service manager that wants messages? */
bool service_managed(void);

/* Hooks are attached and outputs are open. Also ends service_reloading(). */
void service_ready(const struct lines *lines, uint64_t lost);
/* The configuration is being read again, until service_ready(). */
void service_reloading(void);
/* The figures, in a sentence. */
void service_status(const struct lines *lines, uint64_t lost);
void service_stopping(void);

#endif
