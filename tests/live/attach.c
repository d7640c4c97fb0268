// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * attach TRACEPOINT ID - the program with that id is attached to the tracepoint until SIGTERM: see
 * hold.so.c. Prints "ready" when it is.
 */
#include <linux/bpf.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tool.h"

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	struct bpf_prog_info info = {};
	union bpf_attr attr = {}, about = {};
	sigset_t set;
	int program, got;

	if (argc != 3)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* never outlive the test */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	attr.prog_id = (__u32)strtoul(argv[2], NULL, 10);
	program = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	about.info.bpf_fd = (__u32)program;
	about.info.info_len = sizeof(info);
	about.info.info = (uintptr_t)&info;
	if (program < 0 || bpf(BPF_OBJ_GET_INFO_BY_FD, &about) < 0)
		fail("attach: no such program");
	attr = (union bpf_attr){ .raw_tracepoint.prog_fd = (__u32)program };
	if (info.type == BPF_PROG_TYPE_RAW_TRACEPOINT) /* a typed one knows its tracepoint */
		attr.raw_tracepoint.name = (uintptr_t)argv[1];
	if (bpf(BPF_RAW_TRACEPOINT_OPEN, &attr) < 0)
		fail("attach");
	puts("ready");
	fflush(stdout);
	sigwait(&set, &got);
	return EXIT_SUCCESS;
}
