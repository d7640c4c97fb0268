/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * memory.bpf.h - one record for each socket, with all that programs remember of it.
 *
 * It is attached to the socket and freed with it (sk_storage). Kernels before 5.11 do not offer
 * that to tracing programs: there it is a table by the socket's address, which forgets the sockets
 * not looked at for longest. An address may soon be another socket's, so only those are in the
 * table that are seen to end: TCP's, from being made to being closed (socket.bpf.c). Where sockets
 * do have storage, those are in it that their process has closed while TCP goes on to send: from
 * their packets no way leads to a pointer that the storage's helper takes.
 */
#ifndef NETLOG_MEMORY_BPF_H
#define NETLOG_MEMORY_BPF_H

#include "memory.h"
#include "mptcp.bpf.h"

/* BPF_F_CLONE: sk_clone_lock() copies the listener's memory to each connection made from it. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_memory);
} sockets SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct socket_memory);
} sockets_by_address SEC(".maps") __weak;

/*
 * What is remembered of the socket, or NULL. `sk` must not be NULL. If sockets have storage, it
 * must be a pointer that helpers take: one that was read out of an skb is not.
 */
static __always_inline struct socket_memory *memory_find(struct sock *sk)
{
	__u64 key = (__u64)sk;

	if (config.no_sk_storage)
		return bpf_map_lookup_elem(&sockets_by_address, &key);
	return bpf_sk_storage_get(&sockets, sk, NULL, 0);
}

/* Likewise; what was not remembered is from now on. NULL: the socket is going, or memory is short. */
static __always_inline struct socket_memory *memory_make_by_address(__u64 key)
{
	struct socket_memory nothing = {}, *known;

	known = bpf_map_lookup_elem(&sockets_by_address, &key);
	if (known)
		return known;
	bpf_map_update_elem(&sockets_by_address, &key, &nothing, BPF_NOEXIST);
	return bpf_map_lookup_elem(&sockets_by_address, &key);
}

static __always_inline struct socket_memory *memory_make(struct sock *sk)
{
	if (config.no_sk_storage)
		return memory_make_by_address((__u64)sk);
	return bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
}

/* Which connection it is now; before it has its ports, none. */
static __always_inline struct connection connection_of(const struct sock *sk, const bool typed)
{
	return (struct connection){
		.hash = READ(typed, sk, __sk_common.skc_hash),
		.local_port = sock_local_port(&sk->__sk_common, typed),
		.remote_port = READ(typed, sk, __sk_common.skc_dport),
	};
}

static __always_inline bool connection_is(const struct connection *a, const struct connection *b)
{
	return a->hash == b->hash && a->local_port == b->local_port &&
	       a->remote_port == b->remote_port;
}

/*
 * In the table may be the memory of an earlier connection, if the program that sees it end was not
 * run (a call that the kernel skipped). What was counted of that one is not of this.
 */
static __always_inline void memory_check(struct socket_memory *m, const struct sock *sk)
{
	struct connection now = connection_of(sk, loads_allowed());

	if (connection_is(&m->connection, &now))
		return;
	m->connection = now;
	m->known = 0;
}

/*
 * What is remembered of a TCP connection; `known` says which members hold something. With `make` it
 * is made if there is none: memory_make().
 */
static __always_inline struct socket_memory *connection_memory(struct sock *sk, const bool make)
{
	struct socket_memory *m = make ? memory_make(sk) : memory_find(sk);

	if (m && config.no_sk_storage)
		memory_check(m, sk);
	return m;
}

/*
 * The process has closed the socket, and TCP goes on to send: whose it was goes to the table, for
 * those who come by way of a packet.
 */
static __always_inline void memory_close(struct sock *sk, const struct socket_memory *known)
{
	struct socket_memory *closed;

	if (config.no_sk_storage || !known)
		return;
	closed = memory_make_by_address((__u64)sk);
	if (!closed)
		return;
	/* raw tracepoints may have accounted for its retransmits there: that stays */
	closed->owner = known->owner;
	closed->connection = connection_of(sk, loads_allowed());
}

/* `sk`: any pointer. NULL: it was not seen to close. */
static __always_inline const struct socket_memory *memory_find_closed(const struct sock *sk,
								      const bool typed)
{
	struct connection now = connection_of(sk, typed);
	const struct socket_memory *known;
	__u64 key = (__u64)sk;

	known = bpf_map_lookup_elem(&sockets_by_address, &key);
	return known && connection_is(&known->connection, &now) ? known : NULL;
}

#endif
