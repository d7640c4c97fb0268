/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * maker.h - who makes the bytes that sinks take: lines in a format, entries of the journal, or a
 * recording.
 *
 * Sinks know nothing of lines: they hold pieces (a line, a frame), one behind the other, that must
 * stay whole, and ask the maker where one ends. Who configures the output hands the makers in, as
 * struct maker_source. Sinks that have the same maker get the same bytes, which are made once.
 */
#ifndef NETLOG_MAKER_H
#define NETLOG_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/spec.h"
#include "schema/item.h"

#define OUTPUT_LINE_MAX 49152 /* bytes of what is made of an item; names before it not counted */
#define PIECES_BUFFER \
	(256 * 1024) /* of what a sink's buffer holds, its maker's extra not counted */

struct maker;

struct maker_ops {
	/* What is made of the item, at `p`; its length. 0: memory is short. */
	size_t (*make)(struct maker *maker, const struct item *item, char *p);
	/*
	 * Whose items come from now on, told before the first one; what is to be written of that,
	 * of OUTPUT_LINE_MAX at the most.
	 */
	size_t (*origin)(struct maker *maker, const struct origin *origin, char *p);
	void (*free)(struct maker *maker);

	/* What is NULL from here on is as it is of lines: text, each piece with a newline at its
	 * end. */

	/* The length of the piece that begins at `p`. */
	size_t (*piece)(const char *p);
	/* Is it what is made of an item, and not what goes around that? */
	bool (*counts)(const char *p);
	/*
	 * A new file begins with these pieces, which lie in a buffer of `size` bytes: put before
	 * them what it needs. They may be made anew; returns the new length.
	 */
	size_t (*begin)(struct maker *maker, char *buffer, size_t length, size_t size);
	/* These whole pieces leave the buffer for a file, or are given up. */
	void (*leave)(struct maker *maker, const char *p, size_t length);
	size_t around; /* bytes of a sink's buffer that are kept for what goes around items */
	size_t extra;  /* bytes that a sink's buffer has in addition, for the same */
};

/* The head of every maker. */
struct maker {
	const struct maker_ops *ops;
	unsigned int users;
};

static inline bool maker_makes_lines(const struct maker *maker)
{
	return !maker->ops->piece;
}

static inline void maker_put(struct maker *maker)
{
	if (maker && !--maker->users)
		maker->ops->free(maker);
}

struct maker_source {
	/* The maker for such an output, which is one user more. -ENOMEM. */
	int (*get)(struct maker_source *source, const struct sink_spec *spec,
		   struct maker **ret_maker);
};

/* A maker of recordings (recording.h), for one sink; the caller puts it. -ENOMEM. */
int maker_recording_new(struct maker **ret_maker);

#endif
