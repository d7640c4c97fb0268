/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * transit.bpf.h - packets under way: when each set out, found again by its skb's address.
 *
 * A table is one shared array: no locks, no allocation. A bucket holds four packets, and a new one
 * replaces the oldest. A bucket therefore knows the four that set out last; if a packet is not
 * among them, it has been displaced: it has no time, but is counted.
 *
 * An entry is one word, so it is never read half-written: the time of setting out, and in the bits
 * above it the packet's tag.
 */
#ifndef NETLOG_TRANSIT_BPF_H
#define NETLOG_TRANSIT_BPF_H

#include "state.bpf.h"

#define TRANSIT_BITS 14
#define TRANSIT_SIZE (1 << TRANSIT_BITS)
#define TRANSIT_WAYS 4
#define BUCKET_BITS (TRANSIT_BITS - 2)
#define TAG_BITS 18
#define TIME_BITS 46 /* nanoseconds: 19 hours */
#define TIME_MASK ((1ULL << TIME_BITS) - 1)
#define TIME_DONE 1 /* in place of a time: it has arrived. The clock is never this */

enum transit_state {
	transit_none,  /* it set out before netlog did */
	transit_known, /* under way */
	transit_done,  /* it has arrived already, or another skb with this address has */
	transit_lost,  /* displaced by others, or never set out */
};

/* A pointer as a number. A copy is the only way that the verifier allows. */
static __always_inline __u64 address_of(const void *pointer)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &pointer);
	return address;
}

/*
 * The upper bits choose the bucket, the lower bits are the tag. Multiplying by an odd number is a
 * bijection, so the lower bits stay distinct.
 */
static __always_inline __u32 transit_hash(__u64 number)
{
	return (number * 0x9e3779b1U) & ((1U << (BUCKET_BITS + TAG_BITS)) - 1);
}

/*
 * A hash of the skb's address. The verifier forbids arithmetic on a kernel pointer, but the
 * difference of two pointers is a number. skbs are aligned to cache lines, and the lower 30 bits of
 * the line's number are hashed: two skbs within 64 GiB of memory are never mistaken for each other.
 */
static __always_inline __u32 skb_transit_hash(const __u64 *table, const struct sk_buff *skb,
					      const bool typed)
{
	if (typed)
		return transit_hash((__u64)((void *)skb - (void *)table) >> 6);
	return transit_hash((address_of(skb) - address_of(table)) >> 6);
}

static __always_inline __u64 transit_tag(__u32 hash)
{
	return (__u64)(hash & ((1U << TAG_BITS) - 1)) << TIME_BITS;
}

static __always_inline __u32 transit_place(__u32 hash, int way)
{
	return (((hash >> TAG_BITS) * TRANSIT_WAYS) | way) & (TRANSIT_SIZE - 1);
}

/*
 * The place for the packet's entry: where this skb's earlier entry is (addresses are soon used
 * again), otherwise the oldest entry's.
 */
static __always_inline __u32 transit_place_for(const __u64 *table, __u32 hash, __u64 now)
{
	const __u64 tag = transit_tag(hash);
	__u32 best = transit_place(hash, 0);
	__u64 oldest = 0;

#pragma unroll
	for (int way = 0; way < TRANSIT_WAYS; way++)
		if ((table[transit_place(hash, way)] & ~TIME_MASK) == tag)
			return transit_place(hash, way);
#pragma unroll
	for (int way = 0; way < TRANSIT_WAYS; way++) {
		__u64 entry = table[transit_place(hash, way)];
		__u64 age = (now - entry) & TIME_MASK;

		if ((entry & TIME_MASK) <= TIME_DONE)
			return transit_place(hash, way);
		if (age > oldest) {
			oldest = age;
			best = transit_place(hash, way);
		}
	}
	return best;
}

static __always_inline __u64 transit_entry(__u32 hash, __u64 now)
{
	return transit_tag(hash) | (now & TIME_MASK);
}

/* A packet's entry as it was read, and its place. */
struct transit {
	__u64 entry;
	__u32 place;
};

/* The state of the packet and, if it is known, its entry. */
static __always_inline enum transit_state transit_find(const __u64 *table, __u32 hash,
						       struct transit *ret_transit)
{
	const __u64 tag = transit_tag(hash);
	enum transit_state state = transit_lost;

#pragma unroll
	for (int way = 0; way < TRANSIT_WAYS; way++) {
		__u32 place = transit_place(hash, way);
		__u64 entry = table[place];

		if (!entry) {
			state = transit_none; /* with an empty place, nothing was displaced */
		} else if ((entry & ~TIME_MASK) == tag) {
			if ((entry & TIME_MASK) == TIME_DONE)
				return transit_done;
			*ret_transit = (struct transit){ .entry = entry, .place = place };
			return transit_known;
		}
	}
	return state;
}

static __always_inline __u64 transit_time(const struct transit *transit, __u64 now)
{
	return (now - transit->entry) & TIME_MASK;
}

/* Mark the packet as arrived, for whoever meets it again. */
static __always_inline void transit_end(__u64 *table, const struct transit *transit)
{
	table[transit->place & (TRANSIT_SIZE - 1)] = (transit->entry & ~TIME_MASK) | TIME_DONE;
}

#endif
