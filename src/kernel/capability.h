/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * capability.h - may this process load what netlog loads? And giving up what is no longer needed.
 */
#ifndef NETLOG_CAPABILITY_H
#define NETLOG_CAPABILITY_H

#include <linux/capability.h>
#include <stdint.h>

#ifndef CAP_PERFMON /* headers before Linux 5.8 */
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

/*
 * The capabilities that this process lacks for tracing programs, as text ("CAP_BPF and
 * CAP_PERFMON"); NULL if it has them. As in bpf_capable() and perfmon_capable(),
 * include/linux/capability.h, CAP_SYS_ADMIN stands for both.
 */
const char *capability_missing(void);

/*
 * Keep only the capabilities in `keep` (bits) that this process has: to try that, or for good. Both
 * concern this thread and threads that it starts later. An error of capset(2) or prctl(2).
 */
int capability_suspend(uint64_t keep);
int capability_drop(uint64_t keep);

#endif
