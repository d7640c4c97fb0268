/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter.h - which flows are wanted: what user space sets, and what the kernel side asks of it.
 *
 * Included by both sides, so that a test can hold the kernel side's answers against its own. What
 * needs the kernel's memory (a socket's cgroup) is in filter.bpf.h.
 *
 * Each filter has two halves: what is let through, and its not- twin, what is left out. Values of
 * one half are alternatives; different filters must all agree. What an event does not have (0, "")
 * is in no list: it does not pass the one half, and passes the other.
 *
 * A half is a bit. Lists are gone through once, for all their halves: each value that matches adds
 * its half's bit, and at the end bits are compared. A loop without branches costs the verifier as
 * many instructions as it has, while one for each half, with an early end, has it look at all ways
 * through all of them: 5.10 gives up.
 *
 * Besides, one connection may be left out, before all else: both ends together, in both directions,
 * which lists of alternatives cannot say.
 */
#ifndef NETLOG_FILTER_BPF_H
#define NETLOG_FILTER_BPF_H

#include "flow.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifdef __bpf__
#include "kernel.h"
#define FILTER_CALL static __attribute__((noinline)) /* one copy of each loop in a program */
#else
#include <netinet/in.h> /* IPPROTO_TCP */
#define FILTER_CALL static inline
#endif

/*
 * F(filter, option, syntax, metavar, help): how values are written is take_<syntax>() in
 * src/filter.c. The order is also that of --help.
 */
#define FILTERS(F)                                                                       \
	F(addr, "addr", networks, "LIST", "either end's, as 10.0.0.0/8,fd00::/8")        \
	F(src_addr, "src-addr", networks, "LIST", "the source's")                        \
	F(dest_addr, "dest-addr", networks, "LIST", "the destination's")                 \
	F(port, "port", ports, "LIST", "either end's, as 80,443,8000-8100")              \
	F(src_port, "src-port", ports, "LIST", "the source's")                           \
	F(dest_port, "dest-port", ports, "LIST", "the destination's")                    \
	F(proto, "proto", protocols, "LIST", "protocol, as tcp,udp")                     \
	F(pid, "pid", pids, "LIST", "process that owns the socket, where known")         \
	F(comm, "comm", comm, "NAME", "its name")                                        \
	F(cgroup, "cgroup", cgroup, "PATH", "cgroup of the socket, or above it")         \
	F(unit, "unit", unit, "NAME", "systemd unit of the socket, as nginx.service")    \
	F(netns, "netns", namespaces, "LIST", "network namespace: name, number or path") \
	F(ifname, "ifname", interfaces, "LIST", "interface, which only latency has")

#define FILTER_ENUM(filter, option, syntax, metavar, help) filter_##filter,
enum filter_kind { FILTERS(FILTER_ENUM) filter_kinds };

#define FILTER_BIT(kind, not ) (1U << (2 * (kind) + (not )))
#define FILTER_BITS(kind) (FILTER_BIT(kind, 0) | FILTER_BIT(kind, 1))
#define FILTER_TWINS 0xaaaaaaaaU /* all halves that leave out */

#define FILTER_CONNECTION (1U << 31) /* active: a connection is left out. No half's bit */

#define FILTER_OF_PORTS \
	(FILTER_BITS(filter_port) | FILTER_BITS(filter_src_port) | FILTER_BITS(filter_dest_port))
#define FILTER_OF_ADDRESSES \
	(FILTER_BITS(filter_addr) | FILTER_BITS(filter_src_addr) | FILTER_BITS(filter_dest_addr))
#define FILTER_OF_CGROUPS (FILTER_BITS(filter_cgroup) | FILTER_BITS(filter_unit))
#define FILTER_OF_OWNER (FILTER_BITS(filter_pid) | FILTER_BITS(filter_comm))

/* Places in each list, for both halves of all filters that use it. */
#define FILTER_NETWORKS 64
#define FILTER_CGROUPS 32
#define FILTER_LEVEL_MAX 255 /* of a cgroup, below the root; all bits set */
#define FILTER_NUMBERS 32
#define FILTER_NAMES 32
#define FILTER_PORTS 65536

struct filter_network {
	struct ip_address address;
	struct ip_address mask; /* the address has no bits outside of it */
	__u32 ip_version;
	__u32 src_bits;	 /* halves that ask it of the source */
	__u32 dest_bits; /* halves that ask it of the destination */
} __attribute__((aligned(8)));

struct filter_ports {
	__u32 bits[FILTER_PORTS / 32];
};

struct filter_numbers {
	__u32 count;
	struct filter_number {
		__u32 number;
		__u32 bits; /* of halves */
	} of[FILTER_NUMBERS];
};

/* Up to 15 bytes and zeros: a thread's or an interface's. Words, since these compare quickly. */
union filter_name {
	char text[16];
	__u64 words[2];
};

struct filter_names {
	__u32 count;
	struct filter_named {
		union filter_name name;
		__u32 bits;
	} of[FILTER_NAMES];
};

struct filter_cgroup {
	__u64 id;
	__u32 level; /* the root's is 0 */
	__u32 bits;
};

/* A TCP connection, in no order of its ends. */
struct filter_connection {
	struct ip_address addresses[2];
	__u32 ip_version;
	__u16 ports[2];
} __attribute__((aligned(8)));

struct filter {
	__u32 active; /* bits of what is set; 0: everything is wanted */
	__u32 network_count;
	__u32 cgroup_count;
	__u64 protocols[2]; /* of each half, as bits by their number, which is below 64 */
	struct filter_network networks[FILTER_NETWORKS];
	struct filter_cgroup cgroups[FILTER_CGROUPS];
	struct filter_numbers pids;
	struct filter_numbers namespaces;
	struct filter_names comms;
	struct filter_names ifnames;
	struct filter_ports ports[3][2]; /* either end's, the source's, the destination's */
	struct filter_connection excluded;
};

/* Of those halves, do all that let through have a match, and none that leave out? */
static __always_inline bool filter_agrees(__u32 halves, __u32 matched)
{
	return !((halves & ~matched & ~FILTER_TWINS) | (halves & matched & FILTER_TWINS));
}

/* All ones if the number is 0, else 0; without a branch. */
static __always_inline __u64 filter_if_zero(__u64 number)
{
	return 0 - ((~number & (number - 1)) >> 63);
}

/* Half an address. It is aligned. */
typedef __u64 __attribute__((may_alias)) filter_word;

static __always_inline __u64 filter_differs(const struct filter_network *net,
					    const struct ip_address *address)
{
	const filter_word *wanted = (const filter_word *)&net->address;
	const filter_word *mask = (const filter_word *)&net->mask;
	const filter_word *words = (const filter_word *)address;

	return ((wanted[0] ^ words[0]) & mask[0]) | ((wanted[1] ^ words[1]) & mask[1]);
}

FILTER_CALL __u32 filter_match_addresses(const struct filter *f, const struct flow *flow)
{
	__u64 matched = 0;

	for (__u32 i = 0; i < FILTER_NETWORKS && i < f->network_count; i++) {
		const struct filter_network *net = &f->networks[i];
		__u64 other = net->ip_version ^ flow->ip_version;

		matched |= filter_if_zero(other | filter_differs(net, &flow->src)) & net->src_bits;
		matched |=
			filter_if_zero(other | filter_differs(net, &flow->dest)) & net->dest_bits;
	}
	return matched;
}

FILTER_CALL __u32 filter_match_number(const struct filter_numbers *list, __u32 number)
{
	__u64 matched = 0;

	for (__u32 i = 0; i < FILTER_NUMBERS && i < list->count; i++)
		matched |= filter_if_zero(list->of[i].number ^ number) & list->of[i].bits;
	return matched;
}

FILTER_CALL __u32 filter_match_name(const struct filter_names *list, const union filter_name *name)
{
	__u64 matched = 0;

	for (__u32 i = 0; i < FILTER_NAMES && i < list->count; i++)
		matched |= filter_if_zero((list->of[i].name.words[0] ^ name->words[0]) |
					  (list->of[i].name.words[1] ^ name->words[1])) &
			   list->of[i].bits;
	return matched;
}

static __always_inline bool filter_has_port(const struct filter_ports *list, __u16 port)
{
	return list->bits[port / 32] >> port % 32 & 1;
}

/* Is a port among those of the half? One that is not set cannot be asked for. */
#define FILTER_PORTS_REFUSE(f, kind, has)                                                   \
	(((f)->active & FILTER_BIT(kind, 0) && !has(&(f)->ports[kind - filter_port][0])) || \
	 ((f)->active & FILTER_BIT(kind, 1) && has(&(f)->ports[kind - filter_port][1])))

static __always_inline bool filter_takes_ports(const struct filter *f, const struct flow *flow)
{
#define HAS_SRC(list) filter_has_port(list, flow->src_port)
#define HAS_DEST(list) filter_has_port(list, flow->dest_port)
#define HAS_EITHER(list) (HAS_SRC(list) || HAS_DEST(list))
	return !FILTER_PORTS_REFUSE(f, filter_port, HAS_EITHER) &&
	       !FILTER_PORTS_REFUSE(f, filter_src_port, HAS_SRC) &&
	       !FILTER_PORTS_REFUSE(f, filter_dest_port, HAS_DEST);
#undef HAS_SRC
#undef HAS_DEST
#undef HAS_EITHER
}

static __always_inline __u32 filter_match_proto(const struct filter *f, __u8 proto)
{
	if (proto >= 64)
		return 0;
	return (f->protocols[0] >> proto & 1) << 2 * filter_proto |
	       (f->protocols[1] >> proto & 1) << (2 * filter_proto + 1);
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

/* What is looked at first is what costs least. */
static __always_inline bool filter_takes_flow(const struct filter *f, const struct flow *flow)
{
	__u32 active = f->active;

	if (active & FILTER_CONNECTION && filter_is_excluded(&f->excluded, flow))
		return false;
	if (active & FILTER_OF_PORTS && !filter_takes_ports(f, flow))
		return false;
	if (active & FILTER_BITS(filter_proto) &&
	    !filter_agrees(active & FILTER_BITS(filter_proto), filter_match_proto(f, flow->proto)))
		return false;
	if (active & FILTER_OF_ADDRESSES &&
	    !filter_agrees(active & FILTER_OF_ADDRESSES, filter_match_addresses(f, flow)))
		return false;
	return !(active & FILTER_BITS(filter_netns)) ||
	       filter_agrees(active & FILTER_BITS(filter_netns),
			     filter_match_number(&f->namespaces, flow->netns));
}

/* pid 0 and a name of zeros: not known. */
static __always_inline bool filter_takes_owner(const struct filter *f, __u32 pid,
					       const union filter_name *comm)
{
	return !(f->active & FILTER_OF_OWNER) ||
	       filter_agrees(f->active & FILTER_OF_OWNER,
			     filter_match_number(&f->pids, pid) |
				     filter_match_name(&f->comms, comm));
}

/* A name of zeros: there is none. */
static __always_inline bool filter_takes_ifname(const struct filter *f,
						const union filter_name *ifname)
{
	return !(f->active & FILTER_BITS(filter_ifname)) ||
	       filter_agrees(f->active & FILTER_BITS(filter_ifname),
			     filter_match_name(&f->ifnames, ifname));
}

#endif
