/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * arrival.bpf.h - latency inwards: finding a received packet again when it reaches a stage.
 */
#ifndef NETLOG_ARRIVAL_BPF_H
#define NETLOG_ARRIVAL_BPF_H

#include "age.bpf.h"
#include "latency.bpf.h"

/* A packet at a stage. */
struct arrival {
	enum transit_state state; /* if it is transit_lost, nothing below is known */
	struct transit transit;
	struct note *note;
	__u64 now;
	__u64 latency_ns;
};

/*
 * Behind its entry an skb may get another buffer, as data that is still its sender's does (sent
 * with MSG_ZEROCOPY: skb_orphan_frags_rx()), and its former one is soon used again. So the entry
 * is that of the buffer in which this skb came in last; if it has another by now, or it is not
 * known which that was, the headers must be those that came in.
 */
static __always_inline enum transit_state packet_look(struct arrival *a, struct transit_key *key,
						      const __u64 besides)
{
	struct {
		__u64 last, now;
	} buffer = { buffer_of_skb(key), key->hash };
	enum transit_state state;
	struct headers headers;

	if (buffer.last)
		key->hash = buffer.last;
	VALUES_FORGET(key);
	VALUES_FORGET(&buffer);
	state = transit_find(received, key, PLACE_MOVES, besides, &a->transit);
	VALUES_FORGET(&a->transit);
	if (buffer.last == buffer.now || state == transit_lost)
		return state;
	headers = headers_read(key->head, key->identity, true);
	if ((headers.common && buffer.last) ||
	    headers.stable != notes[a->transit.place & (TRANSIT_SIZE - 1)].headers)
		return transit_lost;
	return state;
}

static __always_inline void packet_find(struct arrival *a, const struct sk_buff *skb,
					const __u64 besides, const bool typed)
{
	struct transit_key key = skb_transit_key(skb, READ(typed, skb, network_header), typed);

	*a = (struct arrival){};
	a->state = packet_look(a, &key, besides);
	if (a->state != transit_known)
		return;
	a->note = &notes[a->transit.place & (TRANSIT_SIZE - 1)];
	a->now = bpf_ktime_get_boot_ns();
	a->latency_ns = transit_time(&a->transit, a->now);
}

/*
 * False where the packet is not new here: it has been here before, or TCP made it itself when it
 * compacted its queue (tcp_collapse(): no interface). A packet in the backlog may have got several
 * segments only there (tcp_add_backlog()), but TCP cuts none on the way in.
 */
static __always_inline bool packet_arrives(struct arrival *a, const struct sk_buff *skb,
					   const bool typed)
{
	packet_find(a, skb, IDENTITY_SEGMENTS, typed);
	return a->state != transit_done && READ(typed, skb, skb_iif);
}

/*
 * A program on udp_rcv() or udpv6_rcv() has run. Where these are not hooked, notes never say UDP.
 */
static volatile bool udp_seen;

/*
 * The same of UDP at its socket. udp_rcv() may hand over an skb that never came in: a copy for one
 * of several sockets (multicast), or a piece of what GRO had merged. If the entry that is found for
 * it is an earlier packet's, that one went to another transport or to none, or has been read
 * already. A datagram that has only been looked at (MSG_PEEK) has been here before, too: it is
 * neither new nor lost.
 */
static __always_inline bool datagram_arrives(struct arrival *a, const struct sk_buff *skb,
					     const bool typed)
{
	packet_find(a, skb, 0, typed);
	if (a->state != transit_known) {
		if (BPF_CORE_READ_BITFIELD_PROBED(skb, peeked))
			return false;
		a->state = transit_lost;
	}
	if (a->state == transit_known && udp_seen && a->note->proto != IPPROTO_UDP) {
		/* the pointer by itself: in halves, it is no NULL to the verifier of 7.2 */
		a->state = transit_lost;
		a->note = NULL;
	}
	return true;
}

/* The application has it now. A lost packet has no entry to end, so each look counts it again. */
static __always_inline void packet_ends(const struct arrival *a)
{
	if (a->state == transit_known)
		transit_end(received, &a->transit, TIME_DONE);
}

/*
 * Does it make a line at this stage? The time of a lost packet is unknown, so it might have made
 * one.
 */
static __always_inline bool arrival_wanted(const struct arrival *a, __u8 stage)
{
	return stage_wanted(stage) &&
	       (a->state == transit_lost || measure_wanted(latency, a->latency_ns));
}

/* Note the time until this stage, for later ones. */
#define NOTE_TIME(a, field)                                                             \
	do {                                                                            \
		if ((a)->note)                                                          \
			(a)->note->field = (a)->latency_ns >> 32 ? 0 : (a)->latency_ns; \
	} while (0)

/*
 * A device that was noted with its number. It may be gone by now: reading its memory is safe, and
 * the number tells whether it is still the same.
 */
static __always_inline const struct net_device *device_of_number(__u64 number, __u32 ifindex)
{
	const struct net_device *dev;

	if (!ifindex)
		return NULL;
	dev = pointer_of_number(number);
	return (__u32)BPF_CORE_READ(dev, ifindex) == ifindex ? dev : NULL;
}

/*
 * The device whose name is the interface the packet came in by last. By now skb->dev is gone
 * (tcp_v4_rcv() clears it), and with stacked devices skb_iif is the upper one.
 */
static __always_inline const struct net_device *note_dev(const struct note *note)
{
	return note ? device_of_number(note->dev, note->ifindex) : NULL;
}

#endif
