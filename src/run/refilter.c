// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/refilter.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "base/log.h"
#include "run/reload.h"

#define CGROUP_LOOKS_A_SECOND 5

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

/*
 * Look up the cgroups of all filters. Returns whether anything changed; *ret_wrong as in
 * filter_look_up().
 */
static bool filters_look_up(struct refilter *refilter, char **ret_wrong, int *ret_error)
{
	struct filter_set *set;
	bool changed = false;

	*ret_wrong = NULL;
	*ret_error = 0;
	for (unsigned int i = 0; (set = filters_number(refilter->options, i)); i++) {
		/* watch first, so that the look misses none */
		int r = filter_watch(set, refilter->inotify);
		char *missing;

		changed |= filter_look_up(set, &missing);
		*ret_error = r < 0 ? r : *ret_error;
		if (!missing)
			continue;
		free(*ret_wrong);
		*ret_wrong = missing;
	}
	return changed;
}

/* Filter by the cgroups that --cgroup and --unit mean now. */
static void filters_refresh(struct refilter *refilter)
{
	_cleanup_free_ char *wrong = NULL;
	int r;
	bool changed = filters_look_up(refilter, &wrong, &r);

	if (r < 0 && r != refilter->logged)
		log_warning("cannot watch the cgroups of --cgroup and --unit (inotify: %s): SIGHUP "
			    "finds those that are there by then%s",
			    strerror(-r),
			    r == -ENOSPC ? "; sysctl fs.inotify.max_user_watches allows more" : "");
	refilter->logged = r;
	if (!changed)
		return;
	kernel_set(refilter->probe, refilter->options, refilter->output);
	log_info("cgroups of --cgroup or --unit have come or gone, and been looked up anew%s%s",
		 wrong ? ": " : "", wrong ?: "");
}

/* Whichever cgroup has changed, all are looked up. */
static int on_cgroups(sd_event_source *source, int fd, uint32_t events, void *context)
{
	char names[4096];

	(void)source;
	(void)events;
	while (read(fd, names, sizeof(names)) > 0)
		;
	filters_refresh(context);
	return 0;
}

void refilter_update(struct refilter *refilter)
{
	if (refilter->inotify >= 0)
		filters_refresh(refilter);
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
	r = sd_event_add_io(refilter->loop, &source, refilter->inotify, EPOLLIN, on_cgroups,
			    refilter);
	if (r < 0)
		return r;
	/* some hosts start containers, and so make cgroups, all the time */
	r = sd_event_source_set_ratelimit(source, USEC_PER_SEC, CGROUP_LOOKS_A_SECOND);
	sd_event_source_set_floating(source, true);
	sd_event_source_unref(source);
	if (r >= 0)
		filters_refresh(refilter);
	return r;
}

void refilter_done(struct refilter *refilter)
{
	cleanup_close(&refilter->inotify);
}
