/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* faults.h - memory that faults.c and faults.bpf.c share. */
#ifndef NETLOG_FAULTS_H
#define NETLOG_FAULTS_H

#define FAULTS_RANGES 512

/* Code of a program, and how many page faults were in it. */
struct faults_range {
	__u64 start, end, count;
	char name[16];
};

#endif
