/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * transit.h - what is remembered of packets under way. For both sides only because the skeleton
 * names the tables: user space never looks into them.
 */
#ifndef NETLOG_TRANSIT_H
#define NETLOG_TRANSIT_H

#include <linux/types.h>

#define TRANSIT_BITS 14
#define TRANSIT_SIZE (1 << TRANSIT_BITS)

struct transit_slot {
	__u64 entry;
	__u64 identity; /* ^ entry */
};

/* What has become of a packet since; bits of a note. */
enum {
	note_handed_up = 1,  /* given to a driver that has this host receive it again */
	note_handed_on = 2,  /* given to a driver that gives it to another device */
	note_has_origin = 4, /* it has come by more than one device */
};

/*
 * Notes about a received packet for later stages, at the same index as its entry. While a new
 * packet takes over the place, `dev` may already be another packet's: the device's number is stored
 * beside it, and readers of the name compare the two. The stages' times count from entry; 0 means
 * unknown, also for times that do not fit (over four seconds).
 */
struct note {
	__u64 dev;
	__u32 ifindex;
	__u32 transport_ns;
	__u32 tcp_ns;
	__u32 headers; /* what does not change of them: headers_read() */
	__u8 proto;    /* the transport that has had it; 0: none that we know of */
	__u8 flags;
	__u32 unused; /* two of them are a cache line */
};
_Static_assert(sizeof(struct note) == 32, "two notes are a cache line");

/* Of packets that have come by more than one device, at the same index. */
struct origin {
	__u64 of;  /* the packet's entry: if that is another, so is this */
	__u64 dev; /* by which it came in first, or was first sent if it was made here */
	__u32 ifindex;
	__u32 headers_whole; /* while it is handed on: all of headers_read() */
	__u64 device_ns;     /* when its last device had it */
};

#endif
