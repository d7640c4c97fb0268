/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * transit.bpf.h - packets under way: when each set out, found again by its buffer.
 *
 * A table is one shared array: no locks, no allocation. A bucket holds four packets, and a new one
 * replaces the oldest. A bucket therefore knows the four that set out last; if a packet is not
 * among them, it has been displaced: it has no time, but is counted.
 *
 * An skb's address is not its identity: skbs are cloned, copied, cut, dropped and used again, and
 * none of that passes by here. So a packet is the one that set out if it lies in the same buffer
 * (skb->head), is the last that set out in it, and has the same skb, at about the same place of the
 * buffer. A clone has the buffer and another skb; a copy and a segment have another buffer. Whether
 * they have all of an earlier packet's by chance is made sure of by what ends that one's entry: its
 * arrival, or its being dropped. Else it is lost: it never has another packet's time.
 *
 * An entry is one word, so that nobody ever reads half of it: the time of setting out, and above it
 * the packet's tag. Its identity is beside it, mixed with that word: of two packets that meet there
 * neither is taken for the other.
 */
#ifndef NETLOG_TRANSIT_BPF_H
#define NETLOG_TRANSIT_BPF_H

#include "state.bpf.h"
#include "transit.h"

#define TRANSIT_WAYS 4
#define BUCKET_BITS (TRANSIT_BITS - 2)
#define TAG_BITS 18
#define TIME_BITS 46 /* nanoseconds: 19 hours */
#define TIME_MASK ((1ULL << TIME_BITS) - 1)
/* Instead of a time; the clock never says so. */
#define TIME_DONE 1 /* it has arrived */
#define TIME_GONE 2 /* it was dropped: whoever has its buffer now is another */

enum transit_state {
	transit_known, /* under way */
	transit_done,  /* it has arrived before */
	transit_lost,  /* it was displaced by others, is another, or set out before netlog did */
};

/* By which a packet is found, and found to be itself. */
struct transit_key {
	__u64 head; /* its buffer's address; 0: it is not found by that */
	__u32 hash;
	__u64 identity;
};

/*
 * The parts of an identity: the skb's address, whether it is of several segments, and where in the
 * buffer IP's header is.
 */
#define IDENTITY_ADDRESS_SHIFT 16 /* all addresses of skbs have the same upper bits */
#define IDENTITY_SEGMENTS (1ULL << 15)
#define IDENTITY_PLACE (IDENTITY_SEGMENTS - 1)
/* Headers in front of IP's may be taken off meanwhile, as VLAN tags and IPsec's: so many bytes. */
#define PLACE_MOVES 255

/* A pointer as a number again, for which the verifier offers nothing better than a copy. */
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

/* The buffer's address. A copy, for the same reason as in packet_read(). */
static __always_inline __u64 skb_head(const struct sk_buff *skb)
{
	return (__u64)BPF_CORE_READ(skb, head);
}

/*
 * Buffers are longer than cache lines, and of the line's number the lower 30 bits are what is
 * hashed: two buffers within 64 GiB of memory are never taken for each other.
 */
static __always_inline __u32 buffer_hash(__u64 head)
{
	return transit_hash(head >> 6);
}

/*
 * The verifier forbids arithmetic on a kernel pointer, but the difference of two pointers is a
 * number. All programs take it from the same place.
 */
static __always_inline __u64 pointer_number(const void *pointer)
{
	return (__u64)(pointer - (void *)&settings);
}

static __always_inline const void *pointer_of_number(__u64 number)
{
	return (void *)(address_of(&settings) + number);
}

static __always_inline __u64 skb_identity(const struct sk_buff *skb, const bool typed)
{
	__u64 address = typed ? pointer_number(skb) : address_of(skb) - address_of(&settings);

	return address << IDENTITY_ADDRESS_SHIFT;
}

static __always_inline const struct skb_shared_info *skb_shared(const struct sk_buff *skb,
								const bool typed)
{
	return (void *)((__u64)READ(typed, skb, head) + READ(typed, skb, end));
}

/* `place`: of IP's header in the buffer */
static __always_inline struct transit_key skb_transit_key(const struct sk_buff *skb, __u32 place,
							  const bool typed)
{
	const struct skb_shared_info *shared = skb_shared(skb, typed);
	const __u64 head = skb_head(skb);

	return (struct transit_key){
		.head = head,
		.hash = buffer_hash(head),
		.identity = skb_identity(skb, typed) | (place & IDENTITY_PLACE) |
			    (BPF_CORE_READ(shared, gso_size) ? IDENTITY_SEGMENTS : 0),
	};
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
 * Where the packet's entry goes: where an earlier one of this buffer is (it is soon used again, so
 * that comes first), else over the oldest.
 */
static __always_inline __u32 transit_place_for(const struct transit_slot *table, __u32 hash,
					       __u64 now)
{
	const __u64 tag = transit_tag(hash);
	__u32 best = transit_place(hash, 0);
	__u64 oldest = 0;

#pragma unroll
	for (int way = 0; way < TRANSIT_WAYS; way++)
		if ((table[transit_place(hash, way)].entry & ~TIME_MASK) == tag)
			return transit_place(hash, way);
#pragma unroll
	for (int way = 0; way < TRANSIT_WAYS; way++) {
		__u64 entry = table[transit_place(hash, way)].entry;
		__u64 age = (now - entry) & TIME_MASK;

		if ((entry & TIME_MASK) <= TIME_GONE)
			return transit_place(hash, way);
		if (age > oldest) {
			oldest = age;
			best = transit_place(hash, way);
		}
	}
	return best;
}

static __always_inline __u64 transit_entry(const struct transit_key *key, __u64 time)
{
	return transit_tag(key->hash) | (time & TIME_MASK);
}

static __always_inline void transit_put(struct transit_slot *slot, const struct transit_key *key,
					__u64 now)
{
	__u64 entry = transit_entry(key, now);

	slot->identity = key->identity ^ entry;
	slot->entry = entry;
}

/* A packet's entry as it was read, and its place. */
struct transit {
	__u64 entry;
	__u64 identity; /* as it was when the packet set out */
	__u32 place;
};

/* What is known of the buffer's last packet. False: nothing. */
static __always_inline bool transit_look(const struct transit_slot *table, __u32 hash,
					 struct transit *ret_transit)
{
	const __u64 tag = transit_tag(hash);

#pragma unroll
	for (int way = 0; way < TRANSIT_WAYS; way++) {
		__u32 place = transit_place(hash, way);
		__u64 entry = table[place].entry;

		if (entry && (entry & ~TIME_MASK) == tag) {
			*ret_transit = (struct transit){
				.entry = entry,
				.identity = table[place].identity ^ entry,
				.place = place,
			};
			return true;
		}
	}
	return false;
}

/* The same, if that packet is still under way. */
static __always_inline bool transit_look_under_way(const struct transit_slot *table, __u32 hash,
						   struct transit *ret_transit)
{
	return transit_look(table, hash, ret_transit) &&
	       (ret_transit->entry & TIME_MASK) > TIME_GONE;
}

/* `identity`: of a key, or skb_identity() */
static __always_inline bool transit_is_of_skb(const struct transit *transit, __u64 identity)
{
	return !((transit->identity ^ identity) >> IDENTITY_ADDRESS_SHIFT);
}

/*
 * Is it this packet, which may have moved by so many bytes, and whose identity is asked for in all
 * parts but these bits?
 */
static __always_inline enum transit_state transit_find(const struct transit_slot *table,
						       const struct transit_key *key,
						       const __u64 moves, const __u64 besides,
						       struct transit *ret_transit)
{
	__u64 time;

	if (!transit_look(table, key->hash, ret_transit) ||
	    (key->identity & ~besides) - (ret_transit->identity & ~besides) > moves)
		return transit_lost;
	time = ret_transit->entry & TIME_MASK;
	if (time == TIME_DONE)
		return transit_done;
	return time == TIME_GONE ? transit_lost : transit_known;
}

static __always_inline __u64 transit_time(const struct transit *transit, __u64 now)
{
	return (now - transit->entry) & TIME_MASK;
}

/* It goes no further, `how` being TIME_DONE or TIME_GONE: whoever meets its entry knows. */
static __always_inline void transit_end(struct transit_slot *table, const struct transit *transit,
					__u64 how)
{
	struct transit_slot *slot = &table[transit->place & (TRANSIT_SIZE - 1)];
	__u64 entry = (transit->entry & ~TIME_MASK) | how;

	slot->identity = transit->identity ^ entry;
	slot->entry = entry;
}

/* The skb is freed, and the packet in it dropped. */
static __always_inline void transit_drop(struct transit_slot *table, const struct sk_buff *skb,
					 __u32 hash)
{
	struct transit transit = {};

	if (transit_look_under_way(table, hash, &transit) &&
	    transit_is_of_skb(&transit, skb_identity(skb, true)))
		transit_end(table, &transit, TIME_GONE);
}

#endif
