// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * retransmit - TCP sent segments again, and why.
 *
 * Two tracepoints: tcp_retransmit_skb (a full socket's segments, SYN included) and
 * tcp_retransmit_synack (a listener's answer, on a request socket that is not a full one). Two more
 * see connections begin and end, so that calls which the kernel skipped are counted to the last one.
 */
#include "retransmit_account.bpf.h"
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
 * What has been accounted for of this socket's connection; NULL: nothing can be remembered of it.
 * `raw`: in a raw tracepoint, where a socket is nothing but its address.
 */
static __always_inline struct retrans_account *account_of_sock(struct sock *sk, const bool make,
							       const bool raw)
{
	struct socket_memory *memory;
	__u64 key = (__u64)sk;

	if (!raw)
		memory = make ? memory_make(sk) : memory_find(sk);
	else
		memory = make ? memory_make_by_address(key) :
				bpf_map_lookup_elem(&sockets_by_address, &key);
	return memory ? &memory->retrans : NULL;
}

/*
 * How many segments this call stands for. TCP counts total_retrans before it sends, and not at all
 * what it gave up before (from 6.17 on, that is told too, with an error that does not say which).
 * So the counter decides: what it has grown by since our last look at this socket. Growth beyond
 * this skb's own segments is of calls that no program was run for: lost, if the socket's events are
 * wanted: *ret_missed.
 *
 * Of a socket never seen before only its errors tell: __tcp_retransmit_skb() gives up with these.
 */
static __always_inline __u32 segments_sent(struct sock *sk, const struct account_look *look,
					   int err, __u32 *ret_missed, const bool raw)
{
	const bool typed = !raw && loads_allowed();
	const bool given_up = err == -EBUSY || err == -EAGAIN || err == -EINVAL || err == -ENOMEM ||
			      err == -EHOSTUNREACH;
	struct retrans_account *account = account_of_sock(sk, true, raw);
	__u32 grown;

	if (!account || !account_look(account, sk, look, &grown, typed))
		return given_up ? 0 : look->own;
	if (grown <= look->own)
		return grown;
	*ret_missed = grown - look->own;
	return look->own;
}

/*
 * Does the connection have a request still, which was answered with SYN-ACKs of its own? As
 * tcp_passive_fastopen().
 */
static __always_inline bool sock_is_fastopen(const struct tcp_sock *tp, const bool typed)
{
	return READ(typed, tp, fastopen_rsk);
}

static __always_inline int retransmit_skb(__u64 *ctx, struct subject *s, struct sock *sk,
					  const struct tcp_sock *tp, const bool raw)
{
	const bool typed = !raw && loads_allowed();
	const struct sk_buff *skb = ARGUMENT(tcp_retransmit_skb, skb);
	const struct sock_common *skc = &sk->__sk_common;
	const struct tcp_skb_cb *cb;
	struct tcp_cb cb_copy;
	struct retransmit *e;
	struct account_look look = {};
	__u32 segs, missed = 0, ssthresh;
	__u8 state, ca_state, type;
	int err = 0;

	/* the tracepoint has a third argument since 6.17, and its own struct with it */
	if (bpf_core_field_exists(((struct trace_event_raw_tcp_retransmit_skb *)0)->err))
		err = ARGUMENT(tcp_retransmit_skb, err);
	tcp_cb_read(&cb_copy, skb);
	cb = tcp_cb(&cb_copy);
	look.total = READ(typed, tp, total_retrans);
	/* an skb may hold several segments (GSO), and TCP counts these: tcp_skb_pcount() */
	look.own = cb->tcp_gso_segs;
	look.fastopen = sock_is_fastopen(tp, typed);
	segs = segments_sent(sk, &look, err, &missed, raw);
	if (!subject_passes(s)) /* not earlier: it may pass another time */
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
	SET(e, retrans_total, look.total);
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
	struct subject subject;

	if (!tp)
		return 0;
	subject_of_sock(&subject, sk, true, loads_allowed());
	return retransmit_skb(ctx, &subject, sk, tp, false);
}

SEC("raw_tp/tcp_retransmit_skb")
int retransmit__tcp_retransmit_skb_raw(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(tcp_retransmit_skb, sk);
	struct subject subject;

	subject_of_raw_sock(&subject, sk, true);
	return retransmit_skb(ctx, &subject, sk, (void *)sk, true);
}

/* ---- a connection's birth and end, and what TCP has counted in between ---- */

static __always_inline void connection_begins(struct sock *sk, const bool accepted, const bool raw)
{
	struct retrans_account *account = account_of_sock(sk, true, raw);

	if (account)
		account_begin(account, accepted);
}

/* Segments that TCP has sent again and no call told of are lost. */
static __always_inline void connection_look(struct sock *sk, const struct account_look *look,
					    const bool raw)
{
	const bool typed = !raw && loads_allowed();
	struct retrans_account *account = account_of_sock(sk, false, raw);
	struct subject subject;
	__u32 missed;

	if (!account || !account_look(account, sk, look, &missed, typed) || !missed)
		return;
	if (raw)
		subject_of_raw_sock(&subject, sk, true);
	else
		subject_of_sock(&subject, sk, true, typed);
	event_missed(retransmit, missed, &subject);
}

static __always_inline int retransmit_state(__u64 *ctx, struct sock *sk, const struct tcp_sock *tp,
					    const bool raw)
{
	const bool typed = !raw && loads_allowed();
	int old_state = ARGUMENT(inet_sock_set_state, old_state);
	int new_state = ARGUMENT(inet_sock_set_state, new_state);
	/* connect(2), or a copy of the listener: inet_csk_clone_lock() */
	const bool accepted = old_state == TCP_LISTEN && new_state == TCP_SYN_RECV;
	struct account_look look = {
		.ended = old_state == TCP_SYN_RECV && new_state == TCP_CLOSE,
	};

	if (new_state == TCP_SYN_SENT || accepted) {
		connection_begins(sk, accepted, raw);
		return 0;
	}
	if (old_state == TCP_LISTEN || new_state == TCP_LISTEN)
		return 0;
	look.total = READ(typed, tp, total_retrans);
	look.fastopen = sock_is_fastopen(tp, typed);
	connection_look(sk, &look, raw);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int retransmit__inet_sock_set_state(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(inet_sock_set_state, sk);
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk); /* NULL: not TCP's */

	return tp ? retransmit_state(ctx, sk, tp, false) : 0;
}

SEC("raw_tp/inet_sock_set_state")
int retransmit__inet_sock_set_state_raw(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(inet_sock_set_state, sk);

	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	return retransmit_state(ctx, sk, (void *)sk, true);
}

/*
 * The socket goes. Nearly always its connection has been seen to end, but that call, too, may have
 * been skipped.
 */
SEC("tp_btf/tcp_destroy_sock")
int retransmit__tcp_destroy_sock(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(tcp_destroy_sock, sk);
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct account_look look = {};

	if (!tp)
		return 0;
	look.total = READ(loads_allowed(), tp, total_retrans);
	connection_look(sk, &look, false);
	return 0;
}

SEC("raw_tp/tcp_destroy_sock")
int retransmit__tcp_destroy_sock_raw(__u64 *ctx)
{
	struct sock *sk = ARGUMENT(tcp_destroy_sock, sk);
	const struct tcp_sock *tp = (void *)sk;
	struct account_look look = { .total = BPF_CORE_READ(tp, total_retrans) };
	__u64 key = (__u64)sk;

	connection_look(sk, &look, true);
	bpf_map_delete_elem(&sockets_by_address, &key);
	return 0;
}

/* ---- SYN-ACKs ---- */

/*
 * Fast Open: `sk` is the connection itself by then, not the listener, and the segment is one of its
 * own count. Returns how many before it no call told of.
 */
static __always_inline __u32 synack_of_connection(struct sock *sk, const struct tcp_sock *tp,
						  const bool raw)
{
	const bool typed = !raw && loads_allowed();
	struct account_look look = { .own = 1, .fastopen = true };
	__u32 missed = 0;

	look.total = READ(typed, tp, total_retrans);
	segments_sent(sk, &look, 0, &missed, raw);
	return missed;
}

/*
 * tcp_rtx_synack(), net/ipv4/tcp_output.c: called before req->num_retrans is incremented, from
 * which the connection's total_retrans starts. Owner and cgroup are the listener's; all else is the
 * request's. Its address family counts, since a dual-stack listener's would be wrong (the IPv6
 * addresses of an IPv4 request are uninitialised memory), and its cookie, which the connection
 * inherits.
 */
static __always_inline int retransmit_synack(struct subject *s, const struct sock *listener,
					     const struct request_sock *req, __u32 missed,
					     const bool typed)
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
	if (missed)
		event_missed(retransmit, missed, s);
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
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock(listener);
	const bool typed = loads_allowed();
	struct subject subject;
	__u32 missed;

	if (tp && READ(typed, listener, __sk_common.skc_state) != TCP_LISTEN)
		missed = synack_of_connection(listener, tp, false);
	else
		missed = request_look(req, typed);
	subject_init(&subject);
	owner_of_sock(listener, &subject.owner);
	subject.cookie = socket_cookie(req);
	return retransmit_synack(&subject, listener, req, missed, typed);
}

SEC("raw_tp/tcp_retransmit_synack")
int retransmit__tcp_retransmit_synack_raw(__u64 *ctx)
{
	struct sock *listener = ARGUMENT(tcp_retransmit_synack, sk);
	struct request_sock *req = ARGUMENT(tcp_retransmit_synack, req);
	struct subject subject;
	__u32 missed;

	if (BPF_CORE_READ(listener, __sk_common.skc_state) != TCP_LISTEN)
		missed = synack_of_connection(listener, (void *)listener, true);
	else
		missed = request_look(req, false);
	subject_init(&subject);
	subject.cookie = cookie_read(req);
	return retransmit_synack(&subject, listener, req, missed, false);
}
