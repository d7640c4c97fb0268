// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * produce - rtt events at a given rate, into the ring of a netlog that runs.
 *
 * It is linked with netlog's own programs, so that maps and globals lie as there, and loaded with
 * that netlog's ring, counters and doorbell in place of its own: events pass the same reservation,
 * counting and waking as any other. See produce.c. No globals here: they would move the others.
 */
#include "../../bpf/subject.bpf.h"

#define FLOWS 1000
#define LOOPS (1 << 23) /* BPF_MAX_LOOPS; time ends it before */

struct pace {
	__u64 next_ns; /* when the next event is due */
	__u64 end_ns;
	__u64 gap_ns16; /* between two events, 1/16 ns */
	__u64 start_ns;
	__u64 count;
};

static __always_inline void produce_one(__u64 number)
{
	__u32 flow = (number * 2654435761U >> 8) % FLOWS;
	struct subject subject;
	struct flow *ends = &subject.flow;
	struct rtt *e;

	subject_init(&subject);
	*ends = (struct flow){
		.ip_version = flow % 5 ? 4 : 6,
		.proto = IPPROTO_TCP,
		.has_ports = true,
		.src_port = 443,
		.dest_port = 32768 + flow,
		.netns = 4026531840U,
	};
	ends->src.words[0] = bpf_htonl(flow % 5 ? 0x0a000001 : 0x20010db8);
	ends->dest.words[0] = bpf_htonl(flow % 5 ? 0x0a010000 + flow : 0x20010db8);
	if (flow % 5 == 0) {
		ends->src.words[3] = bpf_htonl(1);
		ends->dest.words[3] = bpf_htonl(flow);
	}
	subject.cookie = 4096 + flow;
	e = event_begin(rtt, &subject, true);
	if (!e)
		return;
	SET(e, cgroup_id, 4711);
	SET(e, srtt_us, 10000 + number % 4000);
	SET(e, rttvar_us, 200 + number % 800);
	SET(e, min_rtt_us, 9000 + flow);
	SET(e, cwnd, 10 + number % 90);
	SET(e, tcp_state, 1);
	event_submit(e);
}

static long produce_next(__u32 index, struct pace *pace)
{
	__u64 now_ns = bpf_ktime_get_ns();

	(void)index;
	if (now_ns >= pace->end_ns)
		return 1;
	if (now_ns < pace->next_ns)
		return 0;
	produce_one(pace->count++);
	pace->next_ns = pace->start_ns + (pace->count * pace->gap_ns16 >> 4);
	return 0;
}

/* ctx: when all began, when this call ends, the gap, and how many events there have been. */
SEC("raw_tp")
int produce(struct bpf_raw_tracepoint_args *ctx)
{
	struct pace pace = {
		.start_ns = ctx->args[0],
		.end_ns = ctx->args[1],
		.gap_ns16 = ctx->args[2],
		.count = ctx->args[3],
	};

	pace.next_ns = pace.start_ns + (pace.count * pace.gap_ns16 >> 4);
	bpf_loop(LOOPS, produce_next, &pace, 0);
	return pace.count - ctx->args[3];
}

/* What any program on this hook costs. */
SEC("tp_btf/tcp_probe")
int nothing(__u64 *ctx)
{
	(void)ctx;
	return 0;
}
