/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * way.h - the ways into the kernel, such as fentry: what a program's section begins with.
 */
#ifndef NETLOG_WAY_H
#define NETLOG_WAY_H

#include <stdbool.h>

struct btf;

struct way {
	const char *name; /* as before the section's slash */
	/*
	 * Is it known beforehand that the kernel lacks this target, the part after the slash? `btf`
	 * is the kernel's. NULL: loading will tell.
	 */
	bool (*absent)(const struct btf *btf, const char *target);
	bool refusable;	    /* a policy may refuse all programs of this way, and accept others */
	bool iterates;	    /* an iterator: it runs once, after everything is attached */
	const char *advice; /* what to do if the kernel lacks it; NULL: use a newer kernel */
};

/* The way of a section such as tp_btf/tcp_probe; NULL: unknown. */
const struct way *way_of_section(const char *section);

/* The part of the section after the slash. */
const char *way_target(const struct way *way, const char *section);

#endif
