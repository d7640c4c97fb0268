// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * refuse - a security policy for tests: by LD_PRELOAD, loading a BPF program whose name (15
 * characters in the kernel) begins with one of the names in NETLOG_REFUSE fails with EPERM.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

long syscall(long number, ...);

static int refused(const char *program)
{
	const char *list = getenv("NETLOG_REFUSE");

	while (list && *list) {
		size_t length = strcspn(list, ",");

		if (length && !strncmp(program, list, length))
			return 1;
		list += length + (list[length] == ',');
	}
	return 0;
}

long syscall(long number, ...)
{
	static long (*real)(long number, ...);
	va_list list;
	long a[6];

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	if (number == SYS_bpf && a[0] == BPF_PROG_LOAD &&
	    refused(((union bpf_attr *)a[1])->prog_name)) {
		errno = EPERM;
		return -1;
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
