// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * owner - learn who owns a socket, for the lines of all events. Makes no lines itself. One more
 * such hook, for connect(2) and listen(2), is in socket.bpf.c.
 *
 * Each hook here runs in a process that uses the socket, or its program makes sure of that: the
 * same TCP functions also run in softirq, on top of an unrelated process. A process that uses a TCP
 * socket holds its lock, and sk_lock.owned is set. Softirq never works on such a socket, but leaves
 * its packet in the backlog: tcp_v4_rcv(), tcp_write_timer(). That same process then works the
 * backlog off: release_sock().
 */
#include "owner.bpf.h"
#include "retransmit_account.bpf.h"

/* Do its packets go to a device? */
static __always_inline bool sock_has_packets(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return family == AF_INET || family == AF_INET6 || family == AF_PACKET;
}

/* Each read of TCP. Also runs in softirq when the kernel itself reads (tcp_read_sock()). */
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

/* The end of each call that sends or receives; since 6.3. These calls are never made in softirq. */
SEC("tp_btf/sock_send_length")
int owner__sock_send_length(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(sock_send_length, sk);

	if (sock_has_packets(sk))
		owner_learn(sk);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int owner__sock_recv_length(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(sock_recv_length, sk);

	if (sock_has_packets(sk))
		owner_learn(sk);
	return 0;
}

/*
 * Once, at the start: every open file of every process. A socket held by several processes has no
 * owner until one of them is seen using it. Owners that the hooks above have learned stay.
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
	socket = bpf_sock_from_file(file); /* NULL: not a socket */
	if (!socket)
		return 0;
	sk = socket->sk; /* NULL: it is being closed, inet_release() */
	if (!sk || !sock_has_packets(sk))
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
