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
 * Kinds: how the bytes of a field become text. K(kind, C type, nature, text_max, schema): `nature`
 * is number or string in JSON, `text_max` the longest text in bytes, `schema` what JSON Schema says
 * besides the type. kind_put() in src/schema/kind.h writes the text. Each enumeration is a kind too
 * (ENUMS), and so is each number that has names (NAMED_KINDS).
 *
 * `id` is a u64 that may pass 2^53, the limit of jq and JavaScript, so it is written as a string.
 * Of a `named` field only the name is written, never the number.
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

/* An address in network byte order, IPv4 in the first four bytes: see the record's ip_version. */
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
 * Enumerations: E(name, values), with a value V(number, text) for each number below 256 that has a
 * text. For other numbers the key is absent. Numbers that change between kernel versions belong
 * into NAMED_KINDS instead.
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
 * The keys that every line begins with, control lines too: E(shape, name, doc). Shapes are in
 * src/schema/control.h.
 */
#define ENVELOPE(E)                                                    \
	E(timestamp, timestamp, "when it happened in the kernel, UTC") \
	E(line_type, event_type, "what the line tells")                \
	E(count, seq, "number of the line in its run, without gaps")   \
	E(any_string, hostname, "this host")

/*
 * Fields: F(kind, name, doc), in the order of the line's keys. `weight` is the last of the common
 * fields; those before it describe the flow and its owner (src/line/flow_cache.h).
 */
#define COMMON_FIELDS(F)                                                                          \
	F(u8, ip_version, "IP version: 4 or 6")                                                   \
	F(ip_protocol, proto, "transport protocol")                                               \
	F(u8, proto_number, "its number at IANA, of one that has no name here")                   \
	F(ip, src_ip,                                                                             \
	  "source address as this host's socket knows it, whatever NAT makes of it; in "          \
	  "retransmit and rtt lines its own. Of what is forwarded: as in its headers at "         \
	  "that stage")                                                                           \
	F(u16, src_port, "source port, likewise")                                                 \
	F(ip, dest_ip, "destination address, likewise")                                           \
	F(u16, dest_port, "destination port, likewise")                                           \
	F(u32, pid, "process that owns the socket: the last one seen to use it")                  \
	F(comm, comm, "its name when it did, as in /proc/PID/comm")                               \
	F(cgroup_id, cgroup_id, "cgroup v2 id of the socket")                                     \
	F(process, cgroup_v1,                                                                     \
	  "that process in /proc/PID/cgroup, where cgroups v1 tell whose it is")                  \
	F(netns, netns, "network namespace of the socket, as in `readlink /proc/PID/ns/net`")     \
	F(id, sock_cookie, "the kernel's id of the connection: SO_COOKIE; `ss -e` has it in hex") \
	F(id, mptcp_cookie,                                                                       \
	  "of MPTCP, its whole connection's, which the process knows as SO_COOKIE, and "          \
	  "`ss -eM` has in hex; `sock_cookie` is then that of one of its TCP connections")        \
	F(u32, weight, "events that this line stands for, when more than one: see Sampling")

/*
 * Numbers whose names user space looks up (src/host/names.h): S(kind, C type, kind in which the
 * number is written, most bytes of a name, keys). Wherever such a field appears, its keys follow
 * it: N(key, most bytes, doc). The first key holds the name, the others parts of it. A number
 * written as `named` has no keys, since the field itself holds the name.
 */
#define NAMED_KINDS(S)                             \
	S(cgroup_id, __u64, id, 512, CGROUP_NAMES) \
	S(netns, __u32, u32, 255, NETNS_NAMES)     \
	S(process, __u64, named, 512, PROCESS_NAMES)

#define CGROUP_NAMES(N)                                                                        \
	N(cgroup, 512, "path of that cgroup, as in /proc/PID/cgroup")                          \
	N(unit, 255, "systemd's unit it belongs to, of the system or of a user")               \
	N(container_id, 64, "container it belongs to, of docker, containerd, CRI-O or podman") \
	N(pod_uid, 36, "pod of Kubernetes it belongs to, as metadata.uid")

#define NETNS_NAMES(N) N(netns_name, 255, "name of that network namespace, as in `ip netns`")

/*
 * Where cgroups of version 1 tell whose a process is, these keys are the process's, and follow
 * `cgroup_v1`: those of CGROUP_NAMES but the first. A process is known by when it began, in clock
 * ticks as in /proc/PID/stat, and by its pid, of which there are at most 2^22 (PID_MAX_LIMIT). So
 * nobody who gets the pid later is taken for it.
 */
#define PROCESS_NAMES(N)
#define PROCESS_PID_BITS 22
#define PROCESS_TICK_NS 10000000 /* USER_HZ is 100 where libbpf runs */
#define PROCESS_OF(pid, begun_ns) ((begun_ns) / PROCESS_TICK_NS << PROCESS_PID_BITS | (pid))

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
	  "time since the packet first entered this host's network stack, by whichever "   \
	  "device, or its first device's queue, if it was made here; outwards, since it "  \
	  "entered its device's queue")                                                    \
	F(u64, device_ns,                                                                  \
	  "of this, since its last device received it; absent where it had no other")      \
	F(u32, transport_ns, "of this, until stage transport, where that is known")        \
	F(u32, tcp_ns, "of this, until stage tcp, where that is known")                    \
	F(u32, len_bytes, "payload of TCP or UDP; else what follows the IP header")        \
	F(ifname, ifname, "interface that received or sends it")                           \
	F(ifname, first_ifname,                                                            \
	  "interface where its time began, if that is another: by which it first came "    \
	  "in, or was sent first, if it was made here")                                    \
	F(direction, direction, "ingress: towards this host; egress: out of it")           \
	F(u32, tcp_seq, "sequence number of its first byte")                               \
	F(ip, src_nat_ip, "source address in the headers that leave, if another: NAT")     \
	F(u16, src_nat_port, "source port, likewise")                                      \
	F(ip, dest_nat_ip, "destination address, likewise")                                \
	F(u16, dest_nat_port, "destination port, likewise")

/*
 * Choices within an event: C(event, choice, help). `choice` is the name both of a field of the
 * event and of the enumeration that is the field's kind; its numbers begin at 1. The option
 * --<event>-<choice> lists the values that make lines. An event has at most one choice. Programs
 * check choice_wanted().
 */
#define CHOICES(C) C(latency, stage, "where latency is told, as a,b")

/*
 * The time that an event measures: M(event, unit), the unit being ns or us. The options
 * --min-<event> and --not-min-<event> set its limits. Programs check measure_wanted() with a value
 * in that unit.
 */
#define MEASURES(M) \
	M(rtt, us)  \
	M(latency, ns)

/*
 * Hooks: H(event, part, rung, role, program, blind, ...). The rungs of a part are a ladder, best
 * first: the first rung whose programs all attach serves the part, and the other rungs are not
 * used.
 *
 * role:
 *   lines     makes lines. An event is served if at least one such part of it is.
 *   required  makes no lines. Its rung is not used if it cannot be attached; if no rung of a part
 *             without line-making hooks can be used, the whole event is not served.
 *   extra     makes no lines, but makes them better. Its rung is used without it, too.
 * program: <event>__<hook>, in a file whose name begins with the event's.
 * blind: what the hook cannot see; the start line says it.
 *
 * After these, members of struct hook_desc (src/schema/event.h) may follow:
 * .value      the value of the event's choice that the part serves; without it: all values.
 * .needed_by  further values, as bits, whose lines use something that this hook has noted.
 * .counted    true if the program itself finds the calls that the kernel skipped.
 */
/*
 * Calls that the kernel skips are found by TCP's own count; of connections older than netlog only
 * where an iterator has seen them, which raw tracepoints have nothing of.
 */
#define SEGMENT_BLIND                                                                            \
	"before Linux 6.17, retransmissions that could not be sent: what TCP counts of them is " \
	"counted as lost"
#define SYNACK_BLIND                                                                              \
	"SYN cookies; calls that the kernel skipped of requests that came to nothing, after the " \
	"last one seen, and of requests while thousands are open"
#define RETRANSMIT_HOOKS(H)                                                                      \
	H(retransmit, segment, 1, lines, retransmit__tcp_retransmit_skb, SEGMENT_BLIND,          \
	  .counted = true)                                                                       \
	H(retransmit, segment, 1, extra, retransmit__inet_sock_set_state, "")                    \
	H(retransmit, segment, 1, extra, retransmit__tcp_destroy_sock, "")                       \
	H(retransmit, segment, 2, lines, retransmit__tcp_retransmit_skb_raw,                     \
	  SEGMENT_BLIND                                                                          \
	  "; of a connection older than netlog, calls that the kernel skipped before the first", \
	  .counted = true)                                                                       \
	H(retransmit, segment, 2, extra, retransmit__inet_sock_set_state_raw, "")                \
	H(retransmit, segment, 2, extra, retransmit__tcp_destroy_sock_raw, "")                   \
	H(retransmit, synack, 1, lines, retransmit__tcp_retransmit_synack, SYNACK_BLIND,         \
	  .counted = true)                                                                       \
	H(retransmit, synack, 2, lines, retransmit__tcp_retransmit_synack_raw, SYNACK_BLIND,     \
	  .counted = true)

#define RTT_HOOKS(H)                                                                             \
	H(rtt, sample, 1, lines, rtt__tcp_ack_update_rtt, "")                                    \
	H(rtt, sample, 2, lines, rtt__tcp_probe,                                                 \
	  "samples outside the established state; told at the socket's next packet, so that of " \
	  "several samples in between only the sum shows, and the raw sample never")

/*
 * A line of a received packet needs the packet's entry, and shows the times of earlier stages. So
 * the hooks of entry and of earlier stages are needed as well.
 */
#define AT_ENTRY .needed_by = 1ULL << stage_transport | 1ULL << stage_tcp | 1ULL << stage_app
#define AT_TRANSPORT .value = stage_transport, .needed_by = 1ULL << stage_tcp | 1ULL << stage_app
#define AT_TCP .value = stage_tcp, .needed_by = 1ULL << stage_app
#define AT_APP .value = stage_app
/* what is sent into a device of this host's own comes in again: see bpf/age.bpf.h */
#define AT_QDISC .value = stage_qdisc, AT_ENTRY

#define APP_UDP_BLIND                                                                            \
	"copies of a multicast datagram for several sockets, and datagrams that GRO had merged " \
	"or that came in fragments: counted as lost"

#define LATENCY_HOOKS(H)                                                                           \
	H(latency, entry, 1, required, latency__netif_receive_skb,                                 \
	  "time in the driver and in GRO", AT_ENTRY)                                               \
	H(latency, drop, 1, extra, latency__kfree_skb, "", AT_ENTRY)                               \
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
	  "payload that is spliced, mapped (TCP_ZEROCOPY_RECEIVE), thrown away (MSG_TRUNC), "      \
	  "read by way of kTLS or a sockmap, or merged into another packet; that of a SYN (TCP "   \
	  "Fast Open): counted as lost",                                                           \
	  AT_APP)                                                                                  \
	H(latency, app_udp, 1, lines, latency__skb_consume_udp, APP_UDP_BLIND, AT_APP)             \
	H(latency, app_udp, 2, lines, latency__skb_consume_udp_kprobe, APP_UDP_BLIND, AT_APP)      \
	H(latency, qdisc, 1, required, latency__net_dev_queue, "", AT_QDISC)                       \
	H(latency, drop_queued, 1, extra, latency__kfree_skb_queued, "", AT_QDISC)                 \
	H(latency, qdisc, 1, lines, latency__net_dev_start_xmit,                                   \
	  "time in the driver; packets that pass the queue by (PACKET_QDISC_BYPASS, pktgen); "     \
	  "segments that the host cuts itself, of UDP and of what it forwards: these are counted " \
	  "as lost",                                                                               \
	  AT_QDISC)

/*
 * Hooks that serve all events, as rows of the same form with the event `none`. They learn who owns
 * a socket; the first one also sees connections begin and end.
 */
#define COMMON_HOOKS(H)                                                                              \
	H(none, socket, 1, extra, socket__inet_sock_set_state,                                       \
	  "owners of UDP; from connect and listen; before Linux 5.11, of an accepted socket until "  \
	  "it is read; before 6.3, who uses an accepted socket of MPTCP; of the SYN of a further "   \
	  "subflow of MPTCP")                                                                        \
	H(none, owner_read, 1, extra, owner__tcp_rcv_space_adjust, "UDP; mapped payload")            \
	H(none, owner_write, 1, extra, owner__tcp_sendmsg_locked, "UDP")                             \
	H(none, owner_call, 1, extra, owner__sock_send_length, "")                                   \
	H(none, owner_call, 1, extra, owner__sock_recv_length, "")                                   \
	H(none, owner_before, 1, extra, owner__task_file,                                            \
	  "sockets older than netlog that several processes hold, or one in another pid namespace, " \
	  "until one uses them")

/*
 * Events: X(name, FIELDS, HOOKS, message_id, doc). A row's place, from 1, is the type in records,
 * so new rows go to the end only. message_id is journald's MESSAGE_ID, made once by `systemd-id128
 * new`.
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
	 * The outputs that take it, and the generation of the filters that were asked: see
	 * FILTER_TAKERS() in bpf/filter.h. 0 in a recording, which outlives the outputs.
	 */
	__u32 takers;
};

#define NETLOG_KIND_TYPE(kind, type, ...) typedef type field_##kind;
KINDS(NETLOG_KIND_TYPE)
NAMED_KINDS(NETLOG_KIND_TYPE)

#define NETLOG_ENUM_VALUE(number, text) NETLOG_PASTE(number, text)
#define NETLOG_ENUM_KIND(name, values) typedef __u8 field_##name;
ENUMS(NETLOG_ENUM_KIND)

/* The enumerations that are ours. The numbers of all others are the kernel's. */
#define NETLOG_RETRANS_TYPE(number, text) retrans_type_##text = number,
enum retrans_type { RETRANS_TYPE_VALUES(NETLOG_RETRANS_TYPE) };
#define NETLOG_STAGE(number, text) stage_##text = number,
enum stage { STAGE_VALUES(NETLOG_STAGE) };
#define NETLOG_DIRECTION(number, text) direction_##text = number,
enum direction { DIRECTION_VALUES(NETLOG_DIRECTION) };

#define NETLOG_EVENT_TYPE(name, fields, hooks, message_id, doc) event_##name,
enum event_type { event_none, EVENTS(NETLOG_EVENT_TYPE) event_types };
_Static_assert(event_types <= 64, "an event too many: sets of them are bits of a u64");

/*
 * Event types for choice_wanted() and measure_wanted(): without a row, a program does not compile.
 */
#define NETLOG_CHOICE_OF(event, choice, help) choice_of_##event = event_##event,
#define NETLOG_MEASURE_OF(event, unit) measure_of_##event = event_##event,
enum { CHOICES(NETLOG_CHOICE_OF) MEASURES(NETLOG_MEASURE_OF) };

/*
 * For each event, and for `struct event` with the common fields alone: the record, and a struct
 * with one byte for each field, whose offsetof() is the field's bit in `has`.
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
