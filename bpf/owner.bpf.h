/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owner.bpf.h - who owns a socket: the process that was last seen to use it.
 *
 * Most events fire in softirq, where the current task is whoever was interrupted. So the owner is
 * learned where the task at work is the socket's user (owner.bpf.c), and kept with the socket. Who
 * is not known is absent.
 */
#ifndef NETLOG_OWNER_BPF_H
#define NETLOG_OWNER_BPF_H

#include "netlog.bpf.h"

/*
 * Read and written without a lock (tracing programs have none), at any time, on any CPU: `sum`
 * tells a whole record from a mixture of two, and a mixture is nobody.
 */
struct owner {
	__u64 comm[COMM_BYTES / sizeof(__u64)];
	__u32 pid; /* 0: not known */
	__u32 sum;
	__u32 found;	/* not seen at work, but found among a process's files */
	__u32 reserved; /* the record has no gaps, where garbage might lie */
};

/* A connection made from a listener begins with the listener's: sk_clone_lock() copies these. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct owner);
} owners SEC(".maps") __weak;

/*
 * The same by the socket's address, where sockets keep nothing (no_sk_storage). An address may soon
 * be another socket's, so only those are in it that are seen to end: TCP's, from being made to
 * being closed.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* see object.c */
	__type(key, __u64);
	__type(value, struct owner);
} owners_by_address SEC(".maps") __weak;

/*
 * `sk`: not NULL, and where sockets have storage, a pointer that its helper takes, so not one that
 * was read out of an skb.
 */
static __always_inline struct owner *owner_find(struct sock *sk)
{
	__u64 key;

	if (!config.no_sk_storage)
		return bpf_sk_storage_get(&owners, sk, NULL, 0);
	key = (__u64)sk;
	return bpf_map_lookup_elem(&owners_by_address, &key);
}

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
static __always_inline bool owner_of_sock(struct sock *sk, struct owner *ret_owner)
{
	const volatile struct owner *known = owner_find(sk);

	__builtin_memset(ret_owner, 0, sizeof(*ret_owner));
	if (!known)
		return false;
	ret_owner->comm[0] = known->comm[0];
	ret_owner->comm[1] = known->comm[1];
	ret_owner->pid = known->pid;
	ret_owner->sum = known->sum;
	if (ret_owner->pid && ret_owner->sum == owner_sum(ret_owner))
		return true;
	__builtin_memset(ret_owner, 0, sizeof(*ret_owner));
	return false;
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

static __always_inline void event_set_owner(struct event *e, const struct owner *owner)
{
	if (!owner->pid)
		return;
	SET(e, pid, owner->pid);
	__builtin_memcpy(&e->comm, owner->comm, sizeof(e->comm));
	MARK(e, comm);
}

#endif
