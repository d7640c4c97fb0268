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

/* NULL: it has none. */
#define SET_DEVICE(e, field, dev)                                                    \
	do {                                                                         \
		if (!(dev))                                                          \
			break;                                                       \
		bpf_probe_read_kernel(&(e)->field, sizeof((e)->field), (dev)->name); \
		MARK(e, field);                                                      \
	} while (0)

/* The cookie of a socket found in an skb. Without a file, only a cookie that exists already. */
static __always_inline __u64 skb_cookie(const struct sock *sk, const bool typed)
{
	struct sock *same = typed ? sock_of_own_file(sk) : NULL;

	return same ? socket_cookie(same) : cookie_read(sk);
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
