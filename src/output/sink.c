// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/sink.h"

#include <errno.h>

void sink_free(struct sink *sink)
{
	free(sink->name);
	sink->ops->free(sink);
}

/* The record of an event to a recording; NULL: the line. Returns how much room that takes. */
static size_t recording_write(struct sink *sink, const struct recording_item *event,
			      const char *line, size_t length)
{
	if (event)
		sink->ops->record(sink, event);
	else
		sink->ops->write(sink, line, length);
	return RECORDING_ITEM_BYTES(event ? event->size : length);
}

void sink_write(struct sink *sink, enum event_type type, const struct recording_item *event,
		const char *line, size_t length)
{
	size_t needed = type == event_none ? length : OUTPUT_LINE_MAX + OUTPUT_RESERVE;

	if (sink->room < needed)
		sink->room = sink->ops->room(sink);
	if (sink->room < needed || sink->gone) {
		sink->lost.of[type]++;
		return;
	}
	if (sink->buffer)
		sink_put(sink, line, length);
	else if (sink->ops->record)
		length = recording_write(sink, event, line, length);
	else
		sink->ops->write(sink, line, length);
	/* a recording has some to spare for what is around a control line */
	sink->room -= length < sink->room ? length : sink->room;
	sink->taken.of[type]++;
}
