/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * extable.h - can this kernel mend a load that faults, in any BPF program?
 *
 * A program may follow a pointer that leads nowhere: the load faults, the kernel looks up the place
 * in the program's table of such loads, and goes on with 0. But for a program with functions of its
 * own, kernels before 0108a4e9f358 ("bpf: ensure main program has an extable", Linux 6.4) keep two
 * entries for the same code, one of them without a table. Which one is found is chance, and
 * searching without a table is a NULL pointer dereference in the page fault handler: a panic.
 *
 * netlog checks pointers for NULL before it follows them, so none of its loads should fault. But it
 * does not stake the host on that: where faults cannot be mended, its programs with functions make
 * no such loads (struct config, no_loads).
 */
#ifndef NETLOG_EXTABLE_H
#define NETLOG_EXTABLE_H

#include <stdbool.h>

/*
 * True: faults are mended in every program. Otherwise `ret_reason`, a static text, says why not, or
 * why that is unknown.
 *
 * Linux 6.4 and newer have the fix. Older kernels may have it from their distribution or a stable
 * series, which no version number tells: there a program is loaded and examined, but never
 * attached.
 */
bool extable_mends(const char **ret_reason);

#endif
