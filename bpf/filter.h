/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter.h - which flows are wanted: what user space sets, and what the kernel side asks of it.
 *
 * Included by both sides.
 *
 * Each filter has two halves: what is let through, and its not- twin, what is left out. Values of
 * one half are alternatives; different filters must all agree. What an event does not have (0, "")
 * is in no list: it does not pass the one half, and passes the other.
 *
 * A half is a bit. How the halves are asked is in filter_match.h.
 *
 * Besides, one connection may be left out, before all else: both ends together, in both directions,
 * which lists of alternatives cannot say.
 */
#ifndef NETLOG_FILTER_BPF_H
#define NETLOG_FILTER_BPF_H

#include "flow.h"

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
	F(proto, "proto", protocols, "LIST", "protocol, as tcp,sctp,47")                 \
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

_Static_assert(2 * filter_kinds <= 31,
	       "a filter too many: two halves each, and the connection, are bits of a u32");

#define FILTER_OF_PORTS \
	(FILTER_BITS(filter_port) | FILTER_BITS(filter_src_port) | FILTER_BITS(filter_dest_port))
#define FILTER_OF_ADDRESSES \
	(FILTER_BITS(filter_addr) | FILTER_BITS(filter_src_addr) | FILTER_BITS(filter_dest_addr))
#define FILTER_OF_CGROUPS (FILTER_BITS(filter_cgroup) | FILTER_BITS(filter_unit))
#define FILTER_OF_OWNER (FILTER_BITS(filter_pid) | FILTER_BITS(filter_comm))

/* Halves that ask nothing of the source, and those that ask nothing of the destination. */
#define FILTER_NOT_OF_SRC (FILTER_BITS(filter_dest_addr) | FILTER_BITS(filter_dest_port))
#define FILTER_NOT_OF_DEST (FILTER_BITS(filter_src_addr) | FILTER_BITS(filter_src_port))

/* Places in each list, for both halves of all filters that use it. */
#define FILTER_NETWORKS 127
#define FILTER_CGROUPS 32
#define FILTER_LEVEL_MAX 255 /* of a cgroup, below the root; all bits set */
#define FILTER_NUMBERS 32
#define FILTER_NAMES 32
#define FILTER_PORTS 65536

/* One more than two for each network: where it begins, and where it has ended. A power of two. */
#define FILTER_SEGMENTS 256
#define FILTER_SEGMENTS_FEW 16 /* of a short list: the rest is not looked at; likewise */

/*
 * An address as a number of 131 bits: IP's version, and then the bytes as the record has them. In
 * three parts, the highest first, so short that differences of parts keep their sign.
 */
struct filter_address {
	__s64 parts[3];
};
#define FILTER_PART_HIGH 43 /* bits, besides the version */
#define FILTER_PART_MIDDLE 43
#define FILTER_PART_LOW 42
_Static_assert(FILTER_PART_HIGH + FILTER_PART_MIDDLE + FILTER_PART_LOW == 128, "an address");

/*
 * All addresses of a family, cut: a segment goes from its first address to the one before the next
 * segment's. The first one begins with 0; unused places at the end repeat the last. Most packets
 * are IPv4's, whose numbers fit a word: that costs half.
 */
struct filter_segment {
	struct filter_address first;
	__u64 bits; /* of halves of addresses */
};

struct filter_segment_ipv4 {
	__u32 first; /* in host byte order */
	__u32 bits;
};

/* The bits of halves of ports, shifted, fit a byte. */
#define FILTER_PORTS_SHIFT (2 * filter_port)
_Static_assert(!(FILTER_OF_PORTS & ~(0xffU << FILTER_PORTS_SHIFT)),
	       "the filters of ports are not in a row: a port has one byte for their halves");

/* Those of protocols do, too. */
#define FILTER_PROTO_SHIFT (2 * filter_proto)
#define FILTER_PROTO_UNKNOWN 256
#define FILTER_PROTOS 512

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
	__u32 active;	  /* bits of what is set; 0: everything is wanted */
	__u32 generation; /* counts changes; the last bit says which of the two copies this is */
	__u32 ipv4_count;
	__u32 ipv6_count;
	__u32 cgroup_count;
	struct filter_segment_ipv4 ipv4[FILTER_SEGMENTS];
	struct filter_segment ipv6[FILTER_SEGMENTS];
	struct filter_cgroup cgroups[FILTER_CGROUPS];
	struct filter_numbers pids;
	struct filter_numbers namespaces;
	struct filter_names comms;
	struct filter_names ifnames;
	__u8 ports[FILTER_PORTS];      /* bits of halves of ports, shifted */
	__u8 protocols[FILTER_PROTOS]; /* likewise; none of FILTER_PROTO_UNKNOWN */
	struct filter_connection excluded;
};

/* ---- filters of outputs ---- */

/*
 * An output may have filters of its own, besides those for all. An event is made if one output at
 * least takes it, and its record says which do: an output is a bit.
 *
 * Nine filters one after the other would be nine times as many ways through the code. So it is not
 * asked what an output says of the event, but of each question which outputs say no: the answers
 * are put together without a branch.
 */
#define FILTER_OUTPUTS 8

/* The word of a record's header: who takes it, and by the filters of which generation. */
#define FILTER_TAKERS(generation, takers) ((generation) << FILTER_OUTPUTS | (takers))

struct filter_takers {
	__u32 of[event_types];	    /* outputs that have events of this type, as bits */
	__u32 asked;		    /* halves that any output's filter asks */
	__u32 asks[FILTER_OUTPUTS]; /* those of each; 0: it takes all */
};

#endif
