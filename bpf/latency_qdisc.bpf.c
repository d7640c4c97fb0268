// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * latency outwards, stage qdisc: how long a packet has waited in its device's queue. It is given to
 * the device at net_dev_queue, and to the driver at net_dev_start_xmit.
 */
#include "latency.bpf.h"
#include "packet.bpf.h"

/* When packets were handed to a device. */
static __u64 queued[TRANSIT_SIZE] __attribute__((aligned(64)));

/*
 * When the host itself cuts a large TCP packet into segments (a device without TSO), the segments
 * are new skbs. They keep the packet's departure time, which together with its hash identifies it.
 * 0 if there is no such time, as with forwarded packets and UDP.
 */
static __always_inline __u32 segments_hash(const struct sk_buff *skb, const bool typed)
{
	__u64 departure = READ(typed, skb, tstamp);

	return departure ? transit_hash(departure ^ (__u64)READ(typed, skb, hash) << 20) : 0;
}

static __always_inline bool skb_is_gso(const struct sk_buff *skb)
{
	const struct skb_shared_info *shared = (void *)((__u64)skb->head + skb->end);

	return BPF_CORE_READ(shared, gso_size);
}

static __always_inline void queued_put(__u32 hash, __u64 now)
{
	queued[transit_place_for(queued, hash, now)] = transit_entry(hash, now);
}

SEC("tp_btf/net_dev_queue")
int latency__net_dev_queue(__u64 *ctx)
{
	const struct sk_buff *skb = ARGUMENT(net_dev_queue, skb);
	__u64 now = bpf_ktime_get_boot_ns();
	__u32 hash;

	queued_put(skb_transit_hash(queued, skb, true), now);
	if (skb_is_gso(skb)) {
		hash = segments_hash(skb, true);
		if (hash)
			queued_put(hash, now);
	}
	return 0;
}

/*
 * Is it known when the packet was queued? If not, it is lost, for whatever reason: segments that
 * were never queued themselves have the addresses of earlier packets. A driver that refuses a
 * packet, so that it comes again (NETDEV_TX_BUSY), counts as broken
 * (Documentation/networking/driver.rst); with such a driver, the second time is lost.
 */
static __always_inline bool packet_departs(const struct sk_buff *skb, struct transit *ret_transit,
					   const bool typed)
{
	__u32 hash = skb_transit_hash(queued, skb, typed);

	if (transit_find(queued, hash, ret_transit) == transit_known) {
		transit_end(queued, ret_transit);
		return true;
	}
	hash = segments_hash(skb, typed);
	return hash && transit_find(queued, hash, ret_transit) == transit_known;
}

/* The sending socket, if it is a full one. Others have no owner. */
static __always_inline const struct sock *skb_sender(const struct sk_buff *skb, const bool typed)
{
	const struct sock *sk = READ(typed, skb, sk); /* NULL: forwarded, or skb_orphan() */

	return sk && sock_is_full(&sk->__sk_common, typed) ? sk : NULL;
}

SEC("tp_btf/net_dev_start_xmit")
int latency__net_dev_start_xmit(__u64 *ctx)
{
	const bool typed = loads_allowed();
	const struct sk_buff *skb = ARGUMENT(net_dev_start_xmit, skb);
	const struct net_device *dev = ARGUMENT(net_dev_start_xmit, dev);
	struct transit transit = {};
	bool known;
	__u64 now, latency_ns;
	const struct sock *sk;
	struct packet packet;
	struct subject subject;
	struct latency *e;

	known = packet_departs(skb, &transit, typed);
	if (!stage_wanted(stage_qdisc))
		return 0;
	now = bpf_ktime_get_boot_ns();
	latency_ns = transit_time(&transit, now);
	if (known && !measure_wanted(latency, latency_ns))
		return 0;
	packet_read(&packet, skb, dev_netns(dev, typed), 0, typed);
	sk = skb_sender(skb, typed);
	subject_init(&subject);
	subject.flow = packet.flow;
	subject.sk = sk;
	subject.dev = dev;
	if (!subject_flow_passes(&subject) || !subject_ifname_passes(&subject))
		return 0;
	if (sk)
		skb_owner(sk, &subject.owner, typed);
	if (!subject_owner_passes(&subject))
		return 0;
	if (!known) {
		event_missed(latency, 1, &subject);
		return 0;
	}
	if (sk && READ(typed, sk, __sk_common.skc_state) != TCP_LISTEN)
		subject.cookie = skb_cookie(sk, typed);
	e = event_begin(latency, &subject, typed);
	if (!e)
		return 0;
	e->header.time_ns = now;
	SET(e, stage, stage_qdisc);
	SET(e, latency_ns, latency_ns);
	SET(e, len_bytes, packet.payload);
	event_set_ifname(e, dev);
	SET(e, direction, direction_egress);
	if (packet.has_tcp_seq)
		SET(e, tcp_seq, packet.tcp_seq);
	event_submit(e);
	return 0;
}
