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
#define UDP_HEADER_BYTES 8

struct packet {
	struct flow flow;
	__u32 payload; /* bytes: of TCP or UDP; else of IP; else of the frame */
	__u32 tcp_seq;
	bool has_tcp_seq;
	/* where the headers lie: address of the linear part, and offsets into it */
	__u64 head;
	__u32 network, transport; /* transport 0: no readable header */
	__u32 end;		  /* of the linear part */
};

/* Copy a header; false if it is not entirely in the linear part. */
static __always_inline bool header_copy(void *copy, __u32 size, const struct packet *p, __u32 at)
{
	return at + size <= p->end &&
	       bpf_probe_read_kernel(copy, size, (void *)(p->head + at)) == 0;
}

/*
 * Read addresses and protocol. `proto` and `transport` (its header) are 0 if unknown to the caller.
 */
static __always_inline void packet_read_ip(struct packet *p, __u8 proto, __u32 transport)
{
	union {
		__u8 version;
		struct ipv4_header v4;
		struct ipv6_header v6;
	} ip = {};
	__u32 header;

	if (!header_copy(&ip.v4, sizeof(ip.v4), p, p->network))
		return;
	if (ip.version >> 4 == 4) {
		p->flow.ip_version = 4;
		p->flow.proto = ip.v4.protocol;
		p->flow.src.words[0] = ip.v4.src;
		p->flow.dest.words[0] = ip.v4.dest;
		header = (ip.v4.version_ihl & 0xf) * 4;
		if (!(ip.v4.fragment & bpf_htons(IPV4_FRAGMENT_OFFSET)))
			p->transport = p->network + header;
	} else if (ip.version >> 4 == 6 && header_copy(&ip.v6, sizeof(ip.v6), p, p->network)) {
		p->flow.ip_version = 6;
		p->flow.proto = ip.v6.next_header;
		p->flow.src = ip.v6.src;
		p->flow.dest = ip.v6.dest;
		header = sizeof(ip.v6);
		p->transport = p->network + header;
	} else {
		return;
	}
	if (proto) { /* the caller has skipped any IPv6 extension headers */
		p->flow.proto = proto;
		p->transport = transport;
		header = transport - p->network;
	}
	p->payload -= header;
}

static __always_inline void packet_read_transport(struct packet *p)
{
	struct tcp_header tcp = {};

	if (!p->transport)
		return;
	if (p->flow.proto == IPPROTO_TCP && header_copy(&tcp, sizeof(tcp), p, p->transport)) {
		p->tcp_seq = bpf_ntohl(tcp.seq);
		p->has_tcp_seq = true;
		p->payload -= (tcp.data_offset >> 4) * 4;
	} else if (p->flow.proto == IPPROTO_UDP &&
		   header_copy(&tcp, UDP_HEADER_BYTES, p, p->transport)) {
		p->payload -= UDP_HEADER_BYTES;
	} else {
		return;
	}
	p->flow.has_ports = true;
	p->flow.src_port = bpf_ntohs(tcp.src);
	p->flow.dest_port = bpf_ntohs(tcp.dest);
}

/*
 * Read the packet of an skb whose network header is known. For received packets, `proto` is the
 * protocol that got it, and skb->transport_header points to its header; for sent ones `proto` is 0.
 */
static __always_inline void packet_read(struct packet *p, const struct sk_buff *skb, __u32 netns,
					__u8 proto, const bool typed)
{
	__u32 data, len = READ(typed, skb, len);

	*p = (struct packet){};
	p->flow.netns = netns;
	p->head = (__u64)READ(typed, skb, head);
	p->network = READ(typed, skb, network_header);
	data = (__u64)READ(typed, skb, data) - p->head;
	p->end = data + len - READ(typed, skb, data_len);
	p->payload = data + len - p->network;
	packet_read_ip(p, proto, READ(typed, skb, transport_header));
	packet_read_transport(p);
}

#endif
