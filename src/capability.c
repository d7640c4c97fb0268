// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "capability.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include "util.h"

#ifndef CAP_PERFMON /* headers before Linux 5.8 */
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

const char *capability_missing(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	uint64_t effective;
	bool bpf, perfmon;

	if (syscall(SYS_capget, &header, data) < 0)
		return NULL; /* then the kernel's own answer has to do */
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	if (effective & BIT(CAP_SYS_ADMIN))
		return NULL;
	bpf = effective & BIT(CAP_BPF);
	perfmon = effective & BIT(CAP_PERFMON);
	if (bpf && perfmon)
		return NULL;
	if (!bpf && !perfmon)
		return "CAP_BPF and CAP_PERFMON";
	return bpf ? "CAP_PERFMON" : "CAP_BPF";
}
