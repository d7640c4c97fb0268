/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * capability.h - may this process load what netlog loads?
 */
#ifndef NETLOG_CAPABILITY_H
#define NETLOG_CAPABILITY_H

/*
 * The capabilities that this process lacks for tracing programs, as text ("CAP_BPF and
 * CAP_PERFMON"), NULL when it has them: bpf_capable() and perfmon_capable(),
 * include/linux/capability.h, where CAP_SYS_ADMIN stands for both.
 */
const char *capability_missing(void);

#endif
