// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel/probe.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "bpf/config.h"
#include "bpf/sample.h"
#include "kernel/load.h"
#include "netlog.skel.h"

#define PROGRAMS_PAUSE_US 20000

struct probe {
	struct object object;
	struct ring_buffer *ring;
	unsigned int cpus;	/* numbers of CPUs are below this */
	struct figures skipped; /* calls that the kernel has skipped, when it was last asked */
	struct filter *outputs; /* mapped: the outputs' filters, in two copies; NULL: none ever */
	size_t outputs_bytes;
	/* the arguments of the drain under way */
	bool (*handle)(void *context, const void *record, size_t size);
	void *context;
	unsigned int drained, budget;
	bool emptied; /* the last drain has left the ring empty */
};

/*
 * Wait until programs that are running now have ended. They run inside RCU read-side sections, and
 * the oldest command of membarrier(2) waits for all of these. If it is refused (nohz_full) or waits
 * for nothing (one CPU: kernel/sched/membarrier.c), a pause has to do.
 */
static void programs_wait(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0 ||
	    sysconf(_SC_NPROCESSORS_ONLN) == 1)
		usleep(PROGRAMS_PAUSE_US);
}

/*
 * Convert limits to units of `unit_ns`, rounding up: a whole number of units is at least, or below,
 * a part of one exactly when it is so of the next whole one. Nothing is above UINT64_MAX: no limit.
 */
static void limits_put(struct limits *mapped, const struct threshold *threshold, uint64_t unit_ns)
{
	uint64_t least = (threshold->least + unit_ns - 1) / unit_ns;
	uint64_t below = threshold->below ? (threshold->below + unit_ns - 1) / unit_ns : UINT64_MAX;

	__atomic_store_n(&mapped->least, least, __ATOMIC_RELAXED);
	__atomic_store_n(&mapped->below, below, __ATOMIC_RELAXED);
}

static void outputs_put(struct probe *probe, __u32 generation, const struct probe_outputs *outputs)
{
	struct filter_takers takers = {};

	for (unsigned int i = 0; i < FILTER_OUTPUTS; i++) {
		const struct filter_set *set = outputs->of[i].filters;

		for_each_event_type(type)
			if (outputs->of[i].events & BIT(type))
				takers.of[type] |= 1U << i;
		if (!set || !probe->outputs)
			continue;
		probe->outputs[generation % 2 * FILTER_OUTPUTS + i] = set->filter;
		takers.asks[i] = set->filter.active;
		takers.asked |= set->filter.active;
	}
	probe->object.skeleton->bss->takers[generation % 2] = takers;
}

/*
 * A program uses one of two copies of the filters from its beginning to its end. So the other copy
 * is filled, once no program that began before the last change is left, and then put in force.
 */
static void filters_put(struct probe *probe, const struct filter *filter,
			const struct probe_outputs *outputs)
{
	struct netlog_bpf__bss *bss = probe->object.skeleton->bss;
	__u32 generation = bss->settings.generation + 1;

	programs_wait();
	bss->filters[generation % 2] = *filter;
	bss->filters[generation % 2].generation = generation;
	outputs_put(probe, generation, outputs);
	__atomic_store_n(&bss->settings.generation, generation, __ATOMIC_RELEASE);
}

static void sampling_set(struct settings *mapped, const struct probe_settings *settings)
{
	for_each_event_type(type) {
		uint64_t one_in = settings->sample.of[type];
		uint64_t per_second = settings->max_rate.of[type];

		__atomic_store_n(&mapped->one_in[type], one_in ? (uint32_t)one_in : 1,
				 __ATOMIC_RELAXED);
		__atomic_store_n(&mapped->pace_ns[type],
				 per_second ? pace_interval_ns(per_second) : 0, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&mapped->adaptive, settings->adaptive, __ATOMIC_RELAXED);
}

void probe_set(struct probe *probe, const struct probe_settings *settings,
	       const struct probe_outputs *outputs)
{
	struct settings *mapped = &probe->object.skeleton->bss->settings;

	__atomic_store_n(&mapped->events_off, ~(settings->events.bits & outputs_events(outputs)),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&mapped->rtt_interval_ns, settings->rtt_interval_us * NSEC_PER_USEC,
			 __ATOMIC_RELAXED);
	for_each_event_type(type) {
		__atomic_store_n(&mapped->values_off[type], ~settings->choices[type].bits,
				 __ATOMIC_RELAXED);
		if (measure_units_ns[type])
			limits_put(&mapped->limits[type], &settings->limits_ns[type],
				   measure_units_ns[type]);
	}
	filters_put(probe, &settings->filters.filter, outputs);
	sampling_set(mapped, settings);
}

uint32_t probe_generation(const struct probe *probe)
{
	return probe->object.skeleton->bss->settings.generation;
}

static void outputs_unmap(struct probe *probe)
{
	if (probe->outputs)
		munmap(probe->outputs, probe->outputs_bytes);
	probe->outputs = NULL;
}

/* Map the outputs' filters, if the loaded object has room for them. */
static int outputs_map(struct probe *probe)
{
	const struct bpf_map *map = probe->object.skeleton->maps.output_filters;
	void *mapped;

	outputs_unmap(probe);
	if (bpf_map__max_entries(map) < 2 * FILTER_OUTPUTS)
		return 0;
	/* elements of an array are rounded up to eight bytes, which these already are */
	probe->outputs_bytes = 2 * FILTER_OUTPUTS * sizeof(struct filter);
	mapped = mmap(NULL, probe->outputs_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(map), 0);
	if (mapped == MAP_FAILED)
		return -errno;
	probe->outputs = mapped;
	return 0;
}

_Static_assert(sizeof(struct filter) % 8 == 0, "it is a whole element of an array");

/* Load and attach. If a hook cannot be attached, load everything again with its replacement. */
static int hooks_set_up(struct probe *probe)
{
	for (;;) {
		int r = object_load(&probe->object);

		if (r < 0)
			return r;
		if (probe->object.skeleton->bss) {
			r = outputs_map(probe);
			if (r < 0)
				return r;
			probe_set(probe, probe->object.config.settings,
				  probe->object.config.outputs);
		}
		if (object_attach(&probe->object)) {
			/* after attaching, so that nothing is missed in between */
			object_iterate(&probe->object);
			return 0;
		}
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
	/* it fails only with on_sample()'s result, and an empty ring does not call that */
	probe->emptied = ring_buffer__consume(probe->ring) >= 0;
	return probe->drained;
}

/*
 * The next event_submit() sees the doorbell and signals. One that looked just before the doorbell
 * was raised does not, but its record is in the ring by then, so the caller's next poll of
 * probe_fd() sees it: ringbuf_map_poll(), kernel/bpf/ringbuf.c. That is so if the reservation is
 * ordered before the look at the doorbell (x86); elsewhere the caller should look once more, a
 * little later.
 */
void probe_sleep(struct probe *probe)
{
	__atomic_store_n(&probe->object.skeleton->bss->doorbell, 1, __ATOMIC_SEQ_CST);
}

int probe_fd(const struct probe *probe)
{
	return bpf_map__fd(probe->object.skeleton->maps.ring);
}

/*
 * The kernel counts the calls that __bpf_trace_run() skips because the program is already running
 * on this CPU. The program may have ignored some of these calls, so this is an upper bound of the
 * events that were missed.
 */
static int skipped_count(struct probe *probe)
{
	const struct ladder *ladder = &probe->object.ladder;
	struct figures skipped = {};

	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		const struct probe_hook *hook = &ladder->hooks[i];
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (!hook_at_work(hook) || !ladder_makes_lines(ladder, hook) || hook->desc->counted)
			continue;
		if (bpf_obj_get_info_by_fd(bpf_program__fd(object_program(&probe->object, hook)),
					   &info, &size) < 0)
			return -errno;
		skipped.of[hook->desc->event] += info.recursion_misses;
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
	const struct counters *counters = probe->object.skeleton->bss->counters;
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
			sum.sampled_out.of[type] +=
				__atomic_load_n(&c->sampled_out[type], __ATOMIC_RELAXED);
		}
		sum.produced.of[type] += probe->skipped.of[type];
		sum.missed.of[type] += probe->skipped.of[type];
	}
	*ret_figures = sum;
}

/*
 * The kernel side lowers its shift only when an event comes. If none comes and the ring is empty,
 * the next event will find that as much time has passed as we do. While the output takes nothing,
 * nobody calls this: hence the peak.
 */
unsigned int probe_pressure(struct probe *probe)
{
	struct netlog_bpf__bss *mapped = probe->object.skeleton->bss;
	uint32_t peak = __atomic_exchange_n(&mapped->pressure.peak, 0, __ATOMIC_RELAXED);
	uint64_t since_ns = __atomic_load_n(&mapped->pressure.since_ns, __ATOMIC_RELAXED);
	uint32_t shift = __atomic_load_n(&mapped->pressure.shift, __ATOMIC_RELAXED);
	uint64_t now_ns = clock_boot_ns();

	if (!mapped->settings.adaptive)
		return 0;
	if (probe->emptied)
		shift = pressure_lowered(shift, now_ns > since_ns ? now_ns - since_ns : 0);
	return peak > shift ? peak : shift;
}

/* ---- the whole ---- */

/* The highest possible CPU number plus one, from a list such as 0-3,8-11. */
static unsigned int cpus_count(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
	unsigned int last = COUNTER_CPUS - 1;
	char list[4096], *digits;

	if (file && fgets(list, sizeof(list), file) && strchr(list, '\n')) { /* complete */
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
	libbpf_keep_words();
	probe->cpus = cpus_count();
	object_init(&probe->object, config);
	r = hooks_set_up(probe);
	if (r < 0)
		return r;
	if (probe->object.ladder.events) {
		probe->ring = ring_buffer__new(probe_fd(probe), on_sample, probe, NULL);
		if (!probe->ring)
			return -errno;
	}
	r = probe->object.ladder.events ? 0 : -ENOTSUP;
	*ret_probe = probe;
	probe = NULL;
	return r;
}

void probe_detach(struct probe *probe)
{
	object_detach(&probe->object);
	programs_wait(); /* one may still be running on another CPU after its link is gone */
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	outputs_unmap(probe);
	ring_buffer__free(probe->ring);
	object_done(&probe->object);
	free(probe);
}

const struct probe_hook *probe_hooks(const struct probe *probe, unsigned int *ret_count)
{
	*ret_count = probe->object.ladder.hook_count;
	return probe->object.ladder.hooks;
}

uint64_t probe_events(const struct probe *probe)
{
	return probe->object.ladder.events;
}

const char *probe_caution(const struct probe *probe)
{
	return probe->object.caution;
}

uint64_t probe_choice(const struct probe *probe, enum event_type type)
{
	return probe->object.ladder.choices[type];
}
