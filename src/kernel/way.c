// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel/way.h"

#include <bpf/btf.h>

#include "base/util.h"

#define KPROBES_PATH "/sys/bus/event_source/devices/kprobe" /* since Linux 4.17 */

/*
 * A tracepoint that this kernel does not have yet (as Debian 12's lacks some) would fail the whole
 * load at its end. The kernel's BTF has a type of this name for each tracepoint.
 */
static bool tracepoint_absent(const struct btf *btf, const char *target)
{
	_cleanup_free_ char *name = NULL;

	return asprintf(&name, "btf_trace_%s", target) >= 0 &&
	       btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF) < 0;
}

/* A kernel without kprobes need not be tried: loading everything again is expensive. */
static bool kprobe_absent(const struct btf *btf _unused_, const char *target _unused_)
{
	return access(KPROBES_PATH, F_OK) < 0;
}

static const struct way ways[] = {
	{ "tp_btf", .absent = tracepoint_absent },
	{ "raw_tp", .refusable = true },
	{ "fentry", .refusable = true },
	{ "fexit", .refusable = true },
	{ "kprobe", .absent = kprobe_absent, .refusable = true,
	  .advice = "a kernel that allows fentry, or has CONFIG_KPROBE_EVENTS=y" },
	{ "iter", .refusable = true, .iterates = true },
};

const struct way *way_of_section(const char *section)
{
	const size_t length = strcspn(section, "/");

	for (unsigned int i = 0; section[length] && i < ARRAY_SIZE(ways); i++)
		if (strlen(ways[i].name) == length && !strncmp(ways[i].name, section, length))
			return &ways[i];
	return NULL;
}

const char *way_target(const struct way *way, const char *section)
{
	return section + strlen(way->name) + 1;
}
