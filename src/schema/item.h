/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * item.h - what flows through netlog: lines make items of records, makers make bytes of items,
 * sinks take bytes.
 */
#ifndef NETLOG_ITEM_H
#define NETLOG_ITEM_H

#include "schema/event.h"

struct json_object;

/* Where items come from. Texts; "": unknown. */
struct origin {
	char hostname[72]; /* any bytes, at most HOST_NAME_MAX */
	char boot_id[40];  /* 32 hexadecimal digits */
};

#define ITEM_FOR_ALL UINT32_MAX /* takers: every output */

/* A thing to be written: an event or a control line. */
struct item {
	enum event_type type;	   /* event_none: a control line */
	const struct event *event; /* has passed event_check(); NULL in a control line */
	struct json_object
		*control; /* the line's keys and values, see control.h; NULL of an event */
	uint64_t seq;
	int64_t offset_ns; /* of an event: CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint32_t takers;   /* outputs whose filters let it pass, as bits: output_takers() */
	/* of an event, as from names_of(); NULL: not looked up */
	const char *const *names;
};

#endif
