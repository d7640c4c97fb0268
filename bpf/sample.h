/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sample.h - which of many events become lines, and how many events a line stands for: the
 * arithmetic.
 *
 * Included by both sides, so that a test can compare the kernel side's answers with user space's.
 * Its use is in sample.bpf.h.
 */
#ifndef NETLOG_SAMPLE_H
#define NETLOG_SAMPLE_H

#include "flow.h"

#define SAMPLE_CALL static inline __attribute__((always_inline))

#define SAMPLE_WEIGHT_MAX 0xffffffffU

/* ---- by flow: --sample ---- */

#define SAMPLE_ODD 0x9e3779b97f4a7c15ULL /* 2^64 / the golden ratio: its bits have no pattern */

/* Every bit of the input affects every bit of the output's upper half. */
SAMPLE_CALL __u64 sample_mix(__u64 number)
{
	number ^= number >> 32;
	number *= SAMPLE_ODD;
	number ^= number >> 29;
	number *= SAMPLE_ODD;
	return number ^ number >> 32;
}

SAMPLE_CALL __u64 sample_mix_end(const struct ip_address *address, __u16 port)
{
	__u64 upper = (__u64)address->words[0] << 32 | address->words[1];
	__u64 lower = (__u64)address->words[2] << 32 | address->words[3];

	return sample_mix(sample_mix(upper ^ port) + lower);
}

/*
 * The same in both directions and at both ends, on one host or two: adding ignores the order, and
 * the namespace is left out. There is no secret in it, so all hosts choose the same flows.
 */
SAMPLE_CALL __u32 sample_hash(const struct flow *flow)
{
	return sample_mix(sample_mix_end(&flow->src, flow->src_port) +
			  sample_mix_end(&flow->dest, flow->dest_port)) >>
	       32;
}

/* Keeps hashes below 2^32 / one_in: a flow kept at 1 in 100 is also kept at 1 in 10. */
SAMPLE_CALL bool sample_keeps(__u32 hash, __u32 one_in)
{
	return (__u64)hash * one_in >> 32 == 0;
}

/* ---- by time: --max-rate ---- */

#define PACE_AHEAD_NS 100000000ULL /* how far ahead of now time may be used up */

/*
 * Each event that passes uses up an interval of time, and `used_ns` is the end of what has been
 * used up. So at most a tenth of a second's events, and one more, pass at once.
 */
SAMPLE_CALL bool pace_passes(__u64 used_ns, __u64 now_ns)
{
	return used_ns <= now_ns + PACE_AHEAD_NS;
}

SAMPLE_CALL __u64 pace_interval_ns(__u64 events_per_second)
{
	return (1000000000ULL + events_per_second - 1) / events_per_second;
}

/* ---- by the ring's fill: --adaptive ---- */

/*
 * One of 2^shift events is kept. The fill is in sixteenths of the ring: from one half on, each
 * further sixteenth keeps a quarter as many, so that the last one holds what comes while user space
 * stands still.
 */
#define PRESSURE_FILL_HIGH 8
#define PRESSURE_FILL_LOW 4
#define PRESSURE_STEP_NS 100000000ULL /* below PRESSURE_FILL_LOW: one step down for each of these */
#define PRESSURE_SHIFT_MAX 16

SAMPLE_CALL __u32 pressure_least(__u64 fill)
{
	__u64 shift = fill < PRESSURE_FILL_HIGH ? 0 : 2 * (fill - PRESSURE_FILL_HIGH + 1);

	return shift < PRESSURE_SHIFT_MAX ? shift : PRESSURE_SHIFT_MAX;
}

SAMPLE_CALL __u32 pressure_lowered(__u32 shift, __u64 calm_ns)
{
	__u64 steps = calm_ns / PRESSURE_STEP_NS;

	return steps < shift ? shift - steps : 0;
}

/* ---- what a line takes upon itself ---- */

/*
 * How much of the waiting weight the next line can take, if it stands for `own` events itself.
 * Events add to the counter, lines take from it, and there is no lock: if a softirq's line
 * interrupts another on this CPU, both may take the same weight. The counter is then negative, and
 * nothing is taken until as much has been added again, so the sum stays right.
 */
SAMPLE_CALL __u32 weight_takes(__s64 waiting, __u32 own)
{
	if (waiting <= 0)
		return 0;
	return waiting < (__s64)(SAMPLE_WEIGHT_MAX - own) ? waiting : SAMPLE_WEIGHT_MAX - own;
}

#endif
