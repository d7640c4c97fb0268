// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * owner - learn who owns a socket, for all events' lines. Makes no lines itself.
 *
 * Each hook here is hit by a process that uses the socket, or is asked whether it is: the same
 * functions of TCP also run in softirq, on top of a bystander. A process that uses a TCP socket
 * holds its lock, sk_lock.owned; softirq never works on a socket that is so held, but leaves its
 * packet in the backlog: tcp_v4_rcv(), tcp_write_timer(). What is then done for the backlog is done
 * by that same process: release_sock().
 */
#include "owner.bpf.h"

static __always_inline bool sock_is_inet(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return family == AF_INET || family == AF_INET6;
}

/* What is kept of others by their address would stay for the next socket there. */
static __always_inline bool sock_is_seen_to_end(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && sk->__sk_common.skc_state != TCP_CLOSE;
}

/* Is that owner known, and by its work? */
static __always_inline bool owner_is(const struct owner *known, const struct owner *now)
{
	return known->pid == now->pid && known->sum == now->sum && known->comm[0] == now->comm[0] &&
	       known->comm[1] == now->comm[1] && !known->found;
}

/* The process at work uses this socket. Nearly always that is known already. */
static __always_inline void owner_learn(struct sock *sk)
{
	struct owner now, *known;
	__u64 key;

	/* the kernel's own (NFS, tunnels): whoever is at work does not know of it */
	if (BPF_CORE_READ_BITFIELD(sk, sk_kern_sock) || !owner_of_current(&now))
		return;
	if (config.no_sk_storage) {
		if (!sock_is_seen_to_end(sk))
			return;
		key = (__u64)sk;
		known = bpf_map_lookup_elem(&owners_by_address, &key);
		if (!known || !owner_is(known, &now))
			bpf_map_update_elem(&owners_by_address, &key, &now, BPF_ANY);
		return;
	}
	known = bpf_sk_storage_get(&owners, sk, &now, BPF_SK_STORAGE_GET_F_CREATE);
	if (known && !owner_is(known, &now))
		*known = now;
}

/* connect(2) and listen(2), the latter for the connections to come. */
SEC("tp_btf/inet_sock_set_state")
int owner__inet_sock_set_state(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(inet_sock_set_state, sk);
	int old_state = ARGUMENT(inet_sock_set_state, old_state);
	int new_state = ARGUMENT(inet_sock_set_state, new_state);
	__u64 key;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	/* its end; or the beginning of one that is to be accepted, at an address whose end was not
	 * seen */
	if (config.no_sk_storage && (new_state == TCP_CLOSE ||
				     (old_state == TCP_SYN_RECV && new_state == TCP_ESTABLISHED))) {
		key = (__u64)sk;
		bpf_map_delete_elem(&owners_by_address, &key);
	}
	if ((new_state == TCP_SYN_SENT || new_state == TCP_LISTEN) && sk->sk_lock.owned)
		owner_learn(sk);
	return 0;
}

/* Each read of TCP; in softirq, too, where the kernel reads for itself (tcp_read_sock()). */
SEC("tp_btf/tcp_rcv_space_adjust")
int owner__tcp_rcv_space_adjust(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(tcp_rcv_space_adjust, sk);

	if (sk->sk_lock.owned)
		owner_learn(sk);
	return 0;
}

/* Each write of TCP, before the first byte leaves; from 6.18. */
SEC("tp_btf/tcp_sendmsg_locked")
int owner__tcp_sendmsg_locked(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(tcp_sendmsg_locked, sk);

	if (sk->sk_lock.owned)
		owner_learn(sk);
	return 0;
}

/* The end of each call that sends or receives; from 6.3. No call of these is made in softirq. */
SEC("tp_btf/sock_send_length")
int owner__sock_send_length(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(sock_send_length, sk);

	if (sock_is_inet(sk))
		owner_learn(sk);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int owner__sock_recv_length(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(sock_recv_length, sk);

	if (sock_is_inet(sk))
		owner_learn(sk);
	return 0;
}

/*
 * Once, at the start: each open file of each process. A socket that several processes hold is
 * nobody's, until one of them is seen to use it. What the hooks above have learned meanwhile stays.
 */
SEC("iter/task_file")
int owner__task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct owner now = {}, *known;
	struct socket *socket;
	struct sock *sk;
	__u64 key;

	if (!task || !file || task->flags & PF_KTHREAD)
		return 0;
	socket = bpf_sock_from_file(file); /* NULL: the file is none */
	if (!socket)
		return 0;
	sk = socket->sk; /* NULL: it is being closed, inet_release() */
	if (!sk || !sock_is_inet(sk))
		return 0;
	owner_read_task(&now, task);
	now.found = 1;
	if (config.no_sk_storage) {
		if (!sock_is_seen_to_end(sk))
			return 0;
		key = (__u64)sk;
		bpf_map_update_elem(&owners_by_address, &key, &now, BPF_NOEXIST);
		known = bpf_map_lookup_elem(&owners_by_address, &key);
	} else {
		known = bpf_sk_storage_get(&owners, sk, &now, BPF_SK_STORAGE_GET_F_CREATE);
	}
	if (known && known->found && known->pid != now.pid)
		known->pid = 0;
	return 0;
}
