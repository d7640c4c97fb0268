/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * arguments.h - what each hook hands to its program, and whether it may be NULL.
 *
 * BTF tells an argument's type, but not always whether it may be NULL: a tracepoint's caller may
 * pass NULL where the type says nothing of it. From 6.11 until the verifier had a list of such
 * arguments (6.13: raw_tp_null_args, kernel/bpf/btf.c), it even removed a program's own check as
 * needless. So each argument has a row here, with the kernel's reason, and a program takes it by
 * name: ARGUMENT(tcp_probe, sk). The name of one that may be NULL ends in _or_null. No program
 * follows such a pointer or hands it to a helper without checking it first, and a typed tracepoint
 * does not read it at all on a kernel that believes it is never NULL.
 *
 * tests/vm/load_test.sh compares places and types with each kernel's BTF.
 *
 * A(hook, place, type, name, why): the first place is 0. `why` says why it is never NULL, or when
 * it is.
 */
#ifndef NETLOG_ARGUMENTS_H
#define NETLOG_ARGUMENTS_H

/* of tracepoints */
#define TRACEPOINT_ARGUMENTS(A)                                                                    \
	A(netif_receive_skb, 0, struct sk_buff *, skb, "the packet that is being received")        \
	A(net_dev_queue, 0, struct sk_buff *, skb, "the packet that __dev_queue_xmit() was given") \
	A(net_dev_start_xmit, 0, struct sk_buff *, skb, "xmit_one() hands it to the driver")       \
	A(net_dev_start_xmit, 1, struct net_device *, dev, "the driver's, in xmit_one()")          \
	A(skb_copy_datagram_iovec, 0, struct sk_buff *, skb,                                       \
	  "the packet to copy from, which the caller holds")                                       \
	A(tcp_probe, 0, struct sock *, sk, "the locked socket of tcp_rcv_established()")           \
	A(tcp_probe, 1, struct sk_buff *, skb, "the packet it was given; the event reads it, too") \
	A(tcp_retransmit_skb, 0, struct sock *, sk, "the socket that sends")                       \
	A(tcp_retransmit_skb, 1, struct sk_buff *, skb,                                            \
	  "__tcp_retransmit_skb() has sent it by then")                                            \
	A(tcp_retransmit_skb, 2, int, err, "from 6.17 on")                                         \
	A(tcp_retransmit_synack, 0, struct sock *, sk,                                             \
	  "the listener, or with Fast Open the connection: tcp_rtx_synack()")                      \
	A(tcp_retransmit_synack, 1, struct request_sock *, req,                                    \
	  "the request that is answered; the event reads it, too")                                 \
	A(inet_sock_set_state, 0, struct sock *, sk, "whose state is being set")                   \
	A(inet_sock_set_state, 1, int, old_state, "")                                              \
	A(inet_sock_set_state, 2, int, new_state, "")                                              \
	A(tcp_rcv_space_adjust, 0, struct sock *, sk, "the locked socket that is being read")      \
	A(tcp_sendmsg_locked, 0, struct sock *, sk, "the locked socket that is written to")        \
	A(tcp_sendmsg_locked, 2, struct sk_buff *, skb_or_null,                                    \
	  "the send queue's last packet: NULL of an empty queue. Not read")                        \
	A(sock_send_length, 0, struct sock *, sk, "the socket of a call that has ended")           \
	A(sock_recv_length, 0, struct sock *, sk, "likewise")

/* of functions */
#define FUNCTION_ARGUMENTS(A)                                                                  \
	A(tcp_ack_update_rtt, 0, struct sock *, sk, "the locked socket that got the ACK")      \
	A(tcp_ack_update_rtt, 2, long, seq_rtt_us, "")                                         \
	A(tcp_ack_update_rtt, 3, long, sack_rtt_us, "")                                        \
	A(tcp_ack_update_rtt, 5, struct rate_sample *, rs, "on the stack of both its callers") \
	A(tcp_v4_rcv, 0, struct sk_buff *, skb, "ip_protocol_deliver_rcu() hands it over")     \
	A(tcp_v6_rcv, 0, struct sk_buff *, skb, "ip6_protocol_deliver_rcu() hands it over")    \
	A(udp_rcv, 0, struct sk_buff *, skb, "as of tcp_v4_rcv()")                             \
	A(udpv6_rcv, 0, struct sk_buff *, skb, "as of tcp_v6_rcv()")                           \
	A(skb_consume_udp, 0, struct sock *, sk, "the socket that was read; udp_recvmsg()")    \
	A(skb_consume_udp, 1, struct sk_buff *, skb, "the datagram that was copied or looked at")

#ifdef __bpf__
#include "kernel.h"

#include <bpf/bpf_helpers.h>

/* Of the programs whose context is an array of arguments: tp_btf, raw_tp, fentry and fexit. */
#define ARGUMENT_GET(hook, place, type, name, why)                             \
	static __always_inline type argument_##hook##_##name(const __u64 *ctx) \
	{                                                                      \
		return (type)ctx[place];                                       \
	}
TRACEPOINT_ARGUMENTS(ARGUMENT_GET)
FUNCTION_ARGUMENTS(ARGUMENT_GET)
#define ARGUMENT(hook, name) argument_##hook##_##name(ctx)
#endif

#endif
