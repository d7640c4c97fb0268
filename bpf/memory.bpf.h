/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * memory.bpf.h - what a program remembers of a socket from one event to the next.
 *
 * It hangs on the socket itself and goes with it (sk_storage). Kernels before 5.11 do not offer
 * that to tracing programs: there it is a table that forgets the sockets not looked at for longest.
 * The table is made with room only where it is needed, see object.c.
 */
#ifndef NETLOG_MEMORY_BPF_H
#define NETLOG_MEMORY_BPF_H

#include "netlog.bpf.h"

/* The kernel uses a socket's address again. The next socket there has other ports and addresses. */
struct socket_key {
	__u64 address;
	__u32 hash; /* of the connection's addresses, ports and namespace: inet_ehashfn() */
	__u16 local_port, remote_port;
};

/* Memory of sockets, by this name: `type` is what is remembered of each. */
#define SOCKET_MEMORY(memory, remembered)              \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_SK_STORAGE); \
		__uint(map_flags, BPF_F_NO_PREALLOC);  \
		__type(key, int);                      \
		__type(value, remembered);             \
	} memory SEC(".maps");                         \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_LRU_HASH);   \
		__uint(max_entries, 1);                \
		__type(key, struct socket_key);        \
		__type(value, remembered);             \
	} memory##_table SEC(".maps")

static __always_inline void *table_get(void *table, const struct sock *sk, const void *first)
{
	const bool typed = loads_allowed();
	struct socket_key key = {
		.address = (__u64)sk,
		.hash = READ(typed, sk, __sk_common.skc_hash),
		.local_port = READ(typed, sk, __sk_common.skc_num),
		.remote_port = READ(typed, sk, __sk_common.skc_dport),
	};
	void *known = bpf_map_lookup_elem(table, &key);

	if (known || !first)
		return known;
	bpf_map_update_elem(table, &key, first, BPF_ANY);
	return bpf_map_lookup_elem(table, &key);
}

/*
 * What is remembered of the socket. Where that is nothing: NULL, or `first`, which is remembered
 * from now on. With `first` it is NULL only for a socket that is going, or when memory is short.
 */
#define memory_get(memory, sk, first)                                            \
	(config.no_sk_storage ? table_get(&memory##_table, sk, first) :          \
				bpf_sk_storage_get(&memory, sk, (void *)(first), \
						   (first) ? BPF_SK_STORAGE_GET_F_CREATE : 0))

#endif
