/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sample.bpf.h - sampling on the kernel side, asked for each wanted event before a record is
 * reserved.
 *
 * An event that is left out adds its weight to a counter, from which the next line of its type on
 * this CPU takes it. Not so for flows that --sample leaves out: the flows that are kept stand for
 * them.
 */
#ifndef NETLOG_SAMPLE_BPF_H
#define NETLOG_SAMPLE_BPF_H

#include "sample.h"
#include "state.bpf.h"

#define PRESSURE_TOUCH_NS 10000000ULL /* at least, between writes of a word that all CPUs read */

/* For each event type, the time that --max-rate has used up: see pace_passes(). */
__weak __u64 paces[event_types] __attribute__((aligned(64))) = {};

__weak struct pressure pressure __attribute__((aligned(64))) = {};

/*
 * Not exact between CPUs: each may let one event more pass. Atomic operations that return the old
 * value need 5.12.
 */
static __always_inline bool pace_suppresses(__u16 type)
{
	__u64 interval_ns = settings.pace_ns[type], now, used;

	if (!interval_ns)
		return false;
	now = bpf_ktime_get_boot_ns();
	used = *(volatile __u64 *)&paces[type];
	if (!pace_passes(used, now))
		return true;
	if (used < now)
		*(volatile __u64 *)&paces[type] = now;
	__sync_fetch_and_add(&paces[type], interval_ns);
	return false;
}

/*
 * Random, rather than every n-th: events come in patterns, such as a packet at one stage after the
 * other. Nor by flow: a single flow may be the flood.
 */
static __always_inline bool pressure_suppresses(void)
{
	volatile struct pressure *p = &pressure;
	__u32 shift, next;
	__u64 fill, now, since, calm_ns;

	if (!settings.adaptive)
		return false;
	shift = p->shift;
	fill = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >> config.ring_sixteenth_bits;
	next = pressure_least(fill);
	if (!shift && !next)
		return false;
	now = bpf_ktime_get_boot_ns();
	since = p->since_ns;
	calm_ns = now > since ? now - since : 0; /* another CPU may have stored a later time */
	if (next <= shift)
		next = fill < PRESSURE_FILL_LOW ? pressure_lowered(shift, calm_ns) : shift;
	if (next != shift)
		p->shift = next;
	if (next > p->peak)
		p->peak = next;
	if (next != shift || (fill >= PRESSURE_FILL_LOW && calm_ns > PRESSURE_TOUCH_NS))
		p->since_ns = now;
	return bpf_get_prandom_u32() & ((1U << (next & 31)) - 1);
}

/* Does --sample leave out this flow? Then the event is counted. */
static __always_inline bool flow_sampled_out(__u16 type, const struct flow *flow, __u64 count)
{
	__u32 one_in = settings.one_in[type];

	if (one_in <= 1 || sample_keeps(sample_hash(flow), one_in))
		return false;
	__sync_fetch_and_add(&cpu_counters()->sampled_out[type], count);
	return true;
}

/* How many events this one stands for; 0: left out, and counted. */
static __always_inline __u32 sample_weight(__u16 type, const struct flow *flow)
{
	__u32 one_in = settings.one_in[type];
	struct counters *cpu;

	if (flow_sampled_out(type, flow, 1))
		return 0;
	if (!pressure_suppresses() && !pace_suppresses(type))
		return one_in;
	cpu = cpu_counters();
	__sync_fetch_and_add(&cpu->sampled_out[type], 1);
	__sync_fetch_and_add(&cpu->waiting[type], one_in);
	return 0;
}

/* A line is being written: add the weight that waits for one. */
static __always_inline __u32 weight_take(__u16 type, __u32 own)
{
	struct counters *cpu = cpu_counters();
	__u32 taken = weight_takes(*(volatile __s64 *)&cpu->waiting[type], own);

	if (taken)
		__sync_fetch_and_add(&cpu->waiting[type], -(__s64)taken);
	return own + taken;
}

#endif
