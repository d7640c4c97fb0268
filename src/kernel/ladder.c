// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel/ladder.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "bpf/config.h"
#include "kernel/extable.h"
#include "kernel/iterator.h"
#include "netlog.skel.h"

#define KPROBES_PATH "/sys/bus/event_source/devices/kprobe" /* since Linux 4.17 */
/*
 * Before Linux 6.4 the verifier fails with ENOSPC where its log does not fit, and what it refuses
 * stands at the end. Only what is written costs memory.
 */
#define LOG_BYTES (8 << 20)
#define SOCKETS_REMEMBERED 65536 /* where they cannot remember by themselves: bpf/memory.bpf.h */

/* ---- what libbpf says ---- */

static char libbpf_words[512];
static bool libbpf_aloud; /* NETLOG_DEBUG=libbpf: all it says goes to stderr, too */

static int keep_words(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (libbpf_aloud) {
		va_list same;

		va_copy(same, arguments);
		vfprintf(stderr, format, same);
		va_end(same);
	}
	if (level == LIBBPF_WARN && !libbpf_words[0])
		vsnprintf(libbpf_words, sizeof(libbpf_words), format, arguments);
	return 0;
}

void ladder_keep_words(void)
{
	const char *debug = secure_getenv("NETLOG_DEBUG");

	libbpf_aloud = debug && !strcmp(debug, "libbpf");
	libbpf_set_print(keep_words);
}

/* The last line of the verifier's log that is not its statistics; NULL if it said nothing. */
static char *last_words(char *log)
{
	char *last = NULL, *rest = log;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (line[0] && strncmp(line, "processed ", strlen("processed ")) != 0)
			last = line;
	return last;
}

/* `words`: what the kernel or libbpf said beyond the error's own text; NULL or "" for nothing. */
static void hook_fail(struct probe_hook *hook, int error, const char *words)
{
	const char *text = strerror(-error);
	bool more = words && words[0] && !strstr(words, text);

	hook->error = error;
	if (hook_absent(hook)) {
		text = "not in this kernel";
		more = false;
	}
	free(hook->reason);
	if (asprintf(&hook->reason, "%s%s%s", text, more ? ": " : "", more ? words : "") < 0)
		hook->reason = NULL;
	if (hook->reason)
		hook->reason[strcspn(hook->reason, "\n")] = 0;
}

/* ---- choosing ---- */

/*
 * The stages whose lines have this one's time: itself, and, inwards, those after it. So a stage is
 * timed also where it makes no lines.
 */
static uint64_t stages_told(int stage)
{
	static const int inwards[] = { stage_app, stage_tcp, stage_transport };
	uint64_t told = BIT(stage), later = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(inwards); i++) {
		later |= BIT(inwards[i]);
		if (inwards[i] == stage)
			told = later;
	}
	return told;
}

static bool hook_wanted(const struct probe_settings *settings, const struct hook_desc *desc)
{
	int stage = hook_stage(desc);

	if (desc->event == event_none)
		return settings->events.bits != 0;
	if (!(settings->events.bits & BIT(desc->event)))
		return false;
	return stage < 0 || settings->stages.bits & stages_told(stage);
}

bool ladder_makes_lines(const struct ladder *ladder, const struct probe_hook *hook)
{
	int stage = hook_stage(hook->desc);

	return hook->desc->role == role_lines && (stage < 0 || ladder->stages & BIT(stage));
}

static bool same_part(const struct hook_desc *a, const struct hook_desc *b)
{
	return a->event == b->event && !strcmp(a->part, b->part);
}

/* Does the whole rung stand that the hook belongs to? */
static bool rung_stands(const struct ladder *ladder, const struct hook_desc *desc)
{
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		const struct probe_hook *hook = &ladder->hooks[i];

		if (same_part(hook->desc, desc) && hook->desc->rung == desc->rung &&
		    hook->desc->role != role_extra && hook->error)
			return false;
	}
	return true;
}

/* The rung that serves the part: the first one that stands; 0 if there is none. */
static unsigned int rung_of_part(const struct ladder *ladder, const struct hook_desc *part)
{
	unsigned int best = 0;

	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		const struct hook_desc *desc = ladder->hooks[i].desc;

		if (same_part(desc, part) && (!best || desc->rung < best) &&
		    rung_stands(ladder, desc))
			best = desc->rung;
	}
	return best;
}

static bool hook_in_use(const struct ladder *ladder, const struct probe_hook *hook)
{
	return !hook->error && hook->desc->rung == rung_of_part(ladder, hook->desc);
}

/* Does the part make lines by itself? If not, the event's others rest on it. */
static bool part_has_lines(const struct ladder *ladder, const struct hook_desc *part)
{
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		const struct hook_desc *desc = ladder->hooks[i].desc;

		if (same_part(desc, part) && desc->role == role_lines)
			return true;
	}
	return false;
}

/*
 * An event is served when a part that makes its lines stands, and all that it cannot do without. Of
 * one that is not, the other hooks would work for nothing: they go, too.
 */
static void events_settle(struct ladder *ladder)
{
	uint64_t served = 0, broken = 0, useful;

	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];

		hook->served = rung_of_part(ladder, hook->desc);
		hook->standby = !hook->error && !hook_in_use(ladder, hook);
		if (hook->served && hook->desc->role == role_lines)
			served |= BIT(hook->desc->event);
		if (!hook->served && hook->desc->role == role_required &&
		    !part_has_lines(ladder, hook->desc))
			broken |= BIT(hook->desc->event);
	}
	ladder->events = served & ~broken;
	/* what serves all events is of use as long as there is one */
	useful = ladder->events | (ladder->events ? BIT(event_none) : 0);
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];

		if (hook_at_work(hook) && !(useful & BIT(hook->desc->event)))
			hook_fail(hook, -ECANCELED, "useless without the event's other hooks");
	}
}

static void hooks_add(struct ladder *ladder, const struct hook_desc *descs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (hook_wanted(ladder->config.settings, &descs[i]))
			ladder->hooks[ladder->hook_count++].desc = &descs[i];
}

void ladder_init(struct ladder *ladder, const struct probe_config *config)
{
	const struct hook_desc *common;
	unsigned int count;

	*ladder = (struct ladder){ .config = *config, .stages = config->settings->stages.bits };
	for_each_event_type(type)
		hooks_add(ladder, event_desc(type)->hooks, event_desc(type)->hook_count);
	common = hooks_common(&count);
	hooks_add(ladder, common, count);
}

/* ---- loading ---- */

static inline void skeleton_freep(struct netlog_bpf **skeleton)
{
	netlog_bpf__destroy(*skeleton);
}

static struct bpf_program *program_of(const struct netlog_bpf *skeleton,
				      const struct probe_hook *hook)
{
	return bpf_object__find_program_by_name(skeleton->obj, hook->desc->program);
}

struct bpf_program *ladder_program(const struct ladder *ladder, const struct probe_hook *hook)
{
	return program_of(ladder->skeleton, hook);
}

/*
 * An object that will load the hooks in use, or only the one `only`, if it is not NULL. NULL, with
 * errno, when there is none to be had.
 */
static struct netlog_bpf *object_open(struct ladder *ladder, const struct probe_hook *only,
				      size_t ring_bytes)
{
	struct netlog_bpf *skeleton = netlog_bpf__open();
	struct bpf_program *program;
	struct bpf_map *map;

	if (!skeleton)
		return NULL;
	bpf_object__for_each_program(program, skeleton->obj)
		bpf_program__set_autoload(program, false);
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];

		program = program_of(skeleton, hook);
		if (!program) { /* a test compares the schema's hooks with the programs built */
			netlog_bpf__destroy(skeleton);
			errno = ENOENT;
			return NULL;
		}
		bpf_program__set_autoload(program, only ? only == hook : hook_in_use(ladder, hook));
	}
	skeleton->rodata->config.tick_ns = ladder->config.tick_ns;
	skeleton->rodata->config.no_sk_storage = ladder->no_sk_storage;
	skeleton->rodata->config.no_cookie = ladder->no_cookie;
	skeleton->rodata->config.no_task_btf = ladder->no_task_btf;
	skeleton->rodata->config.no_loads = ladder->caution != NULL;
	skeleton->rodata->config.no_filter =
		ladder->config.filter_fixed && !ladder->config.settings->filters.filter.active;
	skeleton->rodata->config.no_output_filters =
		ladder->config.filter_fixed && !outputs_filter(ladder->config.outputs);
	if (!skeleton->rodata->config.no_output_filters)
		bpf_map__set_max_entries(skeleton->maps.output_filters, 2 * FILTER_OUTPUTS);
	skeleton->rodata->config.ring_sixteenth_bits = (__u32)__builtin_ctzll(ring_bytes) - 4;
	bpf_map__set_max_entries(skeleton->maps.ring, (__u32)ring_bytes);
	bpf_object__for_each_map(map, skeleton->obj)
		if (ladder->no_sk_storage && bpf_map__type(map) == BPF_MAP_TYPE_LRU_HASH)
			bpf_map__set_max_entries(map, SOCKETS_REMEMBERED);
	return skeleton;
}

/* These say nothing about the program, but that we cannot go on. */
static bool error_is_ours(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
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
	size_t lacks; /* offset of the ladder's flag */
} helpers[] = {
	{ "unknown func bpf_sk_storage_get", "bpf_sk_storage_get_tracing",
	  offsetof(struct ladder, no_sk_storage) },
	{ "unknown func bpf_get_socket_cookie", "bpf_get_socket_ptr_cookie",
	  offsetof(struct ladder, no_cookie) },
	/* BPF_FUNC_get_current_task_btf, which has no name where it is not */
	{ "invalid func unknown#158", "bpf_get_current_task_btf",
	  offsetof(struct ladder, no_task_btf) },
};

static bool *helper_lacks(struct ladder *ladder, const struct helper *helper)
{
	return (bool *)((char *)ladder + helper->lacks);
}

/*
 * Is what the verifier refuses a helper that the programs can do without? Then they do, from now
 * on, and the hook is worth another try.
 */
static bool helper_forgone(struct ladder *ladder, const char *words)
{
	for (unsigned int i = 0; words && i < ARRAY_SIZE(helpers); i++) {
		bool *lacks = helper_lacks(ladder, &helpers[i]);

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
static void helpers_check(struct ladder *ladder, const struct btf *btf)
{
	/* one that every kernel has: else this BTF does not tell of functions */
	if (btf__find_by_name_kind(btf, "bpf_get_current_comm", BTF_KIND_FUNC) < 0)
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(helpers); i++)
		if (btf__find_by_name_kind(btf, helpers[i].function, BTF_KIND_FUNC) >= 0)
			return;
	for (unsigned int i = 0; i < ARRAY_SIZE(helpers); i++)
		*helper_lacks(ladder, &helpers[i]) = true;
}

static int helpers_lacked(const struct ladder *ladder)
{
	return ladder->no_sk_storage + ladder->no_cookie + ladder->no_task_btf;
}

/*
 * Load one hook's program alone, to learn whether it is the one that is refused, and why. `log` has
 * LOG_BYTES, and is empty.
 */
static int hook_try_once(struct ladder *ladder, struct probe_hook *hook, char *log, bool *ret_again)
{
	_cleanup_(skeleton_freep) struct netlog_bpf *skeleton = NULL;
	const char *words;
	int r;

	skeleton = object_open(ladder, hook, (size_t)getpagesize());
	if (!skeleton)
		return -errno;
	bpf_program__set_log_buf(program_of(skeleton, hook), log, LOG_BYTES);
	libbpf_words[0] = 0;
	r = netlog_bpf__load(skeleton);
	*ret_again = false;
	if (r == 0 || error_is_ours(r))
		return r;
	words = last_words(log);
	*ret_again = helper_forgone(ladder, words);
	if (!*ret_again)
		hook_fail(hook, r, words ?: libbpf_words);
	return 0;
}

static int hook_try(struct ladder *ladder, struct probe_hook *hook)
{
	_cleanup_free_ char *log = malloc(LOG_BYTES);
	bool again = true;
	int r = 0;

	if (!log)
		return -ENOMEM;
	while (r == 0 && again) {
		log[0] = 0;
		r = hook_try_once(ladder, hook, log, &again);
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

static bool way_known(const struct ladder *ladder, const struct probe_hook *hook)
{
	for (const struct probe_hook *other = ladder->hooks; other < hook; other++)
		if (other->desc->rung == 1 && same_way(other, hook))
			return true;
	return false;
}

/* Where there are none, loading them would be for nothing, and loading all again costs much. */
static void kprobes_check(struct ladder *ladder)
{
	if (access(KPROBES_PATH, F_OK) == 0)
		return;
	for (unsigned int i = 0; i < ladder->hook_count; i++)
		if (!strncmp(ladder->hooks[i].section, "kprobe/", strlen("kprobe/")))
			hook_fail(&ladder->hooks[i], -ENOENT, "the kernel has no kprobes");
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
static void tracepoints_check(struct ladder *ladder, const struct btf *btf)
{
	/* in the order of the rungs: with a rung that is out, the next one is in use */
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];

		if (hook_in_use(ladder, hook) && tracepoint_absent(btf, hook->section))
			hook_fail(hook, -ENOENT, NULL);
	}
}

/* What the kernel's BTF tells beforehand. Where there is none, loading will tell. */
static void kernel_check(struct ladder *ladder)
{
	_cleanup_(btf_freep) struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return;
	tracepoints_check(ladder, btf);
	helpers_check(ladder, btf);
}

/*
 * Of each way into the kernel that is a part's first rung, one hook is tried by itself: where a
 * policy refuses it (EPERM), it refuses all others of that way. Returns whether there is one, or an
 * error.
 */
static int ways_try(struct ladder *ladder)
{
	bool refused = false;

	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];
		int r;

		if (hook->error || hook->desc->rung != 1 || way_known(ladder, hook) ||
		    !strncmp(hook->section, "tp_btf/", strlen("tp_btf/")))
			continue;
		r = hook_try(ladder, hook);
		if (r < 0)
			return r;
		refused |= hook->error != 0;
		for (unsigned int k = i + 1; hook->error == -EPERM && k < ladder->hook_count; k++)
			if (same_way(hook, &ladder->hooks[k]))
				hook_fail(&ladder->hooks[k], -EPERM, NULL);
	}
	return refused;
}

/* Learn which of the hooks in use are refused. Returns whether anything is new, or an error. */
static int hooks_try(struct ladder *ladder)
{
	const int lacked = helpers_lacked(ladder);
	bool failed = false;

	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];
		int r;

		if (!hook_in_use(ladder, hook))
			continue;
		r = hook_try(ladder, hook);
		if (r < 0)
			return r;
		/* that concerns all: perhaps nothing else is wrong */
		if (helpers_lacked(ladder) != lacked)
			return true;
		failed |= hook->error != 0;
	}
	return failed;
}

/* The hooks' sections, which the object knows. */
static int sections_read(struct ladder *ladder)
{
	ladder->skeleton = object_open(ladder, NULL, ladder->config.ring_bytes);
	if (!ladder->skeleton)
		return -errno;
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];

		snprintf(hook->section, sizeof(hook->section), "%s",
			 bpf_program__section_name(program_of(ladder->skeleton, hook)));
	}
	return 0;
}

/*
 * Where a load that faults could not be mended, programs are given none, and so no pointers that
 * come from loads: what hangs on a socket is found by the socket's address, as on kernels that
 * cannot hang anything on one.
 */
static void loads_check(struct ladder *ladder)
{
	if (!extable_mends(&ladder->caution))
		ladder->no_sk_storage = ladder->no_task_btf = true;
}

/* All hooks in use at once. `log` gets the words of a program that is refused. */
static int hooks_load(struct ladder *ladder, char *log)
{
	netlog_bpf__destroy(ladder->skeleton);
	ladder->skeleton = object_open(ladder, NULL, ladder->config.ring_bytes);
	if (!ladder->skeleton)
		return -errno;
	log[0] = 0;
	for (unsigned int i = 0; i < ladder->hook_count; i++)
		bpf_program__set_log_buf(ladder_program(ladder, &ladder->hooks[i]), log, LOG_BYTES);
	libbpf_words[0] = 0;
	return netlog_bpf__load(ladder->skeleton);
}

/* The hook in use of whose program libbpf has spoken; NULL if it spoke of none. */
static struct probe_hook *hook_named(struct ladder *ladder)
{
	const char *name = strstr(libbpf_words, "prog '");

	if (!name)
		return NULL;
	name += strlen("prog '");
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];
		size_t length = strlen(hook->desc->program);

		if (!strncmp(name, hook->desc->program, length) && name[length] == '\'' &&
		    hook_in_use(ladder, hook))
			return hook;
	}
	return NULL;
}

/*
 * Something has been refused. Find out what, from the cheapest guess to each hook by itself: every
 * object that is loaded goes through the kernel's whole BTF. Returns whether another try is worth
 * it, or an error.
 */
static int refusal_find(struct ladder *ladder, int error, char *log)
{
	struct probe_hook *named = hook_named(ladder); /* before other loads have their own words */
	const char *words = last_words(log);
	int r;

	if (helper_forgone(ladder, words))
		return true;
	if (named && words) {
		hook_fail(named, error, words);
		return true;
	}
	r = kernel_btf_check();
	if (r < 0)
		return r;
	if (!ladder->ways_tried) {
		ladder->ways_tried = true;
		r = ways_try(ladder);
		if (r)
			return r;
	}
	/* without a word it may also be that all together are too much */
	r = named ? hook_try(ladder, named) : 0;
	if (r < 0 || (named && named->error))
		return r < 0 ? r : true;
	return hooks_try(ladder);
}

/*
 * Load all at once, which nearly always works. Where it does not, find out what is refused, and
 * load what is left, with what takes its place.
 */
int ladder_load(struct ladder *ladder)
{
	_cleanup_free_ char *log = malloc(LOG_BYTES);
	int error, r;

	if (!log)
		return -ENOMEM;
	if (!ladder->skeleton) {
		r = sections_read(ladder);
		if (r < 0)
			return r;
		loads_check(ladder);
		kprobes_check(ladder);
		kernel_check(ladder);
	}
	for (;;) {
		events_settle(ladder);
		if (!ladder->events)
			return kernel_btf_check();
		error = hooks_load(ladder, log);
		if (!error || error_is_ours(error))
			return error;
		r = refusal_find(ladder, error, log);
		if (r <= 0)
			return r ?: error;
	}
}

/* ---- attaching ---- */

void ladder_detach(struct ladder *ladder)
{
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		bpf_link__destroy(ladder->links[i]);
		ladder->links[i] = NULL;
	}
}

bool ladder_attach(struct ladder *ladder)
{
	bool all = true;

	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];

		if (!hook_at_work(hook))
			continue;
		libbpf_words[0] = 0;
		ladder->links[i] = bpf_program__attach(ladder_program(ladder, hook));
		if (ladder->links[i])
			continue;
		hook_fail(hook, -errno, libbpf_words);
		all = false;
	}
	if (!all)
		ladder_detach(ladder);
	return all;
}

void ladder_iterate(struct ladder *ladder)
{
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];
		int r;

		if (!ladder->links[i] || strncmp(hook->section, "iter/", strlen("iter/")) != 0)
			continue;
		r = iterator_run(ladder->links[i]);
		bpf_link__destroy(ladder->links[i]);
		ladder->links[i] = NULL;
		if (r < 0)
			hook_fail(hook, r, NULL);
	}
}

void ladder_done(struct ladder *ladder)
{
	ladder_detach(ladder);
	netlog_bpf__destroy(ladder->skeleton);
	for (unsigned int i = 0; i < ladder->hook_count; i++)
		free(ladder->hooks[i].reason);
}
