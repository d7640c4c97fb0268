/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * service.h - messages to the service manager, as sd_notify(3) has them: Type=notify. Without one,
 * all functions do nothing. With one that does not read, they do not wait: a message is lost then,
 * but for READY=1, which goes with a later one.
 */
#ifndef NETLOG_SERVICE_H
#define NETLOG_SERVICE_H

#include <stdbool.h>

#include "run/lines.h"

struct sd_event;

/* Is there a service manager that wants messages? */
bool service_managed(void);

/* Hooks are attached and outputs are open. Also ends service_reloading(). */
void service_ready(const struct lines *lines, uint64_t lost);
/* The configuration is being read again, until service_ready(). */
void service_reloading(void);
/* The figures, in a sentence. */
void service_status(const struct lines *lines, uint64_t lost);
void service_stopping(void);
/* Tell the manager while the loop runs, if it asks for that (WATCHDOG_USEC). An error of sd-event. */
int service_watch(struct sd_event *loop);

#endif
