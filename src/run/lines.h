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
#include "output/output.h"
#include "output/recording.h"
#include "run/makers.h"
#include "schema/control.h"

struct lines {
	struct output *output;
	struct makers makers; /* of the output's bytes */
	struct origin origin; /* whose lines they are */
	struct names *names;  /* not owned; may be NULL */
	struct wall_clock clock;
	uint64_t seq;	 /* of the last line */
	uint64_t events; /* the types that are logged, as bits */
	struct figures emitted;
	struct figures broken;	/* records that are none we know: lost */
	struct figures unasked; /* records that nobody wants any more: no part of the run */
	uint64_t emitted_total;
};

#define CONTROL_LINE_MAX \
	32768 /* bytes of a control line in netlog's own format, newline included */

/*
 * Lines to an output without sinks, which is theirs: output_configure() it. They stay where they
 * are. -ENOMEM. The caller empties them with lines_done().
 */
int lines_init(struct lines *lines);
void lines_done(struct lines *lines);

/* Whose lines they are from now on: to be told before the first one, and when it is another. */
void lines_set_origin(struct lines *lines, const struct origin *origin);

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
 * An event or a control line of a recording: as it was in its run, with the number and the time
 * that it has there, to those that take it; an event of a type that is not among `events`, or that
 * no output takes, has no line. -EBADMSG: it is nothing that netlog writes; -ENOMEM.
 */
int lines_replay(struct lines *lines, const struct recording_item *recorded, uint32_t takers);

/* Begin a control line, stamped now; lines_end() writes it. Only while the output is ready. */
void lines_begin(struct lines *lines, struct control *control, enum control_type type);
/* -ENOMEM; -E2BIG when it is longer than CONTROL_LINE_MAX. It has no seq then. */
int lines_end(struct lines *lines, struct control *control);

#endif
