/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * half.h - one half of a filter, and how the text of a value is added to it.
 *
 * All functions that take or add a value return NULL on success, otherwise what is wrong and what
 * would do, which the caller frees.
 */
#ifndef NETLOG_FILTER_HALF_H
#define NETLOG_FILTER_HALF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"
#include "bpf/filter.h"

/* The networks of all halves, as they were given. */
struct filter_networks {
	unsigned int count;
	struct filter_network {
		struct filter_address first, last; /* both included */
		uint32_t bits;			   /* the half's bit */
	} of[FILTER_NETWORKS];
};

struct half {
	struct filter *filter;
	struct filter_networks *networks;
	enum filter_kind kind;
	bool negative;
	bool elsewhere; /* see struct filter_set */
	uint32_t bit;
};

/* One for each syntax in bpf/filter.h. */
char *take_networks(const struct half *half, const char *text);
char *take_ports(const struct half *half, const char *text);
char *take_protocols(const struct half *half, const char *text);
char *take_pids(const struct half *half, const char *text);
char *take_comm(const struct half *half, const char *text);
char *take_cgroup(const struct half *half, const char *text);
char *take_unit(const struct half *half, const char *text);
char *take_namespaces(const struct half *half, const char *text);
char *take_interfaces(const struct half *half, const char *text);

/* The unit's whole name, which a value of --unit need not be. The caller frees it. NULL: -ENOMEM. */
char *unit_name(const char *text);

/*
 * By their paths, however these are written: is the one cgroup the other, or below it? Is it one of
 * that unit's, or below one?
 */
bool cgroup_is_below(const char *path, const char *above);
bool cgroup_is_of_unit(const char *path, const char *value);

/*
 * Is a cgroup of this name the unit's? A service's is also that of its socket unit: what systemd
 * has made for it, and whatever it accepts from that, stays there.
 */
bool unit_is_named(const char *name, size_t length, const char *unit);

/* What to say where no more values fit. */
char *half_full(unsigned int most);

/* Call `take` for each value of a comma-separated list. */
char *half_take_each(const struct half *half, const char *text,
		     char *(*take)(const struct half *half, const char *text));

/*
 * Does the unit run, and is all of it below the cgroup of that path? Asks this host.
 */
bool unit_is_below(const char *text, const char *path);

char *half_add_number(const struct half *half, struct filter_numbers *list, uint32_t number);

/* As many bytes of `text` as the kernel keeps of a name. */
char *half_add_name(const struct half *half, struct filter_names *list, const char *text);

#endif
