/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * config.h - what user space and the kernel side tell each other outside the ring.
 */
#ifndef NETLOG_CONFIG_H
#define NETLOG_CONFIG_H

#include "events.h"

/* Set before loading; the verifier then knows the values. */
struct config {
	__u64 tick_ns; /* length of a jiffy, for the kernel's timeouts */
	/* helpers that this kernel does not offer to such programs (5.10): calls are left out */
	__u32 no_sk_storage;
	__u32 no_cookie;
	__u32 no_task_btf;
	__u32 no_loads; /* fields are copied: the kernel cannot mend a load that faults */
	/* nothing is filtered, and nothing will be: the code for it is left out, too */
	__u32 no_filter;
	__u32 no_output_filters;   /* the same of what outputs have of their own */
	__u32 ring_sixteenth_bits; /* a sixteenth of the ring is 2 to this, bytes */
};

/* A value is wanted that is not below the one, and below the other. */
struct limits {
	__u64 least;
	__u64 below;
};

/* In mapped memory: may be changed at any time, each word by itself. */
struct settings {
	__u64 rtt_interval_ns;	    /* at the least between two rtt lines of a socket; 0: none */
	struct limits rtt_us;	    /* other samples make no rtt line */
	struct limits latency_ns;   /* other packets make no latency line */
	__u64 events_off;	    /* event types that are not wanted, as bits */
	__u64 stages_off;	    /* stages of latency, as bits by their number */
	__u32 generation;	    /* of the filters in force */
	__u64 pace_ns[event_types]; /* at the least between two events; 0: none */
	__u32 one_in[event_types];  /* of so many flows one is kept; not 0 */
	__u32 adaptive;		    /* fewer while the ring is full: not 0 */
};

/* In mapped memory, raised and lowered by the kernel side: of 2^shift events one is kept. */
struct pressure {
	__u64 since_ns; /* CLOCK_BOOTTIME, when it began to be so, or last had to be so */
	__u32 shift;
	__u32 peak; /* the highest since user space has set it back */
};

/*
 * What each CPU counted, in mapped memory, so that reading it takes no system call. A CPU has its
 * own lines: no bouncing between caches. CPUs beyond the array share (the counting is atomic).
 */
#define COUNTER_CPUS 1024

struct counters {
	__u64 produced[event_types];	/* events wanted, whether or not the ring took them */
	__u64 lost[event_types];	/* of these, those for which the ring had no room */
	__u64 missed[event_types];	/* of these, those that were not seen, or not whole */
	__u64 sampled_out[event_types]; /* events wanted, and left out by sampling: not produced */
	__s64 waiting[event_types];	/* weight of such events, for the next line; see sample.h */
} __attribute__((aligned(64)));

#endif
