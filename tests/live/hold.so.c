// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * hold - by LD_PRELOAD: programs are loaded, and not attached, so that it is for a test to say
 * which of the kernel's calls reach them (attach.c). For a program it is all the same whether the
 * kernel skips a call or nothing is attached.
 *
 * NETLOG_HOLD is a list of PREFIX/TRACEPOINT=TYPE: what the program's name begins with, and the
 * number of the tracepoint's type in the kernel's BTF, which a typed program names it by. A line
 * for each held one, its tracepoint and id, goes to the file NETLOG_HELD.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HELD_MAX 64

static struct {
	__u32 id;
	char target[64];
} held[HELD_MAX];
static unsigned int held_count;

long syscall(long number, ...);

static long real_syscall(long number, const long *a)
{
	static long (*real)(long number, ...);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void info_read(int fd, struct bpf_prog_info *ret_info)
{
	union bpf_attr attr = { .info = { .bpf_fd = (__u32)fd,
					  .info_len = sizeof(*ret_info),
					  .info = (__u64)(unsigned long)ret_info } };
	const long a[6] = { BPF_OBJ_GET_INFO_BY_FD, (long)&attr, sizeof(attr) };

	memset(ret_info, 0, sizeof(*ret_info));
	real_syscall(SYS_bpf, a);
}

/* A typed program is known by the type it hangs on, when it is loaded; a raw one by its name. */
static void loaded(const union bpf_attr *program, int fd)
{
	const char *list = getenv("NETLOG_HOLD"), *name = program->prog_name;
	struct bpf_prog_info info;

	for (; list && *list && held_count < HELD_MAX; list += strcspn(list, ",")) {
		size_t prefix, target;

		list += *list == ',';
		prefix = strcspn(list, "/");
		target = strcspn(list + prefix + 1, "=");
		if (strncmp(name, list, prefix) != 0 ||
		    (program->prog_type == BPF_PROG_TYPE_TRACING &&
		     strtoul(list + prefix + 1 + target + 1, NULL, 10) != program->attach_btf_id))
			continue;
		info_read(fd, &info);
		held[held_count].id = info.id;
		memcpy(held[held_count].target, list + prefix + 1, target);
		held_count++;
	}
}

static int is_held(int fd, const char *target)
{
	const char *path = getenv("NETLOG_HELD");
	struct bpf_prog_info info;

	info_read(fd, &info);
	for (unsigned int i = 0; i < held_count; i++) {
		if (held[i].id != info.id || (target && strcmp(target, held[i].target) != 0))
			continue;
		if (path) {
			int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

			dprintf(file, "%s %u\n", held[i].target, info.id);
			close(file);
		}
		return 1;
	}
	return 0;
}

long syscall(long number, ...)
{
	const union bpf_attr *attr;
	va_list list;
	long a[6], r;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	attr = (const union bpf_attr *)a[1];
	if (number == SYS_bpf &&
	    ((a[0] == BPF_RAW_TRACEPOINT_OPEN &&
	      is_held((int)attr->raw_tracepoint.prog_fd, (char *)attr->raw_tracepoint.name)) ||
	     (a[0] == BPF_LINK_CREATE && is_held((int)attr->link_create.prog_fd, NULL))))
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	r = real_syscall(number, a);
	if (number == SYS_bpf && a[0] == BPF_PROG_LOAD && r >= 0)
		loaded(attr, (int)r);
	return r;
}
