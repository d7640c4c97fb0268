// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * latency outwards, stage qdisc: how long a packet has waited in its device's queue. It is given to
 * the device at net_dev_queue, and to the driver at net_dev_start_xmit.
 */
#include "age.bpf.h"
#include "latency.bpf.h"
#include "nat.bpf.h"

/* When packets were handed to a device. */
static struct transit_slot queued[TRANSIT_SIZE] __attribute__((aligned(64)));

/* include/linux/skbuff.h */
#define SKB_GSO_TCPV4 (1 << 0)
#define SKB_GSO_TCPV6 (1 << 4)
#define NETIF_F_SG 1ULL /* include/linux/netdev_features.h */

/*
 * Where the host itself cuts a large TCP packet into segments (a device without TSO), these are
 * other skbs, in other buffers; and one that it makes linear (a device without scatter/gather) may
 * get another buffer. They keep TCP's departure time, which with its hash tells them from others.
 * False: there is none, as of packets that are forwarded.
 */
static __always_inline bool segments_key(struct transit_key *key, const struct sk_buff *skb,
					 const bool typed)
{
	__u64 departure = READ(typed, skb, tstamp), hash = READ(typed, skb, hash);

	key->hash = transit_hash(departure ^ hash << 20);
	/* not like that of an skb: no address has such bits */
	key->identity = departure * 0x9e3779b97f4a7c15ULL + hash;
	return departure;
}

/* Of UDP, an application may have given several packets the same departure time (SO_TXTIME). */
static __always_inline bool skb_is_cut_by_tcp(const struct sk_buff *skb)
{
	return BPF_CORE_READ(skb_shared(skb, true), gso_type) & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6);
}

/* skb_needs_linearize(); UDP makes no others for such a device. */
static __always_inline bool skb_is_made_linear(const struct sk_buff *skb)
{
	const struct net_device *dev = skb->dev;

	return skb->data_len && dev && !(dev->features & NETIF_F_SG);
}

static __always_inline void queued_put(const struct transit_key *key, __u64 now)
{
	__u32 place = transit_place_for(queued, key->hash, now) & (TRANSIT_SIZE - 1);

	transit_put(&queued[place], key, now);
}

SEC("tp_btf/net_dev_queue")
int latency__net_dev_queue(__u64 *ctx)
{
	const struct sk_buff *skb = ARGUMENT(net_dev_queue, skb);
	const struct net_device *dev = skb->dev;
	const struct sock *sk = skb->sk; /* NULL: forwarded, or skb_orphan() */
	__u64 now;
	struct transit_key key;

	/* without lines of its own it is only for what comes back into this host */
	if (!stage_wanted(stage_qdisc) && (!dev || !(device_ways(dev, true) & WAYS_BACK)))
		return 0;
	now = bpf_ktime_get_boot_ns();
	key = skb_transit_key(skb, skb->network_header, true);
	queued_put(&key, now);
	/* of a stream, its owner is known by then: connect(2), accept(2) */
	if (sk && sk->sk_type != SOCK_STREAM && sock_is_full(&sk->__sk_common, true))
		owner_learn_sender(sk);
	if ((key.identity & IDENTITY_SEGMENTS ? skb_is_cut_by_tcp(skb) : skb_is_made_linear(skb)) &&
	    segments_key(&key, skb, true))
		queued_put(&key, now);
	return 0;
}

/* Another packet may have its skb and its buffer next, without having been queued. */
SEC("tp_btf/kfree_skb")
int latency__kfree_skb_queued(__u64 *ctx)
{
	const struct sk_buff *skb = ARGUMENT(kfree_skb, skb);

	transit_drop(queued, skb, buffer_hash(skb_head(skb)));
	return 0;
}

/*
 * Is it known when the packet was queued? If not, it is lost, for whatever reason: segments that
 * were never queued themselves have the addresses of earlier packets. A driver that refuses a
 * packet, so that it comes again (NETDEV_TX_BUSY), counts as broken
 * (Documentation/networking/driver.rst); with such a driver, the second time is lost.
 */
static __always_inline bool packet_departs(const struct sk_buff *skb, const struct transit_key *key,
					   struct transit *ret_transit, const bool typed)
{
	struct transit_key segments;

	if (transit_find(queued, key, 0, 0, ret_transit) == transit_known) {
		transit_end(queued, ret_transit, TIME_DONE);
		return true;
	}
	return segments_key(&segments, skb, typed) &&
	       transit_find(queued, &segments, 0, 0, ret_transit) == transit_known;
}

/* A packet has been handed on by a device of this host. Without such devices none needs an end. */
static volatile bool handing_on_seen;

/*
 * The packet leaves this host by a card, perhaps handed on to it by another device. TCP may send it
 * again by the same skb (__skb_clone() of an skb that has room for one beside it), and then by a
 * device whose packets come back: it is not the one that was handed on.
 */
static __always_inline void packet_leaves(const struct transit_key *key)
{
	struct transit transit = {};

	if (transit_look_under_way(received, key->hash, &transit) &&
	    transit_is_of_skb(&transit, key->identity) &&
	    notes[transit.place & (TRANSIT_SIZE - 1)].flags & note_handed_on)
		transit_end(received, &transit, TIME_GONE);
}

/*
 * The packet is given to a device of which it comes back into this host. Its clock goes on there
 * where it came in before; where it was made here, from where it was queued.
 */
static __always_inline void packet_hand(const struct sk_buff *skb, const struct net_device *dev,
					const struct transit_key *key, __u64 queued_time, __u64 now,
					const bool typed)
{
	const __u32 iif = READ(typed, skb, skb_iif), ways = device_ways(dev, typed);
	struct arrived arrived = {};
	struct headers headers;
	enum sameness sameness;
	enum proof proof;

	if (!(ways & WAYS_BACK)) {
		if (handing_on_seen && !iif && ways & way_out)
			packet_leaves(key);
		return;
	}
	if (ways & way_on && !handing_on_seen)
		handing_on_seen = true;
	headers = headers_read(key->head, key->identity, true);
	VALUES_FORGET(
		&headers); /* so that departure_tell() has their room on the stack, as below */
	proof = iif ? proof_received : handing_on_seen ? proof_handed_on : proof_none;
	sameness = arrived_find(&arrived, skb, key, &headers, proof, typed, true);
	VALUES_FORGET(&arrived);
	if (iif && sameness == is_clone)
		return;
	if (sameness != is_same) {
		/* tc may redirect what was made here, and sets skb_iif: its sender tells */
		const bool made_here = sameness != is_doubtful && (!iif || READ(typed, skb, sk));

		arrived = (struct arrived){
			.time = made_here && queued_time ? queued_time : TIME_GONE,
			.dev = pointer_number(dev),
			.ifindex = READ(typed, dev, ifindex),
		};
	}
	arrived.flags = note_has_origin | (ways & way_up ? note_handed_up : 0) |
			(ways & way_on ? note_handed_on : 0);
	arrived_put(&arrived, key, &headers, arrived.dev, arrived.ifindex, now);
	if (ways & way_on)
		buffer_note(key);
}

/*
 * The sending socket, where it is one that has an owner. TCP, ICMP and IGMP answer by raw sockets
 * of the kernel's own what no socket has sent (inet_ctl_sock_create()): a closed port's RST, an
 * echo's reply.
 */
static __always_inline const struct sock *sender_of(const struct sock *sk, const bool typed)
{
	if (!sk || !sock_is_full(&sk->__sk_common, typed) ||
	    (READ(typed, sk, sk_type) == SOCK_RAW && READ_BITFIELD(typed, sk, sk_kern_sock)))
		return NULL;
	return sk;
}

/* How the addresses in the packet's headers differ from those that its sender knows. */
static __always_inline void event_set_nat(struct latency *e, const struct flow *sender,
					  const struct flow *headers)
{
	if (address_differs(&sender->src, &headers->src))
		SET(e, src_nat_ip, headers->src);
	if (address_differs(&sender->dest, &headers->dest))
		SET(e, dest_nat_ip, headers->dest);
	if (!headers->has_ports)
		return;
	if (sender->src_port != headers->src_port)
		SET(e, src_nat_port, headers->src_port);
	if (sender->dest_port != headers->dest_port)
		SET(e, dest_nat_port, headers->dest_port);
}

/* `known`: it was seen to be queued, so long before; else its line is lost */
static __always_inline void departure_tell(const struct sk_buff *skb, const struct net_device *dev,
					   const bool known, __u64 latency_ns, __u64 now,
					   const bool typed)
{
	const struct sock *sk;
	struct packet packet;
	struct subject subject;
	struct latency *e;

	packet_read(&packet, skb, dev_netns(dev, typed), 0, typed);
	VALUES_FORGET(&packet);
	sk = READ(typed, skb, sk); /* NULL: forwarded, or skb_orphan() */
	subject_init(&subject);
	subject.flow = packet.flow;
	flow_take_senders(&subject.flow, skb, sk, typed);
	sk = sender_of(sk, typed);
	subject.sk = sk;
	subject.dev = dev;
	if (!subject_flow_passes(&subject) || !subject_ifname_passes(&subject))
		return;
	if (sk)
		skb_owner(sk, &subject.owner, typed);
	if (!subject_owner_passes(&subject))
		return;
	if (!known) {
		event_missed(latency, 1, &subject);
		return;
	}
	if (sk && READ(typed, sk, __sk_common.skc_state) != TCP_LISTEN) {
		subject.cookie = skb_cookie(sk, typed);
		subject.mptcp_cookie = mptcp_cookie_read(sk, typed);
	}
	e = event_begin(latency, &subject, typed);
	if (!e)
		return;
	e->header.time_ns = now;
	SET(e, stage, stage_qdisc);
	SET(e, latency_ns, latency_ns);
	SET(e, len_bytes, packet.payload);
	SET_DEVICE(e, ifname, dev);
	SET(e, direction, direction_egress);
	if (packet.has_tcp_seq)
		SET(e, tcp_seq, packet.tcp_seq);
	event_set_nat(e, &subject.flow, &packet.flow);
	event_submit(e);
}

/* Was it seen to be queued? *ret_latency_ns: so long before. The device that gets it is told, too. */
static __always_inline bool departure_look(const struct sk_buff *skb, const struct net_device *dev,
					   __u64 now, __u64 *ret_latency_ns, const bool typed)
{
	struct transit_key key = skb_transit_key(skb, READ(typed, skb, network_header), typed);
	struct transit transit = {};
	const bool known = packet_departs(skb, &key, &transit, typed);

	VALUES_FORGET(&key);
	packet_hand(skb, dev, &key, known ? transit.entry & TIME_MASK : 0, now, typed);
	*ret_latency_ns = transit_time(&transit, now);
	return known;
}

SEC("tp_btf/net_dev_start_xmit")
int latency__net_dev_start_xmit(__u64 *ctx)
{
	const bool typed = loads_allowed();
	const struct sk_buff *skb = ARGUMENT(net_dev_start_xmit, skb);
	const struct net_device *dev = ARGUMENT(net_dev_start_xmit, dev);
	__u64 now = bpf_ktime_get_boot_ns(), latency_ns;
	bool known;

	if (!handing_seen)
		handing_seen = true;
	known = departure_look(skb, dev, now, &latency_ns, typed);
	if (stage_wanted(stage_qdisc) && (!known || measure_wanted(latency, latency_ns)))
		departure_tell(skb, dev, known, latency_ns, now, typed);
	return 0;
}
