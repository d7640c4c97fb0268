/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * config.h - what user space and the kernel side tell each other outside the ring.
 */
#ifndef NETLOG_CONFIG_H
#define NETLOG_CONFIG_H

#include "events.h"

/*
 * What a kernel may lack, so that programs have to do without: X(name, rests_on, words, function).
 * Each is a word of struct config, no_<name>, which programs ask before they use it. It is of no
 * use where those that it rests on are lacking. `words` is what the verifier says of a program that
 * uses it nevertheless, and `function` the kernel's own, as its BTF knows it, behind a helper;
 * NULL: they do not tell.
 *
 * loads: through typed pointers, in programs that have functions. A kernel that cannot mend a load
 * that faults is given none, and fields are copied (src/kernel/extable.h). So there are no pointers
 * that come from loads: memory of a socket is found by the socket's address.
 */
#define FEATURES(X)                                                                     \
	X(loads, 0, NULL, NULL)                                                         \
	X(sk_storage, FEATURE(loads), "unknown func bpf_sk_storage_get",                \
	  "bpf_sk_storage_get_tracing")                                                 \
	X(cookie, 0, "unknown func bpf_get_socket_cookie", "bpf_get_socket_ptr_cookie") \
	/* BPF_FUNC_get_current_task_btf, which has no name where it is not */          \
	X(task_btf, FEATURE(loads), "invalid func unknown#158", "bpf_get_current_task_btf")

#define FEATURE_ID(name, ...) feature_##name,
enum { FEATURES(FEATURE_ID) features };
#define FEATURE(name) (1ULL << feature_##name)
_Static_assert(features <= 64, "a feature too many: sets of them are bits of a u64");

#define CONFIG_NO(name, ...) __u32 no_##name;

/* Set before loading; the verifier then knows the values. */
struct config {
	__u64 tick_ns; /* length of a jiffy, for the kernel's timeouts */
	FEATURES(CONFIG_NO)
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
	__u64 rtt_interval_ns;	       /* at the least between two rtt lines of a socket; 0: none */
	__u64 events_off;	       /* event types that are not wanted, as bits */
	__u64 values_off[event_types]; /* values of their choices, likewise */
	struct limits limits[event_types]; /* of what they measure, in its unit */
	__u32 generation;		   /* of the filters in force */
	__u64 pace_ns[event_types];	   /* at the least between two events; 0: none */
	__u32 one_in[event_types];	   /* of so many flows one is kept; not 0 */
	__u32 adaptive;			   /* fewer while the ring is full: not 0 */
	__u64 attached_ns; /* since when all hooks are, CLOCK_MONOTONIC; 0: not yet */
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
	/* counts of the kernel's that had gone backwards, so that nobody knows what was missed */
	__u64 refused[event_types];
} __attribute__((aligned(64)));

#endif
