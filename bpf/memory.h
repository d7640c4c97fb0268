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
 * A connection that is accepted begins with a copy of its listener's, of which only the owner is
 * true of it: see socket.bpf.c. All but the owner is written with the socket's lock held.
 */
struct socket_memory {
	struct owner owner;
	struct rtt_reported rtt;
	__u32 known;
	struct connection connection; /* where it is found by its address only: whose `known` is */
	struct retrans_account retrans;
};

#endif
