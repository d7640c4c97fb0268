// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * refilter.c - a search for units goes through all cgroups of the host, of which anybody who has a
 * part of them can make thousands, again and again. So a thread makes it, on copies of the filters,
 * while the ring is drained; and it takes only a small part of the time.
 */
#include "run/refilter.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "run/reload.h"
#include "run/timer.h"

#define LOOK_PAUSE_NS (NSEC_PER_SEC / 5) /* at the least between two looks */
#define LOOK_SHARE 20			 /* they take one part of so many of a CPU */

/* Those of a configuration, and of each output. */
#define SETS_MAX (1 + OUTPUT_SINKS_MAX)

/* What the thread works on; it has nothing else but the descriptor of inotify, which stays. */
struct refilter_look {
	pthread_t thread;
	int done; /* an eventfd: it has finished */
	sd_event_source *source;
	int inotify;
	unsigned int count;
	struct filter_set *sets[SETS_MAX];
	bool stale;	 /* ours: the settings have changed since */
	int error;	 /* of filter_look_up()'s */
	char *wrong;	 /* NULL: nothing */
	uint64_t cpu_ns; /* that it took */
};

/* The filters for all outputs, then those of each output, from 0 on; NULL past the last. */
static struct filter_set *filters_number(struct options *options, unsigned int number)
{
	if (!number--)
		return &options->kernel.filters;
	for (unsigned int i = 0; i < options->output_count; i++)
		if (options->outputs[i].filters && !number--)
			return options->outputs[i].filters;
	return NULL;
}

/* ---- a look ---- */

static void *look_run(void *context)
{
	struct refilter_look *look = context;
	struct timespec cpu = {};

	for (unsigned int i = 0; i < look->count; i++) {
		char *wrong;
		int r = filter_look_up(look->sets[i], look->inotify, &wrong);

		if (r < 0 && !error_is_shortage(look->error))
			look->error = r;
		wrong_keep_first(&look->wrong, wrong);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	look->cpu_ns = (uint64_t)cpu.tv_sec * NSEC_PER_SEC + (uint64_t)cpu.tv_nsec;
	eventfd_write(look->done, 1);
	return NULL;
}

/* Its thread has ended, or there was none. */
static void look_free(struct refilter_look *look)
{
	if (!look)
		return;
	for (unsigned int i = 0; i < look->count; i++)
		free(look->sets[i]);
	sd_event_source_unref(look->source);
	cleanup_close(&look->done);
	free(look->wrong);
	free(look);
}
DEFINE_CLEANUP(struct refilter_look, look_free)

static int look_copy(struct refilter_look *look, struct options *options)
{
	struct filter_set *set;

	for (; (set = filters_number(options, look->count)); look->count++) {
		look->sets[look->count] = malloc(sizeof(*set));
		if (!look->sets[look->count])
			return -ENOMEM;
		*look->sets[look->count] = *set;
	}
	return 0;
}

static int on_look_done(sd_event_source *source, int fd, uint32_t events, void *context);

static int look_begin(struct refilter *refilter)
{
	_cleanup_(look_freep) struct refilter_look *look = calloc(1, sizeof(*look));
	int r;

	if (!look)
		return -ENOMEM;
	look->inotify = refilter->inotify;
	look->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = look->done < 0 ? -errno : look_copy(look, refilter->options);
	if (r >= 0)
		r = sd_event_add_io(refilter->loop, &look->source, look->done, EPOLLIN,
				    on_look_done, refilter);
	if (r >= 0)
		r = -pthread_create(&look->thread, NULL, look_run, look);
	if (r < 0)
		return r;
	refilter->look = look;
	look = NULL;
	return 0;
}

/* The thread's work, once it has ended. */
static struct refilter_look *look_end(struct refilter *refilter)
{
	struct refilter_look *look = refilter->look;

	refilter->look = NULL;
	if (look)
		pthread_join(look->thread, NULL);
	return look;
}

/* ---- what a look has found ---- */

/* Whoever names his own cgroups like a unit does not bend the filter, but that is worth a line. */
static void asides_tell(struct filter_set *set, const struct filter_set *found)
{
	for (unsigned int i = 0; i < set->count; i++) {
		_cleanup_free_ char *notice = filter_notice(found, i);
		struct filter_value *value = &set->values[i];

		if (!notice || !found->values[i].aside || value->aside || value->told)
			continue;
		value->told = true;
		log_warning("%s", notice);
	}
}

/* Why a value matches nothing now; NULL: all match. */
static char *missing_text(struct options *options)
{
	struct filter_set *set;

	for (unsigned int k = 0; (set = filters_number(options, k)); k++)
		for (unsigned int i = 0; i < set->count; i++)
			if (set->values[i].missing)
				return filter_notice(set, i);
	return NULL;
}

static void look_tell_error(struct refilter *refilter, int error)
{
	if (error == -E2BIG && error != refilter->told)
		log_warning("there are more cgroups than are looked at for --unit: one may not be "
			    "found");
	else if (error < 0 && error != refilter->told)
		log_warning("cannot watch the cgroups of --cgroup and --unit (inotify: %s): SIGHUP "
			    "finds those that are there by then%s",
			    strerror(-error),
			    error == -ENOSPC ? "; sysctl fs.inotify.max_user_watches allows more" :
					       "");
	refilter->told = error;
}

static void look_want(struct refilter *refilter);

/* There was no look, or not a whole one: the filters stay as they are until there is. */
static void look_again(struct refilter *refilter, int error)
{
	if (error != refilter->told)
		log_warning("cannot look the cgroups of --cgroup and --unit up: %s; those that "
			    "are known stay, and it is tried again each second",
			    strerror(-error));
	refilter->told = error;
	refilter->next_ns = clock_boot_ns() + NSEC_PER_SEC;
	look_want(refilter);
}

static void look_take(struct refilter *refilter, const struct refilter_look *look)
{
	_cleanup_free_ char *missing = NULL;
	struct filter_set *set;
	bool changed = false;

	for (unsigned int i = 0; i < look->count; i++) {
		set = filters_number(refilter->options, i);
		asides_tell(set, look->sets[i]);
		changed |= filter_look_up_take(set, look->sets[i]);
	}
	if (!changed)
		return;
	kernel_set(refilter->probe, refilter->options, refilter->output);
	missing = look->wrong ? NULL : missing_text(refilter->options);
	log_info("cgroups of --cgroup or --unit have come or gone, and been looked up anew%s%s",
		 look->wrong || missing ? ": " : "",
		 look->wrong	 ?:
			 missing ?:
				   "");
}

/* ---- when to look ---- */

static bool asks_for_cgroups(struct options *options)
{
	struct filter_set *set;

	for (unsigned int i = 0; (set = filters_number(options, i)); i++)
		if (set->filter.active & FILTER_OF_CGROUPS)
			return true;
	return false;
}

static void look_want(struct refilter *refilter)
{
	uint64_t now_ns = clock_boot_ns();
	int r;

	if (!asks_for_cgroups(refilter->options))
		return;
	refilter->wanted = true;
	if (refilter->look)
		return;
	if (now_ns < refilter->next_ns) {
		timer_set(refilter->due, (refilter->next_ns - now_ns) / NSEC_PER_USEC + 1);
		return;
	}
	refilter->wanted = false;
	r = look_begin(refilter);
	if (r < 0)
		look_again(refilter, r);
}

static int on_due(sd_event_source *source, uint64_t us, void *context)
{
	(void)source;
	(void)us;
	look_want(context);
	return 0;
}

static int on_look_done(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct refilter *refilter = context;
	_cleanup_(look_freep) struct refilter_look *look = look_end(refilter);
	uint64_t pause_ns = LOOK_SHARE * look->cpu_ns;

	(void)source;
	(void)fd;
	(void)events;
	if (look->stale) {
		look_want(refilter);
		return 0;
	}
	if (error_is_shortage(look->error)) {
		look_again(refilter, look->error);
		return 0;
	}
	refilter->next_ns = clock_boot_ns() + (pause_ns > LOOK_PAUSE_NS ? pause_ns : LOOK_PAUSE_NS);
	look_tell_error(refilter, look->error);
	look_take(refilter, look);
	if (refilter->wanted)
		look_want(refilter);
	return 0;
}

/* Whichever cgroup has changed, all are looked up. */
static int on_cgroups(sd_event_source *source, int fd, uint32_t events, void *context)
{
	char names[4096];

	(void)source;
	(void)events;
	while (read(fd, names, sizeof(names)) > 0)
		;
	look_want(context);
	return 0;
}

void refilter_update(struct refilter *refilter)
{
	if (refilter->inotify < 0)
		return;
	if (refilter->look)
		refilter->look->stale = true;
	refilter->next_ns = 0;
	look_want(refilter);
}

int refilter_init(struct refilter *refilter)
{
	sd_event_source *source;
	int r;

	refilter->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (refilter->inotify < 0) {
		log_warning("cannot watch cgroups (inotify: %s): those of --cgroup and --unit are "
			    "looked up on SIGHUP only",
			    strerror(errno));
		return 0;
	}
	r = sd_event_add_time_relative(refilter->loop, &refilter->due, CLOCK_MONOTONIC, 0,
				       TIMER_ACCURACY_US, on_due, refilter);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(refilter->due, SD_EVENT_OFF);
	r = sd_event_add_io(refilter->loop, &source, refilter->inotify, EPOLLIN, on_cgroups,
			    refilter);
	if (r < 0)
		return r;
	/* hosts that start containers all the time make cgroups all the time */
	r = sd_event_source_set_ratelimit(source, USEC_PER_SEC, NSEC_PER_SEC / LOOK_PAUSE_NS);
	sd_event_source_set_floating(source, true);
	sd_event_source_unref(source);
	if (r >= 0)
		look_want(refilter);
	return r;
}

void refilter_done(struct refilter *refilter)
{
	look_free(look_end(refilter));
	sd_event_source_unref(refilter->due);
	cleanup_close(&refilter->inotify);
}
