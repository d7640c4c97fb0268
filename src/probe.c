// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "../bpf/config.h"
#include "netlog.skel.h"

#define HOOKS_MAX 64
#define LOG_BYTES 65536
#define DETACH_PAUSE_US 20000

struct probe {
	struct probe_config config;
	struct netlog_bpf *skeleton;
	struct ring_buffer *ring;
	struct probe_hook hooks[HOOKS_MAX];
	struct bpf_link *links[HOOKS_MAX]; /* of the hooks that are attached */
	unsigned int hook_count;
	uint64_t events;
	bool no_sk_storage, no_cookie; /* see struct config */
	unsigned int cpus;	       /* numbers of CPUs are below this */
	struct figures skipped;	       /* what the kernel counted as missed, when last asked */
	/* of the drain that is going on */
	bool (*handle)(void *context, const void *record, size_t size);
	void *context;
	unsigned int drained, budget;
};

/* ---- what libbpf says, kept for the reason of a refusal instead of printed ---- */

static char libbpf_words[512];

static int keep_words(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_WARN && !libbpf_words[0])
		vsnprintf(libbpf_words, sizeof(libbpf_words), format, arguments);
	return 0;
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
	free(hook->reason);
	if (asprintf(&hook->reason, "%s%s%s", text, more ? ": " : "", more ? words : "") < 0)
		hook->reason = NULL;
	if (hook->reason)
		hook->reason[strcspn(hook->reason, "\n")] = 0;
}

/* ---- choosing ---- */

static bool hook_wanted(const struct probe_config *config, const struct hook_desc *desc)
{
	int stage = enum_by_text(kind_stage, desc->part);

	if (!(config->settings.events & BIT(desc->event)))
		return false;
	return desc->event != event_latency || stage < 0 || config->settings.stages & BIT(stage);
}

static void hooks_choose(struct probe *probe)
{
	for_each_event_type(type) {
		const struct event_desc *event = event_desc(type);

		for (unsigned int i = 0; i < event->hook_count; i++) {
			const struct hook_desc *desc = &event->hooks[i];

			if (hook_wanted(&probe->config, desc) && probe->hook_count < HOOKS_MAX)
				probe->hooks[probe->hook_count++].desc = desc;
		}
	}
}

static bool same_part(const struct hook_desc *a, const struct hook_desc *b)
{
	return a->event == b->event && !strcmp(a->part, b->part);
}

/* Does the whole rung stand that the hook belongs to? */
static bool rung_stands(const struct probe *probe, const struct hook_desc *desc)
{
	for (unsigned int i = 0; i < probe->hook_count; i++) {
		const struct probe_hook *hook = &probe->hooks[i];

		if (same_part(hook->desc, desc) && hook->desc->rung == desc->rung &&
		    hook->desc->role != role_extra && hook->error)
			return false;
	}
	return true;
}

/* The rung that serves the part: the first one that stands; 0 if there is none. */
static unsigned int rung_of_part(const struct probe *probe, const struct hook_desc *part)
{
	unsigned int best = 0;

	for (unsigned int i = 0; i < probe->hook_count; i++) {
		const struct hook_desc *desc = probe->hooks[i].desc;

		if (same_part(desc, part) && (!best || desc->rung < best) &&
		    rung_stands(probe, desc))
			best = desc->rung;
	}
	return best;
}

static bool hook_in_use(const struct probe *probe, const struct probe_hook *hook)
{
	return !hook->error && hook->desc->rung == rung_of_part(probe, hook->desc);
}

/*
 * An event is served when a part that makes its lines stands, and all that it cannot do without. Of
 * one that is not, the other hooks would work for nothing: they go, too.
 */
static void events_settle(struct probe *probe)
{
	uint64_t served = 0, broken = 0;

	for (unsigned int i = 0; i < probe->hook_count; i++) {
		struct probe_hook *hook = &probe->hooks[i];

		hook->served = rung_of_part(probe, hook->desc);
		hook->standby = !hook->error && !hook_in_use(probe, hook);
		if (hook->served && hook->desc->role == role_lines)
			served |= BIT(hook->desc->event);
		if (!hook->served && hook->desc->role == role_required)
			broken |= BIT(hook->desc->event);
	}
	probe->events = served & ~broken;
	for (unsigned int i = 0; i < probe->hook_count; i++) {
		struct probe_hook *hook = &probe->hooks[i];

		if (hook->error || hook->standby || probe->events & BIT(hook->desc->event))
			continue;
		hook_fail(hook, -ECANCELED, "useless without the event's other hooks");
		bpf_link__destroy(probe->links[i]);
		probe->links[i] = NULL;
	}
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

/*
 * An object that will load the hooks in use, or only the one `only`, if it is not NULL. NULL, with
 * errno, when there is none to be had.
 */
static struct netlog_bpf *object_open(const struct probe *probe, const struct probe_hook *only,
				      size_t ring_bytes)
{
	struct netlog_bpf *skeleton = netlog_bpf__open();
	struct bpf_program *program;

	if (!skeleton)
		return NULL;
	bpf_object__for_each_program(program, skeleton->obj)
		bpf_program__set_autoload(program, false);
	for (unsigned int i = 0; i < probe->hook_count; i++) {
		const struct probe_hook *hook = &probe->hooks[i];

		program = program_of(skeleton, hook);
		if (!program) { /* a test compares the schema's hooks with the programs built */
			netlog_bpf__destroy(skeleton);
			errno = ENOENT;
			return NULL;
		}
		bpf_program__set_autoload(program, only ? only == hook : hook_in_use(probe, hook));
	}
	skeleton->rodata->config.tick_ns = probe->config.tick_ns;
	skeleton->rodata->config.no_sk_storage = probe->no_sk_storage;
	skeleton->rodata->config.no_cookie = probe->no_cookie;
	bpf_map__set_max_entries(skeleton->maps.ring, (__u32)ring_bytes);
	return skeleton;
}

/* These say nothing about the program, but that we cannot go on. */
static bool error_is_ours(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

/*
 * Is what the verifier refuses a helper that the programs can do without? Then they do, from now
 * on, and the hook is worth another try.
 */
static bool helper_forgone(struct probe *probe, const char *words)
{
	bool *lacks = NULL;

	if (words && strstr(words, "unknown func bpf_sk_storage_get"))
		lacks = &probe->no_sk_storage;
	else if (words && strstr(words, "unknown func bpf_get_socket_cookie"))
		lacks = &probe->no_cookie;
	if (!lacks || *lacks)
		return false;
	*lacks = true;
	return true;
}

/*
 * Load one hook's program alone, to learn whether it is the one that is refused, and why. `log` has
 * LOG_BYTES of zeros.
 */
static int hook_try_once(struct probe *probe, struct probe_hook *hook, char *log, bool *ret_again)
{
	_cleanup_(skeleton_freep) struct netlog_bpf *skeleton = NULL;
	const char *words;
	int r;

	skeleton = object_open(probe, hook, (size_t)getpagesize());
	if (!skeleton)
		return -errno;
	bpf_program__set_log_buf(program_of(skeleton, hook), log, LOG_BYTES);
	libbpf_words[0] = 0;
	r = netlog_bpf__load(skeleton);
	*ret_again = false;
	if (r == 0 || error_is_ours(r))
		return r;
	words = last_words(log);
	*ret_again = helper_forgone(probe, words);
	if (!*ret_again)
		hook_fail(hook, r, words ?: libbpf_words);
	return 0;
}

static int hook_try(struct probe *probe, struct probe_hook *hook)
{
	_cleanup_free_ char *log = malloc(LOG_BYTES);
	bool again = true;
	int r = 0;

	if (!log)
		return -ENOMEM;
	while (r == 0 && again) {
		memset(log, 0, LOG_BYTES);
		r = hook_try_once(probe, hook, log, &again);
	}
	return r;
}

static bool kernel_has_btf(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool none = !btf && (errno == ENOENT || errno == ESRCH);

	btf__free(btf);
	return !none;
}

/* Where there is a lower rung, the higher one is tried by itself: that it fails is no surprise. */
static int ladders_try(struct probe *probe)
{
	for (unsigned int i = 0; i < probe->hook_count; i++) {
		struct probe_hook *hook = &probe->hooks[i];
		bool last = true;
		int r = 0;

		for (unsigned int k = 0; k < probe->hook_count; k++)
			last &= !same_part(probe->hooks[k].desc, hook->desc) ||
				probe->hooks[k].desc->rung <= hook->desc->rung;
		if (!last && !hook->error)
			r = hook_try(probe, hook);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Learn which of the hooks in use are refused. Returns whether there are any, or an error. */
static int hooks_try(struct probe *probe)
{
	const bool storage = probe->no_sk_storage, cookie = probe->no_cookie;
	bool failed = false;

	for (unsigned int i = 0; i < probe->hook_count; i++) {
		struct probe_hook *hook = &probe->hooks[i];
		int r;

		if (!hook_in_use(probe, hook))
			continue;
		r = hook_try(probe, hook);
		if (r < 0)
			return r;
		failed |= hook->error != 0;
	}
	return failed || probe->no_sk_storage != storage || probe->no_cookie != cookie;
}

/*
 * Load all at once, which nearly always works. Where it does not, try each alone, and load what is
 * left without those that failed, with what takes their place.
 */
static int hooks_load(struct probe *probe)
{
	int error, r;

	if (!kernel_has_btf())
		return -ENODATA;
	r = ladders_try(probe);
	if (r < 0)
		return r;
	for (;;) {
		events_settle(probe);
		netlog_bpf__destroy(probe->skeleton);
		probe->skeleton = object_open(probe, NULL, probe->config.ring_bytes);
		if (!probe->skeleton)
			return -errno;
		if (!probe->events)
			return 0;
		error = netlog_bpf__load(probe->skeleton);
		if (!error || error_is_ours(error))
			return error;
		r = hooks_try(probe);
		if (r <= 0)
			return r ?: error;
	}
}

void probe_set(struct probe *probe, const struct probe_settings *settings)
{
	struct settings *mapped = &probe->skeleton->bss->settings;

	__atomic_store_n(&mapped->events_off, ~settings->events, __ATOMIC_RELAXED);
	__atomic_store_n(&mapped->stages_off, ~settings->stages, __ATOMIC_RELAXED);
	__atomic_store_n(&mapped->rtt_interval_ns, settings->rtt_interval_us * NSEC_PER_USEC,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&mapped->min_latency_ns, settings->min_latency_us * NSEC_PER_USEC,
			 __ATOMIC_RELAXED);
}

static void links_destroy(struct probe *probe)
{
	for (unsigned int i = 0; i < probe->hook_count; i++) {
		bpf_link__destroy(probe->links[i]);
		probe->links[i] = NULL;
	}
}

/* Returns whether all hooks in use could be attached. */
static bool hooks_attach(struct probe *probe)
{
	bool all = true;

	for (unsigned int i = 0; i < probe->hook_count; i++) {
		struct probe_hook *hook = &probe->hooks[i];
		struct bpf_program *program = program_of(probe->skeleton, hook);

		hook->section = bpf_program__section_name(program);
		if (hook->error || hook->standby)
			continue;
		libbpf_words[0] = 0;
		probe->links[i] = bpf_program__attach(program);
		if (probe->links[i])
			continue;
		hook_fail(hook, -errno, libbpf_words);
		all = false;
	}
	return all;
}

/* Load and attach; where a hook cannot be attached, all is loaded again with what replaces it. */
static int hooks_set_up(struct probe *probe)
{
	for (;;) {
		int r = hooks_load(probe);

		if (r < 0)
			return r;
		if (probe->skeleton->bss)
			probe_set(probe, &probe->config.settings);
		if (hooks_attach(probe))
			return 0;
		links_destroy(probe);
	}
}

/* ---- the ring ---- */

static int on_sample(void *context, void *record, size_t size)
{
	struct probe *probe = context;

	probe->drained++;
	if (!probe->handle(probe->context, record, size))
		return -ECANCELED;
	return probe->drained < probe->budget ? 0 : -EAGAIN;
}

unsigned int probe_drain(struct probe *probe, unsigned int budget,
			 bool (*handle)(void *context, const void *record, size_t size),
			 void *context)
{
	probe->handle = handle;
	probe->context = context;
	probe->drained = 0;
	probe->budget = budget;
	ring_buffer__consume(probe->ring); /* fails only with what on_sample() returns */
	return probe->drained;
}

/*
 * The next event_submit() sees the doorbell and signals. One that looked just before it was raised
 * does not, but has its record in the ring by then, and the caller's next poll of probe_fd(), which
 * follows, sees that: ringbuf_map_poll(), kernel/bpf/ringbuf.c. So it is where the reservation is
 * ordered before the look at the doorbell (x86); elsewhere the caller should look once more, a
 * little later.
 */
void probe_sleep(struct probe *probe)
{
	__atomic_store_n(&probe->skeleton->bss->doorbell, 1, __ATOMIC_SEQ_CST);
}

int probe_fd(const struct probe *probe)
{
	return bpf_map__fd(probe->skeleton->maps.ring);
}

/*
 * __bpf_trace_run() skips a program that is at work on this CPU already, and counts that. Of a
 * program that chooses, some of these would have made no event: an upper bound. Retransmits are
 * counted by TCP itself, see bpf/retransmit.bpf.c.
 */
static int skipped_count(struct probe *probe)
{
	struct figures skipped = {};

	for (unsigned int i = 0; i < probe->hook_count; i++) {
		const struct hook_desc *desc = probe->hooks[i].desc;
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (probe->hooks[i].error || probe->hooks[i].standby || desc->role != role_lines ||
		    desc->event == event_retransmit)
			continue;
		if (bpf_obj_get_info_by_fd(
			    bpf_program__fd(program_of(probe->skeleton, &probe->hooks[i])), &info,
			    &size) < 0)
			return -errno;
		skipped.of[desc->event] += info.recursion_misses;
	}
	probe->skipped = skipped;
	return 0;
}

int probe_check(struct probe *probe)
{
	return skipped_count(probe);
}

void probe_figures(struct probe *probe, bool thorough, struct probe_figures *ret_figures)
{
	const struct counters *counters = probe->skeleton->bss->counters;
	struct probe_figures sum = {};

	if (thorough)
		skipped_count(probe);
	for_each_event_type(type) {
		for (unsigned int cpu = 0; cpu < probe->cpus; cpu++) {
			const struct counters *c = &counters[cpu];

			sum.produced.of[type] +=
				__atomic_load_n(&c->produced[type], __ATOMIC_RELAXED);
			sum.lost.of[type] += __atomic_load_n(&c->lost[type], __ATOMIC_RELAXED);
			sum.missed.of[type] += __atomic_load_n(&c->missed[type], __ATOMIC_RELAXED);
		}
		sum.produced.of[type] += probe->skipped.of[type];
		sum.missed.of[type] += probe->skipped.of[type];
	}
	*ret_figures = sum;
}

/* ---- the whole ---- */

/* One more than the highest number a CPU may have, from a list such as 0-3,8-11. */
static unsigned int cpus_count(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
	unsigned int last = COUNTER_CPUS - 1;
	char list[4096], *digits;

	if (file && fgets(list, sizeof(list), file)) {
		list[strcspn(list, "\n")] = 0;
		digits = list + strlen(list);
		while (digits > list && digits[-1] >= '0' && digits[-1] <= '9')
			digits--;
		if (*digits)
			last = (unsigned int)strtoul(digits, NULL, 10);
	}
	if (file)
		fclose(file);
	return last < COUNTER_CPUS ? last + 1 : COUNTER_CPUS;
}

int probe_new(const struct probe_config *config, struct probe **ret_probe)
{
	_cleanup_(probe_freep) struct probe *probe = calloc(1, sizeof(*probe));
	int r;

	if (!probe)
		return -ENOMEM;
	libbpf_set_print(keep_words);
	probe->config = *config;
	probe->cpus = cpus_count();
	hooks_choose(probe);
	r = hooks_set_up(probe);
	if (r < 0)
		return r;
	if (probe->events) {
		probe->ring = ring_buffer__new(probe_fd(probe), on_sample, probe, NULL);
		if (!probe->ring)
			return -errno;
	}
	r = probe->events ? 0 : -ENOTSUP;
	*ret_probe = probe;
	probe = NULL;
	return r;
}

/*
 * A program may still be at work on another CPU when its link has gone. It works inside an RCU
 * read-side section, and membarrier(2)'s oldest command waits for all of these. Where that is
 * refused (nohz_full), a pause has to do.
 */
void probe_detach(struct probe *probe)
{
	links_destroy(probe);
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
		usleep(DETACH_PAUSE_US);
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	links_destroy(probe);
	ring_buffer__free(probe->ring);
	netlog_bpf__destroy(probe->skeleton);
	for (unsigned int i = 0; i < probe->hook_count; i++)
		free(probe->hooks[i].reason);
	free(probe);
}

const struct probe_hook *probe_hooks(const struct probe *probe, unsigned int *ret_count)
{
	*ret_count = probe->hook_count;
	return probe->hooks;
}

uint64_t probe_events(const struct probe *probe)
{
	return probe->events;
}
