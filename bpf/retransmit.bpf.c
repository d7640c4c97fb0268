// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * retransmit - TCP sent segments again, and why.
 *
 * Two tracepoints: tcp_retransmit_skb (segments of a full socket, SYN included), and
 * tcp_retransmit_synack (a listener's answer again, for a request socket, which is not a full one).
 */
#include "subject.bpf.h"

/*
 * What made TCP call tcp_retransmit_skb(); 0 if none of the causes we know by certain signs.
 *
 * syn: the socket still waits for the answer to its SYN.
 * synack: a full socket in SYN-RECV (simultaneous open) that sends a segment with SYN.
 * rto: tcp_retransmit_timer() calls tcp_enter_loss() first, and all that is sent again until the
 *   Loss state ends is what the timeout declared lost. tcp_simple_retransmit() (a router reported
 *   a smaller MTU) enters the same state, but clears undo_marker and counts no timeout: no cause
 *   of ours.
 * fast: Recovery is entered on SACKs, duplicate ACKs or RACK, and nothing but them resends there;
 *   a timeout would have left it for Loss. A probe timer may still be pending then, so this comes
 *   before tlp.
 * tlp: tcp_write_timer_handler() clears icsk_pending before a timeout, but leaves
 *   ICSK_TIME_LOSS_PROBE standing while tcp_send_loss_probe() runs.
 * Other causes, such as data refused by a Fast Open server, have no name here.
 */
static __always_inline __u8 retrans_type(const struct tcp_sock *tp, __u8 state, __u8 ca_state,
					 __u8 tcp_flags, const bool typed)
{
	if (state == TCP_SYN_SENT)
		return retrans_type_syn;
	if (state == TCP_SYN_RECV && tcp_flags & TCPHDR_SYN)
		return retrans_type_synack;
	if (ca_state == TCP_CA_Loss)
		return READ(typed, tp, undo_marker) || READ(typed, tp, inet_conn.icsk_retransmits) ?
			       retrans_type_rto :
			       0;
	if (ca_state == TCP_CA_Recovery)
		return retrans_type_fast;
	if (READ(typed, tp, inet_conn.icsk_pending) == ICSK_TIME_LOSS_PROBE)
		return retrans_type_tlp;
	return 0;
}

/*
 * How many segments this call sent. TCP counts total_retrans before it sends, and does not count
 * attempts that it gave up earlier (from 6.17 these reach the tracepoint too, with an error that
 * does not tell the two cases apart). So the number is how much the counter has grown since our
 * last look at this socket. Growth beyond this skb's own segments means calls for which the kernel
 * ran no program: *ret_missed, lost if the socket's events are wanted.
 *
 * For a socket not seen before, or if nothing can be kept of it (not `counted`), only the error
 * tells: these are the ones with which __tcp_retransmit_skb() gives up before counting.
 */
static __always_inline __u32 segments_sent(struct sock *sk, __u32 total, __u32 segs, int err,
					   __u32 *ret_missed, const bool counted)
{
	struct socket_memory *memory = counted ? connection_memory(sk, true) : NULL;
	__u32 known = memory ? memory->known & KNOWN_RETRANS : 0, grown;

	/* the counter went backwards: tcp_disconnect(), and we missed the new connection's start */
	if (known && total < memory->retrans_total) {
		memory->retrans_total = total;
		return segs;
	}
	grown = known ? total - memory->retrans_total : 0;
	if (memory) {
		memory->retrans_total = total;
		memory->known |= KNOWN_RETRANS;
	}
	if (!known) {
		if (err == -EBUSY || err == -EAGAIN || err == -EINVAL || err == -ENOMEM ||
		    err == -EHOSTUNREACH)
			return 0;
		return segs;
	}
	if (grown <= segs)
		return grown;
	*ret_missed = grown - segs;
	return segs;
}

static __always_inline int retransmit_skb(__u64 *ctx, struct subject *s, struct sock *sk,
					  const struct tcp_sock *tp, const bool counted,
					  const bool typed)
{
	const struct sk_buff *skb = ARGUMENT(tcp_retransmit_skb, skb);
	const struct sock_common *skc = &sk->__sk_common;
	const struct tcp_skb_cb *cb;
	struct tcp_cb cb_copy;
	struct retransmit *e;
	__u32 segs, missed = 0, ssthresh, total = READ(typed, tp, total_retrans);
	__u8 state, ca_state, type;
	int err = 0;

	/* the tracepoint has a third argument since 6.17, and its own struct with it */
	if (bpf_core_field_exists(((struct trace_event_raw_tcp_retransmit_skb *)0)->err))
		err = ARGUMENT(tcp_retransmit_skb, err);
	tcp_cb_read(&cb_copy, skb);
	cb = tcp_cb(&cb_copy);
	/* an skb may hold several segments (GSO), and TCP counts segments: tcp_skb_pcount() */
	segs = segments_sent(sk, total, cb->tcp_gso_segs, err, &missed, counted);
	if (!subject_passes(s)) /* after counting: the socket may pass next time */
		return 0;
	if (missed)
		event_missed(retransmit, missed, s);

	e = event_begin(retransmit, s, typed);
	if (!e)
		return 0;
	state = READ(typed, skc, skc_state);
	ca_state = READ_BITFIELD(typed, &tp->inet_conn, icsk_ca_state);
	type = retrans_type(tp, state, ca_state, cb->tcp_flags, typed);
	if (type)
		SET(e, retrans_type, type);
	SET(e, tcp_state, state);
	SET(e, ca_state, ca_state);
	SET(e, tcp_seq, cb->seq);
	SET(e, len_bytes, segs ? READ(typed, skb, len) : 0);
	SET(e, segs, segs);
	SET(e, retrans_total, total);
	SET(e, backoff, READ(typed, tp, inet_conn.icsk_backoff));
	SET(e, rto_us, jiffies_to_us(READ(typed, tp, inet_conn.icsk_rto)));
	SET_RTT(e, tp, typed);
	SET(e, cwnd, READ(typed, tp, snd_cwnd));
	ssthresh = READ(typed, tp, snd_ssthresh);
	if (ssthresh < TCP_INFINITE_SSTHRESH)
		SET(e, ssthresh, ssthresh);
	SET(e, packets_out, READ(typed, tp, packets_out));
	SET(e, lost_out, READ(typed, tp, lost_out));
	SET(e, mss_bytes, READ(typed, tp, mss_cache));
	if (err)
		SET(e, err, err);
	event_submit(e);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int retransmit__tcp_retransmit_skb(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(tcp_retransmit_skb, sk);
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	const bool typed = loads_allowed();
	struct subject subject;

	if (!tp)
		return 0;
	subject_of_sock(&subject, sk, true, typed);
	return retransmit_skb(ctx, &subject, sk, tp, true, typed);
}

SEC("raw_tp/tcp_retransmit_skb")
int retransmit__tcp_retransmit_skb_raw(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(tcp_retransmit_skb, sk);
	struct subject subject;

	subject_of_raw_sock(&subject, sk, true);
	return retransmit_skb(ctx, &subject, sk, (void *)sk, false, false);
}

/*
 * tcp_rtx_synack(), net/ipv4/tcp_output.c: called before req->num_retrans is incremented, from
 * which the connection's total_retrans starts. Owner and cgroup are the listener's; all else is the
 * request's. Its address family counts, since a dual-stack listener's would be wrong (the IPv6
 * addresses of an IPv4 request are uninitialised memory), and its cookie, which the connection
 * inherits.
 */
static __always_inline int retransmit_synack(struct subject *s, const struct sock *listener,
					     const struct request_sock *req, const bool typed)
{
	const struct tcp_request_sock *tcp_req = (const void *)req;
	const struct sock_common *skc = &req->__req_common;
	struct retransmit *e;
	/* set since inet_reqsk_alloc() */
	const struct request_sock_ops *ops = READ(typed, req, rsk_ops);
	bool ipv6 = ops && READ(typed, ops, family) == AF_INET6;
	__u8 timeouts;

	s->sk = listener;
	flow_of_sock(&s->flow, skc, ipv6, true, typed);
	e = event_begin(retransmit, s, typed);
	if (!e)
		return 0;

	timeouts = READ_BITFIELD(typed, req, num_timeout);
	SET(e, retrans_type, retrans_type_synack);
	SET(e, tcp_state, READ(typed, skc, skc_state));
	SET(e, tcp_seq, BPF_CORE_READ(tcp_req, snt_isn));
	SET(e, len_bytes, 0);
	SET(e, segs, 1);
	SET(e, retrans_total, READ(typed, req, num_retrans) + 1);
	SET(e, backoff, timeouts);
	/* tcp_reqsk_timeout(), include/net/tcp.h; the field came with 5.12 */
	if (bpf_core_field_exists(req->timeout))
		SET(e, rto_us, jiffies_to_us(READ(typed, req, timeout) << timeouts));
	SET(e, mss_bytes, READ(typed, req, mss));
	event_submit(e);
	return 0;
}

SEC("tp_btf/tcp_retransmit_synack")
int retransmit__tcp_retransmit_synack(__u64 *ctx)
{
	struct sock *listener = ARGUMENT(tcp_retransmit_synack, sk);
	struct request_sock *req = ARGUMENT(tcp_retransmit_synack, req);
	struct subject subject;
	struct socket_memory *memory;

	/*
	 * Fast Open: `listener` is the connection itself, which also counts this segment in
	 * total_retrans
	 */
	memory = connection_memory(listener, false);
	if (memory)
		memory->retrans_total += 1;
	subject_init(&subject);
	owner_of_sock(listener, &subject.owner);
	subject.cookie = socket_cookie(req);
	return retransmit_synack(&subject, listener, req, loads_allowed());
}

SEC("raw_tp/tcp_retransmit_synack")
int retransmit__tcp_retransmit_synack_raw(__u64 *ctx)
{
	struct request_sock *req = ARGUMENT(tcp_retransmit_synack, req);
	struct subject subject;

	subject_init(&subject);
	subject.cookie = cookie_read(req);
	return retransmit_synack(&subject, ARGUMENT(tcp_retransmit_synack, sk), req, false);
}
