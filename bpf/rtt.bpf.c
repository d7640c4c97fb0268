// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * rtt - TCP measured a round-trip time.
 *
 * tcp_ack_update_rtt() takes each sample, in every state; when it returns, the estimates include
 * the sample. If functions cannot be hooked, tcp_probe is used: it runs for each packet of an
 * established socket before TCP looks at the packet, so it sees the estimates left by the packets
 * before. A sample is thus reported when the next packet comes, and only if the estimates changed
 * since the socket's last line.
 */
#include "subject.bpf.h"

/*
 * What the socket's last line reported; `first` if there has been none. A connection established
 * while netlog runs starts with zeros instead, so that the sample of its handshake makes a line.
 * NULL: the socket is being freed, or memory is short.
 *
 * tcp_rtt_estimator() changes srtt_us or mdev_us with every sample, unless the sample equals the
 * mean in whole microseconds and the deviation is below one.
 */
static __always_inline struct rtt_reported *rtt_last(struct sock *sk,
						     const struct rtt_reported *first)
{
	struct socket_memory *memory = connection_memory(sk, true);

	if (!memory)
		return NULL;
	if (!(memory->known & KNOWN_RTT)) {
		memory->rtt = memory->known & KNOWN_START ? (struct rtt_reported){} : *first;
		memory->known |= KNOWN_RTT;
	}
	return &memory->rtt;
}

/* Do the filters let this socket pass? Nothing is remembered of sockets that they refuse. */
static __always_inline bool rtt_passes(struct subject *s, struct sock *sk, const bool typed)
{
	if (!subject_sock_passes(s, sk, true, typed) || !subject_ifname_passes(s))
		return false;
	if (!filter_asks(s->filter, FILTER_OF_OWNER))
		return true;
	owner_of_sock(sk, &s->owner);
	return subject_owner_passes(s);
}

/*
 * A record of the socket. `time_ns`: the time it is to have, so that intervals are exact; 0: now.
 */
static __always_inline struct rtt *rtt_begin(struct subject *s, struct sock *sk,
					     const struct tcp_sock *tp, __u64 time_ns,
					     const bool typed)
{
	struct rtt *e;
	__u32 min_rtt;

	subject_set_sock(s, sk, true, typed);
	e = event_begin(rtt, s, typed);
	if (!e)
		return NULL;
	if (time_ns)
		e->header.time_ns = time_ns;
	SET_RTT(e, tp, typed);
	min_rtt = READ(typed, tp, rtt_min.s[0].v); /* tcp_min_rtt(); ~0 before the first sample */
	if (min_rtt != ~0U)
		SET(e, min_rtt_us, min_rtt);
	SET(e, cwnd, READ(typed, tp, snd_cwnd));
	SET(e, tcp_state, READ(typed, sk, __sk_common.skc_state));
	return e;
}

/*
 * tcp_ack_update_rtt(sk, flag, seq_rtt_us, sack_rtt_us, ca_rtt_us, rs), net/ipv4/tcp_input.c,
 * returns whether there was a sample: from the acknowledged segment, else from the newest one
 * covered by SACK, else from the peer's timestamp, which it stores in rs.
 */
SEC("fexit/tcp_ack_update_rtt")
int rtt__tcp_ack_update_rtt(__u64 *ctx)
{
	const bool typed = loads_allowed();
	struct sock *sk = ARGUMENT(tcp_ack_update_rtt, sk);
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	long sample = ARGUMENT(tcp_ack_update_rtt, seq_rtt_us);
	const struct rate_sample *rs = ARGUMENT(tcp_ack_update_rtt, rs);
	struct rtt_reported *last, now = {}, nothing = {};
	struct subject subject;
	struct rtt *e;

	subject_init(&subject);
	/* the returned value is behind the arguments */
	if (!(__u8)ctx[6] || !tp || !rtt_passes(&subject, sk, typed))
		return 0;
	if (sample < 0)
		sample = ARGUMENT(tcp_ack_update_rtt, sack_rtt_us);
	if (sample < 0)
		sample = READ(typed, rs, rtt_us);
	if (!measure_wanted(rtt, sample < 0 ? READ(typed, tp, srtt_us) >> 3 : sample))
		return 0;
	if (settings.rtt_interval_ns) {
		now.time_ns = bpf_ktime_get_boot_ns();
		last = rtt_last(sk, &nothing);
		if (last && last->time_ns && now.time_ns - last->time_ns < settings.rtt_interval_ns)
			return 0;
		if (last)
			last->time_ns = now.time_ns;
	}
	e = rtt_begin(&subject, sk, tp, now.time_ns, typed);
	if (!e)
		return 0;
	if (sample >= 0)
		SET(e, rtt_us, sample);
	event_submit(e);
	return 0;
}

SEC("tp_btf/tcp_probe")
int rtt__tcp_probe(__u64 *ctx)
{
	const bool typed = loads_allowed();
	struct sock *sk = ARGUMENT(tcp_probe, sk);
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct rtt_reported *last, now;
	struct subject subject;
	struct rtt *e;

	subject_init(&subject);
	if (!tp || !rtt_passes(&subject, sk, typed))
		return 0;
	now.srtt_us = READ(typed, tp, srtt_us);
	if (!now.srtt_us) /* no sample yet; mdev_us has an initial value */
		return 0;
	now.mdev_us = READ(typed, tp, mdev_us);
	now.time_ns = 0; /* no line yet */
	/*
	 * a socket older than netlog: its first look only stores the estimates, and the next change
	 * is new
	 */
	last = rtt_last(sk, &now);
	if (!last)
		return 0;
	if (last->srtt_us == now.srtt_us && last->mdev_us == now.mdev_us)
		return 0;
	/* outside the limits: remember it as seen, so that only another sample is new */
	if (!measure_wanted(rtt, now.srtt_us >> 3)) {
		last->srtt_us = now.srtt_us;
		last->mdev_us = now.mdev_us;
		return 0;
	}
	/* too soon: leave it unreported; a later packet finds it, or a newer sample */
	now.time_ns = bpf_ktime_get_boot_ns();
	if (last->time_ns && now.time_ns - last->time_ns < settings.rtt_interval_ns)
		return 0;
	*last = now;

	e = rtt_begin(&subject, sk, tp, now.time_ns, typed);
	if (e)
		event_submit(e);
	return 0;
}
