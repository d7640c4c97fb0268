/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sink.h - a place where lines go.
 *
 * A sink takes whole lines into a bounded buffer, and writes them when it is flushed. It never
 * blocks: whatever the other end does not take stays in the buffer. While the buffer is full, the
 * output is not ready, and the caller leaves events in the ring, where the kernel counts those that
 * do not fit: a slow reader costs counted events, never memory. But a sink that fails, or stays
 * slow while others are not, is not waited for: it loses lines, and counts them. Each buffer has a
 * reserve for control lines, so that the line that reports a loss is not lost itself.
 *
 * A sink is in one of five states. Only sink_step() moves it from one to another: everything else
 * that writes, watches, waits or reports looks at the state, or at the step that was taken.
 */
#ifndef NETLOG_SINK_H
#define NETLOG_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"
#include "output/maker.h"

#define OUTPUT_RESERVE (32 * 1024) /* bytes of a sink's buffer that only control lines may use */
#define SINK_PATIENCE_NS (NSEC_PER_SEC / 10) /* for a slow sink, while others take lines */
#define SINK_NEVER UINT64_MAX

struct sink;
struct stat;

enum sink_state {
	SINK_FLOWING,  /* the last flush wrote all that it held */
	SINK_BEHIND,   /* the other end is slow; if the sink has no room, the ring waits for it */
	SINK_GIVEN_UP, /* behind for too long: it loses lines until all it holds is out */
	SINK_FAILING,  /* an error: it loses lines as well, and is tried again each second */
	SINK_GONE,     /* its reader has left, for good */
};

/* From one state to another, or the same twice. */
struct sink_step {
	enum sink_state from, to;
};

/* The operations of a kind of sink. */
struct sink_ops {
	/* The bytes that it has room for. */
	size_t (*room)(const struct sink *sink);
	/* Take a piece, for which there is room. NULL: the sink's buffer takes it. */
	void (*write)(struct sink *sink, const char *piece, size_t length);
	/*
	 * Make way, before anything is written: `move` moves an older recording, if it is to be
	 * moved. `begin` empties it, if not, and removes rotated files that are too many; it is
	 * called when all sinks have moved theirs, and nothing else can fail any more. NULL:
	 * nothing is in the way.
	 */
	int (*move)(struct sink *sink);
	int (*begin)(struct sink *sink);
	/* Write what it holds. 0: all is out. -EAGAIN: the other end is slow. Or an error. */
	int (*flush)(struct sink *sink);
	/*
	 * Open a file that may have been renamed again; on an error the old one stays. NULL: not
	 * needed.
	 */
	int (*reopen)(struct sink *sink);
	/* Adopt other parameters, from the next line on. NULL: it has none. */
	void (*configure)(struct sink *sink, const struct sink_spec *spec);
	/* The number of lines in its buffer. */
	size_t (*pending)(const struct sink *sink);
	/*
	 * The descriptor to watch until it is writable or its reader leaves; -EPERM: it cannot be
	 * watched.
	 */
	int (*fd)(const struct sink *sink);
	/* fstat(2) of what it writes to. NULL: to no file. */
	int (*status)(const struct sink *sink, struct stat *ret_status);
	/* Stop trying: pending lines stay pending. NULL: it does nothing between flushes. */
	void (*stop)(struct sink *sink);
	void (*free)(struct sink *sink);
	bool ends_run;	     /* the run is over when its reader has gone */
	uint64_t timeout_ns; /* it fails after taking nothing for so long; 0: never */
};

/* The head of every sink. */
struct sink {
	const struct sink_ops *ops;
	struct maker *maker;  /* it is one of its users */
	char *buffer;	      /* pieces, one after the other; NULL: `write` takes them */
	size_t end;	      /* bytes in the buffer */
	char *name;	      /* as the user wrote it, without parameters */
	uint64_t events;      /* types it takes, as bits; control lines (event_none) always */
	uint32_t bit;	      /* among an item's takers: see output_takers() */
	size_t room;	      /* bytes that it has room for, at least: flushing makes more */
	struct figures taken; /* lines that were handed to it */
	struct figures lost;  /* lines for which it had no room */
	enum sink_state state;
	struct sink_step step; /* taken by the last flush */
	bool tell;	       /* its state, as of the last flush, is to be reported */
	int error;	       /* why it is failing */
	uint64_t since_ns;     /* when it came into this state */
	uint64_t took_ns;      /* when it last took something, or was first found not to */
	uint64_t patience_ns;  /* how long it may be behind without room before it is given up */
	struct {
		struct figures lost; /* of `lost`, those reported as lines */
		int error;	     /* since it last flowed; -EAGAIN: given up */
		uint64_t at_ns;	     /* when any trouble was last reported */
	} reported;
};

/* Has it this much room? `room` saves a call for each line: only our own lines make it smaller. */
static inline bool sink_has_room(const struct sink *sink, size_t bytes)
{
	return sink->room >= bytes || sink->ops->room(sink) >= bytes;
}

/* Has the sink room for an event's line? */
static inline bool sink_ready(const struct sink *sink)
{
	return sink_has_room(sink, OUTPUT_LINE_MAX + OUTPUT_RESERVE);
}

/* Is this item for the sink? Everything that asks this uses this function. */
static inline bool sink_takes(const struct sink *sink, const struct item *item)
{
	return sink->events & BIT(item->type) && sink->bit & item->takers;
}

/* Can it take one more item of this type now? event_none: a control line. */
static inline bool sink_admits(struct sink *sink, enum event_type type)
{
	const size_t needed = OUTPUT_LINE_MAX + (type == event_none ? 0 : OUTPUT_RESERVE);

	if (sink->room < needed)
		sink->room = sink->ops->room(sink);
	return sink->room >= needed && sink->state != SINK_GONE;
}

/* Has the other end left something that it may take later? */
static inline bool sink_is_slow(const struct sink *sink)
{
	return sink->state == SINK_BEHIND || sink->state == SINK_GIVEN_UP;
}

/* Has it no room, and is it worth waiting for? */
static inline bool sink_is_waited_for(const struct sink *sink)
{
	return !sink_ready(sink) && sink->state <= SINK_BEHIND;
}

/* Where to make its next piece: in its buffer, if it has one. */
static inline char *sink_place(const struct sink *sink, char *spare)
{
	return sink->buffer ? sink->buffer + sink->end : spare;
}

/*
 * Take the piece made at sink_place(); sink_admits() must have agreed. Length 0: the piece could
 * not be made, and is lost.
 */
static inline void sink_take(struct sink *sink, enum event_type type, const char *made,
			     size_t length)
{
	if (__builtin_expect(!length, false)) {
		sink->lost.of[type]++;
		return;
	}
	if (sink->buffer)
		sink->end += length;
	else
		sink->ops->write(sink, made, length);
	/*
	 * with names before it, a piece may be longer than `room`: the buffer has extra bytes for
	 * these
	 */
	sink->room -= length < sink->room ? length : sink->room;
	sink->taken.of[type]++;
}

/* Take a piece that was made elsewhere. */
static inline void sink_put(struct sink *sink, enum event_type type, const char *made,
			    size_t length)
{
	if (sink->buffer)
		memcpy(sink->buffer + sink->end, made, length);
	sink_take(sink, type, made, length);
}

/* Results of a flush or a wait, besides 0 (all is out), -EAGAIN (nothing was taken) and errors. */
enum sink_result {
	SINK_TOOK_SOME = 1, /* and the rest is left */
	SINK_ENOUGH = 2,    /* we have decided to stop waiting */
};

/* Move to the next state. Nothing else writes `state`, `error`, `since_ns` and `took_ns`. */
struct sink_step sink_step(struct sink *sink, int result, uint64_t now_ns);

/* Write what it holds, as far as possible. `step` and `tell` say what has changed. */
void sink_flush(struct sink *sink, uint64_t now_ns);

/*
 * Open the sink that the specification describes, for pieces of this maker, of which it becomes a
 * user. A file that is there stays as it is until the sink makes way. -ENOMEM, or why it cannot be
 * opened.
 */
int sink_open(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink);
void sink_free(struct sink *sink);

/* Open one kind of sink. sink_open() adds the name and the maker. It is freed by its ops. */
int sink_stdout_open(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink);
int sink_file_open(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink);
int sink_file_check(const struct sink_spec *spec);
int sink_journald_open(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink);

#endif
