// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * witness - the calls that the kernel makes for a retransmit, seen by a program that is not
 * netlog's.
 *
 * Now and then a kernel runs no program at such a call, netlog's or another (README). What neither
 * has seen is the kernel's doing; what the witness has seen, netlog must have told.
 */
#include "../../bpf/kernel.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); /* the network namespace */
	__type(value, __u64);
} segments SEC(".maps");

static __always_inline void count(const struct sock_common *skc, __u64 segs)
{
	__u32 netns = BPF_CORE_READ(skc, skc_net.net, ns.inum);
	__u64 none = 0, *sum;

	bpf_map_update_elem(&segments, &netns, &none, BPF_NOEXIST);
	sum = bpf_map_lookup_elem(&segments, &netns);
	if (sum)
		__sync_fetch_and_add(sum, segs);
}

SEC("raw_tp/tcp_retransmit_skb")
int segment(struct bpf_raw_tracepoint_args *args)
{
	const struct sk_buff *skb = (void *)args->args[1];
	struct tcp_skb_cb *cb = (void *)skb->cb;
	int err = 0;

	/* what TCP gave up before it was counted: __tcp_retransmit_skb(); told from 6.17 on */
	if (bpf_core_field_exists(((struct trace_event_raw_tcp_retransmit_skb *)0)->err))
		err = (int)args->args[2];
	if (err == -EBUSY || err == -EAGAIN || err == -EINVAL || err == -ENOMEM ||
	    err == -EHOSTUNREACH)
		return 0;
	count((void *)args->args[0], BPF_CORE_READ(cb, tcp_gso_segs));
	return 0;
}

SEC("raw_tp/tcp_retransmit_synack")
int synack(struct bpf_raw_tracepoint_args *args)
{
	count((void *)args->args[1], 1);
	return 0;
}
