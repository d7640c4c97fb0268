// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel/extable.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "extable.skel.h"
#include "kernel/iterator.h"

/* Kernels from here on have the fix. */
#define MENDED_MAJOR 6
#define MENDED_MINOR 4

DEFINE_CLEANUP(struct extable_bpf, extable_bpf__destroy)
DEFINE_CLEANUP(struct bpf_link, bpf_link__destroy)

/* Compare the leading numbers, as in "6.1.0-37-amd64". */
static bool release_is_mended(const char *release)
{
	char *end;
	unsigned long major = strtoul(release, &end, 10), minor;

	if (*end != '.')
		return false;
	minor = strtoul(end + 1, NULL, 10);
	return major > MENDED_MAJOR || (major == MENDED_MAJOR && minor >= MENDED_MINOR);
}

/*
 * Does the kernel keep one table for all mended loads of a program with functions? Negative: an
 * error.
 */
static int kernel_asked(void)
{
	_cleanup_(extable_bpf__destroyp) struct extable_bpf *skeleton =
		extable_bpf__open_and_load();
	_cleanup_(bpf_link__destroyp) struct bpf_link *link = NULL;
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int r;

	if (!skeleton)
		return -errno;
	if (bpf_obj_get_info_by_fd(bpf_program__fd(skeleton->progs.subject), &info, &size) < 0)
		return -errno;
	skeleton->bss->wanted_id = info.id;
	link = bpf_program__attach_iter(skeleton->progs.look, NULL);
	if (!link)
		return -errno;
	r = iterator_run(link);
	if (r < 0)
		return r;
	/* where programs are interpreted, each load is a copy: the kernel's own table mends it */
	if (skeleton->bss->seen && !skeleton->bss->compiled)
		return true;
	/* a program without functions, or without mended loads, would prove nothing */
	if (!skeleton->bss->seen || !skeleton->bss->functions || !skeleton->bss->mended_loads)
		return -ENODATA;
	return skeleton->bss->has_table;
}

bool extable_mends(const char **ret_reason)
{
	struct utsname name;
	int r;

	if (uname(&name) == 0 && release_is_mended(name.release))
		return true;
	r = kernel_asked();
	if (r == 0)
		*ret_reason =
			"a load that faults would panic it: it lacks 0108a4e9f358 of Linux 6.4";
	else if (r < 0)
		*ret_reason = "it may lack 0108a4e9f358 of Linux 6.4, and could not be asked";
	return r > 0;
}
