// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * loads - a BPF program as the kernel runs it. bpf(2) does not show that: bpf_insn_prepare_dump()
 * makes loads that are mended when they fault look like any others.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "loads.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct exception_table_entry;

struct bpf_prog_aux {
	__u32 id;
	__u32 func_cnt;
	__u32 num_exentries;
	struct exception_table_entry *extable;
};

struct kernel_insn {
	__u8 code;
};

struct bpf_prog {
	__u32 len;
	struct bpf_prog_aux *aux;
	struct kernel_insn insnsi[0];
};

struct bpf_iter__bpf_prog {
	struct bpf_prog *prog;
};

#pragma clang attribute pop

struct loads_program program = {};

SEC("iter/bpf_prog")
int look(struct bpf_iter__bpf_prog *ctx)
{
	const struct bpf_prog *prog = ctx->prog;
	const struct bpf_prog_aux *aux = prog ? prog->aux : NULL;
	__u32 bytes;

	if (!aux || aux->id != program.id)
		return 0;
	program.functions = aux->func_cnt;
	program.mended_loads = aux->num_exentries;
	program.has_table = aux->extable != NULL;
	program.instructions = prog->len;
	bytes = prog->len * INSTRUCTION_BYTES;
	for (__u32 at = 0; at < sizeof(program.code) && at < bytes; at += CHUNK_BYTES)
		if (bpf_probe_read_kernel(&program.code[at], CHUNK_BYTES,
					  (const char *)prog + bpf_core_field_offset(prog->insnsi) +
						  at) < 0)
			return 0;
	program.seen = 1;
	return 0;
}
