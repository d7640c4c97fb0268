/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * latency.bpf.h - what the programs of both directions share: latency.bpf.c, latency_qdisc.bpf.c.
 */
#ifndef NETLOG_LATENCY_BPF_H
#define NETLOG_LATENCY_BPF_H

#include "subject.bpf.h"
#include "transit.bpf.h"

static __always_inline bool stage_wanted(__u8 stage)
{
	return choice_wanted(latency, stage);
}

static __always_inline void event_set_ifname(struct latency *e, const struct net_device *dev)
{
	if (!dev)
		return;
	bpf_probe_read_kernel(&e->ifname, sizeof(e->ifname), dev->name);
	MARK(e, ifname);
}

/*
 * The socket behind the same file, as a pointer that helpers take: skb->sk is one of RCU since 6.3,
 * which they do not. It is the same socket, but for MPTCP, where many have one file. NULL: its
 * process has closed it (sk_socket is NULL from sock_orphan() on, and that half's sk while
 * inet_release() is at work), or is about to accept it (inet_csk_accept() gives it a file last).
 */
static __always_inline struct sock *sock_of_file(const struct sock *sk)
{
	const struct socket *socket = sk->sk_socket;

	return socket ? socket->sk : NULL;
}

/* Of a socket that was read out of an skb. Where it has no file, one that was asked for before. */
static __always_inline __u64 skb_cookie(const struct sock *sk, const bool typed)
{
	struct sock *same = typed ? sock_of_file(sk) : NULL, *compared = same;

	/* what is equal the compiler takes for the same, and the verifier does not */
	barrier_var(compared);
	return same && compared == sk ? socket_cookie(same) : cookie_read(sk);
}

static __always_inline void skb_owner(const struct sock *sk, struct owner *ret_owner,
				      const bool typed)
{
	/* without typed loads there is no storage either, and the table takes any pointer */
	struct sock *same = typed ? sock_of_file(sk) : (struct sock *)sk;

	if (same)
		owner_of_sock(same, ret_owner);
	else
		owner_of_memory(memory_find_closed(sk, typed), ret_owner);
}

#endif
