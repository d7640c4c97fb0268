// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * service.c - sd_notify(3) waits while the manager does not read, as systemd does while it is
 * stopped or starts anew. The ring would not be drained in that time: so messages are sent here, at
 * once or not at all.
 */
#include "run/service.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "run/timer.h"

#define STATUS_BYTES 512

static bool ready_owed; /* the manager does not know yet that we are ready */

bool service_managed(void)
{
	return getenv("NOTIFY_SOCKET");
}

/* The socket's address, of which a leading @ stands for a null byte. Returns its length; 0: none. */
static socklen_t manager_address(struct sockaddr_un *ret_address)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;

	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (length < 2 || length >= sizeof(ret_address->sun_path) || !strchr("/@", *path))
		return 0;
	memcpy(ret_address->sun_path, path, length);
	if (*path == '@')
		ret_address->sun_path[0] = 0;
	else
		length++; /* its end belongs to the path */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

/* Is there a manager, and has it taken the message? */
static bool message_send(const char *text)
{
	struct sockaddr_un address;
	socklen_t length = manager_address(&address);
	_cleanup_close_ int fd = -1;

	if (!length)
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && sendto(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
				 (struct sockaddr *)&address, length) >= 0;
}

/* What is owed goes with it: only that must arrive, however late. */
static void notify(const char *text)
{
	char whole[STATUS_BYTES + 64];

	snprintf(whole, sizeof(whole), "%s%s", ready_owed ? "READY=1\n" : "", text);
	if (message_send(whole))
		ready_owed = false;
}

static int on_watchdog(sd_event_source *source, uint64_t us _unused_, void *context)
{
	notify("WATCHDOG=1");
	timer_set(source, *(const uint64_t *)context);
	return 0;
}

int service_watch(sd_event *loop)
{
	static uint64_t interval_us;
	sd_event_source *source;
	uint64_t patience_us;
	int r = sd_watchdog_enabled(false, &patience_us);

	if (r <= 0)
		return r;
	interval_us = patience_us / 2;
	r = sd_event_add_time_relative(loop, &source, CLOCK_MONOTONIC, interval_us,
				       TIMER_ACCURACY_US, on_watchdog, &interval_us);
	if (r < 0)
		return r;
	sd_event_source_set_floating(source, true);
	sd_event_source_unref(source);
	return 0;
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

void service_status(const struct lines *lines, uint64_t lost)
{
	char text[STATUS_BYTES], message[STATUS_BYTES + 8];

	status_text(lines, lost, text);
	snprintf(message, sizeof(message), "STATUS=%s", text);
	notify(message);
}

void service_ready(const struct lines *lines, uint64_t lost)
{
	ready_owed = true;
	service_status(lines, lost);
}

/* Type=notify-reload needs the time in the same message, by CLOCK_MONOTONIC. */
void service_reloading(void)
{
	char message[64];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)now.tv_sec * USEC_PER_SEC +
			 (unsigned long long)now.tv_nsec / NSEC_PER_USEC);
	ready_owed = false; /* service_ready() says it */
	notify(message);
}

void service_stopping(void)
{
	ready_owed = false;
	notify("STOPPING=1");
}
