/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter_match.h - what a filter (filter.h) makes of a flow, an owner and an interface.
 *
 * Included by both sides, so that a test can hold the kernel side's answers against its own, and a
 * replay asks the same. What needs the kernel's memory (a socket's cgroup) is in filter.bpf.h.
 *
 * A half is a bit. What is asked is never "is it in this list?" but "in the lists of which halves
 * is it?": one look for all of them, whose bits are compared at the end. For ports and addresses it
 * is the same look however long the lists are: each port has a byte with its halves' bits, and user
 * space cuts all addresses into segments at the ends of the networks given, so that each address
 * lies in exactly one, which has such bits, too, and is found by halving. Lists of names, numbers
 * and cgroups are short, and gone through.
 *
 * A look has no branch that depends on what it meets: it costs the verifier as many instructions as
 * it has, while branches have it look at all ways through all of them: 5.10 gives up. Nor can a CPU
 * mispredict what is not there.
 */
#ifndef NETLOG_FILTER_MATCH_H
#define NETLOG_FILTER_MATCH_H

#include "filter.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifdef __bpf__
#include "kernel.h"
#define FILTER_UNROLL _Pragma("unroll")
#else
#include <netinet/in.h> /* IPPROTO_TCP */
#define FILTER_UNROLL
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FILTER_NTOH(bits, number) __builtin_bswap##bits(number)
#else
#define FILTER_NTOH(bits, number) (number)
#endif

/* 0 if filter_agrees(), else 1; without a branch. */
static __always_inline __u32 filter_refuses(__u32 halves, __u32 matched)
{
	__u32 refusing = (halves & ~matched & ~FILTER_TWINS) | (halves & matched & FILTER_TWINS);

	return (refusing | -refusing) >> 31;
}

/* Of those halves, do all that let through have a match, and none that leave out? */
static __always_inline bool filter_agrees(__u32 halves, __u32 matched)
{
	return !filter_refuses(halves, matched);
}

/* All ones if the number is 0, else 0; without a branch. */
static __always_inline __u64 filter_if_zero(__u64 number)
{
	return 0 - ((~number & (number - 1)) >> 63);
}

/* Half an address. It is aligned. */
typedef __u64 __attribute__((may_alias)) filter_word;

static __always_inline struct filter_address filter_address_from(__u64 ip_version, __u64 word0,
								 __u64 word1)
{
	__u64 high = FILTER_NTOH(64, word0), low = FILTER_NTOH(64, word1);
	const int rest = 64 - FILTER_PART_HIGH; /* of the high word, in the middle part */

	return (struct filter_address){ {
		(__s64)(ip_version << FILTER_PART_HIGH | high >> rest),
		(__s64)((high & ((1ULL << rest) - 1)) << (64 - FILTER_PART_LOW) |
			low >> FILTER_PART_LOW),
		(__s64)(low & ((1ULL << FILTER_PART_LOW) - 1)),
	} };
}

static __always_inline struct filter_address filter_address_of(__u64 ip_version,
							       const struct ip_address *address)
{
	const filter_word *words = (const filter_word *)address;

	return filter_address_from(ip_version, words[0], words[1]);
}

/* -1 if it is negative, else 0. Hidden from clang, which would make it a branch. */
static __always_inline __s64 filter_sign(__s64 number)
{
	__asm__("" : "+r"(number));
	return number >> 63;
}

/*
 * `sign` is all ones if the segment that lies `step` further on begins at the address or before it.
 * Then we move on to it, by so many bytes; else by none.
 */
#define FILTER_STEP(segment, step, sign) ((sign) & (__s64)((step) * sizeof(*(segment))))

/*
 * A binary search without branches for the last segment that begins at the address or before it:
 * 2 * `from` segments are halved until 2 * `to` are left.
 */
static __always_inline const struct filter_segment_ipv4 *filter_halve_ipv4(
	const struct filter_segment_ipv4 *segment, __s64 address, const __u32 from, const __u32 to)
{
	FILTER_UNROLL
	for (__u32 step = from; step > to; step /= 2) {
		__s64 sign = filter_sign(segment[step].first - (address + 1));

		segment = (const void *)((const char *)segment + FILTER_STEP(segment, step, sign));
	}
	return segment;
}

static __always_inline const struct filter_segment *
filter_halve_ipv6(const struct filter_segment *segment, const struct filter_address *address,
		  const __u32 from, const __u32 to)
{
	FILTER_UNROLL
	for (__u32 step = from; step > to; step /= 2) {
		const __s64 *parts = segment[step].first.parts;
		__s64 sign = filter_sign(parts[2] - (address->parts[2] + 1));

		sign = filter_sign(parts[1] - address->parts[1] + sign);
		sign = filter_sign(parts[0] - address->parts[0] + sign);
		segment = (const void *)((const char *)segment + FILTER_STEP(segment, step, sign));
	}
	return segment;
}

/* The bits of the address's segment: most of a long list's first, the rest in any case. */
#define FILTER_FIND(segments, count, halve, address)                             \
	({                                                                       \
		typeof(&(segments)[0]) segment_ = segments;                      \
		if ((count) > FILTER_SEGMENTS_FEW)                               \
			segment_ = halve(segment_, address, FILTER_SEGMENTS / 2, \
					 FILTER_SEGMENTS_FEW / 2);               \
		halve(segment_, address, FILTER_SEGMENTS_FEW / 2, 0)->bits;      \
	})

static __always_inline __u32 filter_in_ipv4(const struct filter *f, __u32 ip)
{
	return FILTER_FIND(f->ipv4, f->ipv4_count, filter_halve_ipv4, FILTER_NTOH(32, ip));
}

/* `words` are the halves of the address, as it stands in memory. */
static __always_inline __u32 filter_in_ipv6(const struct filter *f, __u64 word0, __u64 word1)
{
	struct filter_address address = filter_address_from(6, word0, word1);

	return FILTER_FIND(f->ipv6, f->ipv6_count, filter_halve_ipv6, &address);
}

static __always_inline __u32 filter_in_ports(const struct filter *f, __u32 port)
{
	return (__u32)f->ports[port & (FILTER_PORTS - 1)] << FILTER_PORTS_SHIFT;
}

static __always_inline __u32 filter_in_numbers(const struct filter_numbers *list, __u32 number)
{
	__u64 matched = 0;

	for (__u32 i = 0; i < FILTER_NUMBERS && i < list->count; i++)
		matched |= filter_if_zero(list->of[i].number ^ number) & list->of[i].bits;
	return matched;
}

static __always_inline __u32 filter_in_pids(const struct filter *f, __u32 pid)
{
	return filter_in_numbers(&f->pids, pid);
}

static __always_inline __u32 filter_in_namespaces(const struct filter *f, __u32 netns)
{
	return filter_in_numbers(&f->namespaces, netns);
}

static __always_inline __u32 filter_in_names(const struct filter_names *list, __u64 word0,
					     __u64 word1)
{
	__u64 matched = 0;

	for (__u32 i = 0; i < FILTER_NAMES && i < list->count; i++)
		matched |= filter_if_zero((list->of[i].name.words[0] ^ word0) |
					  (list->of[i].name.words[1] ^ word1)) &
			   list->of[i].bits;
	return matched;
}

static __always_inline __u32 filter_in_comms(const struct filter *f, __u64 word0, __u64 word1)
{
	return filter_in_names(&f->comms, word0, word1);
}

static __always_inline __u32 filter_in_ifnames(const struct filter *f, __u64 word0, __u64 word1)
{
	return filter_in_names(&f->ifnames, word0, word1);
}

/*
 * The looks that go through memory, L(name, parameters, arguments). On the kernel side these are
 * functions that the verifier checks by themselves and once, whatever their callers know; before
 * Linux 6.12 it would else go through each again for each way that leads there: 5.10 gives up, and
 * 6.1 takes seconds. Such functions take numbers only.
 */
#define FILTER_LOOKS(L)                                                      \
	L(ipv4, (__u32 generation, __u32 ip), ip)                            \
	L(ipv6, (__u32 generation, __u64 word0, __u64 word1), word0, word1)  \
	L(ports, (__u32 generation, __u32 port), port)                       \
	L(pids, (__u32 generation, __u32 pid), pid)                          \
	L(namespaces, (__u32 generation, __u32 netns), netns)                \
	L(comms, (__u32 generation, __u64 word0, __u64 word1), word0, word1) \
	L(ifnames, (__u32 generation, __u64 word0, __u64 word1), word0, word1)

#ifdef __bpf__
#define FILTER_LOOK_DECLARE(name, parameters, ...) __u32 filter_look_##name parameters;
FILTER_LOOKS(FILTER_LOOK_DECLARE)
#define FILTER_LOOK(name, f, ...) filter_look_##name((f)->generation, __VA_ARGS__)
#else
#define FILTER_LOOK(name, f, ...) filter_in_##name(f, __VA_ARGS__)
#endif

/* What is found of each end, as far as it is asked of that end. */
static __always_inline __u32 filter_match_ends(__u32 src, __u32 dest)
{
	return (src & ~FILTER_NOT_OF_SRC) | (dest & ~FILTER_NOT_OF_DEST);
}

static __always_inline __u32 filter_match_addresses(const struct filter *f, const struct flow *flow)
{
	const filter_word *src = (const filter_word *)&flow->src;
	const filter_word *dest = (const filter_word *)&flow->dest;

	if (flow->ip_version == 4)
		return filter_match_ends(FILTER_LOOK(ipv4, f, flow->src.words[0]),
					 FILTER_LOOK(ipv4, f, flow->dest.words[0]));
	if (flow->ip_version == 6)
		return filter_match_ends(FILTER_LOOK(ipv6, f, src[0], src[1]),
					 FILTER_LOOK(ipv6, f, dest[0], dest[1]));
	return 0;
}

static __always_inline __u32 filter_match_ports(const struct filter *f, const struct flow *flow)
{
	return filter_match_ends(FILTER_LOOK(ports, f, flow->src_port),
				 FILTER_LOOK(ports, f, flow->dest_port));
}

static __always_inline __u32 filter_proto_of(const struct flow *flow)
{
	return flow->ip_version && !flow->proto_hidden ? flow->proto : FILTER_PROTO_UNKNOWN;
}

static __always_inline __u32 filter_match_proto(const struct filter *f, __u32 proto)
{
	return (__u32)f->protocols[proto & (FILTER_PROTOS - 1)] << FILTER_PROTO_SHIFT;
}

static __always_inline __u64 filter_end_differs(const struct filter_connection *connection, int end,
						const struct ip_address *address, __u16 port)
{
	const filter_word *wanted = (const filter_word *)&connection->addresses[end];
	const filter_word *words = (const filter_word *)address;

	return (wanted[0] ^ words[0]) | (wanted[1] ^ words[1]) | (connection->ports[end] ^ port);
}

static __always_inline bool filter_is_excluded(const struct filter_connection *connection,
					       const struct flow *flow)
{
	__u64 other = (connection->ip_version ^ flow->ip_version) | (flow->proto ^ IPPROTO_TCP);
	__u64 there = filter_end_differs(connection, 0, &flow->src, flow->src_port) |
		      filter_end_differs(connection, 1, &flow->dest, flow->dest_port);
	__u64 back = filter_end_differs(connection, 1, &flow->src, flow->src_port) |
		     filter_end_differs(connection, 0, &flow->dest, flow->dest_port);

	return (filter_if_zero(other | there) | filter_if_zero(other | back)) != 0;
}

/* Of these halves, those that are set. */
static __always_inline __u32 filter_active_of(const struct filter *f, __u32 halves)
{
	/* read anew: else the verifier goes through what follows once for each set of such bits */
	return *(const volatile __u32 *)&f->active & halves;
}

/* Does what is asked of these halves refuse? `match` is evaluated only if any is set. */
#define FILTER_REFUSES(f, halves, match)                        \
	({                                                      \
		const __u32 set_ = filter_active_of(f, halves); \
		set_ &&filter_refuses(set_, match);             \
	})

/* What is looked at first is what costs least. */
static __always_inline bool filter_takes_ends(const struct filter *f, const struct flow *flow)
{
	if (filter_active_of(f, FILTER_CONNECTION) && filter_is_excluded(&f->excluded, flow))
		return false;
	return !FILTER_REFUSES(f, FILTER_OF_PORTS, filter_match_ports(f, flow)) &&
	       !FILTER_REFUSES(f, FILTER_BITS(filter_proto),
			       filter_match_proto(f, filter_proto_of(flow))) &&
	       !FILTER_REFUSES(f, FILTER_OF_ADDRESSES, filter_match_addresses(f, flow));
}

static __always_inline bool filter_takes_flow(const struct filter *f, const struct flow *flow)
{
	return filter_takes_ends(f, flow) &&
	       !FILTER_REFUSES(f, FILTER_BITS(filter_netns),
			       FILTER_LOOK(namespaces, f, flow->netns));
}

/* pid 0 and a name of zeros: not known. */
static __always_inline bool filter_takes_owner(const struct filter *f, __u32 pid,
					       const union filter_name *comm)
{
	return !FILTER_REFUSES(f, FILTER_OF_OWNER,
			       FILTER_LOOK(pids, f, pid) |
				       FILTER_LOOK(comms, f, comm->words[0], comm->words[1]));
}

/* A name of zeros: there is none. */
static __always_inline bool filter_takes_ifname(const struct filter *f,
						const union filter_name *ifname)
{
	return !FILTER_REFUSES(f, FILTER_BITS(filter_ifname),
			       FILTER_LOOK(ifnames, f, ifname->words[0], ifname->words[1]));
}

/*
 * The questions: Q(name, halves, match), what the filter `f` makes of the numbers a to d. On the
 * kernel side each is two functions, one for an output and one for all, for the same reason as the
 * looks above.
 */
#define FILTER_QUESTIONS(Q)                                                                        \
	Q(ports, FILTER_OF_PORTS, filter_match_ends(filter_in_ports(f, a), filter_in_ports(f, b))) \
	Q(proto, FILTER_BITS(filter_proto), filter_match_proto(f, a))                              \
	Q(ipv4, FILTER_OF_ADDRESSES,                                                               \
	  filter_match_ends(filter_in_ipv4(f, a), filter_in_ipv4(f, b)))                           \
	Q(ipv6, FILTER_OF_ADDRESSES,                                                               \
	  filter_match_ends(filter_in_ipv6(f, a, b), filter_in_ipv6(f, c, d)))                     \
	Q(netns, FILTER_BITS(filter_netns), filter_in_namespaces(f, a))                            \
	Q(owner, FILTER_OF_OWNER, filter_in_pids(f, a) | filter_in_comms(f, b, c))                 \
	Q(ifname, FILTER_BITS(filter_ifname), filter_in_ifnames(f, a, b))

/*
 * Which outputs refuse, of all whose filters ask some of these halves? `match`: what the filter of
 * the one that is number `output` makes of it.
 *
 * It begins with a 0 that the verifier of the kernel side does not know: before Linux 5.12, to ask
 * or not to ask makes two sets of values of each output's bit, and 256 of eight.
 */
#define FILTER_REFUSING(t, halves, output, match)                                     \
	({                                                                            \
		__u32 refusing_ = (t)->none;                                          \
		for (__u32 output = 0; output < FILTER_OUTPUTS; output++) {           \
			__u32 asked_ = (t)->asks[output] & (halves);                  \
			if (asked_)                                                   \
				refusing_ |= filter_refuses(asked_, match) << output; \
		}                                                                     \
		refusing_;                                                            \
	})

/* The outputs whose filters ask any of these halves; without a branch, as there are eight of them. */
static __always_inline __u32 filter_asking(const struct filter_takers *t, __u32 halves)
{
	__u32 asking = 0;

	FILTER_UNROLL
	for (__u32 i = 0; i < FILTER_OUTPUTS; i++)
		asking |= (filter_sign(-(__s64)(t->asks[i] & halves)) & 1) << i;
	return asking;
}

#ifdef __bpf__
/* Whose filters are asked: those in force in a generation. */
typedef __u32 filter_outputs;
#define FILTER_QUESTION_DECLARE(name, halves, match) \
	__u32 filter_ask_##name(__u32 generation, __u64 a, __u64 b, __u64 c, __u64 d);
FILTER_QUESTIONS(FILTER_QUESTION_DECLARE)
#define FILTER_ASK(name, t, outputs, ...) filter_ask_##name(outputs, __VA_ARGS__)
#else
/* Those of this array. */
typedef const struct filter *filter_outputs;
#define FILTER_QUESTION_DEFINE(name, halves, match)                                              \
	static inline __u32 filter_match_of_##name(const struct filter *f, __u64 a, __u64 b,     \
						   __u64 c, __u64 d)                             \
	{                                                                                        \
		(void)(a ^ b ^ c ^ d);                                                           \
		return match;                                                                    \
	}                                                                                        \
	static inline __u32 filter_ask_##name(const struct filter_takers *t,                     \
					      filter_outputs outputs, __u64 a, __u64 b, __u64 c, \
					      __u64 d)                                           \
	{                                                                                        \
		return FILTER_REFUSING(t, halves, i,                                             \
				       filter_match_of_##name(&outputs[i], a, b, c, d));         \
	}
FILTER_QUESTIONS(FILTER_QUESTION_DEFINE)
#define FILTER_ASK(name, t, outputs, ...) filter_ask_##name(t, outputs, __VA_ARGS__)
#endif

static __always_inline __u32 filter_refusing_addresses(const struct filter_takers *t,
						       filter_outputs outputs,
						       const struct flow *flow)
{
	const filter_word *src = (const filter_word *)&flow->src;
	const filter_word *dest = (const filter_word *)&flow->dest;

	if (flow->ip_version == 4)
		return FILTER_ASK(ipv4, t, outputs, flow->src.words[0], flow->dest.words[0], 0, 0);
	if (flow->ip_version == 6)
		return FILTER_ASK(ipv6, t, outputs, src[0], src[1], dest[0], dest[1]);
	return filter_asking(t, FILTER_OF_ADDRESSES & ~FILTER_TWINS);
}

/* The outputs whose filters refuse the event. Of what is not known: as above. */
static __always_inline __u32 filter_refusing(const struct filter_takers *t, filter_outputs outputs,
					     const struct flow *flow, __u32 pid,
					     const union filter_name *comm,
					     const union filter_name *ifname)
{
	return FILTER_ASK(ports, t, outputs, flow->src_port, flow->dest_port, 0, 0) |
	       FILTER_ASK(proto, t, outputs, filter_proto_of(flow), 0, 0, 0) |
	       filter_refusing_addresses(t, outputs, flow) |
	       FILTER_ASK(netns, t, outputs, flow->netns, 0, 0, 0) |
	       FILTER_ASK(owner, t, outputs, pid, comm->words[0], comm->words[1], 0) |
	       FILTER_ASK(ifname, t, outputs, ifname->words[0], ifname->words[1], 0, 0);
}

#endif
