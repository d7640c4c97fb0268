// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * filter - an empty program on tcp_probe, and how long it took on average, in nanoseconds, as the
 * kernel counts it. Until standard input ends; meanwhile the kernel counts for all programs.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

int main(void)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP);
	int statistics = bpf_enable_stats(BPF_STATS_RUN_TIME), program, link, id;
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	char byte;

	id = libbpf_find_vmlinux_btf_id("tcp_probe", BPF_TRACE_RAW_TP);
	options.attach_btf_id = id > 0 ? (__u32)id : 0;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "nothing", "GPL", nothing, 2, &options);
	link = program < 0 ? -1 : bpf_raw_tracepoint_open(NULL, program);
	if (statistics < 0 || link < 0) {
		fprintf(stderr, "filter: %s\n", strerror(errno));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	if (bpf_obj_get_info_by_fd(program, &info, &size) < 0 || !info.run_cnt)
		return 1;
	printf("%llu %llu\n", (unsigned long long)info.run_time_ns,
	       (unsigned long long)info.run_cnt);
	return 0;
}
