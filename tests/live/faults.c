// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * faults - how often the BPF programs that process PID holds had a load that faulted, and that the
 * kernel mended: at the end (SIGTERM) a line "NAME COUNT" of each piece of code that had, and
 * "total COUNT". It says "ready" when it has begun to count.
 *
 *   faults PID...
 *   faults --check   counts a fault of its own making: "total 1"
 */
#include <signal.h>
#include <stdbool.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "faults.h"
#include "faults.skel.h"
#include "programs.h"

#define FUNCTIONS_MAX 64

/* All pieces of a program's code: it, and its functions. */
static void add_program(void *context, __u32 id)
{
	struct faults_bpf *faults = context;
	__u64 addresses[FUNCTIONS_MAX] = {};
	__u32 lengths[FUNCTIONS_MAX] = {}, size;
	struct bpf_prog_info info = { .nr_jited_ksyms = FUNCTIONS_MAX,
				      .jited_ksyms = (__u64)(unsigned long)addresses,
				      .nr_jited_func_lens = FUNCTIONS_MAX,
				      .jited_func_lens = (__u64)(unsigned long)lengths };
	int fd = bpf_prog_get_fd_by_id(id);

	size = sizeof(info);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		fail("a program");
	close(fd);
	for (__u32 i = 0; i < info.nr_jited_ksyms; i++) {
		struct faults_range *range = &faults->bss->ranges[faults->bss->range_count];

		if (faults->bss->range_count == FAULTS_RANGES || !addresses[i]) {
			errno = E2BIG;
			fail(info.name);
		}
		range->start = addresses[i];
		range->end = addresses[i] + lengths[i];
		snprintf(range->name, sizeof(range->name), "%s", info.name);
		__atomic_fetch_add(&faults->bss->range_count, 1, __ATOMIC_RELEASE);
	}
}

static void tell(const struct faults_bpf *faults)
{
	unsigned long long total = 0;

	for (__u32 i = 0; i < faults->bss->range_count; i++) {
		const struct faults_range *range = &faults->bss->ranges[i];

		if (range->count)
			printf("%s %llu\n", range->name, (unsigned long long)range->count);
		total += range->count;
	}
	printf("total %llu\n", total);
}

static void fault_once(struct faults_bpf *faults)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_program__fd(faults->progs.fault);

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		fail("the program that faults");
	add_program(faults, info.id);
	if (bpf_prog_test_run_opts(fd, &options) < 0)
		fail("a fault");
}

int main(int argc, char **argv)
{
	bool check = argc == 2 && !strcmp(argv[1], "--check");
	struct faults_bpf *faults = faults_bpf__open();
	sigset_t end;
	int number;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	if (!faults)
		fail("faults.bpf.c");
	bpf_program__set_autoload(faults->progs.fault, check);
	if (faults_bpf__load(faults) < 0)
		fail("faults.bpf.c");
	for (int i = 1; i < argc && !check; i++)
		programs_of(argv[i], add_program, faults);
	faults->links.count = bpf_program__attach(faults->progs.count);
	if (!faults->links.count)
		fail("page_fault_kernel");
	if (check) {
		fault_once(faults);
	} else {
		puts("ready");
		fflush(stdout);
		sigwait(&end, &number);
	}
	tell(faults);
	faults_bpf__destroy(faults);
	return 0;
}
