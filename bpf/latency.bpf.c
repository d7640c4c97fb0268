// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * latency - how long a packet has been inside this host when it reaches a stage.
 *
 * Every packet enters the stack at netif_receive_skb, and keeps its skb's address on its way to the
 * socket and the application. So one shared array, found by that address, joins entry and stage: no
 * locks, no allocation, a write an incoming packet. A slot that another packet has taken over is no
 * match: then there is no line.
 */
#include "netlog.bpf.h"

#define SLOT_BITS 14
#define TAG_BITS 16
#define TIME_BITS 48 /* nanoseconds: a packet may wait for three days */
#define TIME_MASK ((1ULL << TIME_BITS) - 1)

/*
 * `entry` is one word, so that nobody ever reads half of it: the time of entry, and above it the
 * packet's tag. The device may be that of another packet which is just moving in: its number stands
 * beside it, and whoever reads the device's name compares the two.
 */
struct slot {
	__u64 entry;
	__u64 dev;
	__u64 ifindex;
};

static struct slot slots[1 << SLOT_BITS] __attribute__((aligned(64)));

/*
 * The skb's address, mixed: the upper bits choose the slot, the lower are the tag. The verifier
 * forbids arithmetic on a kernel pointer, but the difference of two pointers is a number. skbs lie
 * on cache lines; of the line's number the lower 30 bits are multiplied by an odd number, which is
 * one-to-one: two skbs within 64 GiB of memory are never taken for each other.
 */
static __always_inline __u32 skb_hash(const struct sk_buff *skb)
{
	__u64 line = (__u64)((void *)skb - (void *)slots) >> 6;

	return (line * 0x9e3779b1U) & ((1U << (SLOT_BITS + TAG_BITS)) - 1);
}

static __always_inline struct slot *skb_slot(__u32 hash)
{
	return &slots[(hash >> TAG_BITS) & ((1 << SLOT_BITS) - 1)];
}

static __always_inline __u64 skb_tag(__u32 hash)
{
	return (__u64)(hash & ((1 << TAG_BITS) - 1)) << TIME_BITS;
}

SEC("tp_btf/netif_receive_skb")
int latency__netif_receive_skb(__u64 *ctx)
{
	struct sk_buff *skb = (void *)ctx[0];
	__u32 hash = skb_hash(skb);
	struct slot *slot = skb_slot(hash);

	slot->dev = (void *)skb->dev - (void *)slots;
	slot->ifindex = skb->dev->ifindex;
	slot->entry = skb_tag(hash) | (bpf_ktime_get_boot_ns() & TIME_MASK);
	return 0;
}

/* A pointer as a number again, for which the verifier offers nothing better than a copy. */
static __always_inline __u64 address_of(const void *pointer)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &pointer);
	return address;
}

/*
 * The name of the interface the packet came in by. By now skb->dev is gone (tcp_v4_rcv() clears
 * it), and skb_iif is that of the upper device where some are stacked. A device may be gone, too:
 * reading is safe, and its number tells whether it is still the one.
 */
static __always_inline void event_set_ifname(struct latency *e, const struct slot *slot)
{
	const struct net_device *dev = (void *)(address_of(slots) + slot->dev);

	if ((__u64)BPF_CORE_READ(dev, ifindex) != slot->ifindex)
		return;
	bpf_probe_read_kernel(&e->ifname, sizeof(e->ifname), dev->name);
	MARK(e, ifname);
}

/*
 * A record with the packet's and the socket's fields. NULL where this skb is not known to have come
 * in: its slot belongs to another by now, or TCP made it itself when it compacted its queue
 * (tcp_collapse(): no interface).
 */
static __always_inline struct latency *latency_reserve(const struct sk_buff *skb, struct sock *sk,
						       struct slot *slot, __u64 tag, __u8 stage)
{
	__u64 entry = slot->entry, now;
	struct tcp_cb cb;
	struct latency *e;

	if (!entry || (entry & ~TIME_MASK) != tag || !skb->skb_iif ||
	    settings.stages_off & 1ULL << stage)
		return NULL;
	if (stage == stage_app)
		slot->entry = 0; /* a packet may be copied in parts: the first one counts */
	now = bpf_ktime_get_boot_ns();
	if (((now - entry) & TIME_MASK) < settings.min_latency_ns)
		return NULL;
	e = event_reserve(latency);
	if (!e)
		return NULL;
	event_set_sock((struct event *)e, sk, false);
	tcp_cb_read(&cb, skb);
	SET(e, stage, stage);
	e->header.time_ns = now;
	SET(e, latency_ns, (now - entry) & TIME_MASK);
	SET(e, len_bytes, tcp_cb_payload(&cb));
	event_set_ifname(e, slot);
	SET(e, direction, direction_ingress);
	SET(e, tcp_seq, tcp_cb(&cb)->seq);
	return e;
}

/* Entry of tcp_rcv_established(), net/ipv4/tcp_input.c. */
SEC("tp_btf/tcp_probe")
int latency__tcp_probe(__u64 *ctx)
{
	struct sock *sk = (void *)ctx[0];
	const struct sk_buff *skb = (void *)ctx[1];
	__u32 hash = skb_hash(skb);
	struct latency *e = latency_reserve(skb, sk, skb_slot(hash), skb_tag(hash), stage_tcp);

	if (!e)
		return 0;
	event_set_cookie((struct event *)e, socket_cookie(sk));
	event_submit(e);
	return 0;
}

/*
 * All kinds of sockets copy with this function; TCP's packets lie in the receive queue of the
 * socket that owns them. The reader is the current task.
 */
SEC("tp_btf/skb_copy_datagram_iovec")
int latency__skb_copy_datagram_iovec(__u64 *ctx)
{
	const struct sk_buff *skb = (void *)ctx[0];
	__u32 hash = skb_hash(skb);
	struct slot *slot = skb_slot(hash);
	struct sock *sk = skb->sk;
	struct latency *e;
	__u16 family;
	__u8 state;

	if (!sk)
		return 0;
	family = sk->__sk_common.skc_family;
	state = sk->__sk_common.skc_state;
	if (sk->sk_protocol != IPPROTO_TCP || (family != AF_INET && family != AF_INET6) ||
	    state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV)
		return 0;
	e = latency_reserve(skb, sk, slot, skb_tag(hash), stage_app);
	if (!e)
		return 0;
	/*
	 * skb->sk is an RCU pointer since 6.3, which the helper does not take; the same socket by
	 * way of its file's half is a plain one. A reader's socket has that half; else the helper
	 * says 0.
	 */
	event_set_cookie((struct event *)e, socket_cookie(sk->sk_socket->sk));
	SET(e, pid, bpf_get_current_pid_tgid() >> 32);
	bpf_get_current_comm(&e->comm, sizeof(e->comm));
	MARK(e, comm);
	event_submit(e);
	return 0;
}
