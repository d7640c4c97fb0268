/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hook.h - what is asked of the kernel side, and what became of each hook.
 */
#ifndef NETLOG_HOOK_H
#define NETLOG_HOOK_H

#include <errno.h>

#include "filter/probe_settings.h"
#include "kernel/way.h"
#include "schema/event.h"

#define PROBE_REASON_MAX 160 /* so that the reasons of all hooks fit the start line */

struct probe_config {
	const struct probe_settings *settings; /* needed until the probe has been made */
	/* likewise; an event that no output takes has its hooks attached, but switched off */
	const struct probe_outputs *outputs;
	size_t ring_bytes; /* a power of two, a multiple of the page size */
	uint64_t tick_ns;  /* length of the kernel's tick */
	bool processes;	   /* it is told which process has a pid: PROCESS_OF() */
	bool filter_fixed; /* probe_set() will not change the filters: unset ones cost nothing */
};

#define KERNEL_BTF_PATH "/sys/kernel/btf/vmlinux"

/* What became of one wanted hook. */
struct probe_hook {
	const struct hook_desc *desc;
	char section[64]; /* its program's, such as tp_btf/tcp_probe */
	const struct way *way;
	bool standby; /* not tried or not needed: another rung serves the part */
	bool served;  /* by this rung or another, its part is */
	int error;    /* 0: attached, or on standby; otherwise why not, and `reason` says more */
	char *reason; /* words of the kernel or libbpf, below PROBE_REASON_MAX; NULL if no error */
};

/* Does the kernel have no such tracepoint or function? Then nothing has refused it. */
static inline bool hook_absent(const struct probe_hook *hook)
{
	return hook->error == -ENOENT || hook->error == -ESRCH;
}

#endif
