// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * latency - how long a packet has been inside this host when it reaches a stage. Received packets
 * are here; for those sent see latency_qdisc.bpf.c.
 *
 * Every packet enters the stack at netif_receive_skb. Its buffer, its skb and its place in the
 * buffer join entry and stage (transit.bpf.h). A packet that comes in by several devices has an
 * entry at each, which goes on from the one before (age.bpf.h). Each stage notes its time for later
 * ones.
 *
 * A packet whose entry time is no longer known has no line, and is counted as lost.
 */
#include "arrival.bpf.h"
#include "packet.bpf.h"

struct transit_slot received[TRANSIT_SIZE] __attribute__((aligned(64)));
struct note notes[TRANSIT_SIZE] __attribute__((aligned(64)));
struct origin origins[TRANSIT_SIZE] __attribute__((aligned(64)));
__u64 buffers[TRANSIT_SIZE] __attribute__((aligned(64)));
volatile bool handing_seen;

/* How it can be known that a packet which comes in by `dev` has been in this host before. */
static __always_inline enum proof proof_of_entry(const struct sk_buff *skb,
						 const struct net_device *dev)
{
	__u32 ways;

	if (skb->skb_iif)
		return proof_received;
	ways = dev ? device_ways(dev, true) : 0;
	if (ways & way_tunnel)
		return proof_unwrapped;
	return ways & way_up && handing_seen ? proof_handed_up : proof_none;
}

/*
 * IP's header is where the packet begins, behind VLAN tags and what else is still to be taken off:
 * skb->network_header is set next.
 */
SEC("tp_btf/netif_receive_skb")
int latency__netif_receive_skb(__u64 *ctx)
{
	struct sk_buff *skb = ARGUMENT(netif_receive_skb, skb);
	struct net_device *dev = skb->dev; /* no extra miss: its rx_handler is read next */
	__u64 now = bpf_ktime_get_boot_ns();
	struct transit_key key = skb_transit_key(skb, skb->data - skb->head, true);
	struct headers headers = headers_read(key.head, key.identity, false);
	enum proof proof = proof_of_entry(skb, dev);
	struct arrived arrived = { .time = now };
	enum sameness sameness = is_unknown;

	if (proof != proof_none) {
		sameness = arrived_find(&arrived, skb, &key, &headers, proof, true, false);
		if (sameness == is_same)
			arrived.flags = note_has_origin;
		else
			arrived.time = TIME_GONE;
	}
	buffer_note(&key); /* until now it told of the buffer before this one */
	if (sameness == is_clone)
		return 0;
	arrived_put(&arrived, &key, &headers, pointer_number(dev), dev ? dev->ifindex : 0, now);
	return 0;
}

/* Another packet may have its skb and its buffer next, without having come in. */
SEC("tp_btf/kfree_skb")
int latency__kfree_skb(__u64 *ctx)
{
	const struct sk_buff *skb = ARGUMENT(kfree_skb, skb);

	transit_drop(received, skb, buffer_hash(skb_head(skb)));
	return 0;
}

/* Where its clock began, if that was not at the device which received it last. */
static __always_inline void event_set_origin(struct latency *e, const struct arrival *a)
{
	const struct origin *origin = &origins[a->transit.place & (TRANSIT_SIZE - 1)];
	const struct net_device *dev;

	if (!(a->note->flags & note_has_origin) || origin->of != a->transit.entry)
		return;
	SET(e, device_ns, a->now - origin->device_ns);
	dev = device_of_number(origin->dev, origin->ifindex);
	if (origin->dev != a->note->dev)
		SET_DEVICE(e, first_ifname, dev);
}

/*
 * A record with what all stages of received packets tell. NULL as for event_begin(), or if it is
 * lost.
 */
static __always_inline struct latency *latency_begin(struct subject *s, const struct arrival *a,
						     __u8 stage, __u32 payload, const bool typed)
{
	struct latency *e;

	s->dev = note_dev(a->note);
	if (!subject_passes(s))
		return NULL;
	if (!a->note) {
		event_missed(latency, 1, s);
		return NULL;
	}
	e = event_begin(latency, s, typed);
	if (!e)
		return NULL;
	e->header.time_ns = a->now;
	SET(e, stage, stage);
	SET(e, latency_ns, a->latency_ns);
	if (stage != stage_transport && a->note->transport_ns)
		SET(e, transport_ns, a->note->transport_ns);
	if (stage == stage_app && a->note->tcp_ns)
		SET(e, tcp_ns, a->note->tcp_ns);
	event_set_origin(e, a);
	SET(e, len_bytes, payload);
	SET_DEVICE(e, ifname, s->dev);
	SET(e, direction, direction_ingress);
	return e;
}

/* The same of a packet whose headers have been read, given to user space. */
static __always_inline void packet_tell(struct subject *s, const struct arrival *a, __u8 stage,
					const struct packet *packet, const bool typed)
{
	struct latency *e = latency_begin(s, a, stage, packet->payload, typed);

	if (!e)
		return;
	if (packet->has_tcp_seq)
		SET(e, tcp_seq, packet->tcp_seq);
	event_submit(e);
}

/* The packet is handed to its protocol, before its socket is looked up. */
static __always_inline int transport(const struct sk_buff *skb, __u8 proto, const bool typed)
{
	struct arrival a;
	struct packet packet;
	struct subject subject;

	if (proto == IPPROTO_UDP && !udp_seen)
		udp_seen = true;
	subject_init(&subject);
	if (!packet_arrives(&a, skb, typed))
		return 0;
	NOTE_TIME(&a, transport_ns);
	if (a.note)
		a.note->proto = proto;
	if (!arrival_wanted(&a, stage_transport))
		return 0;
	/*
	 * the socket is not known yet, nor its owner and cgroup: refuse rather than let one slip
	 * through
	 */
	subject.undecided = FILTER_BEFORE_SOCKET;
	if (subject_is_undecided(&subject))
		return 0;
	packet_read(&packet, skb, dev_netns(READ(typed, skb, dev), typed), proto, typed);
	VALUES_FORGET(&packet);
	subject.flow = packet.flow;
	packet_tell(&subject, &a, stage_transport, &packet, typed);
	return 0;
}

#define TRANSPORT(function, proto)                                                 \
	SEC("fentry/" #function)                                                   \
	int latency__##function(__u64 *ctx)                                        \
	{                                                                          \
		return transport(ARGUMENT(function, skb), proto, loads_allowed()); \
	}                                                                          \
	SEC("kprobe/" #function)                                                   \
	int latency__##function##_kprobe(struct pt_regs *ctx)                      \
	{                                                                          \
		return transport((void *)PT_REGS_PARM1(ctx), proto, false);        \
	}

TRANSPORT(tcp_v4_rcv, IPPROTO_TCP)
TRANSPORT(tcp_v6_rcv, IPPROTO_TCP)
TRANSPORT(udp_rcv, IPPROTO_UDP)
TRANSPORT(udpv6_rcv, IPPROTO_UDP)

/* A record of a packet that has a TCP socket, from whose addresses the packet's are known. */
static __always_inline struct latency *latency_begin_tcp(struct subject *s, const struct arrival *a,
							 __u8 stage, const struct sk_buff *skb,
							 const struct sock *sk, const bool typed)
{
	const struct sock_common *skc = &sk->__sk_common;
	struct tcp_cb cb;
	struct latency *e;

	s->sk = sk;
	flow_of_sock(&s->flow, skc, sock_is_ipv6(skc, typed), false, typed);
	tcp_cb_read(&cb, skb);
	e = latency_begin(s, a, stage, tcp_cb_payload(&cb), typed);
	if (e)
		SET(e, tcp_seq, tcp_cb(&cb)->seq);
	return e;
}

/* Entry of tcp_rcv_established(), net/ipv4/tcp_input.c. */
SEC("tp_btf/tcp_probe")
int latency__tcp_probe(__u64 *ctx)
{
	const bool typed = loads_allowed();
	struct sock *sk = ARGUMENT(tcp_probe, sk);
	const struct sk_buff *skb = ARGUMENT(tcp_probe, skb);
	struct arrival a;
	struct subject subject;
	struct latency *e;

	subject_init(&subject);
	if (!subject_sock_passes(&subject, sk, false, typed) || !packet_arrives(&a, skb, typed))
		return 0;
	NOTE_TIME(&a, tcp_ns);
	if (!arrival_wanted(&a, stage_tcp))
		return 0;
	owner_of_sock(sk, &subject.owner);
	if (!subject_owner_passes(&subject))
		return 0;
	subject_set_cookies(&subject, sk);
	e = latency_begin_tcp(&subject, &a, stage_tcp, skb, sk, typed);
	if (e)
		event_submit(e);
	return 0;
}

/*
 * Has a part of the packet been read before? Then its entry may be gone by now, and it has already
 * had its line or been counted.
 */
static __always_inline bool tcp_read_before(const struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_cb cb;

	tcp_cb_read(&cb, skb);
	return (__s32)(BPF_CORE_READ((const struct tcp_sock *)sk, copied_seq) - tcp_cb(&cb)->seq) >
	       !!(tcp_cb(&cb)->tcp_flags & TCPHDR_SYN);
}

/* The packet is copied to the current process, whose socket does not tell its addresses. */
static __always_inline int packet_copied(const struct arrival *a, struct subject *s,
					 const struct sk_buff *skb, __u8 proto, const bool typed)
{
	struct packet packet;

	packet_read(&packet, skb, sock_netns(&s->sk->__sk_common, typed), proto, typed);
	s->flow = packet.flow;
	if (!subject_flow_passes(s))
		return 0;
	owner_of_current(&s->owner);
	packet_tell(s, a, stage_app, &packet, typed);
	return 0;
}

/*
 * MPTCP has moved the packet to its own socket's queue, which many subflows fill: whose the packet
 * was, only its headers tell. What TCP notes in skb->cb has been overwritten.
 */
static __always_inline int copied_from_mptcp(const struct sock *sk, const struct sk_buff *skb,
					     const bool typed)
{
	const struct mptcp_skb_cb *cb = (const void *)&skb->cb;
	struct arrival a;
	struct subject subject;

	subject_init(&subject);
	if (!packet_arrives(&a, skb, typed))
		return 0;
	packet_ends(&a);
	/* offset: so much of it has been read, as in tcp_read_before() */
	if (!arrival_wanted(&a, stage_app) ||
	    (a.state == transit_lost && BPF_CORE_READ(cb, offset)))
		return 0;
	subject.sk = sk;
	subject.mptcp_cookie = skb_cookie(sk, typed);
	return packet_copied(&a, &subject, skb, IPPROTO_TCP, typed);
}

/*
 * The packet lies in the receive queue of the socket that owns it. It may be copied in parts: only
 * the first counts.
 */
static __always_inline int copied_from_tcp(const struct sock *sk, const struct sk_buff *skb,
					   const bool typed)
{
	struct arrival a;
	struct subject subject;
	struct latency *e;

	subject_init(&subject);
	if (!subject_sock_passes(&subject, sk, false, typed) || !packet_arrives(&a, skb, typed))
		return 0;
	packet_ends(&a);
	if (!arrival_wanted(&a, stage_app) || (a.state == transit_lost && tcp_read_before(sk, skb)))
		return 0;
	owner_of_current(&subject.owner); /* the reader is in its system call */
	if (!subject_owner_passes(&subject))
		return 0;
	subject.cookie = skb_cookie(sk, typed);
	e = latency_begin_tcp(&subject, &a, stage_app, skb, sk, typed);
	if (e)
		event_submit(e);
	return 0;
}

/* All kinds of sockets copy with this function. */
SEC("tp_btf/skb_copy_datagram_iovec")
int latency__skb_copy_datagram_iovec(__u64 *ctx)
{
	const bool typed = loads_allowed();
	const struct sk_buff *skb = ARGUMENT(skb_copy_datagram_iovec, skb);
	struct sock *sk =
		READ(typed, skb, sk); /* NULL: queued at a socket without an owner (UDP) */
	__u16 family, protocol;

	if (!sk)
		return 0;
	family = READ(typed, sk, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) || !sock_is_full(&sk->__sk_common, typed))
		return 0;
	protocol = READ(typed, sk, sk_protocol);
	if (protocol == IPPROTO_TCP)
		return copied_from_tcp(sk, skb, typed);
	if (mptcp_exists() && protocol == IPPROTO_MPTCP)
		return copied_from_mptcp(sk, skb, typed);
	return 0;
}

/*
 * skb_consume_udp(sk, skb, len), net/ipv4/udp.c: called for each datagram copied, and for each
 * peeked at (MSG_PEEK): only the first time counts. skb->dev now holds something else (struct
 * udp_dev_scratch), but the headers are still there.
 */
static __always_inline int consume_udp(const struct sock *sk, const struct sk_buff *skb,
				       __u64 cookie, const bool typed)
{
	struct arrival a;
	struct subject subject;

	subject_init(&subject);
	if (!datagram_arrives(&a, skb, typed))
		return 0;
	packet_ends(&a);
	if (!arrival_wanted(&a, stage_app))
		return 0;
	subject.sk = sk;
	subject.cookie = cookie;
	return packet_copied(&a, &subject, skb, IPPROTO_UDP, typed);
}

SEC("fentry/skb_consume_udp")
int latency__skb_consume_udp(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(skb_consume_udp, sk);

	return consume_udp(sk, ARGUMENT(skb_consume_udp, skb), socket_cookie(sk), loads_allowed());
}

SEC("kprobe/skb_consume_udp")
int latency__skb_consume_udp_kprobe(struct pt_regs *ctx)
{
	struct sock *sk = (void *)PT_REGS_PARM1(ctx);

	return consume_udp(sk, (void *)PT_REGS_PARM2(ctx), cookie_read(sk), false);
}
