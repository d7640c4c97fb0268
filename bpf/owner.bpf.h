/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owner.bpf.h - who owns a socket: the process last seen using it.
 *
 * Most events happen in softirq, where the current task is whichever was interrupted. So owners are
 * learned where the current task is known to use the socket (owner.bpf.c, socket.bpf.c), and kept
 * with the socket. An unknown owner's fields are absent.
 */
#ifndef NETLOG_OWNER_BPF_H
#define NETLOG_OWNER_BPF_H

#include "memory.bpf.h"

#include <linux/ptrace.h>

#include <bpf/bpf_tracing.h>

/*
 * Multiplying by odd 64-bit numbers: if a word changes, the sum changes, but for a chance of 1 in
 * 2^32.
 */
static __always_inline __u32 owner_sum(const struct owner *owner)
{
	return (owner->comm[0] * 0x9e3779b97f4a7c15ULL + owner->comm[1] * 0xc2b2ae3d27d4eb4fULL +
		owner->pid * 0x165667b19e3779f9ULL +
		(config.no_processes ? 0 : owner->begun_ns * 0xd6e8feb86659fd93ULL)) >>
	       32;
}

/*
 * Copy the socket's owner. False, with all zeros, if it is unknown. The copy reads each word once,
 * so that the checked words are those used.
 */
static __always_inline bool owner_of_memory(const struct socket_memory *memory,
					    struct owner *ret_owner)
{
	const volatile struct owner *known;

	__builtin_memset(ret_owner, 0, sizeof(*ret_owner));
	if (!memory)
		return false;
	known = &memory->owner;
	ret_owner->comm[0] = known->comm[0];
	ret_owner->comm[1] = known->comm[1];
	if (!config.no_processes)
		ret_owner->begun_ns = known->begun_ns;
	ret_owner->pid = known->pid;
	ret_owner->sum = known->sum;
	if (ret_owner->pid && ret_owner->sum == owner_sum(ret_owner))
		return true;
	__builtin_memset(ret_owner, 0, sizeof(*ret_owner));
	return false;
}

/*
 * The memory that has the socket's owner: of a subflow, that of its MPTCP socket. Until that is
 * accepted, it is the listener's owner, of whose subflow this one is a copy. NULL: none.
 */
static __always_inline const struct socket_memory *owner_memory_find(struct sock *sk)
{
	struct sock *mptcp = mptcp_address(sk, loads_allowed());
	const struct socket_memory *closed;

	if (!mptcp)
		return memory_find(sk);
	if (config.no_sk_storage)
		return memory_find(mptcp);
	closed = memory_find_closed(mptcp, false);
	if (closed)
		return closed;
	/* ended; not remembered any more */
	if (BPF_CORE_READ(mptcp, __sk_common.skc_state) == TCP_CLOSE)
		return NULL;
	mptcp = sock_of_file(sk);
	return memory_find(mptcp ?: sk);
}

static __always_inline bool owner_of_sock(struct sock *sk, struct owner *ret_owner)
{
	return owner_of_memory(owner_memory_find(sk), ret_owner);
}

/* The same of a socket that the process has closed. `sk`: any pointer to a full socket. */
static __always_inline void owner_of_closed(const struct sock *sk, struct owner *ret_owner,
					    const bool typed)
{
	const struct socket_memory *known = memory_find_closed(sk, typed);
	const struct sock *mptcp = known ? NULL : mptcp_address(sk, typed);

	if (mptcp)
		known = memory_find_closed(mptcp, false);
	owner_of_memory(known, ret_owner);
}

static __always_inline void owner_read_task(struct owner *owner, const struct task_struct *task)
{
	const bool typed = !config.no_task_btf;
	/* set by copy_process(): the task itself, or one that outlives it */
	const struct task_struct *leader = READ(typed, task, group_leader);

	owner->pid = READ(typed, task, tgid);
	if (!config.no_processes)
		owner->begun_ns = BPF_CORE_READ(leader, start_boottime);
	/* stops at the NUL: before 5.17, a longer name used before may follow */
	bpf_probe_read_kernel_str(owner->comm, sizeof(owner->comm), leader->comm);
	owner->sum = owner_sum(owner);
}

/*
 * The current process. The name is the process's, not the thread's: threads may have names of their
 * own, and take turns. False for a kernel thread, which works for others.
 */
static __always_inline bool owner_of_current(struct owner *ret_owner)
{
	const bool typed = !config.no_task_btf;
	const struct task_struct *task;

	__builtin_memset(ret_owner, 0, sizeof(*ret_owner));
	task = typed ? bpf_get_current_task_btf() : (void *)bpf_get_current_task();
	if (READ(typed, task, flags) & PF_KTHREAD)
		return false;
	owner_read_task(ret_owner, task);
	return true;
}

/*
 * The table by address may hold only these: any other's owner would pass to the next socket there.
 */
static __always_inline bool sock_is_seen_to_end(const struct sock *sk)
{
	return (sk->sk_protocol == IPPROTO_TCP || sk->sk_protocol == IPPROTO_MPTCP) &&
	       sk->__sk_common.skc_state != TCP_CLOSE;
}

/* The memory of the socket, made if need be; NULL if none can be kept. */
static __always_inline struct socket_memory *owner_memory(struct sock *sk)
{
	if (config.no_sk_storage && !sock_is_seen_to_end(sk))
		return NULL;
	return memory_make(sk);
}

/* Is this owner already known, and from seeing it at work? */
static __always_inline bool owner_is(const struct owner *known, const struct owner *now)
{
	return known->pid == now->pid && known->sum == now->sum && known->comm[0] == now->comm[0] &&
	       known->comm[1] == now->comm[1] &&
	       (config.no_processes || known->begun_ns == now->begun_ns) && !known->found;
}

static __always_inline void owner_set_current(struct sock *sk)
{
	struct socket_memory *memory;
	struct owner now;

	if (!owner_of_current(&now))
		return;
	memory = owner_memory(sk);
	if (memory && !owner_is(&memory->owner, &now))
		memory->owner = now;
}

/* The current process uses this socket. Nearly always that is known already. */
static __always_inline void owner_learn(struct sock *sk)
{
	/* kernel sockets (NFS, tunnels): the current process knows nothing of them */
	if (!BPF_CORE_READ_BITFIELD(sk, sk_kern_sock))
		owner_set_current(sk);
}

/* The current task's file of that number. NULL: none. */
static __always_inline const struct file *current_file(const struct task_struct *task, __u64 number)
{
	const struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	const struct file *file = NULL;

	if (number < BPF_CORE_READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + number);
	return file;
}

/*
 * Is the current process in a system call on this socket, such as sendto(2)? The call's first
 * argument is the number of the socket's file then. That is so, too, where a softirq has
 * interrupted the call; and whoever has that number in a register by chance has the socket open.
 */
static __always_inline bool current_calls(const struct sock *sk)
{
	const struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = (void *)bpf_task_pt_regs((void *)task);
	const struct file *file = BPF_CORE_READ(sk, sk_socket, file);

	return file && file == current_file(task, PT_REGS_PARM1_SYSCALL(registers));
}

/*
 * A packet is on its way out, of a socket that has an owner once its first call ends: too late for
 * the first datagram. `sk` was found in an skb.
 */
static __always_inline void owner_learn_sender(const struct sock *sk)
{
	struct owner known;
	struct sock *same;

	if (config.no_sk_storage || config.no_task_regs || BPF_CORE_READ_BITFIELD(sk, sk_kern_sock))
		return;
	same = sock_of_own_file(sk);
	if (same && !owner_of_sock(same, &known) && current_calls(sk))
		owner_learn(same);
}

/*
 * The current process listens. Of MPTCP, the subflow that listens is a kernel socket, and yet what
 * connects without MPTCP becomes a copy of it, which accept(2) returns.
 */
static __always_inline void owner_learn_listener(struct sock *sk)
{
	const struct sock *mptcp = mptcp_address(sk, loads_allowed());

	if (mptcp && !BPF_CORE_READ_BITFIELD_PROBED(mptcp, sk_kern_sock))
		owner_set_current(sk);
	else
		owner_learn(sk);
}

static __always_inline void event_set_owner(struct event *e, const struct owner *owner)
{
	if (!owner->pid)
		return;
	SET(e, pid, owner->pid);
	__builtin_memcpy(&e->comm, owner->comm, sizeof(e->comm));
	MARK(e, comm);
	if (!config.no_processes && owner->begun_ns)
		SET(e, cgroup_v1, PROCESS_OF(owner->pid, owner->begun_ns));
}

#endif
