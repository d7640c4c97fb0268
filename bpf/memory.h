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
 * Read and written at any time, on any CPU and without a lock, which tracing programs do not have.
 * `sum` tells a whole record from a mixture of two; an owner whose sum is wrong is unknown.
 */
struct owner {
	__u64 comm[COMM_BYTES / sizeof(__u64)];
	__u32 pid; /* 0: unknown */
	__u32 sum;
	__u32 found;	/* not seen at work, only found among a process's open files */
	__u32 reserved; /* so that the struct has no gap with undefined bytes */
};

/* The estimates in the socket's last rtt line, and the line's time; 0: there was none yet. */
struct rtt_reported {
	__u64 time_ns;
	__u32 srtt_us;
	__u32 mdev_us;
};

/* Which connection uses a socket's address now: the next one there differs in one of these. */
struct connection {
	__u32 hash; /* of addresses, ports and namespace: inet_ehashfn() */
	__u16 local_port, remote_port;
};

/* What is remembered of a connection, as bits of `known`. */
#define KNOWN_START 1U	 /* it was established while netlog was running */
#define KNOWN_RTT 2U	 /* rtt */
#define KNOWN_RETRANS 4U /* retrans_total */

/*
 * An accepted connection begins with a copy of its listener's memory, of which only the owner is
 * true for it: see socket.bpf.c. All but the owner is written with the socket's lock held.
 */
struct socket_memory {
	struct owner owner;
	struct rtt_reported rtt;
	__u32 known;
	__u32 retrans_total;	      /* TCP's own count when a program last saw it */
	struct connection connection; /* in the table by address: which one `known` is about */
};

#endif
