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

#define PROBE_REASON_MAX 160 /* so that those of all hooks fit the start line */

struct probe_config {
	const struct probe_settings *settings; /* the caller's, until the probe has been made */
	/* the same; of events that none takes, hooks are there, switched off */
	const struct probe_outputs *outputs;
	size_t ring_bytes; /* a power of two, a multiple of the page size */
	uint64_t tick_ns;  /* length of the kernel's tick */
	bool filter_fixed; /* probe_set() will not change the filters: where there are none, they
			      cost nothing */
};

#define KERNEL_BTF_PATH "/sys/kernel/btf/vmlinux"

/* What became of one wanted hook. */
struct probe_hook {
	const struct hook_desc *desc;
	char section[64]; /* what it hangs on, such as tp_btf/tcp_probe */
	const struct way *way;
	bool standby; /* not tried, or not needed: another rung serves the part */
	bool served;  /* its part is, by this rung or by another */
	int error;    /* 0: attached, or on standby; else why not, and `reason` has words */
	char *reason; /* the kernel's or libbpf's own words, of less than PROBE_REASON_MAX bytes;
			 NULL when error is 0 */
};

/* The kernel has no such tracepoint or function, so that nobody has refused it. */
static inline bool hook_absent(const struct probe_hook *hook)
{
	return hook->error == -ENOENT || hook->error == -ESRCH;
}

#endif
