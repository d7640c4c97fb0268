// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * owner - learn who owns a socket, for all events' lines. Makes no lines itself. The first hook is
 * in socket.bpf.c: connect and listen.
 *
 * Each hook here is hit by a process that uses the socket, or is asked whether it is: the same
 * functions of TCP also run in softirq, on top of a bystander. A process that uses a TCP socket
 * holds its lock, sk_lock.owned; softirq never works on a socket that is so held, but leaves its
 * packet in the backlog: tcp_v4_rcv(), tcp_write_timer(). What is then done for the backlog is done
 * by that same process: release_sock().
 */
#include "owner.bpf.h"
#include "retransmit_account.bpf.h"

static __always_inline bool sock_is_inet(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return family == AF_INET || family == AF_INET6;
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
	struct socket_memory *memory;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file || task->flags & PF_KTHREAD)
		return 0;
	socket = bpf_sock_from_file(file); /* NULL: the file is none */
	if (!socket)
		return 0;
	sk = socket->sk; /* NULL: it is being closed, inet_release() */
	if (!sk || !sock_is_inet(sk))
		return 0;
	memory = owner_memory(sk);
	if (!memory)
		return 0;
	account_found(&memory->retrans, sk);
	owner_read_task(&now, task);
	now.found = 1;
	known = &memory->owner;
	if (!known->pid && !known->found)
		*known = now;
	else if (known->found && known->pid != now.pid)
		known->pid = 0;
	return 0;
}
