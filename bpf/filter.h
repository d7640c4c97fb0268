/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter.h - which flows are wanted: what user space sets, and the kernel side asks.
 *
 * Included by both sides.
 *
 * Each filter has two halves: the values let through, and its not- twin, the values left out. The
 * values of one half are alternatives; different filters must all agree. Something that an event
 * does not have (0, "") is in no list, so it fails the first half and passes the twin.
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
 * F(filter, option, syntax, metavar, help): take_<syntax>() in src/filter parses the values. Rows
 * are in the order of --help.
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
#define FILTER_TWINS 0xaaaaaaaaU /* the halves that leave out, of all filters */

#define FILTER_CONNECTION (1U << 31) /* in `active`: a connection is excluded. Not a half's bit */

_Static_assert(2 * filter_kinds <= 31,
	       "a filter too many: two halves each, and the connection, are bits of a u32");

#define FILTER_OF_PORTS \
	(FILTER_BITS(filter_port) | FILTER_BITS(filter_src_port) | FILTER_BITS(filter_dest_port))
#define FILTER_OF_ADDRESSES \
	(FILTER_BITS(filter_addr) | FILTER_BITS(filter_src_addr) | FILTER_BITS(filter_dest_addr))
#define FILTER_OF_CGROUPS (FILTER_BITS(filter_cgroup) | FILTER_BITS(filter_unit))
#define FILTER_OF_OWNER (FILTER_BITS(filter_pid) | FILTER_BITS(filter_comm))
/* Halves that cannot be answered before a packet has met its socket; they refuse, both of them. */
#define FILTER_BEFORE_SOCKET (FILTER_OF_OWNER | FILTER_OF_CGROUPS)

/* Halves that ignore the source, and halves that ignore the destination. */
#define FILTER_NOT_OF_SRC (FILTER_BITS(filter_dest_addr) | FILTER_BITS(filter_dest_port))
#define FILTER_NOT_OF_DEST (FILTER_BITS(filter_src_addr) | FILTER_BITS(filter_src_port))

/* Room in each list, shared by both halves of all filters that use it. */
#define FILTER_NETWORKS 127
#define FILTER_CGROUPS 32
#define FILTER_LEVEL_MAX 255 /* deepest level of a cgroup, the root being 0; all bits set */
#define FILTER_NUMBERS 32
#define FILTER_NAMES 32
#define FILTER_PORTS 65536

/* Two for each network, where it begins and where it has ended, and one more. A power of two. */
#define FILTER_SEGMENTS 256
#define FILTER_SEGMENTS_FEW 16 /* if all fit these, only these are searched */

/*
 * An address as a number of 131 bits, the IP version and then the bytes as in the record. It is
 * split into three parts, highest first, short enough that the difference of two parts keeps its
 * sign.
 */
struct filter_address {
	__s64 parts[3];
};
#define FILTER_PART_HIGH 43 /* bits, besides the version */
#define FILTER_PART_MIDDLE 43
#define FILTER_PART_LOW 42
_Static_assert(FILTER_PART_HIGH + FILTER_PART_MIDDLE + FILTER_PART_LOW == 128, "an address");

/*
 * All addresses of a family, cut into segments. A segment goes from its first address to the one
 * before the next segment. The first segment begins at 0; unused places at the end repeat the last.
 * Most packets are IPv4, whose addresses fit one word: searching these costs half.
 */
struct filter_segment {
	struct filter_address first;
	__u64 bits; /* of halves of addresses */
};

struct filter_segment_ipv4 {
	__u32 first; /* in host byte order */
	__u32 bits;
};

/* The bits of the halves of ports, shifted down, fit a byte. */
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

/* Up to 15 bytes and zeros: the name of a thread or an interface. Words are quicker to compare. */
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

/* A TCP connection; the ends are in no particular order. */
struct filter_connection {
	struct ip_address addresses[2];
	__u32 ip_version;
	__u16 ports[2];
} __attribute__((aligned(8)));

struct filter {
	__u32 active;	  /* bits of the halves that are set; 0: everything is wanted */
	__u32 generation; /* counts changes; the last bit tells the two copies apart */
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
 * An output may have filters of its own, besides those for all. An event is made if at least one
 * output takes it, and its record has a bit for each output that does.
 */
#define FILTER_OUTPUTS 8

/* The word in a record's header: the takers, and the generation of the filters that were asked. */
#define FILTER_TAKERS(generation, takers) ((generation) << FILTER_OUTPUTS | (takers))

struct filter_takers {
	__u32 of[event_types];	    /* outputs that want this event type, as bits */
	__u32 asked;		    /* halves that some output's filter asks about */
	__u32 asks[FILTER_OUTPUTS]; /* the same for each output; 0: it takes all */
	__u32 none;		    /* 0, which the verifier does not know: FILTER_REFUSING */
};

#endif
