/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * item.h - the one thing that flows: lines make items of records, makers make bytes of items, sinks
 * take bytes.
 */
#ifndef NETLOG_ITEM_H
#define NETLOG_ITEM_H

#include "schema/event.h"

struct json_object;

/* Whose items they are. Texts, "": not known. */
struct origin {
	char hostname[72]; /* any bytes, HOST_NAME_MAX at the most */
	char boot_id[40];  /* 32 hexadecimal digits */
};

#define ITEM_FOR_ALL UINT32_MAX /* takers: all of them */

/* What there is to be written: an event, or a line of netlog's own. */
struct item {
	enum event_type type;	   /* event_none: a control line */
	const struct event *event; /* has passed event_check(); NULL of a control line */
	struct json_object
		*control; /* the line's keys and values, see control.h; NULL of an event */
	uint64_t seq;
	int64_t offset_ns; /* of an event: CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint32_t takers; /* outputs whose filters let it through, by their bits: output_takers() */
	/* of an event, as names_of() has them; NULL: nobody has looked for them */
	const char *const *names;
};

#endif
