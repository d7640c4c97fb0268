/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * memory.bpf.h - one record for each socket, with all that programs remember of it.
 *
 * It is attached to the socket and freed with it (sk_storage). Kernels before 5.11 do not offer
 * that to tracing programs: there it is a table by the socket's address, which forgets the sockets
 * that were not used for longest, and object.c gives the table room only there. Another socket may
 * soon have the same address, so the table holds only sockets that are seen to end: TCP's, from
 * creation to close (socket.bpf.c).
 */
#ifndef NETLOG_MEMORY_BPF_H
#define NETLOG_MEMORY_BPF_H

#include "memory.h"
#include "netlog.bpf.h"

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

/* The same, made if there was none. NULL: the socket is being freed, or memory is short. */
static __always_inline struct socket_memory *memory_make(struct sock *sk)
{
	struct socket_memory nothing = {}, *known;
	__u64 key = (__u64)sk;

	if (!config.no_sk_storage)
		return bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	known = bpf_map_lookup_elem(&sockets_by_address, &key);
	if (known)
		return known;
	bpf_map_update_elem(&sockets_by_address, &key, &nothing, BPF_NOEXIST);
	return bpf_map_lookup_elem(&sockets_by_address, &key);
}

/*
 * The table may hold the memory of an earlier connection, if the kernel skipped the call of the
 * program that sees connections end. Then what was counted for that one is dropped.
 */
static __always_inline void memory_check(struct socket_memory *m, const struct sock *sk)
{
	const bool typed = loads_allowed();
	struct connection now = {
		.hash = READ(typed, sk, __sk_common.skc_hash),
		.local_port = sock_local_port(&sk->__sk_common, typed),
		.remote_port = READ(typed, sk, __sk_common.skc_dport),
	};

	if (m->connection.hash == now.hash && m->connection.local_port == now.local_port &&
	    m->connection.remote_port == now.remote_port)
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

#endif
