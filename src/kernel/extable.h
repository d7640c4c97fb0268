/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * extable.h - can this kernel mend a load that faults, in any BPF program?
 *
 * A program may follow a pointer that leads nowhere: the load faults, the kernel looks the place up
 * in the program's table of such loads, and goes on with 0. But of a program with functions of its
 * own, kernels before 0108a4e9f358 ("bpf: ensure main program has an extable", Linux 6.4) keep two
 * entries for the same code, of which one has no table. Which of them is found is chance, and a
 * search without a table is a NULL pointer in the page fault's own handler: a panic.
 *
 * netlog asks for NULL before it follows a pointer, so that none of its loads should fault. But it
 * does not stake the host on that: where faults cannot be mended, its programs with functions make
 * no such loads (struct config, no_loads).
 */
#ifndef NETLOG_EXTABLE_H
#define NETLOG_EXTABLE_H

#include <stdbool.h>

/*
 * True: faults are mended, in every program. Else `ret_reason` is why that is not so or not known,
 * a static text.
 *
 * Linux 6.4 and newer have the fix. Older ones may have it from their distribution or a stable
 * series, which no version number tells: these are asked, with a program that is loaded, looked at
 * and never attached.
 */
bool extable_mends(const char **ret_reason);

#endif
