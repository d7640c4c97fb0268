/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe.h - the kernel side: which hooks there are, loading and attaching them, and the ring they
 * fill. Nobody else knows libbpf.
 */
#ifndef NETLOG_PROBE_H
#define NETLOG_PROBE_H

#include "base/util.h"
#include "kernel/hook.h"

struct probe;

/*
 * Load and attach the hooks that serve the wanted events. A hook that the kernel refuses is left
 * out, and told in probe_hooks(); the others go on. The caller frees the probe, which detaches.
 * -ENODATA: the kernel has no BTF; -EBADMSG: none that libbpf understands. -ENOTSUP: no wanted
 * event can be served; the probe is returned nevertheless, for the reasons. -ENOMEM, and any other
 * error of bpf(2) that is no hook's own.
 */
int probe_new(const struct probe_config *config, struct probe **ret_probe);
void probe_free(struct probe *probe);
DEFINE_CLEANUP(struct probe, probe_free)

/* The wanted hooks, in the order of the schema; owned by the probe. */
const struct probe_hook *probe_hooks(const struct probe *probe, unsigned int *ret_count);

/* The events that can be served, as bits. */
uint64_t probe_events(const struct probe *probe);

/*
 * What this kernel could come to harm by, so that the programs do without; a static text. NULL:
 * nothing.
 */
const char *probe_caution(const struct probe *probe);

/* The values of an event's choice that were wanted when the probe was made, as bits. */
uint64_t probe_choice(const struct probe *probe, enum event_type type);

/* From the next event on; each setting by itself, but all filters at once. */
void probe_set(struct probe *probe, const struct probe_settings *settings,
	       const struct probe_outputs *outputs);

/* That of the filters in force, which is the next one with each probe_set(): see FILTER_TAKERS(). */
uint32_t probe_generation(const struct probe *probe);

/* Becomes readable when there are records and the probe has been put to sleep. */
int probe_fd(const struct probe *probe);

/*
 * Hand records to `handle`, oldest first, at most `budget`, so that other work is not starved; it
 * may return false to stop after this one. Returns how many were handed over.
 */
unsigned int probe_drain(struct probe *probe, unsigned int budget,
			 bool (*handle)(void *context, const void *record, size_t size),
			 void *context);

/*
 * While awake, new records do not signal probe_fd(): the caller looks again by itself, soon.
 * Asleep, the next one does. A signal for every record would cost more than the record itself.
 */
void probe_sleep(struct probe *probe);

/* What the kernel side has counted since the probe was made. */
struct probe_figures {
	struct figures produced; /* events wanted, whether or not they became records */
	struct figures lost;	 /* of these, those for which the ring had no room */
	struct figures missed; /* of these, those that the kernel side has not seen, or not whole */
	struct figures sampled_out; /* events wanted, and left out by sampling: not produced */
	/*
	 * Not events, but how often a count had gone backwards, so that it does not tell how many
	 * were missed: TCP's of a connection, or one of those above. None is ever told that cannot
	 * be.
	 */
	struct figures refused;
};

/*
 * Cheap, but for what the kernel counts as missed by itself (a program that would have interrupted
 * itself): that takes a system call for each hook, and is asked for with `thorough`.
 */
void probe_figures(struct probe *probe, bool thorough, struct probe_figures *ret_figures);

/* With `adaptive`: of 2 to this many events one is kept, at the most since this was last asked. */
unsigned int probe_pressure(struct probe *probe);

/*
 * Can probe_figures() ask the kernel all that it asks? -EPERM without CAP_BPF before Linux 5.19,
 * where kernel.unprivileged_bpf_disabled closed all of bpf(2) and not only making and loading:
 * __sys_bpf(), kernel/bpf/syscall.c.
 */
int probe_check(struct probe *probe);

/* No more events, and none half made; those in the ring stay. */
void probe_detach(struct probe *probe);

#endif
