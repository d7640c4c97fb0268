/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * packet.bpf.h - reading a packet's own headers, where its socket is not known yet, or no longer.
 */
#ifndef NETLOG_PACKET_BPF_H
#define NETLOG_PACKET_BPF_H

#include "netlog.bpf.h"

/* RFC 791, RFC 8200, RFC 9293: as on the wire */
struct ipv4_header {
	__u8 version_ihl;
	__u8 tos;
	__be16 total_length;
	__be16 id;
	__be16 fragment;
	__u8 ttl;
	__u8 protocol;
	__be16 checksum;
	__be32 src, dest;
};

struct ipv6_header {
	__u8 version;
	__u8 flow[3];
	__be16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	struct ip_address src, dest;
};

struct tcp_header {
	__be16 src, dest;
	__be32 seq, ack;
	__u8 data_offset; /* upper half: in words */
	__u8 flags;
	__be16 window;
	__be16 checksum, urgent;
};

#define IPV4_FRAGMENT_OFFSET 0x1fff
#define IPV6_FRAGMENT_OFFSET 0xfff8
#define UDP_HEADER_BYTES 8

/* include/uapi/linux/if_ether.h */
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88a8
#define ETH_P_QINQ1 0x9100
#define ETHERNET_TYPE 12 /* where the EtherType lies, in an Ethernet frame */

#define VLAN_TAGS_MAX 4
#define EXTENSIONS_MAX 16 /* headers of IPv6 before the transport's; RFC 8200 knows of seven */

struct packet {
	struct flow flow;
	__u32 payload; /* bytes: of TCP or UDP; else of IP; else of the frame */
	__u32 tcp_seq;
	bool has_tcp_seq;
	/* where the headers lie: address of the linear part, and offsets into it */
	__u64 head;
	__u32 network;	   /* header */
	__u32 transport;   /* header, or what follows IP's headers where there is none: see below */
	__u32 end;	   /* of the bytes that are in the linear part */
	bool is_continued; /* as a fragment behind the first: the transport's header is not in it */
};

/* Copy a header; false if it is not entirely in the linear part. */
static __always_inline bool header_copy(void *copy, __u32 size, const struct packet *p, __u32 at)
{
	return at + size <= p->end &&
	       bpf_probe_read_kernel(copy, size, (void *)(p->head + at)) == 0;
}

static __always_inline bool is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD) ||
	       type == bpf_htons(ETH_P_QINQ1);
}

/*
 * The EtherType behind VLAN tags that are in the frame itself, which begins at `data`, and with it
 * the place of the network header: the kernel's is behind the tags or at the first of them,
 * depending on who has put them there. 0: that is no Ethernet frame, or it has more tags.
 */
static __always_inline __be16 packet_skip_tags(struct packet *p, __u32 data, __be16 protocol)
{
	__u32 at = data + ETHERNET_TYPE;

	for (int i = 0; i <= VLAN_TAGS_MAX; i++) {
		__be16 type;

		if (!header_copy(&type, sizeof(type), p, at) || (i == 0 && type != protocol))
			return 0;
		if (!is_vlan(type)) {
			p->network = at + sizeof(type);
			return type;
		}
		at += sizeof(type) + 2;
	}
	return 0;
}

/* ---- where IP's headers end ---- */

enum ip_header {
	ip_hop_by_hop = 0,
	ip_routing = 43,
	ip_fragment = 44,
	ip_authentication = 51,
	ip_destination_options = 60,
};

/* All begin with the number of what follows them, and but for fragments with their length. */
struct ip_extension {
	__u8 next, length;
	__be16 fragment;
	__be32 id;
};

static __always_inline bool is_extension(__u32 number)
{
	return number == ip_hop_by_hop || number == ip_routing || number == ip_fragment ||
	       number == ip_authentication || number == ip_destination_options;
}

/* The answer of packet_walk(): where the headers end, what follows, and of that: */
#define WALKED(at, proto) ((__u64)(proto) << 32 | (at))
#define WALKED_AT(walked) ((__u32)(walked))
#define WALKED_PROTO(walked) ((__u8)((walked) >> 32))
#define WALKED_CONTINUED (1ULL << 40) /* it has begun in another packet */
#define WALKED_HIDDEN (1ULL << 41)    /* it is not known */

/*
 * From header to header, `next` being the number of the one at `at`, to the first that is none of
 * IP's own. In a packet that continues another's payload, such a header is not there, though its
 * number is: that of the transport, if the first packet has no more extensions behind the
 * fragment's header.
 *
 * A function of numbers, which the verifier looks at once: see FILTER_LOOKS().
 */
__weak __noinline __u64 packet_walk(__u64 head, __u32 at, __u32 end, __u32 next)
{
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		struct ip_extension header;
		bool continued;

		next &= 0xff;
		if (!is_extension(next))
			return WALKED(at, next);
		if (at + sizeof(header) > end ||
		    bpf_probe_read_kernel(&header, sizeof(header), (void *)(head + at)) != 0)
			break;
		continued =
			next == ip_fragment && header.fragment & bpf_htons(IPV6_FRAGMENT_OFFSET);
		if (next == ip_fragment)
			at += sizeof(header);
		else if (next == ip_authentication)
			at += (header.length + 2) * 4;
		else
			at += (header.length + 1) * 8;
		next = header.next;
		if (continued)
			return WALKED(at, next) | WALKED_CONTINUED |
			       (is_extension(next) ? WALKED_HIDDEN : 0);
	}
	return WALKED(at, 0) | WALKED_HIDDEN;
}

static __always_inline void packet_take_walked(struct packet *p, __u64 walked)
{
	p->transport = WALKED_AT(walked);
	p->flow.proto = WALKED_PROTO(walked);
	p->flow.proto_hidden = walked & WALKED_HIDDEN;
	p->is_continued = walked & WALKED_CONTINUED;
}

/* IP's own length tells more than the frame's, which may be padded. 0: too long to be told. */
static __always_inline void packet_cut(struct packet *p, __u32 length)
{
	if (!length)
		return;
	if (length < p->payload)
		p->payload = length;
	if (p->network + length < p->end) /* what is behind is no header */
		p->end = p->network + length;
}

/* Headers that claim more than there is leave nothing. */
static __always_inline void packet_skip(struct packet *p, __u32 header)
{
	p->payload -= header < p->payload ? header : p->payload;
}

static __always_inline bool packet_read_ipv4(struct packet *p)
{
	struct ipv4_header ip = {};
	__u32 header;

	if (!header_copy(&ip, sizeof(ip), p, p->network) || ip.version_ihl >> 4 != 4)
		return false;
	p->flow.ip_version = 4;
	p->flow.proto = ip.protocol;
	p->flow.src.words[0] = ip.src;
	p->flow.dest.words[0] = ip.dest;
	packet_cut(p, bpf_ntohs(ip.total_length));
	header = (ip.version_ihl & 0xf) * 4;
	p->transport = p->network + (header < sizeof(ip) ? sizeof(ip) : header);
	/* behind a header that says it is shorter than it is, nobody knows what begins where */
	p->is_continued = ip.fragment & bpf_htons(IPV4_FRAGMENT_OFFSET) || header < sizeof(ip);
	if (ip.protocol == ip_authentication && !p->is_continued)
		packet_take_walked(p, packet_walk(p->head, p->transport, p->end, ip.protocol));
	return true;
}

static __always_inline bool packet_read_ipv6(struct packet *p, const bool walk)
{
	struct ipv6_header ip = {};

	if (!header_copy(&ip, sizeof(ip), p, p->network) || ip.version >> 4 != 6)
		return false;
	p->flow.ip_version = 6;
	p->flow.src = ip.src;
	p->flow.dest = ip.dest;
	if (ip.payload_length)
		packet_cut(p, sizeof(ip) + bpf_ntohs(ip.payload_length));
	if (walk)
		packet_take_walked(p, packet_walk(p->head, p->network + sizeof(ip), p->end,
						  ip.next_header));
	return true;
}

/* ---- the transport's header ---- */

/* IPPROTO_SCTP, IPPROTO_DCCP and IPPROTO_UDPLITE begin with their ports, too. */
static __always_inline bool proto_has_ports(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == 132 || proto == 33 ||
	       proto == 136;
}

/*
 * UDP's own length, which may be less than IP's: __udp4_lib_rcv() leaves the rest out. It has 16
 * bits, and inside the host a packet may be larger (GSO).
 */
static __always_inline void packet_read_udp(struct packet *p, __u32 length)
{
	if (length >= UDP_HEADER_BYTES && length < p->payload && p->payload <= 0xffff)
		p->payload = length;
	packet_skip(p, UDP_HEADER_BYTES);
}

static __always_inline void packet_read_transport(struct packet *p)
{
	struct tcp_header tcp = {};
	const __u8 proto = p->flow.proto;

	/* a first fragment may have no more of TCP than eight bytes */
	if (p->is_continued || p->flow.proto_hidden || !proto_has_ports(proto) ||
	    !header_copy(&tcp, UDP_HEADER_BYTES, p, p->transport))
		return;
	p->flow.has_ports = true;
	p->flow.src_port = bpf_ntohs(tcp.src);
	p->flow.dest_port = bpf_ntohs(tcp.dest);
	if (proto == IPPROTO_UDP)
		packet_read_udp(p, bpf_ntohl(tcp.seq) >> 16); /* where TCP has its number */
	if (proto != IPPROTO_TCP)
		return;
	p->tcp_seq = bpf_ntohl(tcp.seq);
	p->has_tcp_seq = true;
	if (header_copy(&tcp, sizeof(tcp), p, p->transport))
		packet_skip(p, (tcp.data_offset >> 4) * 4);
}

/*
 * The packet of an skb whose network header is known. On the way in, `proto` is the protocol that
 * has got it, and skb->transport_header is at its header; on the way out it is 0, and skb->data is
 * where the frame begins.
 */
static __always_inline void packet_read(struct packet *p, const struct sk_buff *skb, __u32 netns,
					__u8 proto, const bool typed)
{
	__u32 data, len = READ(typed, skb, len);
	__be16 protocol = READ(typed, skb, protocol);
	bool is_ip;

	*p = (struct packet){};
	p->flow.netns = netns;
	/* a copy is a number, on each kernel; a load is a pointer to memory from Linux 6.17 on */
	p->head = (__u64)BPF_CORE_READ(skb, head);
	p->network = READ(typed, skb, network_header);
	data = (__u64)BPF_CORE_READ(skb, data) - p->head;
	p->end = data + len - READ(typed, skb, data_len);
	if (!proto && is_vlan(protocol))
		protocol = packet_skip_tags(p, data, protocol);
	p->payload = data + len - p->network;
	if (protocol == bpf_htons(ETH_P_IP))
		is_ip = packet_read_ipv4(p);
	else
		is_ip = protocol == bpf_htons(ETH_P_IPV6) && packet_read_ipv6(p, !proto);
	if (!is_ip)
		return;
	if (proto) { /* behind whatever other headers there were */
		p->flow.proto = proto;
		p->transport = READ(typed, skb, transport_header);
		p->is_continued = false;
	}
	packet_skip(p, p->transport - p->network);
	packet_read_transport(p);
}

#endif
