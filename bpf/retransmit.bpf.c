// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * retransmit - TCP sent segments again, and why.
 *
 * Two tracepoints: tcp_retransmit_skb (a full socket's segments, SYN included) and
 * tcp_retransmit_synack (a listener's answer, on a request socket that is not a full one).
 */
#include "filter.bpf.h"
#include "memory.bpf.h"
#include "owner.bpf.h"

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
 * What is left, such as data refused by a Fast Open server, has no name here.
 */
static __always_inline __u8 retrans_type(const struct tcp_sock *tp, __u8 state, __u8 ca_state,
					 __u8 tcp_flags, const bool plain)
{
	if (state == TCP_SYN_SENT)
		return retrans_type_syn;
	if (state == TCP_SYN_RECV && tcp_flags & TCPHDR_SYN)
		return retrans_type_synack;
	if (ca_state == TCP_CA_Loss)
		return READ(plain, tp, undo_marker) || READ(plain, tp, inet_conn.icsk_retransmits) ?
			       retrans_type_rto :
			       0;
	if (ca_state == TCP_CA_Recovery)
		return retrans_type_fast;
	if (READ(plain, tp, inet_conn.icsk_pending) == ICSK_TIME_LOSS_PROBE)
		return retrans_type_tlp;
	return 0;
}

/* A socket's total_retrans, as it was when this program saw the socket last. */
SOCKET_MEMORY(retransmit_seen, __u32);

/*
 * How many segments this call stands for. TCP counts total_retrans before it sends, and not at all
 * what it gave up before (from 6.17 on, that is told too, with an error that does not say which).
 * So the counter decides: what it has grown by since our last look at this socket. Growth beyond
 * this skb's own segments is calls that no program was run for: lost, if the
 * socket's events are wanted: *ret_missed.
 *
 * Of a socket never seen before, and where nothing can be kept of it, only its errors tell:
 * __tcp_retransmit_skb() gives up with these.
 */
static __always_inline __u32 segments_sent(struct sock *sk, __u32 total, __u32 segs, int err,
					   __u32 *ret_missed, const bool plain)
{
	__u32 *seen = plain ? memory_get(retransmit_seen, sk, NULL) : NULL, grown;

	if (!seen) {
		if (plain)
			memory_get(retransmit_seen, sk, &total);
		if (err == -EBUSY || err == -EAGAIN || err == -EINVAL || err == -ENOMEM ||
		    err == -EHOSTUNREACH)
			return 0;
		return segs;
	}
	grown = total - *seen;
	*seen = total;
	if (grown <= segs)
		return grown;
	*ret_missed = grown - segs;
	return segs;
}

/* It has no interface. */
static __always_inline bool retransmit_passes(const struct flow *flow, const struct sock *sk,
					      const struct owner *owner)
{
	const struct filter *filter = filter_in_force();

	return flow_passes(filter, flow, sk) && owner_passes(filter, owner) &&
	       no_ifname_passes(filter);
}

static __always_inline int retransmit_skb(__u64 *ctx, struct sock *sk, const struct tcp_sock *tp,
					  __u64 cookie, const struct owner *owner, const bool plain)
{
	const struct sk_buff *skb = (void *)ctx[1];
	const struct sock_common *skc = &sk->__sk_common;
	const struct tcp_skb_cb *cb;
	struct tcp_cb cb_copy;
	struct flow flow;
	struct retransmit *e;
	__u32 segs, missed = 0, ssthresh, total = READ(plain, tp, total_retrans);
	__u8 state, ca_state, type;
	int err = 0;

	/* the third argument came with 6.17 and the event's own struct */
	if (bpf_core_field_exists(((struct trace_event_raw_tcp_retransmit_skb *)0)->err))
		err = (int)ctx[2];
	tcp_cb_read(&cb_copy, skb);
	cb = tcp_cb(&cb_copy);
	/* an skb may hold several segments (GSO), and TCP counts these: tcp_skb_pcount() */
	segs = segments_sent(sk, total, cb->tcp_gso_segs, err, &missed, plain);
	flow_of_sock(&flow, skc, sock_is_ipv6(skc, plain), true, plain);
	if (!retransmit_passes(&flow, sk, owner)) /* not earlier: it may pass another time */
		return 0;
	if (missed)
		event_missed(retransmit, missed, &flow);

	e = event_reserve(retransmit, &flow);
	if (!e)
		return 0;
	event_set_flow((struct event *)e, &flow);
	event_set_owner((struct event *)e, owner);
	event_set_cgroup((struct event *)e, sk, plain);
	event_set_cookie((struct event *)e, cookie);

	state = READ(plain, skc, skc_state);
	ca_state = plain ? BPF_CORE_READ_BITFIELD(&tp->inet_conn, icsk_ca_state) :
			   BPF_CORE_READ_BITFIELD_PROBED(&tp->inet_conn, icsk_ca_state);
	type = retrans_type(tp, state, ca_state, cb->tcp_flags, plain);
	if (type)
		SET(e, retrans_type, type);
	SET(e, tcp_state, state);
	SET(e, ca_state, ca_state);
	SET(e, tcp_seq, cb->seq);
	SET(e, len_bytes, segs ? READ(plain, skb, len) : 0);
	SET(e, segs, segs);
	SET(e, retrans_total, total);
	SET(e, backoff, READ(plain, tp, inet_conn.icsk_backoff));
	SET(e, rto_us, jiffies_to_us(READ(plain, tp, inet_conn.icsk_rto)));
	SET_RTT(e, tp, plain);
	SET(e, cwnd, READ(plain, tp, snd_cwnd));
	ssthresh = READ(plain, tp, snd_ssthresh);
	if (ssthresh < TCP_INFINITE_SSTHRESH)
		SET(e, ssthresh, ssthresh);
	SET(e, packets_out, READ(plain, tp, packets_out));
	SET(e, lost_out, READ(plain, tp, lost_out));
	SET(e, mss_bytes, READ(plain, tp, mss_cache));
	if (err)
		SET(e, err, err);
	event_submit(e);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int retransmit__tcp_retransmit_skb(__u64 *ctx)
{
	struct sock *sk = (void *)ctx[0];
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct owner owner;

	owner_of_sock(sk, &owner);
	return tp ? retransmit_skb(ctx, sk, tp, socket_cookie(sk), &owner, true) : 0;
}

SEC("raw_tp/tcp_retransmit_skb")
int retransmit__tcp_retransmit_skb_raw(__u64 *ctx)
{
	struct sock *sk = (void *)ctx[0];
	const struct owner nobody = {}; /* what is kept with a socket is not to be had here */

	return retransmit_skb(ctx, sk, (void *)sk, cookie_read(sk), &nobody, false);
}

/*
 * tcp_rtx_synack(), net/ipv4/tcp_output.c: called before req->num_retrans is counted up, which the
 * connection's total_retrans starts from. The listener tells the owner and the cgroup, the request
 * all else: the family it answers in (that of a dual-stack listener's socket would be wrong, and
 * the IPv6 addresses of such a request unset memory), and the cookie, which the connection
 * inherits.
 */
static __always_inline int retransmit_synack(const struct sock *listener,
					     const struct request_sock *req, __u64 cookie,
					     const struct owner *owner, const bool plain)
{
	const struct tcp_request_sock *tcp_req = (const void *)req;
	const struct sock_common *skc = &req->__req_common;
	struct flow flow;
	struct retransmit *e;
	bool ipv6 =
		(plain ? req->rsk_ops->family : BPF_CORE_READ(req, rsk_ops, family)) == AF_INET6;
	__u8 timeouts;

	flow_of_sock(&flow, skc, ipv6, true, plain);
	if (!retransmit_passes(&flow, listener, owner))
		return 0;
	/* not before: 6.1's verifier loses track of it in between */
	e = event_reserve(retransmit, &flow);
	if (!e)
		return 0;
	event_set_flow((struct event *)e, &flow);
	event_set_owner((struct event *)e, owner);
	event_set_cgroup((struct event *)e, listener, plain);
	event_set_cookie((struct event *)e, cookie);

	timeouts = plain ? BPF_CORE_READ_BITFIELD(req, num_timeout) :
			   BPF_CORE_READ_BITFIELD_PROBED(req, num_timeout);
	SET(e, retrans_type, retrans_type_synack);
	SET(e, tcp_state, READ(plain, skc, skc_state));
	SET(e, tcp_seq, BPF_CORE_READ(tcp_req, snt_isn));
	SET(e, len_bytes, 0);
	SET(e, segs, 1);
	SET(e, retrans_total, READ(plain, req, num_retrans) + 1);
	SET(e, backoff, timeouts);
	/* tcp_reqsk_timeout(), include/net/tcp.h; the field came with 5.12 */
	if (bpf_core_field_exists(req->timeout))
		SET(e, rto_us, jiffies_to_us(READ(plain, req, timeout) << timeouts));
	SET(e, mss_bytes, READ(plain, req, mss));
	event_submit(e);
	return 0;
}

SEC("tp_btf/tcp_retransmit_synack")
int retransmit__tcp_retransmit_synack(__u64 *ctx)
{
	struct sock *listener = (void *)ctx[0];
	struct request_sock *req = (void *)ctx[1];
	struct owner owner;
	__u32 *seen;

	/* Fast Open: it is the connection itself by then, and counts the segment as its own */
	seen = memory_get(retransmit_seen, listener, NULL);
	if (seen)
		*seen += 1;
	owner_of_sock(listener, &owner);
	return retransmit_synack(listener, req, socket_cookie(req), &owner, true);
}

SEC("raw_tp/tcp_retransmit_synack")
int retransmit__tcp_retransmit_synack_raw(__u64 *ctx)
{
	struct request_sock *req = (void *)ctx[1];
	const struct owner nobody = {};

	return retransmit_synack((void *)ctx[0], req, cookie_read(req), &nobody, false);
}
