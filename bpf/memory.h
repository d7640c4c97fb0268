/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * memory.h - what the kernel side remembers of a socket from one event to the next.
 *
 * For both sides, since a test looks into it: tests/live/traffic.c.
 */
#ifndef NETLOG_MEMORY_H
#define NETLOG_MEMORY_H

#include "events.h"

/*
 * Read and written without a lock (tracing programs have none), at any time, on any CPU: `sum`
 * tells a whole record from a mixture of two, and a mixture is nobody.
 */
struct owner {
	__u64 comm[COMM_BYTES / sizeof(__u64)];
	__u32 pid; /* 0: not known */
	__u32 sum;
	__u32 found;	/* not seen at work, but found among a process's files */
	__u32 reserved; /* the record has no gaps, where garbage might lie */
};

/* The estimates in a socket's last rtt line, and when it was; 0: there has been none. */
struct rtt_reported {
	__u64 time_ns;
	__u32 srtt_us;
	__u32 mdev_us;
};

/* Which connection a socket's address stands for: its next one there has others of these. */
struct connection {
	__u32 hash; /* of addresses, ports and namespace: inet_ehashfn() */
	__u16 local_port, remote_port;
};

/* What is remembered of a connection, as bits of `known`. */
#define KNOWN_START 1U	 /* it was established while netlog ran */
#define KNOWN_RTT 2U	 /* rtt */
#define KNOWN_RETRANS 4U /* retrans_total */

/*
 * A connection that is accepted begins with a copy of its listener's, of which only the owner is
 * true of it: see socket.bpf.c. All but the owner is written with the socket's lock held.
 */
struct socket_memory {
	struct owner owner;
	struct rtt_reported rtt;
	__u32 known;
	__u32 retrans_total;	      /* TCP's own count, when a program saw it last */
	struct connection connection; /* where it is found by its address only: whose `known` is */
};

#endif
