// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * socket - when the memory of a TCP socket begins and ends. Makes no lines itself.
 *
 * Events on the same tracepoint are attached first (COMMON_HOOKS come last), so they run before
 * this program and still find what is remembered when a socket ends.
 */
#include "owner.bpf.h"

/*
 * A connection begins: forget what is remembered of an earlier one. That may be one of the same
 * socket (connect() again after AF_UNSPEC), the listener, which the socket is a copy of, or, in the
 * table, another socket that had this address. Of the first two the owner stays true.
 */
static __always_inline void connection_begins(struct sock *sk)
{
	struct socket_memory *memory;
	__u64 key = (__u64)sk;

	if (config.no_sk_storage) {
		bpf_map_delete_elem(&sockets_by_address, &key);
		return;
	}
	memory = memory_find(sk);
	if (memory)
		memory->known = 0;
}

static __always_inline void connection_ends(struct sock *sk)
{
	__u64 key = (__u64)sk;

	/* otherwise it is freed with the socket */
	if (config.no_sk_storage)
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

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	/* connect(2), or a copy of the listener: inet_csk_clone_lock() */
	if (new_state == TCP_SYN_SENT || (old_state == TCP_LISTEN && new_state == TCP_SYN_RECV))
		connection_begins(sk);
	if (new_state == TCP_ESTABLISHED)
		connection_is_established(sk);
	if (new_state == TCP_CLOSE)
		connection_ends(sk);
	/* connect(2) and listen(2), the latter for the connections to come */
	if ((new_state == TCP_SYN_SENT || new_state == TCP_LISTEN) && sk->sk_lock.owned)
		owner_learn(sk);
	return 0;
}
