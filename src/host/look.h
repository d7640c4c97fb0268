/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * look.h - looks at the host for names, made by a thread: who can make cgroups, files or processes
 * says how long they take, and the thread that drains the ring must not wait for that.
 *
 * Its findings are handed over bit by bit.
 */
#ifndef NETLOG_LOOK_H
#define NETLOG_LOOK_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: no look is under way. */
struct look {
	bool begun; /* there is a thread, or something is still to be handed over */
	pthread_t thread;
	/* the thread's own until it has ended */
	void (*work)(struct look *look);
	void *context;
	uint64_t *ids; /* numbers that are looked for, in order */
	size_t id_count;
	struct look_finding {
		uint64_t id;
		char *text;
	} * findings;
	size_t count, room;
	int error;	 /* of the work's */
	uint64_t cpu_ns; /* that it took */
	/* shared */
	sem_t over; /* posted when the thread has nothing more to do */
	bool stop;  /* it is to end soon */
	/* ours */
	bool seen_over;
	size_t taken; /* of the findings */
	/* both are behind the present by what may still be spent at once, or before it: spent */
	uint64_t next_look, next_wait;
};

/* May there be one now? They take one part in fifty of a CPU, but for the first of them. */
bool look_is_due(const struct look *look, uint64_t now_ns);

/*
 * Have a thread call `work`, which calls look_add() for what it finds. `context` is left alone
 * until the look is over; the numbers are copied. -ENOMEM or an error of pthread_create(3): no look
 * has begun, and for a second none is due.
 */
int look_begin(struct look *look, void (*work)(struct look *look), void *context,
	       const uint64_t *ids, size_t id_count, uint64_t now_ns);

/* For the work: is this number looked for? Is the look to end before it is complete? */
bool look_is_for(const struct look *look, uint64_t id);
bool look_is_stopped(const struct look *look);
/* Sets `error` if there is no memory for it. */
void look_add(struct look *look, uint64_t id, const char *text);

/*
 * Give it a moment to be over: most looks take less than that, and then what was asked for is known
 * from its first line on. A moment is what the ring has room for at any rate of events, and all of
 * them together are a small part of the time.
 */
void look_wait(struct look *look);

/*
 * If it is over, hand over a part of what it has found. Returns whether that was the rest: then no
 * look is under way any more, and `error` says how it went; after an error, none is due for a
 * second. Never waits for the work.
 */
bool look_take(struct look *look, uint64_t now_ns,
	       void (*found)(void *context, uint64_t id, const char *text), void *context);

/* Break it off, if one is under way. */
void look_end(struct look *look);

#endif
