/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * iterator.h - running a BPF program that is an iterator: it runs while somebody reads from it.
 */
#ifndef NETLOG_ITERATOR_H
#define NETLOG_ITERATOR_H

struct bpf_link;

/* Read from it to its end. The program writes nothing. Negative: the error of bpf(2) or read(2). */
int iterator_run(const struct bpf_link *link);

#endif
