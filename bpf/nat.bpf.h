/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nat.bpf.h - the flow of a packet that leaves, as its sender knows it.
 *
 * Where this host translates addresses (NAT), a packet that leaves has other headers than its
 * socket has addresses: netfilter, IPVS and BPF programs rewrite them before the device's queue,
 * and on the way in before the socket is looked up. The sender's are the same in all lines of a
 * connection. Its socket has them; else the connection tracker, of what it has translated itself:
 * datagrams, whose socket need not be connected, and what the kernel answers in a socket's place.
 * A packet that is forwarded has no sender here.
 */
#ifndef NETLOG_NAT_BPF_H
#define NETLOG_NAT_BPF_H

#include "packet.bpf.h"

/* include/uapi/linux/netfilter/nf_conntrack_common.h: enum ip_conntrack_info */
#define CT_INFO_MASK 7UL
#define CT_RELATED 1
#define CT_FIRST_OF_REPLIES 3
#define CT_RELATED_REPLY 4
/* the same, enum ip_conntrack_status */
#define CT_TRANSLATED (1UL << 4 | 1UL << 5) /* IPS_SRC_NAT, IPS_DST_NAT */

/*
 * The ends of the TCP socket whose segment this is. False: it has none. `sk` may be a request, or
 * what is left of a connection (TIME-WAIT). A raw socket can send TCP's headers, too, and with a
 * listener's reset comes the listener, which has no peer.
 */
static __always_inline bool flow_take_socket(struct flow *flow, const struct sock *sk,
					     const bool typed)
{
	const struct sock_common *skc = &sk->__sk_common;
	bool ipv6 = flow->ip_version == 6;

	if (!sk || flow->proto != IPPROTO_TCP || !READ(typed, skc, skc_dport))
		return false;
	if (sock_is_full(skc, typed) && (READ(typed, sk, sk_type) != SOCK_STREAM ||
					 READ(typed, sk, sk_protocol) != IPPROTO_TCP))
		return false;
	/*
	 * A request's version is its packets': of one that is IPv4, the IPv6 addresses are
	 * undefined (retransmit_synack()). Others have their own, which only a BPF program may have
	 * translated.
	 */
	if (READ(typed, skc, skc_state) != TCP_NEW_SYN_RECV && sock_is_ipv6(skc, typed) != ipv6)
		return false;
	flow_set_ends(flow, skc, ipv6, true, typed);
	return true;
}

static __always_inline void tuple_read_address(struct ip_address *address,
					       const union nf_inet_addr *from, __u8 ip_version)
{
	if (ip_version == 6)
		bpf_probe_read_kernel(address, sizeof(*address), from);
	else
		bpf_probe_read_kernel(&address->words[0], sizeof(address->words[0]), from);
}

static __always_inline bool is_icmp(__u8 proto)
{
	return proto == 1 || proto == 58;
}

/*
 * The ends that the connection tracker has seen before it translated them: what it keeps of a
 * direction is how its packets are met first, here by their sender's hand. It counts ICMP's errors
 * with the connection that they are about (CT_RELATED), whose ends are not theirs.
 */
static __always_inline void flow_take_tracked(struct flow *flow, const struct sk_buff *skb,
					      const bool typed)
{
	const struct nf_conntrack_tuple *tuple;
	const struct nf_conn *ct;
	__u64 tracked;
	__u32 info;

	/* a kernel without a connection tracker */
	if (!bpf_core_field_exists(((struct sk_buff *)0)->_nfct) ||
	    !bpf_core_field_exists(((struct nf_conn *)0)->status))
		return;
	tracked = READ(typed, skb, _nfct);
	ct = (const void *)(tracked & ~CT_INFO_MASK);
	info = tracked & CT_INFO_MASK;
	if (!ct || READ(typed, skb, skb_iif) || !(BPF_CORE_READ(ct, status) & CT_TRANSLATED))
		return;
	tuple = info < CT_FIRST_OF_REPLIES ? &ct->tuplehash[0].tuple : &ct->tuplehash[1].tuple;
	if (is_icmp(flow->proto) && (info == CT_RELATED || info == CT_RELATED_REPLY))
		return;
	tuple_read_address(&flow->src, &tuple->src.u3, flow->ip_version);
	tuple_read_address(&flow->dest, &tuple->dst.u3, flow->ip_version);
	if (flow->has_ports) {
		flow->src_port = bpf_ntohs(BPF_CORE_READ(tuple, src.u.all));
		flow->dest_port = bpf_ntohs(BPF_CORE_READ(tuple, dst.u.all));
	}
}

/* Turn the flow in the packet's headers into its sender's. `sk`: the skb's socket, if any. */
static __always_inline void flow_take_senders(struct flow *flow, const struct sk_buff *skb,
					      const struct sock *sk, const bool typed)
{
	if (!flow_take_socket(flow, sk, typed))
		flow_take_tracked(flow, skb, typed);
}

static __always_inline bool address_differs(const struct ip_address *a, const struct ip_address *b)
{
	return (a->words[0] ^ b->words[0]) | (a->words[1] ^ b->words[1]) |
	       (a->words[2] ^ b->words[2]) | (a->words[3] ^ b->words[3]);
}

#endif
