/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * iterator.h - running a BPF program that is an iterator: it runs when its file is read.
 */
#ifndef NETLOG_ITERATOR_H
#define NETLOG_ITERATOR_H

struct bpf_link;

/* Read it to its end. The program writes nothing. Negative: an error of bpf(2) or read(2). */
int iterator_run(const struct bpf_link *link);

#endif
