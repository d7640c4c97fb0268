/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sink.h - one place where lines go.
 *
 * A sink takes whole lines into a bounded buffer and writes them when it is flushed. It never
 * blocks: what the other end does not take stays in the buffer. While the buffer is full the output
 * is not ready, and the caller leaves the events in the ring, where the kernel counts what does not
 * fit: a slow reader costs counted events, never memory. But a sink that fails, or that is slow for
 * long while others are not, is not waited for: it loses lines, and counts them. A reserve of each
 * buffer is kept for control lines: that a reader is slow must not cost it the line that says so.
 *
 * How a sink is doing is one of five states. sink_step() alone goes from one to another: who
 * writes, watches, waits or tells looks at the state, or at the step that was taken.
 */
#ifndef NETLOG_SINK_H
#define NETLOG_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"
#include "output/maker.h"

#define OUTPUT_RESERVE (32 * 1024) /* bytes of a sink's buffer that only control lines may take */
#define SINK_PATIENCE_NS (NSEC_PER_SEC / 10) /* with a slow sink, while others take lines */
#define SINK_NEVER UINT64_MAX

struct sink;

enum sink_state {
	SINK_FLOWING,  /* all that it held was out at the last flush */
	SINK_BEHIND,   /* the other end is slow; without room, the ring waits for it */
	SINK_GIVEN_UP, /* behind for too long: it loses lines, until all it holds is out */
	SINK_FAILING,  /* an error: the same, and it is tried again each second */
	SINK_GONE,     /* its reader has left, for good */
};

/* Before and after; the same two where nothing has changed. */
struct sink_step {
	enum sink_state from, to;
};

/* What a kind of sink can do. */
struct sink_ops {
	/* Bytes that it has room for. */
	size_t (*room)(const struct sink *sink);
	/* Take what was made of an item; only while there is room. NULL: its buffer takes it. */
	void (*write)(struct sink *sink, const char *piece, size_t length);
	/* Write what it holds: 0 when all is out, -EAGAIN when the other end is slow, or an error. */
	int (*flush)(struct sink *sink);
	/* Open anew what may have been renamed; the old one stays on an error. NULL: nothing to do.
	 */
	int (*reopen)(struct sink *sink);
	/* Take other parameters, from the next line on. NULL: it has none. */
	void (*configure)(struct sink *sink, const struct sink_spec *spec);
	/* Lines in its buffer. */
	size_t (*pending)(const struct sink *sink);
	/* To be watched for being writable, and for the reader's going; -EPERM: cannot be. */
	int (*fd)(const struct sink *sink);
	/* Try no more: what is pending stays so. NULL: it never does by itself. */
	void (*stop)(struct sink *sink);
	void (*free)(struct sink *sink);
	bool ends_run;	     /* when its reader has gone, there is nothing left to do */
	uint64_t timeout_ns; /* one that has taken nothing for so long fails; 0: it never does */
};

/* The head of every sink. */
struct sink {
	const struct sink_ops *ops;
	struct maker *maker;  /* of what it takes; it is one of its users */
	char *buffer;	      /* where pieces lie, one behind the other; NULL: `write` takes them */
	size_t end;	      /* bytes that it holds */
	char *name;	      /* as the user wrote it, without its parameters */
	uint64_t events;      /* types it takes, as bits; control lines (event_none) always */
	uint32_t bit;	      /* its own among takers: see output_takers() */
	size_t room;	      /* bytes that it has room for, at the least: flushing makes more */
	struct figures taken; /* lines that were handed to it */
	struct figures lost;  /* lines for which it had no room */
	enum sink_state state;
	struct sink_step step; /* the last flush's */
	bool tell;	       /* of the state it is in then: it is new, goes on, or is over */
	int error;	       /* why it is failing */
	uint64_t since_ns;     /* when it came into this state */
	uint64_t took_ns;      /* when it last took something, or began not to */
	uint64_t patience_ns;  /* it is given up if it has no room and is behind for so long */
	struct {
		struct figures lost; /* of `lost`, in lines */
		int error;	     /* since it last flowed; -EAGAIN: that it was given up */
		uint64_t at_ns;	     /* the last trouble of all */
	} told;
};

/* Asking takes a call, so what was said last is remembered: only our own lines make it less. */
static inline bool sink_has_room(const struct sink *sink, size_t bytes)
{
	return sink->room >= bytes || sink->ops->room(sink) >= bytes;
}

/* Has the sink room for an event's line? */
static inline bool sink_ready(const struct sink *sink)
{
	return sink_has_room(sink, OUTPUT_LINE_MAX + OUTPUT_RESERVE);
}

/* Is this for the sink? All that asks goes by this. */
static inline bool sink_takes(const struct sink *sink, const struct item *item)
{
	return sink->events & BIT(item->type) && sink->bit & item->takers;
}

/* Can it take one more of this type now (event_none: a control line)? */
static inline bool sink_admits(struct sink *sink, enum event_type type)
{
	const size_t needed = OUTPUT_LINE_MAX + (type == event_none ? 0 : OUTPUT_RESERVE);

	if (sink->room < needed)
		sink->room = sink->ops->room(sink);
	return sink->room >= needed && sink->state != SINK_GONE;
}

/* Has the other end left something that it will take one day? */
static inline bool sink_is_slow(const struct sink *sink)
{
	return sink->state == SINK_BEHIND || sink->state == SINK_GIVEN_UP;
}

/* Has it no room, and is it worth waiting for? */
static inline bool sink_is_waited_for(const struct sink *sink)
{
	return !sink_ready(sink) && sink->state <= SINK_BEHIND;
}

/* Where to make what the sink takes: right in its buffer, if it has one. */
static inline char *sink_place(const struct sink *sink, char *spare)
{
	return sink->buffer ? sink->buffer + sink->end : spare;
}

/*
 * The sink, which admits it, takes what was made of an item at its place. Length 0: it could not be
 * made, and is lost.
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
	/* names before an event may take more: the buffer has extra bytes for them */
	sink->room -= length < sink->room ? length : sink->room;
	sink->taken.of[type]++;
}

/* The same of what was made elsewhere. */
static inline void sink_put(struct sink *sink, enum event_type type, const char *made,
			    size_t length)
{
	if (sink->buffer)
		memcpy(sink->buffer + sink->end, made, length);
	sink_take(sink, type, made, length);
}

/* What may have become of a sink, beside 0 (all is out), -EAGAIN (it took nothing) and errors. */
enum sink_result {
	SINK_TOOK_SOME = 1, /* and the rest is left */
	SINK_ENOUGH = 2,    /* who waits has decided to wait no more */
};

/* Go to the state that follows. Nobody else writes `state`, `error`, `since_ns` and `took_ns`. */
struct sink_step sink_step(struct sink *sink, int result, uint64_t now_ns);

/* Write what it holds, as far as that goes: see `step` and `tell` for what has become of it. */
void sink_flush(struct sink *sink, uint64_t now_ns);

/*
 * Open what the specification says, for what the maker makes: the sink is one of its users from
 * then on. -ENOMEM, or why it cannot be opened.
 */
int sink_open(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink);
void sink_free(struct sink *sink);

/* The same, of each kind, but for the name and the maker: *ret_sink is freed with its ops. */
int sink_stdout_open(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink);
int sink_file_open(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink);
int sink_journald_open(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink);

#endif
