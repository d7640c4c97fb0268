/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.bpf.h - what all programs share with each other and with user space: the ring, the
 * settings, the counters, the doorbell.
 *
 * Maps and small globals are __weak: each bpf/<event>.bpf.c defines them, and `bpftool gen object`
 * merges them into one. It leaves the room of the others, though, and kernels before Linux 5.11 take
 * no more than 4 MiB of globals in all (array_map_alloc_check()): what is large is in state.bpf.c.
 */
#ifndef NETLOG_STATE_BPF_H
#define NETLOG_STATE_BPF_H

#include "kernel.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "config.h"

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* replaced by --ring-size */
} ring SEC(".maps") __weak;

__weak const volatile struct config config = {};

__weak struct settings settings = {};

extern struct counters counters[COUNTER_CPUS];

/*
 * User space raises the doorbell before it sleeps; the next event lowers it and wakes user space.
 * All other events are submitted without a wakeup, which would cost microseconds: user space that
 * is awake looks at the ring by itself. See probe_sleep().
 */
__weak __u32 doorbell __attribute__((aligned(64))) = 0;

/*
 * Have the verifier know nothing of the numbers in this object. It goes through all that follows
 * once for each set of values that it knows: where ways join that have left different ones, it
 * would do so for each way, and before Linux 5.12 the more so in programs with functions. The
 * object is written to the stack and read again; what is smaller than eight bytes is not followed
 * there.
 */
#define VALUES_FORGET(object) asm volatile("" ::"r"(object) : "memory")

static __always_inline struct counters *cpu_counters(void)
{
	return &counters[bpf_get_smp_processor_id() & (COUNTER_CPUS - 1)];
}

#endif
