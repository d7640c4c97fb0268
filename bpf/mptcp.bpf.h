/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mptcp.bpf.h - MPTCP: the process has one socket, and below it are TCP connections, its subflows.
 *
 * A subflow is a kernel socket (sk_kern_sock), which no process uses by itself: whose it is, is
 * known of the MPTCP socket. Both have cookies, and a line of a subflow has the two.
 */
#ifndef NETLOG_MPTCP_BPF_H
#define NETLOG_MPTCP_BPF_H

#include "netlog.bpf.h"

/* Constant 0 where the kernel has no MPTCP, so that nothing of it is in the programs. */
#define mptcp_exists() bpf_core_field_exists(((struct tcp_sock *)0)->is_mptcp)

/* May it be a subflow? Says no of nearly all sockets, by what has been read anyway. */
static __always_inline bool sock_may_be_subflow(const struct sock *sk, const bool typed)
{
	return mptcp_exists() && READ_BITFIELD(typed, sk, sk_kern_sock) &&
	       READ(typed, sk, sk_protocol) == IPPROTO_TCP;
}

/*
 * The MPTCP socket of a subflow, or NULL: mptcp_subflow_ctx(sk)->conn, which the subflow keeps. A
 * number to the verifier: only for the table, and for reading. `sk` is a full socket.
 */
static __always_inline struct sock *mptcp_address(const struct sock *sk, const bool typed)
{
	const struct tcp_sock *tp = (const void *)sk;
	const struct mptcp_subflow_context *subflow;

	if (!sock_may_be_subflow(sk, typed) || !BPF_CORE_READ(tp, is_mptcp))
		return NULL;
	subflow = BPF_CORE_READ(tp, inet_conn.icsk_ulp_data);
	return subflow ? BPF_CORE_READ(subflow, conn) : NULL;
}

/*
 * The socket that the process has, as a pointer that helpers take: since 6.3, skb->sk is an RCU
 * pointer, which they refuse. Of a subflow it is the MPTCP socket. NULL if the process has closed
 * it (sk_socket is NULL from sock_orphan() on, and its sk is NULL during inet_release()), or has
 * not accepted it yet (its file comes after inet_csk_accept()).
 */
static __always_inline struct sock *sock_of_file(const struct sock *sk)
{
	const struct socket *socket = sk->sk_socket;

	return socket ? socket->sk : NULL;
}

/*
 * The same, if that is this socket itself; else NULL. The compiler would use one of two equal
 * pointers for the other, which the verifier refuses.
 */
static __always_inline struct sock *sock_of_own_file(const struct sock *sk)
{
	struct sock *same = sock_of_file(sk), *compared = same;

	barrier_var(compared);
	return same && compared == sk ? same : NULL;
}

/* The MPTCP connection's cookie, if it has one already; 0: none, or `sk` is no subflow. */
static __always_inline __u64 mptcp_cookie_read(const struct sock *sk, const bool typed)
{
	const struct sock *mptcp = mptcp_address(sk, typed);

	return mptcp ? cookie_read(mptcp) : 0;
}

/* The same; if need be, it is given one. */
static __always_inline __u64 mptcp_cookie(struct sock *sk)
{
	const bool typed = loads_allowed();
	__u64 cookie = mptcp_cookie_read(sk, typed);
	struct sock *mptcp;

	if (cookie || !typed || !mptcp_address(sk, typed))
		return cookie;
	mptcp = sock_of_file(sk);
	return mptcp ? socket_cookie(mptcp) : 0;
}

#endif
