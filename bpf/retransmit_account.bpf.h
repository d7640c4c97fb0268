/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * retransmit_account.bpf.h - which of the segments that TCP has sent again nobody has been told of.
 *
 * The kernel does not make each call: a program that is at work on this CPU is not run a second
 * time, and before Linux 6.17 there is none where sending failed. But TCP counts: total_retrans of
 * a connection, num_retrans of a request. A look compares that count with what has been accounted
 * for so far, from the connection's birth (connect, or accepted from a listener) to its end.
 *
 * total_retrans starts anew with each connection of a socket: tcp_disconnect().
 */
#ifndef NETLOG_RETRANSMIT_ACCOUNT_BPF_H
#define NETLOG_RETRANSMIT_ACCOUNT_BPF_H

#include "memory.bpf.h"

#define LEAST_BETWEEN_NS 500000000ULL	/* two timers of a second, the peer's and ours */
#define MOST_BETWEEN_NS 120000000000ULL /* TCP_RTO_MAX */

/* ---- requests: a SYN-ACK's retransmits, until there is a connection ---- */

struct request_key {
	struct connection connection; /* it has the request's addresses, ports and hash */
	__u64 netns;
};

struct request_account {
	__u64 since_us; /* when its first SYN-ACK was sent: another one is another request's */
	__u64 retrans;	/* of its num_retrans, all up to here is in lines, or counted as lost */
};

#define REQUESTS_MAX 16384

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, REQUESTS_MAX);
	__type(key, struct request_key);
	__type(value, struct request_account);
} requests SEC(".maps") __weak;

/*
 * The table forgets requests when there are many at once, as in a SYN flood: then one that is not
 * in it may have been told of. Half of what has room has come since `requests_before`, so none that
 * was noted later is forgotten. (Two CPUs may count two of them as one: hence half.)
 */
__weak volatile __u64 requests_noted = 0;
__weak volatile __u64 requests_since = 0; /* CLOCK_MONOTONIC */
__weak volatile __u64 requests_before = 0;

static __always_inline void request_note_new(void)
{
	__u64 count = requests_noted + 1;

	requests_noted = count;
	if (count % (REQUESTS_MAX / 4))
		return;
	requests_before = requests_since;
	requests_since = bpf_ktime_get_ns();
}

/*
 * A SYN-ACK is being sent again, before it is counted in num_retrans. Returns how many before it
 * were not seen; of a request that is older than netlog, or that may be forgotten, not known: 0.
 */
static __always_inline __u32 request_look(const struct request_sock *req, const bool typed)
{
	const struct sock_common *skc = &req->__req_common;
	const struct tcp_request_sock *tcp_req = (const void *)req;
	struct request_account now = {
		.since_us = BPF_CORE_READ(tcp_req, snt_synack),
		.retrans = READ(typed, req, num_retrans) + 1,
	};
	struct request_key key = {
		.connection = {
			.hash = READ(typed, skc, skc_hash),
			.local_port = READ(typed, skc, skc_num),
			.remote_port = READ(typed, skc, skc_dport),
		},
		.netns = sock_netns(skc, typed),
	};
	const struct request_account *before = bpf_map_lookup_elem(&requests, &key);
	const bool known = before && before->since_us == now.since_us;
	__u64 accounted = now.retrans - 1;

	if (known)
		accounted = before->retrans;
	else if (settings.attached_ns && now.since_us * 1000 > settings.attached_ns &&
		 now.since_us * 1000 > requests_before)
		accounted = 0;
	if (!known)
		request_note_new();
	bpf_map_update_elem(&requests, &key, &now, BPF_ANY);
	return accounted < now.retrans - 1 ? now.retrans - 1 - accounted : 0;
}

/*
 * What has been accounted for of the request that this connection was, when TCP has counted
 * `total`. Of a request that no call told of, all were skipped, or were made before netlog came.
 * Its SYN-ACK is sent again by a timer, after a second and later, and where the SYN comes again,
 * which has such a timer, too. So netlog's age tells whether all can have been since; if so they
 * are lost, at the most so many. If it may be one that is forgotten, they have been told of.
 */
static __always_inline __u32 request_accounted(const struct sock *sk,
					       const struct connection *connection, __u32 total,
					       const bool ended, const bool typed)
{
	struct request_key key = {
		.connection = *connection,
		.netns = sock_netns(&sk->__sk_common, typed),
	};
	const struct request_account *known;
	__u32 accounted = 0;
	__u64 now;

	if (!total)
		return 0;
	known = bpf_map_lookup_elem(&requests, &key);
	if (known) {
		accounted = known->retrans;
		bpf_map_delete_elem(&requests, &key);
		return accounted;
	}
	/* tcp_v4_syn_recv_sock() gave the connection up, not the request */
	if (ended)
		return total;
	now = bpf_ktime_get_ns();
	if (!settings.attached_ns || now - settings.attached_ns < total * LEAST_BETWEEN_NS ||
	    (requests_before && now - requests_before < MOST_BETWEEN_NS))
		return total;
	return 0;
}

/* ---- connections ---- */

/* A connection begins: TCP has counted nothing of it. */
static __always_inline void account_begin(struct retrans_account *a, const bool accepted)
{
	*a = (struct retrans_account){
		.known = ACCOUNT_TOTAL | ACCOUNT_NEW | (accepted ? ACCOUNT_ACCEPTED : 0),
	};
}

/*
 * A socket that was there before netlog, seen by no call of its own: the count as it is now. The
 * socket is not locked, so this is written where no look writes.
 */
static __always_inline void account_found(struct retrans_account *a, struct sock *sk)
{
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk); /* NULL: not TCP's */
	__u8 state = sk->__sk_common.skc_state;

	if (tp && !a->known && state != TCP_LISTEN && state != TCP_CLOSE)
		a->found = tp->total_retrans + 1;
}

/* A look at the connection. */
struct account_look {
	__u32 total;   /* what TCP has counted */
	__u32 own;     /* segments of the call that is being made: these at least are new */
	bool ended;    /* the connection ends without having been established */
	bool fastopen; /* it has a request still, but its SYN-ACKs are its own: Fast Open */
};

/*
 * How much TCP's count has grown since the last look. False if that is not known: nothing was known
 * of the connection so far, or the count has gone backwards.
 */
static __always_inline bool account_look(struct retrans_account *a, const struct sock *sk,
					 const struct account_look *look, __u32 *ret_grown,
					 const bool typed)
{
	__u32 known = a->known, base = a->total, found = a->found, grown;
	struct connection now;

	now = connection_of(sk, typed);
	if (!(known & ACCOUNT_NEW) && !connection_is(&a->connection, &now))
		known = 0;
	if (!known && found && look->total - (found - 1) >= look->own) {
		known = ACCOUNT_TOTAL;
		base = found - 1;
	}
	if (known & ACCOUNT_ACCEPTED && !look->fastopen)
		base = request_accounted(sk, &now, look->total, look->ended, typed);
	*a = (struct retrans_account){
		.total = look->total,
		.known = ACCOUNT_TOTAL,
		.connection = now,
	};
	if (!known)
		return false;
	grown = look->total - base;
	if ((__s32)grown < 0) {
		__sync_fetch_and_add(&cpu_counters()->refused[event_retransmit], 1);
		return false;
	}
	*ret_grown = grown;
	return true;
}

#endif
