/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sample.bpf.h - sampling on the kernel side: asked for each event that is wanted, before it costs
 * a record.
 *
 * An event that is not written leaves its weight where the next line of its type on this CPU finds
 * it; but not those of flows that are left out as a whole, for which the flows that are kept stand.
 */
#ifndef NETLOG_SAMPLE_BPF_H
#define NETLOG_SAMPLE_BPF_H

#include "sample.h"
#include "state.bpf.h"

#define PRESSURE_TOUCH_NS 10000000ULL /* between writes of a word that all CPUs read */

/* Until when time has been used up, for each event type. */
__weak __u64 paces[event_types] __attribute__((aligned(64))) = {};

__weak struct pressure pressure __attribute__((aligned(64))) = {};

/*
 * Not exact where CPUs meet: each may let one more pass. An atomic operation that tells what it
 * found is not there before 5.12.
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
 * By chance, and not each so many-eth: events come in patterns, as a packet at one stage after the
 * other. Not by flow either: it may be one flow that floods.
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
	calm_ns = now > since ? now - since : 0; /* another CPU may have been later */
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

/* Is it an event of a flow that is left out? Then it is counted. */
static __always_inline bool flow_sampled_out(__u16 type, const struct flow *flow, __u64 count)
{
	__u32 one_in = settings.one_in[type];

	if (one_in <= 1 || sample_keeps(sample_hash(flow), one_in))
		return false;
	__sync_fetch_and_add(&cpu_counters()->sampled_out[type], count);
	return true;
}

/* For how many events this one stands; 0: it is not to be written, which has been counted. */
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

/* The line is certain: with what has waited for one. */
static __always_inline __u32 weight_take(__u16 type, __u32 own)
{
	struct counters *cpu = cpu_counters();
	__u32 taken = weight_takes(*(volatile __s64 *)&cpu->waiting[type], own);

	if (taken)
		__sync_fetch_and_add(&cpu->waiting[type], -(__s64)taken);
	return own + taken;
}

#endif
