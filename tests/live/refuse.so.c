// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * refuse - a security policy for tests: by LD_PRELOAD, loading a BPF program fails with EPERM that
 * one of the words in NETLOG_REFUSE means: WAY/NAME, where its way into the kernel is that (fentry,
 * fexit, tp_btf), or NAME, whatever the way. The name (15 characters in the kernel) must begin so,
 * and may be empty behind a way: "fentry/,fexit/,tp_btf/retransmit". And uname(2) tells the release
 * in NETLOG_RELEASE, if there is one, for what depends on the kernel's version.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

long syscall(long number, ...);

static const char *way_of(const union bpf_attr *program)
{
	if (program->prog_type != BPF_PROG_TYPE_TRACING)
		return "";
	switch (program->expected_attach_type) {
	case BPF_TRACE_FENTRY:
		return "fentry";
	case BPF_TRACE_FEXIT:
		return "fexit";
	case BPF_TRACE_RAW_TP:
		return "tp_btf";
	default:
		return "";
	}
}

static int refused(const union bpf_attr *program)
{
	const char *list = getenv("NETLOG_REFUSE"), *way = way_of(program);

	while (list && *list) {
		size_t length = strcspn(list, ","), name = strcspn(list, "/,");

		if (list[name] != '/')
			name = 0; /* any way */
		else if (name == strlen(way) && !strncmp(way, list, name))
			name++;
		else
			name = length + 1; /* another one */
		if (length && name <= length &&
		    !strncmp(program->prog_name, list + name, length - name))
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
	if (number == SYS_bpf && a[0] == BPF_PROG_LOAD && refused((const union bpf_attr *)a[1])) {
		errno = EPERM;
		return -1;
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int uname(struct utsname *name)
{
	static int (*real)(struct utsname * name);
	const char *release = getenv("NETLOG_RELEASE");
	int r;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "uname");
	r = real(name);
	if (r == 0 && release) {
		strncpy(name->release, release, sizeof(name->release) - 1);
		name->release[sizeof(name->release) - 1] = 0;
	}
	return r;
}
