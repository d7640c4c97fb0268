// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel/load.h"

#include <errno.h>
#include <stddef.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "bpf/config.h"
#include "kernel/extable.h"
#include "netlog.skel.h"

#define KPROBES_PATH "/sys/bus/event_source/devices/kprobe" /* since Linux 4.17 */
/*
 * Before Linux 6.4 the verifier fails with ENOSPC where its log does not fit, and what it refuses
 * stands at the end. Only what is written costs memory.
 */
#define LOG_BYTES (8 << 20)

/* The last line of the verifier's log that is not its statistics; NULL if it said nothing. */
static char *last_words(char *log)
{
	char *last = NULL, *rest = log;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (line[0] && strncmp(line, "processed ", strlen("processed ")) != 0)
			last = line;
	return last;
}

/* These say nothing about the program, but that we cannot go on. */
static bool error_is_ours(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

static inline void skeleton_freep(struct netlog_bpf **skeleton)
{
	netlog_bpf__destroy(*skeleton);
}

static inline void btf_freep(struct btf **btf)
{
	btf__free(*btf);
}

/*
 * Helpers that the programs can do without: what the verifier says where there is none, and the
 * kernel's function behind it.
 */
static const struct helper {
	const char *words, *function;
	size_t lacks; /* offset of the object's flag */
} helpers[] = {
	{ "unknown func bpf_sk_storage_get", "bpf_sk_storage_get_tracing",
	  offsetof(struct object, no_sk_storage) },
	{ "unknown func bpf_get_socket_cookie", "bpf_get_socket_ptr_cookie",
	  offsetof(struct object, no_cookie) },
	/* BPF_FUNC_get_current_task_btf, which has no name where it is not */
	{ "invalid func unknown#158", "bpf_get_current_task_btf",
	  offsetof(struct object, no_task_btf) },
};

static bool *helper_lacks(struct object *object, const struct helper *helper)
{
	return (bool *)((char *)object + helper->lacks);
}

/*
 * Is what the verifier refuses a helper that the programs can do without? Then they do, from now
 * on, and the hook is worth another try.
 */
static bool helper_forgone(struct object *object, const char *words)
{
	for (unsigned int i = 0; words && i < ARRAY_SIZE(helpers); i++) {
		bool *lacks = helper_lacks(object, &helpers[i]);

		if (!strstr(words, helpers[i].words))
			continue;
		if (*lacks)
			return false;
		*lacks = true;
		return true;
	}
	return false;
}

/*
 * A kernel whose BTF knows none of them (5.10) has none, and no load has to fail for each. One that
 * knows some may have the others by another name: there, loading will tell.
 */
static void helpers_check(struct object *object, const struct btf *btf)
{
	/* one that every kernel has: else this BTF does not tell of functions */
	if (btf__find_by_name_kind(btf, "bpf_get_current_comm", BTF_KIND_FUNC) < 0)
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(helpers); i++)
		if (btf__find_by_name_kind(btf, helpers[i].function, BTF_KIND_FUNC) >= 0)
			return;
	for (unsigned int i = 0; i < ARRAY_SIZE(helpers); i++)
		*helper_lacks(object, &helpers[i]) = true;
}

static int helpers_lacked(const struct object *object)
{
	return object->no_sk_storage + object->no_cookie + object->no_task_btf;
}

/*
 * Load one hook's program alone, to learn whether it is the one that is refused, and why. `log` has
 * LOG_BYTES, and is empty.
 */
static int hook_try_once(struct object *object, struct probe_hook *hook, char *log, bool *ret_again)
{
	_cleanup_(skeleton_freep) struct netlog_bpf *skeleton = NULL;
	const char *words;
	int r;

	skeleton = object_open(object, hook, (size_t)getpagesize());
	if (!skeleton)
		return -errno;
	bpf_program__set_log_buf(program_of(skeleton, hook), log, LOG_BYTES);
	libbpf_words[0] = 0;
	r = netlog_bpf__load(skeleton);
	*ret_again = false;
	if (r == 0 || error_is_ours(r))
		return r;
	words = last_words(log);
	*ret_again = helper_forgone(object, words);
	if (!*ret_again)
		hook_fail(hook, r, words ?: libbpf_words);
	return 0;
}

static int hook_try(struct object *object, struct probe_hook *hook)
{
	_cleanup_free_ char *log = malloc(LOG_BYTES);
	bool again = true;
	int r = 0;

	if (!log)
		return -ENOMEM;
	while (r == 0 && again) {
		log[0] = 0;
		r = hook_try_once(object, hook, log, &again);
	}
	return r;
}

/* -ENODATA: there is none. -EBADMSG: there is something that cannot be understood. */
static int kernel_btf_check(void)
{
	_cleanup_(btf_freep) struct btf *btf = btf__load_vmlinux_btf();

	if (btf || error_is_ours(-errno))
		return 0;
	return access(KERNEL_BTF_PATH, F_OK) == 0 ? -EBADMSG : -ENODATA;
}

/* Of the same way into the kernel, such as fentry: what stands before the section's slash. */
static bool same_way(const struct probe_hook *a, const struct probe_hook *b)
{
	size_t length = strcspn(a->section, "/");

	return length == strcspn(b->section, "/") && !strncmp(a->section, b->section, length);
}

static bool way_known(const struct object *object, const struct probe_hook *hook)
{
	for (const struct probe_hook *other = object->ladder.hooks; other < hook; other++)
		if (other->desc->rung == 1 && same_way(other, hook))
			return true;
	return false;
}

/* Where there are none, loading them would be for nothing, and loading all again costs much. */
static void kprobes_check(struct object *object)
{
	if (access(KPROBES_PATH, F_OK) == 0)
		return;
	for (unsigned int i = 0; i < object->ladder.hook_count; i++)
		if (!strncmp(object->ladder.hooks[i].section, "kprobe/", strlen("kprobe/")))
			hook_fail(&object->ladder.hooks[i], -ENOENT, "the kernel has no kprobes");
}

/* Does the kernel's BTF lack the tracepoint? Each one is known there by a type of this name. */
static bool tracepoint_absent(const struct btf *btf, const char *section)
{
	static const char way[] = "tp_btf/";
	char name[64];

	if (strncmp(section, way, strlen(way)) != 0)
		return false;
	snprintf(name, sizeof(name), "btf_trace_%s", section + strlen(way));
	return btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF) < 0;
}

/*
 * Tracepoints that are younger than the kernel, as some are than those of Debian 12, would make the
 * load of all fail at its end.
 */
static void tracepoints_check(struct object *object, const struct btf *btf)
{
	/* in the order of the rungs: with a rung that is out, the next one is in use */
	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		struct probe_hook *hook = &object->ladder.hooks[i];

		if (hook_in_use(&object->ladder, hook) && tracepoint_absent(btf, hook->section))
			hook_fail(hook, -ENOENT, NULL);
	}
}

/* What the kernel's BTF tells beforehand. Where there is none, loading will tell. */
static void kernel_check(struct object *object)
{
	_cleanup_(btf_freep) struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return;
	tracepoints_check(object, btf);
	helpers_check(object, btf);
}

/*
 * Of each way into the kernel that is a part's first rung, one hook is tried by itself: where a
 * policy refuses it (EPERM), it refuses all others of that way. Returns whether there is one, or an
 * error.
 */
static int ways_try(struct object *object)
{
	bool refused = false;

	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		struct probe_hook *hook = &object->ladder.hooks[i];
		int r;

		if (hook->error || hook->desc->rung != 1 || way_known(object, hook) ||
		    !strncmp(hook->section, "tp_btf/", strlen("tp_btf/")))
			continue;
		r = hook_try(object, hook);
		if (r < 0)
			return r;
		refused |= hook->error != 0;
		for (unsigned int k = i + 1; hook->error == -EPERM && k < object->ladder.hook_count;
		     k++)
			if (same_way(hook, &object->ladder.hooks[k]))
				hook_fail(&object->ladder.hooks[k], -EPERM, NULL);
	}
	return refused;
}

/* Learn which of the hooks in use are refused. Returns whether anything is new, or an error. */
static int hooks_try(struct object *object)
{
	const int lacked = helpers_lacked(object);
	bool failed = false;

	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		struct probe_hook *hook = &object->ladder.hooks[i];
		int r;

		if (!hook_in_use(&object->ladder, hook))
			continue;
		r = hook_try(object, hook);
		if (r < 0)
			return r;
		/* that concerns all: perhaps nothing else is wrong */
		if (helpers_lacked(object) != lacked)
			return true;
		failed |= hook->error != 0;
	}
	return failed;
}

/* The hooks' sections, which the object knows. */
static int sections_read(struct object *object)
{
	object->skeleton = object_open(object, NULL, object->config.ring_bytes);
	if (!object->skeleton)
		return -errno;
	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		struct probe_hook *hook = &object->ladder.hooks[i];

		snprintf(hook->section, sizeof(hook->section), "%s",
			 bpf_program__section_name(program_of(object->skeleton, hook)));
	}
	return 0;
}

/*
 * Where a load that faults could not be mended, programs are given none, and so no pointers that
 * come from loads: what hangs on a socket is found by the socket's address, as on kernels that
 * cannot hang anything on one.
 */
static void loads_check(struct object *object)
{
	if (!extable_mends(&object->caution))
		object->no_sk_storage = object->no_task_btf = true;
}

/* All hooks in use at once. `log` gets the words of a program that is refused. */
static int hooks_load(struct object *object, char *log)
{
	netlog_bpf__destroy(object->skeleton);
	object->skeleton = object_open(object, NULL, object->config.ring_bytes);
	if (!object->skeleton)
		return -errno;
	log[0] = 0;
	for (unsigned int i = 0; i < object->ladder.hook_count; i++)
		bpf_program__set_log_buf(object_program(object, &object->ladder.hooks[i]), log,
					 LOG_BYTES);
	libbpf_words[0] = 0;
	return netlog_bpf__load(object->skeleton);
}

/* The hook in use of whose program libbpf has spoken; NULL if it spoke of none. */
static struct probe_hook *hook_named(struct object *object)
{
	const char *name = strstr(libbpf_words, "prog '");

	if (!name)
		return NULL;
	name += strlen("prog '");
	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		struct probe_hook *hook = &object->ladder.hooks[i];
		size_t length = strlen(hook->desc->program);

		if (!strncmp(name, hook->desc->program, length) && name[length] == '\'' &&
		    hook_in_use(&object->ladder, hook))
			return hook;
	}
	return NULL;
}

/*
 * Something has been refused. Find out what, from the cheapest guess to each hook by itself: every
 * object that is loaded goes through the kernel's whole BTF. Returns whether another try is worth
 * it, or an error.
 */
static int refusal_find(struct object *object, int error, char *log)
{
	struct probe_hook *named = hook_named(object); /* before other loads have their own words */
	const char *words = last_words(log);
	int r;

	if (helper_forgone(object, words))
		return true;
	if (named && words) {
		hook_fail(named, error, words);
		return true;
	}
	r = kernel_btf_check();
	if (r < 0)
		return r;
	if (!object->ways_tried) {
		object->ways_tried = true;
		r = ways_try(object);
		if (r)
			return r;
	}
	/* without a word it may also be that all together are too much */
	r = named ? hook_try(object, named) : 0;
	if (r < 0 || (named && named->error))
		return r < 0 ? r : true;
	return hooks_try(object);
}

/*
 * Load all at once, which nearly always works. Where it does not, find out what is refused, and
 * load what is left, with what takes its place.
 */
int object_load(struct object *object)
{
	_cleanup_free_ char *log = malloc(LOG_BYTES);
	int error, r;

	if (!log)
		return -ENOMEM;
	if (!object->skeleton) {
		r = sections_read(object);
		if (r < 0)
			return r;
		loads_check(object);
		kprobes_check(object);
		kernel_check(object);
	}
	for (;;) {
		ladder_settle(&object->ladder);
		if (!object->ladder.events)
			return kernel_btf_check();
		error = hooks_load(object, log);
		if (!error || error_is_ours(error))
			return error;
		r = refusal_find(object, error, log);
		if (r <= 0)
			return r ?: error;
	}
}
