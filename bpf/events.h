/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * events.h - the schema: what netlog's records and lines hold.
 *
 * Every field stands here once. The kernel side's structs, the decoder, the JSON line, the JSON
 * Schema, the README's tables and the generic tests all come from these rows, so nothing has to be
 * kept in step by hand. Included by both sides.
 *
 * A record is a header, the common fields, the event's own fields. The header's `has` bitmap says
 * which fields are known: bit i stands for row i, counted from the first common field. Unknown is
 * thus never confused with zero, and an unknown field's key is absent from the line.
 *
 * To add an event: a row in EVENTS, a field table, a hook table (here), and bpf/<event>.bpf.c. Rows
 * in CHOICES and MEASURES give it options of its own.
 */
#ifndef NETLOG_EVENTS_H
#define NETLOG_EVENTS_H

#include <linux/types.h>

#define COMM_BYTES 16	/* TASK_COMM_LEN, include/linux/sched.h */
#define IFNAME_BYTES 16 /* IFNAMSIZ, include/uapi/linux/if.h */

/*
 * Kinds: how the bytes of a field become text. K(kind, C type, nature, text_max, schema): in JSON
 * it is a number or a string, of at most so many bytes, and JSON Schema has this to add. kind_put()
 * of src/schema/kind.h writes it. Enumerations are kinds too, one each, see ENUMS, and so are
 * numbers that have names, see NAMED_KINDS.
 *
 * `id` is a u64 that may pass 2^53, which jq and JavaScript cannot hold: a string. The number of a
 * `named` is never written: the field is its name.
 */
#define KINDS(K)                                                                              \
	K(u8, __u8, number, U64_TEXT_MAX, "\"maximum\":255")                                  \
	K(u16, __u16, number, U64_TEXT_MAX, "\"maximum\":65535")                              \
	K(u32, __u32, number, U64_TEXT_MAX, "\"maximum\":4294967295")                         \
	K(u64, __u64, number, U64_TEXT_MAX, "\"maximum\":18446744073709551615")               \
	K(id, __u64, string, U64_TEXT_MAX, "\"pattern\":\"^[0-9]{1,20}$\"")                   \
	K(ip, struct ip_address, string, IPV6_TEXT_MAX, "\"pattern\":\"^[0-9a-f:.]{2,45}$\"") \
	K(comm, struct comm, string, JSON_TEXT_MAX(COMM_BYTES),                               \
	  "\"minLength\":1,\"maxLength\":16")                                                 \
	K(ifname, struct ifname, string, JSON_TEXT_MAX(IFNAME_BYTES),                         \
	  "\"minLength\":1,\"maxLength\":16")                                                 \
	K(xmit_error, __s32, string, ENUM_TEXT_MAX,                                           \
	  "\"pattern\":\"^(E[0-9A-Z]+|NET_XMIT_DROP)$\"")                                     \
	K(named, __u32, string, JSON_TEXT_MAX(NAME_TEXT_MAX), "\"minLength\":1")

/* An address in network byte order. IPv4 in the first four bytes; the record's ip_version tells. */
struct ip_address {
	union {
		__u8 bytes[16];
		__u32 words[4];
	};
};

struct comm {
	char name[COMM_BYTES];
};

struct ifname {
	char name[IFNAME_BYTES];
};

/*
 * Enumerations: E(name, values), each value V(number, text), the number below 256. A number without
 * a text: no key. Those that the kernel numbers anew from version to version are NAMED_KINDS.
 */
#define ENUMS(E)                             \
	E(ip_protocol, IP_PROTOCOL_VALUES)   \
	E(tcp_state, TCP_STATE_VALUES)       \
	E(ca_state, CA_STATE_VALUES)         \
	E(retrans_type, RETRANS_TYPE_VALUES) \
	E(stage, STAGE_VALUES)               \
	E(direction, DIRECTION_VALUES)

/* include/uapi/linux/in.h */
#define IP_PROTOCOL_VALUES(V) \
	V(1, icmp)            \
	V(2, igmp)            \
	V(6, tcp)             \
	V(17, udp)            \
	V(58, icmpv6)

/*
 * include/net/tcp_states.h, with the names of RFC 9293 (and OpenTelemetry). 12 is NEW_SYN_RECV, a
 * request socket, which ss(8) and inet_diag also show as SYN-RECV; 13 is BOUND_INACTIVE.
 */
#define TCP_STATE_VALUES(V) \
	V(1, established)   \
	V(2, syn_sent)      \
	V(3, syn_received)  \
	V(4, fin_wait_1)    \
	V(5, fin_wait_2)    \
	V(6, time_wait)     \
	V(7, closed)        \
	V(8, close_wait)    \
	V(9, last_ack)      \
	V(10, listen)       \
	V(11, closing)      \
	V(12, syn_received) \
	V(13, closed)

/* enum tcp_ca_state, include/uapi/linux/tcp.h */
#define CA_STATE_VALUES(V) \
	V(0, open)         \
	V(1, disorder)     \
	V(2, cwr)          \
	V(3, recovery)     \
	V(4, loss)

#define RETRANS_TYPE_VALUES(V) \
	V(1, rto)              \
	V(2, fast)             \
	V(3, tlp)              \
	V(4, syn)              \
	V(5, synack)

#define STAGE_VALUES(V) \
	V(1, tcp)       \
	V(2, app)       \
	V(3, transport) \
	V(4, qdisc)

#define DIRECTION_VALUES(V) \
	V(1, ingress)       \
	V(2, egress)

/*
 * The keys that every line begins with, netlog's own lines, too: E(shape, name, doc), the shape one
 * of src/schema/control.h.
 */
#define ENVELOPE(E)                                                    \
	E(timestamp, timestamp, "when it happened in the kernel, UTC") \
	E(line_type, event_type, "what the line tells")                \
	E(count, seq, "number of the line in its run, without gaps")   \
	E(any_string, hostname, "this host")

/*
 * Fields: F(kind, name, doc). The order is the order of the line's keys. Of the common ones, weight
 * is the last: those before it say whose event it is.
 */
#define COMMON_FIELDS(F)                                                                          \
	F(u8, ip_version, "IP version on the wire: 4 or 6")                                       \
	F(ip_protocol, proto, "transport protocol")                                               \
	F(ip, src_ip, "source address, as on the wire; the local end for socket samples")         \
	F(u16, src_port, "source port")                                                           \
	F(ip, dest_ip, "destination address")                                                     \
	F(u16, dest_port, "destination port")                                                     \
	F(u32, pid, "process that owns the socket: the last one seen to use it")                  \
	F(comm, comm, "its name when it did, as in /proc/PID/comm")                               \
	F(cgroup_id, cgroup_id, "cgroup v2 id of the socket")                                     \
	F(netns, netns, "network namespace of the socket, as in `readlink /proc/PID/ns/net`")     \
	F(id, sock_cookie, "the kernel's id of the connection: SO_COOKIE; `ss -e` has it in hex") \
	F(u32, weight, "events that this line stands for, when more than one: see Sampling")

/*
 * Numbers that have names, which user space finds (src/host/names.h): S(kind, C type, kind in which
 * the number is written, most bytes of a name, keys). The keys stand right behind the field, in any
 * event: N(key, most bytes, doc); the first has the name, the others parts of it. A number that is
 * `named` has no keys: they would be beside a field that is not there.
 */
#define NAMED_KINDS(S)                             \
	S(cgroup_id, __u64, id, 512, CGROUP_NAMES) \
	S(netns, __u32, u32, 255, NETNS_NAMES)

#define CGROUP_NAMES(N)                                                                        \
	N(cgroup, 512, "path of that cgroup, as in /proc/PID/cgroup")                          \
	N(unit, 255, "systemd's unit it belongs to, of the system or of a user")               \
	N(container_id, 64, "container it belongs to, of docker, containerd, CRI-O or podman") \
	N(pod_uid, 36, "pod of Kubernetes it belongs to, as metadata.uid")

#define NETNS_NAMES(N) N(netns_name, 255, "name of that network namespace, as in `ip netns`")

#define RETRANSMIT_FIELDS(F)                                                                      \
	F(retrans_type, retrans_type, "what made TCP send again; absent if it was none of these") \
	F(tcp_state, tcp_state, "state of the socket")                                            \
	F(ca_state, ca_state, "state of the congestion machinery")                                \
	F(u32, tcp_seq, "sequence number of the first byte sent again")                           \
	F(u32, len_bytes, "TCP payload sent again")                                               \
	F(u16, segs,                                                                              \
	  "segments sent again, 0 if none could be; their sum is TCP_INFO's total_retrans")       \
	F(u32, retrans_total, "segments sent again on this connection so far")                    \
	F(u8, backoff, "how often the timeout has been doubled")                                  \
	F(u32, rto_us, "retransmission timeout")                                                  \
	F(u32, srtt_us, "smoothed round-trip time")                                               \
	F(u32, rttvar_us, "its mean deviation, as ss(8) shows it")                                \
	F(u32, cwnd, "congestion window, in segments")                                            \
	F(u32, ssthresh, "slow start threshold, in segments; absent until one is set")            \
	F(u32, packets_out, "segments in flight")                                                 \
	F(u32, lost_out, "of these, the ones held for lost")                                      \
	F(u32, mss_bytes, "maximum segment size")                                                 \
	F(xmit_error, err, "why sending failed, from Linux 6.17; absent on success")

#define RTT_FIELDS(F)                                                              \
	F(u32, rtt_us, "the raw sample, where the hook gives it")                  \
	F(u32, srtt_us, "smoothed round-trip time after the sample")               \
	F(u32, rttvar_us, "its mean deviation, as ss(8) shows it")                 \
	F(u32, min_rtt_us,                                                         \
	  "least round-trip time of the last minutes (net.ipv4.tcp_min_rtt_wlen)") \
	F(u32, cwnd, "congestion window, in segments")                             \
	F(tcp_state, tcp_state, "state of the socket")

#define LATENCY_FIELDS(F)                                                                  \
	F(stage, stage,                                                                    \
	  "where the clock stopped. Inwards: transport = handed to TCP or UDP, tcp = "     \
	  "taken up by an established socket, app = copied to the application. Outwards: " \
	  "qdisc = handed to the driver")                                                  \
	F(u64, latency_ns,                                                                 \
	  "time since the packet entered the network stack, resp. its device's queue")     \
	F(u32, transport_ns, "of this, until stage transport, where that is known")        \
	F(u32, tcp_ns, "of this, until stage tcp, where that is known")                    \
	F(u32, len_bytes, "payload of TCP or UDP; else what follows the IP header")        \
	F(ifname, ifname, "interface that received it, resp. sends it")                    \
	F(direction, direction, "ingress: towards this host; egress: out of it")           \
	F(u32, tcp_seq, "sequence number of its first byte")

/*
 * Choices within an event: C(event, choice, help). `choice` is a field of the event, and the
 * enumeration that is its kind. An option --<event>-<choice> names those of its values, which are 1
 * or more, that make lines; an event has one choice at the most. Programs ask choice_wanted().
 */
#define CHOICES(C) C(latency, stage, "where latency is told, as a,b")

/*
 * What an event measures, a time: M(event, unit), the unit ns or us. The options --min-<event> and
 * --not-min-<event> are its limits. Programs ask measure_wanted(), of a value in that unit.
 */
#define MEASURES(M) \
	M(rtt, us)  \
	M(latency, ns)

/*
 * Hooks: H(event, part, rung, role, program, blind, ...). The rungs of a part are a ladder, the
 * best first: the first one of which all programs stand serves the part, and the others are left
 * alone. role: lines = makes lines, and one such part must stand for the event to be served;
 * required = makes none, but its rung cannot do without, and where no hook of the part makes lines,
 * the whole event cannot; extra = makes none, makes the lines better, and its rung stands without
 * it. `program` is <event>__<hook> in a file whose name begins with the event's; `blind` is what it
 * cannot see, told in the start line.
 *
 * Behind that may stand, as members of struct hook_desc (src/schema/event.h):
 * .value = the value of the event's choice that the part serves. Without one it serves all.
 * .needed_by = further values, as bits, whose lines have something that this hook has seen.
 * .counted = true, where the program itself finds the calls that the kernel skipped.
 */
#define RETRANSMIT_HOOKS(H)                                                                   \
	H(retransmit, segment, 1, lines, retransmit__tcp_retransmit_skb,                      \
	  "before Linux 6.17: retransmissions that could not be sent", .counted = true)       \
	H(retransmit, segment, 2, lines, retransmit__tcp_retransmit_skb_raw,                  \
	  "retransmissions that could not be sent, or are counted twice; "                    \
	  "calls that the kernel skipped",                                                    \
	  .counted = true)                                                                    \
	H(retransmit, synack, 1, lines, retransmit__tcp_retransmit_synack, "SYN cookies",     \
	  .counted = true)                                                                    \
	H(retransmit, synack, 2, lines, retransmit__tcp_retransmit_synack_raw, "SYN cookies", \
	  .counted = true)

#define RTT_HOOKS(H)                                                                             \
	H(rtt, sample, 1, lines, rtt__tcp_ack_update_rtt, "")                                    \
	H(rtt, sample, 2, lines, rtt__tcp_probe,                                                 \
	  "samples outside the established state; told at the socket's next packet, so that of " \
	  "several samples in between only the sum shows, and the raw sample never")

/*
 * Inwards a line needs the packet's entry, and has the times of the stages before its own, so their
 * hooks are needed, too.
 */
#define AT_ENTRY .needed_by = 1ULL << stage_transport | 1ULL << stage_tcp | 1ULL << stage_app
#define AT_TRANSPORT .value = stage_transport, .needed_by = 1ULL << stage_tcp | 1ULL << stage_app
#define AT_TCP .value = stage_tcp, .needed_by = 1ULL << stage_app
#define AT_APP .value = stage_app
#define AT_QDISC .value = stage_qdisc

#define LATENCY_HOOKS(H)                                                                           \
	H(latency, entry, 1, required, latency__netif_receive_skb,                                 \
	  "time in the driver and in GRO", AT_ENTRY)                                               \
	H(latency, transport_tcp, 1, lines, latency__tcp_v4_rcv, "", AT_TRANSPORT)                 \
	H(latency, transport_tcp, 2, lines, latency__tcp_v4_rcv_kprobe, "", AT_TRANSPORT)          \
	H(latency, transport_tcp6, 1, lines, latency__tcp_v6_rcv, "", AT_TRANSPORT)                \
	H(latency, transport_tcp6, 2, lines, latency__tcp_v6_rcv_kprobe, "", AT_TRANSPORT)         \
	H(latency, transport_udp, 1, lines, latency__udp_rcv, "", AT_TRANSPORT)                    \
	H(latency, transport_udp, 2, lines, latency__udp_rcv_kprobe, "", AT_TRANSPORT)             \
	H(latency, transport_udp6, 1, lines, latency__udpv6_rcv, "", AT_TRANSPORT)                 \
	H(latency, transport_udp6, 2, lines, latency__udpv6_rcv_kprobe, "", AT_TRANSPORT)          \
	H(latency, tcp, 1, lines, latency__tcp_probe,                                              \
	  "packets outside the established state; packets merged into another", AT_TCP)            \
	H(latency, app_tcp, 1, lines, latency__skb_copy_datagram_iovec,                            \
	  "payload that is spliced or mapped (TCP_ZEROCOPY_RECEIVE) or merged into "               \
	  "another packet",                                                                        \
	  AT_APP)                                                                                  \
	H(latency, app_udp, 1, lines, latency__skb_consume_udp,                                    \
	  "copies of a multicast datagram for several sockets and datagrams that GRO had merged: " \
	  "counted as lost",                                                                       \
	  AT_APP)                                                                                  \
	H(latency, app_udp, 2, lines, latency__skb_consume_udp_kprobe,                             \
	  "copies of a multicast datagram for several sockets and datagrams that GRO had merged: " \
	  "counted as lost",                                                                       \
	  AT_APP)                                                                                  \
	H(latency, qdisc, 1, required, latency__net_dev_queue, "", AT_QDISC)                       \
	H(latency, qdisc, 1, lines, latency__net_dev_start_xmit,                                   \
	  "time in the driver; packets that pass the queue by (PACKET_QDISC_BYPASS, pktgen); "     \
	  "segments that the host cuts itself, of UDP and of what it forwards: these are counted " \
	  "as lost",                                                                               \
	  AT_QDISC)

/*
 * Hooks that serve all events, in the same rows; event: none. They learn what is remembered of a
 * socket: who owns it, each by itself, and the first one also when a connection begins and ends.
 */
#define COMMON_HOOKS(H)                                                                              \
	H(none, socket, 1, extra, socket__inet_sock_set_state,                                       \
	  "owners of UDP; from connect and listen; before Linux 5.11, of an accepted socket until "  \
	  "it is read")                                                                              \
	H(none, owner_read, 1, extra, owner__tcp_rcv_space_adjust, "UDP; mapped payload")            \
	H(none, owner_write, 1, extra, owner__tcp_sendmsg_locked, "UDP")                             \
	H(none, owner_call, 1, extra, owner__sock_send_length, "")                                   \
	H(none, owner_call, 1, extra, owner__sock_recv_length, "")                                   \
	H(none, owner_before, 1, extra, owner__task_file,                                            \
	  "sockets older than netlog that several processes hold, or one in another pid namespace, " \
	  "until one uses them")

/*
 * Events: X(name, FIELDS, HOOKS, message_id, doc). The order is the record's type, from 1. Only
 * ever append. message_id is journald's MESSAGE_ID, made once by `systemd-id128 new`.
 */
#define EVENTS(X)                                                                              \
	X(retransmit, RETRANSMIT_FIELDS, RETRANSMIT_HOOKS, "d924293e3c9c472e9c5e429b9b384251", \
	  "TCP sent segments again")                                                           \
	X(rtt, RTT_FIELDS, RTT_HOOKS, "5b6ae53cf967447388e1f640cb87e8f0",                      \
	  "TCP measured a new round-trip time")                                                \
	X(latency, LATENCY_FIELDS, LATENCY_HOOKS, "281c1941063744b8b6d2b272d1c65286",          \
	  "a packet's time inside this host")

/* ---- what the rows become; nothing below knows an event by name ---- */

struct event_header {
	__u64 time_ns; /* CLOCK_BOOTTIME, so that suspend counts */
	__u64 has;     /* bit i: field i is known */
	__u16 type;    /* enum event_type */
	__u16 size;    /* of the whole record, bytes */
	/*
	 * Which outputs take it, by which filters: FILTER_TAKERS() of bpf/filter.h. 0 in a
	 * recording, which knows nothing of other outputs.
	 */
	__u32 takers;
};

#define NETLOG_KIND_TYPE(kind, type, ...) typedef type field_##kind;
KINDS(NETLOG_KIND_TYPE)
NAMED_KINDS(NETLOG_KIND_TYPE)

#define NETLOG_ENUM_VALUE(number, text) NETLOG_PASTE(number, text)
#define NETLOG_ENUM_KIND(name, values) typedef __u8 field_##name;
ENUMS(NETLOG_ENUM_KIND)

/* Our own enumerations; the others' numbers belong to the kernel. */
#define NETLOG_RETRANS_TYPE(number, text) retrans_type_##text = number,
enum retrans_type { RETRANS_TYPE_VALUES(NETLOG_RETRANS_TYPE) };
#define NETLOG_STAGE(number, text) stage_##text = number,
enum stage { STAGE_VALUES(NETLOG_STAGE) };
#define NETLOG_DIRECTION(number, text) direction_##text = number,
enum direction { DIRECTION_VALUES(NETLOG_DIRECTION) };

#define NETLOG_EVENT_TYPE(name, fields, hooks, message_id, doc) event_##name,
enum event_type { event_none, EVENTS(NETLOG_EVENT_TYPE) event_types };
_Static_assert(event_types <= 64, "an event too many: sets of them are bits of a u64");

/* Their types by these names, for programs: who has no row does not compile. */
#define NETLOG_CHOICE_OF(event, choice, help) choice_of_##event = event_##event,
#define NETLOG_MEASURE_OF(event, unit) measure_of_##event = event_##event,
enum { CHOICES(NETLOG_CHOICE_OF) MEASURES(NETLOG_MEASURE_OF) };

/*
 * For each event, and for `struct event` that holds only what all share: the record, and a struct
 * with one byte for each field, so that offsetof() in it is the field's bit in `has`.
 */
#define NETLOG_MEMBER(kind, name, doc) field_##kind name;
#define NETLOG_INDEX(kind, name, doc) char name;
#define NETLOG_NO_FIELDS(F)
#define NETLOG_RECORD(name, FIELDS, hooks, message_id, doc)                                      \
	struct name##_index {                                                                    \
		COMMON_FIELDS(NETLOG_INDEX) FIELDS(NETLOG_INDEX) char end;                       \
	};                                                                                       \
	struct name {                                                                            \
		struct event_header header;                                                      \
		COMMON_FIELDS(NETLOG_MEMBER) FIELDS(NETLOG_MEMBER) struct name##_index index[0]; \
	};                                                                                       \
	_Static_assert(sizeof(struct name##_index) <= 64, #name ": `has` has 64 bits");
NETLOG_RECORD(event, NETLOG_NO_FIELDS, , , )
EVENTS(NETLOG_RECORD)

#endif
