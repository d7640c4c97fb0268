/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * way.h - the ways into the kernel, such as fentry: what a program's section begins with.
 */
#ifndef NETLOG_WAY_H
#define NETLOG_WAY_H

#include <stdbool.h>

struct btf;

struct way {
	const char *name; /* before the section's slash */
	/*
	 * Is it known beforehand that the kernel lacks the target, which stands behind the slash?
	 * `btf` is the kernel's. NULL: loading will tell.
	 */
	bool (*absent)(const struct btf *btf, const char *target);
	bool refusable; /* a policy may refuse it as a whole, and let programs of other ways in */
	bool iterates;	/* an iterator: it runs once, when all is attached */
	const char *advice; /* what would have it where the kernel lacks it; NULL: a newer kernel */
};

/* The way of a section such as tp_btf/tcp_probe; NULL: none that we know. */
const struct way *way_of_section(const char *section);

/* What stands behind the slash of a section of this way. */
const char *way_target(const struct way *way, const char *section);

#endif
