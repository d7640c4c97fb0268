// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel/capability.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/util.h"

const char *capability_missing(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	uint64_t effective;
	bool bpf, perfmon;

	if (syscall(SYS_capget, &header, data) < 0)
		return NULL; /* then the kernel's own answer must do */
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

static int limit(uint64_t keep, bool for_good)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (unsigned int i = 0; i < ARRAY_SIZE(data); i++) {
		__u32 kept = data[i].permitted & (__u32)(keep >> 32 * i);

		data[i].effective = kept;
		if (for_good)
			data[i].permitted = kept;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int capability_suspend(uint64_t keep)
{
	return limit(keep, false);
}

int capability_drop(uint64_t keep)
{
	/* without this, root would get them back by execve(2) */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return limit(keep, true);
}
