/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * config.h - memory shared by user space and the kernel side, beside the ring.
 */
#ifndef NETLOG_CONFIG_H
#define NETLOG_CONFIG_H

#include "events.h"
#include "transit.h"

/*
 * What a kernel may lack, so that programs have to do without: X(name, rests_on, words, function).
 * Each makes a member of struct config, no_<name>, which programs check before they use the
 * feature. `rests_on`: features without which this one is of no use. `words`: what the verifier
 * says of a program that uses the feature all the same. `function`: the kernel function behind the
 * helper, as its BTF names it. NULL: the feature cannot be recognised that way.
 *
 * loads: loading through typed pointers, in programs that have functions. Where a kernel cannot
 * mend a load that faults, programs make none and copy fields instead (src/kernel/extable.h). So
 * they have no pointers that come from loads, and find the memory of a socket by the socket's
 * address.
 */
#define FEATURES(X)                                                                         \
	X(loads, 0, NULL, NULL)                                                             \
	X(sk_storage, FEATURE(loads), "unknown func bpf_sk_storage_get",                    \
	  "bpf_sk_storage_get_tracing")                                                     \
	X(cookie, 0, "unknown func bpf_get_socket_cookie", "bpf_get_socket_ptr_cookie")     \
	/* 158: BPF_FUNC_get_current_task_btf, unnamed where it is unknown */               \
	X(task_btf, FEATURE(loads), "invalid func unknown#158", "bpf_get_current_task_btf") \
	/* 175: BPF_FUNC_task_pt_regs, likewise */                                          \
	X(task_regs, FEATURE(task_btf), "invalid func unknown#175", "bpf_task_pt_regs")

#define FEATURE_ID(name, ...) feature_##name,
enum { FEATURES(FEATURE_ID) features };
#define FEATURE(name) (1ULL << feature_##name)
_Static_assert(features <= 64, "a feature too many: sets of them are bits of a u64");

#define CONFIG_NO(name, ...) __u32 no_##name;

/* Set before loading; the verifier then knows the values. */
struct config {
	__u64 tick_ns; /* length of a jiffy, for the kernel's timeouts */
	FEATURES(CONFIG_NO)
	/* nothing is filtered, and never will be: the verifier drops the code for it */
	__u32 no_filter;
	__u32 no_output_filters;   /* the same of what outputs have of their own */
	__u32 no_processes;	   /* which process has a pid makes no difference: PROCESS_OF() */
	__u32 ring_sixteenth_bits; /* a sixteenth of the ring is 2 to this, bytes */
};

/* Values are wanted from `least` on, and below `below`. */
struct limits {
	__u64 least;
	__u64 below;
};

/* Mapped by user space, which may change each word at any time. */
struct settings {
	__u64 rtt_interval_ns; /* at least, between two rtt lines of a socket; 0: no limit */
	__u64 events_off;      /* event types that are not wanted, as bits */
	__u64 values_off[event_types];	   /* values of its choice that are not wanted, as bits */
	struct limits limits[event_types]; /* of what it measures, in its unit */
	__u32 generation;		   /* of the filters in force */
	__u64 pace_ns[event_types];	   /* at the least between two events; 0: none */
	__u32 one_in[event_types];	   /* of so many flows one is kept; not 0 */
	__u32 adaptive;			   /* fewer while the ring is full: not 0 */
	__u64 attached_ns; /* since when all hooks are, CLOCK_MONOTONIC; 0: not yet */
};

/* Mapped; the kernel side raises and lowers it. One of 2^shift events is kept. */
struct pressure {
	__u64 since_ns; /* CLOCK_BOOTTIME; when `shift` last changed, or was last needed */
	__u32 shift;
	__u32 peak; /* highest shift since user space reset it */
};

/*
 * Counts of each CPU, mapped, so that reading them takes no system call. Each CPU has its own cache
 * lines. CPUs with higher numbers than the array has places share them, so counting is atomic.
 */
#define COUNTER_CPUS 1024

struct counters {
	__u64 produced[event_types];	/* events wanted, whether or not the ring took them */
	__u64 lost[event_types];	/* of these, events for which the ring had no room */
	__u64 missed[event_types];	/* of these, events not seen, or seen only in part */
	__u64 sampled_out[event_types]; /* events wanted, and left out by sampling: not produced */
	__s64 waiting[event_types];	/* weight of such events, for the next line; see sample.h */
	/* counts of the kernel's that had gone backwards, so that nobody knows what was missed */
	__u64 refused[event_types];
} __attribute__((aligned(64)));

#endif
