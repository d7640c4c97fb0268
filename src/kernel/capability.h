/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * capability.h - may this process load what netlog loads? And giving up what it needs no longer.
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
 * CAP_PERFMON"), NULL when it has them: bpf_capable() and perfmon_capable(),
 * include/linux/capability.h, where CAP_SYS_ADMIN stands for both.
 */
const char *capability_missing(void);

/*
 * Go on with no capability but those in `keep` (bits) that there are: for a try, resp. for good. Of
 * this thread, and of those it starts from now on. An error of capset(2) or prctl(2).
 */
int capability_suspend(uint64_t keep);
int capability_drop(uint64_t keep);

#endif
