/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* loads.h - a program, as loads.bpf.c shows it to loads.c. */
#ifndef NETLOG_LOADS_H
#define NETLOG_LOADS_H

#define INSTRUCTION_BYTES 8
#define CHUNK_BYTES 512 /* copied at once; of the last one, a part may lie behind the program */
#define INSTRUCTIONS_MAX 32768

struct loads_program {
	__u32 id; /* which one is wanted */
	__u32 seen;
	__u32 functions;    /* 0: it is one, without others */
	__u32 mended_loads; /* the kernel's own count */
	__u32 has_table;    /* to mend them by */
	__u32 instructions;
	__u8 code[INSTRUCTIONS_MAX * INSTRUCTION_BYTES];
};

#endif
