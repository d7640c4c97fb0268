/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.h - the kernel types that netlog reads, with only the fields that it reads.
 *
 * CO-RE takes each field's offset from the running kernel's BTF at load, so order and gaps do not
 * matter here. A field that the kernel does not have makes the load fail, unless the program checks
 * bpf_core_field_exists().
 */
#ifndef NETLOG_KERNEL_H
#define NETLOG_KERNEL_H

#include <linux/types.h>

#include <stdbool.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;

#define AF_INET 2
#define AF_INET6 10
#define AF_PACKET 17
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_MPTCP 262 /* include/uapi/linux/in.h; 16 bits since 5.6 */

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_TIME_WAIT 6
#define TCP_CLOSE 7
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10
#define TCP_NEW_SYN_RECV 12

/* include/uapi/linux/tcp.h, enum tcp_ca_state */
#define TCP_CA_Recovery 3
#define TCP_CA_Loss 4

#define SOCK_STREAM 1
#define SOCK_RAW 3
#define IFF_LOOPBACK (1 << 3) /* include/uapi/linux/if.h */

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

#define ICSK_TIME_LOSS_PROBE 5 /* include/net/inet_connection_sock.h */
#define TCPHDR_FIN 0x01	       /* include/net/tcp.h */
#define TCPHDR_SYN 0x02
#define TCP_INFINITE_SSTHRESH 0x7fffffff /* include/net/tcp.h */

/* include/uapi/asm-generic/errno-base.h, errno.h */
#define EAGAIN 11
#define ENOMEM 12
#define EBUSY 16
#define EINVAL 22
#define EHOSTUNREACH 113

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	unsigned int skc_hash;
	__be16 skc_dport;
	u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
};

struct kernfs_node {
	u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
	int level;
	struct cgroup *ancestors[]; /* the root first, itself last */
};

struct cgroup___ids { /* before 6.1 */
	int level;
	u64 ancestor_ids[];
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct sock_cgroup_data___val { /* before 5.15: a pointer, unless one of the bits below is set */
	u64 val;
};
#define SOCK_CGROUP_NONE 3

struct socket {
	struct file *file;
	struct sock *sk;
};

typedef struct {
	int owned;
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	u8 sk_kern_sock : 1;
	struct socket *sk_socket;
	u16 sk_type;
	u16 sk_protocol;
	struct sock_cgroup_data sk_cgrp_data;
};

struct inet_sock {
	__be16 inet_sport;
};

struct inet_connection_sock {
	__u32 icsk_rto;
	__u8 icsk_ca_state : 5;
	__u8 icsk_retransmits;
	__u8 icsk_pending;
	__u8 icsk_backoff;
	void *icsk_ulp_data;
};

struct minmax_sample {
	u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 copied_seq;
	u32 srtt_us;
	u32 mdev_us;
	u32 total_retrans;
	u32 snd_cwnd;
	u32 snd_ssthresh;
	u32 packets_out;
	u32 lost_out;
	u32 mss_cache;
	u32 undo_marker;
	struct minmax rtt_min;
	struct request_sock *fastopen_rsk;
	bool is_mptcp; /* only where the kernel knows MPTCP */
};

struct mptcp_subflow_context {
	struct sock *conn;
};

struct mptcp_skb_cb {
	u32 offset;
};

struct rate_sample {
	long rtt_us;
};

struct request_sock_ops {
	int family;
};

struct request_sock {
	struct sock_common __req_common;
	u16 mss;
	u8 num_retrans;
	u8 num_timeout : 7;
	struct request_sock_ops *rsk_ops;
	u32 timeout;
};

struct tcp_request_sock {
	u64 snt_synack;
	u32 snt_isn;
};

struct rtnl_link_ops {
	const char *kind;
};

struct net_device {
	const struct rtnl_link_ops *rtnl_link_ops;
	unsigned int flags;
	char name[16];
	int ifindex;
	u64 features;
	possible_net_t nd_net;
};

union nf_inet_addr {
	__u32 all[4];
};

union nf_conntrack_man_proto {
	__be16 all;
};

struct nf_conntrack_man {
	union nf_inet_addr u3;
	union nf_conntrack_man_proto u;
};

struct nf_conntrack_tuple {
	struct nf_conntrack_man src;
	struct {
		union nf_inet_addr u3;
		union {
			__be16 all;
		} u;
	} dst;
};

struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
};

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2]; /* as the first packet was sent; answers */
	unsigned long status;
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	__s64 tstamp; /* ktime_t */
	char cb[48];
	unsigned int len;
	unsigned int data_len;
	int skb_iif;
	__u32 hash;
	unsigned long _nfct; /* a struct nf_conn, and enum ip_conntrack_info in the lowest bits */
	__be16 protocol;
	__u8 cloned : 1;
	__u8 peeked : 1;
	__u16 transport_header;
	__u16 network_header;
	unsigned int end; /* sk_buff_data_t: an offset, on 64 bits */
	unsigned char *head;
	unsigned char *data;
};

struct skb_shared_info {
	unsigned short gso_size;
	unsigned int gso_type;
};

struct tcp_skb_cb {
	__u32 seq;
	__u32 end_seq;
	u16 tcp_gso_segs;
	__u8 tcp_flags; /* 16 bits from 6.18 on; CO-RE widens the load */
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	unsigned int flags;
	struct files_struct *files;
	int tgid;
	struct task_struct *group_leader;
	u64 start_boottime;
	char comm[16];
};

struct exception_table_entry;

struct bpf_prog_aux {
	u32 id;
	u32 func_cnt;	   /* 0: it has no functions besides itself */
	u32 num_exentries; /* loads that are mended if they fault */
	struct exception_table_entry *extable;
};

struct bpf_prog {
	u16 jited : 1;
	struct bpf_prog_aux *aux;
};

struct bpf_iter__bpf_prog {
	struct bpf_prog *prog;
};

struct bpf_iter__task_file {
	struct task_struct *task;
	struct file *file;
};

/* only to check whether the tracepoint has `err` */
struct trace_event_raw_tcp_retransmit_skb {
	int err;
};

#pragma clang attribute pop

#endif
