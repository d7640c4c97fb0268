/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter.bpf.h - the filters on the kernel side: which copy is in force, and the questions that
 * need the kernel's own structures.
 *
 * A program takes the filter once, at its beginning, since user space may put the other copy in
 * force at any time. An event is wanted if flow_passes(), owner_passes() and ifname_passes() agree;
 * subject.bpf.h asks them.
 */
#ifndef NETLOG_FILTER_KERNEL_H
#define NETLOG_FILTER_KERNEL_H

#include "filter_match.h"
#include "owner.bpf.h"

extern struct filter filters[2];

/* Filters of single outputs, in two copies. object.c gives it room only if outputs have filters. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct filter);
} output_filters SEC(".maps") __weak;

__weak struct filter_takers takers[2] = {};

static __always_inline const struct filter *filter_in_force(void)
{
	return &filters[*(volatile __u32 *)&settings.generation & 1];
}

/* Which of these halves are set. Constant 0 if nothing will ever be filtered: see config.h. */
static __always_inline __u32 filter_asks(const struct filter *f, __u32 halves)
{
	return config.no_filter ? 0 : filter_active_of(f, halves);
}

/*
 * The id of the cgroup's ancestor at that level. The cgroup itself must be at that level or below.
 */
static __always_inline __u64 cgroup_ancestor_id(const struct cgroup *cgroup, __u32 level)
{
	const struct cgroup___ids *old = (const void *)cgroup;
	const struct cgroup *ancestor = NULL;
	__u64 id = 0;

	if (bpf_core_field_exists(cgroup->ancestors)) {
		bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
				      (const char *)cgroup + level * sizeof(ancestor) +
					      bpf_core_field_offset(cgroup->ancestors));
		return BPF_CORE_READ(ancestor, kn, id);
	}
	/* before 6.1 */
	bpf_probe_read_kernel(&id, sizeof(id),
			      (const char *)cgroup + level * sizeof(id) +
				      bpf_core_field_offset(old->ancestor_ids));
	return id;
}

#define FILTER_LOOK_DEFINE(name, parameters, ...)                               \
	__weak __noinline __u32 filter_look_##name parameters                   \
	{                                                                       \
		return filter_in_##name(&filters[generation & 1], __VA_ARGS__); \
	}
FILTER_LOOKS(FILTER_LOOK_DEFINE)

/* The bits of the filter's cgroups that `cgroup` is in; NULL is in none. */
static __always_inline __u32 filter_in_cgroups(const struct filter *f, const struct cgroup *cgroup)
{
	__u32 level = cgroup ? BPF_CORE_READ(cgroup, level) : 0;
	__u64 matched = 0;

	for (__u32 i = 0; cgroup && i < FILTER_CGROUPS && i < f->cgroup_count; i++) {
		const struct filter_cgroup *wanted = &f->cgroups[i];
		__u32 at = wanted->level & FILTER_LEVEL_MAX; /* the verifier needs a limit */

		if (at <= level)
			matched |= filter_if_zero(wanted->id ^ cgroup_ancestor_id(cgroup, at)) &
				   wanted->bits;
	}
	return matched;
}

/*
 * The same for the address of a struct cgroup, 0 for none, as a function of its own: FILTER_LOOKS.
 */
__weak __noinline __u32 filter_look_cgroups(__u32 generation, __u64 address)
{
	return filter_in_cgroups(&filters[generation & 1], (const void *)address);
}

/* ---- filters of outputs ---- */

/* The index in the map of an output's filter in this generation. */
static __always_inline __u32 output_place(__u32 generation, __u32 output)
{
	return (generation & 1) * FILTER_OUTPUTS + output;
}

static __always_inline const struct filter *output_filter(__u32 place)
{
	return bpf_map_lookup_elem(&output_filters, &place);
}

#define FILTER_QUESTION_DEFINE(name, halves, match)                                                \
	__weak __noinline __u32 output_match_##name(__u32 place, __u64 a, __u64 b, __u64 c,        \
						    __u64 d)                                       \
	{                                                                                          \
		const struct filter *f = output_filter(place);                                     \
                                                                                                   \
		(void)(a ^ b ^ c ^ d);                                                             \
		return f ? (match) : 0;                                                            \
	}                                                                                          \
	__weak __noinline __u32 filter_ask_##name(__u32 generation, __u64 a, __u64 b, __u64 c,     \
						  __u64 d)                                         \
	{                                                                                          \
		const struct filter_takers *t = &takers[generation & 1];                           \
                                                                                                   \
		if (!(t->asked & (halves)))                                                        \
			return 0;                                                                  \
		return FILTER_REFUSING(t, halves, output,                                          \
				       output_match_##name(output_place(generation, output), a, b, \
							   c, d));                                 \
	}
FILTER_QUESTIONS(FILTER_QUESTION_DEFINE)

/* The same for cgroups, by the address of a struct cgroup; 0: there is none. */
__weak __noinline __u32 output_match_cgroups(__u32 place, __u64 address)
{
	const struct filter *f = output_filter(place);

	return f ? filter_in_cgroups(f, (const void *)address) : 0;
}

__weak __noinline __u32 filter_ask_cgroups(__u32 generation, __u64 address)
{
	const struct filter_takers *t = &takers[generation & 1];

	if (!(t->asked & FILTER_OF_CGROUPS))
		return 0;
	return FILTER_REFUSING(t, FILTER_OF_CGROUPS, output,
			       output_match_cgroups(output_place(generation, output), address));
}

/* `sk`: the socket whose cgroup counts; NULL: none. */
static __always_inline bool flow_passes(const struct filter *f, const struct flow *flow,
					const struct sock *sk)
{
	if (!filter_asks(f, ~0U))
		return true;
	return filter_takes_flow(f, flow) &&
	       !FILTER_REFUSES(f, FILTER_OF_CGROUPS,
			       FILTER_LOOK(cgroups, f, sk ? (__u64)sock_cgroup(sk) : 0));
}

static __always_inline bool owner_passes(const struct filter *f, const struct owner *owner)
{
	return !filter_asks(f, FILTER_OF_OWNER) ||
	       filter_takes_owner(f, owner->pid, (const union filter_name *)owner->comm);
}

/* `dev` NULL: the event has no interface. */
static __always_inline bool ifname_passes(const struct filter *f, const struct net_device *dev)
{
	union filter_name name = {};

	if (!filter_asks(f, FILTER_BITS(filter_ifname)))
		return true;
	if (!dev)
		return !filter_asks(f, FILTER_BIT(filter_ifname, 0));
	/* bytes after the terminating NUL may be anything */
	bpf_probe_read_kernel_str(name.text, sizeof(name.text), dev->name);
	return filter_takes_ifname(f, &name);
}

static __always_inline bool within_limits(const struct limits *limits, __u64 value)
{
	return value >= limits->least && value < limits->below;
}

/* Is the value within the limits? The event has a row in MEASURES, which names the value's unit. */
#define measure_wanted(name, value) within_limits(&settings.limits[measure_of_##name], value)

#endif
