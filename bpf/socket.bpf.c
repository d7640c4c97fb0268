// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * socket - when the memory of a TCP or MPTCP socket begins and ends. Makes no lines itself.
 *
 * Events on the same tracepoint are attached first (COMMON_HOOKS come last), so they run before
 * this program and still find what is remembered when a socket ends.
 */
#include "owner.bpf.h"

/*
 * A connection begins, or a listener. The memory is of an earlier one: of the same socket (connect
 * with AF_UNSPEC, and again); of the listener, as all of a socket is copied from it, and only the
 * owner is as true of the copy; or, in the table, of a socket that had this address. What has been
 * told of its retransmits knows by itself whose it is: see retransmit_account.bpf.h.
 */
static __always_inline void connection_begins(struct sock *sk, const bool mptcp)
{
	struct socket_memory *memory = memory_find(sk);
	__u64 key = (__u64)sk;

	/* an earlier one's, for its subflows, which outlive it */
	if (mptcp && !config.no_sk_storage)
		bpf_map_delete_elem(&sockets_by_address, &key);
	if (!memory)
		return;
	memory->known = 0;
	if (config.no_sk_storage)
		memory->owner = (struct owner){};
}

/*
 * Memory that is attached to the socket is freed with it. In the table, an account of retransmits
 * that raw tracepoints keep there waits for their last look, when the socket is destroyed.
 */
static __always_inline void connection_ends(struct sock *sk)
{
	struct socket_memory *memory;
	__u64 key = (__u64)sk;

	memory = bpf_map_lookup_elem(&sockets_by_address, &key);
	if (!memory)
		return;
	memory->owner = (struct owner){};
	if (config.no_sk_storage || !memory->retrans.known)
		bpf_map_delete_elem(&sockets_by_address, &key);
}

static __always_inline void connection_is_established(struct sock *sk)
{
	struct socket_memory *memory = connection_memory(sk, true);

	if (memory)
		memory->known |= KNOWN_START;
}

SEC("tp_btf/inet_sock_set_state")
int socket__inet_sock_set_state(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(inet_sock_set_state, sk);
	int old_state = ARGUMENT(inet_sock_set_state, old_state);
	int new_state = ARGUMENT(inet_sock_set_state, new_state);
	const bool mptcp = mptcp_exists() && sk->sk_protocol == IPPROTO_MPTCP;

	if (sk->sk_protocol != IPPROTO_TCP && !mptcp)
		return 0;
	/*
	 * connect(2), listen(2), or a copy of the listener: inet_csk_clone_lock(), and of MPTCP
	 * mptcp_sk_clone_init(), which may be established at once
	 */
	if (new_state == TCP_SYN_SENT || new_state == TCP_LISTEN ||
	    (old_state == TCP_LISTEN && new_state != TCP_CLOSE))
		connection_begins(sk, mptcp);
	if (new_state == TCP_ESTABLISHED)
		connection_is_established(sk);
	if (new_state == TCP_CLOSE)
		connection_ends(sk);
	/*
	 * Whoever meets its packets can read it from now on. All that an MPTCP listener accepts has
	 * the cookie of the listener, if that has one: it is to get none from us.
	 */
	else if (!mptcp || new_state != TCP_LISTEN)
		(void)socket_cookie(sk);
	/*
	 * close(2): tcp_close_state(), and what ends an MPTCP connection before its subflows. A
	 * listener has none that go on, and whoever gets its address would be taken for it.
	 */
	if (new_state == TCP_FIN_WAIT1 || new_state == TCP_LAST_ACK ||
	    (mptcp && new_state == TCP_CLOSE && old_state != TCP_LISTEN))
		memory_close(sk, owner_memory_find(sk));
	/* connect(2) and listen(2), the latter for the connections to come */
	if (new_state == TCP_SYN_SENT && sk->sk_lock.owned)
		owner_learn(sk);
	if (new_state == TCP_LISTEN && sk->sk_lock.owned)
		owner_learn_listener(sk);
	return 0;
}
