/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * subject.bpf.h - what an event is about, and event_begin(), which every event goes through.
 *
 * A program says what it knows of its subject, and event_begin() does what all events have in
 * common: it asks every filter, sampling and pace, reserves the record, and fills in the common
 * fields. So no event escapes a filter.
 *
 * To save work, a program may ask a filter earlier, with one of subject_*_passes(); the subject
 * remembers that, and the filter is not asked again.
 */
#ifndef NETLOG_SUBJECT_BPF_H
#define NETLOG_SUBJECT_BPF_H

#include "filter.bpf.h"
#include "owner.bpf.h"

/* Filters that the subject has already passed. */
enum passed {
	passed_flow = 1, /* addresses, ports, protocol, namespace, cgroup */
	passed_owner = 2,
	passed_ifname = 4,
};

struct subject {
	struct flow flow;
	const struct sock *sk;	      /* whose cgroup counts; NULL: none */
	struct owner owner;	      /* zeros: unknown */
	__u64 cookie;		      /* 0: unknown */
	__u64 mptcp_cookie;	      /* of the MPTCP connection that it belongs to; 0: none */
	const struct net_device *dev; /* that received or sends the packet; NULL: none */
	const struct filter *filter;  /* in force when the program began */
	__u64 undecided; /* halves of filters that cannot be answered yet: they refuse */
	/* enum passed, as bits; eight bytes, so that the verifier tracks the value on the stack */
	__u64 passed;
};

/* A subject of which nothing is known yet. */
static __always_inline void subject_init(struct subject *s)
{
	*s = (struct subject){ .filter = filter_in_force() };
}

static __always_inline void subject_set_cookies(struct subject *s, struct sock *sk)
{
	s->cookie = socket_cookie(sk);
	s->mptcp_cookie = mptcp_cookie(sk);
}

/* The subject is this TCP socket. `egress`: the local end is the source. */
static __always_inline void subject_set_sock(struct subject *s, struct sock *sk, const bool egress,
					     const bool typed)
{
	const struct sock_common *skc = &sk->__sk_common;

	s->sk = sk;
	flow_of_sock(&s->flow, skc, sock_is_ipv6(skc, typed), egress, typed);
	owner_of_sock(sk, &s->owner);
	subject_set_cookies(s, sk);
}

static __always_inline void subject_of_sock(struct subject *s, struct sock *sk, const bool egress,
					    const bool typed)
{
	subject_init(s);
	subject_set_sock(s, sk, egress, typed);
}

/* The same in a raw tracepoint, where helpers cannot reach what is kept with a socket. */
static __always_inline void subject_of_raw_sock(struct subject *s, const struct sock *sk,
						const bool egress)
{
	const struct sock_common *skc = &sk->__sk_common;

	subject_init(s);
	s->sk = sk;
	flow_of_sock(&s->flow, skc, sock_is_ipv6(skc, false), egress, false);
	s->cookie = cookie_read(sk);
	s->mptcp_cookie = mptcp_cookie_read(sk, false);
}

static __always_inline bool subject_flow_passes(struct subject *s)
{
	if (!(s->passed & passed_flow) && !flow_passes(s->filter, &s->flow, s->sk))
		return false;
	s->passed |= passed_flow;
	return true;
}

/* The same before the flow has been read: without a filter, it need not be. */
static __always_inline bool subject_sock_passes(struct subject *s, const struct sock *sk,
						const bool egress, const bool typed)
{
	const struct sock_common *skc = &sk->__sk_common;

	if (filter_asks(s->filter, ~0U)) {
		flow_of_sock(&s->flow, skc, sock_is_ipv6(skc, typed), egress, typed);
		if (!flow_passes(s->filter, &s->flow, sk))
			return false;
	}
	s->passed |= passed_flow;
	return true;
}

static __always_inline bool subject_owner_passes(struct subject *s)
{
	if (!(s->passed & passed_owner) && !owner_passes(s->filter, &s->owner))
		return false;
	s->passed |= passed_owner;
	return true;
}

static __always_inline bool subject_ifname_passes(struct subject *s)
{
	if (!(s->passed & passed_ifname) && !ifname_passes(s->filter, s->dev))
		return false;
	s->passed |= passed_ifname;
	return true;
}

static __always_inline bool subject_is_undecided(const struct subject *s)
{
	return s->undecided && filter_asks(s->filter, s->undecided);
}

static __always_inline bool subject_passes(struct subject *s)
{
	return !subject_is_undecided(s) && subject_flow_passes(s) && subject_ifname_passes(s) &&
	       subject_owner_passes(s);
}

/* The outputs whose own filters refuse the subject: see filter.h. */
static __always_inline __u32 subject_refusing(const struct subject *s,
					      const struct filter_takers *t)
{
	const __u32 generation = s->filter->generation;
	union filter_name ifname = {};

	if (t->asked & FILTER_BITS(filter_ifname) && s->dev)
		bpf_probe_read_kernel_str(ifname.text, sizeof(ifname.text), s->dev->name);
	return filter_refusing(t, generation, &s->flow, s->owner.pid,
			       (const union filter_name *)s->owner.comm, &ifname) |
	       filter_ask_cgroups(generation, s->sk ? (__u64)sock_cgroup(s->sk) : 0) |
	       (s->undecided ? filter_asking(t, s->undecided) : 0);
}

/*
 * The outputs that take an event of this type, as the word in its record's header; 0: none. Outputs
 * without filters of their own are left to user space.
 */
static __always_inline __u32 subject_takers(const struct subject *s, __u16 type)
{
	const struct filter_takers *t;
	__u32 generation, taking;

	if (config.no_output_filters)
		return FILTER_TAKERS(0, (1U << FILTER_OUTPUTS) - 1);
	generation = s->filter->generation;
	t = &takers[generation & 1];
	taking = t->of[type];
	if (t->asked)
		taking &= ~subject_refusing(s, t);
	return taking ? FILTER_TAKERS(generation, taking) : 0;
}

static __always_inline void *event_begin_type(__u16 type, __u64 size, struct subject *s,
					      const bool typed)
{
	struct event *e;
	__u32 taken;

	if (!event_wanted(type) || !subject_passes(s))
		return NULL;
	taken = subject_takers(s, type);
	if (!taken)
		return NULL;
	e = event_reserve(type, size, &s->flow);
	if (!e)
		return NULL;
	e->header.takers = taken;
	event_set_flow(e, &s->flow);
	event_set_owner(e, &s->owner);
	if (s->sk)
		event_set_cgroup(e, s->sk, typed);
	if (s->cookie)
		SET(e, sock_cookie, s->cookie);
	if (s->mptcp_cookie)
		SET(e, mptcp_cookie, s->mptcp_cookie);
	return e;
}

/*
 * A record of the subject in the ring, with the common fields; event_submit() hands it over. NULL
 * if there is to be none: the event is not wanted, a filter refuses it, no output takes it, it is
 * sampled out, or the ring is full. The last two are counted. `typed`: see READ().
 */
#define event_begin(name, subject, typed) \
	((struct name *)event_begin_type(event_##name, sizeof(struct name), subject, typed))

/*
 * Count events as produced and lost that never became records, because the kernel ran no program or
 * too little is known, if they would have been wanted.
 */
static __always_inline void event_missed_type(__u16 type, __u64 count, struct subject *s)
{
	if (!event_wanted(type) || !subject_passes(s) || !subject_takers(s, type) ||
	    flow_sampled_out(type, &s->flow, count))
		return;
	__sync_fetch_and_add(&cpu_counters()->produced[type], count);
	__sync_fetch_and_add(&cpu_counters()->missed[type], count);
}
#define event_missed(name, count, subject) event_missed_type(event_##name, count, subject)

#endif
