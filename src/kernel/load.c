// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel/load.h"

#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "kernel/extable.h"
#include "kernel/feature.h"
#include "netlog.skel.h"

/*
 * Before Linux 6.4 the verifier fails with ENOSPC if its log does not fit, and its refusal is at
 * the end. Only the part that is written costs memory.
 */
#define LOG_BYTES (8 << 20)

/* The last line of the verifier's log before its statistics; NULL if it said nothing. */
static char *last_words(char *log)
{
	char *last = NULL, *rest = log;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (line[0] && strncmp(line, "processed ", strlen("processed ")) != 0)
			last = line;
	return last;
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
 * Does the verifier refuse a feature that programs can do without? Then they do so from now on, and
 * the hook is worth another try.
 */
static bool feature_forgone(struct object *object, const char *words)
{
	int feature = words ? feature_refused(words) : -ENOENT;

	if (feature < 0 || object->lacks & BIT(feature))
		return false;
	object->lacks |= BIT(feature);
	return true;
}

/*
 * Load one hook's program alone, to learn whether this is the one that is refused, and why. `log`
 * has LOG_BYTES and is empty.
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
	if (r == 0 || error_is_shortage(r))
		return r;
	words = last_words(log);
	*ret_again = feature_forgone(object, words);
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

/*
 * -ENODATA: there is none. -EBADMSG: there is something that cannot be understood. -ENOMEM and its
 * like: it has not been read, which says nothing of it.
 */
static int kernel_btf_check(void)
{
	_cleanup_(btf_freep) struct btf *btf = btf__load_vmlinux_btf();
	int r;

	if (btf)
		return 0;
	/* libbpf looks at other places, too, and says only that there was none (ESRCH) */
	btf = btf__parse_raw(KERNEL_BTF_PATH);
	r = btf ? -ENOMEM : -errno; /* it can be had now: something was short */
	if (error_is_shortage(r))
		return r;
	return access(KERNEL_BTF_PATH, F_OK) == 0 ? -EBADMSG : -ENODATA;
}

static bool way_known(const struct object *object, const struct probe_hook *hook)
{
	for (const struct probe_hook *other = object->ladder.hooks; other < hook; other++)
		if (other->desc->rung == 1 && other->way == hook->way)
			return true;
	return false;
}

/* Apply what is known of the kernel beforehand. Without BTF, loading will tell. */
static void kernel_check(struct object *object)
{
	_cleanup_(btf_freep) struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return;
	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		struct probe_hook *hook = &object->ladder.hooks[i];

		if (hook->way->absent &&
		    hook->way->absent(btf, way_target(hook->way, hook->section)))
			hook_fail(hook, -ENOENT, NULL);
	}
	object->lacks |= features_unknown(btf);
}

/*
 * For each way into the kernel that is the first rung of a part, try one hook alone: a policy that
 * refuses it (EPERM) refuses all others of that way. Returns whether any way is refused, or an
 * error.
 */
static int ways_try(struct object *object)
{
	bool refused = false;

	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		struct probe_hook *hook = &object->ladder.hooks[i];
		int r;

		if (hook->error || hook->desc->rung != 1 || way_known(object, hook) ||
		    !hook->way->refusable)
			continue;
		r = hook_try(object, hook);
		if (r < 0)
			return r;
		refused |= hook->error != 0;
		for (unsigned int k = i + 1; hook->error == -EPERM && k < object->ladder.hook_count;
		     k++)
			if (object->ladder.hooks[k].way == hook->way)
				hook_fail(&object->ladder.hooks[k], -EPERM, NULL);
	}
	return refused;
}

/* Find out which of the hooks in use are refused. Returns whether anything is new, or an error. */
static int hooks_try(struct object *object)
{
	const uint64_t lacked = object->lacks;
	bool failed = false;

	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		struct probe_hook *hook = &object->ladder.hooks[i];
		int r;

		if (!hook_in_use(&object->ladder, hook))
			continue;
		r = hook_try(object, hook);
		if (r < 0)
			return r;
		/* the programs change for all hooks: perhaps nothing else is wrong */
		if (object->lacks != lacked)
			return true;
		failed |= hook->error != 0;
	}
	return failed;
}

/* Read the hooks' sections from the object. A test makes sure that they fit. */
static int sections_read(struct object *object)
{
	object->skeleton = object_open(object, NULL, object->config.ring_bytes);
	if (!object->skeleton)
		return -errno;
	for (unsigned int i = 0; i < object->ladder.hook_count; i++) {
		struct probe_hook *hook = &object->ladder.hooks[i];
		const char *section = bpf_program__section_name(program_of(object->skeleton, hook));

		hook->way = way_of_section(section);
		if (!hook->way || strlen(section) >= sizeof(hook->section))
			return -EOPNOTSUPP;
		strcpy(hook->section, section);
	}
	return 0;
}

/* If a load that faults could not be mended, have programs make none. */
static void loads_check(struct object *object)
{
	if (!extable_mends(&object->caution))
		object->lacks |= features_without(FEATURE(loads));
}

/* Load all hooks in use at once. `log` receives the verifier's words about a refused program. */
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

/* The hook in use whose program libbpf complained about; NULL: it named none. */
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
 * Something has been refused. Find out what, from the cheapest guess to trying each hook alone,
 * since loading an object takes a pass over the kernel's whole BTF. Returns whether another try is
 * worthwhile, or an error.
 */
static int refusal_find(struct object *object, int error, char *log)
{
	struct probe_hook *named = hook_named(object); /* before loads replace libbpf's words */
	const char *words = last_words(log);
	int r;

	if (feature_forgone(object, words))
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
	/* without a word, the programs together may also be too much */
	r = named ? hook_try(object, named) : 0;
	if (r < 0 || (named && named->error))
		return r < 0 ? r : true;
	return hooks_try(object);
}

/*
 * Load all at once, which nearly always works. If not, find out what is refused, and load the rest
 * with its replacements.
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
		kernel_check(object);
	}
	for (;;) {
		ladder_settle(&object->ladder);
		if (!object->ladder.events)
			return kernel_btf_check();
		error = hooks_load(object, log);
		if (!error || error_is_shortage(error))
			return error;
		r = refusal_find(object, error, log);
		if (r <= 0)
			return r ?: error;
	}
}
