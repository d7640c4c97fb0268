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
	__u64 begun_ns; /* CLOCK_BOOTTIME; 0 where it makes no difference: config.no_processes */
	__u32 pid;	/* 0: unknown */
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
#define KNOWN_START 1U /* it was established while netlog ran */
#define KNOWN_RTT 2U   /* rtt */

/*
 * How far TCP's count of a connection's retransmits has been accounted for: see
 * retransmit_account.bpf.h.
 */
struct retrans_account {
	__u32 total; /* of TCP's own count, all up to here is in lines, or counted as lost */
	__u32 known; /* ACCOUNT_ bits; 0: nothing */
	struct connection connection; /* whose it is: a copy of a listener's is nobody's */
	__u32 found; /* one more than TCP's count when netlog began; 0: not known */
};

#define ACCOUNT_TOTAL 1U    /* total */
#define ACCOUNT_NEW 2U	    /* its socket had no ports yet: `connection` is not known */
#define ACCOUNT_ACCEPTED 4U /* TCP's count began with that of its request */

/*
 * An accepted connection begins with a copy of its listener's memory, of which only the owner is
 * true for it: see socket.bpf.c. All but the owner is written with the socket's lock held.
 */
struct socket_memory {
	struct owner owner;
	struct rtt_reported rtt;
	__u32 known;
	struct connection connection; /* where it is found by its address only: whose `known` is */
	struct retrans_account retrans;
};

#endif
