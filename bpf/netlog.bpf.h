/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netlog.bpf.h - shared by all events' programs: reserving and submitting records, and helpers that
 * fill common fields.
 */
#ifndef NETLOG_BPF_H
#define NETLOG_BPF_H

#include "arguments.h"
#include "sample.bpf.h"

static __always_inline bool event_wanted(__u16 type)
{
	return !(settings.events_off & 1ULL << type);
}

/* Does this value of the event's choice make lines? The event has a row in CHOICES. */
#define choice_wanted(name, value) \
	(event_wanted(event_##name) && !(settings.values_off[choice_of_##name] & 1ULL << (value)))

/* MARK: a field of the record is known. SET: give the field its value, and mark it. */
#define MARK(e, field) ((e)->header.has |= 1ULL << __builtin_offsetof(typeof((e)->index[0]), field))
#define SET(e, field, value) ((e)->field = (value), (void)MARK(e, field))

/*
 * Reserve a zeroed record in the ring, with type, size, time and weight. NULL if the ring is full
 * or the event is sampled out; both are counted. Only for event_begin(), which has asked the
 * filters.
 */
static __always_inline void *event_reserve(__u16 type, __u64 size, const struct flow *flow)
{
	struct counters *cpu = cpu_counters();
	struct event_header *header;
	__u32 weight = sample_weight(type, flow);

	if (!weight)
		return NULL;
	header = bpf_ringbuf_reserve(&ring, size, 0);
	/*
	 * Atomic though per CPU: a softirq may interrupt a program that runs in a process. On x86
	 * it also orders the reservation above before the look at the doorbell in event_submit().
	 */
	__sync_fetch_and_add(&cpu->produced[type], 1);
	if (!header) {
		__sync_fetch_and_add(&cpu->lost[type], 1);
		return NULL;
	}
	__builtin_memset(header, 0, size);
	header->time_ns = bpf_ktime_get_boot_ns();
	header->type = type;
	header->size = size;
	weight = weight_take(type, weight);
	if (weight > 1)
		SET((struct event *)header, weight, weight);
	return header;
}

static __always_inline void event_submit(void *record)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (*(volatile __u32 *)&doorbell) {
		*(volatile __u32 *)&doorbell = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(record, flags);
}

static __always_inline __u32 jiffies_to_us(__u32 jiffies)
{
	return (__u64)jiffies * config.tick_ns / 1000;
}

/*
 * A field of a kernel structure, one step away. Each further step is a READ() of its own, after the
 * pointer has been compared with NULL.
 *
 * `typed`: the verifier knows the pointer's type, and the field is loaded directly. That is so in
 * programs that get their arguments by BTF, unless the kernel cannot mend a load that faults
 * (loads_allowed()). In kprobes and raw tracepoints pointers are mere numbers: there the field is
 * copied, and a copy from an invalid address gives 0.
 */
#define READ(typed, pointer, field) ((typed) ? (pointer)->field : BPF_CORE_READ(pointer, field))
#define READ_BITFIELD(typed, pointer, field)                \
	((typed) ? BPF_CORE_READ_BITFIELD(pointer, field) : \
		   BPF_CORE_READ_BITFIELD_PROBED(pointer, field))

/*
 * May this program, which has functions of its own, load through typed pointers? The kernel mends a
 * load that faults by the program's table of such loads. Before Linux 6.4 (0108a4e9f358), a program
 * with functions is listed twice, once without its table: if that entry is found, the kernel panics
 * in cmp_ex_search(). See src/kernel/extable.h.
 *
 * Ask once, at the beginning of a program: the verifier knows the answer, and drops the other way.
 */
static __always_inline bool loads_allowed(void)
{
	return !config.no_loads;
}

/* A network namespace's number; 0: unknown. */
static __always_inline __u32 net_number(const struct net *net, const bool typed)
{
	return net ? READ(typed, net, ns.inum) : 0;
}

/* The namespace of a device, which keeps it as long as the device exists. */
static __always_inline __u32 dev_netns(const struct net_device *dev, const bool typed)
{
	return dev ? net_number(READ(typed, dev, nd_net.net), typed) : 0;
}

/*
 * The namespace of a socket or request, valid from sk_alloc() or inet_reqsk_alloc() until it is
 * freed. A kernel socket holds no reference: its namespace may be going away, but nothing is sent
 * any more when the namespace is freed (cleanup_net()).
 */
static __always_inline __u32 sock_netns(const struct sock_common *skc, const bool typed)
{
	return net_number(READ(typed, skc, skc_net.net), typed);
}

/* ::ffff:0:0/96: an AF_INET6 socket that speaks IPv4. The kernel keeps its IPv4 addresses, too. */
static __always_inline bool sock_is_ipv6(const struct sock_common *skc, const bool typed)
{
	if (READ(typed, skc, skc_family) != AF_INET6)
		return false;
	return READ(typed, skc, skc_v6_daddr.in6_u.u6_addr32[0]) ||
	       READ(typed, skc, skc_v6_daddr.in6_u.u6_addr32[1]) ||
	       READ(typed, skc, skc_v6_daddr.in6_u.u6_addr32[2]) != bpf_htonl(0xffff);
}

/* Is it a full socket? Requests and TIME-WAIT sockets have only the fields of sock_common. */
static __always_inline bool sock_is_full(const struct sock_common *skc, const bool typed)
{
	__u8 state = READ(typed, skc, skc_state);

	return state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV;
}

/*
 * tcp_set_state() gives back the port that the kernel chose before it reports TCP_CLOSE: skc_num is
 * 0 by then (inet_put_port()). The port as it stands on the wire is still there.
 */
static __always_inline __u16 sock_local_port(const struct sock_common *skc, const bool typed)
{
	__u16 port = READ(typed, skc, skc_num);

	if (port || !sock_is_full(skc, typed))
		return port;
	return bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)skc, inet_sport));
}

/*
 * The ends of a TCP socket or request socket, in a flow of zeros. `ipv6`: whether its packets are
 * IPv6, which a dual-stack socket's family does not tell. `egress`: the source is the local end.
 */
static __always_inline void flow_set_ends(struct flow *flow, const struct sock_common *skc,
					  bool ipv6, const bool egress, const bool typed)
{
	struct ip_address *local = egress ? &flow->src : &flow->dest;
	struct ip_address *remote = egress ? &flow->dest : &flow->src;
	__u16 local_port = sock_local_port(skc, typed);
	__u16 remote_port = bpf_ntohs(READ(typed, skc, skc_dport));

	flow->ip_version = ipv6 ? 6 : 4;
	flow->proto = IPPROTO_TCP;
	flow->has_ports = true;
	flow->src_port = egress ? local_port : remote_port;
	flow->dest_port = egress ? remote_port : local_port;
	if (ipv6) {
		for (int i = 0; i < 4; i++) {
			local->words[i] = READ(typed, skc, skc_v6_rcv_saddr.in6_u.u6_addr32[i]);
			remote->words[i] = READ(typed, skc, skc_v6_daddr.in6_u.u6_addr32[i]);
		}
	} else {
		local->words[0] = READ(typed, skc, skc_rcv_saddr);
		remote->words[0] = READ(typed, skc, skc_daddr);
	}
}

/* The flow of such a socket, likewise. */
static __always_inline void flow_of_sock(struct flow *flow, const struct sock_common *skc,
					 bool ipv6, const bool egress, const bool typed)
{
	*flow = (struct flow){};
	flow_set_ends(flow, skc, ipv6, egress, typed);
	flow->netns = sock_netns(skc, typed);
}

static __always_inline bool proto_has_name(__u8 proto)
{
#define PROTO_NAMED(number, text) || proto == number
	return false IP_PROTOCOL_VALUES(PROTO_NAMED);
}

static __always_inline void event_set_flow(struct event *e, const struct flow *flow)
{
	if (flow->netns)
		SET(e, netns, flow->netns);
	if (!flow->ip_version)
		return;
	SET(e, ip_version, flow->ip_version);
	e->src_ip = flow->src;
	e->dest_ip = flow->dest;
	MARK(e, src_ip);
	MARK(e, dest_ip);
	if (!flow->proto_hidden) {
		if (proto_has_name(flow->proto))
			SET(e, proto, flow->proto);
		else
			SET(e, proto_number, flow->proto);
	}
	if (flow->has_ports) {
		SET(e, src_port, flow->src_port);
		SET(e, dest_port, flow->dest_port);
	}
}

/*
 * The socket's own cgroup (sock_cgroup_data), right in any context. NULL if unknown, as when a
 * kernel before 5.15 has put the socket into a traffic class instead (net_cls, net_prio). Read it
 * with BPF_CORE_READ(): whether the verifier trusts the pointer depends on the kernel.
 */
static __always_inline const struct cgroup *sock_cgroup(const struct sock *sk)
{
	const struct sock_cgroup_data___val *old = (const void *)&sk->sk_cgrp_data;
	__u64 val;

	if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
	val = BPF_CORE_READ(old, val);
	return (const void *)(val & SOCK_CGROUP_NONE ? 0 : val);
}

static __always_inline void event_set_cgroup(struct event *e, const struct sock *sk,
					     const bool typed)
{
	const struct cgroup *cgroup;
	const struct kernfs_node *kn;

	if (typed && bpf_core_field_exists(sk->sk_cgrp_data.cgroup)) {
		cgroup = sk->sk_cgrp_data.cgroup;
		/* a cgroup that has been removed keeps its kn while a socket keeps it:
		 * css_free_rwork_fn() */
		kn = cgroup ? cgroup->kn : NULL;
		if (kn)
			SET(e, cgroup_id, kn->id);
		return;
	}
	cgroup = sock_cgroup(sk);
	kn = cgroup ? BPF_CORE_READ(cgroup, kn) : NULL;
	if (kn)
		SET(e, cgroup_id, BPF_CORE_READ(kn, id));
}

/*
 * Whether the kernel has the helper is known when the verifier checks the program, so it does not
 * see a call of one that is missing. Without it, only cookies that exist already are known.
 */
static __always_inline __u64 cookie_read(const void *sk)
{
	const struct sock_common *skc = sk;

	return BPF_CORE_READ(skc, skc_cookie.counter);
}
#define socket_cookie(sk) (config.no_cookie ? cookie_read(sk) : bpf_get_socket_cookie(sk))

/*
 * TCP's part of an skb, as a copy: the verifier does not allow skb->cb to be read as another type.
 */
struct tcp_cb {
	char bytes[sizeof(((struct sk_buff *)0)->cb)];
} __attribute__((aligned(8)));

static __always_inline void tcp_cb_read(struct tcp_cb *copy, const struct sk_buff *skb)
{
	bpf_core_read(copy, sizeof(*copy), &skb->cb);
}

static __always_inline const struct tcp_skb_cb *tcp_cb(const struct tcp_cb *copy)
{
	return (const void *)copy;
}

/* SYN and FIN each take one sequence number: tcp_v4_fill_cb(), net/ipv4/tcp_ipv4.c */
static __always_inline __u32 tcp_cb_payload(const struct tcp_cb *copy)
{
	const struct tcp_skb_cb *cb = tcp_cb(copy);

	return cb->end_seq - cb->seq - !!(cb->tcp_flags & TCPHDR_SYN) -
	       !!(cb->tcp_flags & TCPHDR_FIN);
}

/*
 * srtt and its deviation as in TCP_INFO: tcp_get_info(), net/ipv4/tcp.c. The kernel stores srtt
 * times 8 and the deviation times 4. A srtt of 0 means nothing has been measured.
 */
#define SET_RTT(e, tp, typed)                                             \
	do {                                                              \
		__u32 srtt_us_8 = READ(typed, tp, srtt_us);               \
                                                                          \
		if (srtt_us_8) {                                          \
			SET(e, srtt_us, srtt_us_8 >> 3);                  \
			SET(e, rttvar_us, READ(typed, tp, mdev_us) >> 2); \
		}                                                         \
	} while (0)

#endif
