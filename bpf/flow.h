/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow.h - who sends to whom.
 */
#ifndef NETLOG_FLOW_H
#define NETLOG_FLOW_H

#include <stdbool.h>

#include "events.h"

/*
 * Addresses are those that the socket on this host knows, in all lines of a connection: on the way
 * out a packet's headers may have others by then (nat.bpf.h). Of what is forwarded they are the
 * headers'. A flow is known before a record is reserved, so that filters can refuse the event
 * early. Bytes not used by a value are zero.
 */
struct flow {
	struct ip_address src, dest;
	__u32 netns;
	__u16 src_port, dest_port;
	__u8 ip_version;   /* 4 or 6; 0: no IP, and no more is known */
	__u8 proto;	   /* IANA's number */
	bool proto_hidden; /* it is not known, though this is IP: behind headers not to be read */
	bool has_ports;
} __attribute__((aligned(8))); /* addresses are compared by words of eight bytes */

#endif
