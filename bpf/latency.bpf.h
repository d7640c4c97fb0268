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

/* The cookie of a socket found in an skb. Without a file, only a cookie that exists already. */
static __always_inline __u64 skb_cookie(const struct sock *sk, const bool typed)
{
	struct sock *same = typed ? sock_of_file(sk) : NULL, *compared = same;

	/*
	 * the compiler would use one of two equal pointers for the other, which the verifier
	 * refuses
	 */
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
		owner_of_closed(sk, ret_owner, typed);
}

#endif
