// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/lines.h"

#include <errno.h>

int lines_init(struct lines *lines)
{
	*lines = (struct lines){};
	makers_init(&lines->makers);
	wall_clock_measure(&lines->clock);
	return output_new(&lines->makers.source, &lines->output);
}

void lines_done(struct lines *lines)
{
	output_free(lines->output);
	makers_done(&lines->makers);
	*lines = (struct lines){};
}

void lines_set_origin(struct lines *lines, const struct origin *origin)
{
	lines->origin = *origin;
	output_set_origin(lines->output, origin);
}

/*
 * Look up the names of an event, for recordings. Names of other numbers may be found or replaced on
 * the way; then the cached part of lines is forgotten, so that lines change here, as they do in a
 * replay, and not at some later time.
 */
static void names_look_up(struct lines *lines, const struct event *event,
			  const char *names[NAMED_NUMBERS_MAX])
{
	names_of(lines->names, event, names);
	if (names_changed(lines->names))
		makers_forget(&lines->makers);
}

/* Write the event. Returns output_ready(). */
static __always_inline bool event_write(struct lines *lines, const struct item *item)
{
	lines->emitted.of[item->type]++;
	lines->emitted_total++;
	return output_write(lines->output, item);
}

static int event_replay(struct lines *lines, const struct recording_item *recorded,
			takers_function *takers, const void *context)
{
	int type = event_check(recorded->payload, recorded->size);
	const char *names[NAMED_NUMBERS_MAX] = {};
	struct item item = {
		.event = recorded->payload,
		.seq = recorded->seq,
		.offset_ns = recorded->offset_ns,
		.names = names,
	};

	if (type < 0)
		return type;
	item.type = (enum event_type)type;
	/*
	 * also for events without a line: the table must replace the same names as in the recorded
	 * run
	 */
	if (lines->names)
		names_look_up(lines, item.event, names);
	item.takers = takers(context, item.event, names);
	if (lines->events & BIT(type) && output_takes(lines->output, &item))
		event_write(lines, &item);
	return 0;
}

static int control_replay(struct lines *lines, const struct recording_item *recorded)
{
	struct item item = { .takers = ITEM_FOR_ALL };
	int r = -EBADMSG;

	if (recorded->size <= CONTROL_LINE_MAX)
		r = control_parse(recorded->payload, recorded->size, &item.control);
	if (r < 0)
		return r;
	output_write(lines->output, &item);
	json_object_put(item.control);
	return 0;
}

int lines_replay(struct lines *lines, const struct recording_item *recorded,
		 takers_function *takers, const void *context)
{
	return recorded->type == recording_event ? event_replay(lines, recorded, takers, context) :
						   control_replay(lines, recorded);
}

void lines_set_names(struct lines *lines, struct names *names)
{
	lines->names = names;
	makers_set_names(&lines->makers, names);
}

void lines_refresh(struct lines *lines)
{
	wall_clock_measure(&lines->clock);
	if (lines->names && names_refresh(lines->names, clock_boot_ns()))
		makers_forget(&lines->makers);
}

static void record_undecodable(struct lines *lines, const struct event *event, size_t size)
{
	/* event_none stands for records without a known type */
	const bool known = size >= sizeof(event->header) && event->header.type < event_types;

	lines->undecodable.of[known ? event->header.type : event_none]++;
}

/* With the names that a recording needs. */
static __attribute__((noinline)) bool event_record(struct lines *lines, const struct item *item)
{
	const char *names[NAMED_NUMBERS_MAX];
	struct item named = *item;

	names_look_up(lines, item->event, names);
	named.names = names;
	return event_write(lines, &named);
}

bool lines_event(struct lines *lines, const void *record, size_t size)
{
	int type = event_check(record, size);
	struct item item = {
		.event = record,
		.seq = lines->seq + 1,
		.offset_ns = lines->clock.offset_ns,
	};

	if (type < 0) {
		record_undecodable(lines, record, size);
		return output_ready(lines->output);
	}
	item.type = (enum event_type)type;
	item.takers = output_takers(lines->output, item.event->header.takers);
	if (!output_takes(lines->output, &item)) {
		lines->unasked.of[type]++;
		return output_ready(lines->output);
	}
	lines->seq++;
	if (output_records(lines->output) && lines->names)
		return event_record(lines, &item);
	return event_write(lines, &item);
}

void lines_unasked(struct lines *lines, const void *record, size_t size)
{
	int type = event_check(record, size);

	if (type > 0)
		lines->unasked.of[type]++;
}

void lines_begin(struct lines *lines, struct control *control, enum control_type type)
{
	wall_clock_measure(&lines->clock);
	control_begin(control, type, lines->origin.hostname, lines->seq + 1,
		      wall_clock_of(&lines->clock, clock_boot_ns()));
}

int lines_end(struct lines *lines, struct control *control)
{
	struct item item = { .takers = ITEM_FOR_ALL };
	int r = control_end(control, CONTROL_LINE_MAX, &item.control);

	if (r < 0)
		return r;
	lines->seq++;
	output_write(lines->output, &item);
	json_object_put(item.control);
	return 0;
}
