/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe.h - the kernel side: which hooks there are, loading and attaching them, and their ring.
 * Only src/kernel knows libbpf.
 */
#ifndef NETLOG_PROBE_H
#define NETLOG_PROBE_H

#include "base/util.h"
#include "kernel/hook.h"

struct probe;

/*
 * Load and attach the hooks that serve the wanted events. A hook that the kernel refuses is left
 * out, and probe_hooks() tells; the others go on. The caller frees the probe, which detaches.
 * -ENODATA: the kernel has no BTF; -EBADMSG: libbpf does not understand it. -ENOTSUP: no wanted
 * event can be served; the probe is returned all the same, for the reasons. -ENOMEM, and errors of
 * bpf(2) that are not about a hook.
 */
int probe_new(const struct probe_config *config, struct probe **ret_probe);
void probe_free(struct probe *probe);
DEFINE_CLEANUP(struct probe, probe_free)

/* The wanted hooks, in the order of the schema. They belong to the probe. */
const struct probe_hook *probe_hooks(const struct probe *probe, unsigned int *ret_count);

/* The events that are served, as bits. */
uint64_t probe_events(const struct probe *probe);

/*
 * The harm that this kernel could come to, and that programs avoid by doing without a feature; a
 * static text. NULL: none.
 */
const char *probe_caution(const struct probe *probe);

/* The values of an event's choice that were wanted when the probe was made, as bits. */
uint64_t probe_choice(const struct probe *probe, enum event_type type);

/* From the next event on. Settings change one by one, but all filters at once. */
void probe_set(struct probe *probe, const struct probe_settings *settings,
	       const struct probe_outputs *outputs);

/*
 * The generation of the filters in force, which each probe_set() increments: see FILTER_TAKERS().
 */
uint32_t probe_generation(const struct probe *probe);

/* Becomes readable if there are records and the probe has been put to sleep. */
int probe_fd(const struct probe *probe);

/*
 * Hand records to `handle`, oldest first, at most `budget`, so that other work is not starved. If
 * `handle` returns false, this was the last. Returns how many were handed over.
 */
unsigned int probe_drain(struct probe *probe, unsigned int budget,
			 bool (*handle)(void *context, const void *record, size_t size),
			 void *context);

/*
 * While the probe is awake, new records do not signal probe_fd(): the caller looks again soon, by
 * itself. Asleep, the next record does. Signalling every record would cost more than the record.
 */
void probe_sleep(struct probe *probe);

/* What the kernel side has counted since the probe was made. */
struct probe_figures {
	struct figures produced; /* events wanted, whether or not they became records */
	struct figures lost;	 /* of these, events for which the ring had no room */
	struct figures missed;	 /* of these, events that programs have not seen, or only in part */
	struct figures sampled_out; /* events wanted, and left out by sampling: not produced */
};

/*
 * Cheap, except for the calls that the kernel itself skips and counts (when a program would
 * interrupt itself): these take a system call for each hook, and are read only if `thorough`.
 */
void probe_figures(struct probe *probe, bool thorough, struct probe_figures *ret_figures);

/*
 * With `adaptive`: the highest `shift` since this was last called; one of 2^shift events is kept.
 */
unsigned int probe_pressure(struct probe *probe);

/*
 * Can probe_figures() read all that it needs? -EPERM without CAP_BPF before Linux 5.19, where
 * kernel.unprivileged_bpf_disabled closed all of bpf(2), not only making and loading: __sys_bpf(),
 * kernel/bpf/syscall.c.
 */
int probe_check(struct probe *probe);

/* No program runs after this. Records in the ring stay. */
void probe_detach(struct probe *probe);

#endif
