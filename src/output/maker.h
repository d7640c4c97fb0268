/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * maker.h - makers turn items into the bytes that sinks take: lines in a format, entries of the
 * journal, or a recording.
 *
 * Sinks know nothing of lines. They hold pieces (a line, a frame) one after the other, which must
 * stay whole, and ask the maker where a piece ends. Makers come from a struct maker_source, given
 * by whoever configures the output. Sinks with the same maker get the same bytes, which are made
 * once.
 */
#ifndef NETLOG_MAKER_H
#define NETLOG_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/spec.h"
#include "schema/item.h"

#define OUTPUT_LINE_MAX 49152 /* longest piece made of an item, names before it not counted */
#define PIECES_BUFFER \
	(256 * 1024) /* of what a sink's buffer holds, its maker's extra not counted */

struct maker;

struct maker_ops {
	/* Make a piece of the item at `p`; returns its length. 0: memory is short. */
	size_t (*make)(struct maker *maker, const struct item *item, char *p);
	/*
	 * Whose items follow; called before the first. Returns the length of the piece to be
	 * written about that, at most OUTPUT_LINE_MAX.
	 */
	size_t (*origin)(struct maker *maker, const struct origin *origin, char *p);
	void (*free)(struct maker *maker);

	/* Members from here on may be NULL if pieces are lines: text that ends with a newline. */

	/* The length of the piece at `p`. */
	size_t (*piece)(const char *p);
	/* Was this piece made of an item, rather than to go around items? */
	bool (*counts)(const char *p);
	/*
	 * A new file begins with the `length` bytes of pieces in a buffer of `size` bytes. Put what
	 * the file needs before them; the pieces may be made again. Returns the new length.
	 */
	size_t (*begin)(struct maker *maker, char *buffer, size_t length, size_t size);
	/* These whole pieces leave the buffer: they go to a file or are given up. */
	void (*leave)(struct maker *maker, const char *p, size_t length);
	size_t around; /* bytes of a sink's buffer reserved for pieces that go around items */
	size_t extra;  /* bytes that a sink's buffer has in addition, for the same purpose */
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
	/* Get the maker for such an output, and count one user more. -ENOMEM. */
	int (*get)(struct maker_source *source, const struct sink_spec *spec,
		   struct maker **ret_maker);
};

/* A maker of recordings (recording.h), for one sink. The caller puts it. -ENOMEM. */
int maker_recording_new(struct maker **ret_maker);

#endif
