// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * witness - the calls that the kernel makes for a retransmit or a packet's sending, seen by a
 * program that is not netlog's.
 *
 * Now and then a kernel runs no program at such a call, neither netlog's nor another (README). A
 * call that the witness has not seen was skipped by the kernel; one that it has seen, netlog must
 * have told.
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
} segments SEC(".maps"), packets SEC(".maps");

static __always_inline void count(void *map, __u32 netns, __u64 more)
{
	__u64 none = 0, *sum;

	bpf_map_update_elem(map, &netns, &none, BPF_NOEXIST);
	sum = bpf_map_lookup_elem(map, &netns);
	if (sum)
		__sync_fetch_and_add(sum, more);
}

static __always_inline void count_segments(const struct sock_common *skc, __u64 segs)
{
	count(&segments, BPF_CORE_READ(skc, skc_net.net, ns.inum), segs);
}

SEC("raw_tp/tcp_retransmit_skb")
int segment(struct bpf_raw_tracepoint_args *args)
{
	const struct sk_buff *skb = (void *)args->args[1];
	struct tcp_skb_cb *cb = (void *)skb->cb;
	int err = 0;

	/* TCP gave these up before it counted them, see __tcp_retransmit_skb(): calls from 6.17 on */
	if (bpf_core_field_exists(((struct trace_event_raw_tcp_retransmit_skb *)0)->err))
		err = (int)args->args[2];
	if (err == -EBUSY || err == -EAGAIN || err == -EINVAL || err == -ENOMEM ||
	    err == -EHOSTUNREACH)
		return 0;
	count_segments((void *)args->args[0], BPF_CORE_READ(cb, tcp_gso_segs));
	return 0;
}

SEC("raw_tp/tcp_retransmit_synack")
int synack(struct bpf_raw_tracepoint_args *args)
{
	count_segments((void *)args->args[1], 1);
	return 0;
}

SEC("raw_tp/net_dev_start_xmit")
int sent(struct bpf_raw_tracepoint_args *args)
{
	const struct net_device *dev = (void *)args->args[1];

	count(&packets, BPF_CORE_READ(dev, nd_net.net, ns.inum), 1);
	return 0;
}
