/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lines.h - from records and figures to numbered lines, and the books that must balance.
 *
 * Every line of a run passes here and gets the next seq. For each event type,
 * produced = emitted + lost.
 */
#ifndef NETLOG_LINES_H
#define NETLOG_LINES_H

#include "base/clock.h"
#include "line/encode.h"
#include "output/output.h"
#include "schema/control.h"

struct lines {
	char *hostname;
	struct encoder *encoder;
	struct output *output; /* not owned */
	struct names *names;   /* the same; may be NULL */
	struct wall_clock clock;
	char *line;	 /* room for one, where the output has none */
	uint64_t seq;	 /* of the last line */
	uint64_t events; /* the types that are logged, as bits */
	struct figures emitted;
	struct figures broken;	/* records that are none we know: lost */
	struct figures unasked; /* records that nobody wants any more: no part of the run */
	uint64_t emitted_total;
};

/*
 * Lines that carry `hostname` and go to `output`, which outlives them. -ENOMEM, -E2BIG (hostname).
 * The caller empties them with lines_done().
 */
int lines_init(struct lines *lines, const char *hostname, struct output *output);
void lines_done(struct lines *lines);

/* Put these names into the lines; they outlive them. */
void lines_set_names(struct lines *lines, struct names *names);

/* To be called before records are drained: the clocks, and the names, may have changed. */
void lines_refresh(struct lines *lines);

/*
 * A record from the ring, of any bytes: to a line, or to the books: as broken, or as unasked where
 * it was made before the output that took such has gone. Returns whether the output is ready for
 * the next.
 */
bool lines_event(struct lines *lines, const void *record, size_t size);

/* A record from the ring that came after the last line that was asked for: no part of this run. */
void lines_unasked(struct lines *lines, const void *record, size_t size);

/*
 * An event of a recording: to its line, with the number and the time that it has there; a type that
 * is not among `events` has none, nor has one that no output takes. -EBADMSG: it is no record we
 * know.
 */
int lines_replay(struct lines *lines, const struct recording_item *event);

/* Begin a control line, stamped now; lines_end() writes it. Only while the output is ready. */
void lines_begin(struct lines *lines, struct control *control, enum control_type type);
/* -ENOMEM; -E2BIG when it is longer than OUTPUT_LINE_MAX. It has no seq then. */
int lines_end(struct lines *lines, struct control *control);

#endif
