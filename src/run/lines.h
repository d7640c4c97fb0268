/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lines.h - from records and figures to numbered lines, and the books that must balance.
 *
 * Every line of a run is made here and gets the next seq. For each event type, produced = emitted +
 * lost.
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
	struct makers makers; /* make the output's bytes */
	struct origin origin; /* whose lines they are */
	struct names *names;  /* not owned; may be NULL */
	struct wall_clock clock;
	uint64_t seq;	 /* of the last line */
	uint64_t events; /* types that are logged, as bits */
	struct figures emitted;
	struct figures undecodable; /* records that are none we know: lost */
	struct figures unasked;	    /* records that nobody wants any more: no part of the run */
	uint64_t emitted_total;
};

#define CONTROL_LINE_MAX \
	32768 /* bytes of a control line in netlog's own format, newline included */

/*
 * Lines to an output without sinks, which they own: call output_configure() on it. They must not be
 * moved. -ENOMEM. End them with lines_done().
 */
int lines_init(struct lines *lines);
void lines_done(struct lines *lines);

/* Whose lines they are from now on: to be told before the first one, and when it is another. */
void lines_set_origin(struct lines *lines, const struct origin *origin);

/* Write these names into the lines. They must outlive the lines. */
void lines_set_names(struct lines *lines, struct names *names);

/* To be called before records are drained: clock and names may have changed. */
void lines_refresh(struct lines *lines);

/*
 * Take a record from the ring, with any bytes. It becomes a line or is counted: as undecodable, or
 * as unasked if it was made for an output that is gone. Returns whether the output is ready for the
 * next.
 */
bool lines_event(struct lines *lines, const void *record, size_t size);

/* A record from the ring after the last line that --count asked for: not part of this run. */
void lines_unasked(struct lines *lines, const void *record, size_t size);

/* Which outputs' filters let an event pass, as bits; its names are those of names_of(). */
typedef uint32_t takers_function(const void *context, const struct event *event,
				 const char *const names[NAMED_NUMBERS_MAX]);

/*
 * Write an event or a control line of a recording to those that take it, with its seq and time in
 * the recorded run: of an event, `takers` is asked. Events of types that are not in `events`, or
 * that no output takes, have no line. -EBADMSG: netlog does not write such items; -ENOMEM.
 */
int lines_replay(struct lines *lines, const struct recording_item *recorded,
		 takers_function *takers, const void *context);

/* Begin a control line with the present time; lines_end() writes it. The output must be ready. */
void lines_begin(struct lines *lines, struct control *control, enum control_type type);
/* -ENOMEM; -E2BIG if it is longer than CONTROL_LINE_MAX. In both cases it gets no seq. */
int lines_end(struct lines *lines, struct control *control);

#endif
