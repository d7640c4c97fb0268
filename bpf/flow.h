/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow.h - who sends to whom.
 */
#ifndef NETLOG_FLOW_H
#define NETLOG_FLOW_H

#include <stdbool.h>

#include "events.h"

/*
 * Addresses are those of the packet on the wire, or the socket's if there is no packet. A flow is
 * known before a record is reserved, so that filters can refuse the event early. Bytes not used by
 * a value are zero.
 */
struct flow {
	struct ip_address src, dest;
	__u32 netns;
	__u16 src_port, dest_port;
	__u8 ip_version; /* 4 or 6; 0: not IP, and nothing more is known */
	__u8 proto;	 /* 0: unknown */
	bool has_ports;
} __attribute__((aligned(8))); /* addresses are compared by words of eight bytes */

#endif
