// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * latency - how long a packet has been inside this host when it reaches a stage.
 *
 * Inwards, every packet enters the stack at netif_receive_skb, and keeps its skb's address on its
 * way to the socket and the application. So one shared array, found by that address, joins entry
 * and stage: no locks, no allocation, a write an incoming packet. A slot that another packet has
 * taken over is no match: then there is no line. Each stage leaves its time there for later ones.
 *
 * Outwards, a packet is given to its device at net_dev_queue and to the driver at
 * net_dev_start_xmit; a second array joins these.
 */
#include "filter.bpf.h"
#include "packet.bpf.h"

#include <linux/ptrace.h>

#include <bpf/bpf_tracing.h>

#define SLOT_BITS 14
#define TAG_BITS 16
#define TIME_BITS 48 /* nanoseconds: a packet may wait for three days */
#define TIME_MASK ((1ULL << TIME_BITS) - 1)

/*
 * `entry` is one word, so that nobody ever reads half of it: the time of entry, and above it the
 * packet's tag. The device may be that of another packet which is just moving in: its number stands
 * beside it, and whoever reads the device's name compares the two. The stages' times count from
 * entry; 0 is not known, and so is what does not fit (four seconds).
 */
struct slot {
	__u64 entry;
	__u64 dev;
	__u32 ifindex;
	__u32 transport_ns;
	__u32 tcp_ns;
	__u32 unused; /* two slots a cache line, none across */
};

static struct slot slots[1 << SLOT_BITS] __attribute__((aligned(64)));

/* Outwards: entries like those above. */
static __u64 queued[1 << SLOT_BITS] __attribute__((aligned(64)));

/* A pointer as a number again, for which the verifier offers nothing better than a copy. */
static __always_inline __u64 address_of(const void *pointer)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &pointer);
	return address;
}

/*
 * The upper bits choose the slot, the lower are the tag. Multiplying by an odd number is one-to-one
 * on the lower bits.
 */
static __always_inline __u32 hash_of(__u64 number)
{
	return (number * 0x9e3779b1U) & ((1U << (SLOT_BITS + TAG_BITS)) - 1);
}

/*
 * By the skb's address. The verifier forbids arithmetic on a kernel pointer, but the difference of
 * two pointers is a number. skbs lie on cache lines, and of the line's number the lower 30 bits are
 * what is hashed: two skbs within 64 GiB of memory are never taken for each other.
 */
static __always_inline __u32 skb_hash(const struct sk_buff *skb, const bool plain)
{
	if (plain)
		return hash_of((__u64)((void *)skb - (void *)slots) >> 6);
	return hash_of(((__u64)skb - address_of(slots)) >> 6);
}

static __always_inline __u32 slot_number(__u32 hash)
{
	return (hash >> TAG_BITS) & ((1 << SLOT_BITS) - 1);
}

static __always_inline __u64 entry_make(__u32 hash, __u64 now)
{
	return (__u64)(hash & ((1 << TAG_BITS) - 1)) << TIME_BITS | (now & TIME_MASK);
}

/* Is it this packet's? */
static __always_inline bool entry_matches(__u64 entry, __u32 hash)
{
	return entry && entry >> TIME_BITS == (hash & ((1 << TAG_BITS) - 1));
}

/* Is there a line of this latency at this stage? */
static __always_inline bool latency_wanted(__u8 stage, __u64 latency_ns)
{
	return event_wanted(event_latency) && !(settings.stages_off & 1ULL << stage) &&
	       within_limits(&settings.latency_ns, latency_ns);
}

/* ---- inwards ---- */

SEC("tp_btf/netif_receive_skb")
int latency__netif_receive_skb(__u64 *ctx)
{
	struct sk_buff *skb = (void *)ctx[0];
	__u32 hash = skb_hash(skb, true);
	struct slot *slot = &slots[slot_number(hash)];

	slot->dev = (void *)skb->dev - (void *)slots;
	slot->ifindex = skb->dev->ifindex;
	slot->transport_ns = 0;
	slot->tcp_ns = 0;
	slot->entry = entry_make(hash, bpf_ktime_get_boot_ns());
	return 0;
}

/* A packet at a stage. */
struct arrival {
	struct slot *slot;
	__u64 now;
	__u64 latency_ns;
};

/*
 * False where this skb is not known to have come in: its slot belongs to another by now, or TCP
 * made it itself when it compacted its queue (tcp_collapse(): no interface).
 */
static __always_inline bool packet_arrives(struct arrival *a, const struct sk_buff *skb,
					   const bool plain)
{
	__u32 hash = skb_hash(skb, plain);
	__u64 entry;

	a->slot = &slots[slot_number(hash)];
	entry = a->slot->entry;
	if (!entry_matches(entry, hash) || !READ(plain, skb, skb_iif))
		return false;
	a->now = bpf_ktime_get_boot_ns();
	a->latency_ns = (a->now - entry) & TIME_MASK;
	return true;
}

static __always_inline __u32 slot_time(__u64 ns)
{
	return ns >> 32 ? 0 : ns;
}

/*
 * The name of the interface the packet came in by. By now skb->dev is gone (tcp_v4_rcv() clears
 * it), and skb_iif is that of the upper device where some are stacked. A device may be gone, too:
 * reading is safe, and its number tells whether it is still the one.
 */
static __always_inline const struct net_device *slot_dev(const struct slot *slot)
{
	const struct net_device *dev = (void *)(address_of(slots) + slot->dev);

	return (__u32)BPF_CORE_READ(dev, ifindex) == slot->ifindex ? dev : NULL;
}

static __always_inline void event_set_ifname(struct latency *e, const struct slot *slot)
{
	const struct net_device *dev = slot_dev(slot);

	if (!dev)
		return;
	bpf_probe_read_kernel(&e->ifname, sizeof(e->ifname), dev->name);
	MARK(e, ifname);
}

/* What is asked of a packet that is known to have come in. */
static __always_inline bool arrival_passes(const struct filter *filter, const struct arrival *a,
					   const struct owner *owner)
{
	if (!owner_passes(filter, owner))
		return false;
	return !(filter_active(filter) & FILTER_BITS(filter_ifname)) ||
	       ifname_passes(filter, slot_dev(a->slot));
}

/* A record with what all stages inwards tell. */
static __always_inline struct latency *latency_reserve(const struct arrival *a, __u8 stage,
						       const struct flow *flow, __u32 payload)
{
	struct latency *e = event_reserve(latency, flow);

	if (!e)
		return NULL;
	e->header.time_ns = a->now;
	event_set_flow((struct event *)e, flow);
	SET(e, stage, stage);
	SET(e, latency_ns, a->latency_ns);
	if (stage != stage_transport && a->slot->transport_ns)
		SET(e, transport_ns, a->slot->transport_ns);
	if (stage == stage_app && a->slot->tcp_ns)
		SET(e, tcp_ns, a->slot->tcp_ns);
	SET(e, len_bytes, payload);
	event_set_ifname(e, a->slot);
	SET(e, direction, direction_ingress);
	return e;
}

/* Handed to its protocol, before a socket is looked for. */
static __always_inline int transport(const struct sk_buff *skb, __u8 proto, const bool plain)
{
	const struct filter *filter = filter_in_force();
	struct arrival a;
	const struct owner nobody = {};
	struct packet packet;
	struct latency *e;

	if (!packet_arrives(&a, skb, plain))
		return 0;
	a.slot->transport_ns = slot_time(a.latency_ns);
	if (!latency_wanted(stage_transport, a.latency_ns))
		return 0;
	/* whose packet it is nobody knows yet: one that is to be left out must not slip through */
	if (filter_active(filter) & (FILTER_OF_OWNER | FILTER_OF_CGROUPS))
		return 0;
	packet_read(&packet, skb,
		    plain ? skb->dev->nd_net.net->ns.inum :
			    BPF_CORE_READ(skb, dev, nd_net.net, ns.inum),
		    proto, plain);
	if (!flow_passes(filter, &packet.flow, NULL) || !arrival_passes(filter, &a, &nobody))
		return 0;
	e = latency_reserve(&a, stage_transport, &packet.flow, packet.payload);
	if (!e)
		return 0;
	if (packet.has_tcp_seq)
		SET(e, tcp_seq, packet.tcp_seq);
	event_submit(e);
	return 0;
}

#define TRANSPORT(function, proto)                                          \
	SEC("fentry/" #function)                                            \
	int latency__##function(__u64 *ctx)                                 \
	{                                                                   \
		return transport((void *)ctx[0], proto, true);              \
	}                                                                   \
	SEC("kprobe/" #function)                                            \
	int latency__##function##_kprobe(struct pt_regs *ctx)               \
	{                                                                   \
		return transport((void *)PT_REGS_PARM1(ctx), proto, false); \
	}

TRANSPORT(tcp_v4_rcv, IPPROTO_TCP)
TRANSPORT(tcp_v6_rcv, IPPROTO_TCP)
TRANSPORT(udp_rcv, IPPROTO_UDP)
TRANSPORT(udpv6_rcv, IPPROTO_UDP)

/* A line of a packet that has a TCP socket, whose addresses are the packet's. */
static __always_inline struct latency *latency_reserve_tcp(const struct arrival *a, __u8 stage,
							   const struct sk_buff *skb,
							   const struct sock *sk)
{
	const struct sock_common *skc = &sk->__sk_common;
	struct flow flow;
	struct tcp_cb cb;
	struct latency *e;

	flow_of_sock(&flow, skc, sock_is_ipv6(skc, true), false, true);
	tcp_cb_read(&cb, skb);
	e = latency_reserve(a, stage, &flow, tcp_cb_payload(&cb));
	if (!e)
		return NULL;
	SET(e, tcp_seq, tcp_cb(&cb)->seq);
	event_set_cgroup((struct event *)e, sk, true);
	return e;
}

/* Entry of tcp_rcv_established(), net/ipv4/tcp_input.c. */
SEC("tp_btf/tcp_probe")
int latency__tcp_probe(__u64 *ctx)
{
	const struct filter *filter = filter_in_force();
	struct sock *sk = (void *)ctx[0];
	const struct sk_buff *skb = (void *)ctx[1];
	struct arrival a;
	struct owner owner;
	struct latency *e;

	if (!sock_passes(filter, sk, false) || !packet_arrives(&a, skb, true))
		return 0;
	a.slot->tcp_ns = slot_time(a.latency_ns);
	if (!latency_wanted(stage_tcp, a.latency_ns))
		return 0;
	owner_of_sock(sk, &owner);
	if (!arrival_passes(filter, &a, &owner))
		return 0;
	e = latency_reserve_tcp(&a, stage_tcp, skb, sk);
	if (!e)
		return 0;
	event_set_owner((struct event *)e, &owner);
	event_set_cookie((struct event *)e, socket_cookie(sk));
	event_submit(e);
	return 0;
}

/* Has it the fields of a socket, beyond those that a request or TIME-WAIT has, too? */
static __always_inline bool sock_is_full(const struct sock *sk)
{
	__u8 state = sk->__sk_common.skc_state;

	return state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV;
}

/*
 * skb->sk is an RCU pointer since 6.3, which the helper does not take; the same socket by way of
 * its file's half is a plain one. Without that half (closed by its process) the helper says 0.
 */
static __always_inline __u64 skb_cookie(const struct sock *sk)
{
	return socket_cookie(sk->sk_socket->sk);
}

/*
 * All kinds of sockets copy with this function; TCP's packets lie in the receive queue of the
 * socket that owns them. A packet may be copied in parts: the first one counts.
 */
SEC("tp_btf/skb_copy_datagram_iovec")
int latency__skb_copy_datagram_iovec(__u64 *ctx)
{
	const struct filter *filter = filter_in_force();
	const struct sk_buff *skb = (void *)ctx[0];
	struct sock *sk = skb->sk;
	struct arrival a;
	struct owner reader; /* this is its system call */
	struct latency *e;
	__u16 family;

	if (!sk)
		return 0;
	family = sk->__sk_common.skc_family;
	if ((family != AF_INET && family != AF_INET6) || !sock_is_full(sk) ||
	    sk->sk_protocol != IPPROTO_TCP || !sock_passes(filter, sk, false) ||
	    !packet_arrives(&a, skb, true))
		return 0;
	a.slot->entry = 0;
	if (!latency_wanted(stage_app, a.latency_ns))
		return 0;
	owner_of_current(&reader);
	if (!arrival_passes(filter, &a, &reader))
		return 0;
	e = latency_reserve_tcp(&a, stage_app, skb, sk);
	if (!e)
		return 0;
	event_set_cookie((struct event *)e, skb_cookie(sk));
	event_set_owner((struct event *)e, &reader);
	event_submit(e);
	return 0;
}

/*
 * skb_consume_udp(sk, skb, len), net/ipv4/udp.c: called for each datagram that has been copied, and
 * for each that has been looked at (MSG_PEEK): the first time counts. skb->dev is something else by
 * now (struct udp_dev_scratch), but the headers are still there.
 */
static __always_inline int consume_udp(const struct sock *sk, const struct sk_buff *skb,
				       __u64 cookie, const bool plain)
{
	const struct filter *filter = filter_in_force();
	struct arrival a;
	struct owner reader;
	struct packet packet;
	struct latency *e;

	if (!packet_arrives(&a, skb, plain))
		return 0;
	a.slot->entry = 0;
	if (!latency_wanted(stage_app, a.latency_ns))
		return 0;
	packet_read(&packet, skb,
		    plain ? sk->__sk_common.skc_net.net->ns.inum :
			    BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum),
		    IPPROTO_UDP, plain);
	owner_of_current(&reader);
	if (!flow_passes(filter, &packet.flow, sk) || !arrival_passes(filter, &a, &reader))
		return 0;
	e = latency_reserve(&a, stage_app, &packet.flow, packet.payload);
	if (!e)
		return 0;
	event_set_cgroup((struct event *)e, sk, plain);
	event_set_cookie((struct event *)e, cookie);
	event_set_owner((struct event *)e, &reader);
	event_submit(e);
	return 0;
}

SEC("fentry/skb_consume_udp")
int latency__skb_consume_udp(__u64 *ctx)
{
	struct sock *sk = (void *)ctx[0];

	return consume_udp(sk, (void *)ctx[1], socket_cookie(sk), true);
}

SEC("kprobe/skb_consume_udp")
int latency__skb_consume_udp_kprobe(struct pt_regs *ctx)
{
	struct sock *sk = (void *)PT_REGS_PARM1(ctx);

	return consume_udp(sk, (void *)PT_REGS_PARM2(ctx), cookie_read(sk), false);
}

/* ---- outwards ---- */

/*
 * Where the host itself cuts a large TCP packet into segments (a device without TSO), these are
 * other skbs. They keep its departure time, which with its hash tells it from others. 0: there is
 * none, as of packets that are forwarded, and of UDP.
 */
static __always_inline __u32 segments_hash(const struct sk_buff *skb)
{
	__u64 departure = skb->tstamp;

	return departure ? hash_of(departure ^ (__u64)skb->hash << 20) : 0;
}

static __always_inline bool skb_is_gso(const struct sk_buff *skb)
{
	const struct skb_shared_info *shared = (void *)((__u64)skb->head + skb->end);

	return BPF_CORE_READ(shared, gso_size);
}

SEC("tp_btf/net_dev_queue")
int latency__net_dev_queue(__u64 *ctx)
{
	const struct sk_buff *skb = (void *)ctx[0];
	__u64 now = bpf_ktime_get_boot_ns();
	__u32 hash = skb_hash(skb, true);

	queued[slot_number(hash)] = entry_make(hash, now);
	if (skb_is_gso(skb)) {
		hash = segments_hash(skb);
		if (hash)
			queued[slot_number(hash)] = entry_make(hash, now);
	}
	return 0;
}

/* When the packet was queued; 0 if that is not known. */
static __always_inline __u64 queued_take(const struct sk_buff *skb)
{
	__u32 hash = skb_hash(skb, true);
	__u64 entry = queued[slot_number(hash)];

	if (entry_matches(entry, hash)) {
		queued[slot_number(hash)] =
			0; /* a busy driver gets it again: the first time counts */
		return entry;
	}
	hash = segments_hash(skb);
	entry = queued[slot_number(hash)];
	return hash && entry_matches(entry, hash) ? entry : 0;
}

/* The sending socket, where it is one that has an owner. */
static __always_inline const struct sock *skb_sender(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	return sk && sock_is_full(sk) ? sk : NULL;
}

static __always_inline bool packet_leaves(const struct filter *filter, const struct flow *flow,
					  const struct sock *sk, const struct net_device *dev,
					  struct owner *ret_owner)
{
	*ret_owner = (struct owner){};
	if (!flow_passes(filter, flow, sk) || !ifname_passes(filter, dev))
		return false;
	if (sk)
		owner_of_sock(sk->sk_socket->sk, ret_owner); /* see skb_cookie() */
	return owner_passes(filter, ret_owner);
}

SEC("tp_btf/net_dev_start_xmit")
int latency__net_dev_start_xmit(__u64 *ctx)
{
	const struct filter *filter = filter_in_force();
	const struct sk_buff *skb = (void *)ctx[0];
	const struct net_device *dev = (void *)ctx[1];
	__u64 entry = queued_take(skb), now, latency_ns;
	const struct sock *sk;
	struct owner owner;
	struct packet packet;
	struct latency *e;

	if (!entry)
		return 0;
	now = bpf_ktime_get_boot_ns();
	latency_ns = (now - entry) & TIME_MASK;
	if (!latency_wanted(stage_qdisc, latency_ns))
		return 0;
	packet_read(&packet, skb, dev->nd_net.net->ns.inum, 0, true);
	sk = skb_sender(skb);
	if (!packet_leaves(filter, &packet.flow, sk, dev, &owner))
		return 0;
	e = event_reserve(latency, &packet.flow);
	if (!e)
		return 0;
	e->header.time_ns = now;
	event_set_flow((struct event *)e, &packet.flow);
	event_set_owner((struct event *)e, &owner);
	if (sk)
		event_set_cgroup((struct event *)e, sk, true);
	if (sk && sk->__sk_common.skc_state != TCP_LISTEN)
		event_set_cookie((struct event *)e, skb_cookie(sk));
	SET(e, stage, stage_qdisc);
	SET(e, latency_ns, latency_ns);
	SET(e, len_bytes, packet.payload);
	bpf_probe_read_kernel(&e->ifname, sizeof(e->ifname), dev->name);
	MARK(e, ifname);
	SET(e, direction, direction_egress);
	if (packet.has_tcp_seq)
		SET(e, tcp_seq, packet.tcp_seq);
	event_submit(e);
	return 0;
}
