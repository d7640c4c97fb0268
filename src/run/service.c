// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/service.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#define STATUS_BYTES 512

bool service_managed(void)
{
	return getenv("NOTIFY_SOCKET");
}

static void status_text(const struct lines *lines, uint64_t lost, char *text)
{
	char figures[STATUS_BYTES] = "";

	for_each_event_type(type) {
		char figure[64];

		if (!(lines->events & BIT(type)))
			continue;
		snprintf(figure, sizeof(figure), "%s %llu", event_desc(type)->name,
			 (unsigned long long)lines->emitted.of[type]);
		list_add(figures, sizeof(figures), figure);
	}
	snprintf(text, STATUS_BYTES, "%.400s; %llu lost", figures, (unsigned long long)lost);
}

void service_ready(const struct lines *lines, uint64_t lost)
{
	char text[STATUS_BYTES];

	status_text(lines, lost, text);
	sd_notifyf(0, "READY=1\nSTATUS=%s", text);
}

void service_status(const struct lines *lines, uint64_t lost)
{
	char text[STATUS_BYTES];

	status_text(lines, lost, text);
	sd_notifyf(0, "STATUS=%s", text);
}

/* Type=notify-reload needs the time in the same message, by CLOCK_MONOTONIC. */
void service_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)now.tv_sec * USEC_PER_SEC +
			   (unsigned long long)now.tv_nsec / NSEC_PER_USEC);
}

void service_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}
