// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * faults - page faults of the kernel's that lie in the code of given BPF programs.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "faults.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct pt_regs {
	unsigned long ip;
} __attribute__((preserve_access_index));

struct faults_range ranges[FAULTS_RANGES] = {};
__u32 range_count = 0;

SEC("tp_btf/page_fault_kernel")
int count(__u64 *ctx)
{
	const struct pt_regs *regs = (void *)ctx[1];
	__u64 ip = regs->ip;

	for (__u32 i = 0; i < FAULTS_RANGES && i < range_count; i++)
		if (ip >= ranges[i].start && ip < ranges[i].end)
			__sync_fetch_and_add(&ranges[i].count, 1);
	return 0;
}

/*
 * Proof that the counting works: a load that faults. The address looks like the kernel's, and
 * nothing is there (the space below the vmalloc area). From Linux 6.2 on a number can be made such
 * a pointer.
 */
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;

SEC("?syscall")
int fault(void *ctx)
{
	const struct pt_regs *nowhere = bpf_rdonly_cast((void *)0xffffc80000001000ULL,
							bpf_core_type_id_kernel(struct pt_regs));

	(void)ctx;
	return nowhere->ip != 0;
}
