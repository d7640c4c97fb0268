/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owner.bpf.h - who owns a socket: the process that was last seen to use it.
 *
 * Most events fire in softirq, where the current task is whoever was interrupted. So the owner is
 * learned where the task at work is the socket's user (owner.bpf.c, socket.bpf.c), and kept with
 * the socket. Who is not known is absent.
 */
#ifndef NETLOG_OWNER_BPF_H
#define NETLOG_OWNER_BPF_H

#include "memory.bpf.h"

/* Odd multipliers of 64 bits: a change of any word changes the sum, but for 1 in 2^32. */
static __always_inline __u32 owner_sum(const struct owner *owner)
{
	return (owner->comm[0] * 0x9e3779b97f4a7c15ULL + owner->comm[1] * 0xc2b2ae3d27d4eb4fULL +
		owner->pid * 0x165667b19e3779f9ULL) >>
	       32;
}

/*
 * The owner as it is now, a copy; false, with all zeros, when it is not known. The copy is made
 * word by word, each read once: what is checked must be what is used.
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
	ret_owner->pid = known->pid;
	ret_owner->sum = known->sum;
	if (ret_owner->pid && ret_owner->sum == owner_sum(ret_owner))
		return true;
	__builtin_memset(ret_owner, 0, sizeof(*ret_owner));
	return false;
}

static __always_inline bool owner_of_sock(struct sock *sk, struct owner *ret_owner)
{
	return owner_of_memory(memory_find(sk), ret_owner);
}

static __always_inline void owner_read_task(struct owner *owner, const struct task_struct *task)
{
	const bool typed = !config.no_task_btf;
	/* a task has one from its beginning (copy_process()); itself, or one that outlives it */
	const struct task_struct *leader = READ(typed, task, group_leader);

	owner->pid = READ(typed, task, tgid);
	/* up to its end: before 5.17 the bytes behind it are those of a longer name before */
	bpf_probe_read_kernel_str(owner->comm, sizeof(owner->comm), leader->comm);
	owner->sum = owner_sum(owner);
}

/*
 * The process at work. The name is the whole process's: its threads may each have their own, and
 * take turns. False for a thread of the kernel, which works for others.
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

/* What is kept of others by their address would stay for the next socket there. */
static __always_inline bool sock_is_seen_to_end(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && sk->__sk_common.skc_state != TCP_CLOSE;
}

/* The record that tells the socket's owner, also of one that is not known yet. */
static __always_inline struct socket_memory *owner_memory(struct sock *sk)
{
	if (config.no_sk_storage && !sock_is_seen_to_end(sk))
		return NULL;
	return memory_make(sk);
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
	struct socket_memory *memory;
	struct owner now;

	/* the kernel's own (NFS, tunnels): whoever is at work does not know of it */
	if (BPF_CORE_READ_BITFIELD(sk, sk_kern_sock) || !owner_of_current(&now))
		return;
	memory = owner_memory(sk);
	if (memory && !owner_is(&memory->owner, &now))
		memory->owner = now;
}

static __always_inline void event_set_owner(struct event *e, const struct owner *owner)
{
	if (!owner->pid)
		return;
	SET(e, pid, owner->pid);
	__builtin_memcpy(&e->comm, owner->comm, sizeof(e->comm));
	MARK(e, comm);
}

#endif
