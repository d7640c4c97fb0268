/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * age.bpf.h - a packet's age: when it came into this host, across all devices that it passes here.
 *
 * A packet that comes in by a network card comes in again by each bridge, veth, ifb or tunnel on
 * its way to a container: netif_receive_skb runs each time. Its clock begins at the first. That of
 * a packet which was made here begins where it is first given to a device's queue.
 *
 * To go on with an earlier time, it has to be proven that the packet is the same one:
 *  - skb->skb_iif is set once it has come in, and 0 in an skb that is new. So if it is set, the
 *    packet is the one that came in last by this skb, be it in another buffer by now.
 *  - veth, tunnels and others clear it (skb_scrub_packet()). A packet that comes out of a veth was
 *    given to its peer's driver right before (net_dev_start_xmit), and gets a mark there: it is the
 *    next to come in by this skb, in this buffer, at this place. One that comes out of a tunnel was
 *    inside the one that came in last by this skb and in this buffer.
 *  - One that is handed on to another device gets such a mark, too. Rules may change its headers on
 *    the way there, in another buffer if that is shared with a clone.
 *  - Each time, the headers must be those that came in: in their parts that neither forwarding nor
 *    NAT changes, since an entry may be missing, and then another's is found. Where the flow's next
 *    packet may have the same, it has to be in the same buffer, too.
 *
 * Else it is not known when it came in, and it is lost at its stages, and counted.
 */
#ifndef NETLOG_AGE_BPF_H
#define NETLOG_AGE_BPF_H

#include "netlog.bpf.h"
#include "transit.bpf.h"

/* When packets came into this host. The tables are latency.bpf.c's: state.bpf.h says why. */
extern struct transit_slot received[TRANSIT_SIZE];

/* At the same index as a packet's entry. */
extern struct note notes[TRANSIT_SIZE];

extern struct origin origins[TRANSIT_SIZE];

/*
 * The buffer in which a packet last came in by each skb: both as their hashes, of 30 bits. An skb
 * is longer than a cache line, too.
 */
extern __u64 buffers[TRANSIT_SIZE];

static __always_inline __u32 skb_hash(const struct transit_key *key)
{
	return transit_hash(key->identity >> (IDENTITY_ADDRESS_SHIFT + 6));
}

#define HASH_BITS (BUCKET_BITS + TAG_BITS)

static __always_inline void buffer_note(const struct transit_key *key)
{
	__u32 hash = skb_hash(key);

	buffers[hash >> (HASH_BITS - TRANSIT_BITS)] = (__u64)hash << HASH_BITS | key->hash;
}

/* 0: not known. That is no buffer's. */
static __always_inline __u32 buffer_of_skb(const struct transit_key *key)
{
	__u32 hash = skb_hash(key);
	__u64 word = buffers[hash >> (HASH_BITS - TRANSIT_BITS)];

	return word >> HASH_BITS == hash ? word & ((1U << HASH_BITS) - 1) : 0;
}

/* Programs that see packets set out or handed over have run: without them no veth has a mark. */
extern volatile bool handing_seen;

/* ---- devices ---- */

/* By which ways a packet that is given to such a device can come back. */
enum {
	way_up = 1,	/* its driver has this host receive it */
	way_on = 2,	/* its driver gives it to another device's queue */
	way_tunnel = 4, /* comes out of a packet that this host had received before */
	way_out = 8,	/* none: a network card, to the outside */
};

#define WAYS_BACK (way_up | way_on)

#define WAY_TUNNEL (way_on | way_tunnel)

/* The kinds that `ip link add type` knows, as far as that is told by seven letters. */
#define DEVICE_KINDS(D)                   \
	D("veth\0\0\0", way_up)           \
	D("ifb\0\0\0\0", way_up | way_on) \
	D("netkit\0", way_up)             \
	D("macvlan", way_up | way_on)     \
	D("ipvlan\0", way_up | way_on)    \
	D("bridge\0", way_on)             \
	D("vlan\0\0\0", way_on)           \
	D("vrf\0\0\0\0", way_on)          \
	D("vxlan\0\0", WAY_TUNNEL)        \
	D("geneve\0", WAY_TUNNEL)         \
	D("gre\0\0\0\0", WAY_TUNNEL)      \
	D("gretap\0", WAY_TUNNEL)         \
	D("ip6gre\0", WAY_TUNNEL)         \
	D("ip6gret", WAY_TUNNEL) /* ap */ \
	D("erspan\0", WAY_TUNNEL)         \
	D("ip6ersp", WAY_TUNNEL) /* an */ \
	D("ipip\0\0\0", WAY_TUNNEL)       \
	D("ip6tnl\0", WAY_TUNNEL)         \
	D("sit\0\0\0\0", WAY_TUNNEL)      \
	D("vti\0\0\0\0", WAY_TUNNEL)      \
	D("vti6\0\0\0", WAY_TUNNEL)       \
	D("xfrm\0\0\0", WAY_TUNNEL)       \
	D("bareudp", WAY_TUNNEL)          \
	D("wiregua", WAY_TUNNEL) /* rd */

union device_kind {
	char text[8];
	__u64 number;
};

/* None of WAYS_BACK: it is a way to the outside, as by a network card, or to a program (tun). */
static __always_inline __u32 device_ways(const struct net_device *dev, const bool typed)
{
	const struct rtnl_link_ops *ops = READ(typed, dev, rtnl_link_ops);
	union device_kind kind = {};

	if (!ops)
		return READ(typed, dev, flags) & IFF_LOOPBACK ? way_up : way_out;
	bpf_probe_read_kernel_str(kind.text, sizeof(kind.text), READ(typed, ops, kind));
#define DEVICE_KIND(name, ways)                                          \
	if (kind.number == ((union device_kind){ .text = name }).number) \
		return ways;
	DEVICE_KINDS(DEVICE_KIND)
	return 0;
}

/* ---- the headers ---- */

/* Enough for TCP's sequence number behind IPv6's header. */
#define HEADERS_WORDS 12

struct headers {
	__u32 stable; /* the parts that neither forwarding nor NAT changes */
	__u32 whole;  /* and those that a bridge does not: all but marks and hops left */
	bool common;  /* what is stable may be the same in the next packet of its flow */
};

#define MIX(mixed, word) (((mixed) ^ (word)) * 0x9e3779b1U)

/* The answer of headers_mixed(): struct headers, of whose `whole` one bit is `common`. */
#define HEADERS(stable, whole, common) ((__u64)(stable) << 32 | ((whole) & ~1U) | (common))
#define HEADERS_STABLE(mixed) ((__u32)((mixed) >> 32))
#define HEADERS_WHOLE(mixed) ((__u32)(mixed))
#define HEADERS_COMMON(mixed) ((mixed)&1)

/*
 * The network header at this place of the buffer, and what begins behind it. Stable are IPv4's
 * identification, the protocol, and TCP's sequence number or UDP's length: IPv6's flow label is
 * not, since whoever forwards the packet may set another. (Where GRO merges datagrams on the way,
 * it changes the length, udp_gro_complete(): these are lost.)
 */
static __always_inline __u64 headers_mixed(__u64 head, __u64 place)
{
	__u32 words[HEADERS_WORDS] = {}, id, proto, behind, stable, whole = 0;
	bool common;

	bpf_probe_read_kernel(words, sizeof(words), (void *)(head + (place & IDENTITY_PLACE)));
	if (words[0] & bpf_htonl(0x20000000)) { /* of version 6, with 4 */
		id = 0;
		common = true;
		proto = bpf_ntohl(words[1]) >> 8 & 0xff;
		behind = words[11];
		words[0] = 0;
		words[1] &= bpf_htonl(0xffffff00);
	} else {
		id = words[1]; /* and whether it is a fragment */
		common = !(id & bpf_htonl(0xffff0000));
		proto = bpf_ntohl(words[2]) >> 16 & 0xff;
		behind = words[6];
		words[0] &= bpf_htonl(0xff00ffff);
		words[2] = proto;
	}
	if (proto != IPPROTO_TCP)
		behind = proto == IPPROTO_UDP ? behind & bpf_htonl(0xffff0000) : 0;
	stable = MIX(MIX(MIX(0, id), proto), behind);
#pragma unroll
	for (int i = 0; i < 7; i++)
		whole = MIX(whole, words[i]);
	return HEADERS(stable, MIX(whole, behind), common && proto != IPPROTO_TCP);
}

/* The same as a function of numbers, which the verifier looks at once: see FILTER_LOOKS(). */
__weak __noinline __u64 headers_mix(__u64 head, __u64 place)
{
	return headers_mixed(head, place);
}

/* `called`: the program may have functions, see loads_allowed() */
static __always_inline struct headers headers_read(__u64 head, __u64 place, const bool called)
{
	const __u64 mixed = called ? headers_mix(head, place) : headers_mixed(head, place);

	return (struct headers){
		.stable = HEADERS_STABLE(mixed),
		.whole = HEADERS_WHOLE(mixed),
		.common = HEADERS_COMMON(mixed),
	};
}

/* ---- is it the same packet? ---- */

/* The ways to prove it: see above. */
enum proof {
	proof_none,
	proof_received,	 /* it has been here before */
	proof_handed_up, /* it was given to the driver that has it received now */
	proof_unwrapped,
	proof_handed_on, /* likewise to a driver that has given it to another device */
};

/* A VLAN's tag may be put into the frame, or taken out of it. */
#define TAGS_MOVE 8

/* Has it the mark, and may it have moved so far within the buffer? */
static __always_inline bool proof_allows(enum proof proof, __u8 flags, __u64 now, __u64 before)
{
	__s64 moved = (__s64)(now & IDENTITY_PLACE) - (__s64)(before & IDENTITY_PLACE);

	switch (proof) {
	case proof_received:
		return moved >= -PLACE_MOVES && moved <= PLACE_MOVES;
	case proof_handed_up:
		return flags & note_handed_up && moved >= -TAGS_MOVE && moved <= TAGS_MOVE;
	case proof_unwrapped:
		return moved > 0 && moved <= PLACE_MOVES;
	case proof_handed_on:
		return flags & note_handed_on && moved >= -PLACE_MOVES && moved <= 0;
	default:
		return false;
	}
}

/* When and by which device a packet came in first. */
struct arrived {
	__u64 time; /* TIME_GONE: not known */
	__u64 dev;
	__u32 ifindex;
	__u8 flags; /* for its note */
};

enum sameness {
	is_unknown,  /* it cannot be proven to have come in before */
	is_doubtful, /* likewise, and yet it may have: that it is new cannot be said either */
	is_same,
	is_clone, /* of the packet that did: that one keeps its entry, and the clone is lost */
};

/* `here`: its headers where they are now; `called`: see headers_read() */
static __always_inline enum sameness arrived_find(struct arrived *ret_arrived,
						  const struct sk_buff *skb,
						  const struct transit_key *key,
						  const struct headers *here, enum proof proof,
						  const bool typed, const bool called)
{
	struct transit transit = {};
	const bool cloned = READ_BITFIELD(typed, skb, cloned);
	bool known = transit_look_under_way(received, key->hash, &transit);
	bool same = transit_is_of_skb(&transit, key->identity);
	bool former = false; /* the entry is of the buffer before this one */
	const bool by_skb = proof == proof_received || proof == proof_handed_on;
	const __u32 last = by_skb ? buffer_of_skb(key) : 0;
	/* or this entry is of an earlier packet, which had the same skb and then another buffer */
	const bool moved = same && last && last != key->hash;
	__u64 at = transit.identity;
	struct headers headers;
	const struct origin *origin;
	const struct note *note;

	/* it has got another buffer since, as skb_cow() gives to one that is shared with a clone */
	if (by_skb && (moved || !known || !(same || (cloned && proof == proof_received)))) {
		known = transit_look_under_way(received, last, &transit);
		same = transit_is_of_skb(&transit, key->identity);
		at = key->identity;
		known = known && same;
		former = true;
	}
	if (!known)
		return is_unknown;
	note = &notes[transit.place & (TRANSIT_SIZE - 1)];
	origin = &origins[transit.place & (TRANSIT_SIZE - 1)];
	headers = *here;
	if ((at ^ key->identity) & IDENTITY_PLACE)
		headers = headers_read(key->head, at, called);
	if (headers.stable != note->headers)
		return is_unknown;
	if (!same)
		return cloned ? is_clone : is_unknown;
	if (!proof_allows(proof, note->flags, key->identity, at) ||
	    (note->flags & note_has_origin && origin->of != transit.entry))
		return is_unknown;
	if ((headers.common && former) ||
	    (proof == proof_handed_on && origin->headers_whole != headers.whole))
		return is_doubtful;
	*ret_arrived = (struct arrived){
		.time = transit.entry & TIME_MASK,
		.dev = note->flags & note_has_origin ? origin->dev : note->dev,
		.ifindex = note->flags & note_has_origin ? origin->ifindex : note->ifindex,
	};
	return is_same;
}

/* From now on its buffer's entry is this. `dev`: the device it has come by last. */
static __always_inline void arrived_put(const struct arrived *arrived,
					const struct transit_key *key, const struct headers *here,
					__u64 dev, __u32 ifindex, __u64 now)
{
	__u32 place = transit_place_for(received, key->hash, now) & (TRANSIT_SIZE - 1);
	struct note *note = &notes[place];

	if (arrived->flags & note_has_origin)
		origins[place] = (struct origin){
			.of = transit_entry(key, arrived->time),
			.dev = arrived->dev,
			.ifindex = arrived->ifindex,
			.headers_whole = here->whole,
			.device_ns = now,
		};
	note->dev = dev;
	note->ifindex = ifindex;
	note->transport_ns = 0;
	note->tcp_ns = 0;
	note->headers = here->stable;
	note->proto = 0;
	note->flags = arrived->flags;
	transit_put(&received[place], key, arrived->time);
}

#endif
