// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/sink.h"

#include <errno.h>

#define RETELL_NS (60 * NSEC_PER_SEC) /* between two messages about the same trouble */

void sink_free(struct sink *sink)
{
	struct maker *maker = sink->maker;

	free(sink->name);
	sink->ops->free(sink);
	maker_put(maker);
}

/* ---- how it is doing ---- */

/* The next state of a sink that is slow. */
static enum sink_state state_of_slow(const struct sink *sink, uint64_t now_ns)
{
	if (sink->ops->timeout_ns && now_ns - sink->took_ns > sink->ops->timeout_ns)
		return SINK_FAILING;
	/* once given up, it is not waited for until all is out */
	if (sink->state == SINK_GIVEN_UP || sink->state == SINK_FAILING)
		return SINK_GIVEN_UP;
	/* even if it takes a little now and then */
	if (sink->state == SINK_BEHIND && !sink_ready(sink) &&
	    now_ns - sink->since_ns > sink->patience_ns)
		return SINK_GIVEN_UP;
	return SINK_BEHIND;
}

static enum sink_state state_after(const struct sink *sink, int result, uint64_t now_ns)
{
	switch (result) {
	case 0:
		return SINK_FLOWING;
	case SINK_ENOUGH:
		return SINK_GIVEN_UP;
	case SINK_TOOK_SOME:
	case -EAGAIN:
		return state_of_slow(sink, now_ns);
	case -EPIPE:
	case -ECONNRESET:
		return sink->ops->ends_run ? SINK_GONE : SINK_FAILING;
	default:
		return SINK_FAILING;
	}
}

struct sink_step sink_step(struct sink *sink, int result, uint64_t now_ns)
{
	struct sink_step step = { .from = sink->state, .to = sink->state };

	if (sink->state == SINK_GONE)
		return step;
	if ((result != -EAGAIN && result != SINK_ENOUGH) || sink->state == SINK_FLOWING)
		sink->took_ns = now_ns;
	step.to = state_after(sink, result, now_ns);
	if (step.to != step.from)
		sink->since_ns = now_ns;
	sink->state = step.to;
	sink->error = step.to != SINK_FAILING ? 0 : result == -EAGAIN ? -ETIMEDOUT : result;
	return step;
}

/*
 * Is there something to report about the sink's state? Errors are reported at once if no error, or
 * a different one, was reported since the sink last flowed, and otherwise once a minute. A sink
 * that is merely too slow is reported at most once a minute. That it flows again is reported if
 * trouble was.
 */
static bool tell(struct sink *sink, uint64_t now_ns)
{
	const bool lately = sink->reported.at_ns && now_ns - sink->reported.at_ns < RETELL_NS;
	const int reported = sink->reported.error;

	switch (sink->state) {
	case SINK_FLOWING:
		sink->reported.error = 0;
		return reported;
	case SINK_GIVEN_UP:
	case SINK_FAILING:
		if (lately && (sink->state == SINK_GIVEN_UP || sink->error == reported))
			return false;
		sink->reported.error = sink->error ?: -EAGAIN;
		sink->reported.at_ns = now_ns;
		return true;
	case SINK_BEHIND:
	case SINK_GONE:
		break;
	}
	return false;
}

void sink_flush(struct sink *sink, uint64_t now_ns)
{
	const size_t held = sink->end;
	int r = sink->state == SINK_GONE ? -EPIPE : sink->ops->flush(sink);

	sink->step = sink_step(sink, r == -EAGAIN && sink->end < held ? SINK_TOOK_SOME : r, now_ns);
	sink->tell = tell(sink, now_ns);
}
