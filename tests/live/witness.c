// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * witness OBJECT - counts segments and packets until SIGTERM; see witness.bpf.c.
 *
 * Prints "ready", and at the end a line for each count of a network namespace: segments or packets,
 * its number, and how many.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <signal.h>
#include <sys/prctl.h>

#include "tool.h"

static void print(struct bpf_object *object, const char *name)
{
	int map = bpf_object__find_map_fd_by_name(object, name);
	__u32 key, *last = NULL;

	while (!bpf_map_get_next_key(map, last, &key)) {
		__u64 count = 0;

		bpf_map_lookup_elem(map, &key, &count);
		printf("%s %u %llu\n", name, key, (unsigned long long)count);
		last = &key;
	}
}

int main(int argc, char **argv)
{
	struct bpf_program *program;
	struct bpf_object *object;
	sigset_t set;
	int got;

	if (argc != 2)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* never outlive the test */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	object = bpf_object__open_file(argv[1], NULL);
	if (!object || bpf_object__load(object) < 0)
		fail("witness: cannot load");
	bpf_object__for_each_program(program, object)
		if (!bpf_program__attach(program))
			fail("witness: cannot attach");
	puts("ready");
	fflush(stdout);
	sigwait(&set, &got);
	print(object, "segments");
	print(object, "packets");
	return EXIT_SUCCESS;
}
