// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * loads - how the kernel runs BPF programs: for each program that process PID holds, a line "ID
 * NAME FUNCTIONS MENDED-LOADS TABLE INSTRUCTIONS", the last ones in hexadecimal, as translated by
 * the kernel.
 * The first line has the helpers that follow a pointer: "following CALL:ARGUMENT...", each by the
 * number by which it is called there, and which of its arguments that pointer is.
 *
 *   loads PID...
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loads.h"
#include "loads.skel.h"
#include "programs.h"

static void iterate(struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	char nothing[64];

	if (fd < 0)
		fail("an iterator of programs");
	while (read(fd, nothing, sizeof(nothing)) > 0)
		;
	close(fd);
	bpf_link__destroy(link);
}

static void look(void *context, __u32 id)
{
	struct loads_bpf *loads = context;
	struct loads_program *program = &loads->bss->program;
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		fail("a program");
	close(fd);
	program->id = id;
	program->seen = 0;
	iterate(loads->progs.look);
	if (!program->seen || program->instructions > INSTRUCTIONS_MAX) {
		errno = ENODATA;
		fail(info.name);
	}
	printf("%u %s %u %u %u ", id, info.name, program->functions, program->mended_loads,
	       program->has_table);
	for (__u32 i = 0; i < program->instructions * INSTRUCTION_BYTES; i++)
		printf("%02x", program->code[i]);
	putchar('\n');
}

/* The helpers that follow a pointer: the kernel's functions, and which argument that is. */
static const struct following {
	const char *function;
	int argument;
} following[] = {
	{ "bpf_sk_storage_get_tracing", 2 },
	{ "bpf_get_socket_ptr_cookie", 1 },
	{ "bpf_skc_to_tcp_sock", 1 },
	{ "bpf_sock_from_file", 1 },
};

/* A call's number is how far the function is from __bpf_call_base: fixup_bpf_calls(). */
static void tell_following(void)
{
	unsigned long long base = 0, found[ARRAY_SIZE(following)] = {}, address;
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], name[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %*c %255s", &address, name) != 2)
			continue;
		if (!strcmp(name, "__bpf_call_base"))
			base = address;
		for (unsigned int i = 0; i < ARRAY_SIZE(following); i++)
			if (!strcmp(name, following[i].function))
				found[i] = address;
	}
	if (file)
		fclose(file);
	if (!base) {
		errno = ENOENT;
		fail("/proc/kallsyms");
	}
	printf("following");
	for (unsigned int i = 0; i < ARRAY_SIZE(following); i++)
		if (found[i])
			printf(" %d:%d", (int)(found[i] - base), following[i].argument);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct loads_bpf *loads = loads_bpf__open_and_load();

	if (!loads)
		fail("loads.bpf.c");
	tell_following();
	for (int i = 1; i < argc; i++)
		programs_of(argv[i], look, loads);
	loads_bpf__destroy(loads);
	return 0;
}
